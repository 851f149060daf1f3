"""Value added from pupils: one model of all years, from one pass over them.

    score ~ circumstances + year + school + school-year + pupil

What a school adds lastingly is told apart from what one year alone showed; every year has its own
average, and circumstances count the same in all of them. Where there is one year, or no school is
seen in two, the school's effect is that of the years it was seen in, and nothing is said to last.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from brightspots.core.errors import InputError
from brightspots.insight.cross_products import CrossProducts, cross_products
from brightspots.insight.reml import unidentified
from brightspots.insight.school_years import (
    DriftComparison,
    SchoolYearValueAdded,
    compare_drift,
    school_year_value_added,
)
from brightspots.insight.value_added import ValueAdded, value_added
from brightspots_web.insight.analysis import diagnostics, expectation, other_ways
from brightspots_web.insight.analysis.formulas import YEAR
from brightspots_web.insight.analysis.inputs import Inputs
from brightspots_web.insight.analysis.outcome import (
    EFFECTS,
    Outcome,
    Settings,
    in_pupil_sd,
    with_latest,
)
from brightspots_web.insight.analysis.pupil_rows import Pupils, prepare
from brightspots_web.insight.circumstances import PREFIX

MOST_FOR_DRIFT = 20_000
"""Schools up to which both ways of seeing the years are fitted and compared unasked."""


def from_pupils(
    subject: str,
    inputs: Inputs,
    settings: Settings,
    folder: Path,
    tell: Callable[[float, str], None],
) -> Outcome:
    """Estimate effects of one subject; `folder` holds its pupils for as long as it takes."""
    pupils, cp = _scanned(subject, inputs, settings, folder, tell)
    several = len(pupils.years) > 1
    tell(0.6, "fitting")
    notes: list[str] = []
    fitted, drift = _fit(cp, pupils, settings, notes)
    tell(0.75, "other ways of reckoning")
    if isinstance(fitted, SchoolYearValueAdded):
        persistent, yearly, sd = _of_years(fitted)
    else:
        persistent, yearly, sd = _of_one(cp, fitted, pupils)
    whole = cp.total()
    noise = [pl.col("residual") / sd, pl.col("sampling_variance") / sd**2]
    outcome = Outcome(
        subject=subject,
        way="pupil",
        persistent=in_pupil_sd(with_latest(persistent, yearly).select(EFFECTS), sd),
        yearly=in_pupil_sd(
            yearly.select([*EFFECTS, "residual", "sampling_variance"]), sd
        ).with_columns(noise),
        pupil_sd=sd,
        mean=float(whole[0, -1] / whole[0, 0] * cp.scale[-1] + cp.shift[-1]),
        context={
            "columns": list(dict.fromkeys(pupils.names.values())),
            "how": pupils.how,
            "left_out": pupils.left_out,
        },
        because=_because(cp, fitted, pupils, several),
        about=_about(cp, fitted, drift, pupils, notes),
        diagnostics=diagnostics.of_pupils(cp, fitted, persistent),
        ways=other_ways.of_pupils(cp, fitted, pupils, settings, sd),
        subgroups=other_ways.groups_of_pupils(cp, fitted, pupils, sd),
    )
    tell(1.0, "")
    return outcome


def _scanned(
    subject: str,
    inputs: Inputs,
    settings: Settings,
    folder: Path,
    tell: Callable[[float, str], None],
) -> tuple[Pupils, CrossProducts]:
    """One pass over the pupils; by default without circumstances that others say already.

    What was asked for by name stays, and is refused by the model with its reason.
    """
    said: dict[str, str] = {}
    while True:
        tell(0.05, "reading pupils")
        pupils = prepare(subject, inputs, settings, folder, said)
        tell(0.3, "adding up")
        cp = cross_products(
            pupils.path,
            f"score ~ {pupils.fixed}{_years(pupils)} + (1 | school)",
            by=(YEAR,) if len(pupils.years) > 1 else (),
        )
        if settings.formula or settings.context is not None:
            return pupils, cp
        found = _said_already(cp, pupils)
        if not found:
            return pupils, cp
        said |= found


def _said_already(cp: CrossProducts, pupils: Pupils) -> dict[str, str]:
    """Circumstance -> why it can be left out: others say the same of every pupil."""
    found: dict[str, str] = {}
    kept = len(cp.terms)
    for term, causes in unidentified(cp.total()[:kept, :kept], cp.terms):
        mine = [name for each in (term, *causes) if (name := _circumstance(each, pupils))]
        if not mine or mine[0] in found:
            continue
        others = dict.fromkeys(name for name in mine[1:] if name != mine[0])
        plain = ", ".join(name.removeprefix(PREFIX) for name in others)
        found[mine[0]] = f"{plain or 'the years'} say the same"
    return found


def _circumstance(term: str, pupils: Pupils) -> str | None:
    """What a term of the design is of: the longest variable it begins with."""
    fitting = [v for v in pupils.names if term == v or term.startswith(v)]
    return pupils.names[max(fitting, key=len)] if fitting else None


def _years(pupils: Pupils) -> str:
    """Every year its own average, unless the formula sees to it."""
    reads = pupils.formula is not None and any(
        YEAR in variable.columns and len(term) == 1
        for term in pupils.formula.terms
        for variable in term
    )
    return "" if reads or len(pupils.years) < 2 else f" + factor({YEAR})"


def _fit(
    cp: CrossProducts, pupils: Pupils, settings: Settings, notes: list[str]
) -> tuple[SchoolYearValueAdded | ValueAdded, DriftComparison | None]:
    if len(pupils.years) < 2:
        return value_added(cp), None
    try:
        if settings.drift == "ar1" or cp.cells["school"].n_unique() <= MOST_FOR_DRIFT:
            both = _compared(cp)
            if both is not None:
                return (both.ar1 if settings.drift == "ar1" else both.none), both
        found = school_year_value_added(cp, year=YEAR)
    except InputError as error:
        if "No school has pupils in two years" not in error.what:
            raise
        notes.append("No school is seen in two years: nothing can be said to last.")
        return value_added(cp), None
    if settings.drift == "ar1":
        notes.append("Neighbouring years were asked to be more alike; that needs three years.")
    return found, None


def _compared(cp: CrossProducts) -> DriftComparison | None:
    """Both ways of seeing the years; None where they cannot be told apart."""
    if cp.cells[YEAR].n_unique() < 3:
        return None
    try:
        return compare_drift(cp, year=YEAR)
    except InputError as error:
        if "Drift cannot be told" in error.what:
            return None
        raise


def _of_years(fitted: SchoolYearValueAdded) -> tuple[pl.DataFrame, pl.DataFrame, float]:
    whole = pl.col(YEAR).cast(pl.Int64)
    means = fitted.residuals.with_columns(whole)
    yearly = (
        fitted.yearly.with_columns(whole)
        .join(means.drop("n"), on=["school", YEAR], how="left", maintain_order="left")
        .with_columns(pl.col("n").cast(pl.Float64), n_latest=None, years=1)
    )
    persistent = _with_levels(fitted.persistent, means)
    return persistent, yearly, fitted.pupil_sd


def _with_levels(persistent: pl.DataFrame, means: pl.DataFrame) -> pl.DataFrame:
    """Add what was observed and expected over a school's years, weighted by pupils."""
    weight = pl.col("n") / pl.col("n").sum()
    levels = means.group_by("school").agg(
        (pl.col("observed") * weight).sum(), (pl.col("expected") * weight).sum()
    )
    return persistent.join(levels, on="school", how="left", maintain_order="left").with_columns(
        pl.col("n").cast(pl.Float64), pl.lit(None, dtype=pl.Int64).alias(YEAR)
    )


