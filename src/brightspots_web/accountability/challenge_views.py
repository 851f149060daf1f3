"""Challenge visits before they take place: the list, whom to visit, who goes, both prepare."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from brightspots_web.accountability import challenge_actions as actions
from brightspots_web.accountability import challenge_list_pages as lists
from brightspots_web.accountability import challenge_pages as pages
from brightspots_web.accountability import challenge_people_queries as challengers
from brightspots_web.accountability import challenge_queries as queries
from brightspots_web.accountability import challenge_suggestion_queries as suggesting
from brightspots_web.accountability import challenge_words as words
from brightspots_web.accountability.challenge_forms import (
    AreaForm,
    AskForm,
    ChallengerForm,
    FindForm,
    MoveForm,
    PlanForm,
    SelfViewForm,
    SettingsForm,
    VisitFilter,
    WaryForm,
    WhyForm,
)
from brightspots_web.accountability.models import ChallengeVisit
from brightspots_web.directory import queries as directory
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.models import School
from brightspots_web.directory.view_helpers import by, fresh, press, seen, take
from brightspots_web.shared.components import Link
from brightspots_web.shared.exports import respond
from brightspots_web.shared.permissions import Capability, may
from brightspots_web.shared.pupil_names import MayNamePupilError

PAGE = 20
READ_OR_SEND = require_http_methods(["GET", "HEAD", "POST"])
FOLDER = "accountability/challenge"


def takes_part(request: ActingRequest) -> None:
    """403 for a role that has no part in challenge visits."""
    if not queries.takes_part(by(request)):
        raise PermissionDenied


def found_by(request: ActingRequest, pk: int) -> ChallengeVisit:
    """A visit this person may open; 404 for everybody else."""
    takes_part(request)
    return get_object_or_404(queries.visible_to(request.acting), pk=pk)


def wary(form: WaryForm, act: Callable[[], Any]) -> Any:
    """Send words; where they look like a pupil's name, the form asks to look again."""
    try:
        return act()
    except MayNamePupilError:
        form.ask_to_look_again()
        raise


# Lists


def _filter(request: ActingRequest) -> VisitFilter:
    return VisitFilter(request.GET, parts=lists.parts(request.acting))


@require_safe
def challenges(request: ActingRequest) -> HttpResponse:
    """The visits in which this person has a part, the newest first."""
    takes_part(request)
    form = _filter(request)
    page = Paginator(queries.search(request.acting, form.search()), PAGE)
    shown = page.get_page(request.GET.get("page"))
    acting = by(request)
    context = {
        "form": form,
        "page": shown,
        "table": lists.table(shown, request.GET.urlencode(), filtered=form.has_changed()),
        "waiting": pages.front_items(acting),
        "coverage": lists.coverage(acting),
        "may_plan": may(acting, Capability.PLAN_CHALLENGE),
        "may_see_progress": may(acting, Capability.SEE_AREA),
        "may_ask": _may_ask(request),
        "may_set": may(acting, Capability.SET_ACCOUNTABILITY),
        "rule": words.rule(),
        "breadcrumb": [Link(_("Challenge visits"))],
    }
    return render(request, f"{FOLDER}/visits.html", context)


def _may_ask(request: ActingRequest) -> bool:
    acting = by(request)
    school = acting.school if may(acting, Capability.ASK_SUPPORT) else None
    return school is not None and queries.current(school) is None


@require_safe
def challenges_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    takes_part(request)
    found = queries.search(request.acting, _filter(request).search())
    return respond(
        fmt,
        title=_("Challenge visits"),
        filename="challenge-visits",
        columns=lists.columns(),
        rows=lists.rows(found),
        note=_("Days and names only. What was said in a visit stays on its page."),
    )


@requires(Capability.PLAN_CHALLENGE)
@require_safe
def suggestions(request: ActingRequest) -> HttpResponse:
    """Whom to visit next, by evidence and by turns."""
    acting = by(request)
    form = AreaForm(request.GET, areas=queries.areas_planned_by(acting))
    found = suggesting.suggestions(acting, form.area_chosen())
    context = {
        "form": form,
        "rows": lists.suggestion_rows(found),
        "settings": queries.settings_now(),
        "coverage": lists.coverage(acting),
        "breadcrumb": pages.crumbs(_("Whom to visit next")),
    }
    return render(request, f"{FOLDER}/suggestions.html", context)


# Planning


