"""Where outcomes vary when groupings do not lie within each other, and what of it lasts.

    y_st = mean_t + u_tier1 + u_tier2 + ... + u_across + u_school + v_school,year + e_st

Partnerships reach across areas, so that partnership and area are crossed: neither can be taken out
before the other. With w = 1 / (s2 + var of the row) and Z the indicators of all groups, scaled by
their SDs in L,

    M = I + L Z'WZ L,   log|V| = -sum log w + log|M|,
    A'V^-1 A = A'WA - (L Z'WA)' M^-1 (L Z'WA).

The grouping with most groups is diagonal in Z'WZ and eliminated first; what is left is as large as
all other groupings together. Source: Harville 1977, JASA 72:320 (REML); Bates et al. 2015, section
3 (criterion).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import solve_triangular
from scipy.optimize import brentq, minimize
from scipy.stats import chi2

from brightspots.core.errors import InputError
from brightspots.core.provenance import Provenance, hash_frame
from brightspots.insight.school_rows import SchoolLevelParameters, prepare_rows
from brightspots.insight.spreads import MINIMUM_SCHOOLS
from brightspots.insight.variability import VariabilityParameters

METHOD_VERSION = "1"
MOST_GROUPS = 2_500
"""Groups besides those of the largest grouping: a dense matrix of this size is solved often."""
_SMALL = 1_000
"""Up to this many rows the search starts from several places; it costs little there."""
_ROW = "school"
_LASTING = "school_year"

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class CrossedVariability:
    """Result of :func:`variability_across`.

    Attributes
    ----------
    components : polars.DataFrame
        component (tiers, then groupings across them, then "school", and "school_year" where there
        are several years), units, variance, sd, sd_lower, sd_upper (profile likelihood; null
        without `intervals`), share of all true variance.
    year_sd : float or None
        SD of the years' own means, their errors taken out; None for one year.
    noise_share : float
        Part of the variance of the rows that is sampling noise.
    unplaced : mapping
        Grouping across -> schools in none of its groups.
    """

    components: pl.DataFrame
    year_sd: float | None
    noise_share: float
    unplaced: dict[str, int]
    provenance: Provenance = field(repr=False)


def variability_across(
    frame: pl.DataFrame,
    parameters: VariabilityParameters,
    across: Sequence[str] = (),
    *,
    intervals: bool = True,
) -> CrossedVariability:
    """Split true variance over nested tiers, groupings across them, schools and school-years.

    Parameters
    ----------
    frame : polars.DataFrame
        As for ``variance_decomposition``, with the columns of `across`; a school without a value
        there is in no group of it.
    parameters : VariabilityParameters
        Its tiers, columns and confidence; `replicates` has no part.
    across : sequence of str
        Columns of groupings that are not nested, ``("partnership",)`` for instance.
    intervals : bool
        Profile intervals of the SDs; they take most of the time.

    Raises
    ------
    InputError
        A column or an area is missing, a grouping has one group or one row a group, or there are
        more than 2,500 groups besides those of the largest grouping.

    Notes
    -----
    With several years all of them are one model: what is called school, area or partnership is what
    lasts, and "school_year" what does not. Each year has its own mean.
    """
    p = parameters
    names = [*p.tiers, *across]
    if len(set(names)) != len(names):
        raise InputError("Name each grouping once.")
    for name in names:
        if name not in frame.columns:
            raise InputError("This area column is not in the table.", column=name)
    for name in p.tiers:
        if frame[name].null_count():
            row = int(np.argmax(frame[name].is_null().to_numpy())) + 2
            raise InputError(
                "A school has no area here.", row=row, column=name, mend="Give every school one."
            )
    rows = prepare_rows(
        frame,
        SchoolLevelParameters(
            context=tuple(names),
            outcome=p.outcome,
            candidates=p.candidates,
            spread=p.spread,
            sampling_variance=p.sampling_variance,
            school=p.school,
            year=p.year,
        ),
    )
    schools = len(np.unique(rows.unit))
    if schools < MINIMUM_SCHOOLS:
        raise InputError(f"{schools} schools are too few to say how much schools differ.")
    several = rows.several and bool(np.bincount(rows.unit).max() > 1)
    columns = [_numbered(rows.frame, p.tiers[: i + 1]) for i in range(len(p.tiers))]
    columns += [_numbered(rows.frame, (name,)) for name in across]
    for name, column in zip(names, columns, strict=True):
        _check_groups(name, column, rows.unit)
    if several:
        columns.append(rows.unit)
        names.append(_ROW)
    year = rows.frame["year"].rank("dense").fill_null(0).to_numpy()
    X = np.eye(len(np.unique(year)))[np.unique(year, return_inverse=True)[1]]
    system = _System(np.column_stack([X, rows.y]), rows.sampling.s2, tuple(columns))
    return _result(
        system, [*names, _LASTING if several else _ROW], p, frame, list(across), intervals
    )


def _numbered(frame: pl.DataFrame, columns: Sequence[str]) -> Integers:
    """Group of each row by content order, -1 for none."""
    last = frame[columns[-1]]
    path = frame.select(pl.struct(columns).rank("dense")).to_series().to_numpy()
    none = last.is_null().to_numpy()
    _, first, inverse = np.unique(path, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    numbers = rank[inverse.reshape(-1)]
    numbers[none] = -1
    known = np.unique(numbers[~none])
    dense = np.searchsorted(known, numbers)
    return np.where(none, -1, dense).astype(np.int64)


def _check_groups(name: str, column: Integers, unit: Integers) -> None:
    known = column >= 0
    groups = len(np.unique(column[known]))
    if groups < 2:
        raise InputError("All schools are in one group here.", column=name, mend="Leave it out.")
    if groups >= len(np.unique(unit[known])):
        raise InputError(
            "Every school is a group of its own here.", column=name, mend="Leave it out."
        )


@dataclass(frozen=True)
class _System:
    """Rows, their sampling variances, and the group of each row in every grouping (-1: none)."""

    A: Floats
    s2: Floats
    columns: tuple[Integers, ...]

    def __post_init__(self) -> None:
        sizes = self.sizes
        rest = sum(sizes) - max(sizes)
        if rest > MOST_GROUPS:
            raise InputError(
                f"There are {rest:,} groups besides those of the largest grouping;"
                f" {MOST_GROUPS:,} is the limit.",
                mend="Leave out the finest tier of areas.",
            )

    @property
    def sizes(self) -> list[int]:
        return [int(column.max()) + 1 for column in self.columns]

    @property
    def order(self) -> list[int]:
        """Groupings, the largest first."""
        return sorted(range(len(self.columns)), key=lambda i: -self.sizes[i])

    def indicators(self) -> list[sparse.csr_array]:
        found = []
        for column, size in zip(self.columns, self.sizes, strict=True):
            at = np.flatnonzero(column >= 0)
            found.append(
                sparse.csr_array((np.ones(len(at)), (at, column[at])), shape=(len(column), size))
            )
        return found


class _Criterion:
    """-2 restricted log-likelihood in (variances of groupings, variance of the row)."""

    def __init__(self, system: _System) -> None:
        self.system = system
        self.Z = system.indicators()
        self.order = system.order

    def __call__(self, theta: Floats) -> float:
        A, s2 = self.system.A, self.system.s2
        w = 1 / (s2 + theta[-1])
        p = A.shape[1] - 1
        WA = A * w[:, None]
        T = A.T @ WA
        logdet = -float(np.log(w).sum())
        big, rest = self.order[0], self.order[1:]
        L0 = float(np.sqrt(max(theta[big], 0.0)))
        Z0 = self.Z[big]
        d = 1 + L0**2 * (Z0.T @ w)
        F0 = L0 * (Z0.T @ WA)
        logdet += float(np.log(d).sum())
        T = T - F0.T @ (F0 / d[:, None])
        if rest:
            scale = np.concatenate(
                [np.full(self.system.sizes[k], np.sqrt(max(theta[k], 0.0))) for k in rest]
            )
            Z = sparse.hstack([self.Z[k] for k in rest], format="csr")
            WZ = Z.multiply(w[:, None]).tocsr()
            cross = L0 * (Z0.T @ WZ)
            M = (Z.T @ WZ - cross.T @ sparse.diags_array(1 / d) @ cross).toarray()
            M = np.eye(len(scale)) + scale[:, None] * M * scale[None]
            F = scale[:, None] * (WZ.T @ A - cross.T @ (F0 / d[:, None]))
            C = np.linalg.cholesky(M)
            R = solve_triangular(C, F, lower=True, check_finite=False)
            logdet += 2 * float(np.log(np.diagonal(C)).sum())
            T = T - R.T @ R
        beta = np.linalg.solve(T[:p, :p], T[:p, p])
        left = float(T[p, p] - T[:p, p] @ beta)
        return logdet + float(np.linalg.slogdet(T[:p, :p])[1]) + left


def _fit(criterion: _Criterion, start: Floats, held: int | None = None) -> tuple[Floats, float]:
    """Minimise over the variances in units where the rows' variance is 1; `held` stays."""
    bounds = [(0.0, 60.0)] * len(start)
    if held is not None:
        bounds[held] = (float(start[held]), float(start[held]))
    least = 1e-9 if (criterion.system.s2 <= 1e-12).any() else 0.0
    if held != len(start) - 1:
        bounds[-1] = (least, 60.0)
    answer = minimize(
        criterion, start, method="L-BFGS-B", bounds=bounds,
        options={"ftol": 1e-13, "gtol": 1e-6, "eps": 1e-7, "maxiter": 200},
    )  # fmt: skip
    return np.asarray(answer.x, dtype=np.float64), float(answer.fun)


