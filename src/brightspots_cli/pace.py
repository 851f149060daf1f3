"""`brightspots pace`: rollout plans between too fast and too slow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from brightspots.pace.rollout import Rollout

HELP = """Plan in which term each area takes the shift up, and how fast; show what each plan costs.

AREAS is a CSV (gzip allowed), Parquet or XLSX file with one row an area:

\b
area              code of the area; read as text
schools           number of its schools
leaders           system leaders available now
readiness         share of its schools that are ready, 0 to 1; or
readiness_STRAND, stage_STRAND: one column a strand; a stage is beginning,
                  developing, embedding or leading, or 1 to 4. The lowest
                  strand counts
name, region, language     optional text
in_training       optional: leaders in training
in_training_term  optional: term from whose beginning they are available
priority          optional: the ministry's own order, small numbers first
earliest          optional: first term in which the area may begin

\b
Writes to the folder OUT, all or nothing:
plans.csv        a row a plan: the curve, then the usual plans (all at once,
                 one per term, by readiness, region by region)
measures.csv     plan, measure, part: mean, median, 80 and 95 % interval
waves.csv        area, start, speed and what is expected, of the chosen plan
schedules.csv    plan, area, start, speed
sensitivity.csv  which assumptions matter, with a tornado's ends
assumptions.csv  every assumption: range, words, source or "assumed"
curve.svg        the trade-off curve
summary.json     what was searched, bounds and gaps, seed, settings and more

\b
--assumptions FILE  name, low, value, high, source: in place of ours
--fix FILE          area, start, optionally speed: no plan changes these
--change FILE       area, start, optionally speed: what it comes to to change
                    the chosen plan so; writes changes.csv, paired over draws
--observed FILE     area, term, and what was seen: started (the term, or no),
                    leaders, abandoned, held_back (shares of the pulse, with
                    answers, their number). Writes compared.csv, learned.csv
                    and assumptions_updated.csv (for --assumptions)

