"""Pupils of the twin, a block of schools at a time, so that memory does not grow with pupils."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from brightspots.pace.twin.effects import Effects, correlated
from brightspots.pace.twin.parameters import TwinParameters
from brightspots.pace.twin.schools import Schools

SCHOOLS_A_BLOCK = 500
"""Fixed: each block has its own random numbers, so the size of a block is part of the method."""

_SUPPRESSED_BELOW = 5


def blocks(
    parameters: TwinParameters, schools: Schools, effects: Effects, seed: np.random.SeedSequence
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Pupils, and results by school of the school-level subject, block after block of schools.

    Pupils are sorted by school, year and pupil.
    """
    starts = range(0, len(schools.area), SCHOOLS_A_BLOCK)
    shift = effects.total(schools)
    for start, child in zip(starts, seed.spawn(len(starts)), strict=True):
        rng = np.random.default_rng(child)
        some = np.arange(start, min(start + SCHOOLS_A_BLOCK, len(schools.area)))
        yield _block(parameters, schools, shift, some, rng)


def _block(
    parameters: TwinParameters,
    schools: Schools,
    shift: np.ndarray[tuple[int, int, int], np.dtype[np.float64]],
    some: np.ndarray[tuple[int], np.dtype[np.int64]],
    rng: np.random.Generator,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    years = np.arange(parameters.n_years)
    size = rng.poisson(np.tile(schools.cohort[some, None], len(years)))
    size = np.where(schools.tiny[some, None], rng.integers(5, 9, size.shape), np.maximum(size, 9))
    size = np.where(years >= schools.first_open[some, None], size, 0)
    flat = size.ravel()
    school = np.repeat(np.repeat(some, len(years)), flat)
    year = np.repeat(np.tile(years, len(some)), flat)
    number = np.arange(len(school)) - np.repeat(np.cumsum(flat) - flat, flat) + 1
    n = len(school)
    poor = rng.uniform(size=n) < schools.poverty[school]
    girl = rng.uniform(size=n) < 0.5
    from_home = parameters.poverty_on_prior * (poor - schools.poverty.mean())
    prior = from_home + rng.standard_normal(n)
    residual = parameters.residual_sd * correlated(
        (n, len(parameters.every_subject)), parameters.pupil_subject_correlation, rng
    )
    expected = (
        parameters.intercept
        + parameters.growth * year
        + parameters.prior * prior
        + parameters.poverty * poor
        + parameters.female * girl
    )
    z = expected[:, None] + shift[school, year] + residual
    # One decimal: finer than any published scale, so that rounding adds no visible variance.
    score = np.round(parameters.score_mean + parameters.score_sd * z, 1)
    score[rng.uniform(size=score.shape) < parameters.missing_score_share] = np.nan
    known = np.round(prior, 3)
    known[rng.uniform(size=n) < parameters.missing_prior_share] = np.nan
    code = schools.frame["code"].gather(school)
    frame = pl.DataFrame(
        {
            "school": code,
            "year": (parameters.first_year + year).astype(np.int32),
            "number": number,
            "sex": pl.Series(np.where(girl, "F", "M")),
            "poverty": poor.astype(np.int8),
            "prior": known,
            **{each: score[:, at] for at, each in enumerate(parameters.every_subject)},
        }
    ).with_columns(pl.col(pl.Float64).fill_nan(None))
    return _pupils(parameters, frame), _by_school(parameters, schools, some, frame)


def _pupils(parameters: TwinParameters, frame: pl.DataFrame) -> pl.DataFrame:
    year, number = pl.col("year").cast(pl.String), pl.col("number").cast(pl.String)
    pupil = pl.concat_str("school", pl.lit("-"), year, pl.lit("-"), number.str.zfill(5))
    return frame.select(
        "school", "year", pupil.alias("pupil"), "sex", "poverty", "prior", *parameters.subjects
    )


def _by_school(
    parameters: TwinParameters,
    schools: Schools,
    some: np.ndarray[tuple[int], np.dtype[np.int64]],
    frame: pl.DataFrame,
) -> pl.DataFrame:
    """Mean, candidates and spread as published: codes stand where there is no figure."""
    subject = pl.col(parameters.school_level_subject)
    found = frame.group_by("school", "year").agg(
        subject.mean().round(2).alias("mean"),
        subject.count().alias("candidates"),
        subject.std().round(2).alias("spread"),
    )
    every = schools.frame.select(pl.col("code").gather(some).alias("school")).join(
        pl.DataFrame({"year": pl.Series(parameters.years, dtype=pl.Int32)}), how="cross"
    )
    both = every.join(found, on=["school", "year"], how="left").sort("school", "year")

    def published(name: str) -> pl.Expr:
        return (
            pl.when(pl.col("candidates").is_null())
            .then(pl.lit("NEW"))
            .when((pl.col("candidates") < _SUPPRESSED_BELOW) & (pl.lit(name) != "candidates"))
            .then(pl.lit("SUPP"))
            .otherwise(pl.col(name).cast(pl.String))
            .alias(name)
        )

    return both.select(
        "school",
        "year",
        pl.lit(parameters.school_level_subject).alias("subject"),
        published("mean"),
        published("candidates"),
        published("spread"),
    )
