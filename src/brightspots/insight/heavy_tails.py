"""School effects with heavy tails: a few very unusual schools must not decide about the others.

    r_s = mu + u_s + e_s,   u_s = tau z_s / sqrt(lambda_s),   lambda_s ~ Gamma(nu/2, nu/2)

so that u_s is Student's t with nu degrees of freedom and scale tau; var(e_s) is known. Given lambda
everything is normal, so the marginal likelihood is one integral a school. The integrand is smooth
and dies off fast in log lambda, where the trapezoid rule converges faster than any power of its
step; no random numbers are needed.

Sources: Lange, Little and Taylor 1989, JASA 84:881 (t models, weights lambda); Bell and Huang 2006
(t in small-area models); Trefethen and Weideman 2014 (trapezoid rule).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize
from scipy.special import gammaln, ndtr, psi
from scipy.stats import chi2, norm

from brightspots.core.errors import InputError
from brightspots.core.provenance import Provenance, hash_frame

METHOD = "heavy tails"
METHOD_VERSION = "1"
NU_LEAST = 2.1
"""Below, the effects would have no variance to speak of."""
FEWEST_SCHOOLS = 10
UNUSUAL = 0.5
"""A weight below this marks a school as unusual: it counts less than half of an ordinary one."""
_NODES = 64
_TAIL = 35.0
_CHUNK = 4_000
_SMALL = 10_000
"""Up to this many schools the search starts from several places; it costs little there."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class HeavyTails:
    """Result of :func:`heavy_tailed_effects`.

    Attributes
    ----------
    nu : float
        Degrees of freedom; infinite where tails are no heavier than the normal's.
    scale, sd : float
        tau, and the SD of the effects, tau sqrt(nu / (nu - 2)).
    centre : float
        mu.
    normal_sd : float
        SD of the effects under the normal model, by maximum likelihood as well.
    likelihood_ratio, p_value : float
        Against the normal model; nu = infinity is the edge, so half a chi-square with 1 df.
    effects : polars.DataFrame
        school, residual, sampling_variance, estimate (posterior mean), se_comparative, lower,
        upper, weight (posterior mean of lambda: 1 for an ordinary school, near 0 for a very unusual
        one), estimate_normal (normal model, the same likelihood), change (estimate less that).
    unusual : tuple of str
        Schools with a weight below 0.5.
    """

    nu: float
    scale: float
    sd: float
    centre: float
    normal_sd: float
    likelihood_ratio: float
    p_value: float
    effects: pl.DataFrame
    unusual: tuple[str, ...]
    provenance: Provenance = field(repr=False)


def unshrunken(effects: pl.DataFrame) -> pl.DataFrame:
    """Take shrinkage off: what each school's own data say of its effect, and how precisely.

    With G = se_comparative^2 + se_diagnostic^2 and R = 1 - cond_sd^2 / G (the share of trust in the
    school's own data), the estimate is R r and r has error variance G (1 - R) / R. For one year of
    pupils that gives the mean residual and sigma^2 / n back.

    Parameters
    ----------
    effects : polars.DataFrame
        school, estimate, cond_sd, se_comparative, se_diagnostic, of any model of this package with
        one effect a school.

    Returns
    -------
    polars.DataFrame
        school, residual, sampling_variance; schools of which nothing is known are left out.
    """
    prior = effects["se_comparative"].to_numpy() ** 2 + effects["se_diagnostic"].to_numpy() ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        trust = 1 - effects["cond_sd"].to_numpy() ** 2 / prior
        frame = pl.DataFrame(
            {
                "school": effects["school"],
                "residual": effects["estimate"].to_numpy() / trust,
                "sampling_variance": prior * (1 - trust) / trust,
            }
        )
    return frame.filter(pl.Series(np.isfinite(trust) & (trust > 1e-9)))


