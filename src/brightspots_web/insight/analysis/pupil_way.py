"""Value added from pupils: one model a year, then what lasts from year to year.

Each year: score ~ circumstances + (1 | school), exact, from one pass over the pupils. The years are
put together in a second step: a school-year's mean residual with its known sampling variance
(sigma^2 / n) goes into the school-level model with school and school-year effects and no further
circumstances. That is an approximation: the coefficients' uncertainty is not carried from the first
step to the second, and each year's coefficients are estimated apart. With thousands of pupils a
year both matter little; a model of all years in one pass will take its place.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from brightspots.core.errors import InputError
from brightspots.insight.cross_products import CrossProducts, cross_products
from brightspots.insight.school_level import SchoolLevelParameters, school_level_value_added
from brightspots.insight.value_added import ValueAdded, value_added
from brightspots_web.insight import circumstances
from brightspots_web.insight.analysis import expectation
from brightspots_web.insight.analysis.outcome import EFFECTS, Outcome, in_pupil_sd, with_latest

KNOWN_FOR = 0.8
"""Share of pupils for whom a circumstance must be known: pupils without it are left out."""


@dataclass(frozen=True)
class _Year:
    year: int
    model: ValueAdded
    effects: pl.DataFrame
    """school, year, n, observed, expected, residual, sampling_variance and the year's effect."""
    total_sd: float
    mean: float
    columns: dict[str, str]
    left_out: dict[str, str]
    because: expectation.Parts


def from_pupils(
    subject: str,
    years: Sequence[int],
    rows_of: Callable[[int], pl.LazyFrame],
    schools: pl.DataFrame,
    wanted: Sequence[str] | None,
    progress: Callable[[float, str], None],
) -> Outcome:
    """Estimate effects of one subject; `rows_of(year)` gives its pupils: school, score, context."""
    fitted: list[_Year] = []
    skipped: dict[str, str] = {}
    for place, year in enumerate(years):
        progress(place / len(years), str(year))
        try:
            fitted.append(_fit_year(year, rows_of(year), schools, wanted))
        except InputError as error:
            # One year that cannot be fitted must not lose the others; the page says so.
            skipped[str(year)] = str(error)
    if not fitted:
        reason = next(iter(skipped.values()), "there are no pupils")
        raise InputError(f"{subject} cannot be analysed: {reason}")
    pupils = np.array([one.model.n_pupils for one in fitted], dtype=np.float64)
    sd = float(np.sqrt(np.average([one.total_sd**2 for one in fitted], weights=pupils)))
    yearly = pl.concat([one.effects for one in fitted]).sort("school", "year")
    persistent, combined = _persistent(yearly) if len(fitted) > 1 else (_only(yearly), {})
    noise = [pl.col("residual") / sd, pl.col("sampling_variance") / sd**2]
    newest = fitted[-1]
    because = {school: parts for one in fitted for school, parts in one.because.items()}
    return Outcome(
        subject=subject,
        way="pupil",
        persistent=in_pupil_sd(with_latest(persistent, yearly).select(EFFECTS), sd),
        yearly=in_pupil_sd(yearly, sd).with_columns(noise),
        pupil_sd=sd,
        mean=float(np.average([one.mean for one in fitted], weights=pupils)),
        context={
            "columns": list(newest.columns),
            "how": newest.columns,
            "left_out": newest.left_out,
        },
        because=because,
        about={
            "years": [_about(one) for one in fitted],
            "skipped": skipped,
            "combined": combined,
        },
    )


def _fit_year(
    year: int, rows: pl.LazyFrame, schools: pl.DataFrame, wanted: Sequence[str] | None
) -> _Year:
    with tempfile.TemporaryDirectory(prefix="brightspots-") as scratch:
        path = Path(scratch) / "pupils.parquet"
        columns, how, left_out = _prepare(rows, schools, wanted, path)
        terms = " + ".join(["1", *columns.values()])
        cp = cross_products(path, f"score ~ {terms} + (1 | school)", threads=1)
    model = value_added(cp)
    named = {safe: name for name, safe in columns.items()}
    effects, total_sd, mean = _school_years(cp, model, year)
    used = {named[s]: how[named[s]] for s in named}
    because = _because(cp, model, named)
    return _Year(year, model, effects, total_sd, mean, used, left_out, because)


def _because(cp: CrossProducts, model: ValueAdded, named: dict[str, str]) -> expectation.Parts:
    sums = cp.rows((0,))[:, 0, 1:-1]  # of every school: sums of X without intercept and score
    means = sums / cp.n[:, None] * cp.scale[1:-1] + cp.shift[1:-1]
    fixed = model.fixed_effects
    return expectation.parts_of_pupils(
        model.school_effects["school"].to_list(),
        means,
        cp.n.astype(np.float64),
        fixed["estimate"].to_numpy()[1:],
        fixed["term"].to_list()[1:],
        named,
    )


