"""What the pages of a review show from the visit on, and what of it waits for somebody."""

from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.accountability import review_pages as pages
from brightspots_web.accountability import review_queries as reviews
from brightspots_web.accountability import visit_queries as queries
from brightspots_web.accountability import visit_words as words
from brightspots_web.accountability.models import (
    PeerReview,
    ReviewEvidence,
    ReviewFinding,
)
from brightspots_web.accountability.visit_actions import missing_to_agree
from brightspots_web.accountability.visit_forms import AnswerForm
from brightspots_web.connectedness import practice_queries as practices
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment
from brightspots_web.shared.words import day

State = PeerReview.State
Kind = ReviewFinding.Kind
Row = dict[str, Any]
SHOWN = 3


def at(name: str, review: PeerReview, **more: int) -> str:
    """The address of a page of a review from the visit on."""
    return reverse(f"accountability:review_{name}", kwargs={"pk": review.pk, **more})


# The page of a review


def parts(by: Appointment, review: PeerReview) -> list[Row]:
    """What follows on the page of a review once the visit has begun."""
    if not queries.began(review):
        return []
    return [{"template": "accountability/visit/part.html", "context": part(by, review)}]


def part(by: Appointment, review: PeerReview) -> Row:
    """Findings, workshop and check-back, and the one thing this person does next."""
    host, team = reviews.is_host(by, review), reviews.is_team(by, review)
    sees = host or team or queries.sees_findings(by, review)
    findings = finding_rows(review) if sees else []
    agreed = review.state in queries.AGREED
    runs = review.state in reviews.TO_CHECK
    actions = action_rows(review) if agreed else []
    return {
        "review": review,
        "now": _now(by, review, host, team, findings),
        "sees": sees,
        "strengths": [each for each in findings if each["finding"].kind == Kind.STRENGTH],
        "work_on": [each for each in findings if each["finding"].kind == Kind.WORK_ON],
        "agreed": agreed,
        "actions": actions,
        "standing": words.of_overdue(review) if runs else "",
        "checked": review.state == State.CHECKED,
        "practice": _practice(by, review),
        "may_reply": host and bool(findings),
        "may_praise": team and bool(findings) and review.practice_id is None,
        "may_write_up": host and agreed and bool(review.excellence) and review.practice_id is None,
        "may_hold": host and runs,
        "may_write": team and not agreed,
    }


def _practice(by: Appointment, review: PeerReview) -> Row | None:
    """The practice that was written up, for whoever may read it by now."""
    if review.practice is None:
        return None
    seen = practices.visible_to(by).filter(pk=review.practice.pk).exists()
    url = reverse("connectedness:practice", args=[review.practice.code]) if seen else ""
    return {"title": review.practice.title, "url": url}


def _now(
    by: Appointment, review: PeerReview, host: bool, team: bool, findings: list[Row]
) -> Row | None:  # fmt: skip
    """The one thing somebody does next, as a button."""
    found = None
    if review.state in (State.SCHEDULED, State.VISITED):
        found = _while_visited(by, review, host, team, findings)
    elif queries.may_be_checked(review) and queries.may_check(by, review):
        text = _("It is time to look again, with the school: what is different since the visit?")
        found = (text, "check_back", _("Write down the check-back"))
    elif host and review.state == State.AGREED:
        text = _("Sit together over the findings, choose one thing, and write down who does what.")
        found = (text, "workshop", _("Write down the workshop"))
    if found is None:
        return None
    return {"text": found[0], "url": at(found[1], review), "link": found[2]}


def _while_visited(
    by: Appointment, review: PeerReview, host: bool, team: bool, findings: list[Row]
) -> tuple[str, str, str] | None:  # fmt: skip
    last = queries.last_day(review)
    waiting = [each for each in findings if each["finding"].host_agrees is None]
    if team and not findings and last is not None and last >= directory.today():
        text = _("You are there: write down what you see, between two lessons.")
        return text, "evidence", _("Write down what I see")
    if team and not findings:
        text = _("The visit is over. Write the findings with the team, strengths first.")
        return text, "findings", _("Write the findings")
    if host and waiting:
        text = _("The team wrote down what it found. Say how you see each of it.")
        return text, "findings", _("Answer the findings")
    if findings and not waiting and queries.may_agree(by, review):
        text = _("The school answered everything. Agree on a day to check back.")
        return text, "agree", _("Agree on the findings")
    return None


# Evidence


def evidence_page(by: Appointment, review: PeerReview) -> Row:
    """What the team wrote down so far: one's own first, then that of the others."""
    seat = reviews.seat_of(by, review)
    rows = [evidence_row(each) for each in queries.evidence_of(review)]
    own = seat.pk if seat else 0
    return {
        "review": review,
        "own": [each for each in rows if each["piece"].reviewer_id == own],
        "others": [each for each in rows if each["piece"].reviewer_id != own],
        "open": review.state in (State.SCHEDULED, State.VISITED),
        "rule": words.of_evidence(),
        "breadcrumb": pages.crumbs_of(review, _("What I saw")),
    }


