"""Applying to lead: begun, written, backed, handed in, withdrawn."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.alignment import queries as alignment
from brightspots_web.alignment.models import Priority
from brightspots_web.directory import queries as directory
from brightspots_web.directory.actions import hold_person, hold_school
from brightspots_web.directory.models import Appointment, Person, School
from brightspots_web.leaders import designation_criteria_queries as criteria
from brightspots_web.leaders import designation_evidence_queries as evidence
from brightspots_web.leaders import designation_queries as queries
from brightspots_web.leaders import designation_words as words
from brightspots_web.leaders.models import Application, Designation, Grade
from brightspots_web.notices import actions as notices
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.permissions import Capability, Role, may
from brightspots_web.shared.words import day

State = Application.State
PREPARED = "leaders.prepare"
"""What the audit trail says of a draft: its writer did something, and not that it is to apply."""
LONGEST_STATEMENT = 4000
LONGEST_WHY = 500
MOST_DAYS = 220
OLDEST = timedelta(days=366 * 60)
BACKED = ("grade", "head_since", "stays_until", "days")
"""What an officer's backing rests on: changed afterwards, it is asked for anew."""


@dataclass(frozen=True)
class Written:
    """What the person says; everything else is known."""

    grade: str
    priorities: Sequence[Priority] = ()
    head_since: date | None = None
    """Only where it lies before what the register knows."""
    stays_until: date | None = None
    days: int = 0
    statement: str = ""
    governors_by: str = ""
    governors_on: date | None = None


@transaction.atomic
def begin(*, by: Appointment, renews: Designation | None = None) -> Application:
    """Begin an application for the school where somebody serves; pressed twice, it is one.

    Parameters
    ----------
    renews
        The person's own designation, where a further term is applied for.

    Raises
    ------
    ValidationError
        The person is in office, and this is no renewal of it.
    """
    if not may(by, Capability.APPLY_TO_LEAD) or by.school is None:
        raise PermissionDenied
    if renews is not None and renews.person_id != by.person_id:
        raise PermissionDenied
    hold_school(by.school)
    hold_person(by.person_id)  # who serves at two schools, or whose decision is reopened meanwhile
    present = queries.open_application(by.person)
    if present is not None:
        return present
    held = queries.live_designation(by.person)
    if renews is None and held is not None and held.state == Designation.State.LIVE:
        raise ValidationError(
            _("You are designated until {day}. Ask for a further term on its page instead.").format(
                day=day(words.last_day(held))
            )
        )
    _check_renewal(renews)
    asked = criteria.current_criteria()
    application = Application(
        person=by.person,
        school=by.school,
        grade=renews.grade if renews else _fitting_grade(by),
        days=renews.days if renews else asked.days,
        renews=renews,
        created_at=timezone.now(),
    )
    application.save(force_insert=True)
    application.priorities.set(_strong_at(by.school, renews))
    audit.record(PREPARED, by=by)
    return application


def _fitting_grade(by: Appointment) -> str:
    return Grade.SPECIALIST if by.role == Role.TEACHER else Grade.LEADER


def _check_renewal(renews: Designation | None) -> None:
    if renews is None:
        return
    if renews.state != Designation.State.LIVE or renews.ends <= directory.today():
        raise ValidationError(_("This designation has ended. Apply anew instead."))
    if queries.followed_by(renews) is not None:
        raise ValidationError(_("The further term is decided already."))


def _strong_at(school: School, renews: Designation | None) -> list[Priority]:
    """Priorities at which the figures name the school, and those of the term that is renewed."""
    live = alignment.live_priorities()
    known = evidence.evidence_of(school, live)["rows"]
    named = {row["priority"] for row in known if row.get("label")}
    before = set(renews.priorities.values_list("code", flat=True)) if renews else set()
    return [each for each in live if each.code in named | before]


@transaction.atomic
def change(
    application: Application, written: Written, *, by: Appointment, seen: int | None
) -> Application:
    """Write a draft. What the officer backed and is changed now, is asked for anew.

    Raises
    ------
    OvertakenError
        It was changed in another window meanwhile; nothing is saved.
    ValidationError
        It is handed in already, or a field says what cannot be.
    """
    found = held(application, seen)
    _check_own_draft(found, by)
    _check(written)
    before = {name: getattr(found, name) for name in BACKED}
    stood_for = set(found.priorities.values_list("pk", flat=True))
    found.grade = written.grade
    found.head_since = written.head_since
    found.stays_until = written.stays_until
    found.days = written.days
    found.statement = _plain(written.statement)
    found.governors_by = _plain(written.governors_by)
    found.governors_on = written.governors_on
    _follow_school(found, by)
    wanted = {each.pk for each in written.priorities}
    rests = any(getattr(found, name) != value for name, value in before.items())
    again = bool(found.director_by) and (rests or wanted != stood_for)
    if again:
        found.director, found.director_by, found.director_on = None, "", None
    _save(found)
    found.priorities.set(written.priorities)
    audit.record(PREPARED, by=by)
    if again:
        tell(queries.officers_over(found.school), "backing_asked", found, by=by)
    return found


