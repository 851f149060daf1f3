"""`brightspots needs`: how likely a school is below expectation, by how much, for how many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
    from brightspots.insight.needs import Needs
    from brightspots.insight.pupil_outcomes import SchoolOutcomes


def command(
    file: File,
    formula: Formula,
    out: Out,
    year: Year = None,
    delta: Delta = 0.10,
    pupil: Pupil = None,
    scale: Scale = None,
    drift: Drift = "none",
    separate: Separate = False,
) -> None:
    """Say for each school and outcome how likely and how large a gap is, and for how many pupils.

    It says where help may be asked for first. It judges no school and ranks none.

    Writes into OUT, all or nothing:

    needs.csv: school, outcome, n, estimate, se, probability (of an effect below -DELTA), gap
    (expected shortfall below average, SD of pupils), pupils_touched (pupils a year x probability),
    reliability; sorted by school and outcome

    summary.json: pairs, expected_below (sum of the probabilities), pupils_touched, delta, the
    models (variance components, years, n_pupils, n_dropped), method_versions, input_hash, settings

    The models, and the messages about bad input, are those of bright-spots.
    """
    import polars as pl

    from brightspots.insight.needs import NeedsParameters, needs
    from brightspots_cli import pupil_options
    from brightspots_cli.results import write_folder

    parameters = NeedsParameters(delta=delta)
    held_against = pupil_options.checks(year, pupil, scale)
    found = pupil_options.outcomes(file, formula, held_against, drift, joint=not separate)
    result = needs(found.frame, parameters)
    table = (
        result.frame.rename({"se_comparative": "se"})
        .with_columns(pl.col("n").cast(pl.Int64))
        .join(
            found.frame.select("school", "outcome", "reliability"),
            on=["school", "outcome"],
            how="left",
            maintain_order="left",
        )
    )
    about = summary(found, result)
    write_folder(out, {"needs.csv": table}, about)
    typer.echo("\n".join(pupil_options.in_words(found)))
    pairs = "schools" if len(found.models) == 1 else "school x outcome pairs"
    typer.echo(
        f"About {about['expected_below']:.0f} of {about['pairs']:,} {pairs} lie more"
        f" than {delta:g} pupil SD below expectation; see the probability of each. Results: {out}"
    )


def summary(found: SchoolOutcomes, result: Needs) -> dict[str, Any]:
    """Return what `summary.json` holds."""
    from brightspots_cli import pupil_options

    p = result.provenance
    frame = result.frame
    return {
        "pairs": frame.height,
        "expected_below": float(frame["probability"].sum()),
        "pupils_touched": float(frame["pupils_touched"].sum()),
        "delta": p.settings["delta"],
        **pupil_options.summary(found),
        "method_versions": pupil_options.versions(found, **{p.method: p.method_version}),
        "settings": {**found.provenance.settings, **p.settings},
    }
