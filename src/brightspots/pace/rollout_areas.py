"""The areas of a rollout: read from a table, with every fault named by row and column."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.connectedness.small_files import SmallTable, read_small
from brightspots.core.errors import InputError
from brightspots.core.problems import gather, one_problem
from brightspots.core.provenance import hash_frame

__all__ = ["STAGES", "Areas", "read_areas"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STAGES: Final = {"beginning": 0.125, "developing": 0.375, "embedding": 0.625, "leading": 0.875}
"""A stage read as the share of schools that are ready: the middle of its quarter."""

NEEDED: Final = ("area", "schools", "leaders")
_MOST: Final = 1e7
_SHOWN: Final = 3


@dataclass(frozen=True)
class Areas:
    """Areas, sorted by code.

    Attributes
    ----------
    codes, names, regions, languages : tuple of str
        Region and language are "" where nothing is said.
    schools, leaders, readiness : array of float, shape (areas,)
        Schools; leaders available; share of schools that are ready, 0 to 1.
    trainees : array of float, shape (areas,)
        Leaders in training.
    trainee_term : array of int, shape (areas,)
        Term from whose beginning they are available; 0 where none is given.
    priority : array of float, shape (areas,)
        The ministry's own order: small numbers first; infinite where nothing is said.
    earliest : array of int, shape (areas,)
        First term in which support may begin.
    input_hash : str
    """

    codes: tuple[str, ...]
    names: tuple[str, ...]
    regions: tuple[str, ...]
    languages: tuple[str, ...]
    schools: Floats
    leaders: Floats
    readiness: Floats
    trainees: Floats
    trainee_term: Ints
    priority: Floats
    earliest: Ints
    input_hash: str

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def position(self) -> dict[str, int]:
        """Where each code stands."""
        return {code: at for at, code in enumerate(self.codes)}


class _Reader:
    """Cells of the table; faults are gathered and raised together at the end."""

    def __init__(self, table: SmallTable) -> None:
        self.table = table
        self.problems: list[pl.DataFrame] = []

    def fault(self, what: str, row: int, column: str, value: str, mend: str) -> None:
        """Keep a fault."""
        self.problems.append(
            one_problem(what, severity="error", mend=mend, row=row, column=column, value=value)
        )

    def text(self, column: str) -> list[str]:
        """Return a column's text, empty where the column is missing."""
        if column not in self.table.columns:
            return [""] * len(self.table.numbers)
        return self.table.frame[column].to_list()

    def numbers(
        self,
        column: str,
        *,
        empty: float | None,
        fits: Callable[[float], bool],
        wanted: str,
    ) -> Floats:
        """Return a column's numbers; `empty` stands for an empty cell, None refuses it."""
        found = []
        for row, text in zip(self.table.numbers, self.text(column), strict=True):
            try:
                number = self.table.number(row, {column: text}, column)
            except InputError as error:
                self.fault(error.what, row, column, text, f"Give {wanted}.")
                number = 0.0
            else:
                if number is None and empty is None:
                    self.fault("the cell is empty.", row, column, text, f"Give {wanted}.")
                elif number is not None and not fits(number):
                    below = number < 0
                    what = f"{text} is below 0." if below else f"{text} cannot be."
                    self.fault(what, row, column, text, f"Give {wanted}.")
            found.append((empty or 0.0) if number is None else number)
        return np.array(found, dtype=np.float64)

    def finish(self) -> None:
        """Raise what was found, the first in full and how many more there are.

        Raises
        ------
        InputError
        """
        faults = gather(self.problems)
        if not faults.height:
            return
        first, *others = faults.iter_rows(named=True)
        more = ""
        if others:
            places = [f'row {each["row"]}, column "{each["column"]}"' for each in others[:_SHOWN]]
            rest = len(others) - len(places)
            more = f" Also wrong: {'; '.join(places)}{f'; and {rest} more' if rest else ''}."
        raise self.table.error(
            first["problem"], first["row"], first["column"], f"{first['mend']}{more}"
        )