def _check(written: Written) -> None:
    problems: dict[str, str] = {}
    today = directory.today()
    if written.grade not in Grade.values:
        problems["grade"] = _("Choose one of the two.")
    if written.grade == Grade.SPECIALIST and not written.priorities:
        problems["priorities"] = _("A specialist names at least one priority.")
    live = {each.pk for each in alignment.live_priorities()}
    if any(each.pk not in live for each in written.priorities):
        problems["priorities"] = _("One of these is no longer a live priority. Choose again.")
    for name in ("head_since", "governors_on"):
        on = getattr(written, name)
        if on is not None and not today - OLDEST <= on <= today:
            problems[name] = _("This day is to come, or too long ago. Check the year.")
    if written.stays_until is not None and written.stays_until > today + OLDEST:
        problems["stays_until"] = _("This is very far ahead. Check the year.")
    if not 1 <= written.days <= MOST_DAYS:
        problems["days"] = _("Choose between 1 and {most} days.").format(most=MOST_DAYS)
    if len(written.statement) > LONGEST_STATEMENT:
        problems["statement"] = _("Keep it under {n} characters.").format(n=LONGEST_STATEMENT)
    if len(written.governors_by) > 200:
        problems["governors_by"] = _("Keep it under {n} characters.").format(n=200)
    if problems:
        raise ValidationError(problems)


def _follow_school(found: Application, by: Appointment) -> None:
    """A draft goes with the person who moved, or whose school is carried on by another."""
    now = queries.school_now(found.person_id, found.school)
    if now is None and by.school is not None:
        now = by.school
    if now is not None:
        found.school = now


@transaction.atomic
def ask_backing(application: Application, *, by: Appointment, seen: int | None) -> Application:
    """Show the draft to the officers over the school, and ask them to back it."""
    found = held(application, seen)
    _check_own_draft(found, by)
    if found.backing_asked_at is not None:
        return found
    found.backing_asked_at = timezone.now()
    _save(found)
    audit.record("leaders.ask_backing", by=by, target=found)
    tell(queries.officers_over(found.school), "backing_asked", found, by=by)
    return found


@transaction.atomic
def back(application: Application, *, by: Appointment, seen: int | None) -> Application:
    """Back an application for the district's director. Whoever backs does not sit on its panel."""
    found = held(application, seen)
    if not queries.may_back(by, found):
        raise PermissionDenied
    if found.state != State.DRAFT:
        raise ValidationError(_("It is handed in already."))
    if found.director_by:
        return found
    found.director, found.director_by = by.person, by.label[:300]
    found.director_on = directory.today()
    _save(found)
    audit.record("leaders.back_application", by=by, target=found)
    settled(found, "backing_asked")
    tell([found.person], "backed", found, by=by)
    return found


@transaction.atomic
def take_without(
    application: Application, keys: Iterable[str], *, why: str, by: Appointment, seen: int | None
) -> Application:
    """The ministry takes an application without some of what is asked, and says why.

    The applicant and the panel read the reason. That somebody serves at a school cannot be left
    out: a leader who serves nowhere cannot lead.
    """
    if not may(by, Capability.SET_LEADERS):
        raise PermissionDenied
    found = held(application, seen)
    if by.person_id == found.person_id:
        raise PermissionDenied
    if found.state != State.DRAFT or found.backing_asked_at is None:
        raise ValidationError(_("Only what waits to be handed in can be taken without."))
    wanted = set(keys)
    open_ones = {each.key for each in criteria.missing(found)} - {"serves"}
    if not wanted or not wanted <= open_ones:
        raise ValidationError({"keys": _("Choose among the criteria that are missing.")})
    why = required(why, "why", LONGEST_WHY)
    said = {"why": why, "by": by.label[:300], "on": directory.today().isoformat()}
    found.exceptions = found.exceptions | dict.fromkeys(sorted(wanted), said)
    _save(found)
    detail = {"criteria": sorted(wanted)}  # the reason is for the applicant and the panel
    audit.record("leaders.take_without", by=by, target=found, detail=detail)
    tell([found.person], "taken_without", found, by=by)
    return found


