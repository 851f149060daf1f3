"""Who counts as having begun and since when, who may be compared with, and what went in."""

import calendar
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from brightspots_web.connectedness import begun_queries as begun
from brightspots_web.connectedness import practice_queries as practices
from brightspots_web.directory import begun_queries as places
from brightspots_web.evidence.choice_models import Lottery, LotteryEntry
from brightspots_web.evidence.evaluation_models import Evaluation
from brightspots_web.insight import queries as insight
from brightspots_web.insight import withheld_queries, year_figure_queries
from brightspots_web.insight.models import Run

Kind = Evaluation.Kind
NEVER = 0
CHANCE = "chance of a place"
"""The circumstance that is adjusted for where a lottery gave schools unequal chances."""


@dataclass(frozen=True)
class School:
    """A school in a year, as it goes into the comparison."""

    code: str
    year: int
    value: float
    first: int
    cluster: str
    eligible: bool
    about: tuple[Any, ...]


@dataclass(frozen=True)
class Gathered:
    """What one run of an evaluation looks at, and who is not in it."""

    run: Run
    rows: list[School]
    years: tuple[int, ...]
    left: dict[str, int]
    """Reason -> how many schools; see `evaluation_words.left_out`."""
    context: list[str]
    """What kind of schools began: `phase=primary`, `poverty=upper`."""
    covariates: tuple[str, ...] = ()
    """What is adjusted for: what the plan names, and unequal chances of a lottery."""
    lot: dict[str, int] = field(default_factory=dict)
    """Where a lottery decided: how many did not do as it drew; see `evaluation_words.as_drawn`."""


def began(evaluation: Evaluation) -> dict[int, date]:
    """School -> the day on which it began with what is evaluated.

    Where a lottery decided, a school counts as it was drawn, whether it went along or not: who lets
    a place go differs from who takes it.
    """
    if evaluation.lottery is not None:
        return _drawn(evaluation.lottery)
    return _as_they_went(evaluation)


def _as_they_went(evaluation: Evaluation) -> dict[int, date]:
    if evaluation.kind == Kind.SUPPORT and evaluation.priority is not None:
        return begun.supported_since(evaluation.priority)
    if evaluation.kind == Kind.PRACTICE and evaluation.practice_id is not None:
        return begun.taken_up_since(evaluation.practice_id)
    if evaluation.kind == Kind.PARTNERSHIP:
        return places.in_partnership_since()
    return {}


def _drawn(lottery: Lottery) -> dict[int, date]:
    if lottery.drawn_at is None:
        return {}
    on = timezone.localdate(lottery.drawn_at)
    entries = LotteryEntry.objects.filter(lottery=lottery, drawn=True, school__isnull=False)
    return {key: on for key in entries.values_list("school", flat=True) if key is not None}


def _chances(lottery: Lottery | None) -> dict[int, float]:
    """School on the list -> the chance of a place that it had."""
    if lottery is None:
        return {}
    entries = LotteryEntry.objects.filter(lottery=lottery, out=False, school__isnull=False)
    known = entries.values_list("school", "chance")
    return {key: chance or 0.0 for key, chance in known if key is not None}


def _not_as_drawn(evaluation: Evaluation, chances: Mapping[int, float]) -> dict[str, int]:
    lottery = evaluation.lottery
    if lottery is None or lottery.drawn_at is None:
        return {}
    day, drawn = timezone.localdate(lottery.drawn_at), set(_drawn(lottery))
    went = {school for school, on in _as_they_went(evaluation).items() if on >= day}
    return {"stayed_out": len(drawn - went), "went_without": len((went & set(chances)) - drawn)}


def drawn_lotteries() -> list[Lottery]:
    """Lotteries that an evaluation can rest on, the newest first."""
    found = Lottery.objects.filter(state=Lottery.State.DRAWN).select_related("priority")
    return list(found.order_by("-drawn_at", "-pk"))


def first_year(on: date, month: int, least_days: int) -> int:
    """The first year whose results are taken at least so many days after a day.

    Results of a year are taken at the end of a month; a school that began a week before them has
    not had it yet.
    """
    enough = on + timedelta(days=least_days)
    taken = date(enough.year, month, calendar.monthrange(enough.year, month)[1])
    return enough.year if taken >= enough else enough.year + 1


def not_to_compare(evaluation: Evaluation) -> set[int]:
    """Schools that neither began nor can stand for those that did not: who gave it to others."""
    if evaluation.lottery is not None:
        return set()
    if evaluation.kind == Kind.SUPPORT and evaluation.priority is not None:
        return begun.giving_at(evaluation.priority)
    if evaluation.kind == Kind.PRACTICE and evaluation.practice is not None:
        return {evaluation.practice.school_id}
    return set()


@dataclass(frozen=True)
class Sides:
    """Which schools count for what, as known without any figure."""

    starts: Mapping[int, int]
    """School that began -> the first year of results with it."""
    aside: set[int]
    """Neither began nor can stand for those that did not."""
    certain: set[int]
    """Where no lot decided, there is nobody alike to compare with."""
    asked: set[int] | None
    chances: Mapping[int, float]
    unequal: tuple[str, ...]


