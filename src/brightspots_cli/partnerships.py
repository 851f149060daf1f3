"""`brightspots partnerships`: propose a partnership for every school."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import polars as pl

    from brightspots.connectedness.partnerships import Partnerships

HELP = """Propose a partnership for every school; list the schools that can have none, and why.

SCHOOLS is a CSV (gzip allowed), Parquet or XLSX file with one row a school:

\b
school     code of the school; read as text, leading zeros stay
latitude   degrees, -90 to 90; 0, 0 and empty stand for an unknown place
longitude  degrees, -180 to 180
strength   optional number: the higher, the stronger; any scale
need       optional number: the higher, the more support is needed
phase      optional text; several with ";", "all" fits every phase
language   optional text; several with ";", "all" fits every language
leader     optional: 1 or 0 (true, false, yes, no): may this school lead?
           without the column every school may
capacity   optional whole number: the most schools in a partnership that
           this school leads, its own included; empty for no limit

\b
Writes to the folder OUT:
partnerships.csv  school, partnership, leader_school, distance_km
summary.json      n_schools, n_partnerships, isolated (school, reason),
                  objective, objective_parts, lower_bound, gap, seconds,
                  settings and more

Without SCHOOLS the imported system is used, and the proposal is kept there for people to
look at, change and adopt.

Every school is in exactly one partnership of MIN to MAX schools, at most MAX-KM (great
circle) from its leader; its members share a phase and a language. The same file, settings
and seed give the same partnerships, in whatever order the rows stand.
"""


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
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Without a file: also make the proposal the system's.")
    ] = False,
    home: Annotated[
        Path | None, typer.Option("--home", help="Without a file: folder of the installation.")
    ] = None,
) -> None:
    from brightspots.connectedness.partnerships import Parameters, form_partnerships
    from brightspots.core.errors import InputError
    from brightspots_cli.progress import progress_bar

    if schools is None:
        from brightspots_cli.propose import propose

        settings = {"minimum": minimum, "maximum": maximum, "max_km": max_km}
        propose(settings | {"time_limit": time_limit}, seed=seed, adopt=adopt, home=home)
        return
    if out is None:
        raise InputError("the folder to write to is missing.", mend="Say --out DIR.")
    parameters = Parameters(minimum=minimum, maximum=maximum, max_km=max_km, time_limit=time_limit)
    frame, rows = read_schools_file(schools)
    try:
        with progress_bar() as progress:
            result = form_partnerships(frame, parameters, seed=seed, progress=progress)
    except InputError as error:
        # The library counts the rows of the table; titles and blank rows of the file count too.
        row = None if error.row is None else int(rows[error.row - 2])
        raise InputError(
            error.what, file=schools.name, row=row, column=error.column, mend=error.mend
        ) from error
    write(result, out)
    typer.echo(
        f"{result.n_partnerships} partnerships for {result.members.height} of {result.n_schools}"
        f" schools, {result.isolated.height} isolated; written to {out}."
    )


command.__doc__ = HELP


def write(result: Partnerships, out: Path) -> None:
    """Write the two files of the contract."""
    import json

    import polars as pl

    from brightspots.core.errors import InputError

    try:
        out.mkdir(parents=True, exist_ok=True)
        result.members.with_columns(pl.col("distance_km").round(6)).write_csv(
            out / "partnerships.csv"
        )
        (out / "summary.json").write_text(
            json.dumps(summary(result), indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}.", file=str(out)) from error


def summary(result: Partnerships) -> dict[str, Any]:
    """Return the content of summary.json."""
    parts = dict(result.objective)
    stages = dict(result.seconds)
    return {
        "n_schools": result.n_schools,
        "n_served": result.members.height,
        "n_partnerships": result.n_partnerships,
        "n_isolated": result.isolated.height,
        "isolated": result.isolated.to_dicts(),
        "objective": parts.pop("total"),
        "objective_parts": parts,
        "lower_bound": result.lower_bound,
        "gap": result.gap,
        "n_schools_proved_optimal": result.n_proved,
        "stopped_early": result.stopped_early,
        "seconds": round(stages.pop("total"), 3),
        "seconds_by_stage": {stage: round(value, 3) for stage, value in stages.items()},
        **result.provenance.as_dict(),
    }


def read_schools_file(path: Path) -> tuple[pl.DataFrame, pl.Series]:
    """Read every cell as text; also the row of the file in which each school stands.

    Raises
    ------
    InputError
        If the file cannot be read, or a row has too many or too few values.
    """
    from brightspots.core.errors import InputError
    from brightspots.core.tables import read_table

    table = read_table(path)
    errors = table.problems.filter(table.problems["severity"] == "error")
    for problem in errors.head(1).iter_rows(named=True):
        raise InputError(
            problem["problem"],
            file=table.name,
            row=problem["row"],
            column=problem["column"],
            mend=problem["mend"],
        )
    names = {column: column.strip().lower() for column in table.columns}
    frame = table.frame
    if len(set(names.values())) == len(names):
        frame = frame.rename(names)
    return frame, table.row_numbers
