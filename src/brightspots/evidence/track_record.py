"""Track records: what to expect of a leader's (or a practice's) next project, by priority.

    d_i = mean of the priority + leader + leader x priority + project + e_i,  var(e_i) = s_i^2

d_i is the estimated effect of one project and s_i its standard error. Each part but the mean is a
normal random effect, so an estimate leans on the leader's other priorities and on all leaders as
far as its own projects are few or rough. See ``docs/methods/track-records.md``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import norm

from brightspots.core.provenance import Provenance, hash_frame
from brightspots.evidence.track_record_rows import (
    ProjectRows,
    TrackRecordParameters,
    read_projects,
)
from brightspots.insight.nested_reml import Nest, fit_nested, reml_criterion

__all__ = [
    "ELSEWHERE", "METHOD_VERSION", "NOT_MEASURED", "NO_RECORD", "RECORD", "TrackRecord",
    "TrackRecordParameters", "track_record",
]  # fmt: skip

METHOD_VERSION: Final = "1"
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RECORD: Final = "record"
ELSEWHERE: Final = "other priorities only"
NOT_MEASURED: Final = "not measured yet"
NO_RECORD: Final = "no record yet"
PARTS: Final = ("project", "leader_priority", "leader")
"""Parts of the variance, in the order of the levels of the nest."""
_FEWEST: Final = 2
"""Projects from which the mean of all can be estimated; below, the prior mean stands."""


@dataclass(frozen=True)
class TrackRecord:
    """Result of :func:`track_record`.

    Attributes
    ----------
    frame : polars.DataFrame
        Leader (or practice), priority, n_projects, n_measured, n_elsewhere (measured in other
        priorities), estimate, se, lower, upper, probability (of an effect above 0), reliability,
        raw (weighted mean of its own measured projects; null without), record: "record",
        "other priorities only", "not measured yet" or "no record yet". One row a leader and
        priority, sorted by both, whether there is a record or not.
    means : polars.DataFrame
        Mean of each priority with its standard error and number of measured projects; `shared`
        where it is that of several priorities together.
    sds : mapping
        Estimated SD of `project`, `leader_priority` and `leader`; given the covariates.
    """

    frame: pl.DataFrame
    means: pl.DataFrame
    sds: Mapping[str, float]
    provenance: Provenance = field(repr=False)

    def offers(self) -> pl.DataFrame:
        """Columns gain_<priority>, se_<priority>, projects_<priority> by leader, for brokering.

        Give them to :func:`brightspots.connectedness.brokering.broker` with ``shrink=False``: they
        are shrunken already.
        """
        who, by = self.frame.columns[0], self.frame.columns[1]
        named = {"gain": "estimate", "se": "se", "projects": "n_measured"}
        wide = self.frame.pivot(by, index=who, values=list(named.values()))
        back = {value: name for name, value in named.items()}
        renamed = {}
        for column in wide.columns[1:]:
            value = next(value for value in back if column.startswith(f"{value}_"))
            renamed[column] = f"{back[value]}_{column.removeprefix(f'{value}_')}"
        return wide.rename(renamed)


def track_record(
    projects: pl.DataFrame,
    parameters: TrackRecordParameters | None = None,
    *,
    leaders: Sequence[str] = (),
    priorities: Sequence[str] = (),
    about: pl.DataFrame | None = None,
) -> TrackRecord:
    """Estimate what each leader's next project in each priority can be expected to bring.

    Parameters
    ----------
    projects : polars.DataFrame
        One row a project, *every* project: leader, priority, effect, se (of the effect; above 0).
        A project that could not be measured has neither effect nor se; it is counted and shown.
    parameters : TrackRecordParameters
    leaders, priorities : sequences of str
        Further ones, without any project so far.
    about : polars.DataFrame, optional
        One row a leader and priority, with the covariates of the parameters. Who is not in it is
        taken to be average.

    Raises
    ------
    InputError
        A column is missing, a name is empty, an effect stands without its standard error, or
        there is nobody.

    Notes
    -----
    Nothing is random; the order of rows does not matter. Intervals take the three
    variances as known once they are estimated.
    """
    parameters = parameters or TrackRecordParameters()
    rows = read_projects(projects, parameters, leaders, priorities, about)
    model = _model(rows, parameters)
    variances = _variances(model, parameters)
    posterior = _posterior(model, variances, parameters)
    return TrackRecord(
        _frame(rows, model, posterior, variances, parameters),
        _means(rows, model, posterior),
        dict(zip(PARTS, np.sqrt(variances).tolist(), strict=True)),
        Provenance(
            "track-record", METHOD_VERSION,
            "+".join(hash_frame(each) for each in (projects, about) if each is not None), None,
            asdict(parameters) | {"leaders": sorted(leaders), "priorities": sorted(priorities)},
        ),
    )  # fmt: skip


@dataclass(frozen=True)
class _Model:
    """Measured projects.

    `at` says what the mean of each priority is made of, `of_cell` that of each leader and
    priority: the same, then the covariates (`penalty` is the precision believed of each
    coefficient). Groups of leader and priority (`cell`) are numbered leader by leader.
    """

    at: Floats
    of_cell: Floats
    penalty: Floats
    X: Floats
    y: Floats
    s2: Floats
    cell: Ints
    n_leaders: int

    @property
    def n_priorities(self) -> int:
        return len(self.at)

    @property
    def single(self) -> bool:
        """One priority only: leader, and leader x priority, are one."""
        return len(self.at) == 1


def _model(rows: ProjectRows, p: TrackRecordParameters) -> _Model:
    """Give a mean to each priority with enough projects, and one to the others together.

    Where those others have hardly any project between them, theirs is the mean of the means.
    """
    k = len(rows.priorities)
    count = np.bincount(rows.priority, minlength=k)
    own = count >= p.own_mean_from
    if own.sum() == 0 or (own.all() and k == 1):
        at = np.ones((k, 1))
    else:
        shared = bool(count[~own].sum() >= _FEWEST)
        at = np.zeros((k, int(own.sum()) + shared))
        at[own, np.arange(own.sum())] = 1.0
        at[~own] = np.eye(at.shape[1])[-1] if shared else 1.0 / at.shape[1]
    cell = rows.leader * k + rows.priority
    covariates = rows.covariates.reshape(len(rows.leaders) * k, rows.covariates.shape[2])
    varies = covariates[cell].std(axis=0) > 0 if len(cell) else np.zeros(0, dtype=np.bool_)
    covariates = covariates[:, np.flatnonzero(varies)]
    of_cell = np.column_stack([np.tile(at, (len(rows.leaders), 1)), covariates])
    penalty = np.repeat([0.0, p.sd_covariate**-2], [at.shape[1], covariates.shape[1]])
    return _Model(at, of_cell, penalty, of_cell[cell], rows.effect, rows.se**2, cell,
                  len(rows.leaders))  # fmt: skip


def _variances(model: _Model, p: TrackRecordParameters) -> Floats:
    """Estimate the variances of `PARTS`: REML, or the mode with what was believed before."""
    before = np.array(p.sds) ** 2
    if model.single:
        before = np.array([before[0], 0.0, before[1] + before[2]])
    if p.known or len(model.y) < _FEWEST or len(model.y) <= model.X.shape[1]:
        return before
    nest = _nest(model)
    if p.prior_weight == 0:
        found = fit_nested(nest).variances
    else:
        found = _mode(nest, before[before > 0] if model.single else before, p.prior_weight)
    return np.array([found[0], 0.0, found[1]]) if model.single else found


def _nest(model: _Model) -> Nest:
    _, cell = np.unique(model.cell, return_inverse=True)
    cell = cell.astype(np.int64)
    _, first = np.unique(cell, return_index=True)
    _, leader = np.unique(model.cell[first] // model.n_priorities, return_inverse=True)
    parents = (cell,) if model.single else (cell, leader.astype(np.int64))
    return Nest(np.column_stack([model.X, model.y]), model.s2, parents)


def _mode(nest: Nest, before: Floats, weight: float) -> Floats:
    """Mode over log variances under scaled inverse chi-square priors (`weight` df, scale `before`).

    -2 log density = REML criterion + weight * sum(log v + before / v). It has no maximum at 0.
    """

    def criterion(log_v: Floats) -> tuple[float, Floats]:
        v = np.exp(log_v)
        value, slope = reml_criterion(v, nest)
        total = value + weight * float((log_v + before / v).sum())
        return total, v * slope + weight * (1 - before / v)

    start = np.log(before)
    found = minimize(
        criterion, start, jac=True, method="L-BFGS-B",
        bounds=[(each - 12, each + 8) for each in start], options={"ftol": 1e-13, "gtol": 1e-7},
    )  # fmt: skip
    return np.asarray(np.exp(found.x), dtype=np.float64)


@dataclass(frozen=True)
class _Posterior:
    """Mean and variance of each leader and priority (`given_mean`: beta taken as known)."""

    mean: Floats
    variance: Floats
    given_mean: Floats
    beta: Floats
    V_beta: Floats
    raw: Floats


def _posterior(model: _Model, variances: Floats, p: TrackRecordParameters) -> _Posterior:
    """Posterior of mean + leader + leader x priority, in closed form.

    With A = [X | y], w_i = 1 / (s_i^2 + v_project), K and F the sums of w and wA over a cell:
    d = 1 + v_lp K, and over a leader K_l = sum K/d, F_l = sum F/d, D = 1 + v_l K_l. Given beta,
    leader + leader x priority has mean E (-beta, 1) with E = (v_l F_l / D + v_lp F) / d and
    variance v_l / D / d^2 + v_lp / d; what is not known of beta adds (x - E_x) V_beta (x - E_x)'.
    """
    v_project, v_cell, v_leader = variances.tolist()
    cells, columns = model.n_leaders * model.n_priorities, model.X.shape[1]
    A = np.column_stack([model.X, model.y])
    w = 1 / (model.s2 + v_project)
    K = np.bincount(model.cell, w, cells)
    F = np.column_stack([np.bincount(model.cell, w * column, cells) for column in A.T])
    d = 1 + v_cell * K
    shape = (model.n_leaders, model.n_priorities)
    K_l = (K / d).reshape(shape).sum(axis=1)
    F_l = (F / d[:, None]).reshape(*shape, columns + 1).sum(axis=1)
    D = 1 + v_leader * K_l
    T = (A * w[:, None]).T @ A - v_cell * (F / d[:, None]).T @ F
    T -= v_leader * (F_l / D[:, None]).T @ F_l
    beta, V_beta = _beta(T, model, p)
    leader = np.repeat(v_leader * F_l / D[:, None], model.n_priorities, axis=0)
    E = (leader + v_cell * F) / d[:, None]
    C = np.repeat(v_leader / D, model.n_priorities) / d**2 + v_cell / d
    rest = model.of_cell - E[:, :-1]
    mean = E[:, -1] + rest @ beta
    variance = C + ((rest @ V_beta) * rest).sum(axis=1)
    raw = np.full(cells, np.nan)
    seen, at = np.unique(model.cell, return_inverse=True)
    raw[seen] = np.bincount(at, model.y / model.s2) / np.bincount(at, 1 / model.s2)
    return _Posterior(mean.reshape(shape), variance.reshape(shape), C.reshape(shape), beta, V_beta,
                      raw.reshape(shape))  # fmt: skip


def _beta(T: Floats, model: _Model, p: TrackRecordParameters) -> tuple[Floats, Floats]:
    """Coefficients and their covariance from T = A'V^-1 A and what was believed of them.

    Nothing is believed of the means, unless there is hardly any project.
    """
    precision, score = T[:-1, :-1] + np.diag(model.penalty), T[:-1, -1]
    if len(model.y) < _FEWEST:
        sure = 1 / max(p.prior_mean_sd, 1e-9) ** 2
        precision, score = precision + sure, score + sure * p.prior_mean
    V_beta = np.asarray(np.linalg.inv(precision), dtype=np.float64)
    return V_beta @ score, V_beta


def _frame(
    rows: ProjectRows, model: _Model, found: _Posterior, variances: Floats, p: TrackRecordParameters
) -> pl.DataFrame:
    n, k = found.mean.shape
    measured = np.bincount(model.cell, minlength=n * k).reshape(n, k)
    elsewhere = measured.sum(axis=1, keepdims=True) - measured
    se = np.sqrt(found.variance)
    z = float(norm.ppf(0.5 + p.confidence / 2))
    prior = float(variances[1:].sum())
    sure = np.where(se > 0, se, 1.0)
    above = np.where(se > 0, norm.cdf(found.mean / sure), (found.mean > 0).astype(np.float64))
    said = np.where(measured > 0, RECORD, np.where(elsewhere > 0, ELSEWHERE, np.where(
        rows.n_all.sum(axis=1, keepdims=True) > 0, NOT_MEASURED, NO_RECORD)))  # fmt: skip
    # What the data say of this one against the mean of all; the mean's own error is no part of it.
    reliability = np.clip(1 - found.given_mean / prior, 0, 1) if prior > 0 else np.zeros((n, k))
    columns: dict[str, Any] = {
        p.who: np.repeat(np.array(rows.leaders, dtype=object), k),
        p.by or "priority": np.tile(np.array(rows.priorities, dtype=object), n),
        "n_projects": rows.n_all,
        "n_measured": measured,
        "n_elsewhere": elsewhere,
        "estimate": found.mean,
        "se": se,
        "lower": found.mean - z * se,
        "upper": found.mean + z * se,
        "probability": above,
        "reliability": reliability,
        "raw": found.raw,
        "record": said.astype(object),
    }
    text = (p.who, p.by or "priority", "record")
    return pl.DataFrame(
        [
            pl.Series(name, values.ravel(), pl.String if name in text else None)
            for name, values in columns.items()
        ]
    ).with_columns(pl.col("raw").fill_nan(None))


def _means(rows: ProjectRows, model: _Model, found: _Posterior) -> pl.DataFrame:
    means = model.at.shape[1]
    variance = ((model.at @ found.V_beta[:means, :means]) * model.at).sum(axis=1)
    alike = np.array([(model.at == row).all(axis=1).sum() > 1 for row in model.at])
    return pl.DataFrame(
        {
            "priority": rows.priorities,
            "n_measured": np.bincount(rows.priority, minlength=len(rows.priorities)),
            "mean": model.at @ found.beta[:means],
            "se": np.sqrt(variance),
            "shared": alike | (model.at.max(axis=1) < 1),
        }
    )
