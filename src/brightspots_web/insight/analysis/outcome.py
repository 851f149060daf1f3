"""What both ways (from pupils, from school figures) give for one outcome."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import polars as pl

SCALED = ("estimate", "se_comparative", "se_diagnostic", "cond_sd", "lower", "upper")
"""Columns that are turned from points into pupil SD."""

LEAST_DELTA = 0.10

EFFECTS = (
    "school", "year", "n", "n_latest", "years", "observed", "expected", *SCALED, "reliability",
)  # fmt: skip
"""Columns of both frames of an outcome."""


@dataclass(frozen=True)
class Settings:
    """What an analysis was asked for; None means every subject, or the default circumstances."""

    subjects: tuple[str, ...] | None = None
    context: tuple[str, ...] | None = None
    delta: float | None = None
    """What counts as markedly better, pupil SD; None: see :meth:`Outcome.markedly`."""
    seed: int = 1
    family_size: int = 50
    formula: str = ""
    """Fixed part of a formula in place of the circumstances; see `formulas`."""
    earlier: str = ""
    """Earlier results of the same pupil: "", "same" (subject) or "all"."""
    drift: str = "none"
    """How the years of a school hang together: "none" or "ar1"."""

    @classmethod
    def of(cls, given: Any) -> Settings:
        """From a job's parameters or a run's settings; what is missing takes its default."""
        subjects, context = given.get("subjects"), given.get("context")
        return cls(
            subjects=tuple(subjects) if subjects else None,
            context=tuple(context) if context is not None else None,
            delta=float(given["delta"]) if given.get("delta") else None,
            seed=int(given.get("seed") or 0),
            family_size=int(given.get("family_size") or 50),
            formula=str(given.get("formula") or ""),
            earlier=str(given.get("earlier") or ""),
            drift=str(given.get("drift") or "none"),
        )

    def as_dict(self) -> dict[str, Any]:
        return {
            "subjects": list(self.subjects) if self.subjects else None,
            "context": list(self.context) if self.context is not None else None,
            "delta": self.delta,
            "seed": self.seed,
            "family_size": self.family_size,
            "formula": self.formula,
            "earlier": self.earlier,
            "drift": self.drift,
        }


@dataclass(frozen=True)
class Ways:
    """Figures under other ways of reckoning, and how far each lies from the main one."""

    table: pl.DataFrame = field(default_factory=pl.DataFrame)
    summary: list[dict[str, Any]] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """Effects of schools in one subject. Observed and expected in points, the rest in pupil SD."""

    subject: str
    way: str
    """`pupil` or `school`."""
    persistent: pl.DataFrame = field(repr=False)
    """One row a school: what lasts over the years, or the one year."""
    yearly: pl.DataFrame = field(repr=False)
    """One row a school and year, with `residual` and `sampling_variance` in pupil SD."""
    pupil_sd: float = 1.0
    mean: float = 0.0
    context: dict[str, Any] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)
    because: dict[str, dict[str, float]] = field(default_factory=dict, repr=False)
    """School -> circumstance -> points by which it moves what is expected; see `expectation`."""
    diagnostics: dict[str, Any] = field(default_factory=dict, repr=False)
    """For the analyst's page: see `diagnostics`."""
    ways: Ways = field(default_factory=Ways, repr=False)
    subgroups: pl.DataFrame = field(default_factory=pl.DataFrame, repr=False)
    """school, dimension, group, n, observed, estimate, se_comparative, lower, upper; pupil SD."""
    unplaced: frozenset[str] = frozenset()
    """Schools of whose circumstances nothing is known while those of others are: measured against
    all schools, they cannot be said to do markedly better than schools like them."""

    def markedly(self, asked: float | None) -> float:
        """What counts as markedly better or worse here, in pupil SD.

        What was asked for; else one standard deviation of the true, lasting differences between
        schools, and 0.10 at least. Where schools differ much, a tenth of a standard deviation of
        pupils is no mark of distinction: half of them would have it.
        """
        if asked is not None:
            return asked
        first = self.persistent.select(
            (pl.col("se_comparative") ** 2 + pl.col("se_diagnostic") ** 2).sqrt().median()
        ).item()
        return max(LEAST_DELTA, round(float(first or 0.0), 2))

    @property
    def years(self) -> list[int]:
        return sorted(int(year) for year in self.yearly["year"].drop_nulls().unique())

    @property
    def pupils(self) -> int:
        """In the newest year, in schools whose figure may be shown: see `withheld`."""
        newest = self.yearly.filter(pl.col("year") == pl.col("year").max())
        if "withheld" in newest.columns:
            newest = newest.filter(~pl.col("withheld"))
        return int(newest["n"].sum() or 0)


def in_pupil_sd(frame: pl.DataFrame, pupil_sd: float) -> pl.DataFrame:
    return frame.with_columns([pl.col(name) / pupil_sd for name in SCALED])


def with_latest(persistent: pl.DataFrame, yearly: pl.DataFrame) -> pl.DataFrame:
    """Add `n_latest`: pupils of a school in its newest year, whom help would reach next."""
    newest = yearly.sort("year").group_by("school").agg(pl.col("n").last().alias("n_latest"))
    return persistent.join(newest, on="school", how="left", maintain_order="left")
