"""Residuals of single pupils, as aggregates: shape, tails, and bends along a column.

A second scan, since second moments do not hold single pupils. What leaves the engine are counts and
sums over ten pupils or more.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field

import ibis
import ibis.expr.types as ir
import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import norm

from brightspots.core.engine import Source, Table
from brightspots.core.errors import InputError
from brightspots.core.provenance import Provenance
from brightspots.insight.cross_products import CrossProducts
from brightspots.insight.residuals import (
    as_number,
    check_same_pupils,
    residual_rows,
    school_column,
    threads_for,
)
from brightspots.insight.school_years import SchoolYearValueAdded
from brightspots.insight.value_added import ValueAdded

METHOD = "residuals of pupils"
METHOD_VERSION = "1"
MINIMUM = 10
_STEP = 0.25
_OUTER = 5.0
_GROUPS = 20
Array = NDArray[np.float64]


@dataclass(frozen=True)
class PupilResiduals:
    """Result of :func:`pupil_residuals`; residuals in units of their own SD, `sd`.

    Attributes
    ----------
    sd : float
        SD of the residuals, in units of the outcome.
    histogram : polars.DataFrame
        lower, upper (in SD; null for the open ends), n, expected (pupils under the normal).
    tails : polars.DataFrame
        beyond (2, 3, 4 SD), share, expected (share under the normal).
    skewness, excess_kurtosis : float
    along : polars.DataFrame
        column, part, n, value (mean of the column), residual (mean), se, spread (SD of residuals,
        1 on average): twenty parts of equal size a column, fewer where values repeat.
    bends : polars.DataFrame
        column, curvature (of a parabola through the parts, in SD per squared SD of the column), se,
        p, largest (the largest mean residual of a part).
    n : int
    """

    sd: float
    histogram: pl.DataFrame
    tails: pl.DataFrame
    skewness: float
    excess_kurtosis: float
    along: pl.DataFrame
    bends: pl.DataFrame
    n: int
    provenance: Provenance = field(repr=False)


def pupil_residuals(
    source: Source,
    cp: CrossProducts,
    fitted: ValueAdded | SchoolYearValueAdded,
    *,
    against: Sequence[str] = (),
    school: str | None = None,
    threads: int | None = None,
) -> PupilResiduals:
    """Look at what the model leaves of each pupil's result, school effects taken off.

    Parameters
    ----------
    source : path, glob, list of Parquet paths, or polars frame
        The pupils of `cp`.
    cp : CrossProducts
    fitted : ValueAdded or SchoolYearValueAdded
        Its school effects, or effects of school and year, are taken off; slopes are not.
    against : sequence of str
        Numeric columns, such as earlier results, along which to look for bends.
    school : str, optional
    threads : int, optional

    Raises
    ------
    InputError
        These are other pupils than those of the fit, or a column holds no numbers.
    """
    groups, effects = _effects(cp, fitted, school)
    threads = threads_for(cp, threads)
    with residual_rows(source, cp, fitted.fixed_effects, groups=groups, keep=against) as opened:
        table, rows = opened
        left = _conditional(table, rows, effects, groups, len(against))
        moments = table.ask(_moments(left), threads=threads).row(0, named=True)
        n = int(moments["n"])
        check_same_pupils(cp, n)
        mean, sd, skew, kurtosis = _shape(moments)
        if not sd > 0:
            raise InputError("The model leaves nothing of any pupil's result.")
        counts = table.ask(_bins(left, sd), threads=threads)
        parts = [
            _along(table, left, place, name, sd, threads) for place, name in enumerate(against)
        ]
    histogram = _histogram(counts, n)
    along = pl.concat([pl.DataFrame(schema=_ALONG), *parts])
    return PupilResiduals(
        sd=sd,
        histogram=histogram,
        tails=_tails(counts, n),
        skewness=skew,
        excess_kurtosis=kurtosis,
        along=along,
        bends=_bends(along),
        n=n,
        provenance=Provenance(
            METHOD,
            METHOD_VERSION,
            cp.provenance.input_hash,
            None,
            {**cp.provenance.settings, "against": list(against), "mean": mean},
        ),
    )


def _effects(
    cp: CrossProducts, fitted: ValueAdded | SchoolYearValueAdded, school: str | None
) -> tuple[list[str], pl.DataFrame]:
    """Give the grouping columns and the effect of each of their combinations."""
    column = school_column(cp, school)
    if not isinstance(fitted, SchoolYearValueAdded):
        return [column], fitted.school_effects.select(
            pl.col("school").alias("e0"), pl.col("estimate").alias("effect")
        )
    year = next(name for name in cp.groups if name != column)
    return [column, year], fitted.yearly.select(
        pl.col("school").alias("e0"),
        pl.col("year").cast(pl.String).alias("e1"),
        pl.col("estimate").alias("effect"),
    )


def _conditional(
    table: Table, rows: ir.Table, effects: pl.DataFrame, groups: list[str], kept: int
) -> ir.Table:
    """Rows with r, what is left once the school's effect is taken off, times sqrt(weight)."""
    table.connection.con.register("school_effects", effects.to_arrow())
    with warnings.catch_warnings():
        # Ibis learns a table's columns through a call that DuckDB deprecates.
        warnings.filterwarnings("ignore", "fetch_arrow_table", DeprecationWarning)
        other = table.connection.table("school_effects")
    match = [rows[f"g{i}"].cast("string") == other[f"e{i}"] for i in range(len(groups))]
    joined = rows.left_join(other, match)
    effect = ibis.coalesce(joined.effect, ibis.literal(0.0))
    return joined.select(
        **{f"k{i}": joined[f"k{i}"] for i in range(kept)},
        r=(joined.residual - effect) * joined.weight.sqrt(),
    )