def evidence_row(piece: ReviewEvidence) -> Row:
    return {"piece": piece, "set_aside": queries.is_set_aside(piece), "on": day(piece.on)}


# Findings


def finding_rows(review: PeerReview) -> list[Row]:
    """Findings, strengths first; those of a peer who stood down are marked."""
    aside = queries.marked(review)
    return [
        {"finding": each, "marked": each.pk in aside, "badge": words.answered(each)}
        for each in queries.findings_of(review)
    ]


def findings_page(by: Appointment, review: PeerReview, **sent: Any) -> Row:
    """Findings with what host and team do with each; `sent` is an answer to be shown again."""
    host, team = reviews.is_host(by, review), reviews.is_team(by, review)
    rows = finding_rows(review)
    still = review.state == State.VISITED
    for row in rows:
        finding = row["finding"]
        row["may_change"] = team and still
        if host and still:
            row["answer"] = sent.get(str(finding.pk)) or _answer_form(finding)
            row["open"] = finding.host_agrees is None or str(finding.pk) in sent
    pieces = [evidence_row(e) for e in queries.evidence_of(review)] if team else []
    to_use = [each for each in pieces if not each["set_aside"]]
    return {
        "review": review,
        "host": host,
        "team": team,
        "rows": rows,
        "writes": team and review.state in (State.SCHEDULED, State.VISITED),
        "works": [each for each in to_use if each["piece"].strength],
        "to_improve": [each for each in to_use if not each["piece"].strength],
        "set_aside": len(pieces) - len(to_use),
        "missing": missing_to_agree(review) if still and rows else [],
        "may_agree": still and bool(rows) and queries.may_agree(by, review),
        "agreed": review.state in queries.AGREED,
        "rule": words.of_findings(),
        "breadcrumb": pages.crumbs_of(review, _("Findings")),
    }


def _answer_form(finding: ReviewFinding) -> AnswerForm:
    agrees = {True: "yes", False: "no", None: ""}[finding.host_agrees]
    initial = {
        "seen_at": finding.at.isoformat(), "agrees": agrees, "host_words": finding.host_words
    }  # fmt: skip
    return AnswerForm(initial=initial, auto_id=f"f{finding.pk}_%s")


# Steps


def action_rows(review: PeerReview) -> list[Row]:
    return [{"action": each, "text": words.of_action(each)} for each in queries.actions_of(review)]


def actions_page(by: Appointment, review: PeerReview) -> Row:
    """Every step, and for the host a form to add one."""
    return {
        "review": review,
        "rows": action_rows(review),
        "may_add": reviews.is_host(by, review) and review.state in reviews.TO_CHECK,
        "breadcrumb": pages.crumbs_of(review, _("What the school does")),
    }


# What waits


def front_items(acting: Appointment | None) -> list[Row]:
    """What waits for this person now, the nearest first; one statement."""
    said = (_item(acting, each) for each in queries.waiting_for(acting)[: 2 * SHOWN] if acting)
    return [each for each in said if each is not None][:SHOWN]


def _item(by: Appointment, review: Any) -> Row | None:
    """`review` has the annotations of `waiting_for`."""
    school, today = review.school.name, directory.today()
    host = review.school_id == by.school_id
    due = review.check_back_on
    if due is not None and due <= today + queries.NEAR:
        text = _("{school} is to be checked back on {day}.")
        if due < today:
            text = _("The day to check back at {school} was {day}. When can you look?")
        name = "check_back" if review.seated else ""
        return _said(text.format(school=school, day=day(due)), review, name, _("See the review"))
    if review.seated and review.state in (State.SCHEDULED, State.VISITED):
        return _for_team(review, school)
    if host and review.state == State.VISITED and review.unanswered:
        return _said(
            _("The findings of your peer review wait for your answer."), review, "findings",
            _("Answer"),
        )  # fmt: skip
    if host and review.state == State.AGREED:
        text = _("The findings are agreed: sit together over them, and choose one thing.")
        return _said(text, review, "workshop", _("The workshop"))
    return None


def _for_team(review: Any, school: str) -> Row | None:
    last = queries.last_day(review)
    if review.written and not review.unanswered:
        text = _("{school} answered all your findings. Agree on a day to check back.")
        return _said(text.format(school=school), review, "agree", _("Agree"))
    if review.written:
        return None
    if last is not None and last >= directory.today():
        text = _("You visit {school} as a peer: write down what you see.")
        return _said(text.format(school=school), review, "evidence", _("Write it down"))
    text = _("The visit at {school} is over: its findings are still to be written.")
    return _said(text.format(school=school), review, "findings", _("Write them"))


def _said(text: str, review: PeerReview, name: str, link: str) -> Row:
    return {"text": text, "url": at(name, review) if name else pages.url(review), "link": link}


def recap(findings: Iterable[Row], kind: str) -> list[str]:
    """The words of findings of a kind, to have in front of one."""
    return [each["finding"].words for each in findings if each["finding"].kind == kind]
