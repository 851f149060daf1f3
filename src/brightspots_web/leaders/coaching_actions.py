"""Coaching: asking, agreeing, writing notes for the two, ending it. All the writes.

The audit trail has one word for all of it, without the pair, the other person or what was done:
who coaches whom is nobody else's business, and a trail that told an asking from an answering
would give it away.
"""

from datetime import date, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.directory import colleague_queries as colleagues
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Person
from brightspots_web.leaders import coaching_queries as queries
from brightspots_web.leaders.models import CoachingNote, CoachingPair
from brightspots_web.notices import actions as notices
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError

KEPT = timedelta(days=365)
"""So long notes outlive the coaching."""
LONGEST_NOTE, LONGEST_STEP = 4000, 300
LONGEST_PAST = timedelta(days=366)


@transaction.atomic
def ask(person: Person, *, by: Appointment, as_coach: bool) -> CoachingPair:
    """Ask a colleague to coach one, or offer to coach the colleague. Twice is once.

    Parameters
    ----------
    as_coach
        The one who asks would be the coach.
    """
    if not queries.may_coach(by):
        raise PermissionDenied
    if person.pk == by.person_id:
        raise ValidationError({"person": _("Coaching takes two: choose a colleague.")})
    if not colleagues.is_colleague(by, person.pk):
        raise PermissionDenied
    audit.one_at_a_time()
    coach, coached = (by.person, person) if as_coach else (person, by.person)
    open_now = CoachingPair.objects.filter(coach=coach, coached=coached, ends=None).first()
    if open_now is not None:
        return open_now
    pair = CoachingPair.objects.create(
        coach=coach, coached=coached, asker=by.person, asked_by=by.label[:300],
        starts=directory.today(),
    )  # fmt: skip
    _done(pair, by)
    return pair


@transaction.atomic
def accept(pair: CoachingPair, *, by: Appointment) -> CoachingPair:
    """Agree to coach or to be coached: the one who was asked does."""
    pair = _held(pair, by)
    if pair.accepted_at is not None:
        return pair
    if pair.ends is not None:
        raise ValidationError(_("It was taken back meanwhile. Ask anew if you would like it."))
    if not queries.has_to_answer(by, pair):
        raise PermissionDenied
    pair.accepted_at, pair.starts = timezone.now(), directory.today()
    pair.save()
    _done(pair, by)
    return pair


@transaction.atomic
def end(pair: CoachingPair, *, by: Appointment) -> CoachingPair:
    """End it, decline it, or take the asking back: either of the two, at any time, unexplained."""
    pair = _held(pair, by)
    if pair.ends is not None:
        return pair
    pair.ends = directory.today()
    pair.save()
    _done(pair, by)
    return pair


@transaction.atomic
def write_note(
    pair: CoachingPair, words: str, *, by: Appointment, on: date, next_step: str = ""
) -> CoachingNote:
    """Write down what was said, for the two alone. Pressed twice, it is written once."""
    pair = _held(pair, by)
    if pair.accepted_at is None or pair.ends is not None:
        raise ValidationError(_("Notes are written while the coaching goes on."))
    words, next_step = _checked(words, next_step, on)
    same = pair.notes.filter(author=by.person_id, words=words, on=on).first()
    if same is not None:
        return same
    note = CoachingNote.objects.create(
        pair=pair, author=by.person, on=on, words=words, next_step=next_step, at=timezone.now()
    )
    _done(pair, by)
    return note


@transaction.atomic
def change_note(
    note: CoachingNote, words: str, *, by: Appointment, on: date, next_step: str, seen: int | None
) -> CoachingNote:
    """Change a note of one's own."""
    note = _held_note(note, by)
    if seen is not None and seen != note.version:
        raise OvertakenError(
            _(
                "You changed this note in another window. What you wrote is still here and was not "
                "saved: look at how it reads, then save this if it is what you mean."
            )
        )
    note.words, note.next_step = _checked(words, next_step, on)
    note.on, note.version = on, note.version + 1
    note.save()
    audit.record("leaders.coaching", by=by)
    return note


@transaction.atomic
def delete_note(note: CoachingNote, *, by: Appointment) -> None:
    """Delete a note of one's own for good: no copy is kept."""
    note = _held_note(note, by)
    note.delete()
    audit.record("leaders.coaching", by=by)


@transaction.atomic
def delete_old_notes(today: date | None = None) -> int:
    """Delete the notes of coaching that ended a year ago; return how many."""
    before = (today or directory.today()) - KEPT
    found = CoachingNote.objects.filter(pair__ends__lte=before)
    number, _by_model = found.delete()
    return number


def _held(pair: CoachingPair, by: Appointment) -> CoachingPair:
    if not queries.may_coach(by):
        raise PermissionDenied
    mine = Q(coach=by.person_id) | Q(coached=by.person_id)
    found = (
        CoachingPair.objects.select_for_update(of=("self",), no_key=True)
        .select_related("coach", "coached")
        .filter(mine, pk=pair.pk)
        .first()
    )
    if found is None:
        raise PermissionDenied
    return found


def _held_note(note: CoachingNote, by: Appointment) -> CoachingNote:
    _held(note.pair, by)
    found = (
        CoachingNote.objects.select_for_update(of=("self",), no_key=True).filter(pk=note.pk).first()
    )
    if found is None or found.author_id != by.person_id:
        raise PermissionDenied
    return found


def _checked(words: str, next_step: str, on: date) -> tuple[str, str]:
    words, next_step = words.replace("\0", "").strip(), next_step.replace("\0", "").strip()
    problems: dict[str, str] = {}
    if not words:
        problems["words"] = _("Write a few words.")
    if len(words) > LONGEST_NOTE:
        problems["words"] = _("Keep it under {n} characters.").format(n=LONGEST_NOTE)
    if len(next_step) > LONGEST_STEP:
        problems["next_step"] = _("Keep it under {n} characters.").format(n=LONGEST_STEP)
    today = directory.today()
    if on > today:
        problems["on"] = _("This day is still to come. Write it down then.")
    elif on < today - LONGEST_PAST:
        problems["on"] = _("This is more than a year ago. Check the year.")
    if problems:
        raise ValidationError(problems)
    return words, next_step


def _done(pair: CoachingPair, by: Appointment) -> None:
    """One word in the audit trail, and one for the other of the two."""
    audit.record("leaders.coaching", by=by)
    other = queries.other_of(pair, by.person_id)
    notices.notify([other], "leaders.coaching", key="leaders.coaching")