def _result(
    system: _System,
    names: list[str],
    p: VariabilityParameters,
    frame: pl.DataFrame,
    across: list[str],
    intervals: bool,
) -> CrossedVariability:
    X, y = system.A[:, :-1], system.A[:, -1]
    residual = y - X @ np.linalg.lstsq(X, y, rcond=None)[0]
    unit = float(np.sqrt(max(residual @ residual / max(len(y) - X.shape[1], 1), 1e-300)))
    scaled = _System(np.column_stack([X, residual / unit]), system.s2 / unit**2, system.columns)
    criterion = _Criterion(scaled)
    count = len(system.columns) + 1
    spare = max(1 - float(scaled.s2.mean()), 0.1)
    starts = [np.full(count, spare / count)]
    if len(y) <= _SMALL:
        starts += [np.where(np.arange(count) == k, 0.8, 0.05) * spare for k in range(count)]
    theta, value = min((_fit(criterion, start) for start in starts), key=lambda pair: pair[1])
    theta = np.where(theta < 1e-8, 0.0, theta)
    limits = [
        _profile(criterion, theta, value, k, p.confidence) if intervals else None
        for k in range(count)
    ]
    variance = theta * unit**2
    total = float(variance.sum())
    components = pl.DataFrame(
        {
            "component": names,
            "units": [*system.sizes, len(y)],
            "variance": variance,
            "sd": np.sqrt(variance),
            "sd_lower": [None if b is None else unit * float(np.sqrt(b[0])) for b in limits],
            "sd_upper": [None if b is None else unit * float(np.sqrt(b[1])) for b in limits],
            "share": variance / total if total > 0 else np.zeros(count),
        },
        schema_overrides={"sd_lower": pl.Float64, "sd_upper": pl.Float64},
    )
    observed = float(residual.var(ddof=X.shape[1]))
    noise = float(system.s2.mean()) / observed if observed > 0 else 1.0
    tiers = len(p.tiers)
    unplaced = {name: int((system.columns[tiers + i] < 0).sum()) for i, name in enumerate(across)}
    return CrossedVariability(
        components,
        _year_sd(system, variance),
        min(noise, 1.0),
        unplaced,
        Provenance(
            "variability across groupings",
            METHOD_VERSION,
            hash_frame(frame),
            None,
            {**asdict(p), "across": across, "intervals": intervals},
        ),
    )


