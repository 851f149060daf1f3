"""`brightspots partnerships`: propose a partnership for every school."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from brightspots.connectedness.difference import Difference
    from brightspots.connectedness.partnerships import Parameters, Partnerships
    from brightspots_cli.partnership_files import Files, Inputs

HELP = """Propose a partnership for every school; list the schools that can have none, and why.

SCHOOLS is a CSV (gzip allowed), Parquet or XLSX file with one row a school:

\b
school       code of the school; read as text, leading zeros stay
latitude     degrees, -90 to 90; 0, 0 and empty stand for an unknown place
longitude    degrees, -180 to 180
strength     optional number: the higher, the stronger; any scale
need         optional number: the higher, the more support is needed
strength_P   optional: the same by priority P, three priorities at most;
need_P       strong_P holds 1 or 0 in place of a number
phase        optional text; several with ";", "all" fits every phase
language     optional text; several with ";", "all" fits every language
leader       optional: 1 or 0 (true, false, yes, no): may this school lead?
             without the column every school may
capacity     optional whole number: the most schools in a partnership that
             this school leads, its own included; empty for no limit
area         optional text: for barriers; to place schools without
             coordinates; and to say where schools are left out
closed       optional: 1 for a school that has closed; it is left away
merged_into  optional: the school that this one is part of now; left away

\b
Writes to the folder OUT, all or nothing:
partnerships.csv  school, partnership, leader_school, distance_km; with
                  --travel also travel, the way in its unit; with
                  --serve-all also exception, the reason or empty
summary.json      n_schools, n_partnerships, isolated (school, reason),
                  objective, objective_parts, lower_bound, gap, seconds,
                  settings and more

\b
--existing FILE   the present partnerships: school, partnership, optionally
                  leader_school and merged_into; a partnerships.csv will do.
                  They are where the search starts, and each school whose
                  leader comes from another one costs PRICE-PER-MOVE. Schools
                  of it that are not in SCHOOLS have closed. Also writes
differences.csv   school, change (stays, splits off, moves, new, left out,
                  merged, closed), partnership_before, partnership_after,
                  leader_before, leader_after, why
partnership_changes.csv
                  partnership_before, partnership_after, change (kept,
                  changed, ended, split off, new), schools_before,
                  schools_after, stay, come, go, closed, leader_before,
                  leader_after, leader (same, new, none, unknown), why

\b
--pins FILE       kind, school_a, school_b. kind is together or apart (two
                  schools), led_by (school_a in the partnership that school_b
                  leads) or leader (school_a leads; school_b empty). Pins that
                  contradict each other or the settings are all named, by row;
                  a pin that cannot be kept beside the others is named after
--leaders FILE    leader_school, optionally capacity, and a column for each
                  priority (1 and 0, or numbers; three at most; name and note
                  are no priorities). Only these schools may lead; takes the
                  place of leader, capacity and those priorities in SCHOOLS
--travel FILE     from_school, to_school, and minutes, km or travel. Pairs
                  that are not listed cannot travel; a pair listed in one
                  direction holds for both, and of two values the smaller.
                  MAX-KM is then in the unit of this file
--barriers FILE   school_a, school_b, or area_a, area_b: no school is led
                  across them
--frontier PRICES forms the partnerships at each of these prices of moving a
                  school (such as 0,0.5,1,2,5,10; needs --existing) and writes
                  no partnerships but
frontier.csv      price, moved (schools), cost (without the price of moving),
                  gap, share_moved, split_off, new_leaders, served,
                  partnerships, stopped_early. An interrupted run of the same
                  files and settings, which it knows by frontier.json, goes
                  on where it was

Without SCHOOLS the imported system is used, and the proposal is kept there for people to
look at, change and adopt. --out, --frontier and the options that name a file are for SCHOOLS,
--adopt and --home are not; pins, leaders and present partnerships of the system are those in it,
and --price-per-move asks to stay close to the present ones.

