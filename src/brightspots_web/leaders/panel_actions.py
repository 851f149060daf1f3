"""The panel: called, declared free, heard, and the decision."""

from dataclasses import dataclass
from datetime import date

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.directory import queries as directory
from brightspots_web.directory.actions import hold_person
from brightspots_web.directory.models import Appointment, Person, School
from brightspots_web.leaders import designation_criteria_queries as criteria
from brightspots_web.leaders import designation_queries as designations
from brightspots_web.leaders import panel_queries as queries
from brightspots_web.leaders import panel_words as words
from brightspots_web.leaders.designation_actions import (
    held,
    panel_of,
    required,
    settled,
    tell,
)
from brightspots_web.leaders.models import Application, Designation, PanelMember
from brightspots_web.shared import audit
from brightspots_web.shared.permissions import Capability, may

State = Application.State
LONGEST = 2000
LONGEST_CONFLICT = 300


@dataclass(frozen=True)
class Decision:
    """What the ministry decides on the panel's views, for the person to read."""

    designated: bool
    reason: str
    next_steps: str = ""
    """What would make it a yes; needed for "not yet"."""
    caseload: int | None = None


@transaction.atomic
def call(
    application: Application, person: Person, *, by: Appointment, seen: int | None
) -> PanelMember:
    """Call somebody to the panel. Refused where something binds them, and what does is named.

    The panel's members are called by the ministry among all who hold an appointment today.
    """
    if not may(by, Capability.SET_LEADERS):
        raise PermissionDenied
    found = held(application, seen)
    if found.state not in {State.SUBMITTED, State.PANEL}:
        raise ValidationError(_("A panel looks at what is handed in and not decided yet."))
    if not directory.people_with_appointments().filter(pk=person.pk).exists():
        raise ValidationError(_("This person holds no appointment today."))
    present = found.panel.filter(person=person).first()
    if present is not None:
        return present
    binds = queries.bindings(found, person)
    if binds:
        raise ValidationError(
            _("{person} cannot sit on this panel: {why}.").format(
                person=person, why=words.bindings(binds)
            )
        )
    member = PanelMember.objects.create(
        application=found, person=person, asked_by=by.label[:300], asked_at=timezone.now()
    )
    if found.state == State.SUBMITTED:
        found.state = State.PANEL
        _save(found)
    audit.record("leaders.call_to_panel", by=by, target=found, detail={"person": person.pk})
    settled(found, "handed_in")
    tell([person], "panel_called", found, by=by)
    return member


@transaction.atomic
def take_off(member: PanelMember, *, by: Appointment) -> None:
    """Somebody who has said nothing yet does not sit on the panel after all."""
    if not may(by, Capability.SET_LEADERS):
        raise PermissionDenied
    found, sits = _held(member)
    if sits.said_at is not None:
        raise ValidationError(
            _("A view is said already: set the member aside if something binds them.")
        )
    detail = {"person": sits.person_id}
    sits.delete()
    audit.record("leaders.take_off_panel", by=by, target=found, detail=detail)


@transaction.atomic
def declare_free(member: PanelMember, *, by: Appointment) -> PanelMember:
    """A member declares that nothing binds them; the system looks as well, and says if it does."""
    found, sits = _held_by_member(member, by)
    if sits.no_conflict_at is not None or sits.conflict:
        return sits
    binds = queries.bindings(found, sits.person)
    if binds:
        return _set_aside(found, sits, words.bindings(binds), by=by)
    sits.no_conflict_at = timezone.now()
    sits.save()
    audit.record("leaders.declare_free", by=by, target=found, detail={"person": sits.person_id})
    return sits


@transaction.atomic
def declare_bound(member: PanelMember, *, why: str, by: Appointment) -> PanelMember:
    """A member says what binds them, and does not decide on this application."""
    found, sits = _held_by_member(member, by)
    why = required(why, "why", LONGEST_CONFLICT)
    return sits if sits.conflict else _set_aside(found, sits, why, by=by)


