"""The tables of brokering: requests, offers and conflicts, read and checked.

Both are sorted by code at once, so that nothing can depend on the order of rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.connectedness.broker_cells import Cells
from brightspots.connectedness.schools import ANY
from brightspots.core.errors import InputError

__all__ = ["Offers", "Requests", "Tables", "priority_key", "read_tables"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
UNLIMITED = 1_000_000


@dataclass(frozen=True)
class Party:
    """What requests and offers have in common; sorted by code.

    Names are numbered over both tables; -1 is "not known". `language` and `phase` are bit masks
    (0 is not known, every bit is "all"). `family` and `member` list pairs (row, family), sorted.
    """

    codes: list[str]
    schools: list[str]
    school: Ints
    latitude: Floats
    longitude: Floats
    placed: NDArray[np.bool_]
    language: Ints
    phase: Ints
    area: Ints
    family: tuple[Ints, Ints]

    def __len__(self) -> int:
        return len(self.codes)


@dataclass(frozen=True)
class Requests(Party):
    """Requests: `priority` is a number; `days` and `weight` are above 0."""

    priority: Ints
    days: Floats
    weight: Floats


@dataclass(frozen=True)
class Offers(Party):
    """Offers: `covers`, `strength`, `gain`, `se`, `projects` have shape (offers, priorities).

    Numbers that are not known are NaN; `places` and `days` are `UNLIMITED` where nothing is said.
    """

    covers: NDArray[np.bool_]
    strength: Floats
    gain: Floats
    se: Floats
    projects: Floats
    places: Ints
    days: Floats
    days_given: bool


@dataclass(frozen=True)
class Tables:
    """Both tables, the names behind the numbers, and pairs that may not be matched.

    `conflicts` maps (request, offer) to the reason given, "" for none.
    """

    requests: Requests
    offers: Offers
    priorities: tuple[str, ...]
    areas: tuple[str, ...]
    conflicts: dict[tuple[int, int], str]
    notes: tuple[str, ...]


def priority_key(name: str) -> str:
    """Return the name as it stands in the name of a column: "Early reading" -> early_reading."""
    return re.sub(r"\W+", "_", name.strip().casefold()).strip("_")


def read_tables(
    requests: pl.DataFrame,
    offers: pl.DataFrame,
    *,
    default_days: float,
    conflicts: pl.DataFrame | None = None,
) -> Tables:
    """Read and check the tables.

    Raises
    ------
    InputError
        With `file` ("requests", "offers" or "conflicts"), `row` (the header is row 1) and `column`.
    """
    asks, gives = Cells(requests, "requests", "request"), Cells(offers, "offers", "offer")
    asks.need("school")
    asks.need("priority")
    gives.need("priority")
    if not {"school", "leader"} & gives.columns:
        gives.need("school")
    names, asked = _priorities(asks)
    numbering = _Numbering(asks, gives)
    request_school = asks.text("school")
    for code, row in zip(request_school, asks.rows, strict=True):
        if not code:
            raise asks.error("the school code is empty.", row, "school")
    offer_school = _givers(gives)
    days = asks.numbers("days", lambda x: (x > 0) & (x <= 10_000), "a number of days above 0")
    weight = asks.numbers(
        "weight", lambda x: (x > 0) & (x <= 1000), "a weight above 0, 1000 at most"
    )
    read_requests = Requests(
        **numbering.party(asks, request_school),
        priority=asked,
        days=np.round(np.where(np.isnan(days), default_days, days), 1).clip(0.1),
        weight=np.where(np.isnan(weight), 1.0, weight),
    )
    read_offers = _offers(gives, names, numbering.party(gives, offer_school))
    ruled_out, strangers = _conflicts(conflicts, read_requests, read_offers)
    return Tables(
        read_requests, read_offers, tuple(names.values()), tuple(numbering.areas), ruled_out,
        (*_of_strangers(strangers), *_notes(read_requests, tuple(names.values()))),
    )  # fmt: skip


def _givers(gives: Cells) -> list[str]:
    schools = gives.text("school")
    leaders = gives.text("leader")
    for school, leader, row in zip(schools, leaders, gives.rows, strict=True):
        if not school and not leader:
            column = "school" if "school" in gives.columns else "leader"
            raise gives.error("neither a school nor a leader is given.", row, column)
    return schools


def _priorities(asks: Cells) -> tuple[dict[str, str], Ints]:
    """Return the names by key, the first in order of text, and the number of each request."""
    names: dict[str, str] = {}
    cells = asks.text("priority")
    for text, row in zip(cells, asks.rows, strict=True):
        key = priority_key(text)
        if not key:
            raise asks.error("the priority is empty.", row, "priority", "A request asks for one.")
        if ";" in text:
            raise asks.error(
                f'"{text}" names several priorities.', row, "priority",
                "Give one row for each priority.",
            )  # fmt: skip
        names[key] = min(names.get(key, text), text)
    names = dict(sorted(names.items()))
    number = {key: at for at, key in enumerate(names)}
    return names, np.array([number[priority_key(text)] for text in cells], dtype=np.int64)


def _offers(gives: Cells, names: dict[str, str], party: dict[str, Any]) -> Offers:
    shape = (len(gives.codes), len(names))
    covers = np.zeros(shape, dtype=bool)
    number = {key: at for at, key in enumerate(names)}
    for at, (text, row) in enumerate(zip(gives.text("priority"), gives.rows, strict=True)):
        keys = {priority_key(part) for part in text.split(";")} - {""}
        if not keys and text.casefold() not in ANY:
            raise gives.error(
                "the priority is empty.", row, "priority", 'Name one or several, or say "all".'
            )
        if text.casefold() in ANY or keys & ANY:
            covers[at] = True
        covers[at, [number[key] for key in keys if key in number]] = True
    columns = {priority_key(column): column for column in gives.columns}

    def by_priority(kind: str, good: Callable[[Floats], NDArray[np.bool_]] | None = None,
                    wanted: str = "a number") -> Floats:  # fmt: skip
        values = np.full(shape, np.nan)
        for at, key in enumerate(names):
            column = columns.get(f"{kind}_{key}", kind)
            values[:, at] = gives.numbers(column, good, wanted)
        return values

    gain = by_priority("gain")
    se = by_priority("se", lambda x: x > 0, "a standard error above 0")
    for at, row in enumerate(gives.rows):
        lone = np.flatnonzero(~np.isnan(gain[at]) & np.isnan(se[at]))
        if len(lone):
            key = list(names)[int(lone[0])]
            raise gives.error(
                "a gain without its standard error.", row, columns.get(f"gain_{key}", "gain"),
                f"Give se_{key}, or leave both empty.",
            )  # fmt: skip
    whole = gives.numbers(
        "places" if "places" in gives.columns else "capacity",
        lambda x: (x >= 0) & (x == np.floor(x)),
        "a whole number of places from 0 up",
    )
    days = gives.numbers("days", lambda x: x >= 0, "a number of days from 0 up")
    return Offers(
        **party,
        covers=covers,
        strength=_strengths(gives, names, columns),
        gain=gain,
        se=se,
        projects=by_priority("projects", lambda x: x >= 0, "a number of projects from 0 up"),
        places=np.nan_to_num(whole, nan=UNLIMITED).clip(0, UNLIMITED).astype(np.int64),
        days=np.nan_to_num(days, nan=UNLIMITED).clip(0, UNLIMITED),
        days_given=bool((~np.isnan(days)).any()),
    )


def _strengths(gives: Cells, names: dict[str, str], columns: dict[str, str]) -> Floats:
    """Ranks from 0 to 1 by priority among the offers; NaN where not known, 1 or 0 for yes or no."""
    ranks = np.full((len(gives.codes), len(names)), np.nan)
    for at, key in enumerate(names):
        values = gives.numbers(
            next(
                (columns[c] for c in (f"strength_{key}", f"strong_{key}") if c in columns),
                "strength",
            )
        )
        known = ~np.isnan(values)
        if np.isin(values[known], (0.0, 1.0)).all():
            ranks[:, at] = values
        elif known.sum() > 1:
            middle = pl.Series(values[known]).rank("average").to_numpy()
            ranks[known, at] = (middle - 1) / (known.sum() - 1)
        else:
            ranks[known, at] = 0.5
    return ranks


class _Numbering:
    """Numbers for the names that both tables use."""

    def __init__(self, asks: Cells, gives: Cells) -> None:
        both = (asks, gives)
        self.schools = _number(code for frame in both for code in frame.text("school"))
        self.areas = _number(code for frame in both for code in frame.text("area"))
        self.families = _number(
            name for frame in both for names in frame.sets("family", ";") for name in names
        )
        self.bits = {column: self._bits(column, both) for column in ("language", "phase")}

    @staticmethod
    def _column(frame: Cells, column: str) -> str:
        return f"{column}s" if f"{column}s" in frame.columns else column

    def _bits(self, column: str, both: Sequence[Cells]) -> dict[str, int]:
        names = sorted(
            {name for frame in both for names in set(frame.sets(self._column(frame, column)))
             for name in names} - ANY
        )  # fmt: skip
        if len(names) > 62:
            raise both[0].error(
                f"there are {len(names)} different values; at most 62 can be told apart.",
                None, column, f"Is this the column of the {column}?",
            )  # fmt: skip
        return {name: 1 << at for at, name in enumerate(names)}

    def _masks(self, frame: Cells, column: str) -> Ints:
        bits = self.bits[column]
        every = (1 << 62) - 1
        return np.array(
            [
                every if names & ANY else sum(bits[name] for name in names)
                for names in frame.sets(self._column(frame, column))
            ],
            dtype=np.int64,
        )

    def party(self, frame: Cells, schools: list[str]) -> dict[str, Any]:
        """Return the fields of `Party`."""
        latitude = frame.numbers("latitude", lambda x: np.abs(x) <= 90, "degrees from -90 to 90")
        longitude = frame.numbers(
            "longitude", lambda x: np.abs(x) <= 180, "degrees from -180 to 180"
        )
        placed = ~np.isnan(latitude) & ~np.isnan(longitude) & ~((latitude == 0) & (longitude == 0))
        pairs = [
            (row, self.families[name])
            for row, names in enumerate(frame.sets("family", ";")) for name in names
        ]  # fmt: skip
        if frame.name == "offers":  # a request may list the schools like it
            codes = [code.casefold() for code in schools]
            pairs += [(row, self.families[c]) for row, c in enumerate(codes) if c in self.families]
        pairs = sorted(set(pairs))
        return {
            "codes": frame.codes,
            "schools": schools,
            "school": np.array([self.schools.get(code, -1) for code in schools], dtype=np.int64),
            "latitude": np.where(placed, latitude, np.nan),
            "longitude": np.where(placed, longitude, np.nan),
            "placed": placed,
            "language": self._masks(frame, "language"),
            "phase": self._masks(frame, "phase"),
            "area": np.array([self.areas.get(a, -1) for a in frame.text("area")], dtype=np.int64),
            "family": (
                np.array([row for row, _ in pairs], dtype=np.int64),
                np.array([family for _, family in pairs], dtype=np.int64),
            ),
        }


def _number(names: Iterable[str]) -> dict[str, int]:
    return {name: at for at, name in enumerate(sorted(set(names) - {""}))}


def _conflicts(
    frame: pl.DataFrame | None, requests: Requests, offers: Offers
) -> tuple[dict[tuple[int, int], str], list[str]]:
    """Pairs that were ruled out: each row names a request or school, and an offer or school.

    Also the schools of it that are in neither table: a row with one of them rules nothing out.
    """
    found: dict[tuple[int, int], str] = {}
    strangers: list[str] = []
    if frame is None or frame.height == 0:
        return found, strangers
    known = {*requests.schools, *offers.schools}
    asks = _places(requests)
    gives = _places(offers)
    for row, cells in enumerate(frame.iter_rows(named=True), start=2):
        text = {name: str(value or "").strip() for name, value in cells.items()}
        sides = []
        for names, places in ((("request", "school"), asks), (("offer", "offer_school"), gives)):
            name = next((name for name in names if text.get(name)), None)
            if name is None:
                raise InputError(
                    f"neither {names[0]} nor {names[1]} is given.",
                    file="conflicts", row=row, column=names[0],
                )  # fmt: skip
            kind = name if name in ("request", "offer") else "school"
            if (kind, text[name]) not in places and kind != "school":
                raise InputError(
                    f"there is no {name} {text[name]}.", file="conflicts", row=row, column=name
                )
            if kind == "school" and text[name] not in known:
                strangers.append(text[name])
            sides.append(places.get((kind, text[name]), []))
        for i in sides[0]:
            for j in sides[1]:
                found[i, j] = text.get("reason", "")
    return found, strangers


def _of_strangers(schools: list[str]) -> list[str]:
    """Say that a pair was not ruled out, in case a code is mistyped."""
    if not schools:
        return []
    named = ", ".join(sorted(set(schools))[:3])
    return [
        f"Pairs ruled out name schools that neither ask nor give here ({named}"
        f"{' ...' if len(set(schools)) > 3 else ''}): these rows rule out nothing."
    ]


def _places(party: Party) -> dict[tuple[str, str], list[int]]:
    kind = "request" if isinstance(party, Requests) else "offer"
    places: dict[tuple[str, str], list[int]] = {}
    for at, (code, school) in enumerate(zip(party.codes, party.schools, strict=True)):
        places[kind, code] = [at]
        places.setdefault(("school", school), []).append(at)
    return places


def _notes(requests: Requests, priorities: tuple[str, ...]) -> list[str]:
    first: dict[tuple[int, int], int] = {}
    notes = []
    for at, key in enumerate(
        zip(requests.school.tolist(), requests.priority.tolist(), strict=True)
    ):
        if key in first:
            notes.append(
                f"School {requests.schools[at]} asks twice for {priorities[key[1]]}:"
                f" requests {requests.codes[first[key]]} and {requests.codes[at]}."
            )
        first.setdefault(key, at)
    return notes
