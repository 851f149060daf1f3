"""A study is begun and filled: areas, readings, assumptions; a search is asked for and kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.directory.models import Appointment
from brightspots_web.pace import plan_queries as queries
from brightspots_web.pace import plan_sources as sources
from brightspots_web.pace.plan_models import PlanArea, PlanResult, PlanStudy
from brightspots_web.shared import audit, jobs
from brightspots_web.shared.models import Job
from brightspots_web.shared.overtaken import OvertakenError

MOST_AREAS = 1000
MOST_SPEEDS = 6
YEARS = (2000, 2100)
"""In which a plan may begin."""


@dataclass(frozen=True)
class Settings:
    """What a study is told, as its form takes it."""

    name: str
    support_days: float
    terms: int
    speeds: tuple[int, ...]
    settle: int
    first_day: date
    term_months: int
    draws: int


@dataclass(frozen=True)
class AreaFacts:
    """What people say of an area; None where nothing is said."""

    leaders: int
    in_training: int
    in_training_term: int | None
    readiness: float | None
    priority: int | None
    earliest: int
    fixed_start: int | None


@transaction.atomic
def make_study(settings: Settings, level: int, *, by: Appointment) -> PlanStudy:
    """Begin a study of the areas of a level, drawn from the registers as they stand today."""
    if not queries.may_plan(by):
        raise PermissionDenied
    from brightspots_web.pace.analysis import plan as library  # heavy: web processes spare it

    drawn = queries.drawn(by, level)
    if not drawn:
        raise ValidationError({"level": _("No area of this level has an open school.")})
    if len(drawn) > MOST_AREAS:
        raise ValidationError({"level": _("These are too many areas; choose a higher level.")})
    now = timezone.now()
    study = PlanStudy.objects.create(
        **_checked(settings), level=level, assumptions=library.assumptions(),
        by=by.label[:300], at=now, changed_at=now,
    )  # fmt: skip
    PlanArea.objects.bulk_create(
        PlanArea(
            study=study, area=each.area, schools=each.schools, leaders=each.leaders,
            in_training=each.in_training or 0,
        )
        for each in drawn
    )  # fmt: skip
    _read_stages(study, by)
    audit.record("pace.make_study", by=by, target=study, detail={"areas": len(drawn)})
    return study


@transaction.atomic
def change_study(
    study: PlanStudy, settings: Settings, *, by: Appointment, seen: int | None
) -> PlanStudy:
    """Change what a study is told; what was found before keeps what it was made from."""
    held = hold(study, by=by, seen=seen)
    for name, value in _checked(settings).items():
        setattr(held, name, value)
    _next(held, by)
    audit.record("pace.change_study", by=by, target=held)
    return held


@transaction.atomic
def draw_again(study: PlanStudy, *, by: Appointment, seen: int | None) -> PlanStudy:
    """Take schools and leaders anew from the registers; what people typed of readiness stays."""
    held = hold(study, by=by, seen=seen)
    drawn = {each.area.pk: each for each in queries.drawn(by, held.level)}
    known = {each.area_id: each for each in PlanArea.objects.filter(study=held)}
    for key, each in drawn.items():
        row = known.get(key) or PlanArea(study=held, area=each.area)
        row.schools, row.leaders = each.schools, each.leaders
        if each.in_training is not None:
            row.in_training = each.in_training
        row.save()
    gone = [row.pk for key, row in known.items() if key not in drawn]
    PlanArea.objects.filter(pk__in=gone).delete()
    _next(held, by)
    audit.record(
        "pace.draw_areas", by=by, target=held, detail={"areas": len(drawn), "gone": len(gone)}
    )
    return held


@transaction.atomic
def set_area(
    study: PlanStudy, row: PlanArea, facts: AreaFacts, *, by: Appointment, seen: int | None
) -> PlanStudy:
    """Say what is known of an area."""
    held = hold(study, by=by, seen=seen)
    if row.study_id != held.pk:
        raise PermissionDenied
    if facts.readiness is not None and not 0 <= facts.readiness <= 1:
        raise ValidationError({"readiness": _("Give a share from 0 to 100 %.")})
    for name in ("earliest", "fixed_start", "in_training_term"):
        term = getattr(facts, name)
        if term is not None and not 1 <= term <= held.terms:
            raise ValidationError(
                {name: _("Give a term from 1 to {terms}.").format(terms=held.terms)}
            )
    was = row.readiness
    for name in AreaFacts.__dataclass_fields__:
        setattr(row, name, getattr(facts, name))
    if facts.readiness != was:
        row.reading = PlanArea.Reading.TYPED if facts.readiness is not None else ""
        row.reading_by = by.label[:300]
    row.save()
    _next(held, by)
    audit.record("pace.set_area", by=by, target=row, detail={"readiness": facts.readiness})
    return held


@transaction.atomic
def set_readings(
    study: PlanStudy, readings: Mapping[int, float], *, by: Appointment, seen: int | None
) -> int:
    """Write down the readiness of many areas at once; how many there were."""
    held = hold(study, by=by, seen=seen)
    if any(not 0 <= share <= 1 for share in readings.values()):
        raise ValidationError(_("Give shares from 0 to 100 %."))
    rows = [each for each in queries.areas_of(held) if each.area_id in readings]
    for row in rows:
        row.readiness, row.reading = readings[row.area_id], PlanArea.Reading.TYPED
        row.reading_by = by.label[:300]
    PlanArea.objects.bulk_update(rows, ["readiness", "reading", "reading_by"])
    _next(held, by)
    audit.record("pace.set_readings", by=by, target=held, detail={"areas": len(rows)})
    return len(rows)


@transaction.atomic
def read_stages(study: PlanStudy, *, by: Appointment, seen: int | None) -> int:
    """Take readiness from the stages agreed, in place of what was typed; how many areas had one."""
    held = hold(study, by=by, seen=seen)
    found = _read_stages(held, by)
    if not found:
        raise ValidationError(
            _("No area of this study has an agreed stage yet. Type the readings meanwhile.")
        )
    _next(held, by)
    audit.record("pace.read_stages", by=by, target=held, detail={"areas": found})
    return found


@transaction.atomic
def set_assumption(
    study: PlanStudy, name: str, low: float, value: float, high: float, source: str,
    *, by: Appointment, seen: int | None,
) -> PlanStudy:  # fmt: skip
    """Give an assumption another range, and say where it comes from."""
    held = hold(study, by=by, seen=seen)
    row = next((each for each in held.assumptions if each["name"] == name), None)
    if row is None:
        raise PermissionDenied
    check_range(name, low, value, high)
    source = " ".join(source.split())[:300]
    if not source:
        raise ValidationError({"source": _("Say where it comes from, or write: assumed.")})
    before = [row[end] for end in ("low", "value", "high")]
    row |= {"low": low, "value": value, "high": high, "source": source}
    _next(held, by)
    audit.record(
        "pace.set_assumption", by=by, target=held,
        detail={"name": name, "before": before, "after": [low, value, high]},
    )  # fmt: skip
    return held


def check_range(name: str, low: float, value: float, high: float) -> None:
    """Refuse a range out of order, or outside what can be."""
    from brightspots_web.pace.analysis import plan as library

    if not low <= value <= high:
        raise ValidationError(
            {"value": _("Low may not be above the value, nor the value above high.")}
        )
    least, most = library.limits()[name]
    for end, number in (("low", low), ("high", high)):
        if not least <= number <= most:
            words = _("It has to be {least} or more.").format(least=f"{least:g}")
            if most < float("inf"):
                words = _("It has to lie between {least} and {most}.").format(
                    least=f"{least:g}", most=f"{most:g}"
                )
            raise ValidationError({end: words})


@transaction.atomic
def ask_search(study: PlanStudy, *, by: Appointment) -> Job:
    """Ask for the curve. Asked twice at once, it is one job; what was stopped goes on.

    Raises
    ------
    ValidationError
        Something cannot be planned with, in words; or the same was searched to its end already.
    """
    held = hold(study, by=by, seen=None)
    under_way = queries.at_work(by, queries.SEARCH, study=held.pk)
    if under_way is not None:
        return under_way
    inputs = checked_inputs(held)
    last = queries.newest_of_same(held, inputs)
    if last is not None and not last.stopped_early:
        raise ValidationError(
            _("Nothing has changed since these plans were found, and the same gives the same.")
        )
    job = jobs.enqueue(
        queries.SEARCH, by=by, title=_("Look for rollout plans"),
        parameters={"study": held.pk, "version": held.version, "inputs": inputs},
    )  # fmt: skip
    audit.record("pace.ask_search", by=by, target=held, detail={"job": job.pk})
    return job


def checked_inputs(study: PlanStudy) -> dict[str, Any]:
    """What the planner takes, once nothing is missing or impossible."""
    from brightspots_web.pace.analysis import plan as library

    areas = queries.areas_of(study)
    unread = queries.unread(areas)
    if unread:
        names = ", ".join(each.area.name for each in unread[:3])
        raise ValidationError(
            _("{n} areas have no reading of readiness yet: {names}.").format(
                n=len(unread), names=names if len(unread) <= 3 else f"{names}, …"
            )
        )
    inputs = queries.inputs_of(study)
    library.check(inputs)
    return inputs


@transaction.atomic
def keep_result(
    study: PlanStudy, outcome: Mapping[str, Any], inputs: Mapping[str, Any], version: int,
    *, job: int, by: Appointment,
) -> PlanResult:  # fmt: skip
    """Keep what a search found; done again after a kill it is kept once."""
    known = queries.result_of_job(job)
    if known is not None:
        return known
    result = PlanResult.objects.create(
        study=study, job=job, study_version=version, inputs=dict(inputs), outcome=dict(outcome),
        stopped_early=bool(outcome["search"]["stopped_early"]), by=by.label[:300],
        at=timezone.now(),
    )  # fmt: skip
    audit.record(
        "pace.keep_plans", by=by, target=result,
        detail={"plans": len(outcome["plans"]), "stopped_early": result.stopped_early},
    )  # fmt: skip
    return result


# What the actions of a study share


def hold(study: PlanStudy, *, by: Appointment, seen: int | None) -> PlanStudy:
    """The row, held until the transaction ends; `seen` None takes it as it is now.

    Raises
    ------
    OvertakenError
        Somebody else was quicker; nothing is saved.
    """
    if not queries.studies_visible_to(by).filter(pk=study.pk).exists():
        raise PermissionDenied
    held = PlanStudy.objects.select_for_update(no_key=True).get(pk=study.pk)
    if seen is not None and seen != held.version:
        raise OvertakenError(
            _("{who} changed this study in the meantime. Nothing was saved; look and send again.")
            .format(who=held.changed_by or held.by)
        )  # fmt: skip
    return held


def take_over(study: PlanStudy, rows: Sequence[Mapping[str, Any]], *, by: Appointment) -> None:
    """Put accepted ranges in the place of what a held study assumes."""
    new = {row["name"]: row for row in rows}
    study.assumptions = [
        {**row, **{key: new[row["name"]][key] for key in ("low", "value", "high", "source")}}
        if row["name"] in new
        else row
        for row in study.assumptions
    ]
    _next(study, by)


def _next(study: PlanStudy, by: Appointment) -> None:
    study.version += 1
    study.changed_by, study.changed_at = by.label[:300], timezone.now()
    study.save()


def _read_stages(study: PlanStudy, by: Appointment) -> int:
    from brightspots_web.pace.analysis import plan as library

    rows = queries.areas_of(study)
    found = sources.stages([each.area for each in rows])
    shares = list(library.STAGES.values())
    taken = [each for each in rows if each.area_id in found]
    for row in taken:
        row.readiness = shares[found[row.area_id] - 1]
        row.reading, row.reading_by = PlanArea.Reading.STAGES, by.label[:300]
    PlanArea.objects.bulk_update(taken, ["readiness", "reading", "reading_by"])
    return len(taken)


def _checked(settings: Settings) -> dict[str, Any]:
    name = " ".join(settings.name.split())
    if not name:
        raise ValidationError({"name": _("Give it a name.")})
    if not 1 <= settings.terms <= 60:
        raise ValidationError({"terms": _("Give 1 to 60 terms.")})
    speeds = sorted(set(settings.speeds))
    if not speeds or speeds[0] < 1 or speeds[-1] > settings.terms:
        raise ValidationError(
            {"speeds": _("Give numbers of terms from 1 to {n}.").format(n=settings.terms)}
        )
    if len(speeds) > MOST_SPEEDS:
        raise ValidationError(
            {"speeds": _("Give {n} speeds at most; more take long and differ little.").format(
                n=MOST_SPEEDS)}
        )  # fmt: skip
    if not YEARS[0] <= settings.first_day.year <= YEARS[1]:
        raise ValidationError(
            {"first_day": _("Give a day between {a} and {b}. Is the year right?").format(
                a=YEARS[0], b=YEARS[1])}
        )  # fmt: skip
    if not 20 <= settings.draws <= 2000:
        raise ValidationError({"draws": _("Give 20 to 2,000 futures.")})
    if not 1 <= settings.term_months <= 12:
        raise ValidationError({"term_months": _("Give 1 to 12 months.")})
    if not 0 <= settings.support_days < 10_000_000:
        raise ValidationError({"support_days": _("Give a number of days, 0 or more.")})
    return {
        "name": name[:120], "support_days": settings.support_days, "terms": settings.terms,
        "speeds": speeds, "settle": settings.settle, "first_day": settings.first_day,
        "term_months": settings.term_months, "draws": settings.draws,
    }  # fmt: skip
