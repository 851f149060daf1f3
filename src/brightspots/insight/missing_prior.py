"""Prior attainment that some pupils lack: complete cases and a joint model, side by side.

Complete cases leave out every pupil without prior attainment. That is right only where what is
missing has nothing to do with results once the other columns are known, and it always costs pupils.

The joint model takes prior attainment p as one more outcome. Given the complete columns x,

    y_i = x_i' b_y + u_sy + e_iy,    p_i = x_i' b_p + u_sp + e_ip,    e_i ~ N(0, Sigma_e)

and everything known of a pupil counts, right where values are missing at random given what is
there. With the within-school slope ``w = Sigma_e,pp^-1 Sigma_e,py``

    y_i = x_i'(b_y - B_p w) + w' p_i + a_s + e*_i,    a_s = u_sy - w' u_sp

so a_s is what the school adds, given its pupils' prior attainment. The missing-indicator method
(a constant and a flag in place of the value) is biased and is not offered.

Sources: Little and Rubin, Statistical Analysis with Missing Data (2019), ch. 6 and 7; Greenland and
Finkle 1995, American Journal of Epidemiology 142:1255 (missing-indicator method); Snijders and
Bosker, Multilevel Analysis (2012), ch. 4.6 (slopes within and between schools).
See docs/methods/missing-prior.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.core.engine import Source
from brightspots.core.errors import InputError
from brightspots.core.provenance import Provenance
from brightspots.insight.cross_products import cross_products
from brightspots.insight.formula import Formula, Term, Variable, parse_formula
from brightspots.insight.joint_scan import scan_outcomes
from brightspots.insight.joint_solver import Factors
from brightspots.insight.multivariate import Fitted, fit_outcomes, one_effect
from brightspots.insight.school_years import SchoolYearValueAdded, school_year_value_added
from brightspots.insight.value_added import ValueAdded, value_added

__all__ = ["MissingPriorValueAdded", "value_added_with_missing"]

METHOD = "value added: missing prior attainment both ways, pupils"
METHOD_VERSION = "1"
Array = NDArray[np.float64]


@dataclass(frozen=True)
class MissingPriorValueAdded:
    """Result of :func:`value_added_with_missing`, in units of the outcome.

    Attributes
    ----------
    complete : ValueAdded or SchoolYearValueAdded
        The ordinary fit of the pupils who have everything (the second with `year`).
    school_effects : polars.DataFrame
        The joint model, one row a school: school, n (pupils with the outcome), years, estimate of
        a_s, cond_sd, se_comparative, se_diagnostic, lower, upper (95 %), reliability.
    fixed_effects : polars.DataFrame
        The joint model, given prior attainment: term, estimate, se.
    slopes : polars.DataFrame
        One row a column with holes: term, complete, complete_se, joint, joint_se (the within-school
        slope), difference (joint - complete), between (the slope between schools' effects).
    comparison : polars.DataFrame
        One row a school of the joint model: school, n_complete, n, estimate_complete, se_complete,
        estimate_joint, se_joint, difference (joint - complete). Null where no pupil of the school
        is complete.
    agreement : mapping
        n_pupils, n_complete, n_incomplete (of the pupils with the outcome, how many lack a column),
        missing (column -> pupils with the outcome who lack it), correlation (of both estimates),
        largest_difference and rms_difference (of estimates, pupil SD), schools_only_joint.
    pupil_sd : float
        SD of the outcome among all pupils who have it (of a year).
    singular : bool
        True where the covariances of the joint model's school effects are at an edge.
    """

    complete: ValueAdded | SchoolYearValueAdded
    school_effects: pl.DataFrame
    fixed_effects: pl.DataFrame
    slopes: pl.DataFrame
    comparison: pl.DataFrame
    agreement: Mapping[str, Any]
    pupil_sd: float
    singular: bool
    reml_criterion: float
    provenance: Provenance = field(repr=False)

    def in_pupil_sd(self, outcome: str) -> pl.DataFrame:
        """Give the joint model's effects in pupil SD, for ``bright_spots`` and ``needs``."""
        scaled = ["estimate", "se_comparative", "se_diagnostic", "cond_sd", "lower", "upper"]
        return self.school_effects.select(
            "school",
            pl.lit(outcome).alias("outcome"),
            "n",
            "years",
            *[pl.col(name) / self.pupil_sd for name in scaled],
            "reliability",
        )


def value_added_with_missing(
    source: Source,
    formula: str,
    incomplete: Sequence[str],
    *,
    year: str | None = None,
    reml: bool = True,
    levels: Mapping[str, tuple[str, ...]] | None = None,
    input_hash: str | None = None,
    threads: int | None = None,
) -> MissingPriorValueAdded:
    """Fit complete cases and the joint model, and say how far they differ.

    Parameters
    ----------
    source : path, glob, list of Parquet paths, or polars frame
    formula : str
        ``"score ~ prior + sex + (1 | school)"``: one random intercept.
    incomplete : sequence of str
        Numeric columns of the fixed part with holes, ``["prior"]``. Each stands alone in the
        formula: in a product or inside I() it has no joint normal model.
    year : str, optional
        Column of the year; effects are then the persistent ones, both ways.
    reml, levels, input_hash, threads
        As in :func:`brightspots.insight.multivariate.multivariate_value_added`.

    Returns
    -------
    MissingPriorValueAdded

    Raises
    ------
    InputError
        The formula or the columns do not fit the above, or one of the models cannot be fitted.

    Notes
    -----
    EBLUP and prediction error variance (PEV) of a_s are linear maps l = (1, -w) of those of (u_y,
    u_p): l'PEV l + u_p' var(w) u_p, the second for the slope's own uncertainty. With nothing
    missing both ways agree closely but not exactly: the ordinary model takes a_s as independent of
    the pupils' prior attainment and its slope is a weighted mean of the slopes within and between
    schools, nearly all within; the joint model keeps the two apart.
    """
    parsed = parse_formula(formula)
    _check_formula(parsed, incomplete, year)
    fixed = _written([term for term in parsed.terms if not _is_one_of(term, incomplete)])
    outcome, school = parsed.outcome.columns[0], parsed.group
    try:
        complete = _complete(source, formula, year, reml, levels, input_hash, threads)
        scan = scan_outcomes(
            source,
            [outcome, *incomplete],
            fixed,
            school=school,
            year=year,
            levels=levels,
            input_hash=input_hash or complete.provenance.input_hash,
            threads=threads,
        )
        fitted = fit_outcomes(scan, reml=reml)
    except InputError as error:
        if error.file is None and isinstance(source, str | Path):
            error.file = str(source)
        raise
    slope, uncertainty = _within_slope(fitted)
    effects = _effects(fitted, slope, uncertainty)
    ordinary = complete.school_effects if isinstance(complete, ValueAdded) else complete.persistent
    comparison = _comparison(ordinary, effects)
    pupil_sd = float(fitted.layout.pupil_sd[0])
    return MissingPriorValueAdded(
        complete=complete,
        school_effects=effects,
        fixed_effects=_fixed_effects(fitted, slope, uncertainty, incomplete),
        slopes=_slopes(fitted, complete, slope, uncertainty, incomplete),
        comparison=comparison,
        agreement=_agreement(fitted, comparison, incomplete, pupil_sd),
        pupil_sd=pupil_sd,
        singular="u" in fitted.estimated.singular,
        reml_criterion=fitted.layout.criterion(fitted.estimated.fit),
        provenance=Provenance(
            METHOD,
            METHOD_VERSION,
            scan.input_hash,
            None,
            {
                "formula": parsed.text,
                "incomplete": list(incomplete),
                "year": year,
                "criterion": "REML" if reml else "ML",
            },
        ),
    )


def _complete(
    source: Source,
    formula: str,
    year: str | None,
    reml: bool,
    levels: Mapping[str, tuple[str, ...]] | None,
    input_hash: str | None,
    threads: int | None,
) -> ValueAdded | SchoolYearValueAdded:
    cp = cross_products(
        source,
        formula,
        levels=levels,
        input_hash=input_hash,
        threads=threads,
        by=[year] if year else [],
    )
    if year is None:
        return value_added(cp, reml=reml)
    return school_year_value_added(cp, year=year, reml=reml)


def _check_formula(parsed: Formula, incomplete: Sequence[str], year: str | None) -> None:
    plain = len(parsed.random) == 1 and parsed.random[0].effects == ((),)
    if not plain or len(parsed.groups) != 1:
        raise InputError(
            "Missing prior attainment goes with one random intercept.",
            mend='Write "(1 | school)" and nothing else at random.',
        )
    if parsed.outcome.arithmetic is not None:
        raise InputError("The outcome must be a column.", mend="Add it to the file first.")
    if isinstance(incomplete, str) or not incomplete:
        raise InputError(
            "No column with holes is named.", mend='Name the columns: incomplete=["prior"].'
        )
    for name in incomplete:
        holding = [
            term for term in parsed.terms if any(name in variable.columns for variable in term)
        ]
        if not holding:
            raise InputError("The formula does not hold this column.", column=name)
        if name == year or len(holding) > 1 or not _is_one_of(holding[0], [name]):
            raise InputError(
                "A column with holes stands alone in the formula: not in a product, not inside "
                "I() or factor().",
                column=name,
                mend=f'Write "+ {name}" and nothing more of it.',
            )


def _is_one_of(term: Term, names: Sequence[str]) -> bool:
    """Tell whether a term is one of these columns, as it stands in the data."""
    return len(term) == 1 and not term[0].categorical and term[0].column in names


def _written(terms: Sequence[Term]) -> str:
    """Write terms as a formula again; "1" where only the intercept is left."""
    return " + ".join(":".join(_text(each) for each in term) for term in terms if term) or "1"


def _text(variable: Variable) -> str:
    if variable.arithmetic is not None:
        return variable.name
    column = f"`{variable.columns[0]}`"
    return f"factor({column})" if variable.categorical else column


def _slope_of(factors: Factors) -> Array:
    """Give w = Sigma_e,pp^-1 Sigma_e,py."""
    Sigma = factors.e @ factors.e.T
    return np.asarray(np.linalg.solve(Sigma[1:, 1:], Sigma[1:, 0]), dtype=np.float64)


def _within_slope(fitted: Fitted) -> tuple[Array, Array]:
    """Within-school slope in data units, and its covariance (delta method)."""
    estimated, scale = fitted.estimated, fitted.layout.y_scale
    unit = scale[0] / scale[1:]
    slope = _slope_of(estimated.fit.factors)

    def entry(place: int, factors: Factors) -> float:
        return float(_slope_of(factors)[place])

    rises = np.array([estimated.gradient_of(partial(entry, i)) for i in range(len(slope))])
    covariance = rises @ estimated.covariance @ rises.T
    return slope * unit, covariance * np.outer(unit, unit)


def _effects(fitted: Fitted, slope: Array, uncertainty: Array) -> pl.DataFrame:
    """Predict a = u_y - w'u_p of every school that has the outcome."""
    layout, predicted = fitted.layout, fitted.predicted
    scale = layout.y_scale
    map_ = np.append(1.0, -slope) * scale  # from standardised effects to units of the outcome
    u_p = predicted.estimate[:, 1:] * scale[1:]
    of_slope = ((u_p @ uncertainty) * u_p).sum(axis=1)
    columns = one_effect(
        predicted.estimate @ map_,
        predicted.conditional @ map_ @ map_,
        predicted.comparative @ map_ @ map_ + of_slope,
        float(map_ @ predicted.prior @ map_),
    )
    frame = pl.DataFrame(
        {"school": layout.schools, "n": layout.counts[:, 0], "years": layout.years[:, 0], **columns}
    )
    return frame.filter(pl.col("n") > 0).sort("school")


def _fixed_effects(
    fitted: Fitted, slope: Array, uncertainty: Array, incomplete: Sequence[str]
) -> pl.DataFrame:
    """Coefficients given prior attainment: b_y - B_p w, then w."""
    beta, covariance = fitted.layout.coefficients(fitted.estimated.fit)
    p = beta.shape[1]
    to_one = np.kron(np.append(1.0, -slope), np.eye(p))
    own = to_one @ covariance @ to_one.T + beta[1:].T @ uncertainty @ beta[1:]
    return pl.DataFrame(
        {
            "term": [*fitted.scan.terms, *incomplete],
            "estimate": np.append(beta[0] - slope @ beta[1:], slope),
            "se": np.sqrt(np.append(np.diagonal(own), np.diagonal(uncertainty))),
        }
    )


def _slopes(
    fitted: Fitted,
    complete: ValueAdded | SchoolYearValueAdded,
    slope: Array,
    uncertainty: Array,
    incomplete: Sequence[str],
) -> pl.DataFrame:
    ordinary = pl.DataFrame({"term": list(incomplete)}).join(
        complete.fixed_effects, on="term", how="left", maintain_order="left"
    )
    scale = fitted.layout.y_scale
    G = fitted.predicted.prior * np.outer(scale, scale)
    between = np.linalg.lstsq(G[1:, 1:], G[1:, 0], rcond=1e-10)[0]
    return pl.DataFrame(
        {
            "term": list(incomplete),
            "complete": ordinary["estimate"],
            "complete_se": ordinary["se"],
            "joint": slope,
            "joint_se": np.sqrt(np.diagonal(uncertainty)),
            "difference": slope - ordinary["estimate"].to_numpy(),
            "between": between,
        }
    )


def _comparison(ordinary: pl.DataFrame, joint: pl.DataFrame) -> pl.DataFrame:
    return (
        joint.select("school", "n", estimate_joint="estimate", se_joint="se_comparative")
        .join(
            ordinary.select(
                "school",
                n_complete="n",
                estimate_complete="estimate",
                se_complete="se_comparative",
            ),
            on="school",
            how="left",
        )
        .select(
            "school",
            pl.col("n_complete").fill_null(0).cast(pl.Int64),
            "n",
            "estimate_complete",
            "se_complete",
            "estimate_joint",
            "se_joint",
            difference=pl.col("estimate_joint") - pl.col("estimate_complete"),
        )
        .sort("school")
    )


def _agreement(
    fitted: Fitted, comparison: pl.DataFrame, incomplete: Sequence[str], pupil_sd: float
) -> dict[str, Any]:
    scan = fitted.scan
    n = np.bincount(scan.pattern, scan.n, len(scan.observed))
    with_outcome = scan.observed[:, 0]
    everything = scan.observed.all(axis=1)
    both = comparison.drop_nulls("estimate_complete")
    difference = both["difference"].to_numpy() / pupil_sd
    one, two = both["estimate_complete"].to_numpy(), both["estimate_joint"].to_numpy()
    varies = both.height > 1 and np.std(one) > 0 and np.std(two) > 0
    return {
        "n_pupils": round(float(n[with_outcome].sum())),
        "n_complete": round(float(n[everything].sum())),
        "n_incomplete": round(float(n[with_outcome & ~everything].sum())),
        "missing": {
            name: round(float(n[with_outcome & ~scan.observed[:, place]].sum()))
            for place, name in enumerate(incomplete, start=1)
        },
        "correlation": float(np.corrcoef(one, two)[0, 1]) if varies else None,
        "largest_difference": float(np.abs(difference).max()) if both.height else None,
        "rms_difference": float(np.sqrt((difference**2).mean())) if both.height else None,
        "schools_only_joint": comparison.height - both.height,
    }
