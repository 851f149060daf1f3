"""The shared result of an area, on the screen and in files."""

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from brightspots_web.accountability import shared_result_pages as pages
from brightspots_web.accountability import shared_result_queries as queries
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.models import Area
from brightspots_web.directory.view_helpers import by
from brightspots_web.shared.exports import respond


def _area(request: ActingRequest, pk: int) -> Area:
    """An area whose shared result this person reads; 404 for everybody else."""
    found = queries.area_with(by(request), pk)
    if found is None:
        raise Http404
    return found


@require_safe
def shared_result(request: ActingRequest, pk: int) -> HttpResponse:
    """How all pupils of an area get on, and who answers for it together."""
    context = pages.page(request.acting, _area(request, pk), request.GET.get("page", ""))
    return render(request, "accountability/shared/result.html", context)


@require_safe
def shared_result_export(request: ActingRequest, pk: int, fmt: str) -> HttpResponseBase:
    area = _area(request, pk)
    rows, note = pages.file_rows(request.acting, area)
    return respond(
        fmt,
        title=_("Shared result"),
        filename=f"{_('shared result')} {area.name}",
        columns=pages.columns(),
        rows=rows,
        note=note,
    )