def _school(request: ActingRequest) -> School:
    """The open school that is named in the address, of those this person plans for."""
    code = request.GET.get("school", "")
    found = queries.schools_planned_by(request.acting).filter(code__iexact=code).first()
    if found is None:
        raise Http404
    return found


@requires(Capability.PLAN_CHALLENGE)
@READ_OR_SEND
def new(request: ActingRequest) -> HttpResponse:
    """Plan a visit to `?school=`."""
    if not request.GET.get("school"):
        return redirect("accountability:challenge_plan")
    school, acting = _school(request), by(request)
    on = directory.today()
    kwargs: dict[str, Any] = {"candidates": challengers.candidates(school, on)}

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form,
            "school": school,
            "running": queries.current(school),
            "rule": words.rule(),
            "breadcrumb": pages.crumbs(_("Plan a visit")),
        }
        return render(request, f"{FOLDER}/plan.html", context, status=status)

    if request.method != "POST":
        found = suggesting.suggestion_for(acting, school)
        initial = {"why": found.why, "why_words": found.why_words} if found else {}
        return again(PlanForm(initial=initial, **kwargs), 200)
    form = PlanForm(request.POST, **kwargs)
    return take(
        request,
        form,
        lambda _data: actions.plan(school, form.plan(), by=acting),
        done=_("It is planned, and the school is told."),
        back=pages.url,
        again=again,
    )


@requires(Capability.ASK_SUPPORT)
@READ_OR_SEND
def ask(request: ActingRequest) -> HttpResponse:
    """A school asks for a visit itself."""
    acting = by(request)
    if acting.school is None:
        raise PermissionDenied

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form,
            "school": acting.school,
            "rule": words.rule(),
            "breadcrumb": pages.crumbs(_("Ask for a visit")),
        }
        return render(request, f"{FOLDER}/ask.html", context, status=status)

    if request.method != "POST":
        return again(AskForm(), 200)
    return take(
        request,
        AskForm(request.POST),
        lambda data: actions.ask(by=acting, words=data["words"], on=data["on"]),
        done=_("Whoever plans the visits is told, and looks for somebody to come."),
        back=pages.url,
        again=again,
    )


# One visit


@require_safe
def visit(request: ActingRequest, pk: int) -> HttpResponse:
    return page_of(request, found_by(request, pk))


def page_of(
    request: ActingRequest, found: ChallengeVisit, status: int = 200, **sent: Any
) -> HttpResponse:
    """The page of a visit, with a form that was sent and has to be shown again."""
    if status == 409:
        found = found_by(request, found.pk)
        for form in sent.values():
            fresh(form, found.version)
    context = pages.page(found, request.acting, **sent) | {"overtaken": status == 409}
    context["support"] = pages.support_links(found, request.acting)
    return render(request, f"{FOLDER}/visit.html", context, status=status)


@requires(Capability.PLAN_CHALLENGE)
@READ_OR_SEND
def challenger(request: ActingRequest, pk: int) -> HttpResponse:
    """Choose who goes; `?q=` looks for somebody by name or place."""
    found = found_by(request, pk)
    if not queries.plans(request.acting, found.school):
        raise PermissionDenied
    find = FindForm(request.GET)
    asked = find.cleaned_data["q"] if find.is_valid() else ""
    listed = challengers.candidates(found.school, found.on, asked)

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form,
            "find": find,
            "visit": found,
            "able": any(each.may_go for each in listed),
            "unable": [each for each in listed if not each.may_go],
            "breadcrumb": pages.crumbs_of(found, _("Who goes")),
        }
        return render(request, f"{FOLDER}/challenger.html", context, status=status)

    if request.method != "POST":
        initial = {"seen": found.version, "challenger": str(found.challenger_id or "")}
        return again(ChallengerForm(initial=initial, candidates=listed), 200)
    return take(
        request,
        ChallengerForm(request.POST, candidates=listed),
        lambda data: actions.assign(
            found, data["challenger"], by=by(request), seen=data["seen"]
        ),
        done=_("The challenger is asked."),
        back=pages.url,
        again=again,
        row=found,
    )  # fmt: skip


def _as_challenger(request: ActingRequest, pk: int) -> ChallengeVisit:
    found = found_by(request, pk)
    if not queries.challenges(request.acting, found):
        raise PermissionDenied
    return found


