"""`brightspots families`: the schools most like each school."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brightspots.core.errors import InputError

if TYPE_CHECKING:
    import polars as pl

    from brightspots.core.tables import Table
    from brightspots.insight.families import Families

MAX_LEVELS = 100
"""More levels than this are names, not circumstances."""


def command(
    file: Annotated[
        Path,
        typer.Argument(
            help="Schools, one row each: CSV, gzip CSV, Parquet or XLSX.", show_default=False
        ),
    ],
    context: Annotated[
        str,
        typer.Option(
            "--context",
            help="Columns that describe circumstances, with commas between. Never outcomes.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for the results; made if needed.")],
    match: Annotated[
        str,
        typer.Option("--match", help="Columns that must be equal outright, such as the phase."),
    ] = "",
    k: Annotated[
        int, typer.Option("--k", help="Schools in a family, the school not counted.")
    ] = 50,
    school: Annotated[str, typer.Option("--school", help="Column with the code.")] = "school",
    log: Annotated[
        str, typer.Option("--log", help="Context columns to take as logarithms: skewed counts.")
    ] = "",
    factor: Annotated[
        str,
        typer.Option("--factor", help="Context columns whose numbers are names, such as a region."),
    ] = "",
    factor_weight: Annotated[
        float,
        typer.Option(
            "--factor-weight", help="Distance between two levels of a factor, in SD of a number."
        ),
    ] = 1.0,
) -> None:
    """Find the K schools most like each school in context, and say how alike they are.

    Numbers are standardised over the schools, words are factors. An empty cell, NA or another code
    (SUPP, NE, NEW, LOWCOV, NP) is not known; what is not known lies at a distance of its own.

    Writes into OUT, all or nothing:

    families.csv: school, member, rank (1 is nearest), distance (SD over all context columns)

    balance.csv: school, variable, difference: the school minus the mean of its family, in SD; for a
    factor the share of the family at another level

    summary.json: n_schools, k, schools without a family, balance by variable, method_version,
    input_hash, settings

    Nothing is random; the order of rows changes nothing. Bad input: exit code 2 and one message
    with file, row and column.
    """
    from brightspots.insight.families import FamilyParameters, similar_schools
    from brightspots_cli.results import names, write_folder

    parameters = FamilyParameters(
        context=names(context),
        k=k,
        match=names(match),
        factor_weight=factor_weight,
        school=school,
    )
    frame, rows = read_schools(file, parameters, log=names(log), factor=names(factor))
    try:
        result = similar_schools(frame, parameters)
    except InputError as error:
        row = None if error.row is None else int(rows[error.row - 2])
        raise InputError(
            error.what, file=str(file), row=row, column=error.column, mend=error.mend
        ) from error
    about = summary(result, log=names(log), factor=names(factor))
    write_folder(out, {"families.csv": result.frame, "balance.csv": result.balance}, about)
    typer.echo(f"{len(result.schools):,} schools, families of up to {k}. Results: {out}")
    typer.echo("\n".join(in_words(about)))


def read_schools(
    file: Path, parameters: Any, *, log: tuple[str, ...] = (), factor: tuple[str, ...] = ()
) -> tuple[pl.DataFrame, pl.Series]:
    """Read the used columns with their types; also the row of the file of each school.

    Raises
    ------
    InputError
        A column is missing, mixes numbers and words, is empty or the same everywhere.
    """
    import polars as pl

    from brightspots.core.tables import read_table

    used = list(dict.fromkeys([parameters.school, *parameters.context, *parameters.match]))
    table = read_table(file, name=str(file), columns=used)
    for problem in table.problems.filter(pl.col("severity") == "error").iter_rows(named=True):
        raise InputError(
            problem["problem"],
            file=table.name,
            row=problem["row"],
            column=problem["column"],
            mend=problem["mend"],
        )
    for name in [*used, *log, *factor]:
        if name not in table.header:
            raise _no_such_column(table, name)
    for name in [*log, *factor]:
        if name not in parameters.context:
            raise InputError(
                "--log and --factor speak of context columns.",
                column=name,
                mend="Name it in --context too.",
            )
    if parameters.school in (*parameters.context, *parameters.match):
        raise InputError(
            "The school's code is no circumstance.",
            file=table.name,
            column=parameters.school,
            mend="Take it out of --context and --match.",
        )
    columns = {name: _blank_as_null(table.frame[name]) for name in used}
    for name in parameters.context:
        columns[name] = _context(table, name, log=name in log, factor=name in factor)
    frame = pl.DataFrame({name: columns[name] for name in used})
    if frame.height < 2:
        raise InputError("There are fewer than two schools.", file=table.name)
    return frame, table.row_numbers


def _no_such_column(table: Table, name: str) -> InputError:
    near = [each for each in table.header if each.strip().lower() == name.strip().lower()]
    listed = ", ".join(table.header[:12]) + (", ..." if len(table.header) > 12 else "")
    return InputError(
        "There is no such column.",
        file=table.name,
        column=name,
        mend=f'Did you mean "{near[0]}"?' if near else f"The file has: {listed}.",
    )


def _blank_as_null(text: pl.Series) -> pl.Series:
    import polars as pl

    from brightspots.core.cells import read_codes, trimmed
    from brightspots.core.nonvalues import known_codes

    missing = read_codes(text, known_codes()).is_not_null()
    return trimmed(text).set(missing, None).cast(pl.String)


def _context(table: Table, name: str, *, log: bool, factor: bool) -> pl.Series:
    """Read a context column as numbers or as a factor, and refuse what says nothing."""
    import numpy as np

    from brightspots.core.cells import find_decimal_mark, read_numbers
    from brightspots.core.nonvalues import known_codes

    text = table.frame[name]
    words = _blank_as_null(text)
    present = words.drop_nulls()
    if present.is_empty():
        raise InputError(
            "The column holds no value at all.",
            file=table.name,
            column=name,
            mend="Leave it out of --context, or fill it in.",
        )
    decimal, _ = find_decimal_mark([text])
    numbers = read_numbers(text, decimal, known_codes())
    bad = int(numbers.bad.sum())
    if factor or 2 * bad > present.len():
        column = words
        if column.n_unique() > MAX_LEVELS:
            raise InputError(
                f"The column has {column.n_unique():,} different words; {MAX_LEVELS} is the limit.",
                file=table.name,
                column=name,
                mend="Is it a name or a code? Group it first, or leave it out.",
            )
    elif bad:
        at = int(np.argmax(numbers.bad.to_numpy()))
        raise InputError(
            f'"{text[at][:60]}" is not a number, and most of this column is.',
            file=table.name,
            row=int(table.row_numbers[at]),
            column=name,
            mend=f'Mend it, leave it empty if it is not known, or say --factor "{name}".',
        )
    else:
        column = numbers.value
    if column.drop_nulls().n_unique() == 1:
        raise InputError(
            f'Every school has "{present[0]}" here, so it makes no school more alike than another.',
            file=table.name,
            column=name,
            mend="Leave it out of --context.",
        )
    return _logarithm(table, column, name) if log else column


def _logarithm(table: Table, column: pl.Series, name: str) -> pl.Series:
    import numpy as np
    import polars as pl

    if column.dtype != pl.Float64:
        raise InputError(
            "Words have no logarithm.", file=table.name, column=name, mend="Take it out of --log."
        )
    wrong = (column <= 0).fill_null(False).to_numpy()
    if wrong.any():
        at = int(np.argmax(wrong))
        raise InputError(
            f"{column[at]:g} has no logarithm.",
            file=table.name,
            row=int(table.row_numbers[at]),
            column=name,
            mend="Leave the cell empty if it is not known, or take the column out of --log.",
        )
    return column.log()


def summary(result: Families, *, log: tuple[str, ...], factor: tuple[str, ...]) -> dict[str, Any]:
    """Return what `summary.json` holds."""
    found = (result.members >= 0).sum(axis=1)
    alone = [school for school, n in zip(result.schools, found.tolist(), strict=True) if n == 0]
    settings = dict(result.provenance.settings)
    return {
        "n_schools": len(result.schools),
        "k": settings["k"],
        "n_with_fewer_than_k": int((found < settings["k"]).sum()) - len(alone),
        "without_family": alone,
        "balance": result.balance_summary.to_dicts(),
        "method": result.provenance.method,
        "method_version": result.provenance.method_version,
        "input_hash": result.provenance.input_hash,
        "settings": settings | {"log": list(log), "as_factor": list(factor)},
    }


def in_words(about: dict[str, Any]) -> list[str]:
    """Say how alike the families are, a line a context column."""
    from brightspots.insight.families import FAR

    lines = []
    for each in about["balance"]:
        size, largest = each["mean_absolute_difference"], each["largest_absolute_difference"]
        if size is None:
            lines.append(f"{each['variable']}: not known of any school and its family.")
            continue
        if each["is_factor"]:
            words = f"on average {1 - size:.0%} of a family are of the school's own kind"
            far = f"more than {FAR:.0%} of the family are of another kind"
        else:
            words = f"schools lie {size:.2f} SD from the mean of their family on average"
            words += f", {largest:.2f} at most"
            far = f"they lie more than {FAR} SD away: say so beside their comparison"
        lines.append(f"{each['variable']}: {words}. For {each['schools_far']:,} schools {far}.")
    if about["without_family"]:
        count = len(about["without_family"])
        lines.append(f"{count:,} have no family: no other school shares a known circumstance.")
    return lines
