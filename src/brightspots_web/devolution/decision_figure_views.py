"""Counts of decisions and cycles by area, for officers and the ministry."""

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from brightspots_web.devolution import decision_figure_pages as pages
from brightspots_web.devolution import decision_figure_queries as queries
from brightspots_web.devolution.decision_forms import AreaForm
from brightspots_web.directory import queries as directory
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.shared.exports import respond
from brightspots_web.shared.permissions import Capability


def _area(request: ActingRequest) -> int:
    given = request.GET.get("area", "")
    return int(given) if given.isdecimal() and len(given) < 15 else 0


@requires(Capability.SEE_AREA)
@require_safe
def figures(request: ActingRequest) -> HttpResponse:
    """How much is decided and tried out; never by whom, never what."""
    areas = list(directory.areas_visible_to(request.acting))
    context = pages.page(request.acting, _area(request), request.GET.urlencode())
    context["form"] = AreaForm(request.GET, areas=areas)
    return render(request, "devolution/decision/figures.html", context)


@requires(Capability.SEE_AREA)
@require_safe
def figures_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    return respond(
        fmt,
        title=_("Decisions and small tests"),
        filename="decisions-by-area",
        columns=pages.columns(),
        rows=pages.export_rows(queries.rows_for(request.acting, _area(request))),
        note=pages.note(),
    )