def _prepare(
    rows: pl.LazyFrame, schools: pl.DataFrame, wanted: Sequence[str] | None, path: Path
) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """Write the year's pupils with their circumstances; gives column -> name in the file."""
    register = circumstances.candidates(schools)
    own = [n for n in rows.collect_schema().names() if n.startswith(circumstances.PREFIX)]
    of_schools = [name for name in register if name not in own]
    # What a circumstance is worth is looked at on schools for the register's, on pupils for others.
    made_schools = circumstances.choose(schools.select("school", *of_schools), wanted)
    looked_at = rows.select(own).head(200_000).collect() if own else pl.DataFrame()
    made_pupils = circumstances.choose(looked_at, wanted, coverage=KNOWN_FOR)
    ready = [_as_used(name, way) for name, way in made_pupils.how.items()]
    joined = rows.select("school", "score", *ready).join(
        made_schools.frame.select("school", *made_schools.columns).lazy(), on="school", how="left"
    )
    names = [*made_pupils.columns, *made_schools.columns]
    # The mark at the end tells the column from the kind that a term's name adds: x1_girl.
    safe = {name: f"x{place}_" for place, name in enumerate(names)}
    joined.select(
        "school", pl.col("score").cast(pl.Float64), *[pl.col(n).alias(s) for n, s in safe.items()]
    ).sink_parquet(path)
    return (
        safe,
        {**made_pupils.how, **made_schools.how},
        {
            **made_pupils.left_out,
            **made_schools.left_out,
        },
    )


def _as_used(name: str, way: str) -> pl.Expr:
    column = pl.col(name)
    if way == "kinds":
        return column.cast(pl.String)
    number = column.cast(pl.Float64)
    return ((number + 1).log() if way == "logarithm" else number).alias(name)


def _school_years(
    cp: CrossProducts, model: ValueAdded, year: int
) -> tuple[pl.DataFrame, float, float]:
    """Mean residuals with their sampling variances, beside the year's own effects."""
    n = cp.n
    sums = cp.rows((0,))[:, 0, :]  # 1'[1 | X | y] of every school, shifted and scaled
    raw = sums / n[:, None] * cp.scale + cp.shift
    raw[:, 0] = 1.0
    observed = raw[:, -1]
    expected = raw[:, :-1] @ model.fixed_effects["estimate"].to_numpy()
    sigma2 = float(model.variance_components["variance"][-1])
    total = cp.total()
    scatter = total[-1, -1] / total[0, 0] - (total[0, -1] / total[0, 0]) ** 2
    frame = model.school_effects.with_columns(
        pl.lit(year, dtype=pl.Int64).alias("year"),
        pl.lit(None, dtype=pl.Float64).alias("n_latest"),
        pl.lit(1, dtype=pl.Int64).alias("years"),
        pl.col("n").cast(pl.Float64),
        pl.Series("observed", observed),
        pl.Series("expected", expected),
        pl.Series("residual", observed - expected),
        pl.Series("sampling_variance", sigma2 / n),
    )
    mean = float(total[0, -1] / total[0, 0] * cp.scale[-1] + cp.shift[-1])
    sd = float(np.sqrt(scatter) * cp.scale[-1])
    return frame.select([*EFFECTS, "residual", "sampling_variance"]), sd, mean


def _persistent(yearly: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, Any]]:
    """What lasts: school and school-year effects over the yearly mean residuals."""
    result = school_level_value_added(
        yearly.select(
            "school", "year", "sampling_variance", mean="residual", candidates=pl.col("n")
        ),
        SchoolLevelParameters(coefficients_by_year=True),
    )
    weight = pl.col("n") / pl.col("n").sum()
    levels = yearly.group_by("school").agg(
        (pl.col("observed") * weight).sum().alias("observed"),
        (pl.col("expected") * weight).sum().alias("expected"),
    )
    frame = result.school_effects.drop("observed", "expected").join(
        levels, on="school", how="left", maintain_order="left"
    )
    return frame.with_columns(pl.lit(None, dtype=pl.Int64).alias("year")), {
        "variances": result.variance_components.to_dicts(),
        "singular": bool(result.summary["singular"]),
    }


def _only(yearly: pl.DataFrame) -> pl.DataFrame:
    return yearly.drop("residual", "sampling_variance", "n_latest")


def _about(one: _Year) -> dict[str, Any]:
    return {
        "year": one.year,
        "pupils": one.model.n_pupils,
        "schools": one.model.n_schools,
        "dropped": one.model.n_dropped,
        "icc": one.model.icc,
        "singular": one.model.singular,
        "criterion": one.model.reml_criterion,
        "coefficients": one.model.fixed_effects.to_dicts(),
    }