def sides(evaluation: Evaluation, years: tuple[int, ...]) -> Sides:
    """Who began when and who may be compared with, by years of results."""
    since = began(evaluation)
    starts = {
        school: _in_years(first_year(on, evaluation.results_month, evaluation.least_days), years)
        for school, on in since.items()
    }
    chances = _chances(evaluation.lottery)
    certain = {school for school, chance in chances.items() if not 0 < chance < 1}
    open_ = {round(chance, 6) for school, chance in chances.items() if school not in certain}
    # A school that began and gave later on still began; one that only gave is left aside.
    aside = not_to_compare(evaluation) - set(since)
    unequal = (CHANCE,) if len(open_) > 1 else ()
    return Sides(starts, aside, certain, _eligible(evaluation), chances, unequal)


@dataclass(frozen=True)
class Sizes:
    """How many schools a run would compare, and when."""

    began: int = 0
    others: int = 0
    years_before: int = 0
    """Years of results before the first school began."""
    years_after: int = 0
    covariates: int = 0


def sizes(evaluation: Evaluation, run: Run) -> Sizes:
    """What a plan has to go on, for a page: no figure is read, whatever the size of the system."""
    seen, years = year_figure_queries.schools_and_years(run, evaluation.subject)
    of = sides(evaluation, years)
    inside = seen - of.aside - of.certain
    firsts = {
        key: of.starts[key] for key in inside
        if key in of.starts and years[0] < of.starts[key] <= years[-1]
    }  # fmt: skip
    if not firsts:
        return Sizes()
    first = min(firsts.values())
    return Sizes(
        len(firsts),
        sum(1 for key in inside if key not in firsts and (of.asked is None or key in of.asked)),
        sum(year < first for year in years),
        sum(year >= first for year in years),
        len(evaluation.covariates) + len(of.unequal),
    )


def gather(evaluation: Evaluation, run: Run) -> Gathered:
    """Read everything that one run needs."""
    figures = year_figure_queries.year_figures(run, evaluation.subject)
    years = tuple(sorted({each.year for each in figures}))
    of = sides(evaluation, years)
    clusters = places.partnerships_by_school()
    about = places.circumstances_of_schools()
    out = of.aside | of.certain
    rows = [
        School(
            each.code, each.year, each.value, of.starts.get(each.school, NEVER),
            clusters.get(each.school, ""), of.asked is None or each.school in of.asked,
            (
                *(about.get(each.school, {}).get(name) for name in evaluation.covariates),
                *(of.chances.get(each.school) for _name in of.unequal),
            ),
        )
        for each in figures
        if each.school not in out
    ]  # fmt: skip
    seen = {each.school for each in figures}
    there = set(of.starts) & seen
    late = {key for key in there if years and of.starts[key] > years[-1]}
    left = {
        "gave": len(of.aside & seen),
        "certain": len(of.certain & seen),
        "withheld": withheld_queries.schools_withheld(evaluation.subject, run),
        "began_without_figures": len(set(of.starts) - seen),
        "began_late": len(late),
    }
    inside = list(there - of.certain - late)
    return Gathered(
        run, rows, years, left, _context(inside, about), (*evaluation.covariates, *of.unequal),
        _not_as_drawn(evaluation, of.chances),
    )  # fmt: skip


def _in_years(first: int, years: tuple[int, ...]) -> int:
    """The next year of results, where there are none of the year itself."""
    return next((year for year in years if year >= first), first)


def _eligible(evaluation: Evaluation) -> set[int] | None:
    """Schools that could have had it; None where nobody knows, and all are compared with."""
    if evaluation.lottery is not None:
        return set(_chances(evaluation.lottery))
    eligible = evaluation.design == Evaluation.Design.ELIGIBLE
    if eligible and evaluation.kind == Kind.SUPPORT and evaluation.priority is not None:
        return begun.asked_for(evaluation.priority)
    return None


def _context(schools: list[int], about: Mapping[int, Mapping[str, Any]]) -> list[str]:
    """In which of the register's bands more than half of the schools that began lie."""
    found = []
    if not schools:
        return []
    for known in practices.circumstances():
        bands = [known.band_of(about.get(key, {}).get(known.name)) for key in schools]
        found += _most(known.name, bands)
    return found + _most("phase", [str(about.get(key, {}).get("phase", "")) for key in schools])


def _most(name: str, values: list[str]) -> list[str]:
    return [
        f"{name}={value}" for value in sorted(set(values) - {""})
        if values.count(value) * 2 > len(values)
    ]  # fmt: skip


def run_to_use() -> Run | None:
    return insight.current_run()


def covariates_offered() -> list[str]:
    """Circumstances of schools that can be adjusted for."""
    return [each.name for each in practices.circumstances()]


def outcomes() -> list[str]:
    """Outcomes of the published analysis."""
    return insight.subjects()
