"""From projects and schools' yearly figures to effects and track records, through the library.

A project's years: *before* are the years up to the one before it began, three at most; *after* is
the first year with results beyond the one in which support ended (a practice was taken up), two
years on at most. Results bear the label of a year and no day: what falls between is neither.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import numpy as np
import polars as pl

from brightspots.core.errors import InputError
from brightspots.evidence.project_effects import ProjectEffects, project_effects
from brightspots.evidence.track_record import (
    METHOD_VERSION,
    RECORD,
    TrackRecordParameters,
    track_record,
)
from brightspots_web.insight.year_figure_queries import YearFigure

YEARS_BEFORE: Final = 3
YEARS_AFTER: Final = 2
METHOD: Final = "track-record"
NO_OUTCOME, NOT_YET, NO_BEFORE, NO_AFTER, TOO_FEW = (
    "no_outcome", "not_yet", "no_before", "no_after", "too_few",
)  # fmt: skip
"""Why a project has no effect (yet)."""
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Project:
    """Something that was done at a school, by somebody or by a way of working."""

    key: int
    who: str
    topic: str
    """What records tell apart: the outcome of the priority, or the priority where it has none."""
    subject: str
    school: int
    starts: date
    ends: date | None
    """None where the help goes on."""
    taken: date
    """The day beyond whose year results are results *after* it."""


@dataclass(frozen=True)
class Effect:
    """What a project brought against schools with the same past; None where it is not known."""

    effect: float | None = None
    se: float | None = None
    why: str = ""
    before: int | None = None
    """The last year before."""
    after: int | None = None
    n: int | None = None
    """Pupils behind the figure of the year after."""
    n_comparison: int | None = None


@dataclass(frozen=True)
class Records:
    """What is expected of the next project of everybody, and where that comes from."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    """who, topic, n_projects, n_measured, n_elsewhere, estimate, se, lower, upper, record."""
    means: list[dict[str, Any]] = field(default_factory=list)
    sds: dict[str, float] = field(default_factory=dict)
    method_version: str = METHOD_VERSION
    input_hash: str = ""
    settings: dict[str, Any] = field(default_factory=dict)


class Years:
    """Figures by outcome, year and school."""

    def __init__(self, figures: Iterable[YearFigure]) -> None:
        self.of: dict[str, dict[int, dict[int, YearFigure]]] = defaultdict(
            lambda: defaultdict(dict)
        )
        for each in figures:
            self.of[each.subject][each.year][each.school] = each
        self._before: dict[tuple[str, int], tuple[dict[int, float], float]] = {}

    def after(self, subject: str, taken: date) -> int | None:
        """The first year with results beyond the one of a day, if it is near enough."""
        years = [year for year in self.of.get(subject, {}) if year > taken.year]
        first = min(years, default=None)
        return first if first is not None and first <= taken.year + YEARS_AFTER else None

    def before(self, subject: str, last: int) -> tuple[dict[int, float], float]:
        """School -> what was known by the end of a year, shrunken; and what is said of others.

        Only years up to `last` have a say. The mean over them is weighted by its precision and
        shrunken as far as chance among pupils asks for.
        """
        if (subject, last) not in self._before:
            self._before[subject, last] = self._shrunken(subject, last)
        return self._before[subject, last]

    def _shrunken(self, subject: str, last: int) -> tuple[dict[int, float], float]:
        sums: dict[int, list[float]] = defaultdict(lambda: [0.0, 0.0])
        by_year = self.of.get(subject, {})
        for year in range(last - YEARS_BEFORE + 1, last + 1):
            for school, each in by_year.get(year, {}).items():
                sums[school][0] += each.value / each.variance
                sums[school][1] += 1 / each.variance
        if not sums:
            return {}, 0.0
        schools = sorted(sums)
        mean = np.array([sums[key][0] / sums[key][1] for key in schools])
        noise = np.array([1 / sums[key][1] for key in schools])
        centre = float(np.average(mean, weights=1 / noise))
        between = max(float(mean.var() - noise.mean()), 0.0)
        shrunken = centre + between / (between + noise) * (mean - centre)
        return dict(zip(schools, shrunken.tolist(), strict=True)), centre


def effects(
    projects: Sequence[Project],
    others: Sequence[Project],
    further: Sequence[Project],
    figures: Iterable[YearFigure],
    progress: Progress = lambda done, stage: None,
) -> dict[int, Effect]:
    """Estimate the effect of each project; key -> effect, or why there is none.

    Parameters
    ----------
    projects
        Every project whose effect is asked for.
    others
        Help of the same kind that is still going on: its schools are no comparison.
    further
        Help of another kind; whether a school had it at the time is adjusted for.
    """
    years = Years(figures)
    found: dict[int, Effect] = {}
    cohorts: dict[tuple[str, int, int], list[Project]] = defaultdict(list)
    for each in projects:
        missing = _missing(each, years)
        if isinstance(missing, Effect):
            found[each.key] = missing
        else:
            cohorts[each.subject, each.starts.year - 1, missing].append(each)
    everybody = [*projects, *others]
    for number, (key, cohort) in enumerate(sorted(cohorts.items(), key=lambda pair: pair[0])):
        progress(number / len(cohorts), "Projects against schools without help")
        found |= _cohort(key, cohort, everybody, further, years)
    return found


def _missing(each: Project, years: Years) -> Effect | int:
    """Why nothing can be said of a project; else the year after it."""
    if not each.subject or each.subject not in years.of:
        return Effect(why=NO_OUTCOME)
    after = years.after(each.subject, each.taken)
    last = each.starts.year - 1
    if after is None:
        return Effect(why=NOT_YET, before=last)
    if each.school not in years.before(each.subject, last)[0]:
        return Effect(why=NO_BEFORE, before=last, after=after)
    if each.school not in years.of[each.subject][after]:
        return Effect(why=NO_AFTER, before=last, after=after)
    return after


def _cohort(
    key: tuple[str, int, int],
    cohort: Sequence[Project],
    everybody: Sequence[Project],
    further: Sequence[Project],
    years: Years,
) -> dict[int, Effect]:
    """Projects of the same outcome and the same years, held against schools without any."""
    subject, last, after = key
    supported = {each.school for each in cohort}
    at_once, earlier = _helped(everybody, subject, last, after)
    frame, names = _frame(key, supported, at_once, earlier, further, years)
    try:
        fitted = project_effects(frame, names)
    except InputError:
        return {
            each.key: Effect(why=TOO_FEW, before=last, after=after) for each in cohort
        }  # fmt: skip
    by_school = {row["school"]: row for row in fitted.frame.iter_rows(named=True)}
    return {
        each.key: _effect(by_school[each.school], fitted, years.of[subject][after][each.school].n,
                          last, after)
        for each in cohort
    }  # fmt: skip


def _effect(
    row: Mapping[str, Any], fitted: ProjectEffects, n: int, before: int, after: int
) -> Effect:
    return Effect(float(row["effect"]), float(row["se"]), "", before, after, n, fitted.n_comparison)


def _helped(
    help_given: Sequence[Project], subject: str, last: int, after: int
) -> tuple[set[int], set[int]]:
    """Schools with help in an outcome between two years' results, and those with help earlier."""
    at_once, earlier = set(), set()
    for each in help_given:
        if each.subject != subject or each.starts.year > after:
            continue
        if each.ends is not None and each.ends.year <= last:
            earlier.add(each.school)
        else:
            at_once.add(each.school)
    return at_once, earlier