def _profile(
    criterion: _Criterion, theta: Floats, value: float, k: int, confidence: float
) -> tuple[float, float]:
    """Values of one variance at which the criterion, minimised over the others, is not too high."""
    allowed = float(chi2.ppf(confidence, 1))

    def rise(variance: float) -> float:
        begin = theta.copy()
        begin[k] = variance
        return _fit(criterion, begin, held=k)[1] - value - allowed

    centre = float(theta[k])
    floor = 1e-9 if k == len(theta) - 1 and (criterion.system.s2 <= 1e-12).any() else 0.0
    lower = 0.0
    if centre > floor and rise(floor) > 0:
        lower = float(brentq(rise, floor, centre, xtol=1e-6, rtol=1e-4))
    top = max(2 * centre, 1e-2)
    while rise(top) < 0:
        top *= 2
        if top > 1e4:
            return lower, float("inf")
    return lower, float(brentq(rise, max(centre, floor), top, xtol=1e-6, rtol=1e-4))


def _year_sd(system: _System, variance: Floats) -> float | None:
    """SD of the years' means less what chance alone would make of them."""
    X, y = system.A[:, :-1], system.A[:, -1]
    years = X.shape[1]
    if years < 2:
        return None
    w = 1 / (system.s2 + variance[-1])
    means = (X * w[:, None]).T @ y / (X.T @ w)
    error = float((1 / (X.T @ w)).mean())
    return float(np.sqrt(max(means.var(ddof=1) - error, 0.0)))
