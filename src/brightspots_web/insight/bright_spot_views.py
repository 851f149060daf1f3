from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from brightspots_web.directory import queries as directory
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.models import Area
from brightspots_web.insight import (
    bright_spot_actions,
    bright_spot_pages,
    bright_spot_queries,
    one_bright_spot,
    queries,
)
from brightspots_web.insight.bright_spot_actions import StepOvertakenError
from brightspots_web.insight.bright_spot_forms import SpotFilter, StepForm
from brightspots_web.insight.bright_spot_queries import Search, Spot
from brightspots_web.insight.models import BrightSpot, Run
from brightspots_web.shared.exports import respond
from brightspots_web.shared.permissions import Capability

PAGE = 20


def _search(request: ActingRequest, run: Run | None) -> tuple[SpotFilter, Search | None]:
    """The filter and what it asks for; None where it asks for what is not there."""
    subjects = bright_spot_queries.subjects(request.acting, run)
    form = SpotFilter(request.GET, acting=request.acting, subjects=subjects)
    if not form.is_valid():
        return form, None
    chosen = form.cleaned_data
    return form, Search(chosen["subject"], chosen["area"], chosen["label"], chosen["state"])


@requires(Capability.SEE_BRIGHT_SPOTS)
@require_safe
def bright_spots(request: ActingRequest) -> HttpResponse:
    """Who may be a bright spot, by name, on a map and as a list."""
    run = queries.current_run()
    form, search = _search(request, run)
    found = (
        bright_spot_queries.keys(bright_spot_queries.pairs(request.acting, search, run))
        if search
        else []
    )
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    spots = bright_spot_queries.spots(list(page), run)
    empty = "" if form.is_valid() else " ".join(str(each) for each in form.errors.get("area", []))
    if not form.has_changed() and not found:
        empty = _("The published analysis names no school yet, or none is published.")
    context = {
        "run": run,
        "form": form,
        "page": page,
        "table": bright_spot_pages.table(page, spots, request.GET.urlencode(), empty),
        "summary": bright_spot_pages.summary(found),
        "map": bright_spot_pages.map_chart(found, _outlines(request, search)),
        "near": bright_spot_pages.near(bright_spot_queries.strong_near(request.acting, run)),
    }
    return render(request, "insight/bright_spots.html", context)


def _outlines(request: ActingRequest, search: Search | None) -> list[Area]:
    """The areas drawn behind the marks: those inside the area looked at."""
    area = (search.area if search else None) or (request.acting.area if request.acting else None)
    return directory.inner_areas(request.acting, area) or ([area] if area else [])


@requires(Capability.SEE_BRIGHT_SPOTS)
@require_safe
def bright_spots_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    run = queries.current_run()
    _form, search = _search(request, run)
    if search is None:
        raise Http404
    found = bright_spot_queries.pairs(request.acting, search, run)
    return respond(
        fmt,
        title=_("Bright spots"),
        filename="bright-spots",
        columns=bright_spot_pages.columns(),
        rows=bright_spot_pages.rows(bright_spot_queries.all_spots(found, run)),
        note=bright_spot_pages.note(run),
    )


def _spot(request: ActingRequest, code: str, subject: str) -> Spot:
    school = get_object_or_404(bright_spot_queries.schools_open_to(request.acting), code=code)
    found = bright_spot_queries.spot(school, subject, queries.current_run())
    if found is None:
        raise Http404
    return found


@require_http_methods(["GET", "HEAD", "POST"])
def bright_spot(request: ActingRequest, code: str, subject: str) -> HttpResponse:
    """One bright spot: what the figures say, what to look for, what people saw, the next step."""
    spot = _spot(request, code, subject)
    form = StepForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        if request.acting is None or not one_bright_spot.may_record(spot, request.acting):
            raise PermissionDenied
        if form.is_valid():
            try:
                done = _take(spot, form.cleaned_data, request)
            except StepOvertakenError as problem:
                form.add_error(None, problem)
                status = 409
            except ValidationError as problem:
                form.add_error(None, problem)
            else:
                recorded = _("Recorded: {step}.").format(step=done)
                messages.success(request, recorded)
                return redirect("insight:bright_spot", code=code, subject=subject)
        spot = _spot(request, code, subject)
    context = one_bright_spot.page(spot, request.acting)
    if request.method == "POST":
        # What is below was read just now: the next attempt is held against this.
        typed = request.POST.copy()
        typed["seen"] = str(context["last_step"])
        form.data = typed
    else:
        form.initial["seen"] = context["last_step"]
    form.offer(context["choices"])
    return render(request, "insight/bright_spot.html", context | {"form": form}, status=status)


def _take(spot: Spot, chosen: dict[str, Any], request: ActingRequest) -> str:
    assert request.acting is not None
    step = bright_spot_actions.take_step(
        spot.school,
        spot.subject,
        by=request.acting,
        to=chosen["to"],
        on=chosen["on"],
        note=chosen["note"],
        seen=chosen["seen"] or 0,
    )
    return str(BrightSpot.State(step.to_state).label)


@require_safe
def bright_spot_sheet(request: ActingRequest, code: str, subject: str) -> HttpResponse:
    """A sheet to print and take along."""
    spot = _spot(request, code, subject)
    context = one_bright_spot.sheet(spot, request.acting)
    return render(request, "insight/bright_spot_sheet.html", context)


@require_safe
def bright_spot_steps(request: ActingRequest, code: str, fmt: str) -> HttpResponseBase:
    """All that happened at a school, outcome by outcome."""
    school = get_object_or_404(bright_spot_queries.schools_open_to(request.acting), code=code)
    steps = list(bright_spot_queries.steps_at(school))
    return respond(
        fmt,
        title=school.name,
        filename=f"bright-spots-{school.code}",
        columns=one_bright_spot.step_columns(),
        rows=one_bright_spot.step_rows(steps),
    )
