"""A peer review during the visit and after it: evidence, findings, the host's answers, agreeing."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from brightspots_web.accountability import review_queries as reviews
from brightspots_web.accountability import visit_actions as actions
from brightspots_web.accountability import visit_pages as pages
from brightspots_web.accountability import visit_queries as queries
from brightspots_web.accountability.models import PeerReview, ReviewFinding
from brightspots_web.accountability.review_pages import crumbs_of
from brightspots_web.accountability.review_pages import url as url_of
from brightspots_web.accountability.review_views import PEERS, READ_OR_SEND, found_by
from brightspots_web.accountability.visit_forms import (
    AgreeForm,
    AnswerForm,
    EvidenceForm,
    FindingForm,
    WaryForm,
)
from brightspots_web.directory.decorators import requires
from brightspots_web.directory.middleware import ActingRequest
from brightspots_web.directory.view_helpers import by, press, take
from brightspots_web.shared.pupil_names import MayNamePupilError

FOLDER = "accountability/visit"


def team_of(request: ActingRequest, pk: int) -> PeerReview:
    """A review in whose team somebody is; 403 for whoever only sees it."""
    found = found_by(request, pk)
    if not reviews.is_team(request.acting, found):
        raise PermissionDenied
    return found


def wary(form: WaryForm, act: Callable[[], Any]) -> Any:
    """Ask, below the words, whether a pupil is named."""
    try:
        return act()
    except MayNamePupilError:
        form.ask_to_look_again()
        raise


def hold_against(form: forms.Form, now: dict[str, str]) -> None:
    """Keep what was typed, and hold it from now on against what there is."""
    form.data = {name: form.data[name] for name in form.data} | now


def one_form(
    request: ActingRequest,
    review: PeerReview,
    make: Callable[..., Any],
    act: Callable[[Any, dict[str, Any]], Any],
    *,
    heading: str,
    lead: str,
    submit: str,
    done: str,
    back: str = "",
    initial: dict[str, Any] | None = None,
    renew: Callable[[], dict[str, str]] | None = None,
    **more: Any,
) -> HttpResponse:
    """A page with one form and nothing else to do.

    Parameters
    ----------
    renew
        What a form that was overtaken is held against from then on, where it is not the review.
    more
        What the page shows beside the form.
    """
    target = back or url_of(review)

    def again(form: forms.Form, status: int) -> HttpResponse:
        if status == 409 and renew is not None:
            hold_against(form, renew())
        context = {
            "form": form, "review": review, "heading": heading, "lead": lead, "submit": submit,
            "overtaken": status == 409, "cancel_url": target,
            "breadcrumb": crumbs_of(review, heading),
        }  # fmt: skip
        return render(request, f"{FOLDER}/form.html", context | more, status=status)

    if request.method != "POST":
        return again(make(initial={"seen": review.version} | (initial or {})), 200)
    form = make(request.POST)
    return take(
        request,
        form,
        lambda data: wary(form, lambda: act(form, data)),
        done=done,
        back=lambda _result: target,
        again=again,
        row=None if renew else review,
    )


# Evidence


@requires(PEERS)
@READ_OR_SEND
def evidence(request: ActingRequest, pk: int) -> HttpResponse:
    """Write down what one sees, on a phone; what was written so far stands below."""
    found = team_of(request, pk)
    acting = by(request)
    days = (found.visit_on, queries.last_day(found))
    if None in days:
        raise Http404

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = pages.evidence_page(acting, found) | {"form": form}
        context["began"] = queries.began(found)
        return render(request, f"{FOLDER}/evidence.html", context, status=status)

    if request.method != "POST":
        return again(EvidenceForm(days=days), 200)
    form = EvidenceForm(request.POST, days=days)
    return take(
        request,
        form,
        lambda data: wary(
            form,
            lambda: actions.keep_evidence(
                found, data["client_key"], form.saw(), by=acting,
                names_no_pupil=data["names_no_pupil"],
            ),
        ),
        done=_("It is kept. Write down the next thing when you see it."),
        back=lambda _made: pages.at("evidence", found),
        again=again,
    )  # fmt: skip


@requires(PEERS)
@require_POST
def take_back(request: ActingRequest, pk: int, piece: int) -> HttpResponse:
    """Take out what one wrote; taken out twice, it is out."""
    found = team_of(request, pk)
    row = queries.evidence_of(found).filter(pk=piece).first()

    def act() -> None:
        if row is not None:
            actions.take_back_evidence(row, by=by(request))

    return press(request, act, done=_("It is taken out."), back=pages.at("evidence", found))


# Findings


def _finding(found: PeerReview, pk: int) -> ReviewFinding:
    row = found.findings.select_related("review").filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


def _written_at(row: ReviewFinding) -> dict[str, str]:
    row.refresh_from_db()
    return {"seen_at": row.at.isoformat()}


@requires(PEERS)
@READ_OR_SEND
def findings(request: ActingRequest, pk: int) -> HttpResponse:
    """The findings; the team adds one, the host answers each."""
    found = found_by(request, pk)
    acting = by(request)
    team = reviews.is_team(acting, found)
    if not queries.sees_findings(acting, found) or (request.method == "POST" and not team):
        raise PermissionDenied

    def again(form: forms.Form, status: int) -> HttpResponse:
        context = pages.findings_page(acting, found) | {"form": form}
        return render(request, f"{FOLDER}/findings.html", context, status=status)

    if request.method != "POST":
        return again(FindingForm(initial={"kind": _kind_next(found)}), 200)
    form = FindingForm(request.POST)
    return take(
        request,
        form,
        lambda data: wary(
            form,
            lambda: actions.add_finding(
                found, form.given(), by=acting, names_no_pupil=data["names_no_pupil"]
            ),
        ),
        done=_("It is written, and the school can answer it."),
        back=lambda _made: pages.at("findings", found),
        again=again,
    )  # fmt: skip


def _kind_next(review: PeerReview) -> str:
    kind = ReviewFinding.Kind.STRENGTH
    return "" if queries.standing(review, kind) else str(kind)


@requires(PEERS)
@READ_OR_SEND
def change(request: ActingRequest, pk: int, finding: int) -> HttpResponse:
    """The team writes a finding anew."""
    found = team_of(request, pk)
    row = _finding(found, finding)

    def make(data: Any = None, **kwargs: Any) -> FindingForm:
        return FindingForm(data, **kwargs)

    return one_form(
        request,
        found,
        make,
        lambda form, data: actions.change_finding(
            row, form.given(), by=by(request), seen_at=data["seen_at"],
            names_no_pupil=data["names_no_pupil"],
        ),
        heading=_("Write a finding anew"),
        lead=_("Where you change its words, the school is asked again how it sees it."),
        submit=_("Keep it"),
        done=_("It is written anew."),
        back=pages.at("findings", found),
        initial={
            "kind": row.kind, "words": row.words, "rests_on": row.rests_on,
            "seen_at": row.at.isoformat(),
        },
        renew=lambda: _written_at(row),
    )  # fmt: skip


@requires(PEERS)
@require_POST
def drop(request: ActingRequest, pk: int, finding: int) -> HttpResponse:
    """The team takes a finding out; taken out twice, it is out."""
    found = team_of(request, pk)
    row = found.findings.select_related("review").filter(pk=finding).first()

    def act() -> None:
        if row is not None:
            actions.drop_finding(row, by=by(request))

    return press(request, act, done=_("It is taken out."), back=pages.at("findings", found))


@requires(PEERS)
@require_POST
def answer(request: ActingRequest, pk: int, finding: int) -> HttpResponse:
    """The host says how it sees a finding."""
    found = found_by(request, pk)
    acting = by(request)
    if not reviews.is_host(acting, found):
        raise PermissionDenied
    row = _finding(found, finding)
    form = AnswerForm(request.POST, auto_id=f"f{row.pk}_%s")

    def again(form: forms.Form, status: int) -> HttpResponse:
        if status == 409:
            hold_against(form, _written_at(row))
        context = pages.findings_page(acting, found, **{str(row.pk): form})
        return render(request, f"{FOLDER}/findings.html", context, status=status)

    return take(
        request,
        form,
        lambda data: wary(
            form,
            lambda: actions.answer_finding(
                row, data["agrees"] == "yes", data["host_words"], by=acting,
                seen_at=data["seen_at"], names_no_pupil=data["names_no_pupil"],
            ),
        ),
        done=_("Thank you. The team reads it beside its finding."),
        back=lambda _row: f"{pages.at('findings', found)}#finding-{row.pk}",
        again=again,
    )  # fmt: skip


@requires(PEERS)
@READ_OR_SEND
def agree(request: ActingRequest, pk: int) -> HttpResponse:
    """Agree on the findings, with the day to check back."""
    found = found_by(request, pk)
    if not queries.may_agree(request.acting, found):
        raise PermissionDenied
    rows = pages.finding_rows(found)
    kind = ReviewFinding.Kind
    return one_form(
        request,
        found,
        AgreeForm,
        lambda _form, data: actions.agree(
            found, data["check_back_on"], by=by(request), seen=data["seen"]
        ),
        heading=_("Agree on the findings"),
        lead=_(
            "Speak with the school about the day first. It is part of agreeing: both look again."
        ),
        submit=_("Agree, and check back on this day"),
        done=_("It is agreed. Host, team and the partnership’s leader are told of the day."),
        missing=actions.missing_to_agree(found) if found.state == PeerReview.State.VISITED else [],
        strengths=pages.recap(rows, kind.STRENGTH),
        work_on=pages.recap(rows, kind.WORK_ON),
    )
