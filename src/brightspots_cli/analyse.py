"""`brightspots analyse`: value added, families, variability and needs of what is imported."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brightspots.core.errors import InputError

if TYPE_CHECKING:
    from brightspots_web.insight.models import Run


class Earlier(str, Enum):  # noqa: UP042 - typer reads the values of a plain str Enum
    """Which earlier results of a pupil are taken into account."""

    none = "none"
    same = "same"
    all = "all"


class Drift(str, Enum):  # noqa: UP042 - typer reads the values of a plain str Enum
    """How the years of a school hang together."""

    none = "none"
    ar1 = "ar1"


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
    formula: Annotated[
        str,
        typer.Option(
            "--formula",
            help="Instead of --context: the fixed part of a formula, such as"
            ' "prior + I(prior**2) + sex*poverty". Terms are names of context columns and fields'
            " of the register; years and schools are added.",
        ),
    ] = "",
    earlier: Annotated[
        Earlier,
        typer.Option(
            "--earlier",
            help="Take earlier results of the same pupil into account, found by the pupil's code"
            " the year before: none, same (the same subject, as prior), all (every subject, as"
            ' prior, "prior Reading" and so on).',
        ),
    ] = Earlier.none,
    drift: Annotated[
        Drift,
        typer.Option(
            "--drift",
            help="How the years of a school hang together: none (exchangeable about what lasts),"
            " or ar1 (neighbouring years more alike; needs three).",
        ),
    ] = Drift.none,
    note: Annotated[str, typer.Option("--note", help="What to remember about it.")] = "",
    draft: Annotated[
        bool, typer.Option("--draft", help="Do not publish: analysts look at it first.")
    ] = False,
    publish: Annotated[
        str | None, typer.Option("--publish", metavar="RUN", help="Publish a run made before.")
    ] = None,
    withdraw: Annotated[
        str | None,
        typer.Option(
            "--withdraw", metavar="RUN", help="Take a published run back; needs --reason."
        ),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="With --withdraw: why.")] = "",
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
    """Analyse the imported results and publish the figures (with --draft: show them to analysts).

    Value added of every school in every subject (from pupils where there are pupils, else from
    school figures), families of 50 similar schools, variability between and within areas, needs,
    and schools worth a visit. Pages show the new figures when all of them are there.
    """
    from brightspots_cli import platform

    platform.start(home)
    if verify or run:
        _verify(run)
    elif publish:
        _publish(publish)
    elif withdraw:
        _withdraw(withdraw, reason)
    else:
        _analyse(
            publish_when_done=not draft,
            subjects=subject,
            context=_names(context),
            delta=delta,
            seed=seed,
            formula=_checked(formula, context),
            earlier="" if earlier is Earlier.none else earlier.value,
            drift=drift.value,
            note=note,
        )


def _names(context: str | None) -> list[str] | None:
    if context is None:
        return None
    names = [name.strip() for name in context.split(",") if name.strip()]
    return [] if names == ["none"] else names


def _checked(formula: str, context: str | None) -> str:
    from brightspots_web.insight.analysis.formulas import check_formula

    if formula and context is not None:
        raise InputError("--formula and --context say the same thing.", mend="Give one of them.")
    if formula:
        check_formula(formula)
    return formula


def _analyse(*, publish_when_done: bool, **asked: Any) -> None:
    from brightspots_cli.import_ import run_job
    from brightspots_web.directory import actions as directory
    from brightspots_web.insight import actions, run_queries
    from brightspots_web.shared import jobs

    by = directory.command_line_operator()
    job = actions.start(by=by, publish_when_done=publish_when_done, **asked)
    try:
        run_job(job)
    except KeyboardInterrupt:
        jobs.stop(job)  # or a worker of this installation would take it up again
        raise
    job.refresh_from_db()
    run = run_queries.run_named(job.result["run"])
    if run is None:
        raise InputError("The analysis is done, but somebody discarded it at once.")
    typer.echo(summary(run.summary))
    if run.published_at is None:
        typer.echo(f"Run {run.uuid} is a draft that only analysts see. To publish it:")
        typer.echo(f"  brightspots analyse --publish {run.uuid}")
        return
    typer.echo(f"Published as run {run.uuid}. To compute it again, or to take it back:")
    typer.echo(f"  brightspots analyse --run {run.uuid} --verify")
    typer.echo(f'  brightspots analyse --withdraw {run.uuid} --reason "..."')


def _found(uuid: str) -> Run:
    from brightspots_web.insight import run_queries

    run = run_queries.run_named(uuid)
    if run is None:
        raise InputError(f"There is no run {uuid}.", mend="Its name is on the page of analyses.")
    return run


def _publish(uuid: str) -> None:
    from django.core.exceptions import ValidationError

    from brightspots_web.directory import actions as directory
    from brightspots_web.insight import actions

    run = _found(uuid)
    try:
        actions.publish(run, by=directory.command_line_operator())
    except ValidationError as error:
        raise InputError(" ".join(error.messages)) from error
    typer.echo(f"Published: pages now show run {run.uuid}.")


def _withdraw(uuid: str, reason: str) -> None:
    from django.core.exceptions import ValidationError

    from brightspots_web.directory import actions as directory
    from brightspots_web.insight import actions

    run = _found(uuid)
    try:
        back = actions.withdraw(run, by=directory.command_line_operator(), reason=reason)
    except ValidationError as error:
        mend = "" if reason.strip() else 'Add --reason "...".'
        raise InputError(" ".join(error.messages), mend=mend or None) from error
    shown = f"pages now show run {back.uuid}" if back else "pages show no figures now"
    typer.echo(f"Withdrawn: {shown}.")


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
    from brightspots_cli.progress import progress_bar
    from brightspots_web.insight import queries
    from brightspots_web.insight.verify import verify
    from brightspots_web.shared.jobs import CannotError

    run = _found(uuid) if uuid else queries.current_run()
    if run is None:
        raise InputError("There is no published run.")
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
