"""`brightspots value-added`: value added of schools from pupils' results."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brightspots.core.errors import InputError
from brightspots_cli.pupil_options import Pupil, Scale

if TYPE_CHECKING:
    from brightspots.insight.value_added import ValueAdded


def command(
    file: Annotated[
        Path,
        typer.Argument(help="Pupils, one row each: CSV, gzip CSV or Parquet.", show_default=False),
    ],
    formula: Annotated[
        str,
        typer.Option(
            help='For example "score ~ prior + sex * poverty + I(prior**2) + (1 | school)".',
            show_default=False,
        ),
    ],
    out: Annotated[
        Path, typer.Option(help="Folder for the results; made if needed.", show_default=False)
    ],
    ml: Annotated[bool, typer.Option("--ml", help="Maximum likelihood in place of REML.")] = False,
    weights: Annotated[
        str | None,
        typer.Option("--weights", help="Column of precision weights, above 0.", show_default=False),
    ] = None,
    pupil: Pupil = None,
    scale: Scale = None,
    year: Annotated[
        str | None,
        typer.Option(
            "--year",
            help='Column of the year: pupils may come again in another. Default: "year" where there'
            " is one.",
            show_default=False,
        ),
    ] = None,
    robust: Annotated[
        bool,
        typer.Option("--robust", help="Add standard errors that hold if the variances do not."),
    ] = False,
    engine: Annotated[
        str,
        typer.Option(
            "--engine",
            help="What scans the pupils: duckdb (this machine) or spark (as it is configured; needs"
            " pyspark and Java 17). Faults of the file are looked for by duckdb in any case.",
        ),
    ] = "duckdb",
) -> None:
    """Value added of schools from pupils' results (linear mixed models, exact REML, as lme4).

    FORMULA: the outcome, "~", the fixed part, and what varies between groups. Numeric columns;
    factors (columns of words, or factor(column); the first level in sorted order is the
    reference); interactions a*b and a:b; arithmetic in I(x**2); names with dots as they are, names
    with spaces in back-quotes. Rows with a missing value (empty, NA) in a used column are dropped
    and counted.

    What varies between groups, one part or several, any column in the place of school:

    (1 | school)            an intercept for each school

    (x | school)            an intercept and a slope, correlated; (1 + x | school) is the same

    (x || school)           the same, uncorrelated; (0 + x | school) is the slope alone

    (1 | district/school)   schools in districts, each with an intercept

    (1 | a) + (1 | b)       two groupings, within each other or across

    Not done: pass or fail (logit), models without a fixed intercept, splines, correlated residuals.

    Writes into OUT, all or nothing:

    fixed_effects.csv: term, estimate, se (and se_robust with --robust: cluster sandwich, CR0)

    variance_components.csv: group, term1, term2, variance (the last group is Residual)

    school_effects.csv: school, n, estimate, cond_sd, se_comparative, se_diagnostic, lower, upper,
    reliability; sorted by school; lower and upper hold the effect with 95 %. School is the column
    of that name, else the innermost grouping

    effects.csv, where there is more than one intercept: group, level, term, n, estimate and so on
    for every effect; a school in a district has the group school:district and a level such as
    s1:d1

    summary.json: n_pupils, n_schools, n_dropped, reml_criterion, icc, singular, seconds by stage,
    method_version, input_hash, settings

    Bad input (also a pupil twice in a year, scores off the scale, dates for scores or years, empty
    or constant columns): exit code 2 and one message with file, row and column.
    """
    started = time.perf_counter()
    from brightspots.core.engine import on_engine  # heavy; --help stays quick
    from brightspots.insight.value_added import value_added_of
    from brightspots_cli import pupil_options

    source = on_engine(file, engine)
    loaded = time.perf_counter()
    pupil_options.check(file, formula, pupil_options.checks(year, pupil, scale))
    checked = time.perf_counter()
    result = value_added_of(source, formula, reml=not ml, weights=weights, robust=robust)
    seconds = {"load": loaded - started, "check": checked - loaded, **result.seconds}
    write_results(out, result, seconds)
    note = _note(result)
    typer.echo(
        f"{result.n_pupils:,} pupils in {result.n_schools:,} schools "
        f"({result.n_dropped:,} rows dropped for a missing value); "
        f"{result.icc:.1%} of the variance left lies between schools.{note} Results: {out}"
    )


def several(result: ValueAdded) -> bool:
    """Whether there is more to tell than one intercept a school."""
    return len(result.effects) != len(result.school_effects)


def _note(result: ValueAdded) -> str:
    if not result.singular:
        return ""
    if not several(result):
        return " The variance between schools is estimated as 0."
    return " A variance between groups is estimated as 0, or a correlation as 1 (singular)."


def summary(result: ValueAdded, seconds: Mapping[str, float]) -> dict[str, Any]:
    """Return what `summary.json` holds."""
    return {
        "n_pupils": result.n_pupils,
        "n_schools": result.n_schools,
        "n_dropped": result.n_dropped,
        "criterion": result.criterion_name,
        "reml_criterion": result.reml_criterion,
        "icc": result.icc,
        "shares": dict(result.shares),
        "groups": dict(result.groups),
        "singular": result.singular,
        "seconds": {stage: round(value, 4) for stage, value in seconds.items()},
        "method": result.provenance.method,
        "method_version": result.provenance.method_version,
        "input_hash": result.provenance.input_hash,
        "settings": dict(result.provenance.settings),
    }


def write_results(out: Path, result: ValueAdded, seconds: Mapping[str, float]) -> None:
    """Write the files beside `out` first and move them in when all are there."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".value-added-", dir=out) as staging_name:
            staging = Path(staging_name)
            before = time.perf_counter()
            result.fixed_effects.write_csv(staging / "fixed_effects.csv")
            result.variance_components.write_csv(staging / "variance_components.csv")
            result.school_effects.write_csv(staging / "school_effects.csv")
            if several(result):
                result.effects.write_csv(staging / "effects.csv")
            else:  # one of another model would be misread
                (out / "effects.csv").unlink(missing_ok=True)
            seconds = {**seconds, "write": time.perf_counter() - before}
            text = json.dumps(summary(result, seconds), indent=2, ensure_ascii=False)
            (staging / "summary.json").write_text(text + "\n", encoding="utf-8")
            # The summary goes last: a folder with a summary is complete.
            for name in sorted(os.listdir(staging), key=lambda name: name == "summary.json"):
                os.replace(staging / name, out / name)
    except OSError as error:
        raise InputError(
            f"The results cannot be written ({error.strerror or error}).", file=str(out)
        ) from error
