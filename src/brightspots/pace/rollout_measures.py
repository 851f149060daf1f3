"""What came of a plan as measures with intervals, and what one plan changes against another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.pace.rollout_plan import Plan
from brightspots.pace.rollout_simulate import ABANDONED, COST, HELD_BACK, Run, World, simulate

__all__ = ["MEASURES", "TOTAL", "Measured", "difference_frame", "measure", "measures_frame"]

Floats = NDArray[np.float64]

TOTAL: Final = "total"
LEVELS: Final = {
    "median": 0.5, "low80": 0.1, "high80": 0.9, "low95": 0.025, "high95": 0.975,
}  # fmt: skip
MEASURES: Final = {
    "abandoned": "school-terms",
    "held_back": "school-terms",
    "gain": "school-terms x pupil SD",
    "cost": "days",
    "full_coverage": "term",
    "covered_at_end": "% of schools",
}
"""Measure -> unit."""


@dataclass(frozen=True)
class Measured:
    """A plan and what came of it in each draw.

    Attributes
    ----------
    plan : Plan
    values : mapping of (measure, part) to array, shape (draws,)
        The part "total" is the sum of the others. Full coverage has no parts; where it is not
        reached it is one term more than was simulated, and what is covered in the last term (ready
        and responsible, per cent of all schools) says how far it got.
    not_covered : float
        Share of draws in which full coverage is not reached.
    by_area : mapping of str to array, shape (areas,)
        Means over draws of abandoned and held back, and of the days of support that came.
    """

    plan: Plan
    values: Mapping[tuple[str, str], Floats]
    not_covered: float
    by_area: Mapping[str, Floats]

    def mean(self, name: str) -> float:
        """Mean over draws of a measure's total."""
        return float(self.values[name, TOTAL].mean())


def measure(w: World, plan: Plan) -> Measured:
    """Simulate a plan, and sum over areas."""
    run = simulate(w, plan.start, plan.speed)
    sums = {name: part.sum(axis=1) for name, part in run.parts.items()}
    values: dict[tuple[str, str], Floats] = {}
    for name, parts in (("abandoned", ABANDONED), ("held_back", HELD_BACK), ("cost", COST)):
        values[name, TOTAL] = np.sum([sums[part] for part in parts], axis=0)
        values |= {(name, part): sums[part] for part in parts}
    won = w.gain_ready * sums["ready_and_responsible"]
    lost = -w.loss_abandoned * values["abandoned", TOTAL]
    values["gain", TOTAL] = won + lost
    values["gain", "ready_and_responsible"], values["gain", "lost_while_abandoned"] = won, lost
    term, reached = _coverage(w, run)
    values["full_coverage", TOTAL] = term
    values["covered_at_end", TOTAL] = 100 * run.responsible[:, -1] / w.schools.sum()
    by_area = {
        "abandoned": run.abandoned.mean(axis=0),
        "held_back": run.held_back.mean(axis=0),
        "support_days": run.parts["support"].mean(axis=0),
    }
    return Measured(plan, values, float(1 - reached.mean()), by_area)


def _coverage(w: World, run: Run) -> tuple[Floats, NDArray[np.bool_]]:
    enough = run.responsible >= w.covered * w.schools.sum() - 1e-9
    reached = enough.any(axis=1)
    first = np.where(reached, enough.argmax(axis=1) + 1, enough.shape[1] + 1)
    return first.astype(np.float64), reached


def _spread(values: Floats) -> dict[str, float]:
    found = {name: float(np.quantile(values, level)) for name, level in LEVELS.items()}
    return {"mean": float(values.mean())} | found


def measures_frame(measured: list[Measured]) -> pl.DataFrame:
    """One row a plan, measure and part: mean, median, 80 and 95 % interval over the draws."""
    rows = [
        {"plan": each.plan.name, "measure": name, "part": part, "unit": MEASURES[name]}
        | _spread(values)
        | {"not_reached": each.not_covered if name == "full_coverage" else None}
        | {"draws": len(values)}
        for each in measured
        for (name, part), values in each.values.items()
    ]
    return pl.DataFrame(rows, schema_overrides={"not_reached": pl.Float64})


def difference_frame(before: Measured, after: Measured) -> pl.DataFrame:
    """Say what `after` changes against `before`, paired draw by draw.

    `lower` and `higher` are shares of draws in which the measure is lower and higher after.
    """
    rows = []
    for (name, part), values in before.values.items():
        change = after.values[name, part] - values
        rows.append(
            {"measure": name, "part": part, "unit": MEASURES[name]}
            | _spread(change)
            | {"lower": float((change < 0).mean()), "higher": float((change > 0).mean())}
            | {"draws": len(change)}
        )
    return pl.DataFrame(rows)
