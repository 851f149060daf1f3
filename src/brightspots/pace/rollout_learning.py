"""Hold a plan against what happened, and narrow the assumptions by it.

Importance weighting: every draw of the assumptions is followed through what was really begun, and
weighs by how well it foretells what was seen (Bayes' rule with the ranges as prior). What counts
as "seen" is, term by term, the areas observed together: the shares who feel abandoned and held
back in the pulse, and the leaders available.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.connectedness.small_files import SmallTable, read_small
from brightspots.core.errors import InputError
from brightspots.pace.rollout import Rollout
from brightspots.pace.rollout_areas import Areas
from brightspots.pace.rollout_assumptions import Assumption, Draws, draw
from brightspots.pace.rollout_parameters import RolloutParameters
from brightspots.pace.rollout_plan import Plan
from brightspots.pace.rollout_simulate import simulate, world

__all__ = ["DISCREPANCY", "Learned", "Observed", "learn", "read_observed"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DISCREPANCY: Final = 0.05
"""SD of what the model gets wrong whatever its assumptions: in shares, and of leaders."""
ALIKE: Final = 0.8
"""Correlation of that between terms: a model that is wrong once is wrong again."""
BLOCK: Final = 500
"""Draws that are followed at once: what is held in memory does not grow with their number."""
NOT_YET: Final = ("no", "not yet")
DRAWS: Final = 10_000
TOLD: Final = 3.0
"""Standard errors by which the draws left have to differ from all, for a range to move..."""
WORTH: Final = 0.1
"""...and SDs of the range: less is not worth a decision."""
_SHARES: Final = ("abandoned", "held_back")
_SEEN: Final = (*_SHARES, "leaders")


@dataclass(frozen=True)
class Observed:
    """What was seen, a row an area and term; shape (rows,). NaN where nothing was.

    Attributes
    ----------
    area, term : array of int
    abandoned, held_back, leaders, answers : array of float
    started : mapping of int to int
        Area -> term in which its support really began; after the last term for "not yet".
    """

    area: Ints
    term: Ints
    abandoned: Floats
    held_back: Floats
    leaders: Floats
    answers: Floats
    started: dict[int, int]


@dataclass(frozen=True)
class Learned:
    """What was learned.

    Attributes
    ----------
    assumptions : tuple of Assumption
        With updated ranges, whose source says so. What was seen says nothing of the others: they
        are as they were.
    changes : DataFrame
        name; low, value, high before and after; narrowed (share by which its SD has shrunk).
        Where the draws left differ from all by no more than chance would have it, nothing.
    compared : DataFrame
        measure, term; observed, areas; median and 95 % range foretold before and after;
        expected (whether the observed lies within the range before).
    draws : int
    effective : float
        Effective number of draws, 1 / sum of squared weights.
    power : float
        1 if all that was seen was used in full; less where it had to be taken for less than it
        is, because hardly any draw agreed with it.
    notes : tuple of str
    """

    assumptions: tuple[Assumption, ...]
    changes: pl.DataFrame
    compared: pl.DataFrame
    draws: int
    effective: float
    power: float
    notes: tuple[str, ...]


def read_observed(
    source: str | Path | pl.DataFrame, areas: Areas, parameters: RolloutParameters
) -> Observed:
    """Read what was seen: area, term; optionally started, leaders, abandoned, held_back, answers.

    Raises
    ------
    InputError
        With file, row and column.
    """
    table = read_small(source, ("area", "term"), "observations")
    if not {*_SEEN} & {*table.columns}:
        raise table.error(
            "nothing observed is in it.",
            mend="Give at least one of the columns abandoned, held_back, leaders.",
        )
    rows: list[tuple[int, int, float, float, float, float]] = []
    started: dict[int, int] = {}
    seen: dict[tuple[int, int], int] = {}
    for row, cells in table:
        if cells["area"] not in areas.position:
            raise table.error(
                f'there is no area "{cells["area"]}".', row, "area",
                "Give a code of the list of areas.",
            )  # fmt: skip
        area = areas.position[cells["area"]]
        term = _whole(table, row, cells, "term", parameters.horizon)
        if (area, term) in seen:
            raise table.error(
                f"the area {cells['area']} and term {term} are already in row {seen[area, term]}.",
                row, mend="Keep one of them.",
            )  # fmt: skip
        seen[area, term] = row
        abandoned, held = (_number(table, row, cells, name, most=1.0) for name in _SHARES)
        answers = _number(table, row, cells, "answers", most=np.inf)
        if not (np.isnan(abandoned) and np.isnan(held)) and not answers >= 1:
            raise table.error(
                "there are shares of the pulse, and not how many answered.", row, "answers",
                "Give the number of answers, 1 or more.",
            )  # fmt: skip
        leaders = _number(table, row, cells, "leaders", most=np.inf)
        if cells.get("started"):
            began = parameters.horizon + 1
            if cells["started"].lower() not in NOT_YET:
                began = _whole(table, row, cells, "started", parameters.horizon)
            if started.setdefault(area, began) != began:
                raise table.error(
                    f"the area {cells['area']} began in term {started[area]} by another row.",
                    row, "started", "Give one term for each area.",
                )  # fmt: skip
        rows.append((area, term, abandoned, held, leaders, answers))
    if not rows:
        raise table.error("there are no rows in it.", mend="Give one row an area and term.")
    columns = list(zip(*sorted(rows, key=lambda row: row[:2]), strict=True))
    area_column, term_column = (np.array(each, dtype=np.int64) for each in columns[:2])
    shares, held_back, present, answered = (
        np.array(each, dtype=np.float64) for each in columns[2:]
    )  # fmt: skip
    return Observed(area_column, term_column, shares, held_back, present, answered, started)


def _number(
    table: SmallTable, row: int, cells: dict[str, str], column: str, *, most: float
) -> float:
    if column not in cells:
        return np.nan
    number = table.number(row, cells, column)
    if number is None:
        return np.nan
    if not 0 <= number <= most:
        limit = "0 or up" if np.isinf(most) else f"0 to {most:g}"
        raise table.error(f"{number:g} cannot be.", row, column, f"Give a number, {limit}.")
    return number


def _whole(table: SmallTable, row: int, cells: dict[str, str], column: str, most: int) -> int:
    number = table.number(row, cells, column)
    if number is None or number != int(number) or not 1 <= number <= most:
        raise table.error(
            f'"{cells[column]}" is no term.', row, column, f"Give a whole number, 1 to {most}."
        )
    return int(number)


@dataclass(frozen=True)
class _Seen:
    """One measure over its terms: what was seen, its variance, and what each draw foretells.

    Shares vary as those of a sample of the answers; leaders by one (SD) in each area, since people
    come and go whole.
    """

    name: str
    terms: list[int]
    areas: list[int]
    observed: Floats
    variance: Floats
    unit: float
    foretold: Floats

    def covariance(self, discrepancy: float) -> Floats:
        """Add what the model gets wrong, in all terms alike and in each alone, to sampling."""
        wrong = (discrepancy * self.unit) ** 2
        shape = np.full((len(self.terms),) * 2, ALIKE * wrong)
        return np.asarray(shape + np.diag(self.variance + (1 - ALIKE) * wrong), dtype=np.float64)


def learn(
    rollout: Rollout,
    plan: str,
    observed: Observed,
    *,
    draws: int = DRAWS,
    seed: int = 0,
    discrepancy: float = DISCREPANCY,
    least: float = 100.0,
) -> Learned:
    """Weigh the draws by what happened under a plan, and return narrower ranges.

    Parameters
    ----------
    rollout : Rollout
    plan : str
        The plan that was followed; where areas began in other terms than planned, those seen
        take their place.
    observed : Observed
    draws, seed : int
    discrepancy : float
        See `DISCREPANCY`.
    least : float
        Effective number of draws that has to be left. If there would be fewer, the likelihood is
        raised to a power below 1 until there are; `Learned.power` says which.

    Raises
    ------
    InputError
    """
    if draws < 2 or not 1 <= least <= draws or not discrepancy > 0:
        raise InputError("the draws, the least of them, or the discrepancy cannot be.")
    chosen = rollout.plan(plan).plan
    start = chosen.start.copy()
    for area, term in observed.started.items():
        start[area] = term
    drawn = draw(rollout.assumptions, len(rollout.areas), draws, seed)
    seen = _foretell(rollout, drawn, replace(chosen, start=start), observed)
    log = np.sum([_log_likelihood(each, discrepancy) for each in seen], axis=0)
    power = _power(log, least)
    weights = _weights(log, power)
    effective = float(1 / (weights**2).sum())
    assumptions, changes = _updated(rollout.assumptions, drawn.values, weights, observed)
    compared = _compared(seen, weights, discrepancy, seed)
    return Learned(
        assumptions, changes, compared, draws, effective, power,
        tuple(_notes(compared, effective, power, draws)),
    )  # fmt: skip


def _sums(
    rollout: Rollout, drawn: Draws, plan: Plan, where: Mapping[tuple[str, int], Ints]
) -> dict[tuple[str, int], Floats]:
    """Each measure in each term, summed over the areas in which it was seen, in every draw."""
    terms = sorted({term for _, term in where})
    found: dict[tuple[str, int], list[Floats]] = {key: [] for key in where}
    for since in range(0, len(drawn), BLOCK):
        w = world(rollout.areas, rollout.parameters, drawn.between(since, since + BLOCK))
        run = simulate(w, plan.start, plan.speed, watch=terms, until=terms[-1])
        for (name, term), at in where.items():
            found[name, term].append(run.paths[term][_SEEN.index(name)][:, at].sum(axis=1))
    return {key: np.concatenate(parts) for key, parts in found.items()}


def _foretell(rollout: Rollout, drawn: Draws, plan: Plan, observed: Observed) -> list[_Seen]:
    terms = sorted(set(observed.term.tolist()))
    rows_of = {
        (name, term): here
        for name in _SEEN
        for term in terms
        if (here := (observed.term == term) & ~np.isnan(getattr(observed, name))).any()
    }
    if not rows_of:
        raise InputError(
            "nothing observed is in the table.", mend="Fill abandoned, held_back or leaders."
        )
    where = {key: observed.area[here] for key, here in rows_of.items()}
    sums = _sums(rollout, drawn, plan, where)
    schools = rollout.areas.schools
    found = []
    for name in _SEEN:
        values = getattr(observed, name)
        rows: list[tuple[int, int, float, float, Floats]] = []
        for term in terms:
            if (name, term) not in where:
                continue
            here, at, path = rows_of[name, term], where[name, term], sums[name, term]
            if name == "leaders":
                total = float(values[here].sum())
                rows.append((term, len(at), total, float(len(at)), path))
                continue
            weight = schools[at] / schools[at].sum()
            answers = observed.answers[here]
            smooth = (values[here] * answers + 0.5) / (answers + 1)
            variance = float((weight**2 * smooth * (1 - smooth) / answers).sum())
            share = float((weight * values[here]).sum())
            rows.append((term, len(at), share, variance, path / schools[at].sum()))
        if rows:
            term_, areas, seen, variance_, path_ = zip(*rows, strict=True)
            unit = float(np.mean(seen)) if name == "leaders" else 1.0
            found.append(
                _Seen(name, list(term_), list(areas), np.array(seen), np.array(variance_),
                      max(unit, 1e-9), np.column_stack(path_))
            )  # fmt: skip
    return found


def _log_likelihood(seen: _Seen, discrepancy: float) -> Floats:
    lower = np.linalg.cholesky(seen.covariance(discrepancy))
    away = np.linalg.solve(lower, (seen.foretold - seen.observed).T)
    return np.asarray(-0.5 * (away**2).sum(axis=0), dtype=np.float64)


def _weights(log: Floats, power: float) -> Floats:
    raised = np.exp(power * (log - log.max()))
    return np.asarray(raised / raised.sum(), dtype=np.float64)


def _power(log: Floats, least: float) -> float:
    """Greatest power, 1 at most, that leaves `least` effective draws."""

    def effective(power: float) -> float:
        return float(1 / (_weights(log, power) ** 2).sum())

    if effective(1.0) >= least:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if effective(middle) >= least else (low, middle)
    return low


def _quantiles(values: Floats, weights: Floats, at: Sequence[float]) -> Floats:
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order]) - weights[order] / 2
    return np.asarray(np.interp(at, reached, values[order]), dtype=np.float64)


def _updated(
    assumptions: Sequence[Assumption], drawn: Mapping[str, Floats], weights: Floats, seen: Observed
) -> tuple[tuple[Assumption, ...], pl.DataFrame]:
    """Move the corners as the weighted quantiles moved; within the range there was before.

    A few effective draws differ a little from all of them by chance alone, in every assumption: of
    what nothing was seen, too. Only what differs by more than that moves.
    """
    even = np.full(len(weights), 1 / len(weights))
    least = max(WORTH, TOLD * float(np.sqrt((weights**2).sum())))
    updated, rows = [], []
    terms = f"{seen.term.min()} to {seen.term.max()}"
    for each in assumptions:
        values = drawn[each.name]
        new = each
        narrowed = 0.0
        middle, spread = _moments(values, weights)
        was_middle, was_spread = _moments(values, even)
        shift, shrunk = abs(middle - was_middle), abs(spread - was_spread)
        # The SE of an SD is about .6 of that of a mean, for the triangular distribution.
        if each.high > each.low and max(shift, shrunk / 0.6) > least * was_spread:
            was, now = (_quantiles(values, w, (0.025, 0.5, 0.975)) for w in (even, weights))
            value = float(np.clip(each.value + now[1] - was[1], each.low, each.high))
            below = (now[1] - now[0]) / max(was[1] - was[0], 1e-300)
            above = (now[2] - now[1]) / max(was[2] - was[1], 1e-300)
            low = max(each.low, min(value, value - (each.value - each.low) * below))
            high = min(each.high, max(value, value + (each.high - each.value) * above))
            source = f"updated by what was seen in terms {terms}; before: {each.source}"
            new = replace(each, low=float(low), value=value, high=float(high), source=source)
            narrowed = 1 - spread / was_spread
        updated.append(new)
        rows.append((each.name, each.low, each.value, each.high,
                     new.low, new.value, new.high, narrowed))  # fmt: skip
    names = [f"{end}_{when}" for when in ("before", "after") for end in ("low", "value", "high")]
    schema = {"name": pl.String} | dict.fromkeys([*names, "narrowed"], pl.Float64)
    return tuple(updated), pl.DataFrame(rows, schema=schema, orient="row")


def _moments(values: Floats, weights: Floats) -> tuple[float, float]:
    """Weighted mean and SD."""
    middle = float((weights * values).sum())
    return middle, float(np.sqrt((weights * (values - middle) ** 2).sum()))


def _compared(
    seen: Sequence[_Seen], weights: Floats, discrepancy: float, seed: int
) -> pl.DataFrame:
    rng = np.random.default_rng([seed, 13])
    even = np.full(len(weights), 1 / len(weights))
    rows = []
    for each in seen:
        spread = np.sqrt(np.diag(each.covariance(discrepancy)))
        noisy = each.foretold + spread * rng.standard_normal(each.foretold.shape)
        noisy = np.clip(noisy, 0.0, None if each.name == "leaders" else 1.0)
        for at, term in enumerate(each.terms):
            before, after = (
                _quantiles(noisy[:, at], w, (0.025, 0.5, 0.975)) for w in (even, weights)
            )
            value = float(each.observed[at])
            rows.append(
                (each.name, term, value, each.areas[at], before[1], before[0], before[2],
                 bool(before[0] <= value <= before[2]), after[1], after[0], after[2])
            )  # fmt: skip
    ends = ("median", "low95", "high95")
    schema = {"measure": pl.String, "term": pl.Int64, "observed": pl.Float64, "areas": pl.Int64}
    schema |= {f"{end}_before": pl.Float64 for end in ends} | {"expected": pl.Boolean}
    schema |= {f"{end}_after": pl.Float64 for end in ends}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _notes(compared: pl.DataFrame, effective: float, power: float, draws: int) -> list[str]:
    notes = [f"{effective:,.0f} of {draws:,} draws are left, in effect."]
    if power < 1:
        notes.append(
            f"Hardly any draw agrees with what was seen: it was taken with a power of {power:.2f}"
            " in place of 1. The ranges assumed, or the model, are wrong somewhere."
        )
    outside = compared.filter(~pl.col("expected"))
    if outside.height:
        notes.append(
            f"{outside.height} of {compared.height} figures seen lie outside the 95 % range that"
            " was foretold."
        )
    return notes
