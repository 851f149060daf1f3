"""A challenge visit from its record to its follow-up, closer attention with support, progress."""

from django import forms
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from brightspots_web.accountability import challenge_list_pages as lists
from brightspots_web.accountability import challenge_pages as pages
from brightspots_web.accountability import challenge_queries as queries
from brightspots_web.accountability import challenge_visit_actions as actions
from brightspots_web.accountability import challenge_words as words
from brightspots_web.accountability.challenge_forms import (
    AgreeForm,
    AnswerForm,
    EscalateForm,
    FollowUpForm,
    OutcomeForm,
    ProgressFilter,
    RecordForm,
    StepForm,
    WhyForm,
    WordsForm,
)
from brightspots_web.accountability.challenge_views import (
    FOLDER,
    READ_OR_SEND,
    found_by,
    page_of,
    takes_part,
    wary,
)
from brightspots_web.accountability.models import ChallengeStep, Escalation
from brightspots_web.alignment import queries as alignment
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, press, take
from brightspots_web.insight import progress_queries
from brightspots_web.insight import queries as insight
from brightspots_web.insight import words as plain
from brightspots_web.shared.exports import respond
from brightspots_web.shared.permissions import Capability, may

PARTNERSHIPS = 25


@requires(Capability.CHALLENGE)
@READ_OR_SEND
def record(request: ActingRequest, pk: int) -> HttpResponse:
    """What the challenger saw: strengths first."""
    found = found_by(request, pk)
    if not queries.challenges(request.acting, found):
        raise PermissionDenied

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form,
            "visit": found,
            "brief": pages.brief_part(found.brief) if found.brief_at else None,
            "breadcrumb": pages.crumbs_of(found, _("Record")),
        }
        return render(request, f"{FOLDER}/record.html", context, status=status)

    if request.method != "POST":
        initial = {"seen": found.version, "strengths": found.strengths, "record": found.record}
        return again(RecordForm(initial=initial), 200)
    form = RecordForm(request.POST)
    return take(
        request,
        form,
        lambda data: wary(
            form,
            lambda: actions.write_record(
                found,
                by=by(request),
                strengths=data["strengths"],
                record=data["record"],
                seen=data["seen"],
                names_no_pupil=data["names_no_pupil"],
            ),
        ),
        done=_("It is kept. The school is told, and adds its own words."),
        back=pages.url,
        again=again,
        row=found,
    )


@requires(Capability.ASK_SUPPORT)
@require_POST
def add_words(request: ActingRequest, pk: int) -> HttpResponse:
    found = found_by(request, pk)
    form = WordsForm(request.POST, auto_id="words_%s")
    return take(
        request,
        form,
        lambda data: wary(
            form,
            lambda: actions.add_words(
                found,
                data["words"],
                by=by(request),
                seen=data["seen"],
                names_no_pupil=data["names_no_pupil"],
            ),
        ),
        done=_("Your school’s words stand beside the record."),
        back=pages.url,
        again=lambda form, status: page_of(request, found, status, words_form=form),
    )


@require_POST
def add_step(request: ActingRequest, pk: int) -> HttpResponse:
    found = found_by(request, pk)
    sides = actions.sides_of(request.acting, found)
    form = StepForm(request.POST, sides=sides, auto_id="step_%s")
    return take(
        request,
        form,
        # Several people add steps at once; none takes anything from another.
        lambda _data: actions.add_step(found, form.step(), by=by(request)),
        done=_("It is on the list."),
        back=lambda _step: f"{pages.url(found)}#steps",
        again=lambda form, status: page_of(request, found, status, step_form=form),
    )


def _step(request: ActingRequest, pk: int) -> ChallengeStep:
    takes_part(request)
    found = queries.step_seen_by(request.acting, pk)
    if found is None:
        raise Http404
    if found.side not in actions.sides_of(request.acting, found.visit):
        raise PermissionDenied
    return found


@READ_OR_SEND
def step(request: ActingRequest, pk: int) -> HttpResponse:
    """Say what came of a step."""
    found = _step(request, pk)

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form,
            "step": found,
            "visit": found.visit,
            "due": words.due(found),
            "back_url": pages.url(found.visit),
            "breadcrumb": pages.crumbs_of(found.visit, _("What came of it")),
        }
        return render(request, f"{FOLDER}/step.html", context, status=status)

    if request.method != "POST":
        return again(OutcomeForm(), 200)
    return take(
        request,
        OutcomeForm(request.POST),
        lambda data: actions.finish_step(
            found, by=by(request), outcome=data["outcome"], on=data["on"]
        ),
        done=_("It is written down."),
        back=lambda _step: f"{pages.url(found.visit)}#steps",
        again=again,
    )


@require_POST
def drop_step(request: ActingRequest, pk: int) -> HttpResponse:
    found = _step(request, pk)
    return press(
        request,
        lambda: actions.drop_step(found, by=by(request)),
        done=_("It is off the list."),
        back=f"{pages.url(found.visit)}#steps",
    )


