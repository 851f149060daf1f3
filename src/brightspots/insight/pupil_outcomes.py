"""Effects of schools in one or several outcomes from a file of pupils, for bright spots and needs.

With several years there are effects of schools and of school-years, with one year effects of
schools alone. What is called an effect is the *persistent* one in the first case; in the second the
luck of the year is in it, and nobody can tell how much. Several outcomes have one joint model, in
which an outcome learns from the others, or on demand a model each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import polars as pl

from brightspots.core.engine import Source, Table, open_table
from brightspots.core.errors import InputError
from brightspots.core.provenance import Provenance
from brightspots.insight.cross_products import CrossProducts, cross_products_of
from brightspots.insight.formula import EXAMPLE, Formula, parse_formula
from brightspots.insight.multivariate import multivariate_value_added
from brightspots.insight.pupil_checks import PupilChecks, PupilFile, check_pupils
from brightspots.insight.school_years import Drift, school_year_value_added
from brightspots.insight.value_added import ValueAdded, value_added

METHOD = "effects of schools by outcome"
METHOD_VERSION = "1"
PERSISTENT: Final = "persistent"
ONE_YEAR: Final = "one year"

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class OutcomeModel:
    """The model of one outcome.

    Parameters
    ----------
    outcome, formula : str
        The formula as fitted.
    effect : str
        ``PERSISTENT`` or ``ONE_YEAR``: what the estimates are estimates of.
    years : tuple of str
    n_pupils, n_dropped, n_schools : int
    pupil_sd : float
        SD of the outcome among pupils of a year, in the units of the data.
    variance_components : mapping
        "school", "school_year" (several years) and "pupil", in squared pupil SD.
    year_added : bool
        True where the years' means were added to the formula.
    method, method_version : str
    """

    outcome: str
    formula: str
    effect: str
    years: tuple[str, ...]
    n_pupils: int
    n_dropped: int
    n_schools: int
    pupil_sd: float
    variance_components: Mapping[str, float]
    year_added: bool
    method: str
    method_version: str

    @property
    def singular(self) -> bool:
        """True where no difference between schools is found; then every effect is 0."""
        return self.variance_components["school"] == 0


@dataclass(frozen=True)
class SchoolOutcomes:
    """Result of :func:`school_outcomes`.

    Parameters
    ----------
    frame : polars.DataFrame
        One row a school x outcome, sorted: school, outcome, n, years, estimate, se_comparative,
        reliability; effects in pupil SD. What ``bright_spots`` and ``needs`` take.
    models : tuple of OutcomeModel
        In the order of the formula.
    covariances : polars.DataFrame or None
        Of the joint model: level, outcome1, outcome2, covariance, correlation (of true effects, not
        of estimates), lower, upper. None where every outcome has a model of its own.
    file : PupilFile
    provenance : Provenance
    """

    frame: pl.DataFrame
    models: tuple[OutcomeModel, ...]
    covariances: pl.DataFrame | None
    file: PupilFile
    provenance: Provenance = field(repr=False)


def formulas_of(text: str) -> tuple[str, ...]:
    """One formula an outcome: ``cbind(a, b) ~ x`` stands for ``a ~ x`` and ``b ~ x``.

    Raises
    ------
    InputError
        ``cbind()`` holds nothing, or an outcome twice.
    """
    left, tilde, right = text.partition("~")
    match = re.fullmatch(r"\s*cbind\s*\((.*)\)\s*", left, re.S)
    if match is None or not tilde:
        return (text,)
    outcomes = [part.strip() for part in _split_commas(match.group(1))]
    if not all(outcomes) or len(set(outcomes)) < len(outcomes):
        raise InputError(
            f"cbind({match.group(1)}) does not name outcomes, each once.",
            mend="Write for instance cbind(reading, mathematics) ~ prior + (1 | school).",
        )
    return tuple(f"{outcome} ~{right}" for outcome in outcomes)


def _split_commas(text: str) -> list[str]:
    """Split at commas that stand in no back-quotes and no parentheses."""
    parts, depth, quoted = [""], 0, False
    for sign in text:
        quoted ^= sign == "`"
        depth += 0 if quoted else (sign == "(") - (sign == ")")
        if sign == "," and depth == 0 and not quoted:
            parts.append("")
        else:
            parts[-1] += sign
    return parts


def school_outcomes(
    source: Source,
    formula: str,
    *,
    checks: PupilChecks | None = None,
    drift: Drift = "none",
    joint: bool = True,
    threads: int | None = None,
    progress: Progress | None = None,
) -> SchoolOutcomes:
    """Check a file of pupils and estimate the effects of its schools in every outcome.

    Parameters
    ----------
    source : path, glob, list of Parquet paths, or polars frame
    formula : str
        ``score ~ prior + sex + (1 | school)``; several outcomes as ``cbind(a, b) ~ ...``.
    checks : PupilChecks, optional
        Also names the column of the year. Where the formula has no term of the year, its means
        enter as ``factor(year)``: a hard test is no effect of schools.
    drift : {"none", "ar1"}
        Whether what one year brought carries on in part, see :mod:`.school_years`; for several
        years only, three at the least, and not in a joint model.
    joint : bool
        Several outcomes in one model (:func:`multivariate_value_added`): a pupil counts with the
        outcomes that are there. False fits each by itself, on the pupils who have it.
    threads : int, optional
        See :func:`cross_products`.
    progress : callable, optional
        Called with the share done and the stage in words.

    Returns
    -------
    SchoolOutcomes

    Raises
    ------
    InputError
        Whatever is wrong with the file or keeps a model from being fitted, with its place.
    """
    checks = checks or PupilChecks()
    texts = formulas_of(formula)
    parsed = [parse_formula(text) for text in texts]
    for each in parsed:
        _check_random_part(each, checks.year)
    with open_table(source) as table:
        seen = check_pupils(table, parsed, checks)
        digest = table.input_hash(_columns(parsed, checks))
        together = joint and len(parsed) > 1
        if not together:
            fitted = _fit_each(table, parsed, checks.year, seen, digest, drift, threads, progress)
    if together:
        fitted = _fit_together(source, parsed, checks.year, seen, digest, drift, threads)
    models, frame, covariances = fitted
    provenance = Provenance(
        METHOD,
        METHOD_VERSION,
        digest,
        None,
        {"formula": formula, "year": checks.year, "drift": drift, "joint": together}
        | {"pupil": seen.pupil}
        | {"scale": {name: list(ends) for name, ends in checks.scale.items()}},
    )
    return SchoolOutcomes(frame, tuple(models), covariances, seen, provenance)


def _columns(formulas: list[Formula], checks: PupilChecks) -> list[str]:
    names = [name for each in formulas for name in each.columns]
    return list(dict.fromkeys([*names, *([checks.year] if checks.year else [])]))


def _check_random_part(formula: Formula, year: str | None) -> None:
    """Refuse what would make "the effect of a school" something else than one number."""
    plain = len(formula.random) == 1 and formula.random[0].effects == ((),)
    if not plain or len(formula.groups) != 1:
        raise InputError(
            "Here a school has one effect: slopes and several groupings are done by value-added.",
            mend="Write one random part, (1 | school); "
            "districts can enter the fixed part, factor(district).",
        )
    if year is not None and year == formula.group:
        raise InputError("The year cannot be the column of the schools.", column=year, mend=EXAMPLE)


def _has_year(formula: Formula, year: str) -> bool:
    return any(len(term) == 1 and term[0].columns == (year,) for term in formula.terms)


_Fitted = tuple[list[OutcomeModel], pl.DataFrame, pl.DataFrame | None]


def _fit_each(
    table: Table,
    formulas: list[Formula],
    year: str | None,
    file: PupilFile,
    digest: str,
    drift: Drift,
    threads: int | None,
    progress: Progress | None,
) -> _Fitted:
    models, frames = [], []
    for at, each in enumerate(formulas):
        if progress:
            progress(at / len(formulas), each.outcome.name)
        years = file.years[each.outcome.name]
        try:
            model, frame = _fit(table, each, year, years, digest, drift, threads)
        except InputError as error:
            if error.file is None:
                error.file = table.name  # the cross products alone do not know their file
            raise
        models.append(model)
        frames.append(frame)
    return models, pl.concat(frames).sort("school", "outcome"), None


def _fit(
    table: Table,
    formula: Formula,
    year: str | None,
    years: tuple[str, ...],
    digest: str,
    drift: Drift,
    threads: int | None,
) -> tuple[OutcomeModel, pl.DataFrame]:
    several = year is not None and len(years) > 1
    if drift != "none" and not several:
        raise InputError(
            "Whether years carry on can only be told from several years.",
            column=year,
            mend="Name the column of the year, or leave drift out.",
        )
    added = several and year is not None and not _has_year(formula, year)
    model_of = parse_formula(f"{formula.text} + factor(`{year}`)") if added else formula
    name = formula.outcome.name
    if several and year is not None:
        cp = cross_products_of(table, model_of, input_hash=digest, threads=threads, by=(year,))
        lasting = school_year_value_added(cp, year=year, drift=drift)
        frame, sd, method = lasting.in_pupil_sd(name), lasting.pupil_sd, lasting.provenance
        variances = dict(lasting.variance_components.select("component", "variance").iter_rows())
    else:
        cp = cross_products_of(table, model_of, input_hash=digest, threads=threads)
        one = value_added(cp)
        frame, sd = one_year_in_pupil_sd(one, cp, name)
        method = one.provenance
        between, within = one.variance_components["variance"].to_list()
        variances = {"school": between, "pupil": within}
    model = OutcomeModel(
        outcome=name,
        formula=model_of.text,
        effect=PERSISTENT if several else ONE_YEAR,
        years=years,
        n_pupils=cp.n_pupils,
        n_dropped=cp.n_dropped,
        n_schools=frame.height,
        pupil_sd=sd,
        variance_components={part: value / sd**2 for part, value in variances.items()},
        year_added=added,
        method=method.method,
        method_version=method.method_version,
    )
    return model, frame.select(_COLUMNS)


def _fit_together(
    source: Source,
    formulas: list[Formula],
    year: str | None,
    file: PupilFile,
    digest: str,
    drift: Drift,
    threads: int | None,
) -> _Fitted:
    """Fit several outcomes as one model; the fixed part is the same for all."""
    apart = "Fit each outcome by itself (--separate)."
    for each in formulas:
        if each.outcome.arithmetic is not None:
            raise InputError(
                f"Outcomes that are fitted together are columns; {each.outcome.name} is none.",
                mend=f"Add it to the file as a column. {apart}",
            )
    if drift != "none":
        raise InputError("A joint model of several outcomes has no drift.", mend=apart)
    first = formulas[0]
    several = year is not None and any(len(years) > 1 for years in file.years.values())
    added = several and year is not None and not _has_year(first, year)
    fixed = _fixed_part(first.text) + (f" + factor(`{year}`)" if added else "")
    names = [each.outcome.name for each in formulas]
    fit = multivariate_value_added(
        source,
        names,
        fixed,
        school=first.group,
        year=year if several else None,
        input_hash=digest,
        threads=threads,
    )
    frame = fit.in_pupil_sd()
    same = fit.covariances.filter(pl.col("outcome1") == pl.col("outcome2"))
    models = []
    for name in names:
        mine = frame.filter(pl.col("outcome") == name)
        sd = fit.pupil_sd[name]
        variances = same.filter(pl.col("outcome1") == name).select("level", "covariance")
        n = int(mine["n"].sum())
        models.append(
            OutcomeModel(
                outcome=name,
                formula=f"{name} ~ {fixed} + (1 | {first.group})",
                effect=PERSISTENT if several else ONE_YEAR,
                years=file.years[name],
                n_pupils=n,
                n_dropped=file.n_rows - n,
                n_schools=mine.height,
                pupil_sd=sd,
                variance_components={
                    level: float(value) / sd**2 for level, value in variances.iter_rows()
                },
                year_added=added,
                method=fit.provenance.method,
                method_version=fit.provenance.method_version,
            )
        )
    return models, frame.select(_COLUMNS), fit.covariances


def _fixed_part(text: str) -> str:
    """Return what stands right of the ~, with an intercept in place of the random part."""
    random = r"\((?:[^()|`]|`[^`]*`)*\|(?:[^()|`]|`[^`]*`)*\)"
    return re.sub(random, "1", text.partition("~")[2], count=1).strip()


_COLUMNS = (
    "school",
    "outcome",
    "n",
    pl.col("years").cast(pl.Int64),
    "estimate",
    "se_comparative",
    "reliability",
)


def one_year_in_pupil_sd(
    fit: ValueAdded, cp: CrossProducts, outcome: str
) -> tuple[pl.DataFrame, float]:
    """Give effects of one year in pupil SD, as ``bright_spots`` and ``needs`` take them, and it.

    The SD is that of the outcome among all pupils of the model, within and between schools.
    """
    total = cp.total()
    n = total[0, 0]
    spread = total[-1, -1] - total[0, -1] ** 2 / n
    sd = float(np.sqrt(spread / (n - 1)) * cp.scale[-1])
    frame = fit.school_effects.select(
        "school",
        pl.lit(outcome).alias("outcome"),
        "n",
        pl.lit(1, dtype=pl.Int64).alias("years"),
        *[pl.col(name) / sd for name in ("estimate", "se_comparative")],
        "reliability",
    )
    return frame, sd