def _moments(left: ir.Table) -> ir.Table:
    r = left.r
    sums = {f"m{k}": (r**k if k > 1 else r).sum() for k in (1, 2, 3, 4)}
    return left.aggregate(n=r.count(), **sums)


def _shape(moments: dict[str, float]) -> tuple[float, float, float, float]:
    n = moments["n"]
    m1, m2, m3, m4 = (moments[f"m{k}"] / n for k in (1, 2, 3, 4))
    variance = m2 - m1**2
    if variance <= 0:
        return m1, 0.0, 0.0, 0.0
    third = m3 - 3 * m1 * m2 + 2 * m1**3
    fourth = m4 - 4 * m1 * m3 + 6 * m1**2 * m2 - 3 * m1**4
    sd = float(np.sqrt(variance))
    return m1, sd, float(third / sd**3), float(fourth / variance**2 - 3)


def _bins(left: ir.Table, sd: float) -> ir.Table:
    """Count residuals in steps of a quarter SD; what lies beyond 5 SD in the outermost."""
    last = int(_OUTER / _STEP)
    place = (left.r / (sd * _STEP)).floor()
    bounded = ibis.ifelse(place < -last, -last - 1, ibis.ifelse(place >= last, last, place))
    binned = left.select(bin=bounded.cast("int64"))
    return binned.group_by("bin").aggregate(n=binned.count())


def _histogram(counts: pl.DataFrame, n: int) -> pl.DataFrame:
    """Bins in order; an outer bin of fewer than ten pupils is joined to the next one."""
    last = int(_OUTER / _STEP)
    found = dict(counts.iter_rows())
    edges = [-np.inf, *(_STEP * np.arange(-last, last + 1)), np.inf]
    bins = [
        [float(edges[i]), float(edges[i + 1]), int(found.get(place, 0))]
        for i, place in enumerate(range(-last - 1, last + 1))
    ]
    for end in (0, -1):
        while len(bins) > 3 and bins[end][2] < MINIMUM:
            gone = bins.pop(end)
            bins[end][2] += gone[2]
            bins[end][0] = min(bins[end][0], gone[0])
            bins[end][1] = max(bins[end][1], gone[1])
    expected = [n * float(norm.cdf(high) - norm.cdf(low)) for low, high, _ in bins]
    frame = pl.DataFrame(
        {
            "lower": [low for low, _, _ in bins],
            "upper": [high for _, high, _ in bins],
            "n": [count for _, _, count in bins],
            "expected": expected,
        },
        schema_overrides={"n": pl.Int64},
    )
    finite = [pl.when(pl.col(c).is_finite()).then(c).alias(c) for c in ("lower", "upper")]
    return frame.with_columns(finite)


