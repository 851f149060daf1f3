"""After the visit: the host's reply, the practice, the workshop, steps, the check-back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.accountability import review_queries as reviews
from brightspots_web.accountability import visit_queries as queries
from brightspots_web.accountability import visit_tell as tell
from brightspots_web.accountability import visit_words as wording
from brightspots_web.accountability.models import (
    ImprovementChampion,
    PeerReview,
    ReviewAction,
)
from brightspots_web.accountability.review_actions import check_state, held, host_only, save
from brightspots_web.accountability.visit_actions import LONGEST, said, team_only
from brightspots_web.alignment.models import Priority
from brightspots_web.connectedness import practice_actions as practices
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment
from brightspots_web.notices import actions as notices
from brightspots_web.shared import audit
from brightspots_web.shared.words import day

State = PeerReview.State
MOST_ACTIONS = 12
LONGEST_STEP = timedelta(days=730)
TO_PRAISE = (State.VISITED, *queries.AGREED)


@dataclass(frozen=True)
class Step:
    """Something the host does: what, who, until when."""

    what: str
    owner: str
    due: date


@dataclass(frozen=True)
class Workshop:
    """When people of the school sat together over the findings, and what they said."""

    on: date
    notes: str
    champion: ImprovementChampion | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a step, seen at the check-back."""

    done: bool
    words: str


# Reply and practice


@transaction.atomic
def reply(
    review: PeerReview,
    words: str,
    *,
    by: Appointment,
    seen: int | None,
    names_no_pupil: bool = False,
) -> PeerReview:
    """The host's own words to the findings as a whole; what it says last stands."""
    found = held(review, seen)
    host_only(found, by)
    check_state(found, *TO_PRAISE)
    text = said(found, {"reply": words}, by, names_no_pupil)["reply"]
    if found.reply == text:
        return found
    found.reply, found.replied_by = text, by.label[:300]
    save(found)
    audit.record("accountability.reply_to_findings", by=by, target=found)
    tell.team(found, "replied", by=by)
    return found


@transaction.atomic
def praise(
    review: PeerReview,
    words: str,
    *,
    by: Appointment,
    seen: int | None,
    names_no_pupil: bool = False,
) -> PeerReview:
    """The team names an area of excellence; it stays as it is once it is written up."""
    found = held(review, seen)
    team_only(found, by)
    check_state(found, *TO_PRAISE)
    if found.practice_id is not None:
        raise ValidationError(_("The school wrote it up already; its practice says more."))
    text = said(found, {"excellence": words}, by, names_no_pupil)["excellence"]
    if found.excellence == text:
        return found
    found.excellence = text
    save(found)
    audit.record("accountability.name_excellence", by=by, target=found)
    tell.host(found, "excellence", by=by)
    return found


@transaction.atomic
def write_up(
    review: PeerReview,
    text: practices.Text,
    *,
    by: Appointment,
    language: str,
    priority: Priority | None = None,
) -> PeerReview:
    """The host makes a draft for the practice library of it; a second time it is the same draft.

    Raises
    ------
    ValidationError
        The team named nothing, the findings are not agreed, or the practice lacks something.
    """
    found = held(review, None)
    host_only(found, by)
    if found.practice is not None:
        return found
    check_state(found, *queries.AGREED)
    if not found.excellence:
        raise ValidationError(_("The team has not named what others could learn from."))
    made = practices.write(found.school, text, by=by, language=language, priority=priority)
    found.practice = made
    save(found)
    audit.record(
        "accountability.write_up_excellence", by=by, target=found, detail={"practice": made.code}
    )
    notices.settle([tell.key("excellence", found)])
    tell.team(found, "written_up", by=by)
    return found


# Workshop and steps


@transaction.atomic
def hold_workshop(
    review: PeerReview,
    given: Workshop,
    step: Step | None = None,
    *,
    by: Appointment,
    seen: int | None,
    names_no_pupil: bool = False,
) -> PeerReview:
    """The host writes its improvement workshop down; at least one step comes of it.

    Written down again, it is changed, until the check-back.
    """
    found = held(review, seen)
    host_only(found, by)
    check_state(found, *reviews.TO_CHECK)
    notes = _notes(found, given)
    texts = said(found, {"notes": notes}, by, names_no_pupil)
    if found.visit_on is None or not found.visit_on <= given.on <= directory.today():
        raise ValidationError(
            {"on": _("A day from the visit ({day}) until today.").format(day=day(found.visit_on))}
        )
    if step is not None:
        _add(found, step, by, names_no_pupil)
    elif not found.actions.exists():
        raise ValidationError(
            {"what": _("A workshop leaves one step at least: what, who, until when.")}
        )
    same = (found.state, found.workshop_on, found.workshop_notes)
    if same == (State.WORKSHOP, given.on, texts["notes"]) and step is None:
        return found
    first = found.state == State.AGREED
    found.state = State.WORKSHOP
    found.workshop_on, found.workshop_notes = given.on, texts["notes"]
    save(found)
    audit.record("accountability.hold_workshop", by=by, target=found)
    if first:
        tell.everybody(found, "workshop", by=by)
    return found


@transaction.atomic
def add_action(
    review: PeerReview, step: Step, *, by: Appointment, names_no_pupil: bool = False
) -> ReviewAction:
    """The host says what it does, who does it, until when; the same twice is one step."""
    found = held(review, None)
    host_only(found, by)
    check_state(found, *reviews.TO_CHECK)
    made, new = _add(found, step, by, names_no_pupil)
    if new:
        audit.record(
            "accountability.add_review_action", by=by, target=found, detail={"due": step.due}
        )
    return made


