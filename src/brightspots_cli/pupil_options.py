"""What commands on files of pupils have in common: options, checks, models in words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from brightspots.insight.pupil_checks import PupilChecks
    from brightspots.insight.pupil_outcomes import SchoolOutcomes
    from brightspots.insight.school_years import Drift as Kind

File = Annotated[
    Path,
    typer.Argument(help="Pupils, one row each: CSV, gzip CSV or Parquet.", show_default=False),
]
Formula = Annotated[
    str,
    typer.Option(
        "--formula",
        help='For example "score ~ prior + sex + (1 | school)"; several outcomes as'
        ' "cbind(reading, mathematics) ~ prior + sex + (1 | school)".',
        show_default=False,
    ),
]
Out = Annotated[
    Path,
    typer.Option("--out", help="Folder for the results; made if needed.", show_default=False),
]
Year = Annotated[
    str | None,
    typer.Option(
        "--year",
        help="Column of the year (2024, 2023/24, ...). Its means enter the model as factor(year)"
        " unless the formula has a term of the year.",
    ),
]
Drift = Annotated[
    str,
    typer.Option(
        "--drift",
        help='"none", or "ar1": what one year brought carries on in part; for 5 years and more.',
    ),
]
Separate = Annotated[
    bool,
    typer.Option(
        "--separate",
        help="With several outcomes: a model each, in place of one model that learns from all.",
    ),
]
Delta = Annotated[
    float, typer.Option("--delta", help="What counts, in standard deviations of pupils; above 0.")
]
Pupil = Annotated[
    str | None,
    typer.Option(
        "--pupil",
        help="Column of the pupil's code, to find pupils with two scores in a year."
        ' Default: "pupil" where there is one (up to 5 million rows); "none" not to look.',
    ),
]
Scale = Annotated[
    str | None,
    typer.Option(
        "--scale",
        help='Lowest and highest possible score, "0:100" or "reading=0:100,mathematics=0:60";'
        " scores outside are refused.",
    ),
]


def checks(year: str | None, pupil: str | None, scale: str | None) -> PupilChecks:
    """Turn options into what the file is held against."""
    from brightspots.insight.pupil_checks import PupilChecks, parse_scale

    return PupilChecks(
        year=year,
        pupil="" if pupil == "none" else pupil,
        scale={} if scale is None else parse_scale(scale),
    )


def check(file: Path, formula: str, held_against: PupilChecks) -> None:
    """Look for faults of the file that no model notices."""
    from brightspots.core.engine import open_table
    from brightspots.insight.formula import parse_formula
    from brightspots.insight.pupil_checks import check_pupils

    parsed = parse_formula(formula)
    with open_table(file) as table:
        check_pupils(table, [parsed], held_against)


def outcomes(
    file: Path, formula: str, held_against: PupilChecks, drift: str, *, joint: bool
) -> SchoolOutcomes:
    """Fit the models, with a bar for the eye."""
    from brightspots.core.errors import InputError
    from brightspots.insight.pupil_outcomes import school_outcomes
    from brightspots_cli.progress import progress_bar

    kinds: dict[str, Kind] = {"none": "none", "ar1": "ar1"}
    if drift not in kinds:
        raise InputError(f'There is no drift "{drift}".', mend='Use "none" or "ar1".')
    with progress_bar() as show:
        return school_outcomes(
            file, formula, checks=held_against, drift=kinds[drift], joint=joint, progress=show
        )


def summary(found: SchoolOutcomes) -> dict[str, Any]:
    """Return what both summaries say of the models."""
    return {
        "n_schools": found.frame["school"].n_unique(),
        "n_rows": found.file.n_rows,
        "duplicates_looked_for_by": found.file.pupil,
        "outcomes": [
            {
                "outcome": each.outcome,
                "formula": each.formula,
                "effect": each.effect,
                "years": list(each.years),
                "n_pupils": each.n_pupils,
                "n_schools": each.n_schools,
                "n_dropped": each.n_dropped,
                "pupil_sd": each.pupil_sd,
                "variance_components": dict(each.variance_components),
                "singular": each.singular,
                "year_added_to_formula": each.year_added,
                "method": each.method,
                "method_version": each.method_version,
            }
            for each in found.models
        ],
        "correlations": correlations(found),
        "input_hash": found.provenance.input_hash,
    }


def correlations(found: SchoolOutcomes) -> list[dict[str, Any]]:
    """Return how true effects of outcomes go together, level by level, in a joint model."""
    import polars as pl

    if found.covariances is None:
        return []
    pairs = found.covariances.filter(pl.col("outcome1") != pl.col("outcome2"))
    figures = pl.col("correlation", "lower", "upper").fill_nan(None)
    return pairs.select("level", "outcome1", "outcome2", figures).to_dicts()


def versions(found: SchoolOutcomes, **more: str) -> dict[str, str]:
    """Return the version of every method that had a say."""
    own = {each.method: each.method_version for each in found.models}
    return own | {found.provenance.method: found.provenance.method_version} | more


def in_words(found: SchoolOutcomes) -> list[str]:
    """Say what was fitted, a line an outcome."""
    from brightspots.insight.pupil_outcomes import ONE_YEAR

    lines = []
    for each in found.models:
        span = f", {each.years[0]} to {each.years[-1]}" if len(each.years) > 1 else ""
        line = (
            f"{each.outcome}: {each.n_pupils:,} pupils in {each.n_schools:,} schools{span} "
            f"({each.n_dropped:,} rows dropped for a missing value); "
            f"SD of pupils {each.pupil_sd:.4g}; {_spreads(each.variance_components)}."
        )
        if each.singular:
            line += " No lasting difference between schools is found: every effect is 0."
        if each.effect == ONE_YEAR:
            line += " As one year: what lasts and what a year brought cannot be told apart."
        if each.year_added:
            line += " The years' means were added to the formula."
        lines.append(line)
    for pair in correlations(found):
        if pair["level"] == "school" and pair["lower"] is not None:
            lines.append(
                f"Effects of schools on {pair['outcome1']} and {pair['outcome2']} correlate by "
                f"{pair['correlation']:.2f} ({pair['lower']:.2f} to {pair['upper']:.2f})."
            )
    return lines


_OF = {"school": "schools", "school_year": "a school's years", "pupil": "pupils alike"}


def _spreads(variances: Mapping[str, float]) -> str:
    words = [f"{_OF[name]} {variance**0.5:.3f}" for name, variance in variances.items()]
    return "in these units the SD of " + ", of ".join(words)
