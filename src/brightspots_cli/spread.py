"""`brightspots spread`: how practices spread from school to school."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

HELP = """Follow practices from school to school: how far and how well each spreads.

ADOPTIONS is a CSV (gzip allowed), Parquet or XLSX file with one row an adoption:

\b
practice       code or title of the practice
school         code of the school that took it up
source_school  code of the school that it was taken from; empty for the
               school that the practice comes from
date           when it was taken up: 2025-03-31
adapted        optional: 1 or 0, yes or no, or in which way
stopped        optional date; stopped_reason: optional text
distance_km    optional: how far the two schools are apart
adoption, source_adoption
               optional: codes of adoptions, in the place of source_school

\b
Writes to the folder OUT:
practices.csv  practice, source_school, schools_reached, generations, adapted,
               stopped, adopters, too_recent, passed_on, mean, lower, upper,
               above_one, median_km, farthest_km, first, last
schools.csv    practice, source_school, school, generation, taken_from, date,
               adapted, children, descendants, stopped
ends.csv       practice, source_school, school, generation, date, days_since,
               stopped, stopped_reason
summary.json   overall, dispersion, as_of, settings and more

mean is the number of further adoptions an adopter that has had the practice for WINDOW days:
above 1 a practice spreads by itself. lower to upper is its 95 % interval. Bad input: exit code 2
and one line with file, row and column.
"""


def command(
    adoptions: Annotated[Path, typer.Argument(help="File with one row an adoption.")],
    out: Annotated[Path, typer.Option("--out", help="Folder to write to; made if missing.")],
    as_of: Annotated[
        str, typer.Option("--as-of", help="Day up to which adoptions are known; today if empty.")
    ] = "",
    window: Annotated[
        int, typer.Option("--window", help="Days that an adopter must have had, and that count.")
    ] = 365,
    with_source: Annotated[
        bool, typer.Option("--with-source", help="Count the school it comes from as well.")
    ] = False,
) -> None:
    from brightspots.connectedness.spread import SpreadParameters, spread
    from brightspots.core.errors import InputError
    from brightspots_cli.partnership_files import in_file, read_schools_file
    from brightspots_cli.results import write_folder

    try:
        day = dt.date.fromisoformat(as_of) if as_of else dt.datetime.now(tz=dt.UTC).date()
    except ValueError:
        raise InputError(f'--as-of "{as_of}" is not a date.', mend="Write 2025-03-31.") from None
    parameters = SpreadParameters(window_days=window, with_source=with_source)
    frame, rows = read_schools_file(adoptions)
    try:
        result = spread(frame, day, parameters)
    except InputError as error:
        raise in_file(error, adoptions.name, rows) from error
    tables = {
        "practices.csv": result.practices, "schools.csv": result.schools, "ends.csv": result.ends,
    }  # fmt: skip
    summary = {
        "as_of": day.isoformat(),
        "overall": result.overall,
        "dispersion": result.dispersion,
        **result.provenance.as_dict(),
    }
    write_folder(out, tables, summary)
    reached = int(result.practices["schools_reached"].sum())
    lineages = result.practices.height
    typer.echo(
        f"{lineages:,} lineage{'' if lineages == 1 else 's'}, {reached:,}"
        f" adoption{'' if reached == 1 else 's'}; written to {out}."
    )
    whole = result.overall
    if whole["mean"] is not None:
        typer.echo(
            f"Each adopter passed it on to {whole['mean']:.2f} schools within {window} days"
            f" ({whole['lower']:.2f} to {whole['upper']:.2f}; {whole['adopters']:,} adopters)."
        )


command.__doc__ = HELP
