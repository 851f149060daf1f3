"""Files about the way between schools: a table of travel, and barriers that nobody crosses.

Tables of travel are long (a row for each pair of neighbours), so they are checked column by column.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from brightspots.connectedness.small_files import SmallTable, read_small
from brightspots.connectedness.travel import Travel

__all__ = ["TravelFiles", "read_travel"]

UNITS = {"minutes": "minutes", "km": "km", "travel": "units"}
"""Column of the way -> its unit in words."""


@dataclass(frozen=True)
class TravelFiles:
    """What was read, and what a person should know of it.

    Attributes
    ----------
    travel : Travel
    notes : tuple of str
        Sentences: pairs listed in one direction only, rows of schools that are not there.
    """

    travel: Travel
    notes: tuple[str, ...]


def read_travel(
    schools: pl.DataFrame,
    travel: str | Path | pl.DataFrame | None = None,
    barriers: str | Path | pl.DataFrame | None = None,
) -> TravelFiles:
    """Read a table of travel, barriers, or both.

    Parameters
    ----------
    schools : DataFrame
        With a column school, and area where barriers name areas. Rows about schools that are not in
        it are left out and counted in the notes.
    travel : path or DataFrame, optional
        from_school, to_school, and one of minutes, km, or travel (in a unit of your own): numbers
        from 0 up. An empty number says that there is no way, as does a pair that is not listed. A
        pair listed in one direction only holds for both; of two directions the smaller holds.
    barriers : path or DataFrame, optional
        school_a, school_b: two schools; or area_a, area_b: two areas, as in the column area.

    Raises
    ------
    InputError
        What cannot be read, negative or not a number, a pair twice, a barrier between a place and
        itself, or nothing in it about these schools: with file, row and column.
    """
    codes = schools.select(pl.col("school").cast(pl.String).str.strip_chars()).to_series()
    notes: list[str] = []
    table, unit = None, "km"
    if travel is not None:
        table, unit = _read_table(travel, codes, notes)
    walls = None if barriers is None else _read_barriers(barriers, schools, codes, notes)
    return TravelFiles(Travel(minutes_or_km=table, unit=unit, barriers=walls), tuple(notes))


def _read_table(
    source: str | Path | pl.DataFrame, codes: pl.Series, notes: list[str]
) -> tuple[pl.DataFrame, str]:
    read = read_small(source, ("from_school", "to_school"), "travel table")
    ways = [column for column in UNITS if column in read.columns]
    if len(ways) != 1:
        found = "has none" if not ways else f"has {' and '.join(ways)}"
        raise read.error(
            f"the travel table needs one of the columns minutes, km or travel; it {found}.",
            column=ways[0] if ways else "travel", mend="Keep the one to go by.",
        )  # fmt: skip
    way = ways[0]
    frame = read.frame.select(
        "from_school", "to_school", pl.col(way).alias("text"),
        pl.col(way).cast(pl.Float64, strict=False).alias("travel"),
        pl.Series("row", read.numbers, dtype=pl.Int64),
    )  # fmt: skip
    for column in ("from_school", "to_school"):
        _refuse(read, frame.filter(pl.col(column) == ""), column, "the school code is empty.")
    missing = pl.col("text").str.to_lowercase().is_in(["", "na", "n/a", "null", "none", "-"])
    bad = ~missing & (
        pl.col("travel").is_null() | ~pl.col("travel").is_finite() | (pl.col("travel") < 0)
    )
    _refuse(read, frame.filter(bad), way, '"{text}" is not a number from 0 up.')
    twice = frame.filter(pl.struct("from_school", "to_school").is_first_distinct().not_())
    _refuse(
        read, twice, "to_school", "the way from {from_school} to {to_school} stands twice.",
        "Keep one row for each direction.",
    )  # fmt: skip
    known = frame.filter(
        ~missing & pl.col("from_school").is_in(codes.implode())
        & pl.col("to_school").is_in(codes.implode())
        & (pl.col("from_school") != pl.col("to_school"))
    ).select("from_school", "to_school", "travel")  # fmt: skip
    if known.is_empty():
        raise read.error(
            "no row is about two of these schools.", column="from_school",
            mend="Are the codes written alike in both files (leading zeros)?",
        )  # fmt: skip
    strangers = frame.filter(
        ~pl.col("from_school").is_in(codes.implode()) | ~pl.col("to_school").is_in(codes.implode())
    ).height
    _note(
        notes, strangers, "row of the travel table names a school that is not in the list and is"
        " left out.", "rows of the travel table name schools that are not in the list and are"
        " left out.",
    )  # fmt: skip
    _note_directions(known, notes)
    return known, UNITS[way]


def _note_directions(known: pl.DataFrame, notes: list[str]) -> None:
    """Say how many pairs are listed one way only, or differ."""
    back = known.rename({"from_school": "to_school", "to_school": "from_school", "travel": "back"})
    both = known.join(back, on=["from_school", "to_school"], how="left")
    _note(
        notes, both["back"].null_count(), "pair is listed in one direction only; its value holds"
        " for both.", "pairs are listed in one direction only; the value holds for both.",
    )  # fmt: skip
    differ = both.filter(pl.col("back").is_not_null() & (pl.col("travel") != pl.col("back")))
    _note(
        notes, differ.height // 2, "pair differs by direction; the smaller value holds for both.",
        "pairs differ by direction; the smaller value holds for both.",
    )  # fmt: skip


def _note(notes: list[str], count: int, one: str, many: str) -> None:
    if count:
        notes.append(f"{count:,} {one if count == 1 else many}")


def _refuse(
    read: SmallTable, rows: pl.DataFrame, column: str, what: str, mend: str | None = None
) -> None:
    """Refuse the first of `rows`, if there is one; `what` may name its cells."""
    for cells in rows.head(1).iter_rows(named=True):
        raise read.error(what.format(**cells), cells["row"], column, mend)


def _read_barriers(
    source: str | Path | pl.DataFrame, schools: pl.DataFrame, codes: pl.Series, notes: list[str]
) -> pl.DataFrame:
    read = read_small(source, (), "barriers")
    kinds = [k for k in ("school", "area") if {f"{k}_a", f"{k}_b"} <= set(read.columns)]
    if len(kinds) != 1:
        raise read.error(
            "barriers need the columns school_a and school_b, or area_a and area_b"
            + ("." if not kinds else ", and not both."),
            column="school_a", mend=f"Columns found: {', '.join(read.columns) or 'none'}.",
        )  # fmt: skip
    kind = kinds[0]
    one, other = f"{kind}_a", f"{kind}_b"
    frame = read.frame.select(one, other, pl.Series("row", read.numbers, dtype=pl.Int64))
    for column in (one, other):
        _refuse(read, frame.filter(pl.col(column) == ""), column, f"the {kind} is empty.")
    itself = frame.filter(pl.col(one) == pl.col(other))
    _refuse(read, itself, other, f"a barrier stands between the {kind} {{{one}}} and itself.")
    if kind == "area" and "area" not in schools.columns:
        raise read.error(
            "the barriers stand between areas, and the schools have no column area.", column=one,
            mend="Add the column area to the schools, or name pairs of schools.",
        )  # fmt: skip
    places = codes if kind == "school" else schools["area"].cast(pl.String).str.strip_chars()
    there = places.implode()
    known = frame.filter(pl.col(one).is_in(there) & pl.col(other).is_in(there)).select(one, other)
    if known.is_empty():
        raise read.error(
            f"no barrier is between two {kind}s of these schools.", column=one,
            mend=f"Are the {kind}s written alike in both files?",
        )  # fmt: skip
    _note(notes, frame.height - known.height,
          f"barrier names a {kind} that is not in the list and is left out.",
          f"barriers name {kind}s that are not in the list and are left out.")  # fmt: skip
    return known