def _of_one(
    cp: CrossProducts, fitted: ValueAdded, pupils: Pupils
) -> tuple[pl.DataFrame, pl.DataFrame, float]:
    """One year, or years that no school shares: a school's effect is that of its one year."""
    cells = _cell_means(cp, fitted.fixed_effects["estimate"].to_numpy())
    if YEAR not in cells.columns:
        cells = cells.with_columns(pl.lit(pupils.years[0], dtype=pl.Int64).alias(YEAR))
    cells = cells.with_columns(pl.col(YEAR).cast(pl.Int64))
    sigma2 = float(fitted.variance_components["variance"][-1])
    effects = fitted.school_effects
    yearly = effects.drop("n").join(cells, on="school", how="inner", maintain_order="left")
    yearly = yearly.with_columns(
        residual=pl.col("observed") - pl.col("expected"),
        sampling_variance=sigma2 / pl.col("n"),
        n_latest=None,
        years=1,
    )
    persistent = yearly.drop("residual", "sampling_variance", "n_latest")
    total = cp.total()
    scatter = (total[-1, -1] - total[0, -1] ** 2 / total[0, 0]) / (total[0, 0] - 1)
    return persistent, yearly, float(np.sqrt(scatter) * cp.scale[-1])


def _cell_means(cp: CrossProducts, beta: np.ndarray[Any, np.dtype[np.float64]]) -> pl.DataFrame:
    """school (and year), n, observed, expected."""
    sums = cp.rows((0,))[:, 0, :]
    raw = sums / sums[:, :1] * cp.scale + cp.shift
    raw[:, 0] = 1.0
    return cp.cells.with_columns(
        pl.Series("n", cp.counts.astype(np.float64)),
        pl.Series("observed", raw[:, -1]),
        pl.Series("expected", raw[:, :-1] @ beta),
    )


