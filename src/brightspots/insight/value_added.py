"""Value added of schools from pupils' results: linear mixed models.

``y_ij = x_ij' beta + z_ij' u_j + e_ij`` with ``u_j ~ N(0, G)`` and ``e_ij ~ N(0, sigma^2 / w_ij)``,
for any number of groupings, nested or crossed. A school's value added is the shrunken estimate of
its intercept; it comes with an interval, always.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.core.engine import Source
from brightspots.core.errors import InputError
from brightspots.core.provenance import Provenance
from brightspots.insight.cross_products import CrossProducts, cross_products
from brightspots.insight.identified import already
from brightspots.insight.intercept import fit_intercept
from brightspots.insight.optimise import fit_system
from brightspots.insight.random_terms import Model, Term, make_model
from brightspots.insight.reml import (
    Effects,
    Fit,
    NotIdentifiedError,
    Problem,
    unidentified,
)
from brightspots.insight.robust import robust_covariance

METHOD = "value added: linear mixed model, pupils"
METHOD_VERSION = "2"
SEVERAL_STARTS = 5_000
"""Up to this many cells the search starts from several places; it costs little there."""
Z_95 = 1.959963984540054
"""The 97.5 % point of the normal distribution."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ValueAdded:
    """A fitted value-added model.

    Parameters
    ----------
    fixed_effects : polars.DataFrame
        term, estimate, se; and se_robust where it was asked for.
    variance_components : polars.DataFrame
        group, term1, term2, variance; `term2` is there for a covariance. The last row is the group
        ``Residual``.
    icc : float
        Share of the variance left that lies between schools, on average over pupils.
    shares : mapping
        Grouping -> its share of the variance left, on average over pupils.
    criterion_name : str
        ``REML`` or ``ML``.
    reml_criterion : float
        -2 restricted log-likelihood, or -2 log-likelihood where `criterion_name` is ``ML``.
    singular : bool
        True where a variance is estimated as 0 or a correlation as 1; effects without variance are
        0.
    school_effects : polars.DataFrame
        school, n, estimate, cond_sd, se_comparative, se_diagnostic, lower, upper, reliability;
        sorted by school. `lower` and `upper` hold the effect with 95 % (given the variances). The
        intercepts of the school's grouping: the column named ``school``, else the innermost.
    effects : polars.DataFrame
        group, level, term, then as above: every effect of every grouping.
    groups : mapping
        Grouping -> number of groups.
    n_pupils, n_schools, n_dropped : int
    provenance : Provenance
    seconds : mapping
        Stage -> seconds taken.
    """

    fixed_effects: pl.DataFrame
    variance_components: pl.DataFrame
    icc: float
    criterion_name: str
    reml_criterion: float
    singular: bool
    school_effects: pl.DataFrame
    effects: pl.DataFrame
    shares: Mapping[str, float]
    groups: Mapping[str, int]
    n_pupils: int
    n_schools: int
    n_dropped: int
    provenance: Provenance
    seconds: Mapping[str, float] = field(default_factory=dict, compare=False)


def value_added(cp: CrossProducts, *, reml: bool = True, robust: bool = False) -> ValueAdded:
    """Fit a linear mixed model from cross products.

    Parameters
    ----------
    cp : CrossProducts
    reml : bool
        Restricted maximum likelihood (the default) or maximum likelihood.
    robust : bool
        Add standard errors of the coefficients that do not rest on the model's variances
        (``se_robust``); see :mod:`robust`.

    Returns
    -------
    ValueAdded
        In the units of the data.

    Raises
    ------
    InputError
        The model cannot be identified from these pupils; the message names the reason or the term.
    """
    started = time.perf_counter()
    _check(cp)
    model = make_model(cp)
    try:
        fit = _fit(cp, model, reml)
    except NotIdentifiedError as reason:
        raise InputError(_REASONS[str(reason)]) from reason
    except np.linalg.LinAlgError as error:
        raise InputError(_REASONS["digits"], mend=_FEWER) from error
    beta, back, criterion = _in_data_units(cp, fit, model.shift, model.scale)
    fixed = {
        "term": list(cp.terms),
        "estimate": beta,
        "se": _root(np.diagonal(fit.sigma2 * back @ fit.T_xx_inverse @ back.T)),
    }
    if robust:
        sandwich = robust_covariance(cp, model, fit)
        fixed["se_robust"] = _root(np.diagonal(back @ sandwich @ back.T))
    unit = float(model.scale[-1])
    raw = [model.system.effects(fit, place) for place in range(len(model.terms))]
    predicted = [
        each.transformed(unit * term.back) for each, term in zip(raw, model.terms, strict=True)
    ]
    tables = [effects_table(term, each) for term, each in zip(model.terms, predicted, strict=True)]
    written = [tables[place] for place in model.written]
    school = _school_place(model)
    residual = fit.sigma2 * unit**2
    shares = _shares(model, raw, fit)
    seconds = {**cp.seconds, "fit": time.perf_counter() - started}
    return ValueAdded(
        fixed_effects=pl.DataFrame(fixed),
        variance_components=_variance_components(model, predicted, residual),
        icc=shares[model.terms[school].effects.name],
        criterion_name="REML" if reml else "ML",
        reml_criterion=criterion,
        singular=any(_is_singular(Lambda) for Lambda in fit.Lambdas),
        school_effects=_school_effects(model.terms[school], tables[school]),
        effects=pl.concat(written),
        shares=shares,
        groups={term.effects.name: len(term.units.labels) for term in model.terms},
        n_pupils=cp.n_pupils,
        n_schools=len(model.terms[school].units.labels),
        n_dropped=cp.n_dropped,
        provenance=Provenance(
            method=METHOD,
            method_version=METHOD_VERSION,
            input_hash=cp.provenance.input_hash,
            settings={**cp.provenance.settings, "criterion": "REML" if reml else "ML"},
        ),
        seconds=seconds,
    )