@transaction.atomic
def hand_in(application: Application, *, by: Appointment, seen: int | None) -> Application:
    """Hand a draft in: what the figures say and which criteria are met goes on record as it is.

    Raises
    ------
    ValidationError
        Something is missing; each criterion that is, is named.
    """
    found = held(application, seen)
    if found.state != State.DRAFT and found.person_id == by.person_id and found.submitted_at:
        return found  # pressed twice
    _check_own_draft(found, by)
    _follow_school(found, by)
    lacking = [words.check(each, found) for each in criteria.missing(found)]
    if found.grade == Grade.SPECIALIST and not found.priorities.exists():
        lacking.append(_("A specialist names at least one priority."))
    if not found.statement.strip():
        lacking.append(_("Write a few words on why you would like to lead."))
    if lacking:
        raise ValidationError(lacking)
    found.state, found.submitted_at = State.SUBMITTED, timezone.now()
    found.evidence = evidence.evidence_of(found.school)
    found.criteria = criteria.frozen(found)
    _save(found)
    detail = {"exceptions": sorted(found.exceptions), "run": found.evidence["run"]}
    audit.record("leaders.hand_in", by=by, target=found, detail=detail)
    tell([*queries.ministry(), *queries.officers_over(found.school)], "handed_in", found, by=by)
    return found


@transaction.atomic
def withdraw(application: Application, *, by: Appointment, seen: int | None) -> Application:
    """The person takes the application back; nothing follows from it, and another may be begun."""
    found = held(application, seen)
    if found.person_id != by.person_id:
        raise PermissionDenied
    if found.state not in queries.OPEN:
        raise ValidationError(_("There is nothing to take back: it is decided or withdrawn."))
    settled(found, "backing_asked", "handed_in", "panel_called", "panel_said")
    shown = found.backing_asked_at is not None or found.submitted_at is not None
    found.state = State.WITHDRAWN
    _save(found)
    audit.record("leaders.withdraw_application", by=by, target=found)
    if shown:
        told = [*queries.officers_over(found.school), *panel_of(found)]
        told += queries.ministry() if found.submitted_at else []
        tell(told, "withdrawn", found, by=by)
    return found


# What several of them need


def held(application: Application, seen: int | None) -> Application:
    """The row, held until the transaction ends; refused where it is not the one that was seen."""
    found = (
        Application.objects.select_for_update(of=("self",), no_key=True)
        .select_related("person", "school__area", "renews")
        .get(pk=application.pk)
    )
    if seen is not None and seen != found.version:
        raise OvertakenError(
            _(
                "This application was changed since you opened the page, here or in another "
                "window. What you wrote is still here and was not saved: look at the application, "
                "then save yours if it still holds."
            )
        )
    return found


def panel_of(application: Application) -> list[Person]:
    """Who sits on its panel and is not set aside."""
    sits = application.panel.filter(conflict="").select_related("person")
    return [each.person for each in sits]


def required(text: str, name: str, most: int) -> str:
    text = _plain(text)
    if not text:
        raise ValidationError({name: _("Say it in a few words.")})
    if len(text) > most:
        raise ValidationError({name: _("Keep it under {n} characters.").format(n=most)})
    return text


def tell(
    people: Iterable[Person], event: str, application: Application, *, by: Appointment,
    more: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    """One notice for each of the people but the one who acts; it names the school, nobody."""
    kind = f"leaders.application_{event}"
    data = {"application": application.pk, "school": application.school.name} | (more or {})
    others = [person for person in people if person.pk != by.person_id]
    notices.notify(others, kind, data, key=f"{kind}:{application.pk}")


def settled(
    application: Application, *events: str, person: Person | None = None
) -> None:  # fmt: skip
    """Nobody is asked any longer for what is done."""
    kinds = [f"leaders.application_{event}:{application.pk}" for event in events]
    notices.settle(kinds, person=person)


def _check_own_draft(found: Application, by: Appointment) -> None:
    if found.person_id != by.person_id or not may(by, Capability.APPLY_TO_LEAD):
        raise PermissionDenied
    if found.state != State.DRAFT:
        raise ValidationError(_("It is handed in: its words stand as they are."))


def _save(found: Application) -> None:
    found.version += 1
    found.save()


def _plain(text: str) -> str:
    return text.replace("\0", "").strip()