A school-term is one school for one term. Abandoned: it had to carry what it was not ready for,
or promised support did not come. Held back: it was ready and not let. Nothing here is a forecast:
it says what follows from the assumptions. The same file, settings and seed give the same plans,
in whatever order the rows stand. Run again into the same folder with --plan, --change or
--observed, nothing is searched again. Ctrl-C ends the search and keeps the best so far.
"""


def _file(words: str) -> Any:
    return typer.Option(help=words, metavar="FILE")


def command(
    areas: Annotated[Path, typer.Argument(help="File with one row an area.")],
    out: Annotated[Path, typer.Option("--out", help="Folder to write to; made if missing.")],
    support_days: Annotated[
        float, typer.Option("--support-days", help="Days of support a term, over all areas.")
    ],
    terms: Annotated[
        int, typer.Option("--terms", help="Terms in which support may be given.")
    ] = 15,
    speeds: Annotated[
        str,
        typer.Option("--speeds", help="Terms of support to choose from, with commas; of 3,6,9"
                     " those that fit."),
    ] = "3,6,9",
    assumptions: Annotated[Path | None, _file("Ranges in place of ours.")] = None,
    fix: Annotated[Path | None, _file("What no plan may change.")] = None,
    change: Annotated[Path | None, _file("Changes by hand to the chosen plan.")] = None,
    observed: Annotated[Path | None, _file("What happened so far.")] = None,
    plan: Annotated[
        str | None,
        typer.Option("--plan", help="Plan to write the waves of; otherwise that with the fewest"
                     " school-terms abandoned and held back together."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Same seed, same plans.")] = 0,
    draws: Annotated[int, typer.Option("--draws", help="Draws of the assumptions.")] = 200,
    points: Annotated[int, typer.Option("--points", help="Most plans on the curve.")] = 9,
    time_limit: Annotated[
        float | None,
        typer.Option("--time-limit", help="Seconds after which the search stops early."),
    ] = None,
) -> None:  # fmt: skip
    from brightspots.core.errors import InputError
    from brightspots.pace.rollout_areas import read_areas
    from brightspots.pace.rollout_assumptions import DEFAULTS, read_assumptions
    from brightspots.pace.rollout_learning import learn, read_observed
    from brightspots.pace.rollout_parameters import RolloutParameters
    from brightspots.pace.rollout_plan import choices, read_fixed
    from brightspots.pace.rollout_sensitivity import sensitivity
    from brightspots_cli import pace_files
    from brightspots_cli.pace_curve import curve_svg
    from brightspots_cli.results import write_folder

    parameters = RolloutParameters(
        support_days=support_days, terms=terms, speeds=_terms(speeds), draws=draws,
        points=points, time_limit=time_limit,
    )  # fmt: skip
    table = read_areas(areas)
    try:
        choices(table, parameters)
    except InputError as error:
        raise InputError(
            error.what, file=areas.name, column=error.column, mend=error.mend
        ) from error
    # Every file is read before anything is searched.
    ranges = DEFAULTS if assumptions is None else read_assumptions(assumptions)
    fixed = {} if fix is None else read_fixed(fix, table, parameters)
    by_hand = None if change is None else read_fixed(change, table, parameters)
    seen = None if observed is None else read_observed(observed, table, parameters)
    settings = {"assumptions": ranges, "fixed": fixed}
    rollout = _planned(table, parameters, seed, settings, out, again=bool(plan or change or seen))
    chosen = plan or rollout.even_handed
    rollout.plan(chosen)
    changed = None if by_hand is None else rollout.changed(chosen, by_hand)
    learned = None if seen is None else learn(rollout, chosen, seen, seed=seed)
    write_folder(
        out,
        pace_files.tables(rollout, chosen, sensitivity(rollout, chosen, seed=seed), changed,
                          learned),
        pace_files.summary(rollout, chosen, changed, learned),
        texts={"curve.svg": curve_svg(rollout, chosen)},
    )  # fmt: skip
    typer.echo("\n".join(pace_files.in_words(rollout, chosen)))
    if changed is not None:
        typer.echo("\n".join(_changes_in_words(changed.difference)))
    if learned is not None:
        typer.echo("\n".join(learned.notes))
    typer.echo(f"Written to {out}.")


command.__doc__ = HELP


def _terms(text: str) -> tuple[int, ...]:
    from brightspots.core.errors import InputError
    from brightspots_cli.results import names

    try:
        return tuple(int(each) for each in names(text))
    except ValueError:
        raise InputError(
            f'"{text}" is not a list of numbers of terms.', mend="Give numbers such as 3,6,9."
        ) from None


def _planned(
    areas: Any, parameters: Any, seed: int, settings: dict[str, Any], out: Path, *, again: bool
) -> Rollout:
    """Search, or take up what an earlier run of the same left in the folder."""
    from brightspots.pace.rollout import plan_rollout, provenance
    from brightspots_cli.pace_files import known_run, same_run

    made_from = provenance(areas, parameters, seed, **settings).as_dict()
    known = known_run(out, areas, same_run(made_from))
    more: dict[str, Any] = {}
    if known is not None and (again or not known.found.stopped_early):
        more["found"] = known.found
        typer.echo("The plans found before are kept; nothing is searched again.", err=True)
    elif known is not None:
        more["known"] = known.plans
        typer.echo("Going on from the plans found before.", err=True)
    return _with_bar(
        lambda progress: plan_rollout(
            areas, parameters, seed, progress=progress, **settings, **more
        )
    )


def _with_bar(search: Callable[[Callable[[float, str], None]], Rollout]) -> Rollout:
    """Search with a bar; Ctrl-C ends the search and keeps its best."""
    from brightspots.pace.rollout import StopEarly
    from brightspots_cli.interruption import asked_to_stop
    from brightspots_cli.progress import progress_bar

    words = "Stopping: the best plans so far are kept. Press Ctrl-C again to give up."
    with asked_to_stop(words) as stop, progress_bar() as show:

        def progress(share: float, stage: str) -> None:
            show(share, stage)
            if stop():
                raise StopEarly

        return search(progress)


def _changes_in_words(difference: Any) -> list[str]:
    lines = ["With the changes by hand (median, 80 % interval of the difference):"]
    for row in difference.filter(difference["part"] == "total").iter_rows(named=True):
        if row["measure"] == "full_coverage":
            continue
        lines.append(
            f"  {row['measure'].replace('_', ' ')}: {row['median']:+,.1f}"
            f" ({row['low80']:+,.1f} to {row['high80']:+,.1f}) {row['unit']}"
        )
    return lines
