"""A peer review after the visit: reply, practice, workshop, steps, check-back."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from brightspots_web.accountability import review_queries as reviews
from brightspots_web.accountability import visit_after_actions as acts
from brightspots_web.accountability import visit_pages as pages
from brightspots_web.accountability import visit_queries as queries
from brightspots_web.accountability import visit_words as words
from brightspots_web.accountability.models import PeerReview, ReviewAction, ReviewFinding
from brightspots_web.accountability.review_pages import crumbs_of
from brightspots_web.accountability.review_pages import url as url_of
from brightspots_web.accountability.review_views import PEERS, READ_OR_SEND, found_by, hosted_by
from brightspots_web.accountability.visit_forms import (
    CheckBackForm,
    DoneForm,
    ExcellenceForm,
    ReplyForm,
    StepForm,
    WorkshopForm,
)
from brightspots_web.accountability.visit_views import FOLDER, one_form, team_of, wary
from brightspots_web.alignment import queries as alignment
from brightspots_web.connectedness import practice_pages
from brightspots_web.connectedness.practice_forms import PracticeForm
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, press, take
from brightspots_web.shared.words import day

Kind = ReviewFinding.Kind


def _findings(found: PeerReview) -> dict[str, Any]:
    """The findings, to have in front of one while writing."""
    rows = pages.finding_rows(found)
    return {
        "strengths": pages.recap(rows, Kind.STRENGTH), "work_on": pages.recap(rows, Kind.WORK_ON)
    }  # fmt: skip


@requires(PEERS)
@READ_OR_SEND
def reply(request: ActingRequest, pk: int) -> HttpResponse:
    """The host replies to the findings as a whole."""
    found = hosted_by(request, pk)
    return one_form(
        request,
        found,
        ReplyForm,
        lambda _form, data: acts.reply(
            found, data["reply"], by=by(request), seen=data["seen"],
            names_no_pupil=data["names_no_pupil"],
        ),
        heading=_("Our reply"),
        lead=_("It stands below the findings for whoever reads them."),
        submit=_("Put it below the findings"),
        done=_("Your reply stands below the findings, and the team is told."),
        initial={"reply": found.reply},
        **_findings(found),
    )  # fmt: skip


@requires(PEERS)
@READ_OR_SEND
def excellence(request: ActingRequest, pk: int) -> HttpResponse:
    """The team names what others could learn from."""
    found = team_of(request, pk)
    return one_form(
        request,
        found,
        ExcellenceForm,
        lambda _form, data: acts.praise(
            found, data["excellence"], by=by(request), seen=data["seen"],
            names_no_pupil=data["names_no_pupil"],
        ),
        heading=_("An area of excellence"),
        lead=_("What peers saw is worth telling others. It is no measure of its effect."),
        submit=_("Name it"),
        done=_("It is named, and the school is told."),
        initial={"excellence": found.excellence},
        **_findings(found),
    )  # fmt: skip


@requires(PEERS)
@READ_OR_SEND
def practice(request: ActingRequest, pk: int) -> HttpResponse:
    """The host writes it up for the practice library: a draft until somebody publishes it."""
    found = hosted_by(request, pk)
    if found.practice is not None:
        return redirect(practice_pages.url(found.practice))
    live = alignment.live_priorities()

    def again(form: forms.Form, status: int) -> HttpResponse:
        heading = _("Write it up for the library")
        context = {
            "form": form, "review": found, "heading": heading, "submit": _("Save the draft"),
            "lead": _(
                "Write for a colleague who was not there. It is a draft until somebody else "
                "publishes it. Name no pupils."
            ),
            "said": found.excellence, "cancel_url": url_of(found),
            "breadcrumb": crumbs_of(found, heading),
        }  # fmt: skip
        return render(request, f"{FOLDER}/form.html", context, status=status)

    if request.method != "POST":
        evidence = _(
            "Peers saw it on a visit in a peer review ({day}): {words}\nIts effect on learning is "
            "not measured."
        )
        initial = practice_pages.prefilled(found.school, None) | {
            "language": (get_language() or "en")[:2],
            "priority": found.priority.code if found.priority else "",
            "evidence": evidence.format(day=day(found.visit_on), words=found.excellence),
        }
        return again(PracticeForm(priorities=live, initial=initial), 200)
    form = PracticeForm(request.POST, priorities=live)
    return take(
        request,
        form,
        lambda data: acts.write_up(
            found, form.text(), by=by(request), language=data["language"],
            priority=form.chosen_priority(),
        ),
        done=_("The draft is in the library. Those who may publish it, and your peers, are told."),
        back=lambda review: practice_pages.url(review.practice),
        again=again,
    )  # fmt: skip


# Workshop and steps


@requires(PEERS)
@READ_OR_SEND
def workshop(request: ActingRequest, pk: int) -> HttpResponse:
    """The host writes its improvement workshop down."""
    found = hosted_by(request, pk)
    champions, has_step = queries.champions_for(found), bool(queries.actions_of(found))

    def make(data: Any = None, **kwargs: Any) -> WorkshopForm:
        return WorkshopForm(data, champions=champions, has_step=has_step, **kwargs)

    initial = {"on": found.workshop_on, "notes": found.workshop_notes}
    return one_form(
        request,
        found,
        make,
        lambda form, data: acts.hold_workshop(
            found, form.workshop(), form.step(), by=by(request), seen=data["seen"],
            names_no_pupil=data["names_no_pupil"],
        ),
        heading=_("The improvement workshop"),
        lead=_("Sit together over the findings. Choose one thing, and say who does what by when."),
        submit=_("Keep it"),
        done=_("It is kept. Host, team and leader see what you do now."),
        initial={name: value for name, value in initial.items() if value},
        **_findings(found),
    )  # fmt: skip


@requires(PEERS)
@READ_OR_SEND
def actions(request: ActingRequest, pk: int) -> HttpResponse:
    """What the school does after the review; the host adds a step."""
    found = found_by(request, pk)
    acting = by(request)
    host = reviews.is_host(acting, found)
    if not reviews.sees_inside(acting, found) or (request.method == "POST" and not host):
        raise PermissionDenied

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = pages.actions_page(acting, found) | {"form": form}
        return render(request, f"{FOLDER}/actions.html", context, status=status)

    if request.method != "POST":
        return again(StepForm(), 200)
    form = StepForm(request.POST)
    return take(
        request,
        form,
        lambda data: wary(
            form,
            lambda: acts.add_action(
                found, acts.Step(data["what"], data["owner"], data["due"]), by=acting,
                names_no_pupil=data["names_no_pupil"],
            ),
        ),
        done=_("The step is added."),
        back=lambda _made: pages.at("actions", found),
        again=again,
    )  # fmt: skip


@requires(PEERS)
@READ_OR_SEND
def done(request: ActingRequest, pk: int, action: int) -> HttpResponse:
    """The host says that a step is done, and what came of it."""
    found = hosted_by(request, pk)
    row = found.actions.select_related("review").filter(pk=action).first()
    if row is None:
        raise Http404
    step: ReviewAction = row
    initial = {"outcome": step.outcome, "on": step.done_on}
    return one_form(
        request,
        found,
        DoneForm,
        lambda _form, data: acts.finish_action(
            step, data["on"], data["outcome"], by=by(request),
            names_no_pupil=data["names_no_pupil"],
        ),
        heading=_("A step is done"),
        lead=step.what,
        submit=_("It is done"),
        done=_("It is done, and says what came of it."),
        back=pages.at("actions", found),
        initial={name: value for name, value in initial.items() if value},
    )  # fmt: skip


@requires(PEERS)
@require_POST
def drop(request: ActingRequest, pk: int, action: int) -> HttpResponse:
    """The host takes out a step that is not done; taken out twice, it is out."""
    found = hosted_by(request, pk)
    row = found.actions.select_related("review").filter(pk=action).first()

    def act() -> None:
        if row is not None:
            acts.drop_action(row, by=by(request))

    return press(request, act, done=_("It is taken out."), back=pages.at("actions", found))


@requires(PEERS)
@READ_OR_SEND
def check_back(request: ActingRequest, pk: int) -> HttpResponse:
    """A peer, or the leader, writes down what is found when looked at again."""
    found = found_by(request, pk)
    if not queries.may_check(request.acting, found):
        raise PermissionDenied
    steps = queries.actions_of(found)

    def make(data: Any = None, **kwargs: Any) -> CheckBackForm:
        return CheckBackForm(data, actions=steps, **kwargs)

    return one_form(
        request,
        found,
        make,
        lambda form, data: acts.check_back(
            found, data["on"], data["found"], form.outcomes(), by=by(request), seen=data["seen"],
            names_no_pupil=data["names_no_pupil"],
        ),
        heading=_("Check back"),
        lead=_("Look with the school, then write it down. The review ends with it."),
        submit=_("This is what we found"),
        done=_("It is checked back, and everybody is told. Thank you."),
        missing=[words.too_early(found)] if words.too_early(found) else [],
        **_findings(found),
    )  # fmt: skip
