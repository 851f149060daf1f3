"""`brightspots analyse`: value added, families, variability and needs of what is imported."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    subject: Annotated[
        list[str] | None,
        typer.Option("--subject", help="Only this subject; repeat for several. Default: all."),
    ] = None,
    context: Annotated[
        str | None,
        typer.Option(
            "--context",
            help="Circumstances to take into account, with commas between: roll, sector, phase,"
            " language, or the name of a context column. Default: every number known for half of"
            ' the schools and every kind with 2 to 12 values. "none" for none.',
        ),
    ] = None,
    delta: Annotated[
        float | None,
        typer.Option(
            "--delta",
            min=0.01,
            max=2.0,
            help="What counts as markedly better, in standard deviations of pupils. Default: one"
            " standard deviation of the true differences between schools, and 0.10 at least.",
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="Seed of the intervals of shares.")
    ] = 1,
    run: Annotated[
        str | None, typer.Option("--run", help="With --verify: the run to compute again.")
    ] = None,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify",
            help="Compute a run again from what it was made from and say whether its figures are"
            " equal; exit code 1 when they are not. Default: the newest run.",
        ),
    ] = False,
    home: Annotated[
        Path | None,
        typer.Option("--home", help="Folder of the installation (BRIGHTSPOTS_HOME; default var)."),
    ] = None,
) -> None:
    """Analyse the imported results and publish the figures.

    Value added of every school in every subject (from pupils where there are pupils, else from
    school figures), families of 50 similar schools, variability between and within areas, needs,
    and schools worth a visit. Pages show the new figures when all of them are there.
    """
    from brightspots_cli import platform

    platform.start(home)
    if verify or run:
        _verify(run)
    else:
        _analyse(subject, _names(context), delta, seed)


def _names(context: str | None) -> list[str] | None:
    if context is None:
        return None
    names = [name.strip() for name in context.split(",") if name.strip()]
    return [] if names == ["none"] else names


def _analyse(
    subjects: list[str] | None, context: list[str] | None, delta: float | None, seed: int
) -> None:
    from brightspots_cli.import_ import run_job
    from brightspots_web.directory import actions as directory
    from brightspots_web.insight import actions, queries
    from brightspots_web.shared import jobs

    by = directory.command_line_operator()
    job = actions.start(by=by, subjects=subjects, context=context, delta=delta, seed=seed)
    try:
        run_job(job)
    except KeyboardInterrupt:
        jobs.stop(job)  # or a worker of this installation would take it up again
        raise
    job.refresh_from_db()
    run = queries.runs().get(uuid=job.result["run"])
    typer.echo(summary(run.summary))
    typer.echo(f"Published as run {run.uuid}. To compute it again:")
    typer.echo(f"  brightspots analyse --run {run.uuid} --verify")


def summary(about: dict[str, object]) -> str:
    """Say what was found, in a few lines."""
    outcomes = about.get("outcomes")
    lines = []
    for name, each in (outcomes if isinstance(outcomes, dict) else {}).items():
        years = each["years"]
        span = f"{years[0]} to {years[-1]}" if len(years) > 1 else str(years[0])
        made = "pupils' results" if each["way"] == "pupil" else "school figures"
        lines.append(f"{name}: {each['schools']:,} schools, {span}, from {made}.")
    flags = about.get("bright_spots")
    if isinstance(flags, dict):
        lines.append(
            f"{flags['flagged']} bright-spot candidates, {flags['worth_a_visit']} worth a visit."
        )
    problems = about.get("problems")
    for name, why in (problems if isinstance(problems, dict) else {}).items():
        lines.append(f"Not analysed: {name}: {why}")
    return "\n".join(lines)


def _verify(uuid: str | None) -> None:
    from django.core.exceptions import ValidationError

    from brightspots.core.errors import InputError
    from brightspots_cli.progress import progress_bar
    from brightspots_web.insight import queries
    from brightspots_web.insight.verify import verify
    from brightspots_web.shared.jobs import CannotError

    try:
        run = queries.runs().filter(uuid=uuid).first() if uuid else queries.current_run()
    except ValidationError:
        run = None
    if run is None:
        raise InputError(f"There is no published run {uuid or ''}.".replace(" .", "."))
    try:
        with progress_bar() as show:
            found = verify(run, show)
    except CannotError as reason:
        raise InputError(str(reason)) from reason
    typer.echo(f"Run {run.uuid}: {found.figures:,} figures in {found.rows:,} rows computed again.")
    if run.rows_removed_at is not None:
        typer.echo("The rows of this run are not kept any more, so there is nothing to compare.")
        raise typer.Exit(1)
    if found.equal:
        typer.echo("All are equal.")
        return
    if not found.same_version:
        typer.echo(f"The method has changed since (version {run.method_version}).")
    if not found.same_input:
        typer.echo("The inputs are not the ones the run was made from.")
    typer.echo(f"{found.different:,} differ:")
    for line in found.differences:
        typer.echo(f"  {line}")
    raise typer.Exit(1)