def _because(
    cp: CrossProducts, fitted: SchoolYearValueAdded | ValueAdded, pupils: Pupils, several: bool
) -> expectation.Parts:
    """What moves a school's expectation, in its newest year."""
    cells = cp.cells.with_row_index("_place")
    if several:
        newest = cells.sort(pl.col(YEAR).cast(pl.Int64)).group_by("school").last()
        cells = newest.sort("school")
    at = cells["_place"].to_numpy()
    rows = cp.rows((0,))[at, 0, :]
    n = rows[:, 0]
    means = rows[:, 1:-1] / n[:, None] * cp.scale[1:-1] + cp.shift[1:-1]
    fixed = fitted.fixed_effects
    return expectation.parts_of_pupils(
        cells["school"].to_list(),
        means,
        n,
        fixed["estimate"].to_numpy()[1:],
        fixed["term"].to_list()[1:],
        pupils.names,
    )


def _about(
    cp: CrossProducts,
    fitted: SchoolYearValueAdded | ValueAdded,
    drift: DriftComparison | None,
    pupils: Pupils,
    notes: list[str],
) -> dict[str, Any]:
    about: dict[str, Any] = {
        "formula": cp.formula,
        "pupils": pupils.rows,
        "dropped": {str(year): n for year, n in sorted(pupils.dropped.items())},
        "coefficients": fitted.fixed_effects.to_dicts(),
        "variances": fitted.variance_components.to_dicts(),
        "criterion": fitted.reml_criterion,
        "singular": bool(fitted.singular),
        "notes": notes,
    }
    if isinstance(fitted, SchoolYearValueAdded):
        about |= {
            "autocorrelation": fitted.autocorrelation,
            "boundary": list(fitted.boundary),
            "one_year_schools": fitted.summary["n_one_year"],
        }
    if drift is not None:
        about["drift"] = {
            "likelihood_ratio": drift.likelihood_ratio,
            "p_value": drift.p_value,
            "boundary": drift.boundary,
            "autocorrelation": drift.autocorrelation,
        }
    return about
