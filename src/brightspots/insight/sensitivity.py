"""Does the answer change if ...? The same schools under other reasonable ways of reckoning.

Each way is a model of its own, fitted by the same solvers. All of them come from one set of cross
products: a model without some terms is a sub-block of each S_j, the mean intake of a school follows
from its sums, and a year is some of the cells. See docs/methods/sensitivity.md.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import norm

from brightspots.core.errors import InputError
from brightspots.core.provenance import Provenance, hash_frame
from brightspots.insight.cross_products import CrossProducts
from brightspots.insight.design import INTERCEPT
from brightspots.insight.heavy_tails import HeavyTails, heavy_tailed_effects, unshrunken
from brightspots.insight.residuals import school_column
from brightspots.insight.school_level import SchoolLevelParameters, SchoolLevelValueAdded
from brightspots.insight.school_years import Drift, SchoolYearValueAdded
from brightspots.insight.sensitivity_ways import FiguresWay, PupilWay, SameModelError, Way
from brightspots.insight.submodels import term_columns
from brightspots.insight.value_added import ValueAdded

METHOD = "sensitivity"
METHOD_VERSION = "1"

NO_BACKGROUND = "no_background"
PRIOR_ONLY = "prior_only"
SCHOOL_MEAN = "school_mean"
HEAVY_TAILS = "heavy_tails"
LATEST_YEAR = "latest_year"
WITHOUT_LATEST = "without_latest"
VARIANTS = (NO_BACKGROUND, PRIOR_ONLY, SCHOOL_MEAN, HEAVY_TAILS, LATEST_YEAR, WITHOUT_LATEST)
"""In the order in which they are worked out and shown."""
BASE = "base"
_SCHEMA: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "school": pl.String, "variant": pl.String, "n": pl.Float64, "estimate": pl.Float64,
    "se_comparative": pl.Float64, "lower": pl.Float64, "upper": pl.Float64,
}  # fmt: skip


@dataclass(frozen=True)
class Sensitivity:
    """Result of :func:`sensitivity_table` and :func:`sensitivity_of_school_figures`.

    Attributes
    ----------
    table : polars.DataFrame
        school, variant, n, estimate, se_comparative, lower, upper in pupil SD; sorted by
        variant (in the order of ``VARIANTS``, "base" first) and school.
    summary : polars.DataFrame
        variant, terms (what the model holds), schools (compared with the base), sd_change (SD of
        the change of estimates, pupil SD), correlation with the base's, changed (schools whose
        interval left 0 or came to hold it), reversed (schools clearly above that are now clearly
        below, or the other way round).
    left_out : mapping
        Variant -> why there is none.
    heavy_tails : HeavyTails or None
        In the units of the outcome.
    pupil_sd : float
        By which everything was divided, the base's in every variant.
    """

    table: pl.DataFrame
    summary: pl.DataFrame
    left_out: Mapping[str, str]
    heavy_tails: HeavyTails | None
    pupil_sd: float
    provenance: Provenance = field(repr=False)

    def variants(self) -> pl.DataFrame:
        """Give the table without the base, as the pages take it."""
        return self.table.filter(pl.col("variant") != BASE)


def sensitivity_table(
    cp: CrossProducts,
    *,
    prior: Collection[str] = (),
    background: Collection[str] | None = None,
    year: str | None = None,
    drift: Drift = "none",
    school: str | None = None,
    variants: Sequence[str] = VARIANTS,
    fitted: ValueAdded | SchoolYearValueAdded | None = None,
    pupil_sd: float | None = None,
    confidence: float = 0.95,
) -> Sensitivity:
    """Fit the same schools in other ways, from the cross products alone.

    Parameters
    ----------
    cp : CrossProducts
        With ``by=(year,)`` where years are to be told apart.
    prior : collection of str
        Columns of earlier results.
    background : collection of str, optional
        Columns of pupils' background; every column that is neither prior nor year where not given.
    year : str, optional
        Column of the year; then figures are what lasts (:func:`school_year_value_added`), otherwise
        those of :func:`value_added`.
    drift : "none" or "ar1"
    school : str, optional
        Grouping column of the schools.
    variants : sequence of str
        Those wanted, of ``VARIANTS``.
    fitted : ValueAdded or SchoolYearValueAdded, optional
        The base, where it is there already.
    pupil_sd : float, optional
        SD among pupils; the fitted result's own, or that of all pupils, where not given.
    confidence : float

    Raises
    ------
    InputError
        The base cannot be fitted, or a variant is not known. A variant that cannot be fitted is
        named in `left_out` with the reason.
    """
    _check(variants, confidence)
    reads = term_columns(cp)
    _check_columns(reads, [*prior, *(background or [])])
    if year is not None:
        school_column(cp, year)
    way = PupilWay(cp, frozenset(prior), background, year, drift, school_column(cp, school))
    base = way.frame_of(fitted) if fitted is not None else way.fit(cp)
    unit = pupil_sd or getattr(fitted, "pupil_sd", None) or base.pupil_sd
    made = {
        NO_BACKGROUND: way.no_background,
        PRIOR_ONLY: way.prior_only,
        SCHOOL_MEAN: way.school_mean,
        LATEST_YEAR: way.latest_year,
        WITHOUT_LATEST: way.without_latest,
    }
    settings = {
        **cp.provenance.settings,
        "prior": sorted(prior),
        "background": None if background is None else sorted(background),
        "year": year,
        "drift": drift,
    }
    return _assemble(
        base, made, variants, float(unit), confidence, cp.provenance.input_hash, settings
    )


def sensitivity_of_school_figures(
    frame: pl.DataFrame,
    parameters: SchoolLevelParameters,
    *,
    prior: Collection[str] = (),
    background: Collection[str] | None = None,
    variants: Sequence[str] = VARIANTS,
    fitted: SchoolLevelValueAdded | None = None,
    pupil_sd: float | None = None,
) -> Sensitivity:
    """Do the same where there are no pupils, only schools' figures.

    Parameters
    ----------
    frame, parameters
        As for :func:`school_level_value_added`.
    prior, background : collections of str
        Context columns that are earlier results, and those that are background (all others where
        not given).
    variants, fitted, pupil_sd
        As for :func:`sensitivity_table`.
    """
    _check(variants, parameters.confidence)
    for name in (*prior, *(background or ())):
        if name not in parameters.context:
            raise InputError("This column is not among the context.", column=name)
    way = FiguresWay(frame, parameters, frozenset(prior), background)
    base = way.frame_of(fitted) if fitted is not None else way.fit(frame, parameters.context)
    unit = pupil_sd or base.pupil_sd
    if not unit > 0:
        raise InputError(
            "The spread among pupils is not known, so effects have no common unit.",
            mend="Give the spread among pupils, or pupil_sd.",
        )
    made = {
        NO_BACKGROUND: way.no_background,
        PRIOR_ONLY: way.prior_only,
        SCHOOL_MEAN: way.school_mean,
        LATEST_YEAR: way.latest_year,
        WITHOUT_LATEST: way.without_latest,
    }
    settings = {"context": list(parameters.context), "prior": sorted(prior)}
    return _assemble(base, made, variants, unit, parameters.confidence, hash_frame(frame), settings)


def _check(variants: Sequence[str], confidence: float) -> None:
    for name in variants:
        if name not in VARIANTS:
            raise InputError(
                f'There is no variant "{name}".', mend=f"Take of {', '.join(VARIANTS)}."
            )
    if not 0 < confidence < 1:
        raise InputError("confidence must lie between 0 and 1.")


def _check_columns(reads: Mapping[str, frozenset[str]], names: Sequence[str]) -> None:
    known = frozenset().union(*reads.values())
    for name in names:
        if name not in known:
            raise InputError(
                "No term of the formula reads this column.",
                column=name,
                mend=f"They read: {', '.join(sorted(known)) or 'none'}.",
            )


def _assemble(
    base: Way,
    made: Mapping[str, Callable[[], Way]],
    variants: Sequence[str],
    unit: float,
    confidence: float,
    input_hash: str,
    settings: Mapping[str, Any],
) -> Sensitivity:
    z = float(norm.ppf(0.5 + confidence / 2))
    reference = _table(base.effects, BASE, unit, z)
    tables, left_out, heavy = [reference], {}, None
    rows = [_summary(reference, reference, BASE, base.terms)]
    for name in [name for name in VARIANTS if name in variants]:
        try:
            if name == HEAVY_TAILS:
                if not (base.effects["se_diagnostic"] > 0).any():
                    raise SameModelError("Schools do not differ beyond chance; there are no tails.")
                heavy = heavy_tailed_effects(unshrunken(base.effects), confidence=confidence)
                way = Way(_with_n(heavy.effects, base.effects), base.terms, base.pupil_sd)
                table = _table(way.effects, name, unit, None)
            else:
                way = made[name]()
                table = _table(way.effects, name, unit, z)
        except (InputError, SameModelError) as reason:
            left_out[name] = str(reason)
            continue
        tables.append(table)
        rows.append(_summary(reference, table, name, way.terms))
    return Sensitivity(
        table=pl.concat(tables),
        summary=pl.DataFrame(rows, schema=_SUMMARY, orient="row"),
        left_out=left_out,
        heavy_tails=heavy,
        pupil_sd=unit,
        provenance=Provenance(
            METHOD,
            METHOD_VERSION,
            input_hash,
            None,
            {**settings, "variants": list(variants), "confidence": confidence},
        ),
    )


def _with_n(effects: pl.DataFrame, base: pl.DataFrame) -> pl.DataFrame:
    return effects.join(base.select("school", "n"), on="school", how="left", maintain_order="left")


def _table(effects: pl.DataFrame, name: str, unit: float, z: float | None) -> pl.DataFrame:
    """One variant in pupil SD; limits by the normal quantile `z` unless they are there already."""
    limits = (
        [pl.col("lower"), pl.col("upper")]
        if z is None
        else [
            (pl.col("estimate") - z * pl.col("se_comparative")).alias("lower"),
            (pl.col("estimate") + z * pl.col("se_comparative")).alias("upper"),
        ]
    )
    shown = effects.with_columns(pl.lit(name).alias("variant"), *limits)
    scaled = [pl.col(c) / unit for c in ("estimate", "se_comparative", "lower", "upper")]
    return (
        shown.select("school", "variant", "n", *scaled)
        .cast(dict(_SCHEMA))  # type: ignore[arg-type]  # polars knows names and types
        .sort("school")
    )


_SUMMARY: Mapping[str, pl.DataType | type[pl.DataType] | pl.List] = {
    "variant": pl.String, "terms": pl.List(pl.String), "schools": pl.Int64,
    "sd_change": pl.Float64, "correlation": pl.Float64, "changed": pl.Int64,
    "reversed": pl.Int64,
}  # fmt: skip


def _summary(
    reference: pl.DataFrame, table: pl.DataFrame, name: str, terms: tuple[str, ...]
) -> tuple[object, ...]:
    both = reference.join(table, on="school", suffix="_other")
    a, b = both["estimate"].to_numpy(), both["estimate_other"].to_numpy()
    side = [
        np.where(both[f"lower{end}"].to_numpy() > 0, 1, 0)
        - np.where(both[f"upper{end}"].to_numpy() < 0, 1, 0)
        for end in ("", "_other")
    ]
    varies = len(a) > 1 and a.std() > 0 and b.std() > 0
    return (
        name,
        [term for term in terms if term != INTERCEPT],
        both.height,
        float((b - a).std()) if len(a) else None,
        float(np.corrcoef(a, b)[0, 1]) if varies else None,
        int((side[0] != side[1]).sum()),
        int((side[0] * side[1] < 0).sum()),
    )
