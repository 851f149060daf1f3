"""How much outcomes vary, and where: between areas, between schools within them, between pupils.

    y_s = mean + u_region + u_council + ... + u_school + e_s,    var(e_s) known

Sampling noise is taken out, so that a council of small schools does not look more unequal than it
is. The outcome may be what is observed or what is left of it after context
(``SchoolLevelValueAdded.unexplained``). See docs/methods/variability.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import chi2

from brightspots.core.errors import InputError
from brightspots.core.provenance import Provenance, hash_frame
from brightspots.insight.nested_reml import Nest, fit_nested, nest_of, profile_interval
from brightspots.insight.school_rows import SchoolLevelParameters, prepare_rows
from brightspots.insight.spreads import MINIMUM_SCHOOLS
from brightspots.insight.variability_trend import (
    Year,
    draw_years,
    groups_of,
    persistence_of,
    trend_of,
)

METHOD_VERSION = "2"
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class VariabilityParameters:
    """Settings of :func:`variance_decomposition`.

    Parameters
    ----------
    tiers : tuple of str
        Area columns, coarsest first, e.g. ``("region", "council")``. An area is told apart by its
        whole path, so two regions may each have a council of the same name.
    outcome, candidates, spread, sampling_variance, school, year : str
        Columns, as for value added from school figures.
    replicates : int
        Parametric bootstrap draws for the intervals of shares and of trends; 0 leaves these out.
    confidence : float
        Of all intervals.
    """

    tiers: tuple[str, ...]
    outcome: str = "mean"
    candidates: str = "candidates"
    spread: str = "spread"
    sampling_variance: str = "sampling_variance"
    school: str = "school"
    year: str = "year"
    replicates: int = 100
    confidence: float = 0.95

    def __post_init__(self) -> None:
        if not self.tiers or len(set(self.tiers)) != len(self.tiers):
            raise InputError("Name the area columns, coarsest first, each once.")
        if self.replicates != 0 and self.replicates < 20:
            raise InputError("replicates must be 0 or at least 20.")
        if not 0 < self.confidence < 1:
            raise InputError("confidence must lie between 0 and 1.")


@dataclass(frozen=True)
class VarianceDecomposition:
    """Result of :func:`variance_decomposition`.

    Attributes
    ----------
    tiers : polars.DataFrame
        year, tier (area columns, then "school", then "pupil" where spreads are known), units,
        variance, sd, sd_lower, sd_upper (profile likelihood; null for pupils), share of the true
        variance between schools with share_lower and share_upper (null for pupils), share_of_pupil
        variance (null without spreads).
    trend : polars.DataFrame
        tier, slope of the SD a year, lower, upper, se, probability_closing (that the SD falls),
        persistence (share of the tier's variance that lasts from year to year); empty for fewer
        than 3 years.
    summary : mapping
        By year: schools, noise_share (part of the observed variance of school means that is
        sampling noise), dropped rows.
    """

    tiers: pl.DataFrame
    trend: pl.DataFrame
    summary: Mapping[str, Any]
    provenance: Provenance = field(repr=False)


def variance_decomposition(
    frame: pl.DataFrame, parameters: VariabilityParameters, seed: int = 0
) -> VarianceDecomposition:
    """Split the true variance of school means over the tiers of an area tree, year by year.

    Parameters
    ----------
    frame : polars.DataFrame
        One row a school (and year) with its mean, its precision and its areas.
    parameters : VariabilityParameters
    seed : int
        Of the bootstrap.

    Raises
    ------
    InputError
        A column is missing, an area is missing, or a year has fewer than 3 schools.

    Notes
    -----
    REML, because areas differ much in size (18 to 300 schools) and analysis of variance by moments
    has no best weights then and can turn negative. Intervals of SDs: profile restricted likelihood,
    which stays in bounds where there are few areas. Intervals of shares: percentiles of a
    parametric bootstrap.
    """
    p = parameters
    check = [name for name in p.tiers if name not in frame.columns]
    if check:
        raise InputError("This area column is not in the table.", column=check[0])
    for name in p.tiers:
        if frame[name].null_count():
            row = int(np.argmax(frame[name].is_null().to_numpy())) + 2
            raise InputError(
                "A school has no area here.", row=row, column=name, mend="Give every school one."
            )
    rows = prepare_rows(
        frame,
        SchoolLevelParameters(
            context=p.tiers,
            outcome=p.outcome,
            candidates=p.candidates,
            spread=p.spread,
            sampling_variance=p.sampling_variance,
            school=p.school,
            year=p.year,
        ),
    )
    labels_of = rows.frame["year"].rank("dense").fill_null(0).to_numpy()
    everywhere = [rows.unit, *groups_of(rows.frame.select(p.tiers))]
    years = []
    for year in np.unique(labels_of):
        at = np.flatnonzero(labels_of == year)
        years.append(
            _fit_year(
                rows.frame["year"][int(at[0])],
                rows.frame[at].select(p.tiers),
                rows.y[at],
                rows.sampling.s2[at],
                [column[at] for column in everywhere],
            )
        )
    lasting = persistence_of(years)
    draws = draw_years(years, lasting, p.replicates, np.random.default_rng([seed, 0]))
    tables = []
    for each, drawn, at in zip(
        years, draws, (np.flatnonzero(labels_of == y) for y in np.unique(labels_of)), strict=True
    ):
        label = pl.lit(each.label, dtype=rows.frame.schema["year"]).alias("year")
        tables.append(_year_table(each, drawn, rows.n[at], p).select(label, pl.all()))
    tiers = pl.concat(tables)
    trend = trend_of(years, draws, lasting, [*p.tiers, "school"], p.confidence)
    about = {str(each.label): _facts(each) for each in years}
    summary = {"years": about, "n_dropped": frame.height - rows.frame.height}
    return VarianceDecomposition(
        tiers,
        trend,
        summary,
        Provenance("variability", METHOD_VERSION, hash_frame(frame), seed, asdict(p)),
    )


def _fit_year(
    label: Any, areas: pl.DataFrame, y: Floats, s2: Floats, everywhere: list[Integers]
) -> Year:
    if len(y) < MINIMUM_SCHOOLS:
        raise InputError(
            f"{len(y)} schools are too few to say how much schools differ.",
            mend="Use at least 3 schools a year.",
        )
    columns = groups_of(areas)
    nest = Nest(np.column_stack([np.ones(len(y)), y]), s2, nest_of(columns))
    return Year(label, nest, fit_nested(nest), tuple(columns), tuple(everywhere))


def _facts(year: Year) -> dict[str, Any]:
    y, s2 = year.nest.A[:, -1], year.nest.s2
    observed = float(y.var(ddof=1))
    noise = float(s2.mean()) / observed if observed > 0 else None
    return {"n_schools": len(y), "noise_share": noise}


def _year_table(year: Year, drawn: Floats, n: Floats, p: VariabilityParameters) -> pl.DataFrame:
    nest, fit = year.nest, year.fit
    variance = fit.variances[::-1]
    units = [int(c.max()) + 1 for c in year.columns[::-1]] + [len(nest.s2)]
    bounds = [profile_interval(nest, fit, k, p.confidence) for k in range(nest.levels)][::-1]
    low, high = _share_intervals(drawn[:, ::-1], p.confidence)
    total = float(variance.sum())
    pupil = _pupil_variance(nest.s2, n)
    whole = total + pupil if pupil is not None else None
    table = pl.DataFrame(
        {
            "tier": [*p.tiers, "school"],
            "units": units,
            "variance": variance,
            "sd": np.sqrt(variance),
            "sd_lower": np.sqrt([b[0] for b in bounds]),
            "sd_upper": np.sqrt([b[1] for b in bounds]),
            "share": variance / total if total > 0 else np.zeros_like(variance),
            "share_lower": pl.Series(low).fill_nan(None),
            "share_upper": pl.Series(high).fill_nan(None),
            "share_of_pupil_variance": [float(v) / whole if whole else None for v in variance],
        },
        schema_overrides={"share_of_pupil_variance": pl.Float64},
    )
    if pupil is not None and whole:
        table = pl.concat([table, _pupil_row(pupil, whole, n)], how="diagonal")
    return table


def _share_intervals(drawn: Floats, confidence: float) -> tuple[Floats, Floats]:
    if len(drawn) == 0:
        unknown = np.full(drawn.shape[1], np.nan)
        return unknown, unknown
    shares = drawn / np.maximum(drawn.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    tail = (1 - confidence) / 2
    low, high = np.quantile(shares, [tail, 1 - tail], axis=0)
    return low, high


def _pupil_row(pupil: float, whole: float, n: Floats) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "tier": ["pupil"],
            "units": [int(n.sum())],
            "variance": [pupil],
            "sd": [pupil**0.5],
            "share_of_pupil_variance": [pupil / whole],
        }
    )


def _pupil_variance(s2: Floats, n: Floats) -> float | None:
    """Variance among pupils of a school, sum (n - 1) n s2 / sum (n - 1); None without n."""
    if np.isnan(n).any() or (n - 1).sum() <= 0:
        return None
    return float(((n - 1) * n * s2).sum() / (n - 1).sum())


@dataclass(frozen=True)
class SpreadWithin:
    """True SD of school effects in one area or partnership.

    `sd`, `lower`, `upper` are None where `too_few` is True.
    """

    n_schools: int
    too_few: bool
    sd: float | None = None
    lower: float | None = None
    upper: float | None = None


def spread_within(
    outcome: Floats, sampling_variance: Floats, confidence: float = 0.95
) -> SpreadWithin:
    """Estimate how much the schools of a small group truly differ.

    Parameters
    ----------
    outcome : array (k,)
        Means of the schools, or what context leaves of them; not shrunken estimates, whose spread
        is too small.
    sampling_variance : array (k,)
        Their known sampling variances, above 0.
    confidence : float

    Notes
    -----
    Point: REML. Interval: Q-profile, Q(t) = sum (y - mean_w)^2 / (s2 + t) with weights
    1 / (s2 + t), is chi-square with k - 1 degrees at the true variance t, so the interval is exact
    for any k. Source: Viechtbauer 2007, Statistics in Medicine 26:37.
    """
    y = np.asarray(outcome, dtype=np.float64)
    s2 = np.asarray(sampling_variance, dtype=np.float64)
    if y.shape != s2.shape or y.ndim != 1:
        raise InputError("outcome and sampling_variance must be lists of the same length.")
    usable = np.isfinite(y) & np.isfinite(s2)
    order = np.lexsort((s2[usable], y[usable]))
    y, s2 = y[usable][order], s2[usable][order]
    if (s2 <= 0).any():
        raise InputError("A sampling variance must be above 0.")
    if len(y) < MINIMUM_SCHOOLS:
        return SpreadWithin(len(y), True)
    fit = fit_nested(Nest(np.column_stack([np.ones(len(y)), y]), s2))
    tail = (1 - confidence) / 2
    low = _q_root(y, s2, float(chi2.ppf(1 - tail, len(y) - 1)))
    high = _q_root(y, s2, float(chi2.ppf(tail, len(y) - 1)))
    return SpreadWithin(len(y), False, float(np.sqrt(fit.variances[0])), low**0.5, high**0.5)


def _q_root(y: Floats, s2: Floats, target: float) -> float:
    def excess(variance: float) -> float:
        w = 1 / (s2 + variance)
        return float((w * (y - (w * y).sum() / w.sum()) ** 2).sum()) - target

    if excess(0.0) <= 0:
        return 0.0
    top = float(s2.max() + y.var())
    while excess(top) > 0:
        top *= 2
    return float(brentq(excess, 0.0, top, xtol=1e-12 * top, rtol=1e-12))
