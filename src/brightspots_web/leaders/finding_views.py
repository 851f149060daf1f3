"""Finding leaders: the evidence, areas with few, asking people, nominations."""

from collections.abc import Iterator
from typing import Any

from django.core.paginator import Paginator
from django.forms import Form
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from brightspots_web.alignment import queries as alignment
from brightspots_web.directory import leadership_queries as leadership
from brightspots_web.directory import queries as directory
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.forms import AreaFilter, area_or_404
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, take
from brightspots_web.insight import queries as insight
from brightspots_web.insight.bright_spot_queries import in_pieces
from brightspots_web.insight.models import Run
from brightspots_web.leaders import designation_criteria_queries as criteria
from brightspots_web.leaders import designation_pages as lists
from brightspots_web.leaders import designation_queries as designations
from brightspots_web.leaders import designation_words as words
from brightspots_web.leaders import finding_actions as actions
from brightspots_web.leaders import finding_area_queries as areas
from brightspots_web.leaders import finding_pages as pages
from brightspots_web.leaders import finding_queries as queries
from brightspots_web.leaders.finding_forms import (
    FindingFilter,
    InviteForm,
    NominateForm,
    NominationsFilter,
    NotNowForm,
)
from brightspots_web.shared.exports import respond
from brightspots_web.shared.permissions import Capability
from brightspots_web.shared.words import day

PAGE = 20
AT_ONCE = 200
FOLDER = "leaders/finding"
READ_OR_SEND = require_http_methods(["GET", "HEAD", "POST"])


def _filter(request: ActingRequest) -> FindingFilter:
    return FindingFilter(request.GET, acting=request.acting, priorities=alignment.live_priorities())


@requires(Capability.FIND_LEADERS)
@require_safe
def finding(request: ActingRequest) -> HttpResponse:
    """Schools that stand out in a live priority, and who answers for them."""
    form = _filter(request)
    search, run = form.search(), insight.current_run()
    found = queries.search(request.acting, search, run) if search is not None else []
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "table": pages.table(
            page, queries.shown(list(page), run), request.GET.urlencode(), _empty(form, run)
        ),
        "summary": pages.summary(found),
        "note": pages.note(run),
        "tabs": lists.tabs(request.acting, "leaders:finding"),
    }
    return render(request, f"{FOLDER}/finding.html", context)


def _empty(form: FindingFilter, run: Run | None) -> str:
    if run is None:
        return _("No analysis is published yet: evidence comes with the first.")
    if form.has_changed():
        return _("No school fits. Clear the filter to see all of them.")
    return _("No school within what you see stands out in a live priority by the newest figures.")


@requires(Capability.FIND_LEADERS)
@require_safe
def finding_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    search, run = _filter(request).search(), insight.current_run()
    if search is None:
        raise Http404
    found = queries.search(request.acting, search, run)

    def rows() -> Iterator[dict[str, Any]]:
        for some in in_pieces(found, AT_ONCE):
            yield from pages.rows(queries.shown(some, run))

    return respond(
        fmt,
        title=_("Who could lead"),
        filename="who-could-lead",
        columns=pages.columns(),
        rows=rows(),
        note=pages.note(run),
    )


@requires(Capability.FIND_LEADERS)
@READ_OR_SEND
def finding_school(request: ActingRequest, code: str) -> HttpResponse:
    """One school's evidence, who serves there, and asking one of them to lead."""
    schools = queries.school_in_sight(request.acting).select_related("area")
    school = get_object_or_404(schools, code=code)
    figures = queries.figures_of(school)
    people = list(leadership.serving([school.pk]))
    run = insight.current_run()

    def again(form: Form, status: int) -> HttpResponse:
        standings = queries.standings_of([each.person_id for each in people])
        context = {
            "school": school,
            "form": form if people else None,
            "people": pages.people_table(people, standings),
            "figures": pages.figures_table(figures),
            "note": pages.note(run),
            "breadcrumb": pages.crumbs_of(school),
        }
        return render(request, f"{FOLDER}/school.html", context, status=status)

    kwargs: dict[str, Any] = {
        "people": people,
        "priorities": [priority for priority, _row in figures],
    }
    if request.method != "POST":
        strong = [priority.code for priority, row in figures if row.get("label")]
        initial = {"priority": strong[0] if strong else ""}
        if people:
            initial["person"] = str(people[0].person_id)
        return again(InviteForm(initial=initial, **kwargs), 200)
    form = InviteForm(request.POST, **kwargs)
    return take(
        request,
        form,
        lambda data: actions.invite(
            form.people[data["person"]],
            school,
            form.priorities.get(data["priority"]),
            by=by(request),
            words=data["words"],
        ),
        done=_("Asked. The person reads it under Notices, and answers in their own time."),
        back=lambda _made: reverse("leaders:finding_school", args=[school.code]),
        again=again,
    )


