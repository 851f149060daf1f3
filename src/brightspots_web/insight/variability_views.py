from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from brightspots_web.directory import queries as directory
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.insight import queries
from brightspots_web.insight import variability_files as files
from brightspots_web.insight import variability_pages as pages
from brightspots_web.insight.models import Run
from brightspots_web.shared.exports import respond
from brightspots_web.shared.permissions import Capability

TEMPLATE = "insight/variability.html"


def _asked(request: ActingRequest) -> tuple[Run | None, str]:
    run = queries.current_run()
    return run, pages.chosen(request.GET.get("subject", ""), run)


@requires(Capability.SEE_SYSTEM)
@require_safe
def system(request: ActingRequest) -> HttpResponse:
    """How much of all differences lies between areas, between schools, within schools."""
    return render(request, TEMPLATE, pages.system(request.acting, *_asked(request)))


@requires(Capability.SEE_SYSTEM)
@require_safe
def system_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    run = queries.current_run()
    return respond(
        fmt,
        title=_("Differences"),
        filename="differences",
        columns=files.columns(),
        rows=files.system_rows(request.acting, run),
        note=files.note(run),
    )


@requires(Capability.SEE_AREA)
@require_safe
def area(request: ActingRequest, pk: int) -> HttpResponse:
    """How much the schools of an area differ, and those of the areas in it."""
    found = get_object_or_404(directory.areas_visible_to(request.acting), pk=pk)
    return render(request, TEMPLATE, pages.area(found, request.acting, *_asked(request)))


@requires(Capability.SEE_AREA)
@require_safe
def area_export(request: ActingRequest, pk: int, fmt: str) -> HttpResponseBase:
    found = get_object_or_404(directory.areas_visible_to(request.acting), pk=pk)
    run = queries.current_run()
    return respond(
        fmt,
        title=found.name,
        filename=f"differences-{found.name}",
        columns=files.columns(),
        rows=files.area_rows(found, request.acting, run),
        note=files.note(run),
    )


@require_safe
def partnership(request: ActingRequest, code: str) -> HttpResponse:
    """How much the schools of a partnership differ: open to whoever may open its page."""
    found = get_object_or_404(directory.partnerships_visible_to(request.acting), code=code)
    return render(request, TEMPLATE, pages.partnership(found, *_asked(request)))


@require_safe
def partnership_export(request: ActingRequest, code: str, fmt: str) -> HttpResponseBase:
    found = get_object_or_404(directory.partnerships_visible_to(request.acting), code=code)
    run = queries.current_run()
    return respond(
        fmt,
        title=found.name,
        filename=f"differences-{found.code}",
        columns=files.columns(),
        rows=files.partnership_rows(found, run),
        note=files.note(run),
    )
