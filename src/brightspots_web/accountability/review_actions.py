"""A peer review until the day of the visit: self-review, question, team, days; called off.

The audit trail is read outside the review: it says that something was done, never its words.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.accountability import review_queries as queries
from brightspots_web.accountability import review_tell as tell
from brightspots_web.accountability.models import PeerReview, Reviewer
from brightspots_web.alignment.models import Priority
from brightspots_web.directory import queries as directory
from brightspots_web.directory.actions import hold_school
from brightspots_web.directory.models import Appointment, School
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.permissions import Capability, may
from brightspots_web.shared.pupil_names import look_again

State = PeerReview.State
LONGEST = {"question": 300, "words": 2000, "plan": 2000, "why": 500}
"""Characters a text may have."""
LONGEST_VISIT = timedelta(days=4)
FEWEST_PEERS = 2


@dataclass(frozen=True)
class SelfReview:
    """What the host asks, and what it sees itself."""

    question: str = ""
    strengths: str = ""
    to_improve: str = ""
    evidence: str = ""
    priority: Priority | None = None


@dataclass(frozen=True)
class Visit:
    """When the team comes, and what it does then."""

    on: date
    until: date | None = None
    plan: str = ""


@transaction.atomic
def begin(given: SelfReview, *, by: Appointment, names_no_pupil: bool = False) -> PeerReview:
    """Begin a review of one's own school. Sent twice, it is begun once.

    Raises
    ------
    PermissionDenied
        Somebody who heads no school.
    ValidationError
        The school is closed, or has a review under way.
    """
    if not may(by, Capability.REVIEW_PEERS) or by.school is None:
        raise PermissionDenied
    if by.school.closed is not None and by.school.closed <= directory.today():
        raise ValidationError(_("{school} is closed.").format(school=by.school.name))
    hold_school(by.school)
    texts = _texts(given, by.school, by, names_no_pupil)
    same = queries.under_way(by.school)
    if same is not None:
        if same.state == State.SELF_REVIEW and _unchanged(same, texts, given.priority):
            return same
        raise ValidationError(
            _("Your school has a peer review under way. Go on with that one, or call it off.")
        )
    review = PeerReview.objects.create(
        school=by.school,
        partnership=directory.partnership_of(by.school),
        priority=given.priority,
        by=by.label[:300],
        at=timezone.now(),
        **texts,
    )
    audit.record("accountability.begin_review", by=by, target=review)
    return review


@transaction.atomic
def write_self_review(
    review: PeerReview,
    given: SelfReview,
    *,
    by: Appointment,
    seen: int | None,
    names_no_pupil: bool = False,
) -> PeerReview:
    """Change the question and the own view; both may grow until the visit.

    Once peers were asked there is a question and a view: they said yes to them.
    """
    found = held(review, seen)
    host_only(found, by)
    check_state(found, *queries.BEFORE)
    texts = _texts(given, found.school, by, names_no_pupil)
    if _unchanged(found, texts, given.priority):
        return found
    for name, text in texts.items():
        setattr(found, name, text)
    found.priority = given.priority
    if found.state != State.SELF_REVIEW:
        _check_complete(found)
    save(found)
    audit.record("accountability.write_self_review", by=by, target=found)
    return found


@transaction.atomic
def seek_team(review: PeerReview, *, by: Appointment, seen: int | None) -> PeerReview:
    """The own view is there: peers may be asked now."""
    found = held(review, seen)
    host_only(found, by)
    if found.state == State.TEAM:
        return found
    check_state(found, State.SELF_REVIEW)
    _check_complete(found)
    found.state = State.TEAM
    save(found)
    audit.record("accountability.seek_review_team", by=by, target=found)
    return found


@transaction.atomic
def schedule(
    review: PeerReview, given: Visit, *, by: Appointment, seen: int | None
) -> PeerReview:  # fmt: skip
    """Set the days of the visit, or move it to others; everybody is told.

    Raises
    ------
    ValidationError
        The team is not ready (see :func:`missing_in_team`), or the days make no sense.
    """
    found = held(review, seen)
    host_only(found, by)
    check_state(found, State.TEAM, State.SCHEDULED)
    plan = _short(given.plan, "plan", LONGEST["plan"])
    missing = missing_in_team(found)
    if missing:
        raise ValidationError(" ".join(missing))
    if given.on < directory.today():
        raise ValidationError({"on": _("This day is past. Choose one to come.")})
    if given.until is not None and not given.on <= given.until <= given.on + LONGEST_VISIT:
        raise ValidationError(
            {"until": _("The last day is the first one or up to four days after it.")}
        )
    before = (found.visit_on, found.visit_until, found.plan, found.state)
    if before == (given.on, given.until, plan, State.SCHEDULED):
        return found
    moved = found.state == State.SCHEDULED
    other_day = before[:2] != (given.on, given.until)
    found.visit_on, found.visit_until, found.plan = given.on, given.until, plan
    found.state = State.SCHEDULED
    if other_day:
        found.reminded = ""
    save(found)
    audit.record("accountability.schedule_review", by=by, target=found, detail={"on": given.on})
    if other_day:
        tell.everybody(found, "moved" if moved else "scheduled", by=by)
    return found


@transaction.atomic
def call_off(review: PeerReview, why: str, *, by: Appointment, seen: int | None) -> PeerReview:
    """The host calls the review off and says why; its page stays, with the reason."""
    found = held(review, seen)
    host_only(found, by)
    if found.state == State.CALLED_OFF:
        return found
    check_state(found, *queries.BEFORE, State.VISITED)
    found.called_off_why = required(why, "why", LONGEST["why"])
    before, found.state = found.state, State.CALLED_OFF
    save(found)
    audit.record("accountability.call_off_review", by=by, target=found, detail={"was": before})
    tell.everybody(found, "called_off", by=by)
    return found


# What several of them need


def missing_in_team(review: PeerReview) -> list[str]:
    """What a team still lacks before the visit can have a date; empty where nothing does."""
    coming = queries.coming(review)
    said = []
    if len(coming) < FEWEST_PEERS:
        words = ngettext(
            "{n} peer comes so far; a team has two at least.",
            "{n} peers come so far; a team has two at least.",
            len(coming),
        )
        said.append(words.format(n=len(coming)))
    if coming and not any(each.leads for each in coming):
        said.append(_("Nobody who comes leads the team yet."))
    if coming and not any(from_outside(coming, review)):
        said.append(_("All who come are of your own partnership: one more from another sees more."))
    return said


def from_outside(team: list[Reviewer], review: PeerReview) -> list[Reviewer]:
    """Those of a team who come from outside the host's partnership."""
    partnership = directory.partnership_of(review.school)
    if partnership is None:
        return list(team)
    rows = directory.live_memberships().filter(partnership=partnership)
    members = set(rows.values_list("school", flat=True))
    return [each for each in team if each.school_id not in members]


