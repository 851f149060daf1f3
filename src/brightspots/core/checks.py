"""A table and a mapping into typed rows, with every refused row explained.

::

    table = read_table(path)                                    # brightspots.core.tables
    mapping = suggest_mapping("schools", table.columns)         # or Mapping.from_dict(saved)
    checked = apply(table, mapping)                             # or read_by(mapping, path)
    checked.rows       # typed frame of the rows that can be used
    checked.problems   # row, column, value, problem, mend, severity, also_row
    checked.counts     # severity, column, problem, mend, count: all of them, however many

Nothing is changed unseen. What reading does, and only this, is normal and not reported: spaces
around a cell are taken off; an empty text is missing; a figure's per-cent sign, separators of
thousands, decimal comma and minus sign (U+2212) are understood; 2021/22 is the year 2022; 21.0 is
the whole number 21. A text that begins with ``=``, ``+``, ``-`` or ``@`` is kept as it is: it is
escaped where tables are written, never executed here.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from brightspots.core.errors import InputError
from brightspots.core.fields import CODE_SUFFIX, Reading, read_fields
from brightspots.core.mapping import Mapping
from brightspots.core.problems import gather
from brightspots.core.row_checks import check_rows, find_repeats, key_columns
from brightspots.core.tables import Limits, Table, read_table


@dataclass(frozen=True)
class Checked:
    """What a file says, typed, and what is wrong with it.

    Parameters
    ----------
    rows : polars.DataFrame
        The rows that can be used. First `row` (Int64, as in a spreadsheet), then only the fields
        that the mapping names, in the order of the schema:

        - "code" and "text" fields, `area_path` (levels joined by ``AREA_SEPARATOR``): String;
        - numbers Float64, whole numbers and `year` Int64, dates Date;
        - beside every figure and date ``<field>__code`` (String): why it is missing ("SUPP",
          "EMPTY", ...), null where it is there;
        - ``context:<name>`` Float64 with its code, or String; see `context_types`;
        - ``grade:<label>`` Int64 with its code.

        Results have a row a subject (`subject`); with ``shape="wide"`` pupils keep a row each and
        their outcomes are ``score@<subject>``.
    problems : polars.DataFrame
        In the order of rows, at most `max_problems`; errors before warnings are not cut first.
    counts : polars.DataFrame
        severity, column, problem, mend, count over all problems.
    n_rows : int
        Rows of data in the file (blank rows and those not kept do not count).
    n_refused : int
        Rows with at least one error.
    n_skipped : int
        Rows left out by ``Mapping.keep``.
    n_repeated : int
        Rows that say the same as an earlier one.
    n_errors, n_warnings : int
        All of them.
    decimal : str
        The decimal mark used.
    context_types : dict
        Context field -> "number" or "text".
    """

    mapping: Mapping
    rows: pl.DataFrame
    problems: pl.DataFrame
    counts: pl.DataFrame
    n_rows: int
    n_refused: int
    n_skipped: int
    n_repeated: int
    n_errors: int
    n_warnings: int
    decimal: str
    context_types: dict[str, str]


def apply(table: Table, mapping: Mapping, *, max_problems: int = 10_000) -> Checked:
    """Read a table by a mapping.

    Parameters
    ----------
    table : Table
    mapping : Mapping
    max_problems : int
        How many problems are listed; all are counted.

    Raises
    ------
    InputError
        When the mapping lacks a field that is needed, or names a column that the file does not
        have. A bad cell never raises.
    """
    _refuse_unusable(table, mapping)
    frame, numbers, n_skipped = _kept(table, mapping)
    reading = read_fields(mapping, frame, numbers, table.delimiter)
    check_rows(reading)
    rows = _shape(reading)
    key = key_columns(mapping.kind, rows.columns)
    repeats = find_repeats(rows, key, _first_column(mapping, key))
    problems = gather([table.problems, *reading.problems, repeats.problems])
    errors = problems.filter(pl.col("severity") == "error")
    refused = errors["row"].drop_nulls().unique()
    good = rows.filter(~repeats.drop & ~rows["row"].is_in(refused.implode()))
    n_misfits = table.problems.filter(
        (pl.col("severity") == "error") & pl.col("row").is_not_null()
    )["row"].n_unique()
    n_rows = frame.height + n_misfits
    return Checked(
        mapping=mapping,
        rows=good,
        problems=_shown(problems, max_problems),
        counts=_counted(problems),
        n_rows=n_rows,
        n_refused=refused.len(),
        n_skipped=n_skipped,
        n_repeated=n_rows - refused.len() - good["row"].n_unique(),
        n_errors=errors.height,
        n_warnings=problems.height - errors.height,
        decimal=reading.decimal,
        context_types=reading.context_types,
    )


def read_by(
    mapping: Mapping,
    path: str | Path,
    *,
    name: str | None = None,
    limits: Limits | None = None,
    max_problems: int = 10_000,
) -> Checked:
    """Read a file by a saved mapping: its header row, sheet, encoding and only its columns.

    Raises
    ------
    InputError
        As :func:`brightspots.core.tables.read_table` and :func:`apply`.
    """
    used = [column for source in mapping.columns.values() for column in source.columns]
    table = read_table(
        path,
        name=name,
        encoding=mapping.encoding,
        delimiter=mapping.delimiter,
        header_row=mapping.header_row,
        sheet=mapping.sheet,
        columns=[*used, *mapping.keep],
        limits=limits,
    )
    return apply(table, mapping, max_problems=max_problems)


def with_problems(checked: Checked, more: pl.DataFrame, *, refused: bool) -> Checked:
    """Add problems found later (such as a school that is not known) to a result.

    Parameters
    ----------
    checked : Checked
        Its `rows` already without the rows concerned.
    more : polars.DataFrame
        Problems, at most one a row of the file.
    refused : bool
        Whether each of them refuses its row.
    """
    counts = _counted(more)
    errors = more.filter(pl.col("severity") == "error").height
    return replace(
        checked,
        problems=gather([checked.problems, more]),
        counts=pl.concat([checked.counts, counts]).sort(
            "severity", "count", descending=[False, True], maintain_order=True
        ),
        n_refused=checked.n_refused + (more.height if refused else 0),
        n_errors=checked.n_errors + errors,
        n_warnings=checked.n_warnings + more.height - errors,
    )


def _counted(problems: pl.DataFrame) -> pl.DataFrame:
    kind = ["severity", "column", "problem", "mend"]
    return (
        problems.group_by(kind, maintain_order=True)
        .agg(pl.len().cast(pl.Int64).alias("count"))
        .sort("severity", "count", descending=[False, True], maintain_order=True)
    )


def _shown(problems: pl.DataFrame, at_most: int) -> pl.DataFrame:
    """Cut the list, warnings first: an error refuses a row and has to be explained."""
    if problems.height <= at_most:
        return problems
    place = pl.int_range(pl.len()).alias("place")
    chosen = problems.with_columns(place).sort("severity", "place").head(at_most)
    return chosen.sort("place").drop("place")


def _refuse_unusable(table: Table, mapping: Mapping) -> None:
    missing = mapping.missing()
    if missing:
        raise InputError(
            f"The mapping does not say where to find: {', '.join(missing)}.",
            file=table.name,
            mend="Choose a column or a constant for each.",
        )
    if mapping.subjects() and "subject" in mapping.columns:
        raise InputError(
            "The subject is given twice: by a field of its own and after @ in other fields.",
            file=table.name,
            mend="Keep one of the two.",
        )
    used = [name for source in mapping.columns.values() for name in source.columns]
    for name in dict.fromkeys([*used, *mapping.keep]):
        if name not in table.columns:
            near = difflib.get_close_matches(name, table.header, n=1)
            hint = f'Is it "{near[0]}"?' if near else f"There are: {_few(table.header)}."
            raise InputError(
                "The mapping names a column that the file does not have.",
                file=table.name,
                row=table.header_row,
                column=name,
                mend=hint,
            )


def _few(names: Sequence[str]) -> str:
    shown = ", ".join(names[:12])
    return shown if len(names) <= 12 else f"{shown} and {len(names) - 12} more"


def _kept(table: Table, mapping: Mapping) -> tuple[pl.DataFrame, pl.Series, int]:
    """Leave out the rows whose record type is not wanted."""
    if not mapping.keep:
        return table.frame, table.row_numbers, 0
    keep = table.frame.select(
        pl.all_horizontal(
            pl.col(name).str.strip_chars().is_in(list(values))
            for name, values in mapping.keep.items()
        )
    ).to_series()
    return table.frame.filter(keep), table.row_numbers.filter(keep), int((~keep).sum())


def _first_column(mapping: Mapping, key: tuple[str, ...]) -> str | None:
    for each in key:
        source = mapping.columns.get(each)
        if source is not None and source.columns:
            return source.columns[0]
    return None


def _shape(reading: Reading) -> pl.DataFrame:
    """Put the typed columns together: a row a subject, unless pupils are to stay wide."""
    mapping, columns = reading.mapping, reading.columns
    rows = reading.rows.cast(pl.Int64).alias("row")
    subjects = mapping.subjects()
    if not subjects or (mapping.kind == "pupil_results" and mapping.shape == "wide"):
        return pl.DataFrame({"row": rows, **columns})
    keys = mapping.field_keys()
    bases = list(dict.fromkeys(key.base for key in keys))
    parts = []
    for subject in subjects:
        chosen: dict[str, pl.Series | pl.Expr] = {"row": rows}
        for base in bases:
            own = f"{base}@{subject}"
            source = own if own in columns else base
            for end in ("", CODE_SUFFIX):
                if source + end in columns:
                    chosen[base + end] = columns[source + end]
        parts.append(pl.DataFrame(chosen).with_columns(pl.lit(subject).alias("subject")))
    # diagonal: one subject may have an interval that another has not
    long = pl.concat(parts, how="diagonal").sort("row", maintain_order=True)
    front = [
        each
        for each in ("row", "school", "school_name", "area_path", "year", "pupil")
        if each in long.columns
    ]
    return long.select(*front, "subject", pl.exclude(*front, "subject"))
