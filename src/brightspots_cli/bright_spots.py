"""`brightspots bright-spots`: schools that do markedly better than expected, and how sure it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from brightspots_cli.pupil_options import (
    Delta,
    Drift,
    File,
    Formula,
    Out,
    Pupil,
    Scale,
    Separate,
    Year,
)

if TYPE_CHECKING:
    from brightspots.insight.bright_spots import BrightSpots
    from brightspots.insight.pupil_outcomes import SchoolOutcomes


def command(
    file: File,
    formula: Formula,
    out: Out,
    year: Year = None,
    delta: Delta = 0.10,
    fdr: Annotated[
        float,
        typer.Option(
            "--fdr", help="Share of bright spots that may be false; twice that for worth a visit."
        ),
    ] = 0.10,
    pupil: Pupil = None,
    scale: Scale = None,
    drift: Drift = "none",
    separate: Separate = False,
) -> None:
    """Find schools that do markedly better than expected, with a stated share of false flags.

    With several years (--year) the effect is the persistent one of a model with effects of schools
    and of school-years; the luck of a year does not count. All school x outcome pairs are one
    family: flagged from the highest probability of an effect above DELTA downwards, while the mean
    chance of being false is at most FDR.

    "bright spot" needs 3 years of the school. "worth a visit" takes all pairs, at twice FDR (at
    most .95). One year, or no --year, gives "worth a visit" at the most. Everything else is "not
    enough evidence", never "not good". Several outcomes have one joint model, unless --separate.

    Writes into OUT, all or nothing:

    bright_spots.csv: school, outcome, estimate, se, probability, label, n, years, reliability;
    sorted by school and outcome; estimate and se in SD of pupils

    summary.json: flagged, expected_false, worth_a_visit, expected_false_visit, delta, fdr, the
    models (variance components, years, n_pupils, n_dropped), method_versions, input_hash, settings

    Bad input (unknown names, duplicates in a year, scores off the scale, dates for years or
    scores, empty or constant columns): exit code 2 and one message with file, row and column.
    """
    from brightspots.insight.bright_spots import BrightSpotParameters, bright_spots
    from brightspots_cli import pupil_options
    from brightspots_cli.results import write_folder

    parameters = BrightSpotParameters(delta=delta, fdr_bright=fdr, fdr_visit=visit_rate(fdr))
    held_against = pupil_options.checks(year, pupil, scale)
    found = pupil_options.outcomes(file, formula, held_against, drift, joint=not separate)
    flags = bright_spots(found.frame, parameters)
    table = flags.frame.select(
        "school",
        "outcome",
        "estimate",
        flags.frame["se_comparative"].alias("se"),
        "probability",
        flags.frame["evidence"].alias("label"),
        "n",
        "years",
        "reliability",
    )
    write_folder(out, {"bright_spots.csv": table}, summary(found, flags, parameters))
    typer.echo("\n".join([*pupil_options.in_words(found), in_words(found, flags, delta)]))
    typer.echo(f"Results: {out}")


def visit_rate(fdr: float) -> float:
    """Share of false flags among schools worth a visit: twice that of bright spots, at most .95."""
    return max(fdr, min(2 * fdr, 0.95))


def summary(found: SchoolOutcomes, flags: BrightSpots, parameters: Any) -> dict[str, Any]:
    """Return what `summary.json` holds."""
    from brightspots_cli import pupil_options

    p = flags.provenance
    return {
        "flagged": flags.n_bright,
        "expected_false": flags.expected_false_bright,
        "worth_a_visit": flags.n_visit,
        "expected_false_visit": flags.expected_false_visit,
        "pairs": flags.frame.height,
        "pairs_with_enough_years": int((flags.frame["years"] >= parameters.minimum_years).sum()),
        "delta": parameters.delta,
        "fdr": parameters.fdr_bright,
        **pupil_options.summary(found),
        "method_versions": pupil_options.versions(found, **{p.method: p.method_version}),
        "settings": {**found.provenance.settings, **p.settings},
    }


def in_words(found: SchoolOutcomes, flags: BrightSpots, delta: float) -> str:
    """Say what was flagged, and why nothing could be where that is so."""
    from brightspots.insight.pupil_outcomes import ONE_YEAR

    pairs = "schools" if len(found.models) == 1 else "school x outcome pairs"
    words = (
        f"Of {flags.frame.height:,} {pairs}, {_flags(flags, 'bright')} and "
        f"{_flags(flags, 'visit')}, by more than {delta:g} pupil SD."
    )
    years = max(len(each.years) for each in found.models)
    if all(each.effect == ONE_YEAR for each in found.models):
        words += " One year of results can only show schools worth a visit, never a bright spot."
        if years == 0:
            words += " If the file holds several years, name their column with --year."
    elif years < 3:
        words += " Two years can only show schools worth a visit: a bright spot needs three."
    return words


def _flags(flags: BrightSpots, kind: str) -> str:
    """Say how many there are of a kind, and how many of them are expected to be false."""
    if kind == "bright":
        n, false = flags.n_bright, flags.expected_false_bright
        words = "1 is a bright spot" if n == 1 else f"{n:,} are bright spots"
    else:
        n, false = flags.n_visit, flags.expected_false_visit
        words = "1 more is worth a visit" if n == 1 else f"{n:,} more are worth a visit"
    if n == 0:
        return "none is a bright spot" if kind == "bright" else "none else is worth a visit"
    return f"{words} ({false:.1f} expected to be false)"
