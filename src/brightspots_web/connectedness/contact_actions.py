"""All writes about contacts, steps against isolation, their settings and the daily count."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.connectedness import contact_definition_queries as definition
from brightspots_web.connectedness import contact_queries as queries
from brightspots_web.connectedness.contact_definition_queries import Counts
from brightspots_web.connectedness.models import (
    ConnectednessSettings,
    Contact,
    IsolationCount,
    IsolationStep,
)
from brightspots_web.directory import queries as directory
from brightspots_web.directory.actions import hold_school
from brightspots_web.directory.models import Appointment, Partnership, Person, School
from brightspots_web.notices import actions as notices
from brightspots_web.notices import queries as notice_queries
from brightspots_web.shared import audit
from brightspots_web.shared.permissions import Capability, may

STEP_GIVEN = "connectedness.step_given"
NEAR_ISOLATION = "connectedness.near_isolation"
TELL_AGAIN = timedelta(days=30)
"""A leader is not told of the same schools again within so long."""
OLDEST, FARTHEST = timedelta(days=3660), timedelta(days=731)
"""A day further back, or a step further ahead, is a slip of the hand."""


@transaction.atomic
def record_contact(
    school: School, kind: str, *, by: Appointment, on: date | None = None, note: str = ""
) -> Contact:
    """Write down that somebody was in touch with a school: a visit or a call.

    Raises
    ------
    ValidationError
        The day is to come, or the same was written down already.
    """
    _check_school(school, by)
    day = _past(on)
    if kind not in {Contact.Kind.VISIT, Contact.Kind.CALL}:
        raise ValidationError(_("Choose a visit or a call."))
    audit.one_at_a_time()  # the same form sent twice is one contact
    contact = Contact(
        school=school, kind=kind, on=day, note=note.strip(), by=by.label[:300], at=timezone.now()
    )
    if _written(contact):
        raise ValidationError(_("You wrote this down already."))
    contact.full_clean()
    contact.save()
    audit.record(
        "connectedness.record_contact",
        by=by,
        target=school,
        detail={"kind": kind, "on": day.isoformat()},
    )
    return contact


@transaction.atomic
def record_meeting(
    partnership: Partnership,
    present: Sequence[School],
    *,
    by: Appointment,
    on: date | None = None,
    note: str = "",
) -> list[Contact]:
    """Write down a meeting of a partnership: one contact for each school that was there.

    A school whose presence on that day is on record already is not counted twice.

    Raises
    ------
    ValidationError
        The day is to come, no school was there, or all of it is on record already.
    """
    allowed = {school.pk for school in queries.members_to_record(by, partnership)}
    if not {school.pk for school in present} <= allowed:
        raise PermissionDenied
    day = _past(on)
    if not present:
        raise ValidationError(_("Tick the schools that were there."))
    audit.one_at_a_time()
    there = queries.at_meeting(partnership, day)
    now = timezone.now()
    made = [
        Contact(
            school=school, kind=Contact.Kind.MEETING, on=day, partnership=partnership,
            note=note.strip(), by=by.label[:300], at=now,
        )
        for school in present
        if school.pk not in there
    ]  # fmt: skip
    if not made:
        raise ValidationError(_("This meeting was written down already, with these schools."))
    for each in made:
        each.full_clean()
    Contact.objects.bulk_create(made)
    audit.record(
        "connectedness.record_meeting",
        by=by,
        target=partnership,
        detail={"on": day.isoformat(), "schools": [school.code for school in present]},
    )
    return made


@transaction.atomic
def take_back_contact(contact: Contact, *, by: Appointment) -> None:
    """Remove a contact that was written down by mistake; the audit trail keeps that it was there.

    Only for the person who wrote it down, and not for days of support: these come from the
    support's own log.
    """
    rows = Contact.objects.select_for_update(of=("self",), no_key=True).select_related("school")
    found = rows.filter(pk=contact.pk).first()
    if found is None:
        raise ValidationError(_("This was taken back already."))
    _check_school(found.school, by)
    if found.by != by.label[:300] or found.kind == Contact.Kind.SUPPORT:
        raise PermissionDenied
    audit.record(
        "connectedness.take_back_contact",
        by=by,
        target=found.school,
        detail={"kind": found.kind, "on": found.on.isoformat()},
    )
    found.delete()


@transaction.atomic
def add_step(
    school: School, *, by: Appointment, owner: Person, what: str, due: date
) -> IsolationStep:
    """Say what will be done so that a school is not alone, by whom and by when; tell that person.

    Raises
    ------
    ValidationError
        No words, a day that is past, or an owner who does not answer for the school.
    """
    _check_school(school, by)
    if due < directory.today():
        raise ValidationError({"due": _("This day is past. Say by when it will be done.")})
    if due > directory.today() + FARTHEST:
        raise ValidationError({"due": _("This is more than two years away. Check the year.")})
    if owner not in queries.owners_for(school, by):
        raise ValidationError({"owner": _("Choose one of those who answer for this school.")})
    hold_school(school)
    same = IsolationStep.objects.filter(
        school=school, owner=owner, what=what.strip(), due=due, by=by.label[:300], done_on=None
    ).first()
    if same is not None:
        return same  # sent twice
    step = IsolationStep(
        school=school, owner=owner, owner_name=str(owner)[:300], what=what.strip(), due=due,
        by=by.label[:300], at=timezone.now(),
    )  # fmt: skip
    step.full_clean()
    step.save()
    audit.record(
        "connectedness.add_step",
        by=by,
        target=school,
        detail={"what": step.what, "owner": step.owner_name, "due": due.isoformat()},
    )
    if owner.pk != by.person_id:
        notices.notify([owner], STEP_GIVEN, {"step": step.pk}, key=f"step {step.pk}")
    return step


@transaction.atomic
def finish_step(
    step: IsolationStep, *, by: Appointment, outcome: str, on: date | None = None
) -> IsolationStep:
    """Say that a step was taken, and what came of it.

    Raises
    ------
    ValidationError
        No outcome, a day to come, or somebody else has just finished it.
    """
    found = (
        IsolationStep.objects.select_for_update(no_key=True)
        .select_related("school")
        .get(pk=step.pk)
    )
    _check_school(found.school, by)
    if found.done_on is not None:
        raise ValidationError(
            _("In the meantime this step was marked as done: {outcome}").format(
                outcome=found.outcome
            )
        )
    if not outcome.strip():
        raise ValidationError({"outcome": _("Say in a few words what came of it.")})
    found.done_on, found.outcome = _past(on), outcome.strip()
    found.full_clean()
    found.save(update_fields=["done_on", "outcome"])
    audit.record(
        "connectedness.finish_step",
        by=by,
        target=found.school,
        detail={"what": found.what, "outcome": found.outcome},
    )
    return found


@dataclass(frozen=True)
class Wanted:
    """What the ministry sets about connectedness."""

    contact_days: int
    caseload_cap: int
    leader_days: int
    support_km: int = 60
    """Farthest that a school is suggested to another for support, in km."""


@transaction.atomic
def change_settings(
    wanted: Wanted, *, by: Appointment, seen: Wanted | None = None
) -> ConnectednessSettings:
    """Set what holds for the whole system, and count anew where the days without contact change.

    `seen` is what the form showed: what somebody else set meanwhile is not overwritten silently.

    Raises
    ------
    ValidationError
        A number out of its range, or the settings were changed meanwhile.
    """
    if not may(by, Capability.SET_CONNECTEDNESS):
        raise PermissionDenied
    audit.one_at_a_time()
    found = definition.current_settings()
    before = Wanted(found.contact_days, found.caseload_cap, found.leader_days, found.support_km)
    if seen is not None and seen != before:
        raise ValidationError(
            _("In the meantime {who} changed these. Look at them and save again.").format(
                who=found.changed_by
            )
        )
    found.contact_days = wanted.contact_days
    found.caseload_cap = wanted.caseload_cap
    found.leader_days = wanted.leader_days
    found.support_km = wanted.support_km
    _check_range(found)
    found.changed_by, found.changed_at = by.label[:300], timezone.now()
    found.full_clean()
    found.save()
    audit.record(
        "connectedness.change_settings",
        by=by,
        detail={"before": before.__dict__, "after": wanted.__dict__},
    )
    if before.contact_days != wanted.contact_days:
        count_isolation()
    return found


def _check_range(found: ConnectednessSettings) -> None:
    if not 7 <= found.contact_days <= 365:
        raise ValidationError({"contact_days": _("Choose between 7 and 365 days.")})
    if not 1 <= found.caseload_cap <= 40:
        raise ValidationError({"caseload_cap": _("Choose between 1 and 40 schools.")})
    if not 1 <= found.leader_days <= 220:
        raise ValidationError({"leader_days": _("Choose between 1 and 220 days.")})
    if not 5 <= found.support_km <= 1000:
        raise ValidationError({"support_km": _("Choose between 5 and 1000 km.")})


def count_and_tell() -> None:
    """The worker's hourly work: today's counts anew, and word to leaders of schools near it."""
    count_isolation()
    tell_leaders()


@transaction.atomic
def count_isolation(on: date | None = None) -> int:
    """Count the isolated schools of the whole system and of each area; return how many there are.

    The counts of a day replace those taken earlier that day, so it may run as often as is handy.

    Parameters
    ----------
    on : date, optional
        Today when it is not said. A day that is past is counted from what is on record now, as if
        the settings had been the same; for the command line and the sample.
    """
    audit.one_at_a_time()
    by = definition.rules(on)
    totals: dict[int | None, Counts] = {None: Counts()}
    for path, here in queries.counts_of_system(by).items():
        for key in (None, *map(int, path.strip("/").split("/"))):
            totals[key] = totals.get(key, Counts()) + here
    IsolationCount.objects.filter(on=by.on).delete()
    IsolationCount.objects.bulk_create(
        [IsolationCount(on=by.on, area_id=key, **each.__dict__) for key, each in totals.items()],
        batch_size=2000,
    )
    return totals[None].isolated


@transaction.atomic
def tell_leaders() -> int:
    """Tell each leader which schools of the partnership are one step from isolation.

    The same schools are not told again within a month; how often a message goes out is each
    leader's own choice.
    """
    by = definition.rules()
    found = queries.near_by_partnership(by)
    since = timezone.now() - TELL_AGAIN
    told = notice_queries.told_since(NEAR_ISOLATION, since)
    number = 0
    for each in found:
        key = f"{each.partnership.code}: {','.join(str(pk) for pk, *_ in sorted(each.schools))}"
        people = [person for person in each.leaders if (person.pk, key[:200]) not in told]
        data = {
            "partnership": each.partnership.code,
            "name": each.partnership.name,
            "schools": [name for _pk, _code, name in each.schools],
        }
        number += notices.notify(people, NEAR_ISOLATION, data, key=key[:200])
    return number


def _past(on: date | None) -> date:
    today = directory.today()
    day = on or today
    if day > today:
        raise ValidationError({"on": _("This day is to come. Write it down once it has happened.")})
    if day < today - OLDEST:
        raise ValidationError({"on": _("This is more than ten years ago. Check the year.")})
    return day


def _written(contact: Contact) -> bool:
    return Contact.objects.filter(
        school=contact.school, kind=contact.kind, on=contact.on, by=contact.by, note=contact.note
    ).exists()


def _check_school(school: School, by: Appointment) -> None:
    if not queries.schools_to_record(by).filter(pk=school.pk).exists():
        raise PermissionDenied
