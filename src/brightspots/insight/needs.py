"""Where support would matter most: how likely and how large a gap is, and for how many pupils.

A gap says where help is asked for first. It is no judgement of a school, and there is no order of
schools in the result.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import norm

from brightspots.core.errors import InputError
from brightspots.core.provenance import Provenance, hash_frame

METHOD_VERSION = "1"
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class NeedsParameters:
    """`delta`: a gap counts from here, in pupil SD (default .10); above 0."""

    delta: float = 0.10

    def __post_init__(self) -> None:
        check_delta(self.delta)


def check_delta(delta: float) -> None:
    """Refuse a threshold of 0 or below: half of all schools lie below average, always."""
    if not (np.isfinite(delta) and delta > 0):
        raise InputError(
            f"delta is {delta:g}.", mend="Give a difference that matters, above 0 (default 0.10)."
        )


@dataclass(frozen=True)
class Needs:
    """Result of :func:`needs`.

    Attributes
    ----------
    frame : polars.DataFrame
        school, outcome, n, estimate, se_comparative, `probability` of a gap of at least delta,
        `gap` (expected shortfall below average, pupil SD), `pupils_touched` (pupils a year x
        probability).
    """

    frame: pl.DataFrame
    provenance: Provenance = field(repr=False)


def probability_below(estimate: Floats, se: Floats, threshold: float) -> Floats:
    """P(effect < threshold) for effect ~ N(estimate, se^2); a step where se = 0."""
    known = se > 0
    z = (threshold - estimate) / np.where(known, se, 1.0)
    return np.where(known, norm.cdf(z), (estimate < threshold).astype(np.float64))


def expected_shortfall(estimate: Floats, se: Floats) -> Floats:
    """E max(0, -effect) = se phi(m / se) - m Phi(-m / se), m the estimate."""
    known = se > 0
    z = estimate / np.where(known, se, 1.0)
    smooth = se * norm.pdf(z) - estimate * norm.cdf(-z)
    return np.where(known, np.maximum(smooth, 0.0), np.maximum(-estimate, 0.0))


def effects_columns(frame: pl.DataFrame) -> tuple[Floats, Floats]:
    """Read estimate and se_comparative of school x outcome pairs, or say what is wrong."""
    for name in ("school", "outcome", "estimate", "se_comparative"):
        if name not in frame.columns:
            raise InputError(
                "This column is needed and not there.",
                column=name,
                mend="Take the frame from a value-added result in pupil SD.",
            )
    pair = frame.select("school", "outcome")
    if pair.is_duplicated().any():
        row = int(np.flatnonzero(pair.is_duplicated().to_numpy())[0])
        raise InputError(
            f'School "{frame["school"][row]}" has two estimates for "{frame["outcome"][row]}".',
            row=row + 2,
            column="school",
        )
    columns = []
    for name in ("estimate", "se_comparative"):
        values = frame[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
        bad = ~np.isfinite(values) | ((values < 0) & (name == "se_comparative"))
        if bad.any():
            raise InputError("This value cannot be used.", row=int(np.argmax(bad)) + 2, column=name)
        columns.append(values)
    return columns[0], columns[1]


def needs(frame: pl.DataFrame, parameters: NeedsParameters | None = None) -> Needs:
    """Give for each school and outcome the probability and size of a gap.

    Parameters
    ----------
    frame : polars.DataFrame
        One row a school x outcome, pupil SD: school, outcome, estimate, se_comparative and, to
        count pupils, n over all `years` (``SchoolLevelValueAdded.in_pupil_sd``).
    parameters : NeedsParameters

    Notes
    -----
    effect | data ~ N(estimate, se_comparative^2), so probability = Phi((-delta - estimate) / se).
    Nothing is random. Rows come out sorted by school and outcome.
    """
    parameters = parameters or NeedsParameters()
    ordered = (
        frame.sort("school", "outcome") if {"school", "outcome"} <= set(frame.columns) else frame
    )
    estimate, se = effects_columns(ordered)
    probability = probability_below(estimate, se, -parameters.delta)
    nothing = pl.lit(None, dtype=pl.Float64)
    pupils = pl.col("n").cast(pl.Float64) if "n" in ordered.columns else nothing
    a_year = pupils / (pl.col("years") if "years" in ordered.columns else pl.lit(1))
    out = ordered.select(
        "school",
        "outcome",
        pupils.alias("n"),
        pl.Series("estimate", estimate),
        pl.Series("se_comparative", se),
        pl.Series("probability", probability),
        pl.Series("gap", expected_shortfall(estimate, se)),
        (a_year * pl.Series(probability)).alias("pupils_touched"),
    )
    return Needs(
        out, Provenance("needs", METHOD_VERSION, hash_frame(frame), None, asdict(parameters))
    )
