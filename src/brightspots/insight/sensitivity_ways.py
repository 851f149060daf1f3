"""The ways of reckoning behind :mod:`sensitivity`: one from pupils, one from schools' figures."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from brightspots.insight.cross_products import CrossProducts
from brightspots.insight.school_level import (
    SchoolLevelParameters,
    SchoolLevelValueAdded,
    school_level_value_added,
)
from brightspots.insight.school_year_cells import year_number
from brightspots.insight.school_years import (
    Drift,
    SchoolYearValueAdded,
    school_year_value_added,
)
from brightspots.insight.submodels import (
    identified,
    only_cells,
    term_columns,
    with_group_means,
    without_terms,
)
from brightspots.insight.value_added import ValueAdded, value_added


@dataclass(frozen=True)
class Way:
    """One way of reckoning: effects in units of the outcome, and what the model holds."""

    effects: pl.DataFrame
    terms: tuple[str, ...]
    pupil_sd: float


class SameModelError(Exception):
    """The variant is the base, or another variant, under a second name."""


_EFFECTS = ("school", "n", "estimate", "cond_sd", "se_comparative", "se_diagnostic")


def _single(fitted: ValueAdded | SchoolYearValueAdded) -> pl.DataFrame:
    found = fitted.persistent if isinstance(fitted, SchoolYearValueAdded) else fitted.school_effects
    return found.select(_EFFECTS).with_columns(pl.col("n").cast(pl.Float64))


@dataclass(frozen=True)
class PupilWay:
    """Variants of a model of pupils, from its cross products."""

    cp: CrossProducts
    prior: frozenset[str]
    background: Collection[str] | None
    year: str | None
    drift: Drift
    school: str

    def frame_of(self, fitted: ValueAdded | SchoolYearValueAdded) -> Way:
        """Take a model that is fitted already."""
        return Way(_single(fitted), self.cp.terms, sd_of_all(self.cp))

    def fit(self, cp: CrossProducts) -> Way:
        """Fit school and school-year effects where there are years, else one effect a school."""
        if self.year is not None and cp.cells[self.year].n_unique() > 1:
            lasting = school_year_value_added(cp, year=self.year, drift=self.drift)
            return Way(_single(lasting), cp.terms, lasting.pupil_sd)
        return Way(_single(value_added(cp)), cp.terms, sd_of_all(cp))

    def _own(self) -> dict[str, frozenset[str]]:
        """Terms other than the intercept and the years' own."""
        years = frozenset([self.year] if self.year else [])
        return {t: c for t, c in term_columns(self.cp).items() if c - years}

    def _is_prior(self, columns: frozenset[str]) -> bool:
        return bool(columns & self.prior) and columns <= self.prior | {self.year or ""}

    def _background_terms(self) -> list[str]:
        if self.background is None:
            return [t for t, c in self._own().items() if not self._is_prior(c)]
        return [t for t, c in self._own().items() if c & frozenset(self.background)]

    def _other_terms(self) -> list[str]:
        return [t for t, c in self._own().items() if not self._is_prior(c)]

    def no_background(self) -> Way:
        """Fit without background."""
        dropped = self._background_terms()
        if not dropped:
            raise SameModelError("The model holds no background.")
        return self.fit(without_terms(self.cp, dropped))

    def prior_only(self) -> Way:
        """Fit with earlier results only."""
        dropped = self._other_terms()
        if not self.prior:
            raise SameModelError("The model holds no earlier results.")
        if not dropped:
            raise SameModelError("The model holds earlier results only.")
        if set(dropped) == set(self._background_terms()):
            raise SameModelError("The same as without background.")
        return self.fit(without_terms(self.cp, dropped))

    def school_mean(self) -> Way:
        """Means of the earlier results, or of the background where there are none."""
        own = self._own()
        chosen = [t for t, c in own.items() if self._is_prior(c)] or self._background_terms()
        plain = [t for t in chosen if ":" not in t and self.year not in own[t]]
        groups = (self.school, *([self.year] if self.year else []))
        wider = identified(with_group_means(self.cp, plain, groups)) if plain else self.cp
        if len(wider.terms) <= len(self.cp.terms):
            raise SameModelError("There is nothing to take a school's mean of.")
        return self.fit(wider)

    def _years(self) -> list[str]:
        if self.year is None:
            raise SameModelError("Years are not told apart.")
        labels = self.cp.cells[self.year].unique().to_list()
        if len(labels) < 2:
            raise SameModelError("There is one year.")
        return sorted(labels, key=lambda label: (year_number(label) or 0.0, label))

    def _in_years(self, latest: bool) -> Way:
        newest = self._years()[-1]
        at = (self.cp.cells[self.year or ""] == newest).to_numpy()
        kept = at if latest else ~at
        return self.fit(
            identified(only_cells(self.cp, kept, f"{'' if latest else 'not '}{newest}"))
        )

    def latest_year(self) -> Way:
        """Fit the latest year alone."""
        return self._in_years(latest=True)

    def without_latest(self) -> Way:
        """Fit all years but the latest."""
        return self._in_years(latest=False)


