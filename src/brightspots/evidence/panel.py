"""A panel of units (schools) over periods, checked and put in order.

What cannot be used is left out with its reason; what cannot be meant is refused with its rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.core.errors import InputError
from brightspots.evidence.panel_rows import (
    PanelColumns,
    refuse_changes,
    refuse_duplicates,
    require_columns,
    typed_rows,
)
from brightspots.evidence.periods import Periods

__all__ = ["Panel", "PanelColumns", "counts_by_reason", "read_panel"]

LEFT_OUT_SCHEMA = {"unit": pl.String, "reason": pl.String, "periods": pl.String}
MOST_LEVELS = 30


@dataclass(frozen=True)
class Panel:
    """A balanced panel of n units over T periods.

    Attributes
    ----------
    units : polars.Series of str, shape (n,)
        Sorted.
    periods : Periods
    first : array, shape (n,)
        Value of the first treated period; ``inf`` for never. Values above the last period's belong
        to units treated after the panel ends.
    outcome : array, shape (n, T)
    covariates : array, shape (n, T, p)
        Centred and scaled to SD 1: no estimate depends on it, and sums keep their digits.
    covariate_names : tuple of str, length p
    cluster : array of int, shape (n,)
        0 to `n_clusters` - 1.
    n_clusters : int
    clustered : bool
        Whether a column of clusters was given; otherwise each unit is its own.
    weights : array, shape (n,)
        Mean 1.
    left_out : DataFrame
        unit, reason, periods.
    n_listed : int
        Units in the table, those left out included.
    treated_listed, treated_left_out : int
        How many of these are ever treated within the panel.
    notes : tuple of str
    eligibility : bool
        Whether unsupported units are eligible ones only.
    """

    units: pl.Series
    periods: Periods
    first: NDArray[np.float64]
    outcome: NDArray[np.float64]
    covariates: NDArray[np.float64]
    covariate_names: tuple[str, ...]
    cluster: NDArray[np.int64]
    n_clusters: int
    clustered: bool
    weights: NDArray[np.float64]
    left_out: pl.DataFrame
    n_listed: int
    treated_listed: int
    treated_left_out: int
    notes: tuple[str, ...]
    eligibility: bool

    @property
    def n(self) -> int:
        """Number of units."""
        return len(self.units)

    @property
    def treated_clusters(self) -> int:
        """Number of clusters with a unit treated within the panel."""
        treated = self.first <= self.periods.values[-1]
        return int(np.count_nonzero(np.bincount(self.cluster[treated])))

    @property
    def groups(self) -> NDArray[np.float64]:
        """Values of the first treated period of units treated within the panel, in order."""
        inside = self.first[self.first <= self.periods.values[-1]]
        return np.unique(inside)


def read_panel(frame: pl.DataFrame, columns: PanelColumns, *, anticipation: float = 0.0) -> Panel:
    """Check a long table, one row a unit and period, and put it in order.

    Parameters
    ----------
    frame : DataFrame
        Cells as text or typed. Rows are counted with the header as row 1.
    columns : PanelColumns
    anticipation : float
        Units without a period before their first treated one less this are left out.

    Raises
    ------
    InputError
        With row and column: unknown columns; empty or unreadable cells; a unit-period twice; a
        first treated period, cluster or weight that changes within a unit; an outcome that never
        varies; no unit, no treated unit or one period left.
    """
    require_columns(frame, columns)
    rows, periods = typed_rows(frame, columns)
    rows = refuse_duplicates(rows, columns)
    refuse_changes(rows, columns)
    kept, left_out, notes = _balance(rows, periods, anticipation, columns)
    T = len(periods.labels)
    n = kept.height // T
    ones = kept.gather_every(T)
    outcome = kept["outcome"].to_numpy().reshape(n, T)
    if float(outcome.max()) == float(outcome.min()):
        raise InputError(
            "The outcome is the same in every row, so nothing can be seen to change.",
            column=columns.outcome, mend="Is it the right column?",
        )  # fmt: skip
    covariates, names, more = _covariates(kept, columns, T)
    cluster, n_clusters, alone = _clusters(ones, columns)
    if alone:
        more.append(f"{alone:,} units have no cluster; each counts as one of its own.")
    weights = ones["weight"].to_numpy().astype(np.float64)
    treated = rows.filter(pl.col("first") <= periods.values[-1])["unit"].unique()
    return Panel(
        units=ones["unit"],
        periods=periods,
        first=ones["first"].to_numpy().astype(np.float64),
        outcome=np.ascontiguousarray(outcome, dtype=np.float64),
        covariates=covariates,
        covariate_names=names,
        cluster=cluster,
        n_clusters=n_clusters,
        clustered=columns.cluster is not None,
        weights=weights / weights.mean(),
        left_out=left_out,
        n_listed=rows["unit"].n_unique(),
        treated_listed=len(treated),
        treated_left_out=len(left_out.filter(pl.col("unit").is_in(treated.implode()))),
        notes=(*notes, *more),
        eligibility=columns.eligible is not None,
    )


def _balance(
    rows: pl.DataFrame, periods: Periods, anticipation: float, columns: PanelColumns
) -> tuple[pl.DataFrame, pl.DataFrame, list[str]]:
    """Leave out units that cannot be used, with the reason; return what is left, sorted."""
    T = len(periods.labels)
    values = [f"c{at}" for at in range(len(columns.covariates))]
    usable = pl.all_horizontal(pl.col(name).is_not_null() for name in ("outcome", *values))
    first = pl.col("first").first()
    units = rows.group_by("unit").agg(
        first=first, eligible=pl.col("eligible").first(), n_rows=pl.len(), n=usable.sum(),
        has=pl.col("t").filter(usable),
    )  # fmt: skip
    start = float(periods.values[0])
    inside = pl.col("first") <= periods.values[-1]
    units = units.with_columns(
        reason=pl.when(pl.col("first") <= start)
        .then(pl.lit("treated in the first period or before"))
        .when(inside & (pl.col("first") <= start + anticipation))
        .then(pl.lit("no period before the anticipation of its treatment"))
        .when(~inside & ~pl.col("eligible"))
        .then(pl.lit("not treated and not eligible"))
        .when(pl.col("n_rows") < T)
        .then(pl.lit("no row in some periods"))
        .when(pl.col("n") < T)
        .then(pl.lit("no value in some periods"))
    )
    out = units.filter(pl.col("reason").is_not_null()).sort("unit")
    gaps = out["reason"].str.starts_with("no row") | out["reason"].str.starts_with("no value")
    missing = [
        ", ".join(periods.labels[t] for t in sorted(set(range(T)) - set(has))) if gap else ""
        for has, gap in zip(out["has"].to_list(), gaps, strict=True)
    ]
    left_out = pl.DataFrame(
        {"unit": out["unit"], "reason": out["reason"], "periods": missing},
        schema=LEFT_OUT_SCHEMA,
    )
    kept = rows.join(units.filter(pl.col("reason").is_null()).select("unit"), on="unit",
                     how="semi").sort("unit", "t")  # fmt: skip
    if not kept.height:
        raise InputError(
            f"No unit is left to compare: {_counts(left_out)}.", mend=_mend_gaps(units, periods)
        )
    if not (kept["first"] <= periods.values[-1]).any():
        told = _counts(left_out)
        raise InputError(
            f"No unit is first treated within the panel{f' (left out: {told})' if told else ''}.",
            column=columns.first_treated,
            mend="Give some units the first period in which they were supported.",
        )  # fmt: skip
    notes = [f"Left out: {_counts(left_out)}."] if left_out.height else []
    if not periods.even:
        notes.append(
            f"The periods are not evenly spaced ({', '.join(periods.labels)}); event time and "
            "anticipation count in the unit of the time."
        )
    late = kept.filter(pl.col("first").is_finite() & (pl.col("first") > periods.values[-1]))
    if late.height:
        notes.append(f"{late['unit'].n_unique():,} units are first treated after the last period;"
                     " they are compared with as not treated.")  # fmt: skip
    return kept, left_out, notes


def _counts(left_out: pl.DataFrame) -> str:
    counts = left_out["reason"].value_counts().sort("reason")
    return "; ".join(f"{n:,} units: {reason}" for reason, n in counts.iter_rows())


def _mend_gaps(units: pl.DataFrame, periods: Periods) -> str:
    counts = np.zeros(len(periods.labels), dtype=np.int64)
    for has in units["has"].to_list():
        counts[has] += 1
    shown = ", ".join(f"{label}: {n:,}" for label, n in zip(periods.labels, counts, strict=True))
    return f"Units with a value by period: {shown}. Leave out the rows of a period that few have."


def _covariates(
    kept: pl.DataFrame, columns: PanelColumns, T: int
) -> tuple[NDArray[np.float64], tuple[str, ...], list[str]]:
    """Columns of numbers, centred and scaled, and an indicator for each further word."""
    found: list[NDArray[np.float64]] = []
    names: list[str] = []
    notes: list[str] = []
    for at, name in enumerate(columns.covariates):
        values = kept[f"c{at}"]
        if values.dtype != pl.String:
            found.append(values.to_numpy().astype(np.float64))
            names.append(name)
            continue
        levels = values.unique().sort().to_list()
        if len(levels) > MOST_LEVELS:
            raise InputError(
                f"The column holds {len(levels):,} different words, more than {MOST_LEVELS}.",
                column=name, mend="Use a column of numbers, or put words together.",
            )  # fmt: skip
        for level in levels[1:]:
            found.append((values == level).to_numpy().astype(np.float64))
            names.append(f"{name}: {level}")
    used, scaled = [], []
    for values_, name in zip(found, names, strict=True):
        spread = float(values_.std())
        if spread <= 1e-12 * max(1.0, float(np.abs(values_).max())):
            notes.append(f'The covariate "{name}" never varies; it is not used.')
            continue
        used.append(name)
        scaled.append((values_ - values_.mean()) / spread)
    n = kept.height // T
    cube = np.stack(scaled, axis=-1) if scaled else np.zeros((kept.height, 0))
    return cube.reshape(n, T, len(used)), tuple(used), notes


def _clusters(ones: pl.DataFrame, columns: PanelColumns) -> tuple[NDArray[np.int64], int, int]:
    """Return the number of each unit's cluster, how many there are, and units without one."""
    if columns.cluster is None:
        return np.arange(ones.height), ones.height, 0
    alone, named = "1" + pl.col("unit"), "0" + pl.col("cluster")
    label = ones.select(pl.when(pl.col("cluster") == "").then(alone).otherwise(named)).to_series()
    number = label.rank("dense").to_numpy().astype(np.int64) - 1
    return number, int(number.max()) + 1, int((ones["cluster"] == "").sum())


def counts_by_reason(left_out: pl.DataFrame) -> dict[str, int]:
    """Count units left out by reason, in alphabetical order."""
    return dict(left_out["reason"].value_counts().sort("reason").iter_rows())
