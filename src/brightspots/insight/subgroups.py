"""What a school adds for a group of its pupils, beyond pupils like them elsewhere.

A group's mean residual under the model of all pupils, shrunken towards the same group elsewhere:

    r_sg = mu_g + u_sg + e_sg,                 var(e_sg) = sigma_g^2 / n_sg known
    r_sgt = mu_gt + u_sg + v_sgt + e_sgt       over several years: u is what lasts

Groups of fewer than ten pupils, and groups whose rest would be of fewer than ten, are never given
out. See docs/methods/subgroups.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import ibis
import ibis.expr.types as ir
import polars as pl

from brightspots.core.engine import Source, Table
from brightspots.core.errors import InputError
from brightspots.core.provenance import Provenance
from brightspots.insight.cross_products import CrossProducts
from brightspots.insight.residuals import (
    as_number,
    as_words,
    check_same_pupils,
    residual_rows,
    school_column,
    threads_for,
)
from brightspots.insight.sensitivity_ways import sd_of_all
from brightspots.insight.subgroup_fits import MINIMUM, figures_of_dimension

METHOD = "value added for groups of pupils"
METHOD_VERSION = "1"
MOST_GROUPS = 20
_THIRDS = ("low", "middle", "high")


class Fitted(Protocol):
    """Any result with fixed effects: ``ValueAdded``, ``SchoolYearValueAdded``."""

    @property
    def fixed_effects(self) -> pl.DataFrame:
        """Frame with term and estimate."""


@dataclass(frozen=True)
class Bands:
    """Groups made of a number: equally many pupils in each, as far as equal values allow.

    Parameters
    ----------
    column : str
    parts : int
        With 3 the groups are called low, middle and high; otherwise ``1 of 4`` and so on.
    """

    column: str
    parts: int = 3

    def __post_init__(self) -> None:
        if not 2 <= self.parts <= 10:
            raise InputError("Bands have 2 to 10 parts.", column=self.column)

    @property
    def names(self) -> tuple[str, ...]:
        """From the lowest to the highest."""
        if self.parts == 3:
            return _THIRDS
        return tuple(f"{i} of {self.parts}" for i in range(1, self.parts + 1))


@dataclass(frozen=True)
class SubgroupValueAdded:
    """Result of :func:`subgroup_value_added`, in units of the outcome.

    Attributes
    ----------
    figures : polars.DataFrame
        school, dimension, group, n, observed (mean outcome), estimate (EBLUP of u_sg), cond_sd,
        se_comparative, se_diagnostic, lower, upper, reliability; sorted.
    differences : polars.DataFrame
        school, dimension, group, other, n, n_other, gap (difference of mean residuals), usual (the
        same over all schools), then estimate (by how much the school's gap differs from the usual
        one, shrunken) with cond_sd to reliability as above, and probability (that it is above 0).
    groups : polars.DataFrame
        dimension, group, n, schools, shown (schools given out), usual (mu, mean over years), sd
        (true SD between schools), pupil_sd (SD of residuals within schools), why_not (null, or why
        the group has no figures).
    pupil_sd : float
        SD among all pupils: divide by it to get pupil SD.
    """

    figures: pl.DataFrame
    differences: pl.DataFrame
    groups: pl.DataFrame
    pupil_sd: float
    provenance: Provenance = field(repr=False)

    def in_pupil_sd(self) -> pl.DataFrame:
        """Figures with all but `observed` in pupil SD."""
        return _scaled(self.figures, self.pupil_sd)

    def differences_in_pupil_sd(self) -> pl.DataFrame:
        """Differences in pupil SD."""
        return _scaled(self.differences, self.pupil_sd)


_UNITS = (
    "gap",
    "usual",
    "estimate",
    "cond_sd",
    "se_comparative",
    "se_diagnostic",
    "lower",
    "upper",
)


def _scaled(frame: pl.DataFrame, unit: float) -> pl.DataFrame:
    return frame.with_columns(pl.col(name) / unit for name in _UNITS if name in frame.columns)


def subgroup_value_added(
    source: Source,
    cp: CrossProducts,
    fitted: Fitted,
    dimensions: Sequence[str | Bands],
    *,
    school: str | None = None,
    year: str | None = None,
    minimum: int = MINIMUM,
    pupil_sd: float | None = None,
    confidence: float = 0.95,
    threads: int | None = None,
) -> SubgroupValueAdded:
    """Estimate, school by school, what groups of pupils achieve beyond pupils like them elsewhere.

    Parameters
    ----------
    source : path, glob, list of Parquet paths, or polars frame
        The pupils `cp` was made from, with the columns of the dimensions.
    cp : CrossProducts
    fitted : ValueAdded or SchoolYearValueAdded
        A model of `cp`.
    dimensions : sequence of str or Bands
        Columns by which pupils are told apart, e.g. ``["sex", Bands("prior")]``. Pupils whose value
        is missing are in no group of that dimension.
    school, year : str, optional
        Grouping columns of `cp`. With `year`, effects are what lasts over the years.
    minimum : int
        Pupils a group must have, and must leave; at least 1.
    pupil_sd : float, optional
        SD among pupils; the result's own, or that of all pupils scanned, where it is not given.
    confidence : float
    threads : int, optional
        As for ``cross_products``.

    Raises
    ------
    InputError
        A column is missing or has too many groups, or these are other pupils than those of the fit.

    Notes
    -----
    One scan for all dimensions (one more where there are bands, for their limits). Coefficients and
    variances are taken as known. Rows are put in an order given by their figures.
    """
    if minimum < 1 or not 0 < confidence < 1:
        raise InputError("minimum must be at least 1, and confidence lie between 0 and 1.")
    if not dimensions:
        raise InputError("Name a column by which pupils are told apart.")
    column = school_column(cp, school)
    names = [each if isinstance(each, str) else each.column for each in dimensions]
    if len(set(names)) != len(names):
        raise InputError("Each dimension can be named once.")
    cells = _scan(source, cp, fitted, dimensions, [column, *([year] if year else [])], threads)
    check_same_pupils(cp, int(cells["n"].sum()))
    own = getattr(fitted, "pupil_sd", None)
    unit = pupil_sd or own or sd_of_all(cp)
    figures, differences, groups = [], [], []
    for dimension in names:
        made = figures_of_dimension(cells, dimension, minimum, confidence)
        figures.append(made[0])
        differences.append(made[1])
        groups.append(made[2])
    order = ["school", "dimension", "group"]
    return SubgroupValueAdded(
        figures=pl.concat(figures).sort(order),
        differences=pl.concat(differences).sort([*order, "other"]),
        groups=pl.concat(groups),
        pupil_sd=float(unit),
        provenance=Provenance(
            METHOD,
            METHOD_VERSION,
            cp.provenance.input_hash,
            None,
            {
                **cp.provenance.settings,
                "dimensions": [
                    each if isinstance(each, str) else {"column": each.column, "parts": each.parts}
                    for each in dimensions
                ],
                "year": year,
                "minimum": minimum,
                "confidence": confidence,
            },
        ),
    )


def _scan(
    source: Source,
    cp: CrossProducts,
    fitted: Fitted,
    dimensions: Sequence[str | Bands],
    groups: list[str],
    threads: int | None,
) -> pl.DataFrame:
    """One row a school (and year) and combination of groups: n, w, sums of y, r and r^2."""
    names = [each if isinstance(each, str) else each.column for each in dimensions]
    threads = threads_for(cp, threads)
    with residual_rows(source, cp, fitted.fixed_effects, groups=groups, keep=names) as opened:
        table, rows = opened
        labels = _labels(table, rows, dimensions)
        keys = {"school": rows.g0, **({"year": rows.g1} if len(groups) > 1 else {})}
        wide = rows.select(**keys, **labels, y=rows.outcome, r=rows.residual, w=rows.weight)
        found = table.ask(
            wide.group_by([*keys, *labels]).aggregate(
                n=wide.count(),
                w=wide.w.sum(),
                wy=(wide.w * wide.y).sum(),
                wr=(wide.w * wide.r).sum(),
                wrr=(wide.w * wide.r * wide.r).sum(),
            ),
            threads=threads,
        )
    found = found.with_columns(pl.col(list(keys)).cast(pl.String))
    if "year" not in keys:
        found = found.with_columns(pl.lit("").alias("year"))
    back = {f"d{i}": f"dimension:{name}" for i, name in enumerate(names)}
    return found.rename(back).sort("school", "year", *back.values())


def _labels(
    table: Table, rows: ir.Table, dimensions: Sequence[str | Bands]
) -> dict[str, ir.StringValue]:
    """Name the group of a pupil in each dimension; null where it is not known."""
    found: dict[str, ir.StringValue] = {}
    for place, each in enumerate(dimensions):
        column = rows[f"k{place}"]
        if isinstance(each, str):
            found[f"d{place}"] = as_words(column)
        else:
            found[f"d{place}"] = _band(table, rows, each, column)
    words = [place for place, each in enumerate(dimensions) if isinstance(each, str)]
    if words:
        counts = table.ask(
            rows.aggregate(**{f"d{place}": found[f"d{place}"].nunique() for place in words})
        ).row(0, named=True)
        for place in words:
            _check_count(table, str(dimensions[place]), int(counts[f"d{place}"]))
    return found


def _check_count(table: Table, name: str, count: int) -> None:
    if count > MOST_GROUPS:
        raise InputError(
            f"This column has {count:,} groups; {MOST_GROUPS} is the limit.",
            file=table.name,
            column=name,
            mend="Is it a name or a number? Take Bands of a number.",
        )
    if count == 0:
        raise InputError("No pupil has a value here.", file=table.name, column=name)


def _band(table: Table, rows: ir.Table, bands: Bands, column: ir.Value) -> ir.StringValue:
    value = as_number(column)
    value = ibis.ifelse(value.isnan() | value.isinf(), ibis.null("float64"), value)
    shares = [i / bands.parts for i in range(1, bands.parts)]
    cuts = table.ask(
        rows.aggregate(**{f"c{i}": value.quantile(share) for i, share in enumerate(shares)}),
        threads=1,
    ).row(0)
    if any(cut is None for cut in cuts):
        raise InputError("No pupil has a number here.", file=table.name, column=bands.column)
    label: ir.Value = ibis.literal(bands.names[-1])
    for name, cut in reversed(list(zip(bands.names, cuts, strict=False))):
        label = ibis.ifelse(value <= float(cut), name, label)
    return ibis.ifelse(value.isnull(), ibis.null("string"), label)