def _frame(
    key: tuple[str, int, int],
    supported: set[int],
    at_once: set[int],
    earlier: set[int],
    further: Sequence[Project],
    years: Years,
) -> tuple[pl.DataFrame, list[str]]:
    """One row a school with results before and after; help to others takes a school out."""
    subject, last, after = key
    own = years.before(subject, last)[0]
    now = years.of[subject][after]
    schools = [
        each for each in sorted(own) if each in now and (each in supported or each not in at_once)
    ]
    columns: dict[str, list[float]] = {}
    for number, name in enumerate(sorted(years.of)):
        known, centre = years.before(name, last)
        columns[f"before_{number}"] = [known.get(each, centre) for each in schools]
    columns["earlier"] = [float(each in earlier) for each in schools]
    elsewhere = _helped(further, subject, last, after)[0]
    columns["other_help"] = [float(each in elsewhere) for each in schools]
    frame = pl.DataFrame(
        {
            "school": schools,
            "after": [now[each].value for each in schools],
            "sampling_variance": [now[each].variance for each in schools],
            "supported": [each in supported for each in schools],
            **columns,
        },
        schema_overrides={"school": pl.Int64, "supported": pl.Boolean},
    )
    return frame, list(columns)


def records(
    projects: Sequence[Project],
    found: Mapping[int, Effect],
    *,
    kind: str,
    everybody: Collection[str] = (),
    topics: Collection[str] = (),
) -> Records:
    """What is expected of everybody's next project: every project counts, measured or not.

    Parameters
    ----------
    kind : str
        `leader` or `practice`.
    everybody, topics : collections of str
        Further ones, without a project so far.
    """
    who = {each.who for each in projects} | set(everybody)
    about = {each.topic for each in projects} | set(topics)
    if not who or not about:
        return Records()
    told = [found.get(each.key, Effect()) for each in projects]
    frame = pl.DataFrame(
        {
            kind: [each.who for each in projects],
            "priority": [each.topic for each in projects],
            "effect": [each.effect for each in told],
            "se": [each.se for each in told],
        },
        schema={kind: pl.String, "priority": pl.String, "effect": pl.Float64, "se": pl.Float64},
    )
    result = track_record(
        frame, TrackRecordParameters(who=kind), leaders=sorted(who), priorities=sorted(about)
    )
    wanted = (
        "n_projects", "n_measured", "n_elsewhere", "estimate", "se", "lower", "upper", "record",
    )  # fmt: skip
    rows = [
        {"who": row[kind], "topic": row["priority"]} | {name: row[name] for name in wanted}
        for row in result.frame.iter_rows(named=True)
    ]
    return Records(
        rows, result.means.to_dicts(), dict(result.sds), METHOD_VERSION,
        result.provenance.input_hash, dict(result.provenance.settings),
    )  # fmt: skip


__all__ = [
    "METHOD", "METHOD_VERSION", "NOT_YET", "NO_AFTER", "NO_BEFORE", "NO_OUTCOME", "RECORD",
    "TOO_FEW", "Effect", "Project", "Records", "Years", "effects", "records",
]  # fmt: skip