@transaction.atomic
def say(member: PanelMember, view: str, *, reason: str, by: Appointment) -> PanelMember:
    """A member says a view with its reason, once: the others' can be read from then on.

    Raises
    ------
    ValidationError
        Nothing was declared yet, something binds the member, or a view is said already.
    """
    found, sits = _held_by_member(member, by)
    if found.state != State.PANEL:
        raise ValidationError(_("The panel is not asked for a view now: it is decided."))
    if sits.conflict or sits.no_conflict_at is None:
        raise ValidationError(_("Say first whether something binds you to this application."))
    if sits.said_at is not None:
        if (sits.view, sits.reason) == (view, reason.strip()):
            return sits
        raise ValidationError(_("Your view is said, and the others' can be read: it stands."))
    if view not in PanelMember.View.values:
        raise ValidationError({"view": _("Choose one of the two.")})
    reason = required(reason, "reason", LONGEST)
    binds = queries.bindings(found, sits.person)
    if binds:
        return _set_aside(found, sits, words.bindings(binds), by=by)
    sits.view, sits.reason, sits.said_at = view, reason, timezone.now()
    sits.save()
    _save(found)  # whoever decides on a page without this view is told so
    audit.record("leaders.say_view", by=by, target=found, detail={"person": sits.person_id})
    settled(found, "panel_called", person=sits.person)
    if not queries.lacking(found):
        tell(designations.ministry(), "panel_said", found, by=by)
    return sits


@transaction.atomic
def set_aside(member: PanelMember, *, why: str, by: Appointment) -> PanelMember:
    """Something that binds a member comes to light: their view is kept and counts no longer.

    Before a decision it waits until enough others have said theirs. After one, where too few
    views are left to carry it, the panel decides anew; until then what was decided holds, as the
    applicant did nothing wrong.
    """
    if not may(by, Capability.SET_LEADERS):
        raise PermissionDenied
    found, sits = _held(member)
    why = required(why, "why", LONGEST_CONFLICT)
    return sits if sits.conflict else _set_aside(found, sits, why, by=by)


def _set_aside(found: Application, sits: PanelMember, why: str, *, by: Appointment) -> PanelMember:
    sits.conflict, sits.set_aside_at = why[:LONGEST_CONFLICT], timezone.now()
    sits.save()
    _save(found)
    detail = {"person": sits.person_id, "had_said": bool(sits.said_at)}  # why stays on the panel
    audit.record("leaders.set_aside", by=by, target=found, detail=detail)
    settled(found, "panel_called", person=sits.person)
    tell([sits.person, *designations.ministry()], "panel_set_aside", found, by=by)
    decided = found.state in {State.DESIGNATED, State.NOT_YET}
    if decided and sits.said_at is not None and queries.lacking(found):
        _reopen(found, by=by)
    return sits


def _reopen(found: Application, *, by: Appointment) -> None:
    if designations.open_application(found.person) is not None:
        # Since then the person has applied anew: that application is the one to decide.
        audit.record("leaders.not_reopened", by=by, target=found)
        return
    found.state, found.reopened_at = State.PANEL, timezone.now()
    found.reopened_why = _("A view that the decision rested on no longer counts.")
    _save(found)
    audit.record("leaders.reopen", by=by, target=found)
    tell([found.person, *panel_of(found), *designations.ministry()], "reopened", found, by=by)


def decide(
    application: Application, decision: Decision, *, by: Appointment, seen: int | None
) -> Application:
    """Decide on an application, on the views of as many members as are asked for.

    What binds a member by now is looked for first, and stays on record even where the decision is
    refused for it.

    Raises
    ------
    OvertakenError
        Somebody else changed or decided it meanwhile.
    ValidationError
        Too few views count, no reason is given, something binds whoever decides, or the person
        serves at no school any longer.
    """
    if not may(by, Capability.SET_LEADERS):
        raise PermissionDenied
    look_again(application, by=by)
    return _decide(application, decision, by=by, seen=seen)


@transaction.atomic
def look_again(application: Application, *, by: Appointment) -> list[PanelMember]:
    """Set aside whom something binds by now; gives whom."""
    if not may(by, Capability.SET_LEADERS):
        raise PermissionDenied
    found = held(application, None)
    if found.state != State.PANEL:
        return []
    free = [each for each in queries.members_of(found) if not each.conflict]
    binds = queries.bindings_of_all(found, [each.person for each in free])
    bound = [each for each in free if binds[each.person_id]]
    for each in bound:
        _set_aside(found, each, words.bindings(binds[each.person_id]), by=by)
    return bound


