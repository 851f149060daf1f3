"""How much data is used: a measure of the system, not of persons."""

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from brightspots_web.devolution import use_pages as pages
from brightspots_web.devolution import use_queries as queries
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by
from brightspots_web.shared.exports import respond
from brightspots_web.shared.permissions import Capability


@require_safe
def data_use(request: ActingRequest) -> HttpResponse:
    acting = by(request)
    context = pages.page(acting, request.GET.get("month", ""))
    return render(request, "devolution/data_use.html", context)


@require_safe
def tiers_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    return respond(
        fmt,
        title=_("Use of data by tier"),
        filename="data-use-tiers",
        columns=pages.tier_columns(),
        rows=pages.tier_rows(by(request)),
        note=pages.note(),
    )


@requires(Capability.SEE_AREA)
@require_safe
def areas_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    month = pages.chosen(queries.months(), request.GET.get("month", ""))
    if month is None:
        raise Http404
    return respond(
        fmt,
        title=_("Use of data by area"),
        filename=f"data-use-areas-{month:%Y-%m}",
        columns=pages.area_columns(),
        rows=pages.area_rows(queries.areas(request.acting, month), month),
        note=pages.note(),
    )
