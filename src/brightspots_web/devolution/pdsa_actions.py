"""Planning cycles, writing values down, studying them, and what is done next.

A prediction comes before the values. Once there is one, or the day to study has come, a changed
prediction leaves its trace; so does every value that is corrected or taken out.
"""

from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from math import isfinite

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.alignment.models import Priority
from brightspots_web.devolution import decision_queries as decisions
from brightspots_web.devolution import pdsa_queries as queries
from brightspots_web.devolution.decision_actions import plain, required
from brightspots_web.devolution.models import Decision, Pdsa, PdsaPoint, PdsaTrace
from brightspots_web.directory import queries as directory
from brightspots_web.directory.actions import hold_school
from brightspots_web.directory.models import Appointment, Indicator, Partnership, School
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.permissions import Capability, may

LONGEST = {"title": 160, "test": 2000, "prediction": 1000, "measure": 200}
LONGEST_FOUND = 2000
LONGEST_NEXT = 1000
LONGEST_CYCLE = timedelta(days=366)
MOST_POINTS = 400


@dataclass(frozen=True)
class Plan:
    """A small test, what is predicted, and by what it is judged."""

    title: str
    test: str
    prediction: str
    measure: str
    starts: date
    study_on: date
    unit: str = ""
    up_is_better: bool = True
    priority: Priority | None = None
    indicator: Indicator | None = None
    shared: bool = True


@dataclass(frozen=True)
class Value:
    """A value of the improvement measure on a day."""

    on: date
    value: float
    n: int | None = None
    note: str = ""


@transaction.atomic
def begin(
    partnership: Partnership,
    plan: Plan,
    *,
    by: Appointment,
    school: School | None = None,
    decision: Decision | None = None,
    follows: Pdsa | None = None,
) -> Pdsa:
    """Plan a cycle at one's school, or at all schools of the partnership; sent twice, it is one.

    Raises
    ------
    PermissionDenied
        Somebody who neither speaks for the school nor decides in this partnership.
    ValidationError
        Something is missing, or the days do not fit.
    """
    _check_may_begin(by, partnership, school, follows)
    if decision is not None and decision.partnership_id != partnership.pk:
        raise PermissionDenied
    plan = _checked(plan, school)
    if not decisions.belongs(by, partnership):
        plan = replace(plan, shared=False)  # the partnership that its school has left sees no more
    if by.school is not None:
        hold_school(by.school)
    else:
        audit.one_at_a_time()
    same = queries.same_cycle(partnership, school, plan.title, by.label[:300])
    if same is not None:
        return same
    cycle = Pdsa.objects.create(
        partnership=partnership,
        school=school,
        decision=decision,
        follows=follows,
        by=by.label[:300],
        at=timezone.now(),
        **_fields(plan),
    )
    audit.record("devolution.begin_cycle", by=by, target=cycle)
    return cycle


def _check_may_begin(
    by: Appointment, partnership: Partnership, school: School | None, follows: Pdsa | None
) -> None:
    if not may(by, Capability.DECIDE_TOGETHER):
        raise PermissionDenied
    if school is not None and school.pk != by.school_id:
        raise PermissionDenied
    # A school that has left goes on with what it began, and may follow it up.
    goes_on = (
        follows is not None
        and school is not None
        and queries.is_ours(by, follows)
        and follows.partnership_id == partnership.pk
    )
    if not goes_on and not decisions.belongs(by, partnership):
        raise PermissionDenied
    if follows is None:
        return
    if not queries.may_run(by, follows):
        raise PermissionDenied
    if follows.act != Pdsa.Act.ADAPT:
        raise ValidationError(_("Only a cycle that ended with “adapt” is followed by another."))


@transaction.atomic
def change(cycle: Pdsa, plan: Plan, *, by: Appointment, seen: int | None) -> Pdsa:
    """Change the plan of a cycle that runs; what is shared stays shared.

    Raises
    ------
    OvertakenError
        Somebody else was quicker; nothing is saved.
    """
    found = _held(cycle)
    if not queries.may_run(by, found):
        raise PermissionDenied
    _check_running(found)
    _check_seen(found, seen)
    if queries.left_on(found) is not None:
        raise ValidationError(
            _(
                "Your school has left the partnership in which this was planned. Finish this "
                "cycle; what you want to do otherwise is the plan of the next."
            )
        )
    plan = _checked(plan, found.school)
    if found.shared and not plan.shared:
        raise ValidationError({"shared": _("The partnership has seen it: it stays shared.")})
    if plan.prediction != found.prediction:
        _keep_prediction(found, by)
    if plan.study_on != found.study_on:
        found.reminded = ""
    for name, value in _fields(plan).items():
        setattr(found, name, value)
    found.version += 1
    found.save()
    audit.record("devolution.change_cycle", by=by, target=found)
    return found


def _keep_prediction(cycle: Pdsa, by: Appointment) -> None:
    """Keep what was predicted before, once anybody could know better."""
    values = PdsaPoint.objects.filter(cycle=cycle).count()
    if values or directory.today() >= cycle.study_on:
        PdsaTrace.objects.create(
            cycle=cycle,
            kind=PdsaTrace.Kind.PREDICTION,
            was=cycle.prediction,
            values=values,
            by=by.label[:300],
            at=timezone.now(),
        )


# Values


