"""The same schools reckoned in other reasonable ways, and groups of their pupils."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from brightspots.core.errors import InputError
from brightspots.insight.cross_products import CrossProducts
from brightspots.insight.missing_prior import value_added_with_missing
from brightspots.insight.school_level import SchoolLevelParameters, SchoolLevelValueAdded
from brightspots.insight.school_years import Drift, SchoolYearValueAdded
from brightspots.insight.sensitivity import (
    Sensitivity,
    sensitivity_of_school_figures,
    sensitivity_table,
)
from brightspots.insight.subgroups import Bands, subgroup_value_added
from brightspots.insight.value_added import ValueAdded
from brightspots_web.insight.analysis.formulas import YEAR
from brightspots_web.insight.analysis.outcome import Settings, Ways
from brightspots_web.insight.analysis.pupil_rows import GROUP, PRIOR, Pupils, is_prior
from brightspots_web.insight.circumstances import PREFIX
from brightspots_web.insight.models import Sensitivity as Stored

Variant = Stored.Variant
COLUMNS = ("school", "variant", "n", "estimate", "se_comparative", "lower", "upper")
GROUP_COLUMNS = (
    "school", "dimension", "group", "n", "observed", "estimate", "se_comparative", "lower", "upper",
)  # fmt: skip


def of_pupils(
    cp: CrossProducts,
    fitted: SchoolYearValueAdded | ValueAdded,
    pupils: Pupils,
    settings: Settings,
    pupil_sd: float,
) -> Ways:
    """Every way the library knows, from the cross products that are there."""
    by_year = isinstance(fitted, SchoolYearValueAdded)
    drift: Drift = "ar1" if by_year and settings.drift == "ar1" else "none"
    prior = [column for column, of in pupils.columns.items() if of in pupils.prior]
    try:
        made = sensitivity_table(
            cp,
            prior=prior,
            year=YEAR if by_year else None,
            drift=drift,
            school="school",
            fitted=fitted,
            pupil_sd=pupil_sd,
        )
    except InputError as error:
        # A way that cannot be fitted says nothing against the one that can.
        return Ways(left_out={"all": str(error)})
    return _with_holes(_ways(made), cp, fitted, pupils, prior, pupil_sd)


def _with_holes(
    ways: Ways,
    cp: CrossProducts,
    fitted: SchoolYearValueAdded | ValueAdded,
    pupils: Pupils,
    prior: Sequence[str],
    pupil_sd: float,
) -> Ways:
    """Add the way that keeps pupils whose earlier results are not known."""
    if pupils.whole is None:
        return ways
    variant = str(Variant.MISSING_PRIOR)
    by_year = isinstance(fitted, SchoolYearValueAdded)
    try:
        made = value_added_with_missing(
            pupils.whole, cp.formula, list(prior), year=YEAR if by_year else None
        )
    except InputError as error:
        return replace(ways, left_out={**ways.left_out, variant: str(error)})
    scaled = [
        (pl.col(c) / pupil_sd).alias(c) for c in ("estimate", "se_comparative", "lower", "upper")
    ]
    table = made.school_effects.filter(pl.col("n") > 0).select(
        "school", pl.lit(variant).alias("variant"), pl.col("n").cast(pl.Int64), *scaled
    )
    own = fitted.persistent if isinstance(fitted, SchoolYearValueAdded) else fitted.school_effects
    figures = ("estimate", "lower", "upper")
    main = own.select("school", *[(pl.col(c) / pupil_sd).alias(f"main_{c}") for c in figures])
    return Ways(
        pl.concat([ways.table, table]),
        [*ways.summary, _compared(table.join(main, on="school"), variant)],
        ways.left_out,
    )


def _compared(both: pl.DataFrame, variant: str) -> dict[str, Any]:
    """How far one way lies from the main one, as the library says it of the others."""

    def side(lower: str, upper: str) -> pl.Expr:
        return (pl.col(lower) > 0).cast(pl.Int8) - (pl.col(upper) < 0).cast(pl.Int8)

    now, other = side("main_lower", "main_upper"), side("lower", "upper")
    row = both.select(
        pl.len().alias("schools"),
        (pl.col("estimate") - pl.col("main_estimate")).std(ddof=0).alias("sd_change"),
        pl.corr("estimate", "main_estimate").alias("correlation"),
        (now != other).sum().alias("changed"),
        (now * other == -1).sum().alias("reversed"),
    ).row(0, named=True)
    return {"variant": variant, **row}


def _ways(made: Sensitivity) -> Ways:
    rounded = pl.col("n").fill_null(0).round().cast(pl.Int64)
    return Ways(
        made.variants().drop_nulls("estimate").with_columns(rounded).select(COLUMNS),
        made.summary.drop("terms").to_dicts(),
        dict(made.left_out),
    )


def groups_of_pupils(
    cp: CrossProducts,
    fitted: SchoolYearValueAdded | ValueAdded,
    pupils: Pupils,
    pupil_sd: float,
) -> pl.DataFrame:
    """Groups of pupils large enough to show, by the kinds the file knows and by earlier results."""
    by_year = isinstance(fitted, SchoolYearValueAdded)
    bands = [
        Bands(column)
        for column, of in pupils.columns.items()
        if of in pupils.prior and of == f"{PREFIX}{PRIOR}"
    ]
    dimensions: list[str | Bands] = [*pupils.dimensions, *bands]
    wanted = [dimensions] if dimensions else []
    made: list[pl.DataFrame] = []
    while wanted:
        together = wanted.pop()
        try:
            found = subgroup_value_added(
                pupils.path,
                cp,
                fitted,
                together,
                school="school",
                year=YEAR if by_year else None,
                pupil_sd=pupil_sd,
            )
        except InputError:
            # One of them tells no groups apart; the others may. One scan would do for all.
            wanted += [[each] for each in together] if len(together) > 1 else []
            continue
        made.append(found.in_pupil_sd())
    if not made:
        return pl.DataFrame()
    return (
        pl.concat(made)
        .with_columns(pl.col("dimension").str.strip_prefix(GROUP))
        .select(GROUP_COLUMNS)
    )


def of_schools(
    frame: pl.DataFrame,
    parameters: SchoolLevelParameters,
    fitted: SchoolLevelValueAdded,
    pupil_sd: float,
) -> Ways:
    """The ways that schools' own figures allow."""
    prior = [name for name in parameters.context if is_prior(name)]
    try:
        made = sensitivity_of_school_figures(
            frame, parameters, prior=prior, fitted=fitted, pupil_sd=pupil_sd
        )
    except InputError as error:
        return Ways(left_out={"all": str(error)})
    return _ways(made)


def sensitivity_rows(
    frame: pl.DataFrame, subject: str, keys: Mapping[str, int]
) -> list[dict[str, Any]]:
    """Rows for the table; schools that are no longer registered are left out."""
    return _rows(frame, subject, keys, COLUMNS)


def subgroup_rows(
    frame: pl.DataFrame, subject: str, keys: Mapping[str, int]
) -> list[dict[str, Any]]:
    return _rows(frame, subject, keys, GROUP_COLUMNS)


def _rows(
    frame: pl.DataFrame, subject: str, keys: Mapping[str, int], columns: Sequence[str]
) -> list[dict[str, Any]]:
    if frame.is_empty():
        return []
    wanted = frame.select(columns).filter(pl.col("school").is_in(list(keys))).sort(columns[:3])
    made = []
    for row in wanted.to_dicts():
        row["school_id"] = keys[row.pop("school")]
        row["subject"] = subject
        made.append(row)
    return made
