"""Which figures of an analysis are withheld, decided once, when it is made.

The rules are in `brightspots_web/insight/disclosure.py`; the mathematics of withholding a second
figure is the library's (`protect_tree`).
"""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from brightspots.core.complementary import protect_tree
from brightspots.core.disclosure import MINIMUM_PUPILS_OWN_TIER, MINIMUM_PUPILS_PUBLIC
from brightspots_web.insight.analysis.outcome import Outcome

TIERS = {"complementary": MINIMUM_PUPILS_PUBLIC, "complementary_inside": MINIMUM_PUPILS_OWN_TIER}
"""Mark -> fewest pupils behind a figure shown in that tier."""
ROUNDS = 50


def mark(outcome: Outcome) -> Outcome:
    """Add to both frames `complementary`, `complementary_inside` and `withheld`.

    A school's figure over all years is the total, those of each year are its parts. Where one year
    has too few pupils, another is withheld besides: the earliest that hides it, so that the newest
    stays. `withheld` says that others than the school do not see the figure; nothing that is added
    up over schools may hold it. Where the newest year is withheld, the pupils whom help would reach
    next are those of an average year, or they would tell it.
    """
    persistent, yearly = outcome.persistent, outcome.yearly
    for name, minimum in TIERS.items():
        whole, parts = _years(persistent, yearly, minimum)
        persistent = persistent.with_columns(whole.alias(name))
        yearly = yearly.with_columns(parts.alias(name))
    withheld = (pl.col("n").round() < MINIMUM_PUPILS_PUBLIC) | pl.col("complementary")
    yearly = yearly.with_columns(withheld.fill_null(True).alias("withheld"))
    persistent = persistent.with_columns(withheld.fill_null(True).alias("withheld"))
    newest = yearly.sort("year").group_by("school").agg(pl.col("withheld").last().alias("_hidden"))
    average = pl.col("n") / pl.col("years").clip(1)
    persistent = (
        persistent.join(newest, on="school", how="left", maintain_order="left")
        .with_columns(
            pl.when(pl.col("_hidden").fill_null(False))
            .then(average)
            .otherwise(pl.col("n_latest"))
            .alias("n_latest")
        )
        .drop("_hidden")
    )
    return replace(outcome, persistent=persistent, yearly=yearly)


def _years(
    persistent: pl.DataFrame, yearly: pl.DataFrame, minimum: int
) -> tuple[pl.Series, pl.Series]:
    """Complementary marks of the rows of both frames; schools without a small year have none."""
    count = pl.col("n").round().fill_null(0)
    small = yearly.filter(count.is_between(1, minimum - 1))["school"].unique()
    parts = yearly.with_row_index("_row").filter(pl.col("school").is_in(small.implode()))
    parts = parts.select(
        "_row",
        "school",
        pl.format("{}\n{}", "school", "year").alias("node"),
        pl.col("school").alias("parent"),
        count.alias("count"),
        pl.col("year").alias("order"),
    )
    sums = parts.group_by("school").agg(pl.col("count").sum().alias("_sum"))
    totals = (
        persistent.with_row_index("_row")
        .join(sums, on="school", how="inner", maintain_order="left")
        .select(
            "_row",
            "school",
            pl.col("school").alias("node"),
            pl.lit(None, dtype=pl.String).alias("parent"),
            pl.max_horizontal(count, "_sum").alias("count"),
            pl.lit(0, dtype=parts.schema["order"]).alias("order"),
        )
    )
    # A year of a school without a lasting figure has no total beside it.
    parts = parts.join(totals.select("school"), on="school", how="semi", maintain_order="left")
    guarded = protect_tree(
        pl.concat([totals, parts], how="vertical_relaxed"), order="order", minimum=minimum
    ).filter("complementary")
    is_total = guarded["parent"].is_null()
    return (
        _marks(persistent.height, guarded.filter(is_total)),
        _marks(yearly.height, guarded.filter(~is_total)),
    )


def _marks(height: int, rows: pl.DataFrame) -> pl.Series:
    at = pl.Series("_row", range(height), dtype=pl.UInt32)
    return at.is_in(rows["_row"].cast(pl.UInt32).implode())


def protect_areas(figures: pl.DataFrame, parents: dict[int, int | None]) -> pl.DataFrame:
    """Withhold further areas and years, so that no withheld one follows from the others.

    Parameters
    ----------
    figures : polars.DataFrame
        One row an area and year (null: all years) of one outcome, with `n_pupils` as counted and
        `suppressed`: too few schools or pupils.
    parents : dict
        Area -> the area it lies in.

    Returns
    -------
    polars.DataFrame
        The same rows with `suppressed` and `complementary`.

    Notes
    -----
    Areas add up to the area above in every year, and years add up to all years in every area. Each
    direction is made safe by `protect_tree`, in turn, until neither withholds anything more. A
    further area or year is chosen where most is withheld already, so that what is withheld in one
    direction closes with the other.
    """
    frame = figures.with_columns(pl.col("suppressed").alias("_first"))
    for _ in range(ROUNDS):
        before = int(frame["suppressed"].sum())
        frame = _protect(frame, parents)
        if int(frame["suppressed"].sum()) == before:
            break
    return frame.with_columns(
        (pl.col("suppressed") & ~pl.col("_first")).alias("complementary")
    ).drop("_first")


def _protect(frame: pl.DataFrame, parents: dict[int, int | None]) -> pl.DataFrame:
    above = pl.col("area").replace_strict(parents, default=None, return_dtype=pl.Int64)
    year = pl.col("year").fill_null(0)
    cell = pl.format("{}:{}", year, "area")
    for total in (
        pl.format("{}:{}", year, above),
        pl.when(pl.col("year").is_not_null()).then(pl.format("0:{}", "area")),
    ):
        most = pl.col("suppressed").cast(pl.Int64).sum()
        nodes = frame.with_columns(
            cell.alias("node"),
            total.alias("parent"),
            pl.col("n_pupils").round().fill_null(0).alias("count"),
            (-(most.over("area") + most.over(year))).alias("order"),
        )
        # A total that is no figure of ours has no equation.
        listed = pl.col("parent").is_in(nodes["node"].implode())
        nodes = nodes.with_columns(pl.when(listed).then(pl.col("parent")).alias("parent"))
        parts = nodes.group_by(pl.col("parent").alias("node")).agg(pl.col("count").sum().alias("_"))
        nodes = nodes.join(parts, on="node", how="left", maintain_order="left").with_columns(
            pl.max_horizontal("count", pl.col("_").fill_null(0)).alias("count")
        )
        frame = frame.with_columns(
            protect_tree(nodes, primary="suppressed", order="order")["suppressed"]
        )
    return frame
