"""What is believed of the gain that each offer brings: track records shrunk, and drawn to explore.

Recorded gains g with standard errors s scatter around what their offers are worth, and those around
the mean of their priority: g ~ N(theta, s^2), theta ~ N(mu, tau^2). mu and tau^2 are estimated by
the method of Paule and Mandel (1982, J. Res. Natl. Bur. Stand. 87:377), which solves
sum (g - mu)^2 / (s^2 + tau^2) = n - 1. The posterior of theta is normal in closed form.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from brightspots.connectedness.broker_frames import Tables, priority_key
from brightspots.connectedness.broker_parameters import BrokerParameters

__all__ = ["ENOUGH_RECORDS", "Record", "paule_mandel", "study_record", "uniform"]

Floats = NDArray[np.float64]
ENOUGH_RECORDS = 5
DEFAULT_PRIOR = (0.0, 0.1)


@dataclass(frozen=True)
class Record:
    """Posterior of the gain, shape (offers, priorities), and who explores.

    `mean`, `sd`: of every offer, with or without a record (`known`). `drawn`: one draw from it.
    `explores`: requests that go by the draw.
    """

    mean: Floats
    sd: Floats
    known: NDArray[np.bool_]
    drawn: Floats
    explores: NDArray[np.bool_]


def uniform(seed: int, kind: str, codes: Sequence[str]) -> Floats:
    """Numbers in (0, 1) that depend on the seed and each code alone, not on the other codes."""
    words = (hashlib.sha256(f"{seed}\n{kind}\n{code}".encode()).digest()[:8] for code in codes)
    whole = np.frombuffer(b"".join(words), dtype="<u8").astype(np.float64)
    values: Floats = (whole + 0.5) / 2.0**64
    return values.clip(1e-12, 1 - 1e-12)


def paule_mandel(gain: Floats, se: Floats) -> tuple[float, float]:
    """Mean and SD of what gains with standard errors scatter around; shapes (n,), n at least 2."""

    def weighed(tau2: float) -> tuple[float, float]:
        w = 1 / (se**2 + tau2)
        mu = float((w * gain).sum() / w.sum())
        return mu, float((w * (gain - mu) ** 2).sum())

    n = len(gain)
    low, high = 0.0, float(np.var(gain)) * n / (n - 1) * 2 + 1e-12
    if weighed(0.0)[1] <= n - 1:
        return weighed(0.0)[0], 0.0
    while weighed(high)[1] > n - 1:
        high *= 2
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if weighed(middle)[1] > n - 1 else (low, middle)
    return weighed(high)[0], float(np.sqrt(high))


def study_record(tables: Tables, parameters: BrokerParameters, seed: int) -> Record:
    """Posterior means, draws, and which requests explore (their number is the share, rounded down).

    A single request explores if its own number is below the share, as in a shortlist.
    """
    requests, offers = tables.requests, tables.offers
    known = ~np.isnan(offers.gain) & offers.covers
    mean, sd = np.zeros_like(offers.gain), np.zeros_like(offers.gain)
    for p in range(offers.gain.shape[1]):
        at = known[:, p]
        mean[:, p], sd[:, p] = _posterior(offers.gain[:, p], offers.se[:, p], at, parameters)
    drawn = mean
    explores = np.zeros(len(requests), dtype=bool)
    if parameters.exploration > 0:
        keys = [priority_key(name) for name in tables.priorities]
        draws = [ndtri(uniform(seed, f"gain {key}", offers.codes)) for key in keys]
        drawn = mean + sd * np.column_stack(draws)
        own = uniform(seed, "explores", requests.codes)
        explores = own < parameters.exploration
        most = int(np.floor(parameters.exploration * len(requests)))
        if len(requests) > 1 and explores.sum() > most:
            explores[np.argsort(own, kind="stable")[most:]] = False
    return Record(mean, sd, known, drawn, explores)


def _posterior(
    gain: Floats, se: Floats, known: NDArray[np.bool_], parameters: BrokerParameters
) -> tuple[Floats, Floats]:
    g, s = gain[known], se[known]
    mu, tau = DEFAULT_PRIOR
    if len(g) >= ENOUGH_RECORDS:
        if parameters.shrink:
            mu, tau = paule_mandel(g, s)
        else:  # posteriors already: the spread of all is theirs within and between
            mu, tau = float(g.mean()), float(np.sqrt((s**2).mean() + g.var()))
    mu = mu if parameters.prior_mean is None else parameters.prior_mean
    tau = tau if parameters.prior_sd is None else parameters.prior_sd
    mean, sd = np.full(len(gain), mu), np.full(len(gain), tau)
    if not parameters.shrink:
        mean[known], sd[known] = g, s
    else:
        share = tau**2 / (tau**2 + s**2)
        mean[known] = mu + share * (g - mu)
        sd[known] = np.sqrt(share) * s
    return mean, sd