def held(review: PeerReview, seen: int | None) -> PeerReview:
    """The row, held until the transaction ends; as it was when the person looked at it.

    Raises
    ------
    OvertakenError
        Somebody changed it since; nothing is saved.
    """
    rows = PeerReview.objects.select_for_update(of=("self",), no_key=True)
    found = rows.select_related("school__area", "partnership").get(pk=review.pk)
    if seen is not None and seen != found.version:
        raise OvertakenError(
            _(
                "Somebody changed this review since you opened it; it is now “{state}”. What you "
                "wrote is still here and was not saved: look at it, then send yours if it still "
                "holds."
            ).format(state=found.get_state_display())
        )
    return found


def save(review: PeerReview) -> None:
    review.version += 1
    review.save()


def host_only(review: PeerReview, by: Appointment) -> None:
    if not queries.is_host(by, review):
        raise PermissionDenied


def check_state(review: PeerReview, *states: str) -> None:
    """Refuse in words what this review is not at, or is past."""
    if review.state in states:
        return
    words = {
        State.SELF_REVIEW: _("The school still looks at itself; peers are asked after that."),
        State.TEAM: _("The visit has no date yet."),
        State.SCHEDULED: _("The visit has a date already, and has not been finished."),
        State.VISITED: _("The visit took place already."),
        State.AGREED: _("The findings are agreed already."),
        State.WORKSHOP: _("The improvement workshop was held already."),
        State.CHECKED: _("This review was checked back and is finished."),
        State.CALLED_OFF: _("This review was called off; its page says why."),
    }
    raise ValidationError(words[State(review.state)])


def required(text: str, name: str, most: int) -> str:
    text = _short(text, name, most)
    if not text:
        raise ValidationError({name: _("Say it in a few words.")})
    return text


def known(school: School, by: Appointment) -> list[str]:
    """Names that are no pupils'."""
    return [school.name, school.area.name, by.label]


def _short(text: str, name: str, most: int) -> str:
    text = text.replace("\0", "").strip()
    if len(text) > most:
        raise ValidationError({name: _("Keep it under {n} characters.").format(n=most)})
    return text


def _texts(
    given: SelfReview, school: School, by: Appointment, names_no_pupil: bool
) -> dict[str, str]:  # fmt: skip
    texts = {
        "question": _short(given.question, "question", LONGEST["question"]),
        "strengths_seen": _short(given.strengths, "strengths", LONGEST["words"]),
        "to_improve_seen": _short(given.to_improve, "to_improve", LONGEST["words"]),
        "evidence_seen": _short(given.evidence, "evidence", LONGEST["words"]),
    }
    if not any(texts.values()):
        raise ValidationError(_("Write at least the question, or what you do well."))
    for text in texts.values():
        look_again(text, known(school, by), names_no_pupil)
    return texts


def _unchanged(review: PeerReview, texts: dict[str, str], priority: Priority | None) -> bool:
    same = all(getattr(review, name) == text for name, text in texts.items())
    return same and review.priority_id == (priority.pk if priority else None)


def _check_complete(review: PeerReview) -> None:
    missing = {
        "question": (review.question, _("Peers come to a question: write it down first.")),
        "strengths": (review.strengths_seen, _("Say what you do well before others look.")),
        "to_improve": (review.to_improve_seen, _("Say what you want to get better at.")),
    }
    problems = {name: words for name, (text, words) in missing.items() if not text}
    if problems:
        raise ValidationError(problems)
