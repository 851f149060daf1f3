"""Does the answer change if ...? A school's figure under other reasonable ways of reckoning.

Every way is fitted from the cross products that are there: no pupil is read again. What comes out
is in pupil SD of the main model, so that ways can be compared by eye.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.core.errors import InputError
from brightspots.core.provenance import Provenance
from brightspots.insight.cross_products import CrossProducts
from brightspots.insight.heavy_tails import heavy_tails
from brightspots.insight.school_years import SchoolYearValueAdded, school_year_value_added
from brightspots.insight.submodels import only_cells, only_terms, with_group_mean
from brightspots.insight.value_added import Z_95, value_added

METHOD = "sensitivity of value added"
METHOD_VERSION = "1"
Array = NDArray[np.float64]

NO_BACKGROUND = "no_background"
SCHOOL_MEAN = "school_mean"
HEAVY_TAILS = "heavy_tails"
LATEST_YEAR = "latest_year"
WITHOUT_LATEST = "without_latest"
_COLUMNS = ("school", "variant", "n", "estimate", "se_comparative", "lower", "upper")


@dataclass(frozen=True)
class Sensitivities:
    """Result of :func:`sensitivities`.

    Attributes
    ----------
    frame : polars.DataFrame
        school, variant, n, estimate, se_comparative, lower, upper (95 %); pupil SD of the main
        model. A variant that is no other model, or cannot be fitted, is not there.
    skipped : mapping
        Variant -> why it is not there.
    freedom : float or None
        Degrees of freedom of school effects under heavy tails; large where tails are normal.
    """

    frame: pl.DataFrame
    skipped: dict[str, str]
    freedom: float | None
    provenance: Provenance = field(repr=False)

    def agreement(self, main: pl.DataFrame) -> pl.DataFrame:
        """Compare every variant with the main figures.

        Parameters
        ----------
        main : polars.DataFrame
            school, estimate, in pupil SD.

        Returns
        -------
        polars.DataFrame
            variant, schools, correlation, mean_absolute_change, largest_change.
        """
        both = self.frame.join(main.select("school", main="estimate"), on="school")
        change = (pl.col("estimate") - pl.col("main")).abs()
        return (
            both.group_by("variant")
            .agg(
                pl.len().alias("schools"),
                pl.corr("estimate", "main").alias("correlation"),
                change.mean().alias("mean_absolute_change"),
                change.max().alias("largest_change"),
            )
            .sort("variant")
        )


def sensitivities(
    cp: CrossProducts, *, prior: Sequence[str] = (), year: str | None = None, school: str = "school"
) -> Sensitivities:
    """Reckon every school's figure in other ways.

    Parameters
    ----------
    cp : CrossProducts
        Of the main model; with several years scanned ``by=(year,)``.
    prior : sequence of str
        Terms that are earlier results of the pupils; all others but years are background.
    year : str, optional
        Column of the year.
    school : str
        Column of the school.

    Notes
    -----
    no_background keeps earlier results (and years) alone, or nothing where there are none;
    school_mean adds the school's mean of each earlier result, which asks whether a good intake
    helps everybody; heavy_tails allows for a few very unusual schools; latest_year takes the
    newest year alone, without_latest all others. Nothing is random.
    """
    main = _fit(cp, year)
    frames: list[pl.DataFrame] = []
    skipped: dict[str, str] = {}
    for variant, other in _variants(cp, tuple(prior), year, school).items():
        if isinstance(other, str):
            skipped[variant] = other
            continue
        try:
            found = _fit(other, year)
        except InputError as error:
            skipped[variant] = error.what
            continue
        frames.append(_in_pupil_sd(found.frame, variant, main.pupil_sd))
    tails = heavy_tails(main.residual, main.variance)
    frames.append(
        _in_pupil_sd(
            main.schools.with_columns(
                estimate=pl.Series(tails.estimate), se_comparative=pl.Series(tails.se)
            ),
            HEAVY_TAILS,
            main.pupil_sd,
        )
    )
    return Sensitivities(
        frame=pl.concat(frames).sort("school", "variant"),
        skipped=skipped,
        freedom=tails.freedom,
        provenance=Provenance(
            METHOD,
            METHOD_VERSION,
            cp.provenance.input_hash,
            None,
            {**cp.provenance.settings, "prior": list(prior), "year": year},
        ),
    )


def _variants(
    cp: CrossProducts, prior: tuple[str, ...], year: str | None, school: str
) -> dict[str, CrossProducts | str]:
    """Variant -> its cross products, or why there are none."""
    years = [term for term in cp.terms if year and _is_year(term, year)]
    background = [term for term in cp.terms[1:] if term not in {*prior, *years}]
    made: dict[str, CrossProducts | str] = {
        NO_BACKGROUND: only_terms(cp, [*prior, *years])
        if background
        else "The model has no background.",
        SCHOOL_MEAN: "No earlier result is in the model.",
    }
    if prior:
        wider = cp
        for term in prior:
            wider = with_group_mean(wider, term, school)
        made[SCHOOL_MEAN] = wider
    labels = sorted(cp.cells[year].unique(), key=_order) if year else []
    if year and len(labels) > 1:
        latest = pl.col(year) == labels[-1]
        made[LATEST_YEAR] = only_cells(cp, latest)
        made[WITHOUT_LATEST] = only_cells(cp, ~latest)
    else:
        made[LATEST_YEAR] = made[WITHOUT_LATEST] = "There is one year only."
    return made


def _is_year(term: str, year: str) -> bool:
    return term == year or term.startswith((f"factor({year})", f"C({year})"))


def _order(label: str) -> tuple[float, str]:
    try:
        return float(label), label
    except ValueError:
        return float("inf"), label


@dataclass(frozen=True)
class _Fitted:
    """`frame`: school, n, estimate, se_comparative in units of the outcome.

    `schools` are those of `residual` and `variance` (shape (n,)): what is left of each school's
    mean over its years, and the variance of that around what lasts.
    """

    frame: pl.DataFrame
    pupil_sd: float
    schools: pl.DataFrame
    residual: Array
    variance: Array


def _fit(cp: CrossProducts, year: str | None) -> _Fitted:
    if year and cp.cells[year].n_unique() > 1:
        return _several_years(school_year_value_added(cp, year=year))
    return _one_year(cp)


def _several_years(found: SchoolYearValueAdded) -> _Fitted:
    year_variance = dict(
        found.variance_components.select("component", "variance").iter_rows()
    ).get("school_year", 0.0)  # fmt: skip
    weight = 1 / (pl.col("sampling_variance") + year_variance)
    pooled = (
        found.residuals.group_by("school")
        .agg(
            ((pl.col("residual") * weight).sum() / weight.sum()).alias("residual"),
            (1 / weight.sum()).alias("variance"),
            pl.col("n").sum(),
        )
        .sort("school")
    )
    return _Fitted(
        found.persistent.select("school", "n", "estimate", "se_comparative"),
        found.pupil_sd,
        pooled.select("school", "n"),
        pooled["residual"].to_numpy(),
        pooled["variance"].to_numpy(),
    )


def _one_year(cp: CrossProducts) -> _Fitted:
    found = value_added(cp)
    frame = found.school_effects
    prior = float(found.variance_components["variance"][0])
    sigma2 = float(found.variance_components["variance"][-1])
    total = cp.total()
    scatter = (total[-1, -1] - total[0, -1] ** 2 / total[0, 0]) / (total[0, 0] - 1)
    pupil_sd = float(np.sqrt(scatter) * cp.scale[-1])
    kept = frame.filter(pl.col("n") > 0)
    variance = sigma2 / kept["n"].to_numpy()
    # u = R r with R = tau^2 / (tau^2 + variance): the residual behind the shrunken estimate.
    shrink = prior / (prior + variance) if prior > 0 else np.ones(len(variance))
    return _Fitted(
        frame.select("school", "n", "estimate", "se_comparative"),
        pupil_sd,
        kept.select("school", "n"),
        kept["estimate"].to_numpy() / shrink,
        variance,
    )


def _in_pupil_sd(frame: pl.DataFrame, variant: str, pupil_sd: float) -> pl.DataFrame:
    estimate, se = pl.col("estimate") / pupil_sd, pl.col("se_comparative") / pupil_sd
    return frame.select(
        "school",
        pl.lit(variant).alias("variant"),
        pl.col("n").cast(pl.Int64),
        estimate.alias("estimate"),
        se.alias("se_comparative"),
        (estimate - Z_95 * se).alias("lower"),
        (estimate + Z_95 * se).alias("upper"),
    ).select(_COLUMNS)
