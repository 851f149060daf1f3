"""How brokering goes, for officers, the ministry and analysts."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from brightspots_web.connectedness import support_broker_pages as pages
from brightspots_web.connectedness import support_figures_queries as queries
from brightspots_web.connectedness import support_ledger_queries as ledger
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.forms import AreaFilter, area_or_404
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.models import Area
from brightspots_web.shared.exports import respond
from brightspots_web.shared.permissions import Capability, may

PAGE = 20


def _or_own(area: Area | None, request: ActingRequest) -> Area | None:
    """The area asked for, else the one the acting person is appointed to."""
    return area or (request.acting.area if request.acting is not None else None)


@requires(Capability.SEE_AREA)
@require_safe
def figures(request: ActingRequest) -> HttpResponse:
    form = AreaFilter(request.GET, acting=request.acting)
    area = _or_own(form.area_asked_for, request)
    context: dict[str, Any] = {"form": form, "area": area}
    if form.is_valid():
        found = queries.figures(request.acting, area)
        context |= pages.figure_page(found, request.GET.urlencode())
        if may(request.acting, Capability.BROKER):
            givers = ledger.givers(request.acting, area.path if area else "")
            page = Paginator(givers, PAGE).get_page(request.GET.get("page"))
            rows = ledger.giver_rows(page)
            context |= {"page": page, "leaders": pages.leaders(rows, request.GET.urlencode())}
    return render(request, "connectedness/support/figures.html", context)


@requires(Capability.SEE_AREA)
@require_safe
def figures_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    found = queries.figures(request.acting, _or_own(area_or_404(request), request))
    note = _("One and two are not told apart, and every sum is made from what is shown.")
    return respond(
        fmt,
        title=_("Support by area"),
        filename="support-by-area",
        columns=pages.figure_columns(),
        rows=pages.figure_rows(found),
        note=note,
    )


@requires(Capability.BROKER)
@require_safe
def leaders_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    area = _or_own(area_or_404(request), request)
    return respond(
        fmt,
        title=_("Days of those who give support"),
        filename="support-days-by-leader",
        columns=pages.leader_columns(),
        rows=pages.leader_rows(
            ledger.giver_rows(ledger.givers(request.acting, area.path if area else ""))
        ),
    )