@transaction.atomic
def add_point(cycle: Pdsa, value: Value, *, by: Appointment) -> PdsaPoint:
    """Write a value down: one a day, of a day that has come.

    Sent twice, the same value is written once; another value of the same day is refused.
    """
    found = _held(cycle)
    if not queries.may_measure(by, found):
        raise PermissionDenied
    _check_running(found)
    value = _checked_value(found, value)
    rows = PdsaPoint.objects.filter(cycle=found)
    there = rows.filter(on=value.on).first()
    if there is not None:
        if there.value == value.value and there.author_id == by.person_id:
            return there
        raise ValidationError(
            {"on": _("There is a value of this day already. Correct it in the table below.")}
        )
    if rows.count() >= MOST_POINTS:
        raise ValidationError(_("This cycle has many values. Study it, and begin another."))
    point = PdsaPoint.objects.create(
        cycle=found,
        by=by.label[:300],
        author=by.person,
        at=timezone.now(),
        **asdict(value),
    )
    audit.record("devolution.add_value", by=by, target=found)
    return point


@transaction.atomic
def correct_point(point: PdsaPoint, value: Value, *, by: Appointment) -> PdsaPoint:
    """Correct a value one wrote, or that one's cycle holds; what it was before is kept."""
    cycle, found = _held_point(point, by)
    value = _checked_value(cycle, value)
    if Value(found.on, found.value, found.n, found.note) == value:
        return found
    _keep_value(found, PdsaTrace.Kind.CORRECTED, by)
    for name, new in asdict(value).items():
        setattr(found, name, new)
    try:
        with transaction.atomic():
            found.save()
    except IntegrityError:
        raise ValidationError({"on": _("There is a value of this day already.")}) from None
    audit.record("devolution.correct_value", by=by, target=cycle)
    return found


@transaction.atomic
def remove_point(point: PdsaPoint, *, by: Appointment) -> None:
    """Take a value out; that it was there, and what it was, is kept."""
    cycle, found = _held_point(point, by)
    _keep_value(found, PdsaTrace.Kind.REMOVED, by)
    found.delete()
    audit.record("devolution.remove_value", by=by, target=cycle)


def _held_point(point: PdsaPoint, by: Appointment) -> tuple[Pdsa, PdsaPoint]:
    cycle = _held(point.cycle)
    found = PdsaPoint.objects.select_for_update(no_key=True).filter(pk=point.pk).first()
    if found is None:
        raise ValidationError(_("Somebody has taken this value out already."))
    _check_running(cycle)
    if not queries.may_correct(by, cycle, found):
        raise PermissionDenied
    return cycle, found


def _keep_value(point: PdsaPoint, kind: str, by: Appointment) -> None:
    PdsaTrace.objects.create(
        cycle=point.cycle,
        kind=kind,
        on=point.on,
        point=point.pk,
        was=repr(point.value),
        by=by.label[:300],
        at=timezone.now(),
    )


# Study and act


@transaction.atomic
def study(
    cycle: Pdsa, *, by: Appointment, found: str, act: str, next_step: str, seen: int | None
) -> Pdsa:
    """Say what was found beside the prediction, and adopt, adapt or abandon.

    Without any value nothing can be adopted; abandoned with a reason it can be, as it was learned
    that it could not be tried so.
    """
    held = _held(cycle)
    if not queries.may_run(by, held):
        raise PermissionDenied
    _check_running(held)
    _check_seen(held, seen)
    held.found = required(found, "found", LONGEST_FOUND)
    if act not in Pdsa.Act.values:
        raise ValidationError({"act": _("Choose one of the three.")})
    if act == Pdsa.Act.ADOPT and not queries.has_points(held):
        raise ValidationError(
            {
                "act": _(
                    "No value was written down, so nobody can see whether it helped. Add a value, "
                    "adapt the plan so that it can be measured, or abandon it and say why."
                )
            }
        )
    held.act, held.next_step = act, required(next_step, "next_step", LONGEST_NEXT)
    held.finished_on = directory.today()
    held.version += 1
    held.save()
    audit.record("devolution.study_cycle", by=by, target=held)
    return held


# What several of them need


def _held(cycle: Pdsa) -> Pdsa:
    rows = Pdsa.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("partnership", "school").get(pk=cycle.pk)


def _check_running(cycle: Pdsa) -> None:
    if cycle.finished_on is not None:
        raise ValidationError(
            _("This cycle is finished: what it says stays. The next cycle can do otherwise.")
        )


def _check_seen(cycle: Pdsa, seen: int | None) -> None:
    if seen is not None and seen != cycle.version:
        raise OvertakenError(
            _(
                "Somebody changed this cycle since you opened it. What you wrote is still here "
                "and was not saved: look at both, then send yours if it still holds."
            )
        )


def _fields(plan: Plan) -> dict[str, object]:
    return {name: getattr(plan, name) for name in plan.__dataclass_fields__}


def _checked(plan: Plan, school: School | None) -> Plan:
    words = {name: required(getattr(plan, name), name, most) for name, most in LONGEST.items()}
    plan = replace(plan, **words, unit=plain(plan.unit)[:60])  # type: ignore[arg-type] # words only
    if plan.study_on <= plan.starts:
        raise ValidationError({"study_on": _("Study it after it has begun.")})
    if plan.study_on - plan.starts > LONGEST_CYCLE:
        raise ValidationError(
            {"study_on": _("That is more than a year. A cycle is short: make it smaller.")}
        )
    if school is None and not plan.shared:
        raise ValidationError({"shared": _("What is tried at all schools, all of them see.")})
    return plan


def _checked_value(cycle: Pdsa, value: Value) -> Value:
    if value.on > directory.today():
        raise ValidationError({"on": _("This day is yet to come.")})
    if value.on < cycle.starts - LONGEST_CYCLE:
        raise ValidationError({"on": _("This is more than a year before the test began.")})
    if not isfinite(value.value):
        raise ValidationError({"value": _("Write a number.")})
    if value.n is not None and value.n < 1:
        raise ValidationError({"n": _("At least one; or leave it empty.")})
    note = plain(value.note)
    if len(note) > 200:
        raise ValidationError({"note": _("Keep it under {n} characters.").format(n=200)})
    return replace(value, note=note)
