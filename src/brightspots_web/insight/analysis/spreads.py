"""How much schools differ: by tier, within partnerships, and whether it is closing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl

from brightspots.core.errors import InputError
from brightspots.insight.spreads import spread_trend
from brightspots.insight.variability import VariabilityParameters, variance_decomposition
from brightspots_web.insight.analysis.inputs import Inputs
from brightspots_web.insight.analysis.outcome import Outcome, Settings

Progress = Callable[[float, str], None]
FIGURES = ("mean", "spread", "spread_lower", "spread_upper", "share_within")
Placed = tuple[pl.DataFrame, Sequence[pl.DataFrame]]
"""Memberships, and for each outcome the figures that say which groups and years are withheld."""
_SYSTEM = 0


def variances(
    outcomes: Sequence[Outcome], inputs: Inputs, settings: Settings, progress: Progress
) -> list[dict[str, Any]]:
    tiers = _tiers(inputs.schools)
    rows: list[dict[str, Any]] = []
    for place, each in enumerate(outcomes):
        progress(0.8 + 0.1 * place / len(outcomes), f"How much differs where: {each.subject}")
        frame = each.yearly.select(
            "school", "year", pl.col("observed").alias("mean"), pl.col("n").alias("candidates"),
            pl.col("sampling_variance") * each.pupil_sd**2,
        ).join(tiers, on="school", how="inner")  # fmt: skip
        names = _useful(tiers, frame)
        try:
            split = variance_decomposition(
                frame, VariabilityParameters(tiers=tuple(names), replicates=0), seed=settings.seed
            )
        except InputError:
            continue  # fewer than 3 schools in a year say nothing about how schools differ
        for (_year,), tiered in split.tiers.group_by("year", maintain_order=True):
            whole = float((tiered["sd"] ** 2).sum()) or 1.0
            rows += [_variance_row(row, each.subject, names, whole) for row in tiered.to_dicts()]
    return rows


def _tiers(schools: pl.DataFrame) -> pl.DataFrame:
    """The area of each level in which a school lies; where the tree ends early, its last one."""
    parts = schools.select("school", pl.col("area_path").str.strip_chars("/").str.split("/"))
    depth = int(parts["area_path"].list.len().max() or 1)  # type: ignore[arg-type] # a length
    level = [
        pl.col("area_path").list.get(i, null_on_oob=True).fill_null(pl.col("area_path").list.last())
        for i in range(depth)
    ]
    return parts.select("school", *[e.alias(f"area:{i}") for i, e in enumerate(level)])


def _useful(tiers: pl.DataFrame, frame: pl.DataFrame) -> list[str]:
    """Levels that split schools into several areas, of more than one school on average each."""
    names = [name for name in tiers.columns if name != "school"]
    schools = frame["school"].n_unique()
    return [name for name in names if 1 < frame[name].n_unique() <= schools * 0.7]


def _variance_row(
    row: Mapping[str, Any], subject: str, names: Sequence[str], whole: float
) -> dict[str, Any]:
    """One tier of one year; limits of a share are those of its SD, the other tiers held still."""
    order = {
        **{name: (f"area:{i}", i) for i, name in enumerate(names, start=1)},
        "school": ("school", len(names) + 1),
        "pupil": ("pupil", len(names) + 2),
    }
    tier, rank = order[row["tier"]]
    low, high = (
        None if row[bound] is None else min(row[bound] ** 2 / whole, 1.0)
        for bound in ("sd_lower", "sd_upper")
    )
    return {
        "subject": subject,
        "year": int(row["year"]),
        "tier": tier,
        "rank": rank,
        "units": int(row["units"]),
        "sd": row["sd"],
        "sd_lower": row["sd_lower"],
        "sd_upper": row["sd_upper"],
        "share": row["sd"] ** 2 / whole,
        "lower": low,
        "upper": high,
    }


def partnership_rows(frames: Sequence[pl.DataFrame]) -> list[dict[str, Any]]:
    """Rows for the table of partnerships' figures."""
    return [
        {
            **{name: row[name] for name in FIGURES},
            "partnership_id": row["area"],
            "subject": row["subject"],
            "year": row["year"],
            "n_schools": row["n_schools"],
            "n_pupils": None if row["n_pupils"] is None else round(row["n_pupils"]),
            "suppressed": row["suppressed"],
            "complementary": row["complementary"],
        }
        for frame in frames
        for row in frame.to_dicts()
    ]


def trends(
    outcomes: Sequence[Outcome], areas: Placed, partnerships: Placed
) -> list[dict[str, Any]]:
    """Of the system, of every area and of every partnership: are differences closing?

    Only years in which the place's own figure may be shown count, and in them only schools whose
    figure may be shown.
    """
    made: list[dict[str, Any]] = []
    for place, outcome in enumerate(outcomes):
        shown = outcome.yearly.filter(~pl.col("withheld")).select(
            "school", pl.col("year").cast(pl.Int64), "residual", "sampling_variance"
        )
        whole = shown.with_columns(pl.lit(_SYSTEM, dtype=pl.Int64).alias("group"))
        made += _trend_rows(whole, outcome.subject, None)
        for kind, (memberships, figures) in (("area", areas), ("partnership", partnerships)):
            if memberships.is_empty() or figures[place].is_empty():
                continue
            open_years = figures[place].filter(~pl.col("suppressed")).select("area", "year")
            rows = (
                shown.join(memberships.select("school", "area"), on="school", how="inner")
                .join(open_years.drop_nulls("year"), on=["area", "year"], how="semi")
                .rename({"area": "group"})
            )
            made += _trend_rows(rows, outcome.subject, kind)
    return made


def _trend_rows(rows: pl.DataFrame, subject: str, kind: str | None) -> list[dict[str, Any]]:
    if rows.is_empty():
        return []
    found = spread_trend(
        rows.select("group", "year", "school", "residual", "sampling_variance")
    ).trends
    return [
        {
            "area_id": int(row["group"]) if kind == "area" else None,
            "partnership_id": int(row["group"]) if kind == "partnership" else None,
            "subject": subject,
            "tier": "school",
            "first_year": row["first_year"],
            "last_year": row["last_year"],
            "years": row["years"],
            "slope": row["slope"],
            "lower": row["lower"],
            "upper": row["upper"],
        }
        for row in found.to_dicts()
    ]
