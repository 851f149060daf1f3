"""A designated leader is given a partnership, or lays the office down before the term ends."""

from collections.abc import Iterable
from datetime import date, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from brightspots_web.directory import actions as directory_actions
from brightspots_web.directory import leadership_actions, people_queries
from brightspots_web.directory import leadership_queries as leadership
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Partnership, Person
from brightspots_web.insight import queries as insight
from brightspots_web.leaders import designation_queries as queries
from brightspots_web.leaders import designation_words as words
from brightspots_web.leaders.designation_actions import required
from brightspots_web.leaders.models import Designation, Grade
from brightspots_web.notices import actions as notices
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.permissions import Capability, Role, may

State = Designation.State
LONGEST_WHY = 500


@transaction.atomic
def give_partnership(
    designation: Designation, partnership: Partnership, *, by: Appointment
) -> Appointment:
    """Appoint a designated leader to a partnership that nobody leads. Pressed twice, it is once.

    Where the leader's school is one of its members, the partnership is led from there from then
    on, with the distances of its schools; else it is led from outside and stays as it is.

    Raises
    ------
    ValidationError
        Not a leader in office, somebody leads the partnership already, or the leader another one.
    """
    if not may(by, Capability.APPOINT):
        raise PermissionDenied
    audit.one_at_a_time()  # two officers at once would give a partnership two leaders
    found = held(designation, None)
    school = queries.school_now(found.person_id, found.school)
    if not is_in_office(found) or found.grade != Grade.LEADER or school is None:
        raise ValidationError(_("Only a leader in office, who serves at a school, can lead one."))
    leads = leadership.led_by([found.person_id]).get(found.person_id)
    if leads is not None and leads.partnership_id == partnership.pk:
        return leads
    if leads is not None:
        raise ValidationError(
            _("{person} leads {partnership} already.").format(
                person=found.person, partnership=leads.partnership
            )
        )
    if not leadership.without_leader(by).filter(pk=partnership.pk).exists():
        raise ValidationError(
            _("Somebody leads {partnership} already, or it is not yours to appoint for.").format(
                partnership=partnership
            )
        )
    appointment = directory_actions.appoint(
        found.person, Role.SYSTEM_LEADER, by=by, partnership=partnership, school=school
    )
    members = {each.school_id: each.school for each in directory.memberships_of(partnership)}
    if school.pk in members and partnership.lead_school_id != school.pk:
        km = {key: insight.kilometres(school, each) for key, each in members.items()}
        leadership_actions.lead_from(partnership, school, distances=km, by=by)
    audit.record(
        "leaders.give_partnership", by=by, target=found, detail={"partnership": partnership.code}
    )
    heads = [person for each in members.values() for person in people_queries.heads_of(each)]
    _tell([found.person, *heads], "partnership_led", found, by=by,
          partnership=partnership.code, name=partnership.name)  # fmt: skip
    return appointment


@transaction.atomic
def resign(
    designation: Designation, *, last_day: date, why: str, by: Appointment, seen: int | None
) -> Designation:
    """A leader lays the office down before the term ends, with a last day and a reason.

    The appointment as leader of a partnership ends on that day; the isolation register shows its
    schools as without a leader from then on, and as near to it before. Officers and the ministry
    read the reason; the heads of the partnership are told the day. Support under way goes on.

    Raises
    ------
    OvertakenError
        The designation changed since the page was opened.
    ValidationError
        It has ended or is laid down already, or the last day is past or after the term.
    """
    found = held(designation, seen)
    if found.person_id != by.person_id:
        raise PermissionDenied
    if found.state != State.LIVE or found.ends <= directory.today():
        raise ValidationError(_("This designation has ended, or is laid down already."))
    why = required(why, "why", LONGEST_WHY)
    if last_day < directory.today():
        raise ValidationError({"last_day": _("Choose today or a later day.")})
    if last_day > words.last_day(found):
        raise ValidationError(
            {"last_day": _("The term ends before that day: there is nothing to lay down then.")}
        )
    leads = leadership.led_by([found.person_id]).get(found.person_id)
    if leads is not None and (leads.ends is None or leads.ends > last_day + timedelta(days=1)):
        leadership_actions.lay_down(leads, last_day=last_day, by=by)
    found.state, found.ended_why = State.RESIGNED, why
    found.starts = min(found.starts, last_day)
    found.ends = last_day + timedelta(days=1)
    save(found)
    earlier = Designation.objects.filter(queries.in_office(), person=found.person, state=State.OVER)
    earlier.exclude(pk=found.pk).filter(ends__gt=found.ends).update(ends=found.ends)
    detail = {"last_day": last_day.isoformat(), "partnership": _code(leads)}
    audit.record("leaders.resign", by=by, target=found, detail=detail)
    said = {"day": last_day.isoformat(), "partnership": _code(leads)}
    _tell([*queries.officers_over(found.school), *queries.ministry()], "resigned", found, by=by,
          **said)  # fmt: skip
    if leads is not None and leads.partnership is not None:
        schools = [each.school for each in directory.memberships_of(leads.partnership)]
        heads = [person for each in schools for person in people_queries.heads_of(each)]
        _tell(heads, "leaves", found, by=by, name=leads.partnership.name, **said)
    return found


def is_in_office(designation: Designation) -> bool:
    return designation.starts <= directory.today() < designation.ends


def held(designation: Designation, seen: int | None) -> Designation:
    """The row, held until the transaction ends; refused where it is not the one that was seen."""
    found = (
        Designation.objects.select_for_update(of=("self",), no_key=True)
        .select_related("person", "school__area")
        .get(pk=designation.pk)
    )
    if seen is not None and seen != found.version:
        raise OvertakenError(
            _(
                "This designation changed since you opened the page. What you wrote is still here "
                "and was not saved: look at how it stands, then save yours if it still holds."
            )
        )
    return found


def save(found: Designation) -> None:
    found.version += 1
    found.save()


def _code(leads: Appointment | None) -> str:
    return leads.partnership.code if leads is not None and leads.partnership is not None else ""


def _tell(
    people: Iterable[Person], event: str, found: Designation, *, by: Appointment, **more: str
) -> None:
    """One notice for each of the people but the one who acts; it names the school, nobody."""
    kind = f"leaders.designation_{event}"
    data = {"designation": found.pk, "school": found.school.name} | more
    others = [person for person in people if person.pk != by.person_id]
    notices.notify(others, kind, data, key=f"{kind}:{found.pk}")