def read_areas(source: str | Path | pl.DataFrame, *, name: str | None = None) -> Areas:
    """Read the areas and check them.

    Parameters
    ----------
    source : path or DataFrame
        Columns area, schools, leaders and readiness (or readiness_<strand>, or stage_<strand>);
        optionally name, in_training, in_training_term, region, language, priority, earliest.
    name : str, optional
        Name for messages.

    Raises
    ------
    InputError
        With file, row and column; further faults are named with the first.

    Notes
    -----
    With several strands the lowest one counts: responsibility cannot be held before the last of
    them is there.
    """
    table = read_small(source, NEEDED, "areas", name=name)
    if not table.numbers:
        raise table.error("there are no areas in it.", mend="Give one row for each area.")
    reader = _Reader(table)
    codes = _codes(reader)
    schools = reader.numbers(
        "schools", empty=None, fits=lambda x: 0 < x <= _MOST, wanted="the number of its schools"
    )
    leaders = reader.numbers(
        "leaders", empty=None, fits=_not_negative, wanted="the number of leaders available, 0 or up"
    )
    trainees = reader.numbers(
        "in_training", empty=0.0, fits=_not_negative, wanted="leaders in training, 0 or up"
    )
    term = reader.numbers(
        "in_training_term", empty=0.0, fits=_whole, wanted="a whole number of terms, 1 or up"
    )
    earliest = reader.numbers(
        "earliest", empty=1.0, fits=_whole, wanted="a whole number of terms, 1 or up"
    )
    priority = reader.numbers(
        "priority", empty=np.inf, fits=lambda x: True, wanted="a number, small for first"
    )
    readiness = _readiness(reader)
    reader.finish()
    order = np.array(sorted(range(len(codes)), key=codes.__getitem__))
    names, regions, languages = (reader.text(each) for each in ("name", "region", "language"))
    return Areas(
        codes=tuple(codes[at] for at in order),
        names=tuple(names[at] or codes[at] for at in order),
        regions=tuple(regions[at] for at in order),
        languages=tuple(languages[at] for at in order),
        schools=schools[order],
        leaders=leaders[order],
        readiness=readiness[order],
        trainees=trainees[order],
        trainee_term=term[order].astype(np.int64),
        priority=priority[order],
        earliest=earliest[order].astype(np.int64),
        input_hash=hash_frame(table.frame),
    )


def _not_negative(number: float) -> bool:
    return 0 <= number <= _MOST


def _whole(number: float) -> bool:
    return 1 <= number <= _MOST and number == int(number)


def _codes(reader: _Reader) -> list[str]:
    codes = reader.text("area")
    seen: dict[str, int] = {}
    for row, code in zip(reader.table.numbers, codes, strict=True):
        if not code:
            reader.fault("the area's code is empty.", row, "area", code, "Give each area a code.")
        elif code in seen:
            reader.fault(
                f"the area {code} is already in row {seen[code]}.", row, "area", code,
                "Give each area one row.",
            )  # fmt: skip
        else:
            seen[code] = row
    return codes


def _readiness(reader: _Reader) -> Floats:
    """Lowest strand of each area; a strand that is not known does not count."""
    columns = [c for c in reader.table.columns if c.split("_")[0] in ("readiness", "stage")]
    if not columns:
        near = difflib.get_close_matches("readiness", reader.table.columns, 1)
        raise reader.table.error(
            "the column readiness is missing from the areas.",
            column="readiness",
            mend="Give readiness (0 to 1), or readiness_<strand> or stage_<strand> for each strand."
            + (f' Is it the column "{near[0]}"?' if near else ""),
        )
    strands = np.vstack(
        [_stages(reader, c) if c.startswith("stage") else _shares(reader, c) for c in columns]
    )
    unknown = np.isnan(strands).all(axis=0)
    for at in np.flatnonzero(unknown):
        row = reader.table.numbers[at]
        if not any(each["row"][0] == row for each in reader.problems):
            reader.fault("the cell is empty.", row, columns[0], "", "Give its readiness, 0 to 1.")
    lowest = np.min(np.where(np.isnan(strands), np.inf, strands), axis=0)
    return np.asarray(lowest, dtype=np.float64)


def _shares(reader: _Reader, column: str) -> Floats:
    wanted = "a share from 0 to 1"
    return reader.numbers(column, empty=np.nan, fits=lambda x: 0 <= x <= 1, wanted=wanted)


def _stages(reader: _Reader, column: str) -> Floats:
    """Stages by name or by number, 1 to 4."""
    named = list(STAGES.values())
    found = []
    for row, text in zip(reader.table.numbers, reader.text(column), strict=True):
        share = STAGES.get(text.lower(), np.nan)
        if text and np.isnan(share):
            try:
                share = named[("1", "2", "3", "4").index(text)]
            except ValueError:
                reader.fault(
                    f'"{text}" is no stage.', row, column, text,
                    f"Give {', '.join(STAGES)}, or 1 to 4.",
                )  # fmt: skip
                share = 0.0
        found.append(share)
    return np.array(found, dtype=np.float64)
