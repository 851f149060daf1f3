"""What an analyst looks at before publishing: do effects and residuals look as the model says?

Kept beside the run and shown to analysts only: schools stand in it by code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import chi2, norm

from brightspots.insight.cross_products import CrossProducts
from brightspots.insight.heavy_tails import unshrunken
from brightspots.insight.school_level import SchoolLevelValueAdded
from brightspots.insight.school_years import SchoolYearValueAdded
from brightspots.insight.spreads import spread_of_groups
from brightspots.insight.value_added import ValueAdded
from brightspots_web.insight.analysis.inputs import folder_of
from brightspots_web.insight.downloads import DIAGNOSTICS

Array = NDArray[np.float64]
MOST_POINTS = 2000
"""Schools in the quantile plot; of more, every k-th by rank, with all of the outer hundred."""
OUTER = 100
MOST_INFLUENTIAL = 10
SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)


def of_pupils(
    cp: CrossProducts, fitted: SchoolYearValueAdded | ValueAdded, persistent: pl.DataFrame
) -> dict[str, Any]:
    """Diagnostics of the models of pupils."""
    sigma2 = float(fitted.variance_components["variance"][-1])
    tau2 = float(fitted.variance_components["variance"][0])
    omega2 = 0.0
    several = isinstance(fitted, SchoolYearValueAdded)
    if several:
        omega2 = float(fitted.variance_components["variance"][1])
    lost = len(cp.terms) + len(np.unique(cp.cells["school"].to_numpy().astype(str)))
    return {
        **_of_effects(persistent),
        "influence": influence(cp, sigma2, tau2, omega2),
        "components": [
            _component("school", tau2, *_school_limits(persistent)),
            *([_component("school_year", omega2, None, None)] if several else []),
            _component("pupil", sigma2, *_pupil_limits(sigma2, cp.n_pupils - lost)),
        ],
    }


def _component(
    name: str, variance: float, lower: float | None, upper: float | None
) -> dict[str, Any]:
    return {"component": name, "sd": float(np.sqrt(variance)), "lower": lower, "upper": upper}


def _school_limits(effects: pl.DataFrame) -> tuple[float | None, float | None]:
    """95 % limits of the SD between schools by Q-profile, over what each school's own data say."""
    own = unshrunken(effects).drop_nulls()
    if own.height < 3:
        return None, None
    group = np.zeros(own.height, dtype=np.int64)
    _sd, lower, upper = spread_of_groups(
        own["residual"].to_numpy(), own["sampling_variance"].to_numpy(), group, 1
    )
    return float(lower[0]), float(upper[0])


def _pupil_limits(sigma2: float, df: int) -> tuple[float | None, float | None]:
    """95 % limits of the SD among pupils: sigma^2 df / chi-square."""
    if df < 1:
        return None, None
    low, high = (float(np.sqrt(sigma2 * df / chi2.ppf(q, df))) for q in (0.975, 0.025))
    return low, high


def of_schools(result: SchoolLevelValueAdded) -> dict[str, Any]:
    """Diagnostics of the models of schools' own figures."""
    rows = result.yearly_effects
    whole = (pl.col("sampling_variance")).sqrt()
    left = rows.select((pl.col("residual") / whole).alias("z"))["z"].drop_nulls().drop_nans()
    variances = result.variance_components.sort("context_used", "component")
    largest = variances["context_used"].mode().sort().first()  # one block a set of circumstances
    limits = {"school": _school_limits(result.school_effects)}
    components = [
        _component(row["component"], row["variance"], *limits.get(row["component"], (None, None)))
        for row in variances.filter(pl.col("context_used") == largest).to_dicts()
    ]
    return {
        **_of_effects(result.school_effects),
        "scatter_against_noise": _spread(left),
        "components": components,
    }


def _spread(values: pl.Series) -> float | None:
    finite = values.filter(values.is_finite())
    return float(finite.std() or 0.0) if len(finite) > 2 else None  # type: ignore[arg-type]  # a float