@transaction.atomic
def finish_action(
    action: ReviewAction,
    on: date,
    outcome: str,
    *,
    by: Appointment,
    names_no_pupil: bool = False,
) -> ReviewAction:
    """The host says that a step is done and what came of it; said again, the last words stand."""
    found, row = _held(action)
    host_only(found, by)
    check_state(found, *reviews.TO_CHECK)
    text = said(found, {"outcome": outcome}, by, names_no_pupil)["outcome"]
    if not timezone.localdate(row.at) <= on <= directory.today():
        raise ValidationError({"on": _("Choose a day since the step was agreed, until today.")})
    if (row.done_on, row.outcome) == (on, text):
        return row
    row.done_on, row.outcome = on, text
    row.save()
    notices.settle([tell.key("step_due", found, row.pk)])
    audit.record("accountability.finish_review_action", by=by, target=found)
    return row


@transaction.atomic
def drop_action(action: ReviewAction, *, by: Appointment) -> None:
    """The host takes out a step that is not done; a workshop keeps one."""
    found, row = _held(action)
    host_only(found, by)
    check_state(found, *reviews.TO_CHECK)
    if row.done_on is not None:
        raise ValidationError(_("This step is done. It stays, with what came of it."))
    if found.state == State.WORKSHOP and found.actions.count() == 1:
        raise ValidationError(_("A workshop leaves one step at least. Add another one first."))
    row.delete()
    audit.record("accountability.drop_review_action", by=by, target=found)


# Check-back


@transaction.atomic
def check_back(
    review: PeerReview,
    on: date,
    words: str,
    outcomes: Mapping[int, Outcome],
    *,
    by: Appointment,
    seen: int | None,
    names_no_pupil: bool = False,
) -> PeerReview:
    """A peer, or the leader, writes down what is found when looked at again; the review ends.

    Parameters
    ----------
    outcomes
        By key of the step, for each that the host has not finished itself.

    Raises
    ------
    ValidationError
        It is too early, or a step has no word on it.
    """
    found = held(review, None)
    if not queries.may_check(by, found):
        raise PermissionDenied
    if found.state == State.CHECKED and found.checked_found == words.strip():
        return found
    found = held(review, seen)
    check_state(found, *reviews.TO_CHECK)
    if wording.too_early(found):
        raise ValidationError(wording.too_early(found))
    texts = said(found, {"found": words}, by, names_no_pupil)
    if found.visit_on is None or not found.visit_on < on <= directory.today():
        raise ValidationError({"on": _("Choose a day after the visit, until today.")})
    for action in found.actions.filter(done_on=None):
        _close(found, action, outcomes.get(action.pk), on, by, names_no_pupil)
    found.state, found.reminded = State.CHECKED, ""
    found.checked_on, found.checked_found, found.checked_by = on, texts["found"], by.label[:300]
    save(found)
    notices.settle([tell.key(event, found) for event in ("check", "overdue", "area_overdue")])
    audit.record("accountability.check_back", by=by, target=found, detail={"on": on})
    tell.everybody(found, "checked", by=by)
    return found


# What several of them need


def _notes(review: PeerReview, given: Workshop) -> str:
    """The notes, with the champion who was there, named once."""
    notes = given.notes.replace("\0", "").strip()
    if not notes or given.champion is None:
        return notes
    if given.champion not in queries.champions_for(review):
        raise ValidationError({"champion": _("Choose one of these.")})
    line = _("An improvement champion was there: {who}, {school}.").format(
        who=given.champion.person, school=given.champion.school.name
    )
    return notes if line in notes else f"{notes}\n\n{line}"


def _add(
    review: PeerReview, step: Step, by: Appointment, names_no_pupil: bool
) -> tuple[ReviewAction, bool]:  # fmt: skip
    texts = said(review, {"what": step.what}, by, names_no_pupil)
    # The owner is a colleague, by name: it is not held against the names of pupils.
    owner = step.owner.replace("\0", "").strip()
    if not owner:
        raise ValidationError({"owner": _("Name one person who sees to it.")})
    if len(owner) > LONGEST["owner"]:
        raise ValidationError(
            {"owner": _("Keep it under {n} characters.").format(n=LONGEST["owner"])}
        )
    today = directory.today()
    if not today <= step.due <= today + LONGEST_STEP:
        raise ValidationError({"due": _("Choose a day from today on, within two years.")})
    same = review.actions.filter(what=texts["what"], owner_name=owner, due=step.due).first()
    if same is not None:
        return same, False
    if review.actions.count() >= MOST_ACTIONS:
        raise ValidationError(_("{n} steps are enough: few are done well.").format(n=MOST_ACTIONS))
    made = ReviewAction.objects.create(
        review=review, what=texts["what"], owner_name=owner, due=step.due, by=by.label[:300],
        at=timezone.now(),
    )  # fmt: skip
    return made, True


def _close(
    review: PeerReview,
    action: ReviewAction,
    outcome: Outcome | None,
    on: date,
    by: Appointment,
    names_no_pupil: bool,
) -> None:
    name = f"words_{action.pk}"
    if outcome is None or not outcome.words.strip():
        raise ValidationError({name: _("Say what became of it, done or not.")})
    try:
        text = said(review, {"outcome": outcome.words}, by, names_no_pupil)["outcome"]
    except ValidationError as problem:
        if hasattr(problem, "error_dict"):
            raise ValidationError({name: problem.messages}) from problem
        raise
    action.outcome, action.done_on = text, on if outcome.done else None
    action.save()


def _held(action: ReviewAction) -> tuple[PeerReview, ReviewAction]:
    review = held(action.review, None)
    row = ReviewAction.objects.filter(pk=action.pk).first()
    if row is None:
        raise ValidationError(_("This step was taken out."))
    row.review = review
    return review, row
