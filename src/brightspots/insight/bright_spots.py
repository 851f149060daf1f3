"""Which schools do markedly better than expected, with a stated chance of being wrong.

The rule: p = P(effect > delta); all school x outcome pairs are one family; flag from the highest p
downwards while the mean of 1 - p stays at most q. The mean of 1 - p is the share of flags that is
expected to be false (Bayesian false discovery rate).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.core.errors import InputError
from brightspots.core.provenance import Provenance, hash_frame
from brightspots.insight.needs import check_delta, effects_columns, probability_below

METHOD_VERSION = "1"
Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

BRIGHT_SPOT: Final = "bright spot"
WORTH_A_VISIT: Final = "worth a visit"
NOT_ENOUGH_EVIDENCE: Final = "not enough evidence"


@dataclass(frozen=True)
class BrightSpotParameters:
    """Settings of :func:`bright_spots`.

    Parameters
    ----------
    delta : float
        How much better counts as markedly, in pupil SD; above 0.
    fdr_bright, fdr_visit : float
        Share of flags allowed to be false.
    minimum_years : int
        Years a school needs before the words "bright spot" are used of it; at least 3.
    """

    delta: float = 0.10
    fdr_bright: float = 0.10
    fdr_visit: float = 0.20
    minimum_years: int = 3

    def __post_init__(self) -> None:
        check_delta(self.delta)
        if not 0 < self.fdr_bright <= self.fdr_visit < 1:
            raise InputError(
                "The shares of false flags must satisfy 0 < fdr_bright <= fdr_visit < 1."
            )
        if self.minimum_years < 3:
            raise InputError(
                f"minimum_years is {self.minimum_years}.",
                mend='Fewer than 3 years cannot show a bright spot, only a school "worth a visit".',
            )


@dataclass(frozen=True)
class BrightSpots:
    """Result of :func:`bright_spots`.

    Attributes
    ----------
    frame : polars.DataFrame
        The input's rows, sorted by school and outcome, with `probability` = P(effect > delta) and
        `evidence`: "bright spot", "worth a visit" or "not enough evidence" (never "not good").
    n_bright, n_visit : int
        Flags of each kind; a bright spot is not counted again as worth a visit.
    expected_false_bright, expected_false_visit : float
        How many of them are expected to be false: sum of 1 - p.
    """

    frame: pl.DataFrame
    n_bright: int
    n_visit: int
    expected_false_bright: float
    expected_false_visit: float
    provenance: Provenance = field(repr=False)


def flag(probability: Floats, q: float) -> Booleans:
    """Flag the largest set {p >= t} whose mean of 1 - p is at most q; ties share their fate.

    Source: Newton, Noueiry, Sarkar and Ahlquist 2004, Biostatistics 5:155 (direct posterior
    probability approach).
    """
    if probability.size == 0:
        return np.zeros(0, dtype=np.bool_)
    order = np.argsort(-probability, kind="stable")
    p = probability[order]
    mean_false = np.cumsum(1 - p) / np.arange(1, p.size + 1)
    last_of_tie = np.append(p[1:] < p[:-1], True)
    allowed = np.flatnonzero(last_of_tie & (mean_false <= q))
    if allowed.size == 0:
        return np.zeros(p.size, dtype=np.bool_)
    flagged: Booleans = probability >= p[allowed[-1]]
    return flagged


def bright_spots(
    frame: pl.DataFrame, parameters: BrightSpotParameters | None = None
) -> BrightSpots:
    """Apply the rule to school x outcome pairs.

    Parameters
    ----------
    frame : polars.DataFrame
        One row a school x outcome in pupil SD: school, outcome, years, estimate, se_comparative,
        where the estimate is the persistent effect when there are several years.
    parameters : BrightSpotParameters

    Notes
    -----
    The family for "bright spot" is all pairs with enough years (so that its false discovery rate
    holds for what is called so), the family for "worth a visit" all pairs. There is no size
    cut-off: a small school's p carries its uncertainty. Nothing is random.
    """
    parameters = parameters or BrightSpotParameters()
    if "years" not in frame.columns:
        raise InputError(
            "This column is needed and not there.",
            column="years",
            mend="Give the number of years behind each estimate.",
        )
    ordered = (
        frame.sort("school", "outcome") if {"school", "outcome"} <= set(frame.columns) else frame
    )
    estimate, se = effects_columns(ordered)
    p = probability_below(-estimate, se, -parameters.delta)
    enough = (ordered["years"].fill_null(0) >= parameters.minimum_years).to_numpy()
    bright = np.zeros(p.size, dtype=np.bool_)
    bright[enough] = flag(p[enough], parameters.fdr_bright)
    visit = flag(p, parameters.fdr_visit) & ~bright
    evidence = np.where(bright, BRIGHT_SPOT, np.where(visit, WORTH_A_VISIT, NOT_ENOUGH_EVIDENCE))
    return BrightSpots(
        ordered.with_columns(
            pl.Series("probability", p), pl.Series("evidence", evidence.astype(object), pl.String)
        ),
        int(bright.sum()),
        int(visit.sum()),
        float((1 - p[bright]).sum()),
        float((1 - p[visit]).sum()),
        Provenance("bright-spots", METHOD_VERSION, hash_frame(frame), None, asdict(parameters)),
    )