def heavy_tailed_effects(frame: pl.DataFrame, *, confidence: float = 0.95) -> HeavyTails:
    """Estimate school effects that may have heavy tails, by marginal maximum likelihood.

    Parameters
    ----------
    frame : polars.DataFrame
        school, residual (what the model leaves of the school's mean; see :func:`unshrunken`) and
        its sampling_variance, above 0.
    confidence : float

    Raises
    ------
    InputError
        Fewer than 10 schools, or a variance that is not above 0.

    Notes
    -----
    Intervals are quantiles of the posterior, widened for the uncertainty of mu. The coefficients
    that gave the residuals, and nu and tau, are taken as known.
    """
    data = frame.select("school", "residual", "sampling_variance")
    _check(data, confidence)
    order = np.lexsort((data["sampling_variance"], data["residual"]))
    r = data["residual"].to_numpy().astype(np.float64)[order]
    s2 = data["sampling_variance"].to_numpy().astype(np.float64)[order]
    unit = float(r.std()) or 1.0
    centre = float(np.median(r))
    model = _Model((r - centre) / unit, s2 / unit**2)
    normal, heavy = _fit(model)
    ratio = max(2 * (heavy.log_likelihood - normal.log_likelihood), 0.0)
    chosen = heavy if heavy.inverse_nu > 0 else normal
    post, post_normal = _posterior(model, chosen, confidence), _posterior(model, normal, confidence)
    shown = pl.DataFrame(
        {
            "school": data["school"].gather(order),
            "residual": r,
            "sampling_variance": s2,
            "estimate": post.mean * unit,
            "se_comparative": post.se * unit,
            "lower": post.lower * unit,
            "upper": post.upper * unit,
            "weight": post.weight,
            "estimate_normal": post_normal.mean * unit,
            "change": (post.mean - post_normal.mean) * unit,
        }
    ).sort("school")
    nu = 1 / chosen.inverse_nu if chosen.inverse_nu > 0 else float("inf")
    inflation = 1.0 if np.isinf(nu) else nu / (nu - 2)
    return HeavyTails(
        nu=nu,
        scale=float(np.sqrt(chosen.tau2)) * unit,
        sd=float(np.sqrt(chosen.tau2 * inflation)) * unit,
        centre=chosen.mu * unit + centre,
        normal_sd=float(np.sqrt(normal.tau2)) * unit,
        likelihood_ratio=ratio,
        p_value=float(0.5 * chi2.sf(ratio, 1)) if ratio > 0 else 1.0,
        effects=shown,
        unusual=tuple(shown.filter(pl.col("weight") < UNUSUAL)["school"].to_list()),
        provenance=Provenance(
            METHOD, METHOD_VERSION, hash_frame(data), None, {"confidence": confidence}
        ),
    )


def _check(data: pl.DataFrame, confidence: float) -> None:
    if not 0 < confidence < 1:
        raise InputError("confidence must lie between 0 and 1.")
    if data.height < FEWEST_SCHOOLS:
        raise InputError(
            f"{data.height} schools are too few to speak of unusual ones.",
            mend=f"Give {FEWEST_SCHOOLS} at the least.",
        )
    values = data.select("residual", "sampling_variance").to_numpy().astype(np.float64)
    bad = ~np.isfinite(values).all(axis=1) | ~(values[:, 1] > 0)
    if bad.any():
        raise InputError(
            "A residual must be known, and its sampling variance above 0.",
            row=int(np.argmax(bad)) + 2,
            column="sampling_variance",
        )


@dataclass(frozen=True)
class _Point:
    """mu, tau^2, 1 / nu and the log-likelihood there; 1 / nu = 0 is the normal model."""

    mu: float
    tau2: float
    inverse_nu: float
    log_likelihood: float


@dataclass(frozen=True)
class _Model:
    r: Floats
    s2: Floats

    def nodes(self, inverse_nu: float) -> tuple[Floats, Floats, float]:
        """Values of lambda, their log weights under Gamma(nu/2, nu/2), and nu."""
        if inverse_nu <= 0:
            return np.ones(1), np.zeros(1), float("inf")
        nu = 1 / inverse_nu
        half = nu / 2

        def drop(x: float) -> float:
            return float(half * (np.exp(x) - 1 - x) - _TAIL)

        low = brentq(drop, -2 * _TAIL / half - 10, 0.0)
        high = brentq(drop, 0.0, np.sqrt(2 * _TAIL / half) + np.log1p(_TAIL / half) + 5)
        x = np.linspace(low, high, _NODES)
        density = half * np.log(half) - gammaln(half) + half * (x - np.exp(x))
        return np.exp(x), density + np.log(x[1] - x[0]), nu

    def likelihood(self, mu: float, log_tau2: float, inverse_nu: float) -> tuple[float, Floats]:
        """Log-likelihood and its derivatives by mu, log tau^2 and 1 / nu."""
        lam, log_weight, nu = self.nodes(inverse_nu)
        tau2 = float(np.exp(log_tau2))
        total, slope = 0.0, np.zeros(3)
        for start in range(0, len(self.r), _CHUNK):
            d = (self.r[start : start + _CHUNK] - mu)[:, None]
            V = self.s2[start : start + _CHUNK, None] + tau2 / lam
            log_f = log_weight - 0.5 * (np.log(2 * np.pi * V) + d**2 / V)
            top = log_f.max(axis=1, keepdims=True)
            share = np.exp(log_f - top)
            sums = share.sum(axis=1, keepdims=True)
            share /= sums
            total += float((np.log(sums) + top).sum())
            slope[0] += float((share * d / V).sum())
            slope[1] += float((share * 0.5 * (tau2 / lam) * (d**2 / V**2 - 1 / V)).sum())
            if inverse_nu > 0:
                by_nu = 0.5 * (1 + np.log(nu / 2) + np.log(lam) - lam - psi(nu / 2))
                slope[2] += float((share * by_nu).sum() * -(nu**2))
        return total, slope