@requires(Capability.ASK_SUPPORT)
@require_POST
def agree(request: ActingRequest, pk: int) -> HttpResponse:
    found = found_by(request, pk)
    return take(
        request,
        AgreeForm(request.POST),
        lambda data: actions.agree(
            found, data["follow_up_on"], by=by(request), seen=data["seen"]
        ),
        done=_("It is agreed. Both sides are reminded before you look again."),
        back=pages.url,
        again=lambda form, status: page_of(request, found, status, agree_form=form),
    )  # fmt: skip


@require_POST
def follow_up(request: ActingRequest, pk: int) -> HttpResponse:
    found = found_by(request, pk)
    return take(
        request,
        FollowUpForm(request.POST, auto_id="follow_%s"),
        lambda data: actions.follow_up(
            found, data["words"], data["on"], by=by(request), seen=data["seen"]
        ),
        done=_("It is followed up. The page stays for all who took part."),
        back=pages.url,
        again=lambda form, status: page_of(request, found, status, follow_form=form),
    )


@requires(Capability.PLAN_CHALLENGE)
@READ_OR_SEND
def escalate(request: ActingRequest, pk: int) -> HttpResponse:
    """A closer look, with an offer of support."""
    found = found_by(request, pk)
    if not queries.plans(request.acting, found.school):
        raise PermissionDenied
    offered = alignment.live_priorities() if may(request.acting, Capability.BROKER) else []

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = {
            "form": form,
            "visit": found,
            "support": pages.support_links(found, request.acting),
            "breadcrumb": pages.crumbs_of(found, _("A closer look, with support")),
        }
        return render(request, f"{FOLDER}/escalate.html", context, status=status)

    if request.method != "POST":
        return again(EscalateForm(initial={"seen": found.version}, priorities=offered), 200)
    form = EscalateForm(request.POST, priorities=offered)
    return take(
        request,
        form,
        lambda data: actions.escalate(found, form.offer(), by=by(request), seen=data["seen"]),
        done=_("The school is told, with the support it is offered. It answers on its page."),
        back=lambda _made: pages.url(found),
        again=again,
        row=found,
    )


def _escalation(request: ActingRequest, pk: int) -> Escalation:
    takes_part(request)
    found = queries.escalation_seen_by(request.acting, pk)
    if found is None:
        raise Http404
    return found


@requires(Capability.ASK_SUPPORT)
@require_POST
def answer(request: ActingRequest, pk: int) -> HttpResponse:
    found = _escalation(request, pk)
    return take(
        request,
        AnswerForm(request.POST),
        lambda data: actions.answer(
            found, by=by(request), takes=data["takes"] == "yes", words=data["words"]
        ),
        done=_("Your school’s answer is written down."),
        back=lambda _answered: pages.url(found.visit),
        again=lambda form, status: page_of(request, found.visit, status, answer_form=form),
    )


@requires(Capability.PLAN_CHALLENGE)
@require_POST
def end_escalation(request: ActingRequest, pk: int) -> HttpResponse:
    found = _escalation(request, pk)
    return take(
        request,
        WhyForm(request.POST, auto_id="end_%s"),
        lambda data: actions.end_escalation(found, data["why"], by=by(request)),
        done=_("It has ended, and the school is told."),
        back=lambda _ended: pages.url(found.visit),
        again=lambda form, status: page_of(request, found.visit, status, end_form=form),
    )


# Progress by partnership


def _named(request: ActingRequest) -> tuple[ProgressFilter, str]:
    form = ProgressFilter(request.GET)
    return form, form.cleaned_data["q"] if form.is_valid() else ""


@requires(Capability.SEE_AREA)
@require_safe
def progress(request: ActingRequest) -> HttpResponse:
    """How partnerships move in the live priorities: by name, with intervals."""
    form, named = _named(request)
    run = insight.current_run()
    priorities = lists.measured_priorities(run)
    priority = lists.chosen(priorities, request.GET.get("priority", ""))
    page = Paginator(lists.partnerships(request.acting, named), PARTNERSHIPS)
    shown = page.get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page": shown,
        "chosen": priority.code if priority else "",
        "breadcrumb": pages.crumbs(_("Progress by partnership"))
        if queries.takes_part(request.acting)
        else [],
        **lists.progress(list(shown), priorities, priority, run, named),
    }
    return render(request, f"{FOLDER}/progress.html", context)


@requires(Capability.SEE_AREA)
@require_safe
def progress_export(request: ActingRequest, fmt: str) -> HttpResponseBase:
    _form, named = _named(request)
    run = insight.current_run()
    priority = lists.chosen(lists.measured_priorities(run), request.GET.get("priority", ""))
    found = lists.partnerships(request.acting, named)
    moved = progress_queries.movements(found, priority.subject, run) if priority else []
    note = words.progress_basis(moved[0]) if moved else ""
    return respond(
        fmt,
        title=_("Progress by partnership"),
        filename="progress-by-partnership",
        columns=lists.progress_columns(),
        rows=lists.progress_rows(moved),
        note=f"{note} {plain.as_of(run) if run else ''}".strip(),
    )
