"""The visit of a peer review: what each peer saw, what the team found, what host and team agree.

A finding to work on waits until there is a strength; the host answers each; the day to check back
is part of agreeing. The audit trail says that something was written, never what.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.accountability import review_queries as reviews
from brightspots_web.accountability import visit_queries as queries
from brightspots_web.accountability import visit_tell as tell
from brightspots_web.accountability.models import (
    PeerReview,
    Reviewer,
    ReviewEvidence,
    ReviewFinding,
)
from brightspots_web.accountability.review_actions import check_state, held, host_only, known, save
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.pupil_names import look_again
from brightspots_web.shared.words import day

State = PeerReview.State
Kind = ReviewFinding.Kind
LONGEST = {
    "words": 1000, "rests_on": 500, "host_words": 500, "reply": 2000, "excellence": 1000,
    "notes": 2000, "what": 300, "owner": 300, "outcome": 500, "found": 2000,
}  # fmt: skip
"""Characters a text may have."""
MOST_FINDINGS = 20
SOONEST, LATEST = timedelta(days=14), timedelta(days=400)
"""Between agreeing and checking back."""


@dataclass(frozen=True)
class Saw:
    """What a peer saw."""

    kind: str
    words: str
    strength: bool
    on: date


@dataclass(frozen=True)
class Found:
    """A finding in words, and what it rests on."""

    kind: str
    words: str
    rests_on: str = ""


# Evidence


@transaction.atomic
def keep_evidence(
    review: PeerReview,
    client_key: UUID,
    saw: Saw,
    *,
    by: Appointment,
    names_no_pupil: bool = False,
) -> ReviewEvidence:
    """Keep what a peer saw; the same form sent twice, or late, is one piece of evidence.

    Raises
    ------
    PermissionDenied
        Somebody who is not in the team, or stood down from it.
    ValidationError
        The visit has not begun or is past, the day lies outside it, or a pupil may be named.
    """
    found = held(review, None)
    seat = team_only(found, by)
    before = ReviewEvidence.objects.filter(client_key=client_key).first()
    if before is not None:
        if before.reviewer_id != seat.pk:
            raise PermissionDenied
        return before
    check_visiting(found)
    if saw.kind not in ReviewEvidence.Kind.values:
        raise ValidationError({"kind": _("Choose one of these.")})
    _check_within(found, saw.on)
    texts = said(found, {"words": saw.words}, by, names_no_pupil)
    made = ReviewEvidence.objects.create(
        review=found, reviewer=seat, client_key=client_key, kind=saw.kind, words=texts["words"],
        strength=saw.strength, on=saw.on, at=timezone.now(),
    )  # fmt: skip
    audit.record("accountability.keep_review_evidence", by=by, target=found)
    return made


@transaction.atomic
def take_back_evidence(evidence: ReviewEvidence, *, by: Appointment) -> None:
    """Whoever wrote it takes it out, until the findings are agreed."""
    found = held(evidence.review, None)
    seat = team_only(found, by)
    if evidence.reviewer_id != seat.pk:
        raise PermissionDenied
    check_visiting(found)
    ReviewEvidence.objects.filter(pk=evidence.pk).delete()
    audit.record("accountability.take_back_review_evidence", by=by, target=found)


# Findings


@transaction.atomic
def add_finding(
    review: PeerReview, given: Found, *, by: Appointment, names_no_pupil: bool = False
) -> ReviewFinding:
    """The team writes a finding. The first one says that the visit took place.

    Raises
    ------
    ValidationError
        Something to work on while there is no strength yet.
    """
    found = held(review, None)
    team_only(found, by)
    check_visiting(found)
    texts = _finding(found, given, by, names_no_pupil)
    same = found.findings.filter(kind=given.kind, words=texts["words"]).first()
    if same is not None:
        return same
    if found.findings.count() >= MOST_FINDINGS:
        raise ValidationError(
            _("{n} findings are as many as a school can use.").format(n=MOST_FINDINGS)
        )
    if given.kind == Kind.WORK_ON:
        _check_strength(found)
    made = ReviewFinding.objects.create(
        review=found, kind=given.kind, by=by.label[:300], at=timezone.now(), **texts
    )
    if found.state == State.SCHEDULED:
        found.state = State.VISITED
        save(found)
    audit.record(
        "accountability.write_finding", by=by, target=found, detail={"kind": str(given.kind)}
    )
    tell.host(found, "findings", by=by)
    return made


@transaction.atomic
def change_finding(
    finding: ReviewFinding,
    given: Found,
    *,
    by: Appointment,
    seen_at: str = "",
    names_no_pupil: bool = False,
) -> ReviewFinding:
    """The team writes a finding anew; the host is asked again where its words changed.

    Written anew, it is no longer the finding of a peer who stood down.
    """
    found, row = _held(finding, seen_at)
    team_only(found, by)
    check_state(found, State.VISITED)
    texts = _finding(found, given, by, names_no_pupil)
    if given.kind != row.kind:
        _check_kept(found, row)
        if given.kind == Kind.WORK_ON:
            _check_strength(found, but=row.pk)
    if (given.kind, texts["words"]) != (row.kind, row.words):
        row.host_agrees, row.host_words = None, ""
    row.kind, row.words, row.rests_on = given.kind, texts["words"], texts["rests_on"]
    row.by, row.at = by.label[:300], timezone.now()
    row.save()
    audit.record("accountability.change_finding", by=by, target=found)
    if row.host_agrees is None:
        tell.host(found, "findings", by=by)
    return row


@transaction.atomic
def drop_finding(finding: ReviewFinding, *, by: Appointment) -> None:
    """The team takes a finding out again; the last strength stays while there is more to say."""
    found, row = _held(finding, "")
    team_only(found, by)
    check_state(found, State.VISITED)
    _check_kept(found, row)
    row.delete()
    audit.record("accountability.drop_finding", by=by, target=found)


@transaction.atomic
def answer_finding(
    finding: ReviewFinding,
    agrees: bool,
    words: str,
    *,
    by: Appointment,
    seen_at: str = "",
    names_no_pupil: bool = False,
) -> ReviewFinding:
    """The host agrees, or says how it sees it; both stand beside each other from then on."""
    found, row = _held(finding, seen_at)
    host_only(found, by)
    check_state(found, State.VISITED)
    texts = said(found, {"host_words": words}, by, names_no_pupil, optional=("host_words",))
    if not agrees and not texts["host_words"]:
        raise ValidationError({"host_words": _("Say how you see it, in a few words.")})
    if (row.host_agrees, row.host_words) == (agrees, texts["host_words"]):
        return row
    row.host_agrees, row.host_words = agrees, texts["host_words"]
    row.save()
    audit.record("accountability.answer_finding", by=by, target=found, detail={"agrees": agrees})
    if not found.findings.filter(host_agrees=None).exists():
        tell.team(found, "answered", by=by)
    return row


@transaction.atomic
def agree(
    review: PeerReview, check_back_on: date | None, *, by: Appointment, seen: int | None
) -> PeerReview:  # fmt: skip
    """Host and team agree on the findings and on the day to check back; not without it.

    Raises
    ------
    ValidationError
        Something is missing (see :func:`missing_to_agree`), or the day cannot be.
    """
    found = held(review, None)
    if not queries.may_agree(by, found):
        raise PermissionDenied
    if found.state == State.AGREED and found.check_back_on == check_back_on:
        return found
    found = held(review, seen)
    check_state(found, State.VISITED)
    missing = missing_to_agree(found)
    if missing:
        raise ValidationError(missing)
    today = directory.today()
    if check_back_on is None:
        raise ValidationError(
            {"check_back_on": _("Without a day to check back nothing is agreed.")}
        )
    if not today + SOONEST <= check_back_on <= today + LATEST:
        raise ValidationError(
            {
                "check_back_on": _("Choose a day between {first} and {last}.").format(
                    first=day(today + SOONEST), last=day(today + LATEST)
                )
            }
        )
    found.state, found.check_back_on, found.reminded = State.AGREED, check_back_on, ""
    save(found)
    audit.record(
        "accountability.agree_findings", by=by, target=found,
        detail={"check_back_on": check_back_on},
    )  # fmt: skip
    tell.everybody(found, "agreed", by=by)
    return found


def missing_to_agree(review: PeerReview) -> list[str]:
    """What stands between the findings and agreeing on them; empty where nothing does."""
    findings, said = queries.findings_of(review), []
    aside = queries.marked(review)
    if not any(each.kind == Kind.STRENGTH and each.pk not in aside for each in findings):
        said.append(_("There is no strength among the findings yet."))
    if aside:
        said.append(
            _(
                "A peer who stood down wrote some of them: another peer writes those anew, or "
                "takes them out."
            )
        )
    unanswered = sum(each.host_agrees is None for each in findings)
    if unanswered:
        words = ngettext(
            "The host has not answered {n} finding.",
            "The host has not answered {n} findings.",
            unanswered,
        )
        said.append(words.format(n=unanswered))
    return said


# What several of them need


def team_only(review: PeerReview, by: Appointment) -> Reviewer:
    """The seat of somebody who is in the team and has no conflict."""
    seat = reviews.seat_of(by, review)
    if seat is None or seat.state != Reviewer.State.ACCEPTED:
        raise PermissionDenied
    return seat


def check_visiting(review: PeerReview) -> None:
    """Refuse before the first day of the visit, and once the findings are agreed."""
    if review.state == State.SCHEDULED and not queries.began(review):
        raise ValidationError(
            _("The visit is on {day}. You write from that day on.").format(day=day(review.visit_on))
        )
    check_state(review, State.SCHEDULED, State.VISITED)


def said(
    review: PeerReview,
    texts: Mapping[str, str],
    by: Appointment,
    names_no_pupil: bool,
    optional: tuple[str, ...] = (),
) -> dict[str, str]:
    """Texts without what no database keeps, there and short enough; no pupil is named."""
    found, problems = {}, {}
    for name, text in texts.items():
        found[name] = text.replace("\0", "").strip()
        if len(found[name]) > LONGEST[name]:
            problems[name] = _("Keep it under {n} characters.").format(n=LONGEST[name])
        elif not found[name] and name not in optional:
            problems[name] = _("Say it in a few words.")
    if problems:
        raise ValidationError(problems)
    harmless = [*known(review.school, by), *(each.name for each in reviews.team_of(review))]
    for text in found.values():
        look_again(text, harmless, names_no_pupil)
    return found


def _check_within(review: PeerReview, on: date) -> None:
    last = queries.last_day(review)
    if review.visit_on is None or last is None:
        return
    if not review.visit_on <= on <= min(last, directory.today()):
        raise ValidationError({"on": _("Choose a day of the visit that has come.")})


def _finding(
    review: PeerReview, given: Found, by: Appointment, names_no_pupil: bool
) -> dict[str, str]:  # fmt: skip
    if given.kind not in Kind.values:
        raise ValidationError({"kind": _("Choose one of these.")})
    texts = {"words": given.words, "rests_on": given.rests_on}
    return said(review, texts, by, names_no_pupil, optional=("rests_on",))


def _check_strength(review: PeerReview, but: int | None = None) -> None:
    if not queries.standing(review, Kind.STRENGTH, but):
        raise ValidationError(
            {"kind": _("Strengths come first: write down one thing that works well before this.")}
        )


def _check_kept(review: PeerReview, finding: ReviewFinding) -> None:
    """Keep a strength as long as there is something to work on."""
    if finding.kind != Kind.STRENGTH or queries.standing(review, Kind.STRENGTH, finding.pk):
        return
    if any(each.kind == Kind.WORK_ON for each in queries.findings_of(review)):
        raise ValidationError(
            _("This is the only strength. Write another one first: strengths come first.")
        )


def _held(finding: ReviewFinding, seen_at: str) -> tuple[PeerReview, ReviewFinding]:
    """The review, held, and the finding as the person had it in front of them.

    Raises
    ------
    OvertakenError
        The team wrote it anew since, or took it out.
    """
    review = held(finding.review, None)
    row = ReviewFinding.objects.filter(pk=finding.pk).first()
    if row is None:
        raise ValidationError(_("The team took this finding out."))
    if seen_at and seen_at != row.at.isoformat():
        raise OvertakenError(
            _(
                "The team wrote this finding anew since you opened the page. What you wrote is "
                "still here and was not saved: read the finding, then send yours if it still holds."
            )
        )
    row.review = review
    return review, row