@transaction.atomic
def _decide(
    application: Application, decision: Decision, *, by: Appointment, seen: int | None
) -> Application:
    found = held(application, seen)
    if found.state != State.PANEL:
        raise ValidationError(_("Only what is with the panel can be decided."))
    binds = queries.bindings(found, by.person)
    if binds:
        raise ValidationError(
            _("Somebody else in the ministry decides on this application: {why}.").format(
                why=words.bindings(binds)
            )
        )
    lacking = queries.lacking(found)
    if lacking:
        raise ValidationError(
            _("The decision waits for the views of {n} more on the panel.").format(n=lacking)
        )
    reason = required(decision.reason, "reason", LONGEST)
    next_steps = "" if decision.designated else required(decision.next_steps, "next_steps", LONGEST)
    found.state = State.DESIGNATED if decision.designated else State.NOT_YET
    found.reason, found.next_steps = reason, next_steps
    found.decided_at, found.decided_by = timezone.now(), by.label[:300]
    found.reopened_at, found.reopened_why = None, ""
    _save(found)
    _follow(found, decision, by=by)
    audit.record("leaders.decide", by=by, target=found, detail=_tally(found))
    settled(found, "handed_in", "panel_called", "panel_said", "reopened")
    told = [found.person, *panel_of(found), *designations.officers_over(found.school)]
    tell(told, "decided", found, by=by)
    return found


def _tally(found: Application) -> dict[str, object]:
    views = [each.view for each in queries.counted(found)]
    return {
        "result": found.state,
        "ready_now": views.count(PanelMember.View.YES),
        "not_yet": views.count(PanelMember.View.NOT_YET),
    }


def _follow(found: Application, decision: Decision, *, by: Appointment) -> None:
    """Make the designation, or let one that is decided anew go on or end."""
    present = Designation.objects.filter(application=found).first()
    if decision.designated:
        if present is None:
            _designate(found, decision.caseload, by=by)
        return
    if present is not None and present.state == Designation.State.LIVE:
        present.state = Designation.State.LAPSED
        present.ends = min(present.ends, directory.today() + designations.LEFT_TO_MEND)
        present.ended_why = _("The panel decided anew.")
        present.version += 1
        present.save()
        audit.record("leaders.end_designation", by=by, target=present)


def _designate(found: Application, caseload: int | None, *, by: Appointment) -> Designation:
    school = designations.school_now(found.person_id, found.school)
    if school is None or not found.person.is_active:
        raise ValidationError(
            _(
                "{person} serves neither at {school} nor at a school that carries on its work. "
                "Decide once that is clear."
            ).format(person=found.person, school=found.school)
        )
    starts = _first_day(found, school)
    designation = Designation.objects.create(
        person=found.person,
        school=school,
        grade=found.grade,
        application=found,
        days=found.days,
        caseload=caseload,
        starts=starts,
        ends=criteria.anniversary(starts, criteria.current_criteria().term_years),
    )
    designation.priorities.set(found.priorities.all())
    audit.record("leaders.designate", by=by, target=designation)
    return designation


def _first_day(found: Application, school: School) -> date:
    """Today; of a further term, the day on which the one before ends."""
    today = directory.today()
    present = designations.live_designation(found.person)
    if present is None:
        return today
    if present.state == Designation.State.LIVE:
        # One row at most is "in office" without an end but its term's: this one now has a follower.
        present.state = Designation.State.OVER
        present.version += 1
        present.save()
    return max(present.ends, today)


def _held(member: PanelMember) -> tuple[Application, PanelMember]:
    """The application and the seat, held until the transaction ends; always in this order.

    The applicant before both: what is decided may be reopened, and they begin nothing meanwhile.
    """
    hold_person(member.application.person_id)
    found = held(member.application, None)
    sits = PanelMember.objects.select_for_update(of=("self",), no_key=True).select_related("person")
    seat = sits.filter(pk=member.pk).first()
    if seat is None:
        raise ValidationError(_("This person no longer sits on the panel."))
    return found, seat


def _held_by_member(member: PanelMember, by: Appointment) -> tuple[Application, PanelMember]:
    if member.person_id != by.person_id:
        raise PermissionDenied
    return _held(member)


def _save(found: Application) -> None:
    found.version += 1
    found.save()
