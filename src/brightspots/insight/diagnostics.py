"""Does the model hold? Influence of single schools, shape of effects, robust errors, odd spreads.

All from one set of cross products; what needs single pupils is in :mod:`pupil_diagnostics`. See
docs/methods/diagnostics.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import chi2, norm

from brightspots.core.errors import InputError
from brightspots.core.provenance import Provenance
from brightspots.insight.cross_products import CrossProducts, RandomEffects
from brightspots.insight.design import INTERCEPT
from brightspots.insight.influence import Deletion, Share, delete_each, shares
from brightspots.insight.residuals import school_column
from brightspots.insight.submodels import identified, only_cells
from brightspots.insight.value_added import ValueAdded, value_added

METHOD = "diagnostics"
METHOD_VERSION = "1"
FEWEST_FOR_SHAPE = 8
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Diagnostics:
    """Result of :func:`diagnostics`.

    Attributes
    ----------
    influence : polars.DataFrame
        One row a unit of the coarsest grouping (school, or district where schools lie in
        districts): school, n, cook, covratio, leverage, dfbetas (the largest in size), term (to
        which it belongs), residual_sd_without, sole (some term cannot be identified without it;
        its other figures are null). Sorted by school.
    fixed_effects : polars.DataFrame
        term, estimate, se, se_robust (sandwich), se_jackknife, ratio (se_robust / se).
    normal : polars.DataFrame
        group, term, level, z (estimate over its diagnostic error), expected (normal quantile);
        sorted by group, term, z: a straight line through 0 with slope 1 is what the model says.
    shape : polars.DataFrame
        group, term, n, sd, skewness, excess_kurtosis, p_normal (Jarque and Bera), beyond_3 (share
        beyond 3 SD; .0027 under the model).
    spread : polars.DataFrame
        One row a unit of the finest grouping with 2 pupils or more: school, n, ratio (its residual
        variance over the pooled one), p (two-sided chi-square), q (false discovery rate at which it
        would stand out; Benjamini and Hochberg). Sorted by school.
    spread_test : mapping
        Bartlett's statistic, its df and p.
    residual_sd : float
    """

    influence: pl.DataFrame
    fixed_effects: pl.DataFrame
    normal: pl.DataFrame
    shape: pl.DataFrame
    spread: pl.DataFrame
    spread_test: dict[str, float]
    residual_sd: float
    provenance: Provenance = field(repr=False)
    _deletion: Deletion = field(repr=False, compare=False)
    _share: Share = field(repr=False, compare=False)
    _terms: tuple[str, ...] = field(repr=False, compare=False)

    def without(self, school: str) -> pl.DataFrame:
        """Give the coefficients without one school: term, estimate, without, change, dfbetas.

        Raises
        ------
        InputError
            There is no such school.
        """
        names = self._share.units.plain
        if school not in names:
            raise InputError(f'There is no school "{school}" in this fit.')
        at = names.index(school)
        change = self._deletion.change[at]
        return pl.DataFrame(
            {
                "term": list(self._terms),
                "estimate": self.fixed_effects["estimate"],
                "without": self.fixed_effects["estimate"].to_numpy() + change,
                "change": change,
                "dfbetas": self._deletion.dfbetas[at],
            }
        ).with_columns(pl.col("without", "change", "dfbetas").fill_nan(None))


def with_school_years(cp: CrossProducts, year: str, school: str | None = None) -> CrossProducts:
    """Add a school-year effect to a model scanned by year, as ``school_year_value_added`` has it.

    Parameters
    ----------
    cp : CrossProducts
        With one grouping, and ``by=(year,)``.
    year, school : str
    """
    column = school_column(cp, school)
    school_column(cp, year)
    if len(cp.random) != 1 or cp.random[0].group != (column,):
        raise InputError("School-year effects go with one grouping, the schools.", column=year)
    added = RandomEffects((year, column), (0,), (INTERCEPT,), True)
    return replace(cp, random=(*cp.random, added))


def diagnostics(
    cp: CrossProducts, *, fitted: ValueAdded | None = None, reml: bool = True
) -> Diagnostics:
    """Look at a fit from its cross products.

    Parameters
    ----------
    cp : CrossProducts
        Of a model with one grouping or nested ones, with random slopes or without; for several
        years see :func:`with_school_years`.
    fitted : ValueAdded, optional
        The fit of `cp`, where it is there already.
    reml : bool

    Raises
    ------
    InputError
        The model cannot be fitted, or its groupings cross.

    Notes
    -----
    Units are left out at the variances of the whole fit; :func:`refit_without` finds them anew.
    """
    fit = fitted if fitted is not None else value_added(cp, reml=reml)
    share = shares(cp, fit.fixed_effects, fit.variance_components)
    if len(share.units.labels) < 3:
        raise InputError("Two schools cannot be compared with what is left without one of them.")
    deletion = delete_each(share, reml=reml)
    normal = _normal(fit.effects)
    spread, test = _spread(share)
    return Diagnostics(
        influence=_influence(share, deletion, cp.terms),
        fixed_effects=_errors(cp, fit, deletion),
        normal=normal,
        shape=_shape(normal),
        spread=spread,
        spread_test=test,
        residual_sd=float(np.sqrt(fit.variance_components["variance"][-1])),
        provenance=Provenance(
            METHOD,
            METHOD_VERSION,
            cp.provenance.input_hash,
            None,
            {**cp.provenance.settings, "criterion": "REML" if reml else "ML"},
        ),
        _deletion=deletion,
        _share=share,
        _terms=cp.terms,
    )


def refit_without(
    cp: CrossProducts, schools: Sequence[str], *, school: str | None = None, reml: bool = True
) -> ValueAdded:
    """Fit anew without some schools, variances included; no pupil is read again.

    Terms that the remaining schools cannot identify leave.

    Raises
    ------
    InputError
        A school is not there, or the rest cannot be fitted.
    """
    column = school_column(cp, school)
    known = set(cp.cells[column].to_list())
    for name in schools:
        if name not in known:
            raise InputError(f'There is no school "{name}" in these cross products.', column=column)
    keep = ~cp.cells[column].is_in(list(schools)).to_numpy()
    if not keep.any():
        raise InputError("No school is left.", column=column)
    rest = only_cells(cp, keep, f"without {', '.join(sorted(schools))}")
    return value_added(identified(rest), reml=reml)


def _influence(share: Share, deletion: Deletion, terms: tuple[str, ...]) -> pl.DataFrame:
    size = np.abs(np.nan_to_num(deletion.dfbetas, nan=-1.0))
    most = size.argmax(axis=1)
    rows = np.arange(len(most))
    frame = pl.DataFrame(
        {
            "school": list(share.units.plain),
            "n": np.rint(share.units.n).astype(np.int64),
            "cook": deletion.cook,
            "covratio": deletion.covratio,
            "leverage": deletion.leverage,
            "dfbetas": deletion.dfbetas[rows, most],
            "term": [terms[i] for i in most],
            "residual_sd_without": np.sqrt(deletion.sigma2_without),
            "sole": deletion.singular,
        }
    )
    figures = ("cook", "covratio", "dfbetas", "residual_sd_without")
    return (
        frame.with_columns(pl.col(figures).fill_nan(None))
        .with_columns(pl.when(~pl.col("sole")).then("term").alias("term"))
        .sort("school")
    )


def _errors(cp: CrossProducts, fit: ValueAdded, deletion: Deletion) -> pl.DataFrame:
    robust = np.sqrt(np.diagonal(deletion.robust))
    return fit.fixed_effects.select("term", "estimate", "se").with_columns(
        pl.Series("se_robust", robust),
        pl.Series("se_jackknife", np.sqrt(np.diagonal(deletion.jackknife))),
        (pl.Series("r", robust) / pl.col("se")).alias("ratio"),
    )


def _normal(effects: pl.DataFrame) -> pl.DataFrame:
    """Standardised effects with their normal quantiles (Blom 1958)."""
    usable = effects.filter(pl.col("se_diagnostic") > 0).with_columns(
        (pl.col("estimate") / pl.col("se_diagnostic")).alias("z")
    )
    parts = []
    for _, rows in usable.group_by("group", "term", maintain_order=True):
        ordered = rows.sort("z", "level")
        n = ordered.height
        expected = norm.ppf((np.arange(1, n + 1) - 0.375) / (n + 0.25))
        parts.append(ordered.with_columns(pl.Series("expected", expected)))
    columns = ("group", "term", "level", "z", "expected")
    return (
        pl.concat(parts).select(columns)
        if parts
        else usable.select(columns[:4]).with_columns(
            pl.lit(None, dtype=pl.Float64).alias("expected")
        )
    )


def _shape(normal: pl.DataFrame) -> pl.DataFrame:
    rows = []
    for (group, term), part in normal.group_by("group", "term", maintain_order=True):
        z = part["z"].to_numpy()
        if len(z) < FEWEST_FOR_SHAPE:
            continue
        away = z - z.mean()
        sd = float(away.std())
        skew, kurtosis = float((away**3).mean() / sd**3), float((away**4).mean() / sd**4 - 3)
        p_normal = float(chi2.sf(len(z) / 6 * (skew**2 + kurtosis**2 / 4), 2))
        beyond = float((np.abs(z) > 3).mean())
        rows.append((group, term, len(z), float(z.std(ddof=1)), skew, kurtosis, p_normal, beyond))
    return pl.DataFrame(
        rows,
        schema={
            "group": pl.String, "term": pl.String, "n": pl.Int64, "sd": pl.Float64,
            "skewness": pl.Float64, "excess_kurtosis": pl.Float64, "p_normal": pl.Float64,
            "beyond_3": pl.Float64,
        },
        orient="row",
    )  # fmt: skip


def _spread(share: Share) -> tuple[pl.DataFrame, dict[str, float]]:
    """Residual variance of each finest unit against the pooled one."""
    n = np.rint(share.finest.n)
    usable = n >= 2
    df = n[usable] - 1
    within = share.within[usable]
    pooled = float(within.sum() / df.sum()) if df.size else float("nan")
    statistic = within / pooled
    tail = np.minimum(chi2.cdf(statistic, df), chi2.sf(statistic, df))
    p = np.minimum(2 * tail, 1.0)
    frame = pl.DataFrame(
        {
            "school": [name for name, ok in zip(share.finest.plain, usable, strict=True) if ok],
            "n": n[usable].astype(np.int64),
            "ratio": statistic / df,
            "p": p,
            "q": _discovery_rates(p),
        }
    ).sort("school")
    return frame, _bartlett(within / df, df, pooled)


def _discovery_rates(p: Array) -> Array:
    order = np.argsort(p, kind="stable")
    scaled = p[order] * len(p) / np.arange(1, len(p) + 1)
    q = np.empty(len(p))
    q[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return q


def _bartlett(variance: Array, df: Array, pooled: float) -> dict[str, float]:
    """Bartlett's test over units whose variance is above 0."""
    known = variance > 0
    units = int(known.sum())
    if units < 2:
        return {"statistic": 0.0, "df": 0.0, "p": 1.0}
    v, d = variance[known], df[known]
    raw = d.sum() * np.log((v * d).sum() / d.sum()) - (d * np.log(v)).sum()
    correction = 1 + ((1 / d).sum() - 1 / d.sum()) / (3 * (units - 1))
    statistic = float(max(raw, 0.0) / correction)
    return {
        "statistic": statistic,
        "df": float(units - 1),
        "p": float(chi2.sf(statistic, units - 1)),
    }