def _fit(cp: CrossProducts, model: Model, reml: bool) -> Fit:
    """One intercept has a solver of its own, 40 times quicker; both find the same optimum."""
    system = model.system
    if isinstance(system, Problem) and system.sizes == (1,) and system.levels[0].z == (0,):
        return fit_intercept(system, reml=reml)
    return fit_system(system, reml=reml, small=len(cp.packed) <= SEVERAL_STARTS)


def _school_place(model: Model) -> int:
    """Which term holds the schools' intercepts: the column named school, else the innermost."""
    order = list(model.written)
    named = [i for i in order if model.terms[i].units.columns[0].lower() == "school"]
    inner = [i for i in order if model.terms[i].units == model.terms[order[0]].units]
    candidates = named or inner
    return next((i for i in candidates if model.terms[i].effects.columns[0] == 0), candidates[0])


def _is_singular(Lambda: Array) -> bool:
    scale = np.linalg.eigvalsh(Lambda @ Lambda.T)
    return bool(scale[0] <= 1e-12 * max(float(scale[-1]), 1e-300) or not Lambda.any())


def _shares(model: Model, raw: list[Effects], fit: Fit) -> dict[str, float]:
    """Mean over pupils of z'Gz, by grouping, as shares of all that is left."""
    means: dict[str, float] = {}
    for term, each in zip(model.terms, raw, strict=True):
        moments = model.second_moments[np.ix_(term.z, term.z)]
        name = term.effects.name
        means[name] = means.get(name, 0.0) + float((each.prior * moments).sum())
    whole = sum(means.values()) + fit.sigma2
    return {name: value / whole for name, value in means.items()}


def value_added_of(
    source: Source,
    formula: str,
    *,
    reml: bool = True,
    levels: Mapping[str, tuple[str, ...]] | None = None,
    input_hash: str | None = None,
    threads: int | None = None,
    weights: str | None = None,
    robust: bool = False,
) -> ValueAdded:
    """Scan pupils and fit the model; see :func:`cross_products` and :func:`value_added`."""
    cp = cross_products(
        source, formula, levels=levels, input_hash=input_hash, threads=threads, weights=weights
    )
    try:
        return value_added(cp, reml=reml, robust=robust)
    except InputError as error:
        if error.file is None and isinstance(source, str | Path):
            error.file = str(source)  # the cross products alone do not know their file
        raise


_REASONS = {
    "flat": "The variance between schools cannot be told from the rest: "
    "there are as many school-level terms as schools.",
    "unbounded": "The variance between schools grows without end: "
    "the pupils of a school do not differ once the terms are known.",
    "digits": "The terms and groups explain so much of the outcome, or of each other, that no"
    " digits are left to fit by.",
    "residual": "The terms explain the outcome entirely; there is nothing left to compare.",
}


