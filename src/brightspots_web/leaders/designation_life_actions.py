"""What time brings: terms end, reminders and kind warnings go out, designations lapse.

The worker calls :func:`look_after` every day; run twice, it does no more than once.
"""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.alignment.models import Priority
from brightspots_web.directory import actions as directory_actions
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Person
from brightspots_web.leaders import designation_criteria_queries as criteria
from brightspots_web.leaders import designation_queries as queries
from brightspots_web.leaders import designation_words as words
from brightspots_web.leaders.designation_actions import settled
from brightspots_web.leaders.designation_term_actions import held, save
from brightspots_web.leaders.models import Application, Designation, Grade
from brightspots_web.notices import actions as notices
from brightspots_web.notices import queries as notice_queries
from brightspots_web.shared import audit

State = Designation.State
REMIND = "leaders.designation_renew"


def look_after() -> dict[str, int]:
    """The worker's daily work: what ended, who is reminded, warned, in the clear again, or lapses.

    Each designation is its own transaction, under the system's own operator, so that one in the
    way of another is no reason to leave the rest.
    """
    by = directory_actions.command_line_operator()
    done = {"over": 0, "moved": 0, "reminded": 0, "warned": 0, "cleared": 0, "lapsed": 0}
    today = directory.today()
    for each in list(_live().filter(ends__lte=today)):
        done["over"] += _over(each, by=by)
    done["reminded"] = _remind(today)
    live = list(_live().filter(queries.in_office(today)))
    problems = criteria.lapsing(live)
    now = queries.schools_now((each.person_id, each.school) for each in live)
    for each in live:
        school = now[each.person_id, each.school_id]
        if school is not None and school.pk != each.school_id:
            done["moved"] += _follow_school(each, by=by)
        found = problems.get(each.pk, [])
        if found and each.warned_at is None:
            done["warned"] += _warn(each, found, by=by)
        elif not found and each.warned_at is not None:
            done["cleared"] += _clear(each, by=by)
        elif found and each.warned_at is not None and lapses_on(each.warned_at) <= today:
            done["lapsed"] += _lapse(each, found, by=by)
    return done


def lapses_on(warned_at: datetime) -> date:
    """The day on which a designation lapses, where nothing is mended after the warning."""
    return timezone.localdate(warned_at) + queries.LEFT_TO_MEND


def _live() -> QuerySet[Designation]:
    found = Designation.objects.filter(state=State.LIVE).select_related("person", "school__area")
    return found.order_by("pk")


@transaction.atomic
def _over(designation: Designation, *, by: Appointment) -> int:
    """The term is over. Who leads a partnership goes on leading it: that is for who appoints."""
    found = held(designation, None)
    if found.state != State.LIVE or found.ends > directory.today():
        return 0
    found.state = State.OVER
    save(found)
    audit.record("leaders.term_over", by=by, target=found)
    _tell([found.person, *_officers(found)], "over", found)
    return 1


def _remind(today: date) -> int:
    """Remind leaders once that their term can be renewed."""
    due = _live().filter(ends__gt=today, ends__lte=today + queries.REMIND)
    due = due.exclude(renewals__state__in=[*queries.OPEN, "designated"])
    told = notice_queries.told_since(REMIND, timezone.now() - 2 * queries.REMIND)
    number = 0
    for each in due:
        key = f"{REMIND}:{each.pk}"
        if (each.person_id, key) not in told:
            data = {"designation": each.pk, "day": words.last_day(each).isoformat()}
            number += notices.notify([each.person], REMIND, data, key=key)
    return number


@transaction.atomic
def _follow_school(designation: Designation, *, by: Appointment) -> int:
    """A leader whose school is carried on by another stands for that one; the old is on record."""
    found = held(designation, None)
    now = queries.school_now(found.person_id, found.school)
    if now is None or now.pk == found.school_id:
        return 0
    before = found.school
    found.school = now
    save(found)
    detail = {"from": before.code, "to": now.code}
    audit.record("leaders.follow_school", by=by, target=found, detail=detail)
    return 1


@transaction.atomic
def _warn(designation: Designation, problems: list[str], *, by: Appointment) -> int:
    found = held(designation, None)
    if found.state != State.LIVE or found.warned_at is not None:
        return 0
    found.warned_at = timezone.now()
    save(found)
    audit.record("leaders.warn", by=by, target=found, detail={"criteria": problems})
    until = lapses_on(found.warned_at).isoformat()
    _tell([found.person, *_officers(found)], "warned", found, day=until)
    return 1


