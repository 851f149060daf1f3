from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from brightspots_web.alignment import living_pages
from brightspots_web.connectedness import queries as connectedness
from brightspots_web.connectedness.queries import Connectedness
from brightspots_web.directory import queries as directory
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.forms import SchoolFilter
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.models import Area
from brightspots_web.home import front_pages
from brightspots_web.home.navigation import front_url
from brightspots_web.home.next_steps import NextStep, next_step
from brightspots_web.home.waiting import overdue, waiting_for
from brightspots_web.insight import queries as insight
from brightspots_web.insight import variability_charts
from brightspots_web.insight.models import Run
from brightspots_web.pace import overview, pulse_signs
from brightspots_web.shared.components import Link
from brightspots_web.shared.exports import respond
from brightspots_web.shared.permissions import Capability, may

PAGE = 20
BESIDE = 4
"""Up to so many areas stand beside the map; more have the width of the page."""


@require_safe
def front(request: ActingRequest) -> HttpResponse:
    """Everybody's own front page."""
    url = front_url(request.acting)
    return redirect(url) if url else render(request, "home/no_appointment.html")


@require_safe
def methods(request: ActingRequest) -> HttpResponse:
    """How the numbers are made, in plain words, for everybody who signs in."""
    return render(request, "home/methods.html")


@requires(Capability.SEE_SYSTEM)
@require_safe
def ministry(request: ActingRequest) -> HttpResponse:
    """The whole system: isolated schools, coverage, variability, map, what needs attention."""
    run = insight.current_run()
    subjects = insight.subjects(run)
    view = front_pages.View(request.acting, None, _chosen(request, subjects))
    counts = connectedness.connectedness(request.acting)
    areas = front_pages.areas_table(view)
    context = {
        "run": run,
        "next_step": _next_step(request, counts, run),
        "figures": front_pages.key_figures(view, counts, run),
        "priorities_card": living_pages.front_card(request.acting),
        "waiting": [*overdue(request.acting), *waiting_for(request.acting)],
        "signs": pulse_signs.signs(request.acting),
        "pace": overview.parts(request.acting),
        "time_url": _time_url(request),
        "isolation_trend": front_pages.isolation_trend(view),
        "isolation_caption": front_pages.isolation_caption(),
        "map": front_pages.area_chart(view),
        "shares": variability_charts.shares_chart(view.subject, run),
        "trend": variability_charts.trend_chart(view.subject, run),
        "trend_caption": variability_charts.trend_caption(view.subject, run),
        "attention": front_pages.attention_table(view, run),
        "attention_note": front_pages.attention_note(run),
        "areas": areas,
        "areas_beside": 0 < len(areas.rows) <= BESIDE,
        "subjects": front_pages.subject_links(view, subjects),
        "subject": view.subject,
    }
    return render(request, "home/ministry.html", context)


@requires(Capability.SEE_AREA)
@require_safe
def area(request: ActingRequest, pk: int) -> HttpResponse:
    """A district (or any area): its map, its schools, its isolation register."""
    found = get_object_or_404(directory.areas_visible_to(request.acting), pk=pk)
    run = insight.current_run()
    view = front_pages.View(request.acting, found)
    counts = connectedness.connectedness(request.acting, found)
    form = SchoolFilter(
        request.GET,
        phases=directory.school_choices("phase"),
        sectors=directory.school_choices("sector"),
    )
    form.is_valid()
    chosen = {name: form.cleaned_data.get(name, "") for name in form.fields}
    schools = directory.search_schools(request.acting, directory.SchoolSearch(**chosen)).filter(
        directory.within(found)
    )
    page = Paginator(schools, PAGE).get_page(request.GET.get("page"))
    close = counts.schools <= front_pages.CLOSE_RANGE
    query = request.GET.copy()
    query["within"] = str(found.pk)
    context = {
        "area": found,
        "run": run,
        "breadcrumb": _crumbs(request, found),
        "next_step": _next_step(request, counts, run),
        "figures": front_pages.key_figures(view, counts, run),
        "priorities_card": living_pages.front_card(request.acting, area=found),
        "waiting": waiting_for(request.acting) if _own(request, found) else [],
        "signs": pulse_signs.signs(request.acting, found),
        "pace": overview.of_area(request.acting, found),
        "time_url": _time_url(request),
        "map": front_pages.schools_chart(view) if close else front_pages.area_chart(view),
        "close": close,
        "areas": front_pages.areas_table(view) if view.inner else None,
        "isolated": front_pages.isolated_here(view),
        "register_url": front_pages.register_url(view),
        "isolation_trend": front_pages.isolation_trend(view),
        "isolation_caption": front_pages.isolation_caption(),
        "form": form,
        "page": page,
        "table": front_pages.schools_table(page, query.urlencode()),
        "filter_label": _("Find a school"),
    }
    return render(request, "home/area.html", context)


@requires(Capability.SEE_SYSTEM)
@require_safe
def attention_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    return respond(
        fmt,
        title=_("Where help would reach most pupils"),
        filename="attention",
        columns=front_pages.attention_columns(),
        rows=front_pages.attention_rows(request.acting),
    )


@requires(Capability.SEE_AREA)
@require_safe
def areas_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    found = None
    if key := request.GET.get("area", ""):
        visible = directory.areas_visible_to(request.acting)
        found = get_object_or_404(visible, pk=int(key) if key.isdecimal() else 0)
    elif not may(request.acting, Capability.SEE_SYSTEM):
        raise PermissionDenied
    return respond(
        fmt,
        title=_("Areas"),
        filename="areas",
        columns=front_pages.areas_columns(),
        rows=front_pages.areas_rows(front_pages.View(request.acting, found)),
    )


def _time_url(request: ActingRequest) -> str:
    """Where the middle tier's time is shown; "" for who may not see it."""
    may_see = may(request.acting, Capability.FIND_LEADERS)
    return reverse("leaders:time_balance") if may_see else ""


def _own(request: ActingRequest, found: Area) -> bool:
    """Whether this is the front page of whoever looks."""
    return request.acting is not None and request.acting.area_id == found.pk


def _next_step(request: ActingRequest, counts: Connectedness, run: Run | None) -> NextStep | None:
    return next_step(
        request.acting, schools=counts.schools, partnerships=counts.partnerships, run=run
    )


def _chosen(request: ActingRequest, subjects: list[str]) -> str:
    asked = request.GET.get("subject", "")
    return asked if asked in subjects else (subjects[0] if subjects else "")


def _crumbs(request: ActingRequest, found: Area) -> list[Link]:
    visible = set(
        directory.areas_visible_to(request.acting)
        .filter(pk__in=[step.pk for step in directory.ancestors(found)])
        .values_list("pk", flat=True)
    )
    crumbs = []
    for step in directory.ancestors(found)[:-1]:
        url = reverse("home:area", args=[step.pk]) if step.pk in visible else ""
        crumbs.append(Link(step.name, url))
    return [*crumbs, Link(found.name)]