def _check(cp: CrossProducts) -> None:
    """Refuse what no solver could fit, in words."""
    n, p = cp.n_pupils, len(cp.terms)
    if n <= p:
        raise InputError(f"{n} pupils are too few for a model with {p} terms.")
    total = cp.total()
    for place, name in enumerate(cp.extra, start=p):
        left = total[place, place] - total[0, place] ** 2 / total[0, 0]
        if left <= 1e-10 * total[place, place]:
            raise InputError(f'The term "{name}" is the same for every pupil.', mend=_LEAVE_OUT)
    total = total[np.ix_(cp.kept, cp.kept)]
    outcome_left = total[-1, -1] - total[0, -1] ** 2 / total[0, 0]
    # The raw size of the outcome says what its rounding is: 1e9 everywhere is constant.
    size = total[-1, -1] + n * (cp.shift[-1] / cp.scale[-1]) ** 2
    if outcome_left <= 1e-20 * size or outcome_left <= 0:
        raise InputError("The outcome is the same for every pupil.", column=cp.outcome)
    found = unidentified(total, (*cp.terms, cp.outcome))
    if found:
        term, causes = found[0]
        if term == cp.outcome:
            raise InputError(_REASONS["residual"], column=cp.outcome)
        if causes == [cp.terms[0]]:
            raise InputError(f'The term "{term}" is the same for every pupil.', mend=_LEAVE_OUT)
        raise InputError(
            f'The term "{term}" cannot be identified: {already(causes)} the same.',
            mend=_LEAVE_OUT,
        )


_LEAVE_OUT = "Leave it out of the formula."
_FEWER = "Take fewer terms, or let fewer effects vary."


def _in_data_units(
    cp: CrossProducts, fit: Fit, shift: Array, scale: Array
) -> tuple[Array, Array, float]:
    """Coefficients and criterion in the units of the data, and the matrix that takes them there."""
    p = len(cp.terms)
    # beta_raw = back @ beta + (shift of the outcome, 0, ...)
    back = np.diag(scale[-1] / scale[:p])
    back[0, 1:] = -back.diagonal()[1:] * shift[1:p]
    beta = back @ fit.beta
    beta[0] += shift[-1]
    degrees = cp.n_pupils - p if fit.reml else cp.n_pupils
    criterion = fit.criterion + 2 * degrees * float(np.log(scale[-1]))
    if fit.reml:
        criterion += 2 * float(np.log(scale[:p]).sum())
    criterion -= cp.sum_log_w
    return beta, back, criterion


def effects_table(term: Term, predicted: Effects) -> pl.DataFrame:
    """Every effect of one grouping, group by group."""
    J, q = predicted.estimate.shape
    prior = np.diagonal(predicted.prior)
    comparative = np.diagonal(predicted.comparative, axis1=1, axis2=2)
    known = prior > 0
    reliability = np.where(known, 1 - comparative / np.where(known, prior, 1.0), 0.0)
    se = _root(comparative)
    columns = {
        "estimate": predicted.estimate,
        "cond_sd": _root(np.diagonal(predicted.conditional, axis1=1, axis2=2)),
        "se_comparative": se,
        "se_diagnostic": _root(np.diagonal(predicted.diagnostic, axis1=1, axis2=2)),
        "lower": predicted.estimate - Z_95 * se,
        "upper": predicted.estimate + Z_95 * se,
        "reliability": reliability,
    }
    return pl.DataFrame(
        {
            "group": [term.effects.name] * (J * q),
            "level": np.repeat(np.array(term.units.labels, dtype=object), q).tolist(),
            "term": list(term.effects.terms) * J,
            "n": np.repeat(np.rint(term.units.n).astype(np.int64), q),
            **{name: values.ravel() for name, values in columns.items()},
        },
        schema_overrides={"group": pl.String, "level": pl.String, "term": pl.String},
    )


def _school_effects(term: Term, table: pl.DataFrame) -> pl.DataFrame:
    first = table.filter(pl.col("term") == term.effects.terms[0])
    named = first.with_columns(pl.Series("school", list(term.units.plain), dtype=pl.String))
    return named.select("school", pl.exclude("school", "group", "level", "term")).sort("school")


def _variance_components(model: Model, predicted: list[Effects], residual: float) -> pl.DataFrame:
    """Variances, then covariances, of each term as it is written; last the residual."""
    rows: list[tuple[str, str | None, str | None, float]] = []
    for place in model.written:
        name, terms = model.terms[place].effects.name, model.terms[place].effects.terms
        G = predicted[place].prior
        rows += [(name, one, None, float(G[i, i])) for i, one in enumerate(terms)]
        rows += [
            (name, terms[i], terms[j], float(G[i, j]))
            for i in range(len(terms))
            for j in range(i + 1, len(terms))
        ]
    rows.append(("Residual", None, None, residual))
    return pl.DataFrame(
        rows,
        schema={
            "group": pl.String, "term1": pl.String, "term2": pl.String, "variance": pl.Float64
        },
        orient="row",
    )  # fmt: skip


def _root(variance: Array) -> Array:
    """Square root; rounding may leave a variance of 0 a little below it."""
    root: Array = np.sqrt(np.maximum(variance, 0.0))
    return root
