"""What the runs of the loop say: means over systems with intervals, regret, and verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import t as student

from brightspots.pace.loop import LoopRuns
from brightspots.pace.loop_policies import Policy
from brightspots.pace.loop_run import MEASURES

__all__ = ["GOAL_CYCLE", "GOAL_SHARE", "cycles_frame", "interval", "share_of_oracle", "verdicts"]

Floats = NDArray[np.float64]
GAIN: Final = "mean_true_gain"
GOAL_SHARE: Final = 0.8
GOAL_CYCLE: Final = 6
_DIGITS: Final = 6


def interval(values: Sequence[float | None]) -> tuple[float | None, float | None, float | None]:
    """Mean over systems and its 95 % interval (Student's t); no interval with one system."""
    x = np.array([value for value in values if value is not None], dtype=np.float64)
    if not len(x):
        return None, None, None
    mean = float(x.mean())
    if len(x) < 2:
        return mean, None, None
    half = float(student.ppf(0.975, len(x) - 1) * x.std(ddof=1) / np.sqrt(len(x)))
    return mean, mean - half, mean + half


def cycles_frame(runs: LoopRuns) -> pl.DataFrame:
    """One row a policy and cycle; each measure with its interval over systems.

    Regret is what the oracle's mean true gain in the same cycle of the same system is above the
    policy's; `regret_so_far` adds up the cycles.
    """
    rows = []
    for policy in runs.parameters.run:
        columns = {name: runs.of(policy, name) for name in MEASURES}
        short = _difference(runs.of("oracle", GAIN), runs.of(policy, GAIN))
        columns["regret"] = short
        columns["regret_so_far"] = [
            np.cumsum([each or 0.0 for each in system]).tolist() for system in short
        ]
        for at in range(runs.parameters.n_cycles):
            row: dict[str, Any] = {
                "policy": policy, "cycle": at + 1, "systems": runs.parameters.replicates,
            }  # fmt: skip
            for name, systems in columns.items():
                mean, low, high = interval([system[at] for system in systems])
                row |= {name: mean, f"{name}_lower": low, f"{name}_upper": high}
            rows.append(row)
    text = {"policy": pl.String, "cycle": pl.Int64, "systems": pl.Int64}
    schema = {name: text.get(name, pl.Float64) for name in rows[0]}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return frame.with_columns(pl.col(pl.Float64).round(_DIGITS))


def _difference(
    above: list[list[float | None]], below: list[list[float | None]]
) -> list[list[float | None]]:
    return [
        [None if a is None or b is None else a - b for a, b in zip(one, other, strict=True)]
        for one, other in zip(above, below, strict=True)
    ]


def share_of_oracle(runs: LoopRuns, policy: Policy, at: int) -> tuple[float, float, float] | None:
    """Gain of a policy over the oracle's in one cycle, as a ratio of sums over systems.

    r = sum a_i / sum b_i with se^2 = m / (m - 1) sum (a_i - r b_i)^2 / (sum b_i)^2 over m systems
    (Cochran 1977, Sampling Techniques, 6.3); no interval with one system.
    """
    pairs = [
        (own[at], best[at])
        for own, best in zip(runs.of(policy, GAIN), runs.of("oracle", GAIN), strict=True)
        if own[at] is not None and best[at] is not None
    ]
    a, b = np.array(pairs, dtype=np.float64).reshape(-1, 2).T
    total = float(b.sum())
    if total <= 0:
        return None
    r, m = float(a.sum()) / total, len(a)
    se = float(np.sqrt(((a - r * b) ** 2).sum() * m / (m - 1))) / total if m > 1 else np.nan
    half = float(student.ppf(0.975, m - 1)) * se if m > 1 else np.nan
    return r, r - half, r + half


def verdicts(runs: LoopRuns) -> dict[str, Any]:
    """Hold the learning policy against the others; empty if it was not run.

    Returns
    -------
    dict
        For each other policy but the oracle: the cycle from which on its interval and learning's
        do not overlap (`apart_from`), and from which on the difference in the same systems is
        above 0 with its interval (`better_from`); None for never. `share_of_oracle` by cycle, and
        the first cycle from which on it stays at `GOAL_SHARE` or above.
    """
    if "learning" not in runs.parameters.run:
        return {}
    learning = runs.of("learning", GAIN)
    cycles = range(runs.parameters.n_cycles)
    found: dict[str, Any] = {}
    for policy in runs.parameters.run:
        if policy in ("learning", "oracle"):
            continue
        other = runs.of(policy, GAIN)
        apart, better, differences = [], [], []
        for at in cycles:
            low = interval([system[at] for system in learning])[1]
            high = interval([system[at] for system in other])[2]
            apart.append(low is not None and high is not None and low > high)
            pairs = [row[at] for row in _difference(learning, other)]
            difference = interval(pairs)
            differences.append(_rounded(difference))
            better.append(difference[1] is not None and difference[1] > 0)
        found[policy] = {
            "apart_from": _from(apart),
            "better_from": _from(better),
            "difference": differences,
        }
    shares = [share_of_oracle(runs, "learning", at) for at in cycles]
    found["oracle"] = {
        "share": [None if share is None else _rounded(share) for share in shares],
        "share_reached_from": _from([bool(share and share[0] >= GOAL_SHARE) for share in shares]),
    }
    return found


def _from(holds: Sequence[bool]) -> int | None:
    """Return the first cycle from which on it holds to the end; None if it does not there."""
    first = None
    for at in range(len(holds) - 1, -1, -1):
        if not holds[at]:
            break
        first = at + 1
    return first


def _rounded(values: Sequence[float | None]) -> list[float | None]:
    return [
        None if value is None or not np.isfinite(value) else round(float(value), _DIGITS)
        for value in values
    ]
