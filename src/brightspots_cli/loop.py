"""`brightspots loop`: brokering that learns from its results, beside brokering that does not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from brightspots.pace.loop import LoopParameters, LoopRuns

KEPT = "loop.partial.jsonl"
HELP = """Simulate cycles of support in systems of known truth, and compare policies of brokering.

Each cycle: estimate schools' effects, flag, broker support, support, measure, update the track
records. The policies meet the same systems with the same luck:

\b
learning       the track record so far, with a share of exploration
nearest        the nearest leader with room
random         any leader in reach with room
never-updated  the record from before the first cycle, never updated
oracle         knows what each leader truly brings

\b
Writes to the folder OUT:
cycles.csv       a row a policy and cycle: mean true gain, between-school
                 variance, isolated schools, cost, regret and more, each
                 with its 95 % interval over systems
summary.json     verdicts, settings, seed, versions of the methods
assumptions.csv  what the system is assumed to be like, with the sources

With --table it runs the settings of docs/methods/loop.md and writes loop.json and the tables of
loop.md instead.

It can be stopped (Ctrl-C): what is done is kept in OUT/loop.partial.jsonl, and the same command
goes on from there. The same seed and settings give the same bytes.
"""


def command(
    out: Annotated[Path, typer.Option("--out", help="Folder to write to; made if missing.")],
    schools: Annotated[int, typer.Option("--schools", help="Schools of a system.")] = 300,
    cycles: Annotated[int, typer.Option("--cycles", help="Cycles of support.")] = 8,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Same seed, same bytes.")] = 1,
    policy: Annotated[
        list[str] | None,
        typer.Option(
            "--policy",
            help="learning, nearest, random, never-updated, oracle, or all; may be given several"
            " times. Default: all. The oracle is always run.",
        ),
    ] = None,
    replicates: Annotated[
        int, typer.Option("--replicates", help="Systems; intervals are over them.")
    ] = 30,
    exploration: Annotated[
        float | None,
        typer.Option("--exploration", help="Share of requests, 0 to 1, in which it explores."),
    ] = None,
    assume: Annotated[
        list[str] | None,
        typer.Option(
            "--assume",
            help="Change an assumption, such as leaving=0.2; may be given several times. See"
            " assumptions.csv for the names.",
        ),
    ] = None,
    table: Annotated[
        bool, typer.Option("--table", help="Write the tables of docs/methods/loop.md.")
    ] = False,
    settings: Annotated[
        str,
        typer.Option("--settings", help="With --table: names of settings, with commas between."),
    ] = "",
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Processes; default one a core.")
    ] = None,
) -> None:
    from brightspots.core.errors import InputError

    kept = out / KEPT
    try:
        out.mkdir(parents=True, exist_ok=True)
        if table:
            _table(out, kept, settings, cycles, replicates, seed, workers)
        else:
            parameters = _parameters(
                schools, cycles, replicates, policy or [], exploration, assume or [], workers
            )
            _one(out, kept, parameters, seed)
    except KeyboardInterrupt:
        typer.echo(f"Stopped; what is done is kept in {kept}. The same command goes on from there.")
        raise typer.Exit(130) from None
    except OSError as error:
        raise InputError(
            f"The results cannot be written ({error.strerror or error}).", file=str(out),
            mend="Give a folder that you may write to.",
        ) from error  # fmt: skip
    kept.unlink(missing_ok=True)


command.__doc__ = HELP


def _parameters(
    schools: int,
    cycles: int,
    replicates: int,
    policy: list[str],
    exploration: float | None,
    assume: list[str],
    workers: int | None,
) -> LoopParameters:
    from brightspots.pace.loop import LoopParameters
    from brightspots.pace.loop_assumptions import LoopAssumptions
    from brightspots.pace.loop_policies import POLICIES, PolicySettings

    every = not policy or "all" in policy
    return LoopParameters(
        n_schools=schools,
        n_cycles=cycles,
        replicates=replicates,
        policies=POLICIES if every else tuple(policy),  # type: ignore[arg-type]  # checked there
        assumptions=LoopAssumptions().changed(_changes(assume)),
        settings=PolicySettings(**({} if exploration is None else {"exploration": exploration})),
        workers=workers,
    )


def _changes(assume: list[str]) -> dict[str, float]:
    """Read name=value."""
    from brightspots.core.errors import InputError

    changes = {}
    for text in assume:
        name, sign, value = text.partition("=")
        try:
            changes[name.strip()] = float(value)
        except ValueError:
            sign = ""
        if not sign:
            raise InputError(
                f'--assume "{text}" cannot be read.', mend="Write it as in --assume leaving=0.2."
            )
    return changes


def _one(out: Path, kept: Path, parameters: LoopParameters, seed: int) -> None:
    from brightspots.pace.loop import run_loop
    from brightspots.pace.loop_assumptions import assumptions_frame
    from brightspots.pace.loop_figures import cycles_frame
    from brightspots_cli.progress import progress_bar
    from brightspots_cli.results import write_folder

    with progress_bar() as show:
        runs = run_loop(parameters, seed, kept=kept, progress=show)
    tables = {
        "cycles.csv": cycles_frame(runs),
        "assumptions.csv": assumptions_frame(parameters.assumptions),
    }
    write_folder(out, tables, summary(runs))
    typer.echo(
        f"{parameters.replicates:,} systems of {parameters.n_schools:,} schools,"
        f" {parameters.n_cycles} cycles. Results: {out}"
    )
    typer.echo("\n".join(in_words(runs)))


def summary(runs: LoopRuns) -> dict[str, Any]:
    """Return the content of summary.json."""
    from brightspots.core.provenance import Provenance
    from brightspots.pace.loop import METHOD, METHOD_VERSION, versions
    from brightspots.pace.loop_figures import verdicts
    from brightspots.pace.loop_run import MEASURES

    p = runs.parameters
    settings = p.about() | {"replicates": p.replicates, "policies": list(p.run)}
    return {
        "replicates": p.replicates,
        "policies": list(p.run),
        "verdicts": verdicts(runs),
        "columns": MEASURES,
        "versions": versions(),
        **Provenance(METHOD, METHOD_VERSION, "simulated", runs.seed, settings).as_dict(),
    }


def in_words(runs: LoopRuns) -> list[str]:
    """Say how the learning policy did in the last cycle, and what it did not reach."""
    from brightspots.pace.loop_figures import interval, verdicts

    last = runs.parameters.n_cycles - 1
    lines = []
    for policy in runs.parameters.run:
        mean, low, high = interval([system[last] for system in runs.of(policy, "mean_true_gain")])
        figure = "nobody asked" if mean is None else f"{mean:.3f}"
        span = "" if low is None or high is None else f" [{low:.3f}, {high:.3f}]"
        lines.append(f"{policy}: mean true gain {figure}{span} SD of pupils in the last cycle")
    if runs.parameters.replicates == 1:
        return [*lines, "One system has no interval: give --replicates 2 or more to compare."]
    for other, each in verdicts(runs).items():
        if other == "oracle":
            share = each["share"][last]
            if share is not None:
                lines.append(f"learning reaches {share[0]:.0%} of the oracle's gain")
        elif each["better_from"] is None:
            lines.append(f"learning is not shown to be better than {other} in the last cycle")
        else:
            lines.append(f"learning is better than {other} from cycle {each['better_from']} on")
    return lines


def _table(
    out: Path, kept: Path, settings: str, cycles: int, replicates: int, seed: int,
    workers: int | None,
) -> None:  # fmt: skip
    from brightspots.pace.loop_table import run_table, write_results
    from brightspots_cli.progress import progress_bar
    from brightspots_cli.results import names

    with progress_bar() as show:
        results = run_table(
            names(settings), cycles, replicates, seed, workers=workers, kept=kept, progress=show
        )
    write_results(results, out)
    typer.echo(f"{len(results['settings'])} settings, {replicates} systems of each: {out}")