@requires(Capability.CHALLENGE)
@require_POST
def confirm(request: ActingRequest, pk: int) -> HttpResponse:
    found = _as_challenger(request, pk)
    return press(
        request,
        lambda: actions.confirm(found, by=by(request), seen=seen(request)),
        done=_("Thank you. The brief is below; the school writes its own view."),
        back=pages.url(found),
    )


@requires(Capability.CHALLENGE)
@require_POST
def step_back(request: ActingRequest, pk: int) -> HttpResponse:
    found = _as_challenger(request, pk)
    return press(
        request,
        lambda: actions.step_back(found, by=by(request), seen=seen(request)),
        done=_("Whoever plans the visits is told, and asks somebody else."),
        back=pages.crumbs()[0].url,
    )


@require_POST
def move(request: ActingRequest, pk: int) -> HttpResponse:
    found = found_by(request, pk)
    return take(
        request,
        MoveForm(request.POST, auto_id="move_%s"),
        lambda data: actions.move(found, data["on"], by=by(request), seen=data["seen"]),
        done=_("The visit has another day, and everybody is told."),
        back=pages.url,
        again=lambda form, status: page_of(request, found, status, move_form=form),
    )


@requires(Capability.ASK_SUPPORT)
@READ_OR_SEND
def self_view(request: ActingRequest, pk: int) -> HttpResponse:
    """The school's own view, before the visit."""
    found = found_by(request, pk)
    if not queries.hosts(request.acting, found):
        raise PermissionDenied

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form,
            "visit": found,
            "brief": pages.brief_part(found.brief) if found.brief_at else None,
            "breadcrumb": pages.crumbs_of(found, _("Our own view")),
        }
        return render(request, f"{FOLDER}/self_view.html", context, status=status)

    if request.method != "POST":
        return again(
            SelfViewForm(initial={"seen": found.version, "self_view": found.self_view}), 200
        )
    form = SelfViewForm(request.POST)
    return take(
        request,
        form,
        lambda data: wary(
            form,
            lambda: actions.write_self_view(
                found,
                data["self_view"],
                by=by(request),
                seen=data["seen"],
                names_no_pupil=data["names_no_pupil"],
            ),
        ),
        done=_("It is kept. You may change it until the visit."),
        back=pages.url,
        again=again,
        row=found,
    )


@require_POST
def call_off(request: ActingRequest, pk: int) -> HttpResponse:
    found = found_by(request, pk)
    return take(
        request,
        WhyForm(request.POST, auto_id="off_%s"),
        lambda data: actions.call_off(found, data["why"], by=by(request), seen=data["seen"]),
        done=_("It is called off. Its page stays, with the reason."),
        back=pages.url,
        again=lambda form, status: page_of(request, found, status, call_off_form=form),
    )


@require_POST
def stand_down(request: ActingRequest, pk: int) -> HttpResponse:
    """A conflict of interest was found; where the planner says so, somebody else is chosen."""
    found = found_by(request, pk)
    acting = by(request)
    plans = queries.plans(acting, found.school)
    if not plans and not queries.challenges(acting, found):
        raise PermissionDenied
    done = _("The visit does not count. Another is planned in its place, and the school is told.")
    return take(
        request,
        pages.conflict_form(found, request.POST, choose=plans),
        lambda data: actions.stand_down(
            found, data["why"], by=acting, seen=data["seen"], challenger=data.get("challenger")
        ),
        done=done,
        back=lambda later: pages.url(later if plans else found),
        again=lambda form, status: page_of(request, found, status, conflict_form=form),
    )


@requires(Capability.SET_ACCOUNTABILITY)
@READ_OR_SEND
def set_settings(request: ActingRequest) -> HttpResponse:
    def again(form: forms.Form, status: int) -> HttpResponse:
        now = queries.settings_now()
        if status == 409:
            fresh(form, now.version)
        context = {
            "form": form,
            "now": now if status == 409 else None,
            "breadcrumb": pages.crumbs(_("How visits are planned")),
        }
        return render(request, f"{FOLDER}/settings.html", context, status=status)

    if request.method != "POST":
        return again(SettingsForm.of(queries.settings_now()), 200)
    form = SettingsForm(request.POST)
    return take(
        request,
        form,
        lambda data: actions.set_settings(form.given(), by=by(request), seen=data["seen"]),
        done=_("Saved. It holds for what is planned from now on."),
        back=lambda _saved: request.path,
        again=again,
    )