@transaction.atomic
def _clear(designation: Designation, *, by: Appointment) -> int:
    found = held(designation, None)
    if found.state != State.LIVE or found.warned_at is None:
        return 0
    found.warned_at = None
    save(found)
    audit.record("leaders.clear", by=by, target=found)
    _tell([found.person, *_officers(found)], "cleared", found)
    return 1


@transaction.atomic
def _lapse(designation: Designation, problems: list[str], *, by: Appointment) -> int:
    """It lapses. A partnership that the person leads is not left alone overnight: officers hear."""
    found = held(designation, None)
    if found.state != State.LIVE or found.warned_at is None:
        return 0
    wanted = criteria.current_criteria().years_of_results
    reasons = [words.lapse_reason(key, found.school.name, wanted) for key in problems]
    found.state, found.ends = State.LAPSED, directory.today()
    found.starts = min(found.starts, found.ends)
    found.ended_why = " ".join(reasons)[:500]
    save(found)
    audit.record("leaders.lapse", by=by, target=found, detail={"criteria": problems})
    _tell([found.person, *_officers(found), *queries.ministry()], "lapsed", found)
    return 1


@transaction.atomic
def date_back(designation: Designation, starts: date, *, by: Appointment) -> Designation:
    """Let a term have begun earlier, with the application it rests on; its length stays.

    For whoever has the machine's shell: leaders who were designated before this software, and the
    sample.
    """
    if by.person.email != directory_actions.OPERATOR:
        raise PermissionDenied
    found = held(designation, None)
    back = found.starts - starts
    if back <= timedelta(0):
        return found
    found.starts, found.ends = starts, found.ends - back
    save(found)
    application = found.application
    for name in ("created_at", "submitted_at", "decided_at"):
        at = getattr(application, name)
        setattr(application, name, at - back if at else None)
    for name in ("director_on", "governors_on", "backing_asked_at"):
        on = getattr(application, name)
        setattr(application, name, on - back if on else None)
    # No analysis of that day is on record: today's figures are not what was decided on.
    application.evidence = {}
    application.save()
    for sits in application.panel.all():
        for name in ("asked_at", "no_conflict_at", "said_at"):
            at = getattr(sits, name)
            setattr(sits, name, at - back if at else None)
        sits.save()
    settled(application, "backed", "handed_in", "panel_called", "panel_said", "decided")
    audit.record("leaders.date_back", by=by, target=found, detail={"starts": starts.isoformat()})
    return found


@transaction.atomic
def take_over(
    leader: Appointment,
    *,
    starts: date,
    days: int,
    priorities: Iterable[Priority],
    reason: str,
    by: Appointment,
) -> Designation:
    """Keep a designation made before this software, without a panel of its own.

    For whoever has the machine's shell: a system has leaders on the day it is installed. Where the
    person is in office already, that stays as it is.

    Raises
    ------
    ValidationError
        The appointment names no school, or a term from that day would be over.
    """
    if by.person.email != directory_actions.OPERATOR:
        raise PermissionDenied
    if leader.school is None:
        raise ValidationError(_("This appointment is not at a school."))
    directory_actions.hold_school(leader.school)
    present = queries.live_designation(leader.person)
    if present is not None:
        return present
    ends = criteria.anniversary(starts, criteria.current_criteria().term_years)
    if not starts <= directory.today() < ends:
        raise ValidationError(_("A term from that day does not hold today."))
    at = timezone.make_aware(datetime.combine(starts, time(12)))
    known = {"person": leader.person, "school": leader.school, "grade": Grade.LEADER, "days": days}
    application = Application.objects.create(
        **known, state=Application.State.DESIGNATED, created_at=at, submitted_at=at,
        decided_at=at, decided_by=by.label[:300], reason=reason,
    )  # fmt: skip
    found = Designation.objects.create(**known, application=application, starts=starts, ends=ends)
    application.priorities.set(priorities)
    found.priorities.set(application.priorities.all())
    audit.record("leaders.take_over", by=by, target=found, detail={"starts": starts.isoformat()})
    return found


def warning_of(designation: Designation) -> list[str]:
    """What no longer holds and what would mend it, for a leader who was warned."""
    if designation.warned_at is None or designation.state != State.LIVE:
        return []
    wanted = criteria.current_criteria().years_of_results
    found = criteria.lapsing([designation]).get(designation.pk, [])
    name = designation.school.name
    return [f"{words.lapse_reason(key, name, wanted)} {words.lapse_mend(key)}" for key in found]


def _officers(found: Designation) -> list[Person]:
    return queries.officers_over(found.school)


def _tell(people: Iterable[Person], event: str, found: Designation, **more: str) -> None:
    kind = f"leaders.designation_{event}"
    data = {"designation": found.pk, "school": found.school.name} | more
    notices.notify(people, kind, data, key=f"{kind}:{found.pk}")
