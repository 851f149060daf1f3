"""The table of schools that partnerships are formed from: its columns, read and checked.

Row order and number formats come from outside, so every value is checked here and an error names
its row and column.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.connectedness.settings import MOST_PRIORITIES
from brightspots.core.errors import InputError
from brightspots.core.geography import great_circle_km

MISSING = {"", "na", "n/a", "nan", "null", "none", "-"}
ANY = {"all", "any", "all-through", "all through", "*"}
PRIORITY = re.compile(r"(strength|strong|need)_(.+)")
YES = {"1", "1.0", "true", "t", "yes", "y"}
NO = {"0", "0.0", "false", "f", "no", "n"}
EVERY_BIT = (1 << 62) - 1


@dataclass(frozen=True)
class Priority:
    """One of up to three priorities; unknown numbers are NaN, arrays are in the order of the rows.

    `strength` is NaN throughout where the file says who is strong (`strong`, None otherwise).
    """

    name: str
    strength: NDArray[np.float64]
    strong: NDArray[np.float64] | None
    need: NDArray[np.float64]


@dataclass(frozen=True)
class SchoolColumns:
    """The columns as arrays in the order of the rows; unknown numbers are NaN.

    `phase` and `language` are bit masks (one bit a value); a school with no value, or with "all",
    has every bit. `leader` is 1 where the school may lead. `missing_place` holds the reason why a
    school has no usable coordinates, or "". `priorities` are in the order of their names; `area`
    is None without the column, "" for a school of no area.
    """

    codes: NDArray[np.str_]
    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    missing_place: list[str]
    strength: NDArray[np.float64]
    need: NDArray[np.float64]
    phase: NDArray[np.int64]
    language: NDArray[np.int64]
    leader: NDArray[np.int64]
    capacity: NDArray[np.int64] | None
    priorities: tuple[Priority, ...] = ()
    area: list[str] | None = None


def read_schools(frame: pl.DataFrame) -> SchoolColumns:
    """Read and check the columns of `frame`, text or numbers alike.

    Raises
    ------
    InputError
        With `row` (the header is row 1) and `column`.
    """
    for column in ("school", "latitude", "longitude"):
        if column not in frame.columns:
            found = ", ".join(frame.columns) or "none"
            raise InputError(
                f"the column {column} is missing.", column=column, mend=f"Columns found: {found}."
            )
    if frame.height == 0:
        raise InputError("there are no schools in it.", mend="Give one row a school.")
    codes = _codes(frame)
    latitude = _numbers(frame, "latitude")
    longitude = _numbers(frame, "longitude")
    _check_range(latitude, longitude)
    missing = _missing_place(latitude, longitude)
    _check_swapped(latitude, longitude, missing)
    return SchoolColumns(
        codes=codes,
        latitude=latitude,
        longitude=longitude,
        missing_place=missing,
        strength=_numbers(frame, "strength"),
        need=_numbers(frame, "need"),
        phase=_masks(frame, "phase"),
        language=_masks(frame, "language"),
        leader=_leaders(frame),
        capacity=_capacities(frame),
        priorities=_priorities(frame),
        area=_text(frame, "area") if "area" in frame.columns else None,
    )


def priority_names(columns: Sequence[str]) -> list[str]:
    """Names of the priorities among columns `strength_<name>`, `strong_<name>`, `need_<name>`.

    Raises
    ------
    InputError
        For more than three, and for a need in what nobody's strength is given for.
    """
    found: dict[str, set[str]] = {}
    for column in columns:
        if match := PRIORITY.fullmatch(column):
            found.setdefault(match[2], set()).add(match[1])
    for name, kinds in found.items():
        if kinds == {"need"}:
            raise InputError(
                f"there is a need in {name}, but nobody's strength in it.", column=f"need_{name}",
                mend=f"Give a column strength_{name} or strong_{name}, or take this one out.",
            )  # fmt: skip
    if len(found) > MOST_PRIORITIES:
        raise InputError(
            f"there are {len(found)} priorities ({', '.join(sorted(found))}): never more than"
            " three priorities.",
            mend="Take out the columns of all but three.",
        )
    return sorted(found)


def _priorities(frame: pl.DataFrame) -> tuple[Priority, ...]:
    """Read the priorities; a priority without a need of its own takes the column need."""
    found = []
    for name in priority_names(frame.columns):
        need = f"need_{name}" if f"need_{name}" in frame.columns else "need"
        strong = None
        if f"strong_{name}" in frame.columns:
            strong = _flags(frame, f"strong_{name}")
        strength = _numbers(frame, f"strength_{name}")
        found.append(Priority(name, strength, strong, _numbers(frame, need)))
    return tuple(found)


def _flags(frame: pl.DataFrame, column: str) -> NDArray[np.float64]:
    """1, 0, or NaN where it is not known."""
    return _parsed(
        frame.with_columns(pl.col(column).cast(pl.String)),
        column,
        _yes_or_no,
        "yes or no (1 or 0, true or false)",
    )


def _text(frame: pl.DataFrame, column: str) -> list[str]:
    """Values as stripped text, "" for missing."""
    values = frame[column].cast(pl.String).to_list()
    return ["" if value is None else value.strip() for value in values]


def _codes(frame: pl.DataFrame) -> NDArray[np.str_]:
    codes = _text(frame, "school")
    seen: dict[str, int] = {}
    for row, code in enumerate(codes, start=2):
        if not code:
            raise InputError("the school code is empty.", row=row, column="school")
        if code in seen:
            raise InputError(
                f"the school {code} is already in row {seen[code]}.",
                row=row,
                column="school",
                mend="Give each school one row.",
            )
        seen[code] = row
    return np.array(codes, dtype=np.str_)


def _parsed(
    frame: pl.DataFrame, column: str, parse: Callable[[str], float], wanted: str
) -> NDArray[np.float64]:
    if column not in frame.columns:
        return np.full(frame.height, np.nan)
    if frame.schema[column].is_numeric():
        result = frame[column].cast(pl.Float64).to_numpy().astype(np.float64)
        result = np.where(frame[column].is_null().to_numpy(), np.nan, result)
    else:
        result = np.full(frame.height, np.nan)
        for index, text in enumerate(_text(frame, column)):
            if text.lower() in MISSING:
                continue
            try:
                result[index] = parse(text)
            except ValueError:
                raise InputError(
                    f'"{text}" is not {wanted}.', row=index + 2, column=column
                ) from None
    infinite = np.flatnonzero(np.isinf(result))
    if len(infinite):
        raise InputError(
            f"the value is infinite, not {wanted}.", row=int(infinite[0]) + 2, column=column
        )
    return result


def _numbers(frame: pl.DataFrame, column: str) -> NDArray[np.float64]:
    return _parsed(frame, column, float, "a number")


def _check_range(latitude: NDArray[np.float64], longitude: NDArray[np.float64]) -> None:
    for column, values, limit in (("latitude", latitude, 90), ("longitude", longitude, 180)):
        wrong = np.flatnonzero(np.abs(values) > limit)
        if len(wrong):
            index = int(wrong[0])
            swapped = column == "latitude" and abs(longitude[index]) <= 90
            raise InputError(
                f"{column} {values[index]:g} is outside -{limit} to {limit}.",
                row=index + 2,
                column=column,
                mend="Are latitude and longitude swapped?"
                if swapped
                else "Give degrees, not metres.",
            )


def _missing_place(latitude: NDArray[np.float64], longitude: NDArray[np.float64]) -> list[str]:
    reasons = []
    for lat, lon in zip(latitude.tolist(), longitude.tolist(), strict=True):
        if np.isnan(lat) and np.isnan(lon):
            reasons.append("no coordinates")
        elif np.isnan(lat):
            reasons.append("no coordinates (the latitude is missing)")
        elif np.isnan(lon):
            reasons.append("no coordinates (the longitude is missing)")
        elif lat == 0 and lon == 0:
            reasons.append("no coordinates (0, 0 stands for an unknown place)")
        else:
            reasons.append("")
    return reasons


def _check_swapped(
    latitude: NDArray[np.float64], longitude: NDArray[np.float64], missing: list[str]
) -> None:
    """Refuse a row that lies far from all others but among them once its degrees are swapped."""
    placed = np.flatnonzero([not reason for reason in missing])
    if len(placed) < 10:
        return
    lat, lon = latitude[placed], longitude[placed]
    middle_lat, middle_lon = float(np.median(lat)), float(np.median(lon))
    distance = great_circle_km(lat, lon, middle_lat, middle_lon)
    usual = float(np.quantile(distance, 0.9))
    turned_ok = np.abs(lon) <= 90
    turned = great_circle_km(np.where(turned_ok, lon, 0), lat, middle_lat, middle_lon)
    suspect = (distance > max(5 * usual, 500)) & (turned <= usual) & turned_ok
    if suspect.any():
        index = int(placed[np.flatnonzero(suspect)[0]])
        raise InputError(
            f"the place ({latitude[index]:g}, {longitude[index]:g}) lies far from every other"
            " school, and among them when turned round.",
            row=index + 2,
            column="latitude",
            mend="Are latitude and longitude swapped?",
        )


def _masks(frame: pl.DataFrame, column: str) -> NDArray[np.int64]:
    if column not in frame.columns:
        return np.full(frame.height, EVERY_BIT, dtype=np.int64)
    values = [
        {part.strip().casefold() for part in re.split(r"[;,/|+&]", text)} - MISSING
        for text in _text(frame, column)
    ]
    names = sorted(set().union(*values) - ANY)
    if len(names) > 62:
        raise InputError(
            f"there are {len(names)} different values; at most 62 can be told apart.",
            column=column,
            mend=f"Is this the column of the {column}?",
        )
    bits = {name: 1 << number for number, name in enumerate(names)}
    return np.array(
        [
            EVERY_BIT if not value or value & ANY else sum(bits[name] for name in value)
            for value in values
        ],
        dtype=np.int64,
    )


def _yes_or_no(text: str) -> float:
    if text.lower() in YES:
        return 1.0
    if text.lower() in NO:
        return 0.0
    raise ValueError


def _leaders(frame: pl.DataFrame) -> NDArray[np.int64]:
    if "leader" not in frame.columns:
        return np.ones(frame.height, dtype=np.int64)
    values = _flags(frame, "leader")
    may: NDArray[np.int64] = (values == 1).astype(np.int64)
    return may


def _whole(text: str) -> float:
    number = float(text)
    if number < 0 or not number.is_integer():  # infinity is no whole number
        raise ValueError
    return number


def _capacities(frame: pl.DataFrame) -> NDArray[np.int64] | None:
    if "capacity" not in frame.columns:
        return None
    values = _parsed(
        frame.with_columns(pl.col("capacity").cast(pl.String)),
        "capacity",
        _whole,
        "a whole number from 0 up",
    )
    unlimited = np.iinfo(np.int32).max
    filled: NDArray[np.float64] = np.nan_to_num(values, nan=unlimited)
    return np.minimum(filled, unlimited).astype(np.int64)
