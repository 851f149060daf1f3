"""Schools moved against cost: the same re-forming at several prices of moving a school.

At price 0 the partnerships are as good as they can be and many schools move; the dearer a move, the
fewer schools do, and the more the partnerships cost. People choose a point; the curve only shows
what it costs them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl

from brightspots.connectedness.changes import Changes, apply_changes
from brightspots.connectedness.difference import difference
from brightspots.connectedness.partnerships import Parameters, StopEarly, form_partnerships
from brightspots.connectedness.stopping import Stage
from brightspots.core.errors import InputError

if TYPE_CHECKING:
    from brightspots.connectedness.small_files import SmallTable

__all__ = ["FRONTIER", "PRICES", "frontier"]

PRICES = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0)
FRONTIER = {
    "price": pl.Float64, "moved": pl.Int64, "cost": pl.Float64, "gap": pl.Float64,
    "share_moved": pl.Float64, "split_off": pl.Int64, "new_leaders": pl.Int64, "served": pl.Int64,
    "partnerships": pl.Int64, "stopped_early": pl.Boolean,
}  # fmt: skip


def frontier(
    schools: pl.DataFrame,
    existing: pl.DataFrame | SmallTable | Changes,
    prices: Sequence[float] = PRICES,
    parameters: Parameters | None = None,
    seed: int = 0,
    progress: Callable[[float, str], None] | None = None,
    known: pl.DataFrame | None = None,
    keep: Callable[[pl.DataFrame], None] | None = None,
    **others: Any,
) -> pl.DataFrame:
    """Re-form at several prices of moving a school.

    Parameters
    ----------
    schools : DataFrame
        As for :func:`brightspots.connectedness.changes.apply_changes`.
    existing : DataFrame, SmallTable or Changes
        The present partnerships, or what :func:`apply_changes` has already made of them.
    prices : sequence of float
        Prices of moving one school, km of travel, from 0 up.
    parameters : Parameters, optional
        `weights.disruption` is put aside for each price.
    seed : int
    progress : callable, optional
        As for the forming of partnerships, over all prices; `StopEarly` ends with the prices done.
    known : DataFrame, optional
        What this function returned, or kept, in an earlier run with the same schools and settings:
        these prices are not done again.
    keep : callable, optional
        Called with the rows so far after each price, so that an interrupted run can be continued.
    **others
        Handed on to :func:`brightspots.connectedness.partnerships.form_partnerships`: pins, travel.

    Returns
    -------
    DataFrame
        price, moved (schools whose leader comes from another present partnership), cost (of the
        partnerships without what moving cost, km, so that it can be compared), gap (proven, of the
        objective with the price in it; null if there is no bound), share_moved (of the schools that
        were in a partnership and still are there), split_off, new_leaders, served, partnerships,
        stopped_early; sorted by price. A run that was interrupted returns the prices it finished.

    Raises
    ------
    InputError
        No price, a price below 0, or what the schools and the partnerships have wrong.
    """
    if not prices or not all(math.isfinite(price) and price >= 0 for price in prices):
        raise InputError(
            f"the prices are {', '.join(f'{price:g}' for price in prices) or 'none'}.",
            mend="Give numbers from 0 up, such as 0,0.5,1,2,5,10.",
        )
    parameters = parameters or Parameters()
    tell = progress or (lambda _share, _stage: None)
    changes = existing if isinstance(existing, Changes) else apply_changes(schools, existing)
    wanted = sorted(set(map(float, prices)))
    rows = pl.DataFrame(schema=FRONTIER)
    if known is not None:
        rows = known.select(pl.col(name).cast(kind) for name, kind in FRONTIER.items())
        rows = rows.filter(pl.col("price").is_in(wanted) & ~pl.col("stopped_early"))
    interrupted: list[float] = []
    for number, price in enumerate(wanted):
        if price in rows["price"]:
            continue

        def part(share: float, stage: str, number: int = number, price: float = price) -> None:
            try:
                words = f"price {price:g}: {stage}"
                if isinstance(stage, Stage):
                    words = Stage(words, stage.cost, stage.gap)
                tell((number + share) / len(wanted), words)
            except StopEarly:
                interrupted.append(price)
                raise

        priced = replace(parameters, weights=replace(parameters.weights, disruption=price))
        try:
            result = form_partnerships(
                changes.schools, priced, seed=seed, progress=part, existing=changes.existing,
                **others,
            )  # fmt: skip
        except (KeyboardInterrupt, StopEarly):
            break
        if interrupted or (result.stopped_early and parameters.time_limit is None):
            break  # half a search would bend the curve
        found = difference(changes, result)
        row = {
            "price": price, "moved": found.moved, "cost": found.cost, "gap": result.gap,
            "share_moved": found.as_dict()["share_moved"],
            "split_off": found.counts["schools"]["splits off"],
            "new_leaders": found.counts["leaders"]["new"], "served": result.members.height,
            "partnerships": result.n_partnerships, "stopped_early": result.stopped_early,
        }  # fmt: skip
        rows = pl.concat([rows, pl.DataFrame([row], schema=FRONTIER)]).sort("price")
        if keep is not None:
            keep(rows)
    return rows