def _fit(model: _Model) -> tuple[_Point, _Point]:
    """Find the normal and the heavy-tailed optimum; outliers can make two humps."""
    spare = max(float(model.r.var() - model.s2.mean()), 0.05 * float(model.r.var()), 1e-6)
    normal = _climb(model, [0.0, float(np.log(spare)), 0.0], held=True)
    starts = [0.02, 0.15, 0.35] if len(model.r) <= _SMALL else [0.15]
    best = normal
    for inverse_nu in starts:
        shrunk = normal.tau2 * max(1 - 2 * inverse_nu, 0.2)
        found = _climb(model, [normal.mu, float(np.log(max(shrunk, 1e-8))), inverse_nu], held=False)
        if found.log_likelihood > best.log_likelihood + 1e-9:
            best = found
    return normal, best


def _climb(model: _Model, start: list[float], *, held: bool) -> _Point:
    count = len(model.r)

    def target(x: Floats) -> tuple[float, Floats]:
        value, slope = model.likelihood(float(x[0]), float(x[1]), float(x[2]))
        return -value / count, -slope / count

    top = 0.0 if held else 1 / NU_LEAST
    least = 0.0 if held else 1e-3  # nu above 1,000 is the normal model, which is fitted by itself
    answer = minimize(
        target,
        np.array(start),
        jac=True,
        method="L-BFGS-B",
        bounds=[(None, None), (-25.0, 8.0), (least, top)],
        options={"ftol": 1e-14, "gtol": 1e-8, "maxiter": 300},
    )
    mu, log_tau2, inverse_nu = (float(value) for value in answer.x)
    return _Point(mu, float(np.exp(log_tau2)), inverse_nu, float(-answer.fun) * count)


@dataclass(frozen=True)
class _Posterior:
    mean: Floats
    se: Floats
    lower: Floats
    upper: Floats
    weight: Floats


def _posterior(model: _Model, at: _Point, confidence: float) -> _Posterior:
    """Mean, error, quantiles and weight of each school, chunk by chunk."""
    lam, log_weight, _ = model.nodes(at.inverse_nu)
    parts = []
    information = 0.0
    for start in range(0, len(model.r), _CHUNK):
        d = (model.r[start : start + _CHUNK] - at.mu)[:, None]
        s2 = model.s2[start : start + _CHUNK, None]
        G = at.tau2 / lam
        V = s2 + G
        log_f = log_weight - 0.5 * (np.log(V) + d**2 / V)
        share = np.exp(log_f - log_f.max(axis=1, keepdims=True))
        share /= share.sum(axis=1, keepdims=True)
        trust = G / V
        means, variances = trust * d, trust * s2
        mean = (share * means).sum(axis=1)
        inner = (share * (variances + (means - mean[:, None]) ** 2)).sum(axis=1)
        limits = [
            _quantile(share, means, variances, mean, np.sqrt(inner), level)
            for level in ((1 - confidence) / 2, (1 + confidence) / 2)
        ]
        # How the estimate moves with mu, to carry mu's own error; and mu's information.
        moves = (share * -trust).sum(axis=1)
        information += float((share / V).sum())
        parts.append((mean, inner, *limits, (share * lam).sum(axis=1), moves))
    mean, inner, low, high, weight, moves = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    se = np.sqrt(inner + moves**2 / information)
    wider = np.divide(se, np.sqrt(inner), out=np.ones_like(se), where=inner > 0)
    return _Posterior(mean, se, mean + wider * (low - mean), mean + wider * (high - mean), weight)


def _quantile(
    share: Floats, means: Floats, variances: Floats, mean: Floats, sd: Floats, level: float
) -> Floats:
    """Quantile of a mixture of normals, one a row, by Newton's method inside a bracket."""
    root = np.sqrt(np.maximum(variances, 1e-300))
    z = float(norm.ppf(level))
    low, high = mean - (abs(z) + 8) * sd, mean + (abs(z) + 8) * sd
    found: Floats = mean + z * sd
    for _ in range(40):
        apart = (found[:, None] - means) / root
        excess = (share * ndtr(apart)).sum(axis=1) - level
        slope = (share * np.exp(-0.5 * apart**2) / root).sum(axis=1) / np.sqrt(2 * np.pi)
        low, high = np.where(excess < 0, found, low), np.where(excess < 0, high, found)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = found - excess / slope
        inside = np.isfinite(step) & (step > low) & (step < high)
        moved = np.where(inside, step, (low + high) / 2)
        done = np.abs(moved - found).max(initial=0.0) <= 1e-7 * sd.max(initial=0.0)
        found = moved
        if done:
            break
    return found
