"""Calling, changing and calling off a meeting; its minutes; reminding of it.

The audit trail is read outside the partnership: it says that something was done, never the words.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.alignment import queries as alignment
from brightspots_web.alignment.models import Priority
from brightspots_web.devolution import meeting_queries as queries
from brightspots_web.devolution.models import Meeting
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Partnership, Person
from brightspots_web.notices import actions as notices
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.words import day as day_words

LETTERS = "ACDEFGHJKMNPQRTUVWXY3479"
"""Of which codes are made: none that looks or sounds like another when it is read out."""
CODE_LENGTH = 6
SHORTEST, LONGEST = 15, 480
FARTHEST = timedelta(days=400)
REMIND = timedelta(days=2)
"""So long before a meeting people are reminded."""
JUST_NOW = timedelta(minutes=15)
"""A meeting called for the minute before last has begun, and is not a slip of the hand."""
LONGEST_MINUTES = 8000

CALLED, CHANGED, CANCELLED, SOON = (
    f"devolution.meeting_{event}" for event in ("called", "changed", "cancelled", "soon")
)


@dataclass(frozen=True)
class Wanted:
    """When, where and about what a partnership meets."""

    starts_at: datetime
    minutes_long: int = 90
    place: str = ""
    purpose: str = ""
    priorities: Sequence[Priority] = ()
    """None of them stands for all that are live."""


@transaction.atomic
def call(partnership: Partnership, wanted: Wanted, *, by: Appointment) -> Meeting:
    """Call a meeting and invite everybody of the schools. Pressed twice, it is called once.

    Raises
    ------
    PermissionDenied
        For whoever does not lead this partnership today.
    ValidationError
        It would be in the past or far away, the partnership ends before, or another meeting
        begins at that moment.
    """
    if not queries.leads(by) or by.partnership_id != partnership.pk:
        raise PermissionDenied
    wanted = _checked(wanted, partnership)
    audit.one_at_a_time()
    same = queries.called_at_that_time(partnership, wanted.starts_at)
    if same is not None:
        if same.appointment == str(by.pk):
            return same
        raise ValidationError({"hour": _("Another meeting of yours begins at that moment.")})
    now = timezone.now()
    meeting = Meeting(
        partnership=partnership,
        code=free_code(),
        called_by=by.label[:300],
        appointment=str(by.pk),
        called_at=now,
        reminded_at=now if wanted.starts_at - now <= REMIND else None,
    )
    _write(meeting, wanted)
    meeting.save(force_insert=True)
    meeting.priorities.set(wanted.priorities)
    audit.record("devolution.call_meeting", by=by, target=meeting, detail=_detail(meeting))
    _tell(meeting, CALLED, by=by)
    return meeting


@transaction.atomic
def change(meeting: Meeting, wanted: Wanted, *, by: Appointment, seen: int | None) -> Meeting:
    """Move a meeting, or change its place, purpose or agenda; everybody invited is told.

    Raises
    ------
    OvertakenError
        Somebody else was quicker; nothing is saved.
    ValidationError
        It has begun or was called off, or as :func:`call` says.
    """
    meeting = _held(meeting, seen)
    _check_leads(meeting, by)
    if meeting.cancelled_at is not None:
        raise ValidationError(_("This meeting was called off. Call a new one."))
    if queries.has_begun(meeting):
        raise ValidationError(
            _(
                "This meeting has begun: its day and place stand. What came of it is for its "
                "minutes."
            )
        )
    wanted = _checked(wanted, meeting.partnership, meeting)
    if _as_it_stands(meeting, wanted):
        return meeting
    moved = meeting.starts_at != wanted.starts_at
    if moved:
        audit.one_at_a_time()  # another may be called for that moment, or moved to it
        other = queries.called_at_that_time(meeting.partnership, wanted.starts_at)
        if other is not None:
            raise ValidationError({"hour": _("Another meeting of yours begins at that moment.")})
        soon = wanted.starts_at - timezone.now() <= REMIND
        meeting.reminded_at = timezone.now() if soon else None
    _write(meeting, wanted)
    _save(meeting)
    meeting.priorities.set(wanted.priorities)
    audit.record("devolution.change_meeting", by=by, target=meeting, detail=_detail(meeting))
    _tell(meeting, CHANGED, by=by)
    return meeting


@transaction.atomic
def cancel(meeting: Meeting, *, by: Appointment, why: str, seen: int | None) -> Meeting:
    """Call a meeting off, with a reason: one to come, or one that did not take place."""
    meeting = _held(meeting, seen)
    _check_leads(meeting, by)
    if meeting.cancelled_at is not None:
        return meeting
    if queries.attendances(meeting).exists():
        raise ValidationError(_("People were there: a meeting that took place stays on record."))
    why = why.replace("\0", "").strip()
    if not why:
        raise ValidationError(
            {"why": _("Say in a few words why, for those who keep the day free.")}
        )
    if len(why) > 300:
        raise ValidationError({"why": _("Keep it under {n} characters.").format(n=300)})
    meeting.cancelled_at, meeting.cancelled_why = timezone.now(), why
    _save(meeting)
    audit.record("devolution.cancel_meeting", by=by, target=meeting, detail=_detail(meeting))
    if meeting.starts_at > timezone.now():
        _tell(meeting, CANCELLED, by=by)
    return meeting


@transaction.atomic
def name_minute_taker(
    meeting: Meeting, person: Person | None, *, by: Appointment, seen: int | None
) -> Meeting:
    """Ask somebody of the schools to write the minutes; None for the leader."""
    meeting = _held(meeting, seen)
    _check_leads(meeting, by)
    if person is not None and person not in queries.people_invited(meeting):
        raise ValidationError({"person": _("Choose one of the people who are invited.")})
    if meeting.minute_taker == person:
        return meeting
    meeting.minute_taker = person
    _save(meeting)
    audit.record("devolution.name_minute_taker", by=by, target=meeting, detail=_detail(meeting))
    return meeting


@transaction.atomic
def write_minutes(meeting: Meeting, text: str, *, by: Appointment, seen: int | None) -> Meeting:
    """Write the minutes, or write them anew. They stay among the schools of the partnership.

    Raises
    ------
    OvertakenError
        Somebody else saved the minutes meanwhile; nothing is lost on either side.
    """
    meeting = _held(meeting, seen)
    if not queries.may_take_minutes(by, meeting):
        raise PermissionDenied
    if meeting.cancelled_at is not None or not queries.has_opened(meeting):
        raise ValidationError(_("Minutes are written of a meeting that has begun."))
    text = text.replace("\0", "").replace("\r\n", "\n").strip()
    if len(text) > LONGEST_MINUTES:
        raise ValidationError(
            {"minutes": _("Keep it under {n} characters.").format(n=LONGEST_MINUTES)}
        )
    if not text and not meeting.minutes:
        raise ValidationError({"minutes": _("Write a few words.")})
    if text == meeting.minutes:
        return meeting
    meeting.minutes, meeting.minutes_by = text, by.label[:300]
    meeting.minutes_at = timezone.now()
    _save(meeting)
    detail = _detail(meeting) | {"text_sha256": sha256(text.encode()).hexdigest()}
    audit.record("devolution.write_minutes", by=by, target=meeting, detail=detail)
    return meeting


def remind(now: datetime | None = None) -> int:
    """Remind everybody invited of meetings within two days; gives how many people were told.

    For the worker, every hour. A meeting is reminded of once; one that was moved, once more.
    """
    moment = now or timezone.now()
    due = queries.to_remind_of(moment, moment + REMIND).values_list("pk", flat=True)
    return sum(_remind_of(key, moment) for key in list(due))


@transaction.atomic
def _remind_of(key: int, now: datetime) -> int:
    rows = Meeting.objects.select_for_update(of=("self",), no_key=True).select_related(
        "partnership"
    )
    meeting = rows.filter(pk=key, reminded_at=None, cancelled_at=None).first()
    if meeting is None:  # another worker was quicker
        return 0
    meeting.reminded_at = now
    meeting.save(update_fields=["reminded_at"])
    if not queries.can_be_held(meeting):
        return 0
    return notices.notify(
        queries.people_invited(meeting), SOON, {"meeting": meeting.pk}, key=f"meeting {meeting.pk}"
    )


# What several of them need


def free_code() -> str:
    """A code that no meeting has; call it where nobody else makes one meanwhile."""
    while True:
        codes = ["".join(secrets.choice(LETTERS) for _i in range(CODE_LENGTH)) for _j in range(8)]
        taken = queries.codes_taken(codes)
        free = [code for code in codes if code not in taken]
        if free:
            return free[0]


def plain_code(typed: str) -> str:
    """A code as it is kept, whatever blanks, dashes and small letters it was typed with."""
    return "".join(each for each in typed.upper() if each.isalnum())[:CODE_LENGTH]


def _held(meeting: Meeting, seen: int | None) -> Meeting:
    """The row, held until the transaction ends; refused where it is not the one that was seen."""
    rows = Meeting.objects.select_for_update(of=("self",), no_key=True).select_related(
        "partnership"
    )
    found = rows.get(pk=meeting.pk)
    if seen is not None and seen != found.version:
        raise OvertakenError(
            _(
                "Somebody changed this meeting since you opened it. What you wrote is still here "
                "and was not saved: look at how it reads now, then save yours if it still holds."
            )
        )
    return found


def _check_leads(meeting: Meeting, by: Appointment) -> None:
    if not queries.meetings_led_by(by).filter(pk=meeting.pk).exists():
        raise PermissionDenied


def _checked(wanted: Wanted, partnership: Partnership, meeting: Meeting | None = None) -> Wanted:
    """As it can be kept, or what is wrong with it."""
    now = timezone.now()
    place, purpose = (each.replace("\0", "").strip() for each in (wanted.place, wanted.purpose))
    problems: dict[str, str] = {}
    if wanted.starts_at < now - JUST_NOW:
        problems["on"] = _(
            "This moment is past. A meeting that took place without being called is written down "
            "on the partnership’s page."
        )
    elif wanted.starts_at > now + FARTHEST:
        problems["on"] = _("This is more than a year away. Check the year.")
    elif not queries.is_open(partnership, timezone.localtime(wanted.starts_at).date()):
        problems["on"] = _("This partnership ends on {day}. Choose a day before.").format(
            day=day_words(partnership.closed)
        )
    if not SHORTEST <= wanted.minutes_long <= LONGEST:
        problems["minutes_long"] = _("Choose between {a} and {b} minutes.").format(
            a=SHORTEST, b=LONGEST
        )
    if len(place) > 200:
        problems["place"] = _("Keep it under {n} characters.").format(n=200)
    if len(purpose) > 300:
        problems["purpose"] = _("Keep it under {n} characters.").format(n=300)
    allowed = {each.pk for each in alignment.live_priorities()}
    if meeting is not None:
        allowed |= {each.pk for each in meeting.priorities.all()}
    if not {each.pk for each in wanted.priorities} <= allowed:
        problems["priorities"] = _("Choose among the priorities that are live.")
    if problems:
        raise ValidationError(problems)
    return Wanted(wanted.starts_at, wanted.minutes_long, place, purpose, wanted.priorities)


def _write(meeting: Meeting, wanted: Wanted) -> None:
    meeting.starts_at, meeting.minutes_long = wanted.starts_at, wanted.minutes_long
    meeting.place, meeting.purpose = wanted.place, wanted.purpose


def _as_it_stands(meeting: Meeting, wanted: Wanted) -> bool:
    agenda = {each.pk for each in meeting.priorities.all()}
    return agenda == {each.pk for each in wanted.priorities} and all(
        getattr(meeting, name) == getattr(wanted, name)
        for name in ("starts_at", "minutes_long", "place", "purpose")
    )


def _save(meeting: Meeting) -> None:
    meeting.version += 1
    meeting.save()


def _tell(meeting: Meeting, kind: str, *, by: Appointment) -> None:
    """Tell everybody invited but the one who acts; a newer notice replaces an unseen one."""
    people: Iterable[Person] = (
        person for person in queries.people_invited(meeting) if person.pk != by.person_id
    )
    notices.notify(people, kind, {"meeting": meeting.pk}, key=f"meeting {meeting.pk}")


def _detail(meeting: Meeting) -> dict[str, object]:
    """Which meeting and when; none of its words."""
    return {
        "partnership": meeting.partnership.code,
        "starts_at": meeting.starts_at.isoformat(),
        "version": meeting.version,
        "on": directory.today().isoformat(),
    }