def _tails(counts: pl.DataFrame, n: int) -> pl.DataFrame:
    rows = []
    for beyond in (2.0, 3.0, 4.0):
        steps = int(beyond / _STEP)
        outside = counts.filter((pl.col("bin") < -steps) | (pl.col("bin") >= steps))["n"].sum()
        rows.append((beyond, float(outside) / n, float(2 * norm.sf(beyond))))
    return pl.DataFrame(rows, schema=["beyond", "share", "expected"], orient="row")


_ALONG = {
    "column": pl.String, "part": pl.Int64, "n": pl.Int64, "value": pl.Float64,
    "residual": pl.Float64, "se": pl.Float64, "spread": pl.Float64,
}  # fmt: skip


def _along(
    table: Table, left: ir.Table, place: int, name: str, sd: float, threads: int | None
) -> pl.DataFrame:
    """Mean residual and spread in parts of equal size along one column."""
    value = as_number(left[f"k{place}"])
    value = ibis.ifelse(value.isnan() | value.isinf(), ibis.null("float64"), value)
    known = left.select(value=value, r=left.r).filter(lambda t: t.value.notnull())
    shares = [i / _GROUPS for i in range(1, _GROUPS)]
    cuts = table.ask(
        known.aggregate(**{f"c{i}": known.value.quantile(share) for i, share in enumerate(shares)}),
        threads=1,
    ).row(0)
    if any(cut is None for cut in cuts):
        raise InputError("No pupil has a number here.", file=table.name, column=name)
    part: ir.NumericValue = ibis.literal(0)
    for cut in sorted({float(cut) for cut in cuts}):
        part = part + ibis.ifelse(known.value > cut, 1, 0)
    parted = known.select(part=part, value=known.value, r=known.r)
    found = table.ask(
        parted.group_by("part").aggregate(
            n=parted.count(),
            value=parted.value.mean(),
            s=parted.r.sum(),
            ss=(parted.r * parted.r).sum(),
        ),
        threads=threads,
    ).sort("part")
    found = found.filter(pl.col("n") >= MINIMUM)
    mean = pl.col("s") / pl.col("n")
    variance = (pl.col("ss") / pl.col("n") - mean**2) * pl.col("n") / (pl.col("n") - 1)
    return found.select(
        pl.lit(name).alias("column"),
        pl.col("part").cast(pl.Int64),
        pl.col("n").cast(pl.Int64),
        "value",
        (mean / sd).alias("residual"),
        ((variance / pl.col("n")).sqrt() / sd).alias("se"),
        (variance.sqrt() / sd).alias("spread"),
    )


def _bends(along: pl.DataFrame) -> pl.DataFrame:
    """Weighted parabola through the parts of each column."""
    rows = []
    for (name,), part in along.group_by("column", maintain_order=True):
        if part.height < 4:
            continue
        n, value = part["n"].to_numpy().astype(float), part["value"].to_numpy()
        centre = np.average(value, weights=n)
        x = (value - centre) / np.sqrt(np.average((value - centre) ** 2, weights=n))
        X = np.column_stack([np.ones_like(x), x, x**2])
        w = 1 / np.maximum(part["se"].to_numpy(), 1e-12) ** 2
        covariance = np.linalg.inv(X.T @ (X * w[:, None]))
        b = covariance @ X.T @ (w * part["residual"].to_numpy())
        se = float(np.sqrt(covariance[2, 2]))
        largest = float(part["residual"].abs().max())  # type: ignore[arg-type]  # a number
        rows.append((str(name), float(b[2]), se, float(2 * norm.sf(abs(b[2]) / se)), largest))
    return pl.DataFrame(
        rows,
        schema={
            "column": pl.String, "curvature": pl.Float64, "se": pl.Float64, "p": pl.Float64,
            "largest": pl.Float64,
        },
        orient="row",
    )  # fmt: skip
