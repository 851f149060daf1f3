"""Changing a live priority: its aim, its driver diagram, by what it is measured."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from math import isfinite
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from brightspots_web.alignment import driver_outline
from brightspots_web.alignment import living_queries as queries
from brightspots_web.alignment.living_queries import Published
from brightspots_web.alignment.models import Priority, PriorityIndicator
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Indicator
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.permissions import Capability, may

LONGEST = {"how_good": 300, "for_whom": 300, "n_of": 60, "source": 300}


@dataclass(frozen=True)
class Aim:
    """How good, for whom, by when."""

    how_good: str = ""
    for_whom: str = ""
    by_when: date | None = None


@dataclass(frozen=True)
class Baseline:
    """Where an indicator stood, how sure that is, and who says so."""

    baseline: float | None = None
    lower: float | None = None
    upper: float | None = None
    n: int | None = None
    n_of: str = ""
    as_of: date | None = None
    source: str = ""


@transaction.atomic
def set_aim(priority: Priority, aim: Aim, *, by: Appointment, seen: int | None) -> Priority:
    """Say how good it shall be, for whom, by when.

    Parameters
    ----------
    seen
        The version the person had before them; None to take whatever is there.

    Raises
    ------
    OvertakenError
        Somebody else was quicker; nothing is saved.
    """
    found = _held(priority, by, seen)
    aim = Aim(
        _short(aim.how_good, "how_good"), _short(aim.for_whom, "for_whom"), aim.by_when
    )  # fmt: skip
    if aim.by_when is not None and aim.by_when != found.by_when and aim.by_when < directory.today():
        raise ValidationError({"by_when": _("This day is past: an aim lies ahead.")})
    before = {name: getattr(found, name) for name in asdict(aim)}
    if before == asdict(aim):
        return found
    return _changed(found, "alignment.set_aim", asdict(aim), before, by)


@transaction.atomic
def set_drivers(priority: Priority, text: str, *, by: Appointment, seen: int | None) -> Priority:
    """Write down what drives a priority; kept without bullets and empty lines.

    Raises
    ------
    ValidationError
        For lines that cannot be read, with their numbers.
    """
    found = _held(priority, by, seen)
    try:
        outline = driver_outline.tidy(text)
    except ValidationError as problem:
        raise ValidationError({"drivers": problem.messages}) from problem
    longest = Priority._meta.get_field("drivers").max_length or 0
    if len(outline) > longest:
        raise ValidationError(
            {"drivers": _("Keep it under {n} characters in all.").format(n=longest)}
        )
    if outline == found.drivers:
        return found
    now, before = {"drivers": outline}, {"drivers": found.drivers}
    return _changed(found, "alignment.set_drivers", now, before, by)


@transaction.atomic
def measure_by(priority: Priority, indicator: Indicator, *, by: Appointment) -> PriorityIndicator:
    """Measure a priority by one more indicator. Pressed twice, it is measured once."""
    found = _held(priority, by, None)
    measure, made = PriorityIndicator.objects.get_or_create(priority=found, indicator=indicator)
    if made:
        detail = {"indicator": indicator.code, "purpose": indicator.purpose}
        audit.record("alignment.measure_by", by=by, target=found, detail=detail)
    return measure


@transaction.atomic
def stop_measuring(measure: PriorityIndicator, *, by: Appointment, seen: int | None) -> None:
    """No longer measure a priority by an indicator; its baseline is kept in the audit trail."""
    found = _held_measure(measure, by, seen)
    detail = _measured(found)
    priority = found.priority
    found.delete()
    audit.record("alignment.stop_measuring", by=by, target=priority, detail=detail)


@transaction.atomic
def set_baseline(
    measure: PriorityIndicator, baseline: Baseline, *, by: Appointment, seen: int | None
) -> PriorityIndicator:
    """Write down where an indicator stood, with what stands behind it; the old one is audited."""
    found = _held_measure(measure, by, seen)
    return _rebased(found, _checked(baseline), "", "alignment.set_baseline", by)


@transaction.atomic
def take_published(
    measure: PriorityIndicator, figure: str, *, by: Appointment, seen: int | None
) -> PriorityIndicator:
    """Take the baseline from the newest published analysis; the old one is audited.

    Raises
    ------
    ValidationError
        Where no published analysis gives this figure.
    """
    found = _held_measure(measure, by, seen)
    offered = queries.published_figures(found.priority.subject)
    published = next((each for each in offered if each.figure == figure), None)
    if published is None:
        raise ValidationError(_("No published analysis gives this figure at present."))
    return _rebased(found, as_baseline(published), figure, "alignment.take_published", by)


def as_baseline(published: Published) -> Baseline:
    """A published figure as a baseline; its source names the analysis it comes from."""
    counted = {"pupils": _("pupils"), "schools": _("schools")}[published.n_of]
    year = _(", results of {year}").format(year=published.year) if published.year else ""
    return Baseline(
        published.value,
        published.lower,
        published.upper,
        published.n,
        counted,
        published.as_of,
        _("Published analysis {run}{year}").format(run=published.run.uuid, year=year),
    )


# What several of them need


def _held(priority: Priority, by: Appointment, seen: int | None) -> Priority:
    """The row, held until the transaction ends; refused where it is not the one that was seen."""
    if not may(by, Capability.SET_PRIORITIES):
        raise PermissionDenied
    found = Priority.objects.select_for_update(no_key=True).get(pk=priority.pk)
    if not queries.is_live(found):
        raise ValidationError(_("This priority has ended: what was written stays as it was."))
    if seen is not None and seen != found.version:
        raise OvertakenError(_overtaken())
    return found


def _held_measure(
    measure: PriorityIndicator, by: Appointment, seen: int | None
) -> PriorityIndicator:
    priority = _held(measure.priority, by, None)
    rows = PriorityIndicator.objects.select_for_update(of=("self",), no_key=True).select_related(
        "indicator"
    )
    found = rows.filter(pk=measure.pk).first()
    if found is None or (seen is not None and seen != found.version):
        raise OvertakenError(_overtaken())
    found.priority = priority
    return found


def _overtaken() -> str:
    return _(
        "Somebody changed this since you opened it. What you wrote is still here and was not "
        "saved: look at how it stands now, then save yours if it still holds."
    )


def _changed(
    priority: Priority, action: str, now: Mapping[str, Any], before: Mapping[str, Any],
    by: Appointment,
) -> Priority:  # fmt: skip
    for name, value in now.items():
        setattr(priority, name, value)
    priority.version += 1
    priority.clean_fields()
    priority.save(update_fields=[*now, "version"])
    audit.record(action, by=by, target=priority, detail={"now": dict(now), "before": dict(before)})
    return priority


def _rebased(
    measure: PriorityIndicator, baseline: Baseline, figure: str, action: str, by: Appointment
) -> PriorityIndicator:
    before = _measured(measure)
    for name, value in asdict(baseline).items():
        setattr(measure, name, value)
    measure.figure = figure
    now = _measured(measure)
    if now == before:
        return measure
    measure.version += 1
    measure.full_clean()
    measure.save()
    audit.record(action, by=by, target=measure.priority, detail={"now": now, "before": before})
    return measure


def _measured(measure: PriorityIndicator) -> dict[str, Any]:
    names = (*Baseline.__dataclass_fields__, "figure")
    return {"indicator": measure.indicator.code} | {name: getattr(measure, name) for name in names}


def _checked(given: Baseline) -> Baseline:
    """With a value, what stands behind it is owed."""
    if given.baseline is None:
        raise ValidationError({"baseline": _("Say the value.")})
    given = Baseline(
        given.baseline, given.lower, given.upper, given.n, _short(given.n_of, "n_of"),
        given.as_of, _short(given.source, "source"),
    )  # fmt: skip
    problems: dict[str, str] = {}
    numbers = [each for each in (given.lower, given.baseline, given.upper) if each is not None]
    if not all(isfinite(each) for each in numbers):
        problems["baseline"] = _("This is not a number.")
    elif (given.lower is None) != (given.upper is None):
        problems["lower"] = _("Give both ends of the interval, or neither.")
    elif numbers != sorted(numbers):
        problems["lower"] = _("The value lies between the two ends of its interval.")
    if not given.n:
        problems["n"] = _("Say how many stand behind it: a number without that cannot be weighed.")
    if not given.n_of:
        problems["n_of"] = _("Say what was counted: pupils, schools.")
    if given.as_of is None:
        problems["as_of"] = _("Say of which day it is.")
    elif given.as_of > directory.today():
        problems["as_of"] = _("This day is still to come.")
    if not given.source:
        problems["source"] = _("Say where it comes from, so that others can look.")
    if problems:
        raise ValidationError(problems)
    return given


def _short(text: str, name: str) -> str:
    plain = " ".join(text.replace("\0", "").split())
    if len(plain) > LONGEST[name]:
        raise ValidationError({name: _("Keep it under {n} characters.").format(n=LONGEST[name])})
    return plain
