"""Figures of areas: level, true spread between schools, how much lies within schools."""

from __future__ import annotations

import polars as pl

from brightspots.core.disclosure import MINIMUM_PUPILS_PUBLIC, suppress
from brightspots.insight.spreads import spread_of_groups
from brightspots_web.insight.analysis import withheld
from brightspots_web.insight.analysis.outcome import Outcome

FIGURES = (
    "mean", "observed", "spread", "spread_lower", "spread_upper", "share_within",
    "schools_in_need", "pupils_touched",
)  # fmt: skip


def figures(
    outcome: Outcome,
    memberships: pl.DataFrame,
    needs: pl.DataFrame,
    parents: dict[int, int | None],
) -> pl.DataFrame:
    """All areas (or partnerships), all years and (year null) what lasts; small ones withheld.

    An area's figures are those of its schools that may be shown: a school or year that is withheld
    is not in them, or it could be had by subtraction.
    `memberships` has `school` and `area`, a row for each area a school lies in; `parents` says in
    which area an area lies; `needs` has `school`, `probability`, `pupils_touched`.
    """
    shown = ~pl.col("withheld")
    lasting = _residuals_of_effects(outcome.persistent.filter(shown)).join(
        needs.select("school", "probability", "pupils_touched"), on="school", how="left"
    )
    nothing = pl.lit(None, dtype=pl.Float64)
    yearly = outcome.yearly.filter(shown).with_columns(
        nothing.alias("probability"), nothing.alias("pupils_touched")
    )
    columns = [
        "school", "year", "n", "observed", "residual", "sampling_variance", "probability",
        "pupils_touched",
    ]  # fmt: skip
    rows = pl.concat(
        [lasting.with_columns(pl.lit(None, dtype=pl.Int64).alias("year")).select(columns),
         yearly.with_columns(pl.col("year").cast(pl.Int64)).select(columns)],
        how="vertical_relaxed",
    )  # fmt: skip
    spread_out = rows.join(memberships, on="school", how="inner")
    if spread_out.is_empty():
        return pl.DataFrame()
    return _withhold(_aggregate(spread_out, outcome), parents)


def parents_of(schools: pl.DataFrame) -> dict[int, int | None]:
    """Area -> the area it lies in."""
    found: dict[int, int | None] = {}
    for path in schools["area_path"].unique().to_list():
        keys = [int(key) for key in path.strip("/").split("/")]
        found |= dict(zip(keys, [None, *keys], strict=False))
    return found


def memberships_of(schools: pl.DataFrame) -> pl.DataFrame:
    """One row for a school and each area it lies in, the smallest up to the nation."""
    return (
        schools.select("school", pl.col("area_path").str.strip_chars("/").str.split("/"))
        .explode("area_path")
        .select("school", pl.col("area_path").cast(pl.Int64).alias("area"))
    )


def _residuals_of_effects(persistent: pl.DataFrame) -> pl.DataFrame:
    """Unshrunken deviations behind the lasting effects, with their error variances.

    estimate = R r with R = 1 - cond_sd^2 / tau^2 and error variance tau^2 (1 - R) / R. A school
    with R = 0 says nothing and is left out.
    """
    tau2 = persistent["se_comparative"] ** 2 + persistent["se_diagnostic"] ** 2
    reliability = 1 - (persistent["cond_sd"] ** 2 / tau2).fill_nan(1.0)
    return (
        persistent.with_columns(reliability.alias("_r"), tau2.alias("_tau2"))
        .filter(pl.col("_r") > 1e-6)
        .with_columns(
            (pl.col("estimate") / pl.col("_r")).alias("residual"),
            (pl.col("_tau2") * (1 - pl.col("_r")) / pl.col("_r")).alias("sampling_variance"),
        )
    )


def _aggregate(rows: pl.DataFrame, outcome: Outcome) -> pl.DataFrame:
    weight = pl.col("n") / pl.col("n").sum()
    keys = rows.select(pl.struct("area", "year").rank("dense").alias("g"))["g"].cast(pl.Int64) - 1
    rows = rows.with_columns(keys.alias("g")).sort("g", "school")
    totals = (
        rows.group_by("g", "area", "year")
        .agg(
            pl.len().alias("n_schools"),
            pl.col("n").sum().alias("n_pupils"),
            (pl.col("residual") * weight).sum().alias("mean"),
            (pl.col("observed") * weight).sum().alias("observed"),
            pl.col("probability").sum().alias("schools_in_need"),
            pl.col("pupils_touched").sum(),
            (pl.col("sampling_variance") * pl.col("n")).mean().alias("_within"),
        )
        .sort("g")
    )
    group = rows["g"].to_numpy()
    spread, lower, upper = spread_of_groups(
        rows["residual"].to_numpy(), rows["sampling_variance"].to_numpy(), group, totals.height
    )
    within = totals["_within"].to_numpy()
    share = within / (within + spread**2)
    return totals.with_columns(
        pl.Series("spread", spread).fill_nan(None),
        pl.Series("spread_lower", lower).fill_nan(None),
        pl.Series("spread_upper", upper).fill_nan(None),
        # Of what lasts, pupils' scatter within a year is no part.
        pl.when(pl.col("year").is_not_null()).then(pl.Series("share_within", share)).fill_nan(None),
        pl.lit(outcome.subject).alias("subject"),
    ).drop("g", "_within")


def _withhold(figures: pl.DataFrame, parents: dict[int, int | None]) -> pl.DataFrame:
    """Take away what rests on too few, and what would tell it."""

    def without(frame: pl.DataFrame) -> pl.DataFrame:
        least = MINIMUM_PUPILS_PUBLIC
        return suppress(frame, "n_pupils", FIGURES, minimum=least, schools_column="n_schools")

    few = without(figures)["suppressed"]
    return without(withheld.protect_areas(figures.with_columns(few), parents))