Every school is in exactly one partnership of MIN to MAX schools, at most MAX-KM (great
circle) from its leader; its members share a phase and a language. The same file, settings
and seed give the same partnerships, in whatever order the rows stand. Ctrl-C ends the search
and writes the best answer so far; a second Ctrl-C gives up.
"""


def _file(words: str) -> Any:
    return typer.Option(help=words, metavar="FILE")


def command(
    schools: Annotated[
        Path | None, typer.Argument(help="File with one row a school; else the imported system.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder to write to; made if missing.")
    ] = None,
    minimum: Annotated[int, typer.Option("--min", help="Fewest schools in a partnership.")] = 4,
    maximum: Annotated[int, typer.Option("--max", help="Most schools in a partnership.")] = 8,
    max_km: Annotated[
        float, typer.Option("--max-km", help="Longest way from a school to its leader, km.")
    ] = 25.0,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the search.")] = 0,
    time_limit: Annotated[
        float | None,
        typer.Option(
            "--time-limit",
            help="Seconds after which the search stops early; the answer then depends on the"
            " machine. Without it the search has a fixed number of steps.",
        ),
    ] = None,
    gap: Annotated[
        float | None,
        typer.Option(
            "--gap",
            help="Stop once the answer is proved to cost at most this share above the lower bound:"
            " 0.01 for one per cent.",
        ),
    ] = None,
    target: Annotated[
        float | None, typer.Option("--target", help="Stop once the total cost is this or less, km.")
    ] = None,
    existing: Annotated[Path | None, _file("Present partnerships, to stay close to.")] = None,
    pins: Annotated[Path | None, _file("What people have fixed beforehand.")] = None,
    leaders: Annotated[Path | None, _file("Who may lead, how many, strong at what.")] = None,
    travel: Annotated[Path | None, _file("Travel between schools, in place of km.")] = None,
    barriers: Annotated[Path | None, _file("Pairs of schools or areas to keep apart.")] = None,
    serve_all: Annotated[
        bool,
        typer.Option(
            "--serve-all",
            help="Take schools that no partnership can serve into the least bad one, and say why.",
        ),
    ] = False,
    price_per_move: Annotated[
        float | None,
        typer.Option(
            "--price-per-move",
            help="Price of moving one school to a leader from another present partnership, km;"
            " 2 if it is not said.",
        ),
    ] = None,
    frontier: Annotated[
        str | None,
        typer.Option(
            "--frontier", metavar="PRICES", help="Show moves against cost at these prices."
        ),
    ] = None,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Without a file: also make the proposal the system's.")
    ] = False,
    home: Annotated[
        Path | None, typer.Option("--home", help="Without a file: folder of the installation.")
    ] = None,
) -> None:
    settings: dict[str, Any] = {"minimum": minimum, "maximum": maximum, "max_km": max_km}
    settings |= {"time_limit": time_limit, **_further(gap, target, serve_all, price_per_move)}
    if schools is None:
        from brightspots_cli.propose import propose

        _no_files(existing, pins, leaders, travel, barriers, frontier, out)
        propose(settings, seed=seed, adopt=adopt, home=home)
        return
    from brightspots.connectedness.partnerships import Parameters
    from brightspots.core.errors import InputError
    from brightspots_cli.partnership_files import Files

    if adopt or home is not None:
        raise InputError(
            f"{'--adopt' if adopt else '--home'}: only without a file of schools; what is formed"
            " from a file is written to --out and touches no installation.",
            mend="Leave it out, or import the schools and leave the file out.",
        )
    if out is None:
        raise InputError("the folder to write to is missing.", mend="Say --out DIR.")
    if existing is None and (frontier is not None or price_per_move is not None):
        option = "--frontier" if frontier is not None else "--price-per-move"
        raise InputError(
            f"{option} is about leaving present partnerships, and there are none.",
            mend="Say --existing FILE.",
        )
    parameters = Parameters(**settings)
    files = Files(schools, existing, pins, leaders, travel, barriers)
    if frontier is not None:
        from brightspots_cli.partnership_frontier import show_frontier

        show_frontier(files, parameters, frontier, seed=seed, out=out)
        return
    _form(files, parameters, seed=seed, out=out)


command.__doc__ = HELP


def _further(
    gap: float | None, target: float | None, serve_all: bool, price: float | None
) -> dict[str, Any]:
    """Return the settings that were asked for; the others stay with the library."""
    from brightspots.core.errors import InputError

    if gap is not None and gap >= 1:
        raise InputError(
            f"the gap to stop at is {gap:g}; it is a share.", mend="Say 0.01 for one per cent."
        )
    asked: dict[str, Any] = {}
    if gap is not None:
        asked["gap"] = gap
    if target is not None:
        asked["target_cost"] = target
    if serve_all:
        asked["serve_all"] = True
    if price is not None:
        asked["weights"] = {"disruption": price}
    return asked


def _no_files(*given: Any) -> None:
    """Refuse options that are for a file of schools."""
    from brightspots.core.errors import InputError

    names = ("--existing", "--pins", "--leaders", "--travel", "--barriers", "--frontier", "--out")
    asked = [name for name, value in zip(names, given, strict=True) if value is not None]
    if asked:
        raise InputError(
            f"{', '.join(asked)}: only for a file of schools, and none is named.",
            mend="Name the file of schools, or leave this out: the system's own pins, leaders and"
            " partnerships are kept in the system, and so is the proposal.",
        )


def _form(files: Files, parameters: Parameters, *, seed: int, out: Path) -> None:
    """Read, form, write, and say in a few lines what came of it."""
    from brightspots.connectedness.capacity_checks import left_out_by_area, room_of_leaders
    from brightspots.connectedness.difference import difference
    from brightspots.connectedness.partnerships import form_partnerships
    from brightspots.core.errors import InputError
    from brightspots_cli.partnership_files import members_to_write, read_inputs, summary
    from brightspots_cli.results import write_folder

    inputs = read_inputs(files, parameters)
    _say(*inputs.notes)
    try:
        room = None
        if {"capacity", "leader"} & set(inputs.schools.columns):
            room = room_of_leaders(inputs.schools, parameters, inputs.travel)
            _say(*room.messages())
        existing = None if inputs.changes is None else inputs.changes.existing
        result = _with_bar(
            lambda progress: form_partnerships(
                inputs.schools, parameters, seed=seed, progress=progress, existing=existing,
                **inputs.others,
            )
        )  # fmt: skip
        found = None if inputs.changes is None else difference(inputs.changes, result)
    except InputError as error:
        raise inputs.placed(error) from error
    tables = {"partnerships.csv": members_to_write(result, serve_all=parameters.serve_all)}
    if found is not None:
        tables |= {
            "differences.csv": found.schools, "partnership_changes.csv": found.partnerships,
        }  # fmt: skip
    by_area = "area" in inputs.schools.columns
    left_out = left_out_by_area(result, inputs.schools) if by_area else None
    write_folder(
        out, tables,
        summary(result, found=found, room=room, left_out=left_out, notes=inputs.notes),
    )  # fmt: skip
    _report(result, inputs, out)
    if left_out is not None and left_out.height:
        shown = "; ".join(
            f"{area or 'no area'} {count:,} of {all_:,}"
            for area, all_, count in left_out.head(10).iter_rows()
        )
        typer.echo(f"Left out by area: {shown}{' ...' if left_out.height > 10 else ''}.")
    for pin in result.broken_pins.head(10).iter_rows(named=True):
        pair = f"{pin['school_a']}, {pin['school_b']}".removesuffix(", ")
        typer.echo(f"Not kept: {pin['kind']} {pair}: {pin['reason']}.")
    if result.broken_pins.height > 10:
        typer.echo(f"{result.broken_pins.height:,} pins are not kept: see summary.json.")
    if found is not None:
        typer.echo(_moves(found))


def _moves(found: Difference) -> str:
    """Say in a sentence what changes."""
    kept, ended = (found.counts["partnerships"][name] for name in ("kept", "ended"))
    one = found.moved == 1
    return (
        f"{found.moved:,} {'school moves' if one else 'schools move'}"
        f" ({100 * found.as_dict()['share_moved']:.1f} %) at a price of {found.price:g} each;"
        f" partnerships: {kept:,} as they are, {found.counts['partnerships']['changed']:,} changed,"
        f" {ended:,} ended; {found.counts['leaders']['new']:,} with a new leader."
    )


def _with_bar(form: Callable[[Callable[[float, str], None]], Partnerships]) -> Partnerships:
    """Form with a bar that shows cost and gap; Ctrl-C ends the search and keeps its best."""
    from brightspots.connectedness.partnerships import StopEarly
    from brightspots_cli.interruption import asked_to_stop
    from brightspots_cli.progress import progress_bar

    words = "Stopping: the best answer so far is kept. Press Ctrl-C again to give up."
    with asked_to_stop(words) as stop, progress_bar() as show:

        def progress(share: float, stage: str) -> None:
            show(share, stage_in_words(stage))
            if stop():
                raise StopEarly

        return form(progress)


def stage_in_words(stage: str) -> str:
    """Add cost and proven gap to a stage that carries them."""
    cost, gap = getattr(stage, "cost", None), getattr(stage, "gap", None)
    cost_words = "" if cost is None else f", {cost:,.0f} km"
    return f"{stage}{cost_words}{'' if gap is None else f', within {100 * gap:.2f} %'}"


def _report(result: Partnerships, inputs: Inputs, out: Path) -> None:
    unit = "km" if inputs.travel is None else inputs.travel.limit_unit
    early = " Stopped early: the best answer so far." if result.stopped_early else ""
    proved = (
        "how far above the best is not known" if result.gap is None
        else f"within {100 * result.gap:.2f} % of the lower bound"
    )  # fmt: skip
    typer.echo(
        f"{result.n_partnerships} partnerships for {result.members.height} of {result.n_schools}"
        f" schools, {result.isolated.height} isolated; written to {out}."
    )
    typer.echo(f"Cost {result.objective['total']:,.1f} {unit}, {proved}.{early}")
    closed = inputs.listed.height - inputs.schools.height
    if closed:
        have, were = ("school has", "was") if closed == 1 else ("schools have", "were")
        typer.echo(f"{closed:,} {have} closed or merged and {were} left away.")


def _say(*words: str) -> None:
    for line in words:
        typer.echo(line, err=True)
