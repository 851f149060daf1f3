"""What each school does to a fit: its own share of ``T = A'V^-1 A``, and the fit without it.

At given variances T is a sum over the units of the coarsest grouping,

    T = sum of S~_c,   S~_c = A_c'V_c^-1 A_c   (units of sigma^2)

so that the fit without a unit is that of ``T - S~_c``, exactly (Demidenko and Stukel 2005,
doi 10.1002/sim.1974, for the model with known variances). S~_c comes from the cross products by the
same block elimination as the fit itself; no pupil is read again.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.core.errors import InputError
from brightspots.insight.cross_products import CrossProducts, RandomEffects, unpack
from brightspots.insight.random_terms import Units, independent, units_of

Array = NDArray[np.float64]
_SINGULAR = 1e-10


@dataclass(frozen=True)
class Share:
    """One unit's share of T, and all that it takes to leave a unit out.

    Parameters
    ----------
    units : Units
        Of the coarsest grouping.
    S : ndarray, shape (C, p + 1, p + 1)
        S~ of each unit over X and y, in the cross products' own shifted and scaled units.
    within : ndarray, shape (J,)
        Residual sum of squares about the mean of each unit of the finest grouping.
    finest : Units
    back : ndarray, shape (p, p)
        Coefficients in units of the data are ``back @ beta`` and, for the first, the outcome's
        shift.
    spread : ndarray, shape (C, q, p)
        How far a unit's effects, in units of the data, fall for each unit by which the standardised
        coefficients rise: ``G H_x`` with H = Z'V^-1 A.
    """

    units: Units
    S: Array
    within: Array
    finest: Units
    back: Array
    n: int
    outcome_unit: float
    spread: Array

    @property
    def p(self) -> int:
        """Columns of X."""
        return int(self.S.shape[1]) - 1


def nested_groupings(cp: CrossProducts) -> list[tuple[Units, list[RandomEffects]]]:
    """Sort the groupings of a model from the finest to the coarsest, each with its random effects.

    Raises
    ------
    InputError
        The groupings cross each other: pupils of several units are then one block.
    """
    by_group: dict[tuple[str, ...], list[RandomEffects]] = {}
    for each in independent(cp.random):
        by_group.setdefault(each.group, []).append(each)
    found = [(units_of(cp, columns), parts) for columns, parts in by_group.items()]
    found.sort(key=lambda pair: -len(pair[0].labels))
    for (fine, _), (coarse, _) in pairwise(found):
        parent = np.zeros(len(fine.labels), dtype=np.intp)
        parent[fine.of] = coarse.of
        if (parent[fine.of] != coarse.of).any():
            raise InputError(
                "Leaving units out one by one is not done for crossed groupings.",
                mend="Fit one of the groupings, or nested ones.",
            )
    return found


def shares(cp: CrossProducts, fixed_effects: pl.DataFrame, components: pl.DataFrame) -> Share:
    """Work out each unit's share at the variances of a fit.

    Parameters
    ----------
    cp : CrossProducts
    fixed_effects, components : polars.DataFrame
        As in ``ValueAdded``: term, estimate; group, term1, term2, variance.
    """
    levels = nested_groupings(cp)
    k, p = cp.width, len(cp.terms)
    sigma2 = float(components["variance"][-1])
    unit = float(cp.scale[-1])
    of = levels[0][0].of
    S = unpack(_summed(cp.packed, of, len(levels[0][0].labels)), k)
    beta = fixed_effects["estimate"].to_numpy()
    within = _within(cp, S, beta)
    spread = np.empty((0, 0, k))
    for place, (units, parts) in enumerate(levels):
        if place:
            fine = levels[place - 1][0]
            parent = np.zeros(len(fine.labels), dtype=np.intp)
            parent[fine.of] = units.of
            S = _summed(S, parent, len(units.labels))
        C = _raw_columns(cp, [c for part in parts for c in part.columns])
        L = _root(_covariance(components, parts) / sigma2)
        F = C.T @ S
        M = np.eye(L.shape[0]) + L.T @ (F @ C) @ L
        root = np.linalg.cholesky(M)
        half = np.linalg.solve(root, L.T @ F)
        S = S - half.transpose(0, 2, 1) @ half
        spread = L @ np.linalg.solve(root.transpose(0, 2, 1), half)
    kept = list(cp.kept)
    back = np.diag(unit / cp.scale[:p])
    back[0, 1:] = -back.diagonal()[1:] * cp.shift[1:p]
    return Share(
        units=levels[-1][0],
        S=S[:, kept][:, :, kept],
        within=within,
        finest=levels[0][0],
        back=back,
        n=cp.n_pupils,
        outcome_unit=unit,
        spread=spread[:, :, :p],
    )


def _summed(values: Array, of: NDArray[np.intp], count: int) -> Array:
    out = np.zeros((count, *values.shape[1:]))
    np.add.at(out, of, values)
    return out


def _raw_columns(cp: CrossProducts, columns: list[int]) -> Array:
    """C with ``A C`` the columns as the data have them, shape (k, q)."""
    C = np.zeros((cp.width, len(columns)))
    for place, column in enumerate(columns):
        C[column, place] += cp.scale[column]
        C[0, place] += cp.shift[column]
    return C


def _covariance(components: pl.DataFrame, parts: list[RandomEffects]) -> Array:
    """G of one grouping in units of the data: blocks of its independent parts."""
    q = sum(len(part.columns) for part in parts)
    G = np.zeros((q, q))
    place = 0
    for part in parts:
        rows = components.filter(pl.col("group") == part.name)
        values = {(a, b): v for a, b, v in rows.select("term1", "term2", "variance").iter_rows()}
        for i, one in enumerate(part.terms):
            for j, two in enumerate(part.terms):
                key = (one, None) if i == j else (one, two)
                G[place + i, place + j] = values.get(key, values.get((two, one), 0.0))
        place += len(part.terms)
    return G


def _root(G: Array) -> Array:
    """L with LL' = G; G may be singular."""
    values, vectors = np.linalg.eigh(G)
    root: Array = vectors * np.sqrt(np.maximum(values, 0.0))
    return root