def sd_of_all(cp: CrossProducts) -> float:
    """SD of the outcome among all pupils, in its own units."""
    total = cp.total()
    variance = total[-1, -1] / total[0, 0] - (total[0, -1] / total[0, 0]) ** 2
    return float(np.sqrt(max(variance, 0.0)) * cp.scale[-1])


@dataclass(frozen=True)
class FiguresWay:
    """Variants of a model of schools' figures."""

    frame: pl.DataFrame
    parameters: SchoolLevelParameters
    prior: frozenset[str]
    background: Collection[str] | None

    def frame_of(self, fitted: SchoolLevelValueAdded) -> Way:
        """Take a model that is fitted already."""
        effects = fitted.school_effects.select(_EFFECTS).with_columns(pl.col("n").cast(pl.Float64))
        return Way(effects, self.parameters.context, fitted.sd_unit or 0.0)

    def fit(self, frame: pl.DataFrame, context: tuple[str, ...]) -> Way:
        """Fit with some of the context."""
        parameters = replace(self.parameters, context=context)
        return replace(self.frame_of(school_level_value_added(frame, parameters)), terms=context)

    def _kept(self) -> tuple[str, ...]:
        out = self.prior if self.background is None else None
        if out is not None:
            return tuple(name for name in self.parameters.context if name in self.prior)
        return tuple(
            n for n in self.parameters.context if n not in frozenset(self.background or ())
        )

    def no_background(self) -> Way:
        """Fit without background."""
        if self._kept() == self.parameters.context:
            raise SameModelError("The model holds no background.")
        return self.fit(self.frame, self._kept())

    def prior_only(self) -> Way:
        """Fit with earlier results only."""
        kept = tuple(name for name in self.parameters.context if name in self.prior)
        if not kept:
            raise SameModelError("The model holds no earlier results.")
        if kept in (self.parameters.context, self._kept()):
            raise SameModelError("The same as without background.")
        return self.fit(self.frame, kept)

    def school_mean(self) -> Way:
        """Not done for figures of schools."""
        raise SameModelError("Figures of schools are of whole intakes already.")

    def _split(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        name = self.parameters.year
        if name not in self.frame.columns or self.frame[name].drop_nulls().n_unique() < 2:
            raise SameModelError("There is one year.")
        labels = self.frame[name].drop_nulls().unique().to_list()
        newest = max(labels, key=lambda label: (year_number(str(label)) or 0.0, str(label)))
        at = pl.col(name) == newest
        return self.frame.filter(at), self.frame.filter(~at)

    def latest_year(self) -> Way:
        """Fit the latest year alone."""
        return self.fit(self._split()[0], self.parameters.context)

    def without_latest(self) -> Way:
        """Fit all years but the latest."""
        return self.fit(self._split()[1], self.parameters.context)
