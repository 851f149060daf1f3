"""Cycles: the list, one with its run chart, planning, values, study."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from brightspots_web.alignment import queries as alignment
from brightspots_web.alignment.models import Priority
from brightspots_web.devolution import decision_queries as decisions
from brightspots_web.devolution import pdsa_actions as actions
from brightspots_web.devolution import pdsa_pages as pages
from brightspots_web.devolution import pdsa_queries as queries
from brightspots_web.devolution.decision_views import read_by
from brightspots_web.devolution.models import Decision, Pdsa, PdsaPoint
from brightspots_web.devolution.pdsa_forms import (
    CycleFilter,
    PlanForm,
    StudyForm,
    ValueForm,
    as_it_stands,
    new_cycle,
    value_as_it_stands,
    where_choices,
)
from brightspots_web.directory import indicator_queries
from brightspots_web.directory import queries as directory
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.models import Partnership
from brightspots_web.directory.view_helpers import by, fresh, press, take
from brightspots_web.shared.components import Link
from brightspots_web.shared.exports import respond
from brightspots_web.shared.permissions import Capability

PAGE = 20
READ_OR_SEND = require_http_methods(["GET", "HEAD", "POST"])
FOLDER = "devolution/pdsa"


# Lists


def _filter(request: ActingRequest, partnership: Partnership) -> CycleFilter:
    members = [each.school for each in directory.memberships_of(partnership)]
    return CycleFilter(request.GET, priorities=list(alignment.all_priorities()), schools=members)


@require_safe
def partnership_cycles(request: ActingRequest, code: str) -> HttpResponse:
    """What a partnership tries out and what came of it."""
    partnership = read_by(request, code)
    form = _filter(request, partnership)
    found = queries.search(request.acting, partnership, form.search())
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    context = {
        "partnership": partnership,
        "breadcrumb": [*pages.crumbs(partnership)[:-1], Link(_("Cycles"))],
        "form": form,
        "page": page,
        "table": pages.table(
            page, partnership, request.acting, request.GET.urlencode(),
            filtered=form.has_changed(),
        ),
        "may_plan": decisions.belongs(request.acting, partnership),
    }  # fmt: skip
    return render(request, f"{FOLDER}/cycles.html", context)


@require_safe
def partnership_cycles_export(request: ActingRequest, code: str, fmt: str) -> HttpResponseBase:
    partnership = read_by(request, code)
    found = queries.search(request.acting, partnership, _filter(request, partnership).search())
    return respond(
        fmt,
        title=_("Cycles"),
        filename=f"cycles-{partnership.code}",
        columns=pages.columns(),
        rows=pages.rows(found, request.acting),
        note=_("For the schools of {partnership} only.").format(partnership=partnership.name),
    )


# One cycle


def _found(request: ActingRequest, pk: int) -> Pdsa:
    return get_object_or_404(queries.cycles_visible_to(by(request)), pk=pk)


def _run(request: ActingRequest, pk: int) -> Pdsa:
    """A cycle that the person plans and studies; 403 for who only reads it."""
    found = _found(request, pk)
    if not queries.may_run(request.acting, found):
        raise PermissionDenied
    return found


@require_safe
def cycle(request: ActingRequest, pk: int) -> HttpResponse:
    return _page_of(request, _found(request, pk))


def _page_of(
    request: ActingRequest, found: Pdsa, status: int = 200, form: Any = None
) -> HttpResponse:
    context = pages.page(found, request.acting, form)
    return render(request, f"{FOLDER}/cycle.html", context, status=status)


@require_safe
def cycle_export(request: ActingRequest, pk: int, fmt: str) -> HttpResponseBase:
    """The values of a cycle, as far as the person sees them."""
    found = _found(request, pk)
    return respond(
        fmt,
        title=_("Values"),
        filename=f"cycle-{found.pk}",
        columns=pages.value_columns(found),
        rows=pages.value_rows(queries.seen(request.acting, found)),
        note=_("For improvement: stays in the school or the partnership."),
    )


# Planning


@requires(Capability.DECIDE_TOGETHER)
@READ_OR_SEND
def new(request: ActingRequest) -> HttpResponse:
    """Plan a cycle: by itself, for a decision (`?decision=`) or after one (`?follows=`)."""
    acting = by(request)
    decision, follows = _decision(request), _followed(request)
    own = decisions.own_partnership(acting)
    partnership = own or (follows.partnership if follows else None)
    if partnership is None:
        raise PermissionDenied
    if decision is not None and decision.partnership_id != partnership.pk:
        decision = None
    where = where_choices(acting.school, all_schools=own is not None)
    kwargs = _offered(request, None) | {"where": where}

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form,
            "partnership": partnership,
            "decision": decision,
            "follows": follows,
            "breadcrumb": pages.crumbs(partnership, _("Plan a cycle")),
        }
        return render(request, f"{FOLDER}/new.html", context, status=status)

    if request.method != "POST":
        return again(PlanForm(initial=_first(decision, follows), **kwargs), 200)
    form = PlanForm(request.POST, **kwargs)
    return take(
        request,
        form,
        lambda _data: actions.begin(
            partnership, form.plan(), by=acting, decision=decision, follows=follows,
            school=None if form.everywhere() else acting.school,
        ),
        done=_("Planned. Write the first value down as soon as you have one."),
        back=pages.url,
        again=again,
    )  # fmt: skip


def _first(decision: Decision | None, follows: Pdsa | None) -> dict[str, Any]:
    """What a plan begins with: the cycle it follows, or the priority of the decision."""
    first = new_cycle()
    if follows is not None:
        kept = as_it_stands(follows)
        first |= {
            name: kept[name]
            for name in ("title", "test", "measure", "unit", "up_is_better", "priority",
                         "indicator", "shared")
        }  # fmt: skip
    elif decision is not None and decision.priority is not None:
        first["priority"] = decision.priority.code
    return first


def _key(request: ActingRequest, name: str) -> int:
    given = request.GET.get(name, "")
    return int(given) if given.isdecimal() and len(given) < 15 else 0


def _decision(request: ActingRequest) -> Decision | None:
    visible = decisions.decisions_visible_to(request.acting)
    key = _key(request, "decision")
    return visible.filter(pk=key, state__in=decisions.STANDS).first() if key else None


def _followed(request: ActingRequest) -> Pdsa | None:
    key = _key(request, "follows")
    found = queries.cycles_visible_to(request.acting).filter(pk=key).first() if key else None
    return found if found is not None and queries.may_run(request.acting, found) else None


def _offered(request: ActingRequest, cycle: Pdsa | None) -> dict[str, Any]:
    live: list[Priority] = list(alignment.live_priorities())
    if cycle is not None and cycle.priority is not None and cycle.priority not in live:
        live.append(cycle.priority)
    indicators = list(indicator_queries.indicators_visible_to(request.acting)[:200])
    return {"priorities": live, "indicators": indicators}


@requires(Capability.DECIDE_TOGETHER)
@READ_OR_SEND
def change(request: ActingRequest, pk: int) -> HttpResponse:
    found = _run(request, pk)
    if found.finished_on is not None and request.method != "POST":
        messages.error(request, _("This cycle is finished: what it says stays."))
        return redirect(pages.url(found))

    def again(form: forms.Form, status: int) -> HttpResponse:
        now = _found(request, pk)
        both = pages.overtaken_parts(now, form.cleaned_data) if status == 409 else []
        if status == 409:
            fresh(form, now.version)
        context = {
            "form": form,
            "cycle": now,
            "both": both,
            "has_points": queries.has_points(now),
            "breadcrumb": pages.crumbs_of(now, _("Change")),
        }
        return render(request, f"{FOLDER}/change.html", context, status=status)

    kwargs = _offered(request, found)
    if request.method != "POST":
        return again(PlanForm(initial=as_it_stands(found), **kwargs), 200)
    form = PlanForm(request.POST, **kwargs)
    return take(
        request,
        form,
        lambda data: actions.change(found, form.plan(), by=by(request), seen=data["seen"]),
        done=_("Changed."),
        back=pages.url,
        again=again,
    )


# Values


@requires(Capability.WRITE_NOTES)
@require_POST
def add_value(request: ActingRequest, pk: int) -> HttpResponse:
    """A value, from a phone between two lessons."""
    found = _found(request, pk)
    if not queries.may_measure(request.acting, found):
        raise PermissionDenied
    form = ValueForm(request.POST)
    return take(
        request,
        form,
        lambda _data: actions.add_point(found, form.point(), by=by(request)),
        done=_("Written down."),
        back=lambda _made: pages.url(found) + "#run-chart",
        again=lambda sent, status: _page_of(request, found, status, sent),
    )


def _point(request: ActingRequest, pk: int, point: int) -> PdsaPoint:
    """A value that the person may correct; 403 for who only reads it."""
    found = _found(request, pk)
    there = queries.point_of(found, point)
    seen = queries.seen(request.acting, found).points
    if there is None or there.pk not in {each.pk for each in seen}:
        raise Http404
    if not queries.may_correct(request.acting, found, there):
        raise PermissionDenied
    return there


@requires(Capability.WRITE_NOTES)
@READ_OR_SEND
def change_value(request: ActingRequest, pk: int, point: int) -> HttpResponse:
    found = _point(request, pk, point)

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form,
            "point": found,
            "cycle": found.cycle,
            "breadcrumb": pages.crumbs_of(found.cycle, _("Correct a value")),
        }
        return render(request, f"{FOLDER}/value.html", context, status=status)

    if request.method != "POST":
        return again(ValueForm(initial=value_as_it_stands(found)), 200)
    form = ValueForm(request.POST)
    return take(
        request,
        form,
        lambda _data: actions.correct_point(found, form.point(), by=by(request)),
        done=_("Corrected. What it was before is kept below the values."),
        back=lambda made: pages.url(made.cycle) + "#run-chart",
        again=again,
    )


@requires(Capability.WRITE_NOTES)
@require_POST
def remove_value(request: ActingRequest, pk: int, point: int) -> HttpResponse:
    found = _point(request, pk, point)
    return press(
        request,
        lambda: actions.remove_point(found, by=by(request)),
        done=_("Taken out. That it was there is kept below the values."),
        back=pages.url(found.cycle) + "#run-chart",
    )


# Study


@requires(Capability.DECIDE_TOGETHER)
@READ_OR_SEND
def study(request: ActingRequest, pk: int) -> HttpResponse:
    """What was found beside what was predicted; adopt, adapt or abandon."""
    found = _run(request, pk)
    if found.finished_on is not None and request.method != "POST":
        return redirect(pages.url(found))

    def again(form: forms.Form, status: int) -> HttpResponse:
        now = _found(request, pk)
        both = pages.overtaken_parts(now, form.cleaned_data) if status == 409 else []
        if status == 409:
            fresh(form, now.version)
        page = pages.page(now, request.acting)
        context = page | {
            "form": form,
            "both": both,
            "breadcrumb": pages.crumbs_of(now, _("Study")),
        }
        return render(request, f"{FOLDER}/study.html", context, status=status)

    if request.method != "POST":
        return again(StudyForm(initial={"seen": found.version}), 200)
    return take(
        request,
        StudyForm(request.POST),
        lambda data: actions.study(
            found, by=by(request), found=data["found"], act=data["act"],
            next_step=data["next_step"], seen=data["seen"],
        ),
        done=_("The cycle is finished. What was learned stands beside what was predicted."),
        back=pages.url,
        again=again,
    )  # fmt: skip