def _of_effects(effects: pl.DataFrame) -> dict[str, Any]:
    """Quantiles of standardised effects, their shape, and how reliability is spread."""
    usable = effects.filter(pl.col("se_diagnostic") > 0)
    reliability = effects["reliability"].drop_nulls()
    parts = {str(share): float(reliability.quantile(share) or 0.0) for share in SHARES}
    made: dict[str, Any] = {"reliability": parts, "schools": effects.height}
    if usable.height < 8:
        return made
    z = (usable["estimate"] / usable["se_diagnostic"]).to_numpy()
    order = np.lexsort((usable["school"].to_numpy().astype(str), z))
    n = len(z)
    expected = norm.ppf((np.arange(n) + 0.5) / n)
    shown = _shown(n)
    codes = usable["school"].to_list()
    made["qq"] = [
        [codes[order[i]], round(float(expected[i]), 4), round(float(z[order[i]]), 4)] for i in shown
    ]
    centred = z - z.mean()
    sd = float(centred.std()) or 1.0
    skew, kurtosis = float((centred**3).mean()) / sd**3, float((centred**4).mean()) / sd**4 - 3
    # Jarque and Bera 1980: n/6 (skew^2 + kurtosis^2/4) is chi-square with 2 df where all is normal.
    made["shape"] = {
        "skewness": skew,
        "excess_kurtosis": kurtosis,
        "p_normal": float(chi2.sf(n / 6 * (skew**2 + kurtosis**2 / 4), 2)),
        "spread": sd,
    }
    return made


def _shown(n: int) -> list[int]:
    if n <= MOST_POINTS:
        return list(range(n))
    step = -(-(n - 2 * OUTER) // (MOST_POINTS - 2 * OUTER))
    return [*range(OUTER), *range(OUTER, n - OUTER, step), *range(n - OUTER, n)]


def influence(cp: CrossProducts, sigma2: float, tau2: float, omega2: float) -> dict[str, Any]:
    """Schools without which coefficients would change most, to first order, variances held still.

    With M_s = X_s' V_s^-1 X_s and g_s = X_s' V_s^-1 (y_s - X_s b), leaving school s out changes b
    by d = -(M - M_s)^-1 g_s; exact for known variances. Cook's distance is d'Md divided by the
    number of coefficients (Demidenko and Stukel 2005).
    """
    unit = float(cp.scale[-1]) ** 2  # the outcome is scaled in the cross products
    M_s, g_s, schools = _information(cp, sigma2 / unit, tau2 / unit, omega2 / unit)
    if len(schools) < 3:
        return {}
    p = M_s.shape[1]
    M = M_s.sum(axis=0)
    b = np.linalg.solve(M, g_s[:, :p, -1].sum(axis=0))
    score = g_s[:, :, -1] - M_s @ b
    try:
        moved = -np.linalg.solve(M[None] - M_s, score[..., None])[..., 0]
        se = np.sqrt(np.diagonal(np.linalg.inv(M)))
    except np.linalg.LinAlgError:
        return {}
    cook = np.einsum("si,ij,sj->s", moved, M, moved) / p
    top = sorted(range(len(schools)), key=lambda i: (-cook[i], schools[i]))[:MOST_INFLUENTIAL]
    rows = []
    for i in top:
        worst = int(np.argmax(np.abs(moved[i, 1:] / se[1:]))) + 1 if p > 1 else 0
        rows.append(
            {
                "school": schools[i],
                "cook": float(cook[i]),
                "term": cp.terms[worst],
                "in_errors": float(moved[i, worst] / se[worst]),
            }
        )
    return {"largest": rows, "usual": float(np.median(cook))}


def _information(
    cp: CrossProducts, sigma2: float, tau2: float, omega2: float
) -> tuple[Array, Array, list[str]]:
    """X'V^-1X and X'V^-1y of every school, V = sigma2 I + omega2 (year blocks) + tau2 J."""
    kept = list(cp.kept)
    S = cp.matrices()[:, np.array(kept)[:, None], np.array(kept)[None, :]]
    schools, at = np.unique(cp.cells["school"].to_numpy().astype(str), return_inverse=True)
    n = S[:, 0, 0]
    first = S[:, 0, :]
    # Woodbury for each school-year, then for the school: 1'W1 adds up over its years.
    shrink = omega2 / (sigma2 * (sigma2 + n * omega2))
    inner = S / sigma2 - shrink[:, None, None] * first[:, :, None] * first[:, None, :]
    ones = first / sigma2 - (shrink * n)[:, None] * first
    J = len(schools)
    whole = np.zeros((J, S.shape[1], S.shape[2]))
    sums = np.zeros((J, S.shape[1]))
    np.add.at(whole, at, inner)
    np.add.at(sums, at, ones)
    factor = tau2 / (1 + tau2 * sums[:, 0])
    whole -= factor[:, None, None] * sums[:, :, None] * sums[:, None, :]
    return whole[:, :-1, :-1], whole[:, :-1, :], [str(name) for name in schools]


def keep_diagnostics(run: Any, found: Mapping[str, Any]) -> None:
    """Write the diagnostics of every outcome beside the run's inputs."""
    (folder_of(run) / DIAGNOSTICS).write_text(json.dumps(found), encoding="utf-8")
