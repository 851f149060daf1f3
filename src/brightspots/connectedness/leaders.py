"""The list of leaders: who may lead, how many schools, and what they are strong at.

The list says who may lead: a school that is not in it may not. It is laid over the table of
schools as columns, so that the forming of partnerships knows one kind of input only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from brightspots.connectedness.settings import MOST_PRIORITIES
from brightspots.connectedness.small_files import SmallTable, read_small

__all__ = ["Leaders", "read_leaders", "with_leaders"]

OTHERS = {"leader_school", "capacity", "leader", "name", "note"}
"""Columns that are no priorities."""


@dataclass(frozen=True)
class Leaders:
    """Who may lead.

    Attributes
    ----------
    frame : DataFrame
        school, capacity (the most schools in the partnership, its own included; null for no limit
        of its own), and a column for each of `priorities`: ``strong_<priority>`` (1 or 0) where the
        file has nothing but yes and no, else ``strength_<priority>`` (number or null); sorted by
        school.
    priorities : tuple of str
        As in the header of the file.
    rows : mapping
        School -> row of the file.
    name : str or None
        Name of the file.
    """

    frame: pl.DataFrame
    priorities: tuple[str, ...]
    rows: dict[str, int]
    name: str | None


def read_leaders(source: str | Path | pl.DataFrame, *, name: str | None = None) -> Leaders:
    """Read the list of leaders from a file or a frame.

    Parameters
    ----------
    source : path or DataFrame
        leader_school; optionally capacity (a whole number: the most schools in the partnership,
        the leader's own included; empty for no limit of its own); every further column (other than
        name and note) is a priority: 1 or 0, yes or no, or any number, the higher the stronger;
        empty where it is not known. Three priorities at most.
    name : str, optional
        Name for messages; the file's own otherwise.

    Raises
    ------
    InputError
        A school twice, a capacity that is no whole number from 1 up, more than three priorities,
        and what cannot be read: with row and column.
    """
    table = read_small(source, ("leader_school",), "list of leaders", name=name)
    columns = [column for column in table.columns if column not in OTHERS]
    names = [re.sub(r"^(strength|strong)_", "", column) for column in columns]
    if len(names) > MOST_PRIORITIES:
        raise table.error(
            f"there are {len(names)} priorities ({', '.join(names)}): never more than three"
            " priorities.", mend="Take out columns; name and note are not counted.",
        )  # fmt: skip
    if len({*names, "school", "capacity"}) < len(names) + 2:
        raise table.error(f"a priority stands twice: {', '.join(columns)}.")
    rows: dict[str, int] = {}
    records: list[tuple[str | float | None, ...]] = []
    for row, cells in table:
        school = table.school(row, cells, "leader_school")
        if school in rows:
            raise table.error(
                f"the school {school} is already in row {rows[school]}.", row, "leader_school",
                "A leader leads one partnership only: keep one of the two rows.",
            )  # fmt: skip
        if "leader" in cells and table.yes(row, cells, "leader") is False:
            continue
        rows[school] = row
        strengths = (_strength(table, row, cells, column) for column in columns)
        records.append((school, _capacity(table, row, cells), *strengths))
    if not records:
        raise table.error("there is no leader in it.", mend="Give one row a school that may lead.")
    schema = {"school": pl.String, "capacity": pl.Int64} | dict.fromkeys(names, pl.Float64)
    frame = pl.DataFrame(records, schema=schema, orient="row").sort("school")
    frame = frame.with_columns(_priority(frame[priority]) for priority in names).drop(names)
    return Leaders(frame, tuple(names), rows, table.name)


def _priority(values: pl.Series) -> pl.Series:
    """Name a column of a priority by what it holds; nobody is strong who is not said to be."""
    if values.drop_nulls().is_in([0.0, 1.0]).all():
        return values.fill_null(0.0).cast(pl.Int64).alias(f"strong_{values.name}")
    return values.alias(f"strength_{values.name}")


def _capacity(table: SmallTable, row: int, cells: dict[str, str]) -> int | None:
    if "capacity" not in cells:
        return None
    number = table.number(row, cells, "capacity")
    if number is None:
        return None
    if number < 1 or number != int(number):
        raise table.error(
            f"the capacity is {cells['capacity']}, not a whole number from 1 up.", row, "capacity",
            "Capacity counts the schools of the partnership, the leader's own included; take out"
            " the row of a school that does not lead.",
        )  # fmt: skip
    return min(int(number), 1_000_000)


def _strength(table: SmallTable, row: int, cells: dict[str, str], column: str) -> float | None:
    if cells[column].lower() in {"true", "t", "yes", "y", "false", "f", "no", "n"}:
        return float(table.yes(row, cells, column) or 0)
    return table.number(row, cells, column)


def with_leaders(schools: pl.DataFrame, leaders: Leaders, minimum: int = 2) -> pl.DataFrame:
    """Lay the list of leaders over the table of schools.

    Sets leader (1 for the schools of the list, 0 for all others) and capacity, and adds the columns
    of the priorities. Columns of the same names and priorities are replaced, so that two scales are
    never mixed; the others stay. A school that is not in the list has no strength known.

    Parameters
    ----------
    schools : DataFrame
        With a column school.
    leaders : Leaders
    minimum : int
        Fewest schools in a partnership, to find a list in which nobody could lead one.

    Raises
    ------
    InputError
        A leader that is not among the schools; no capacity that reaches `minimum`.
    """
    codes = set(schools["school"].cast(pl.String).str.strip_chars().to_list())
    unknown = [(row, school) for school, row in leaders.rows.items() if school not in codes]
    table = SmallTable(leaders.name, (), leaders.frame, ())
    if unknown:
        row, school = min(unknown)
        more = f" ({len(unknown) - 1} more of the list are not, either)" if unknown[1:] else ""
        raise table.error(
            f"the leader {school} is not among the schools{more}.", row, "leader_school",
            "Correct the code, or take out the row of a school that has closed.",
        )  # fmt: skip
    if not (leaders.frame["capacity"].fill_null(minimum) >= minimum).any():
        raise table.error(
            f"no leader has a capacity of {minimum} or more, and a partnership has {minimum}"
            " schools at least.", column="capacity",
            mend="Capacity counts the schools of the partnership, the leader's own included.",
        )  # fmt: skip
    laid = leaders.frame.with_columns(leader=pl.lit(1))
    priorities = [f"{kind}_{p}" for kind in ("strength", "strong") for p in leaders.priorities]
    replaced = {*laid.columns, *priorities} - {"school"}
    strong = [column for column in laid.columns if column.startswith("strong_")]
    kept = schools.drop([column for column in schools.columns if column in replaced])
    return (
        kept.with_columns(pl.col("school").cast(pl.String).str.strip_chars())
        .join(laid, on="school", how="left", maintain_order="left")
        .with_columns(pl.col("leader", *strong).fill_null(0))
    )
