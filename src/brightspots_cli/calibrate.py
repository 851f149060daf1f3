"""`brightspots calibrate`: intervals and false discovery rates on systems of known truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

KEPT = "calibration.partial.jsonl"


def command(
    out: Annotated[
        Path, typer.Option("--out", help="Folder of calibration.json and calibration.md.")
    ],
    systems: Annotated[
        int, typer.Option("--systems", help="Simulated systems of each kind, 2 or more.")
    ] = 200,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Same seed, same figures.")] = 1,
    settings: Annotated[
        str,
        typer.Option(
            "--settings",
            help="Kinds of systems, with commas between: base, schools-100, schools-1000, years-1,"
            " years-5, weak, strong, small, heavy, drift, drift-5, drift-5-modelled, areas."
            " Default: all.",
        ),
    ] = "",
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Processes; default one a core.")
    ] = None,
) -> None:
    """Check on simulated systems that intervals cover and that false discovery rates hold.

    Every system goes through the real pipeline, from pupils' rows to flags and needs, and is held
    against the truth that was put in.

    Writes into OUT:

    calibration.json: seed, versions of the methods, every figure as [value, lower, upper]

    calibration.md: the same as tables, between two marks; the rest of the page stays

    Takes some minutes. It can be stopped (Ctrl-C): what is done is kept in
    OUT/calibration.partial.jsonl, and the same command goes on from there.
    """
    from brightspots.core.errors import InputError
    from brightspots.pace.calibration import CalibrationParameters, calibrate
    from brightspots.pace.calibration_table import write_results
    from brightspots_cli.progress import progress_bar
    from brightspots_cli.results import names

    chosen = names(settings)
    parameters = CalibrationParameters(
        systems=systems, workers=workers, **({"settings": chosen} if chosen else {})
    )
    kept = out / KEPT
    try:
        out.mkdir(parents=True, exist_ok=True)
        with progress_bar() as show:
            results = calibrate(parameters, seed, kept=kept, progress=show)
    except KeyboardInterrupt:
        typer.echo(f"Stopped; what is done is kept in {kept}. The same command goes on from there.")
        raise typer.Exit(130) from None
    except OSError as error:
        raise InputError(
            f"The results cannot be written ({error.strerror or error}).", file=str(out)
        ) from error
    write_results(results, out)
    kept.unlink(missing_ok=True)
    typer.echo(f"{len(results['settings']) * systems:,} systems. Results: {out}")
    typer.echo("\n".join(in_words(results)))


def in_words(results: dict[str, object]) -> list[str]:
    """Say the two promises, a line a kind of system."""
    lines = []
    kinds = results["settings"]
    for kind in kinds if isinstance(kinds, list) else []:
        words = []
        persistent = kind["coverage"].get("persistent")
        if persistent:
            words.append(f"95 % intervals hold {persistent['all'][0]:.1%} of lasting effects")
        else:
            words.append(f"95 % intervals hold {kind['coverage']['yearly']['all'][0]:.1%}")
        false = kind["rules"]["bright"]["false"]
        words.append(
            "no bright spots"
            if false is None
            else f"{false[0]:.1%} of bright spots are false (stated: at most 10 %)"
        )
        lines.append(f"{kind['words']}: {', '.join(words)}.")
    return lines