def _within(cp: CrossProducts, S: Array, beta_raw: Array) -> Array:
    """Residual sum of squares about each finest unit's own mean, units of the data squared."""
    p, k = len(cp.terms), cp.width
    c = np.zeros(k)
    c[-1] = cp.scale[-1]
    c[1:p] = -beta_raw[1:] * cp.scale[1:p]
    # The constant falls out of deviations from the mean.
    whole = np.einsum("i,jil,l->j", c, S, c, optimize=True)
    mean = S[:, 0, :] @ c
    left: Array = whole - mean**2 / S[:, 0, 0]
    return np.maximum(left, 0.0)


@dataclass(frozen=True)
class Deletion:
    """The fit without each unit in turn, variances of the groupings held; arrays over units.

    `change` is beta without the unit less beta, in units of the data, shape (C, p). `singular`
    marks units without which some term could not be identified; their figures are nan.
    """

    beta: Array
    covariance: Array
    sigma2: float
    change: Array
    dfbetas: Array
    cook: Array
    covratio: Array
    leverage: Array
    sigma2_without: Array
    singular: NDArray[np.bool_]
    robust: Array
    jackknife: Array


def delete_each(share: Share, *, reml: bool = True) -> Deletion:
    """Leave out each unit of the coarsest grouping in turn.

    With b, T of all and b_c, T_c without unit c: Cook's distance
    ``(b_c - b)' T_xx (b_c - b) / (p sigma^2)``; covratio ``|sigma_c^2 T_c^-1| / |sigma^2 T^-1|``;
    leverage ``tr(T_xx^-1 S~_c,xx)``, which adds up to p; dfbetas ``(b - b_c)_i / (sigma_c
    sqrt(T_xx^-1_ii))``. Robust covariance ``T^-1 (sum s s') T^-1 C / (C - 1)`` with
    ``s = S~_c,x (-b, 1)``; jackknife ``(C - 1)/C sum (b_c - mean)(b_c - mean)'``.
    """
    p, S = share.p, share.S
    T = S.sum(axis=0)
    inverse = np.linalg.inv(T[:p, :p])
    b = inverse @ T[:p, p]
    r2 = float(T[p, p] - T[p, :p] @ b)
    n_units = np.rint(share.units.n)
    degrees = share.n - (p if reml else 0)
    sigma2 = r2 / degrees
    rest = T[None] - S
    scale = np.sqrt(np.maximum(np.diagonal(rest, axis1=1, axis2=2)[:, :p], 1e-300))
    correlation = rest[:, :p, :p] / (scale[:, :, None] * scale[:, None, :])
    singular = np.linalg.eigvalsh(correlation)[:, 0] < _SINGULAR
    singular |= share.n - n_units - p <= 0
    safe = np.where(singular[:, None, None], T, rest)
    b_without = np.linalg.solve(safe[:, :p, :p], safe[:, :p, p:])[..., 0]
    r2_without = safe[:, p, p] - (safe[:, p, :p] * b_without).sum(axis=1)
    s2_without = r2_without / np.maximum(share.n - n_units - (p if reml else 0), 1)
    moved = b_without - b
    _, logdet = np.linalg.slogdet(T[:p, :p])
    _, logdet_without = np.linalg.slogdet(safe[:, :p, :p])
    covratio = np.exp(p * np.log(s2_without / sigma2) + logdet - logdet_without)
    score = S[:, :p, p] - S[:, :p, :p] @ b
    units = len(S)
    meat = score.T @ score * (units / (units - 1))
    good = moved[~singular]
    about = good - good.mean(axis=0) if len(good) else good
    jackknife = about.T @ about * ((len(good) - 1) / max(len(good), 1))
    back = share.back
    change = moved @ back.T
    covariance = sigma2 * back @ inverse @ back.T
    # Per coefficient as the data have it: the error at the variance without the unit.
    error = np.sqrt(np.diagonal(covariance) / sigma2)[None] * np.sqrt(s2_without)[:, None]
    cook = np.einsum("ci,ij,cj->c", moved, T[:p, :p], moved, optimize=True) / (p * sigma2)
    leverage = np.einsum("ij,cji->c", inverse, S[:, :p, :p])
    hidden = np.where(singular, np.nan, 1.0)
    return Deletion(
        beta=back @ b,
        covariance=covariance,
        sigma2=sigma2 * share.outcome_unit**2,
        change=change * hidden[:, None],
        dfbetas=-change / error * hidden[:, None],
        cook=cook * hidden,
        covratio=covratio * hidden,
        leverage=leverage,
        sigma2_without=s2_without * share.outcome_unit**2 * hidden,
        singular=singular,
        robust=back @ (inverse @ meat @ inverse) @ back.T,
        jackknife=back @ jackknife @ back.T,
    )