@requires(Capability.FIND_LEADERS)
@require_safe
def finding_areas(request: ActingRequest) -> HttpResponse:
    """Schools for each leader in office, area by area."""
    form = AreaFilter(request.GET, acting=request.acting)
    listed = [] if form.errors else areas.areas_to_show(request.acting, form.area_asked_for)
    supply = areas.supply(request.acting, listed)
    context = {
        "form": form,
        "table": pages.areas_table(supply, request.GET.urlencode()),
        "map": pages.areas_map(supply),
        "few": sum(each.few for each in supply),
        "number": len(supply),
        "most": criteria.current_criteria().few_per_schools,
        "day": day(directory.today()),
        "tabs": lists.tabs(request.acting, "leaders:finding_areas"),
    }
    return render(request, f"{FOLDER}/areas.html", context)


@requires(Capability.FIND_LEADERS)
@require_safe
def finding_areas_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    listed = areas.areas_to_show(request.acting, area_or_404(request))
    return respond(
        fmt,
        title=_("Where leaders are few"),
        filename="leaders-by-area",
        columns=pages.areas_columns(),
        rows=pages.areas_rows(areas.supply(request.acting, listed)),
        note=day(directory.today()),
    )


# Nominations


@requires(Capability.FIND_LEADERS)
@require_safe
def nominations(request: ActingRequest) -> HttpResponse:
    form = NominationsFilter(request.GET, acting=request.acting)
    narrowed = form.narrowed()
    found = queries.nominations(request.acting, narrowed or queries.Narrowed())
    if narrowed is None:
        found = found.none()
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "table": pages.nominations_table(page, request.GET.urlencode()),
        "tabs": lists.tabs(request.acting, "leaders:nominations"),
    }
    return render(request, f"{FOLDER}/nominations.html", context)


@requires(Capability.FIND_LEADERS)
@require_safe
def nominations_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    narrowed = NominationsFilter(request.GET, acting=request.acting).narrowed()
    if narrowed is None:
        raise Http404
    return respond(
        fmt,
        title=_("Nominations"),
        filename="nominations",
        columns=pages.nominations_columns(),
        rows=pages.nominations_rows(queries.nominations(request.acting, narrowed)),
    )


@requires(Capability.APPLY_TO_LEAD)
@READ_OR_SEND
def nominate(request: ActingRequest) -> HttpResponse:
    """Put a colleague of the own partnership forward, or oneself."""
    acting = by(request)
    kwargs: dict[str, Any] = {
        "colleagues": queries.colleagues(acting),
        "myself": str(acting.person),
    }

    def again(form: Form, status: int) -> HttpResponse:
        context = {"form": form, "tabs": lists.tabs(acting, "leaders:nominate")}
        return render(request, f"{FOLDER}/nominate.html", context, status=status)

    if request.method != "POST":
        return again(NominateForm(**kwargs), 200)
    form = NominateForm(request.POST, **kwargs)

    def act(data: dict[str, Any]) -> Any:
        if data["person"] == NominateForm.MYSELF:
            return actions.put_forward(words=data["words"], by=acting)
        return actions.nominate(form.people[data["person"]], words=data["words"], by=acting)

    return take(
        request,
        form,
        act,
        done=_("Thank you. The officers over the school are told."),
        back=lambda _made: reverse("leaders:nominate"),
        again=again,
    )


@require_safe
def asked(request: ActingRequest) -> HttpResponse:
    """What a person is asked: by whom, why, and what the figures say of their school."""
    return _asked(request, NotNowForm(), 200)


def _asked(request: ActingRequest, form: Form, status: int) -> HttpResponse:
    acting = by(request)
    waiting = queries.open_for(acting.person)
    context = {
        "nominations": waiting,
        "said": queries.declined_lately(acting.person),
        "figures": pages.figures_table(queries.figures_of(acting.school))
        if waiting and acting.school
        else None,
        "open": designations.open_application(acting.person),
        "may_apply": acting.school is not None,
        "asked": words.asked_for(criteria.current_criteria()),
        "form": form,
        "tabs": lists.tabs(acting, "leaders:asked"),
    }
    return render(request, f"{FOLDER}/asked.html", context, status=status)


@require_POST
def not_now(request: ActingRequest) -> HttpResponse:
    return take(
        request,
        NotNowForm(request.POST),
        lambda data: actions.not_now(why=data["why"], by=by(request)),
        done=_("Thank you for saying so. Nobody asks you again for half a year."),
        back=lambda _done: reverse("leaders:asked"),
        again=lambda form, status: _asked(request, form, status),
    )
