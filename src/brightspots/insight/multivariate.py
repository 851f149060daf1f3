"""Several outcomes together: reading, mathematics, science of the same pupils and schools.

    y_il = x_i' beta_l + u_sl (+ v_stl) + e_il,   l = 1..k

Covariances of the school effects (Sigma_u), of school-years (Sigma_v) and of pupils (Sigma_e) are
unstructured. A pupil counts with the outcomes that are there, under the assumption that what is
missing is missing at random given what is there. The correlation of *true* school effects is a
parameter of the model; correlating shrunken estimates instead is biased.

Sources: Goldstein, Multilevel Statistical Models (2011), ch. 6; Leckie 2018,
doi 10.3102/1076998618755351. See docs/methods/several-outcomes.md.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.core.engine import Source
from brightspots.core.errors import InputError
from brightspots.core.provenance import Provenance
from brightspots.insight.joint_fit import Estimated, fit_joint
from brightspots.insight.joint_layout import JointLayout, lay_out_outcomes
from brightspots.insight.joint_scan import OutcomeScan, scan_outcomes
from brightspots.insight.joint_solver import Factors, JointEffects, school_effects

__all__ = ["MultivariateValueAdded", "multivariate_value_added"]

METHOD = "value added: several outcomes together, pupils"
METHOD_VERSION = "1"
Z_95 = 1.959963984540054
Array = NDArray[np.float64]


@dataclass(frozen=True)
class MultivariateValueAdded:
    """Result of :func:`multivariate_value_added`, in units of each outcome.

    Attributes
    ----------
    outcomes : tuple of str
    effects : polars.DataFrame
        One row a school and outcome, sorted: school, outcome, n (pupils with the outcome), years
        (with such pupils; 1 without `year`), estimate (EBLUP of u), cond_sd, se_comparative =
        sqrt(PEV), se_diagnostic, lower, upper (95 %), reliability = 1 - PEV / G. A school without
        an outcome (n = 0) has an estimate from its other outcomes.
    error_covariance : polars.DataFrame
        One row a school and pair of outcomes: school, outcome1, outcome2, covariance (of the
        prediction errors), correlation.
    fixed_effects : polars.DataFrame
        outcome, term, estimate, se.
    covariances : polars.DataFrame
        level ("school", "school_year", "pupil"), outcome1, outcome2, covariance, correlation,
        lower, upper: 95 % interval of the correlation (Fisher's z); null on the diagonal and where
        the level's covariance matrix is singular.
    patterns : polars.DataFrame
        One row a pattern: a truth column an outcome, and n.
    school_covariance, school_year_covariance, pupil_covariance : ndarray, shape (k, k)
        The same as matrices; `school_year_covariance` is None without `year`.
    criterion_name : str
    reml_criterion : float
        -2 (restricted) log-likelihood of all outcomes that are there.
    singular : bool
        True where the school effects of the outcomes depend on each other entirely, or one has no
        variance.
    boundary : tuple of str
        Levels whose covariance matrix is singular: "school", "school_year".
    pupil_sd : mapping
        Outcome -> SD among all pupils (of a year).
    summary : mapping
        n_pupils, n_dropped, n_schools, n_values, gradient (largest slope left; 0 at an optimum).
    """

    outcomes: tuple[str, ...]
    effects: pl.DataFrame
    error_covariance: pl.DataFrame
    fixed_effects: pl.DataFrame
    covariances: pl.DataFrame
    patterns: pl.DataFrame
    school_covariance: Array = field(compare=False)
    school_year_covariance: Array | None = field(compare=False)
    pupil_covariance: Array = field(compare=False)
    criterion_name: str
    reml_criterion: float
    singular: bool
    boundary: tuple[str, ...]
    pupil_sd: Mapping[str, float]
    summary: Mapping[str, Any]
    provenance: Provenance = field(repr=False)
    seconds: Mapping[str, float] = field(default_factory=dict, compare=False, repr=False)
    _fitted: Fitted | None = field(default=None, compare=False, repr=False)

    def in_pupil_sd(self) -> pl.DataFrame:
        """Give effects in pupil SD, as ``bright_spots`` and ``needs`` take them.

        Only pairs with pupils: what is known of an outcome from other outcomes alone is no evidence
        that a school does well in it.
        """
        scaled = ["estimate", "se_comparative", "se_diagnostic", "cond_sd", "lower", "upper"]
        unit = pl.col("outcome").replace_strict(dict(self.pupil_sd), return_dtype=pl.Float64)
        return self.effects.filter(pl.col("n") > 0).select(
            "school",
            "outcome",
            "n",
            "years",
            *[pl.col(name) / unit for name in scaled],
            "reliability",
        )


@dataclass(frozen=True)
class Fitted:
    """What a result was made of, for methods that go on from it (missing prior attainment)."""

    scan: OutcomeScan
    layout: JointLayout
    estimated: Estimated
    predicted: JointEffects


def fit_outcomes(scan: OutcomeScan, *, reml: bool = True) -> Fitted:
    """Fit the model to a scan.

    Raises
    ------
    InputError
        An outcome, a term or a pair of outcomes cannot be used; the message names it.
    """
    layout = lay_out_outcomes(scan)
    try:
        estimated = fit_joint(layout.sums, reml=reml)
    except np.linalg.LinAlgError as reason:
        raise InputError(
            "The outcomes cannot be told apart: given the terms, one follows from the others.",
            column=scan.outcomes[0],
            mend="Leave one of them out.",
        ) from reason
    return Fitted(scan, layout, estimated, school_effects(estimated.fit))


def multivariate_value_added(
    source: Source,
    outcomes: Sequence[str],
    fixed: str = "1",
    *,
    school: str = "school",
    year: str | None = None,
    reml: bool = True,
    levels: Mapping[str, tuple[str, ...]] | None = None,
    input_hash: str | None = None,
    threads: int | None = None,
) -> MultivariateValueAdded:
    """Estimate what each school adds in several outcomes at once; outcomes may be missing.

    Parameters
    ----------
    source : path, glob, list of Parquet paths, or polars frame
        One row a pupil (and year), the outcomes side by side in columns.
    outcomes : sequence of str
        Two to eight numeric columns. A pupil counts with those that are there.
    fixed : str
        The fixed part, the same for every outcome: ``"prior + sex"``, ``"1"`` for an average alone.
        A pupil without one of these columns is left out and counted.
    school : str
        The column of the school.
    year : str, optional
        The column of the year. With it, effects are split into persistent (`effects`) and
        school-year ones, exchangeable from year to year; write ``factor(year)`` into `fixed`.
    reml : bool
        Restricted maximum likelihood (the default) or maximum likelihood.
    levels, input_hash, threads
        As in :func:`brightspots.insight.cross_products.cross_products`.

    Returns
    -------
    MultivariateValueAdded

    Raises
    ------
    InputError
        A column is missing or unusable; two outcomes are never seen together, or say the same; a
        term cannot be identified. The message names it and says what to do.

    Notes
    -----
    Intervals of effects take the covariances as known. Nothing is random; schools are put in an
    order given by their figures, so that names change nothing.
    """
    started = time.perf_counter()
    try:
        scan = scan_outcomes(
            source,
            outcomes,
            fixed,
            school=school,
            year=year,
            levels=levels,
            input_hash=input_hash,
            threads=threads,
        )
        fitted = fit_outcomes(scan, reml=reml)
    except InputError as error:
        if error.file is None and isinstance(source, str | Path):
            error.file = str(source)
        raise
    settings = {
        "outcomes": list(outcomes),
        "fixed": fixed,
        "school": school,
        "year": year,
        "levels": {name: list(found) for name, found in scan.levels.items()},
        "criterion": "REML" if reml else "ML",
    }
    return _result(fitted, settings, started)


def _result(fitted: Fitted, settings: dict[str, Any], started: float) -> MultivariateValueAdded:
    scan, layout, fit = fitted.scan, fitted.layout, fitted.estimated.fit
    beta, covariance = layout.coefficients(fit)
    terms = len(scan.terms)
    matrices = {"school": fit.factors.u, "school_year": fit.factors.v, "pupil": fit.factors.e}
    in_units = {level: layout.covariance(L @ L.T) for level, L in matrices.items() if L is not None}
    boundary = tuple(
        {"u": "school", "v": "school_year"}[name] for name in fitted.estimated.singular
    )
    return MultivariateValueAdded(
        outcomes=scan.outcomes,
        effects=effects_table(layout, scan.outcomes, fitted.predicted),
        error_covariance=_error_covariance(layout, scan.outcomes, fitted.predicted),
        fixed_effects=pl.DataFrame(
            {
                "outcome": [name for name in scan.outcomes for _ in range(terms)],
                "term": list(scan.terms) * len(scan.outcomes),
                "estimate": beta.ravel(),
                "se": np.sqrt(np.diagonal(covariance)),
            }
        ),
        covariances=_covariances(scan.outcomes, in_units, fitted.estimated),
        patterns=_patterns(scan),
        school_covariance=in_units["school"],
        school_year_covariance=in_units.get("school_year"),
        pupil_covariance=in_units["pupil"],
        criterion_name=settings["criterion"],
        reml_criterion=layout.criterion(fit),
        singular="school" in boundary,
        boundary=boundary,
        pupil_sd=dict(zip(scan.outcomes, layout.pupil_sd.tolist(), strict=True)),
        summary={
            "n_pupils": round(float(scan.n.sum())),
            "n_dropped": scan.n_dropped,
            "n_schools": len(layout.schools),
            "n_values": layout.sums.n_values,
            "gradient": fitted.estimated.slope,
        },
        provenance=Provenance(METHOD, METHOD_VERSION, scan.input_hash, None, settings),
        seconds={**scan.seconds, "all": time.perf_counter() - started},
        _fitted=fitted,
    )


def effects_table(
    layout: JointLayout, outcomes: tuple[str, ...], predicted: JointEffects
) -> pl.DataFrame:
    """One row a school and outcome, in units of the outcome."""
    parts = []
    for place, name in enumerate(outcomes):
        unit = float(layout.y_scale[place])
        parts.append(
            pl.DataFrame(
                {
                    "school": layout.schools,
                    "outcome": [name] * len(layout.schools),
                    "n": layout.counts[:, place],
                    "years": layout.years[:, place],
                    **one_effect(
                        predicted.estimate[:, place] * unit,
                        predicted.conditional[:, place, place] * unit**2,
                        predicted.comparative[:, place, place] * unit**2,
                        float(predicted.prior[place, place]) * unit**2,
                    ),
                }
            )
        )
    return pl.concat(parts).sort("school", "outcome")


def one_effect(
    estimate: Array, conditional: Array, comparative: Array, prior: float
) -> dict[str, Array]:
    """Columns of an effect: uncertainty, 95 % limits, reliability."""
    pev = np.clip(comparative, 0.0, None)
    se = np.sqrt(pev)
    return {
        "estimate": estimate,
        "cond_sd": np.sqrt(np.maximum(conditional, 0.0)),
        "se_comparative": se,
        "se_diagnostic": np.sqrt(np.maximum(prior - pev, 0.0)),
        "lower": estimate - Z_95 * se,
        "upper": estimate + Z_95 * se,
        "reliability": 1 - pev / prior if prior > 0 else np.zeros(len(estimate)),
    }


def _error_covariance(
    layout: JointLayout, outcomes: tuple[str, ...], predicted: JointEffects
) -> pl.DataFrame:
    parts = []
    for first in range(len(outcomes)):
        for second in range(first + 1, len(outcomes)):
            unit = float(layout.y_scale[first] * layout.y_scale[second])
            covariance = predicted.comparative[:, first, second]
            size = predicted.comparative[:, first, first] * predicted.comparative[:, second, second]
            correlation = covariance / np.sqrt(np.maximum(size, 1e-300))
            parts.append(
                pl.DataFrame(
                    {
                        "school": layout.schools,
                        "outcome1": [outcomes[first]] * len(layout.schools),
                        "outcome2": [outcomes[second]] * len(layout.schools),
                        "covariance": covariance * unit,
                        "correlation": correlation,
                    }
                )
            )
    return pl.concat(parts).sort("school", "outcome1", "outcome2")


_LEVEL = {"school": "u", "school_year": "v", "pupil": "e"}


def _covariances(
    outcomes: tuple[str, ...], matrices: Mapping[str, Array], estimated: Estimated
) -> pl.DataFrame:
    rows = []
    for level, Sigma in matrices.items():
        root = np.sqrt(np.diagonal(Sigma))
        for i, first in enumerate(outcomes):
            for j, second in enumerate(outcomes[i:], start=i):
                size = float(root[i] * root[j])
                correlation = float(Sigma[i, j]) / size if size > 0 else None
                limits: tuple[float | None, float | None] = (None, None)
                if i != j:
                    limits = _limits(estimated, _LEVEL[level], i, j)
                rows.append((level, first, second, float(Sigma[i, j]), correlation, *limits))
    return pl.DataFrame(
        rows,
        orient="row",
        schema={
            "level": pl.String,
            "outcome1": pl.String,
            "outcome2": pl.String,
            "covariance": pl.Float64,
            "correlation": pl.Float64,
            "lower": pl.Float64,
            "upper": pl.Float64,
        },
    )


def _limits(estimated: Estimated, name: str, i: int, j: int) -> tuple[float | None, float | None]:
    """95 % interval of a correlation on Fisher's scale, atanh r -/+ 1.96 se(r) / (1 - r^2)."""

    def correlation(factors: Factors) -> float:
        L = getattr(factors, name)
        Sigma = L @ L.T
        return float(Sigma[i, j] / math.sqrt(Sigma[i, i] * Sigma[j, j]))

    if name in estimated.singular:
        return None, None
    r, se = correlation(estimated.fit.factors), estimated.standard_error(correlation)
    if not abs(r) < 1:
        return None, None
    z, width = math.atanh(r), Z_95 * se / (1 - r**2)
    return math.tanh(z - width), math.tanh(z + width)


def _patterns(scan: OutcomeScan) -> pl.DataFrame:
    n = np.bincount(scan.pattern, scan.n, len(scan.observed))
    columns = {name: scan.observed[:, place] for place, name in enumerate(scan.outcomes)}
    frame = pl.DataFrame({**columns, "n": np.rint(n).astype(np.int64)})
    return frame.sort([*scan.outcomes], descending=True)
