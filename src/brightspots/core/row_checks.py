"""Checks that look at several fields of a row, or at several rows."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from brightspots.core.fields import CODE_SUFFIX, Reading
from brightspots.core.problems import no_problems, problems_where
from brightspots.core.schemas import Kind


def check_rows(reading: Reading) -> None:
    """Check coordinates and official intervals, and add what is wrong to the problems."""
    if {"latitude", "longitude"} <= set(reading.columns):
        _check_coordinates(reading)
    for end in ("", *(f"@{subject}" for subject in reading.mapping.subjects())):
        if {f"lower{end}", f"upper{end}"} <= set(reading.columns):
            _check_interval(reading, end)
    _check_names(reading)


def _source_name(reading: Reading, key: str) -> str:
    source = reading.mapping.columns[key]
    return source.columns[0] if source.columns else key


def _check_coordinates(reading: Reading) -> None:
    """(0, 0) and half a pair are no place: both become missing, with a warning."""
    latitude, longitude = reading.columns["latitude"], reading.columns["longitude"]
    name = _source_name(reading, "latitude")
    nowhere = ((latitude == 0) & (longitude == 0)).fill_null(False)
    # a cell that could not be read has its own problem
    no_latitude = reading.columns["latitude" + CODE_SUFFIX].is_not_null()
    no_longitude = reading.columns["longitude" + CODE_SUFFIX].is_not_null()
    half = (no_latitude & longitude.is_not_null()) | (no_longitude & latitude.is_not_null())
    reading.report(
        nowhere,
        name,
        pl.Series(["0, 0"]).new_from_index(0, len(reading)),
        "The coordinates are 0, 0, a place in the sea; they are read as missing.",
        "Look the place up.",
        "warning",
    )
    reading.report(
        half,
        name,
        None,
        "There is a latitude or a longitude but not both; both are read as missing.",
        "Fill in the other one.",
        "warning",
    )
    for key in ("latitude", "longitude"):
        gone = nowhere | half
        code = reading.columns[key + CODE_SUFFIX]
        reading.columns[key] = reading.columns[key].set(gone, None)
        reading.columns[key + CODE_SUFFIX] = code.set(gone & code.is_null(), "EMPTY")


def _check_interval(reading: Reading, end: str) -> None:
    lower, upper = reading.columns[f"lower{end}"], reading.columns[f"upper{end}"]
    name = _source_name(reading, f"lower{end}")
    shown = lower.cast(pl.String) + " to " + upper.cast(pl.String)
    reading.report(
        lower > upper,
        name,
        shown,
        "The lower limit is above the upper limit.",
        "Check that the two columns are not exchanged.",
    )
    if f"mean{end}" in reading.columns:
        mean = reading.columns[f"mean{end}"]
        reading.report(
            (lower <= upper) & ((mean < lower) | (mean > upper)),
            _source_name(reading, f"mean{end}"),
            mean.cast(pl.String) + ", interval " + shown,
            "The mean lies outside its official interval.",
            "Check it; it is kept as it is.",
            "warning",
        )


def _check_names(reading: Reading) -> None:
    """Where schools are found by name and area, every row needs both."""
    if reading.mapping.match != "name and area":
        return
    name = "name" if reading.mapping.kind == "schools" else "school_name"
    for key, what in ((name, "name"), ("area_path", "area")):
        reading.report(
            reading.columns[key].is_null(),
            _source_name(reading, key),
            None,
            f"There is no {what}, by which the school would be found.",
            "Fill it in or leave the row out.",
        )


@dataclass(frozen=True)
class Repeats:
    """Rows with the same key: `drop` marks later rows that say the same as an earlier one."""

    drop: pl.Series
    problems: pl.DataFrame


def find_repeats(rows: pl.DataFrame, key: tuple[str, ...], column: str | None) -> Repeats:
    """Find rows with the same key; those that differ are errors, those that agree are warnings.

    Parameters
    ----------
    rows : polars.DataFrame
        Typed rows with the column "row".
    key : tuple of str
        Columns that together name a row. Rows with a null among them are left alone: they are
        refused for that already.
    column : str, optional
        Column of the file to name in messages.

    Notes
    -----
    Letters' case and runs of spaces do not tell names and areas apart; they do tell codes apart.
    """
    keep = pl.Series([False]).new_from_index(0, rows.height)
    if not key or not rows.height:
        return Repeats(keep, no_problems())
    marked = rows.select(
        pl.int_range(pl.len()).alias("at"), "row", *(_comparable(each) for each in key)
    )
    whole = pl.all_horizontal(pl.col(list(key)).is_not_null())
    again = marked.filter(whole).filter(pl.len().over(list(key)) > 1)
    if not again.height:
        return Repeats(keep, no_problems())
    others = [each for each in rows.columns if each != "row" and each not in key]
    differ = pl.lit(False)
    if others:
        again = again.with_columns(rows[again["at"]].select(others).to_struct("said"))
        differ = pl.col("said").n_unique().over(list(key)) > 1
    again = again.with_columns(
        differ.alias("differ"),
        pl.col("row").first().over(list(key)).alias("first"),
        pl.col("row")
        .unique(maintain_order=True)
        .get(1, null_on_oob=True)
        .over(list(key))
        .alias("second"),
    ).with_columns(
        pl.when(pl.col("row") == pl.col("first")).then("second").otherwise("first").alias("other"),
        pl.concat_str([pl.col(each).cast(pl.String) for each in key], separator=", ").alias(
            "shown"
        ),
    )
    later = again.filter(~pl.col("differ") & pl.int_range(pl.len()).over(list(key)).gt(0))
    problems = [
        problems_where(
            again["differ"],
            rows=again["row"],
            column=column,
            values=again["shown"],
            also_rows=again["other"],
            problem="Two rows for the same thing say different things.",
            severity="error",
            mend="Keep the right one.",
        ),
        problems_where(
            pl.Series([True]).new_from_index(0, later.height),
            rows=later["row"],
            column=column,
            values=later["shown"],
            also_rows=later["first"],
            problem="This row says the same as an earlier one and is read once.",
            severity="warning",
            mend="Nothing has to be done.",
        ),
    ]
    return Repeats(keep.scatter(later["at"], True), pl.concat(problems))


def _comparable(key: str) -> pl.Expr:
    column = pl.col(key)
    if key in ("name", "school_name", "area_path"):
        return column.str.to_lowercase().str.replace_all(r"\s+", " ")
    return column


def key_columns(kind: Kind, columns: list[str]) -> tuple[str, ...]:
    """Return the columns that together name a row of this kind, among those that are there."""
    if kind == "schools":
        return ("code",) if "code" in columns else ("name", "area_path")
    if kind == "pupil_results" and "pupil" not in columns:
        return ()
    school = ("school",) if "school" in columns else ("school_name", "area_path")
    rest = ("other",) if kind == "school_links" else ("year", "subject", "pupil")
    return (*school, *(each for each in rest if each in columns))
