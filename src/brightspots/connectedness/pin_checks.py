"""Pins against each other, the schools and the settings: every contradiction in plain words."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from brightspots.connectedness.schools import SchoolColumns, read_schools
from brightspots.core.errors import InputError
from brightspots.core.geography import chord, great_circle_km, unit_vectors

if TYPE_CHECKING:
    from brightspots.connectedness.pins import Pins
    from brightspots.connectedness.problem import Parameters
    from brightspots.connectedness.travel import Travel

SHOWN = 20
"""So many contradictions are named in one message; the number of the others is given."""


@dataclass(frozen=True)
class Contradiction:
    """One contradiction: in words, the rows of the pins' file behind it, and the schools in it."""

    words: str
    rows: tuple[int, ...]
    schools: tuple[str, ...]


def check_pins(
    pins: Pins,
    schools: pl.DataFrame,
    parameters: Parameters,
    travel: Travel | None = None,
    closed: Collection[str] = (),
    name: str | None = None,
) -> None:
    """Refuse pins that contradict each other, the schools or the settings.

    Parameters
    ----------
    pins : Pins
    schools : DataFrame
        As for :func:`brightspots.connectedness.partnerships.form_partnerships`.
    parameters : Parameters
    travel : Travel, optional
    closed : collection of str
        Codes of schools that have closed, so that a pin on one is told from a mistyped code.
    name : str, optional
        Name of the pins' file, for the message.

    Raises
    ------
    InputError
        Naming every contradiction (the first 20, and how many more), with rows where known.
    """
    found = contradictions(pins, schools, parameters, travel, closed)
    if not found:
        return
    mend = "Change or take out one of the pins named, or the setting."
    if len(found) == 1:
        rows = found[0].rows
        raise InputError(found[0].words, file=name, row=rows[0] if rows else None, mend=mend)
    lines = [f"{number}. {item.words}" for number, item in enumerate(found[:SHOWN], start=1)]
    if len(found) > SHOWN:
        lines.append(f"... and {len(found) - SHOWN} more.")
    raise InputError(
        f"{len(found)} contradictions in the pins:\n" + "\n".join(lines) + "\n",
        file=name, mend=mend,
    )  # fmt: skip


def contradictions(
    pins: Pins,
    schools: pl.DataFrame,
    parameters: Parameters,
    travel: Travel | None = None,
    closed: Collection[str] = (),
) -> tuple[Contradiction, ...]:
    """Name every contradiction; none for pins that the checks find no fault with.

    Pins without a contradiction here may still be impossible together (that is the search's
    question), but no pins are refused that could be kept.
    """
    if not pins:
        return ()
    read = read_schools(schools)
    return tuple(_Checks(pins, read, parameters, _Reach(read, schools, parameters, travel), closed))


class _Reach:
    """Which schools may travel to which, with the table and the barriers if there are any."""

    def __init__(
        self,
        read: SchoolColumns,
        schools: pl.DataFrame,
        parameters: Parameters,
        travel: Travel | None,
    ) -> None:
        self.read = read
        self.limit = parameters.max_km
        self.number = {str(code): place for place, code in enumerate(read.codes.tolist())}
        has_area = "area" in schools.columns
        areas = schools["area"].cast(pl.String).to_list() if has_area else []
        self.areas = [(area or "").strip() for area in areas] or [""] * len(read.codes)
        self.placed = np.array([not reason for reason in read.missing_place], dtype=bool)
        self.table = None if travel is None else travel.minutes_or_km
        self.unit = "km" if travel is None or self.table is None else str(travel.unit)
        self.barriers = None if travel is None else travel.barriers
        # A school without coordinates that the table leaves out may be placed by its area.
        self.known = self.placed
        if self.table is not None:
            inside = {code for pair in self.listed for code in pair}
            self.known = self.placed | np.array([code in inside for code in self.number], bool)

    @cached_property
    def listed(self) -> Mapping[tuple[str, str], float]:
        """Travel between the pairs of the table."""
        if self.table is None:
            return {}
        columns = self.table.select(
            pl.col("from_school", "to_school").cast(pl.String), pl.col("travel").cast(pl.Float64)
        )
        found: dict[tuple[str, str], float] = {}
        for one, other, value in columns.iter_rows():
            for pair in ((one, other), (other, one)):
                found[pair] = min(value, found.get(pair, np.inf))
        return found

    @cached_property
    def barred(self) -> frozenset[frozenset[str]]:
        """Pairs of schools, or of areas, with a barrier between them."""
        if self.barriers is None:
            return frozenset()
        pairs = self.barriers.select(pl.all().cast(pl.String))
        by = "school" if "school_a" in pairs.columns else "area"
        return frozenset(map(frozenset, pairs.select(f"{by}_a", f"{by}_b").iter_rows()))

    @property
    def by_area(self) -> bool:
        """Whether barriers stand between areas."""
        return self.barriers is not None and "area_a" in self.barriers.columns

    def between(self, one: int, other: int) -> float | None:
        """Travel between two schools; infinite where there is none, None where it is not known."""
        codes = str(self.read.codes[one]), str(self.read.codes[other])
        ends = (self.areas[one], self.areas[other]) if self.by_area else codes
        if frozenset(ends) in self.barred and ends[0] != ends[1]:
            return float("inf")
        if not (self.known[one] and self.known[other]):
            return None
        if self.table is not None:
            return self.listed.get(codes, float("inf"))
        lat, lon = self.read.latitude, self.read.longitude
        return float(great_circle_km(lat[one], lon[one], lat[other], lon[other]))

    def within(self, one: int, other: int) -> bool:
        """Whether the way is short enough, or not known."""
        way = self.between(one, other)
        return way is None or way <= self.limit + 1e-9

    @cached_property
    def tree(self) -> tuple[cKDTree, NDArray[np.int64]]:
        """Places of the schools that have one, to look them up by nearness."""
        placed = np.flatnonzero(self.placed)
        return cKDTree(
            unit_vectors(self.read.latitude[placed], self.read.longitude[placed])
        ), placed

    def around(self, one: int) -> list[int]:
        """Find the schools that may travel to a school, itself left out."""
        if self.table is not None:
            code = str(self.read.codes[one])
            near = [self.number[b] for a, b in self.listed if a == code and b in self.number]
        else:
            tree, placed = self.tree
            here = unit_vectors(
                self.read.latitude[one : one + 1], self.read.longitude[one : one + 1]
            )
            near = placed[tree.query_ball_point(here[0], chord(self.limit + 1e-6))].tolist()
        return [other for other in near if other != one and self.within(one, other)]


class _Checks:
    """The checks one after the other; iterating gives the contradictions."""

    def __init__(
        self,
        pins: Pins,
        read: SchoolColumns,
        parameters: Parameters,
        reach: _Reach,
        closed: Collection[str],
    ) -> None:
        self.pins, self.read, self.parameters, self.reach = pins, read, parameters, reach
        self.closed = set(closed)
        self.number = reach.number
        capacity = np.full(len(read.codes), parameters.maximum, dtype=np.int64)
        if read.capacity is not None:
            capacity = np.minimum(capacity, read.capacity)
        self.capacity = np.where(read.leader > 0, capacity, 0)
        self.links: dict[str, dict[str, tuple[int, ...]]] = {}
        for pinned in pins.together:
            for one, other in combinations(sorted(pinned), 2):
                self._link(one, other, self.rows("together", one, other))
        for school, leader in pins.led_by.items():
            self._link(school, leader, self.rows("led_by", school, leader))

    def __iter__(self) -> Iterator[Contradiction]:
        yield from self.unknown()
        yield from self.apart()
        yield from self.led_twice()
        for group in self.pins.groups():
            yield from self.group(tuple(sorted(group)))
        for leader in sorted(self.pins.leaders):
            yield from self.leader(leader)
        yield from self.too_many_leaders()

    def _link(self, one: str, other: str, rows: tuple[int, ...]) -> None:
        self.links.setdefault(one, {}).setdefault(other, rows)
        self.links.setdefault(other, {}).setdefault(one, rows)

    def rows(self, kind: str, one: str, other: str = "") -> tuple[int, ...]:
        """Rows of a pin in its file."""
        for key in ((kind, one, other), (kind, other, one)):
            if key in self.pins.rows:
                return (self.pins.rows[key],)
        return ()

    def of_leader(self, leader: str) -> tuple[int, ...]:
        """Rows that make a school lead."""
        own = self.rows("leader", leader)
        led = [self.rows("led_by", a, b) for a, b in self.pins.led_by.items() if b == leader]
        return own or next((rows for rows in led if rows), ())

    def chain(self, one: str, other: str) -> tuple[int, ...]:
        """Rows of the pins that put two schools into one partnership, by the fewest pins."""
        before: dict[str, str] = {one: one}
        queue = deque([one])
        while queue and other not in before:
            here = queue.popleft()
            for there in sorted(self.links.get(here, ())):
                if there not in before:
                    before[there] = here
                    queue.append(there)
        rows: list[int] = []
        while other in before and other != one:
            rows += self.links[before[other]][other]
            other = before[other]
        return tuple(sorted(set(rows)))

    def of_group(self, group: Sequence[str]) -> tuple[int, ...]:
        """Rows that hold a group together."""
        inside = [rows for one in group for rows in self.links.get(one, {}).values()]
        return tuple(sorted({row for rows in inside for row in rows}))

    def unknown(self) -> Iterator[Contradiction]:
        """Schools that are closed or not in the list."""
        pinned = (*self.pins.together, *self.pins.apart, self.pins.leaders, set(self.pins.led_by))
        for school in sorted(set().union(*pinned) - set(self.number) | self._closed_pinned(pinned)):
            rows = tuple(
                sorted({row for (_, a, b), row in self.pins.rows.items() if school in (a, b)})
            )
            what = (
                "has closed or was merged" if school in self.closed else "is not among the schools"
            )
            yield Contradiction(f"the school {school}{_by(rows)} {what}.", rows, (school,))

    def _closed_pinned(self, pinned: Sequence[Collection[str]]) -> set[str]:
        return set().union(*pinned) & self.closed

    def apart(self) -> Iterator[Contradiction]:
        """Schools to be together and apart."""
        group_of = {
            code: number for number, group in enumerate(self.pins.groups()) for code in group
        }
        for pinned in self.pins.apart:
            for one, other in combinations(sorted(pinned), 2):
                if one not in group_of or group_of[one] != group_of.get(other):
                    continue
                apart, together = self.rows("apart", one, other), self.chain(one, other)
                yield Contradiction(
                    f"{one} and {other} are to be apart{_by(apart)}, but other pins put them"
                    f" together{_by(together)}.",
                    tuple(sorted({*apart, *together})), (one, other),
                )  # fmt: skip

    def led_twice(self) -> Iterator[Contradiction]:
        """Schools that would be led by two: fixed leaders in one partnership."""
        for group in self.pins.groups():
            for one, other in combinations(sorted(group & self.pins.leaders), 2):
                rows = {*self.of_leader(one), *self.of_leader(other), *self.chain(one, other)}
                shared = sorted(group - {one, other})
                of = f", so that {shared[0]} would be led by both" if shared else ""
                yield Contradiction(
                    f"{one} and {other} are both to lead, but the pins put them into one"
                    f" partnership{of}{_by(tuple(sorted(rows)))}.",
                    tuple(sorted(rows)), (one, other),
                )  # fmt: skip

    def group(self, group: tuple[str, ...]) -> Iterator[Contradiction]:
        """Name what keeps a group from being in one partnership."""
        rows, maximum = self.of_group(group), self.parameters.maximum
        named = _named(group)
        if len(group) > maximum:
            yield Contradiction(
                f"{len(group)} schools are to be together ({named}){_by(rows)}, but a partnership"
                f" has {maximum} at most.", rows, group,
            )  # fmt: skip
            return
        known = [self.number[code] for code in group if code in self.number]
        for column, masks in (("phase", self.read.phase), ("language", self.read.language)):
            if known and int(np.bitwise_and.reduce(masks[known])) == 0:
                yield Contradiction(
                    f"{named} are to be together{_by(rows)}, but have no {column} in common.",
                    rows, group,
                )  # fmt: skip
                return
        leaders = sorted(set(group) & self.pins.leaders & set(self.number))
        if leaders:
            for leader in leaders:
                yield from self.to_leader(group, leader)
        elif len(known) == len(group) > 1 and not self.someone_leads(known):
            limit = f"{self.parameters.max_km:g} {self.reach.unit}"
            yield Contradiction(
                f"{named} are to be together{_by(rows)}, but no school that may lead that many is"
                f" within {limit} of all of them.", rows, group,
            )  # fmt: skip

    def to_leader(self, group: tuple[str, ...], leader: str) -> Iterator[Contradiction]:
        """Members beyond the travel limit of their fixed leader, or more than it may lead."""
        j = self.number[leader]
        for code in group:
            if code == leader or code not in self.number:
                continue
            way = self.reach.between(self.number[code], j)
            if way is None or way <= self.parameters.max_km + 1e-9:
                continue
            rows = tuple(sorted({*self.chain(code, leader), *self.of_leader(leader)}))
            far = (
                f"it is {way:.1f} {self.reach.unit} away" if np.isfinite(way) else
                "there is no way between them"
            )  # fmt: skip
            yield Contradiction(
                f"{code} is to be led by {leader}{_by(rows)}, but {far} and the limit is"
                f" {self.parameters.max_km:g} {self.reach.unit}.", rows, (code, leader),
            )  # fmt: skip
        if self.parameters.minimum <= self.capacity[j] < len(group):
            rows = tuple(sorted({*self.of_group(group), *self.of_leader(leader)}))
            yield Contradiction(
                f"{len(group)} schools are to be led by {leader}{_by(rows)}, but its capacity is"
                f" {self.capacity[j]}, its own school included.", rows, group,
            )  # fmt: skip

    def someone_leads(self, known: list[int]) -> bool:
        """Whether some school could lead them all; True where a way is not known."""
        if not self.reach.known[known].all():
            return True
        wanted = max(len(known), self.parameters.minimum)
        near = {*self.reach.around(known[0]), known[0]}
        return any(
            self.capacity[j] >= wanted + (j not in known and len(known) >= wanted)
            and all(
                i == j or (self.reach.within(i, j) and self.fits(i, j)) for i in known
            )
            for j in sorted(near)
        )  # fmt: skip

    def fits(self, i: int, j: int) -> bool:
        """Whether two schools share a phase and a language."""
        read = self.read
        return bool(read.phase[i] & read.phase[j] and read.language[i] & read.language[j])

    def leader(self, leader: str) -> Iterator[Contradiction]:
        """Return what keeps a fixed leader from leading."""
        if leader not in self.number:
            return
        j, rows, minimum = self.number[leader], self.of_leader(leader), self.parameters.minimum
        if self.read.leader[j] == 0:
            yield Contradiction(
                f"{leader} is to lead{_by(rows)}, but may not (column leader).", rows, (leader,)
            )
        elif self.capacity[j] < minimum:
            yield Contradiction(
                f"{leader} is to lead{_by(rows)}, but its capacity is {self.capacity[j]} and a"
                f" partnership has {minimum} schools at least.", rows, (leader,),
            )  # fmt: skip
        elif self.reach.known[j]:
            near = sum(self.fits(i, j) for i in self.reach.around(j))
            # Schools without coordinates may be placed near it, so they are not held against it.
            near += int((~self.reach.known).sum())
            if near + 1 < minimum:
                others = "no other school is" if near == 0 else f"only {near} other schools are"
                others = "only one other school is" if near == 1 else others
                yield Contradiction(
                    f"{leader} is to lead{_by(rows)}, but {others} within"
                    f" {self.parameters.max_km:g} {self.reach.unit} of it; a partnership has"
                    f" {minimum} schools at least.", rows, (leader,),
                )  # fmt: skip

    def too_many_leaders(self) -> Iterator[Contradiction]:
        """More fixed leaders than the schools can make partnerships."""
        leaders, minimum = len(self.pins.leaders & set(self.number)), self.parameters.minimum
        if leaders * minimum > len(self.number):
            yield Contradiction(
                f"{leaders} schools are to lead: {leaders} partnerships of {minimum} or more need"
                f" {leaders * minimum} schools, and there are {len(self.number)}.",
                (), tuple(sorted(self.pins.leaders)),
            )  # fmt: skip


def _by(rows: tuple[int, ...]) -> str:
    """Words for the rows, to follow what they ask for."""
    if not rows:
        return ""
    shown = ", ".join(map(str, rows[:SHOWN])) + (" ..." if len(rows) > SHOWN else "")
    return f" (row {shown})" if len(rows) == 1 else f" (rows {shown})"


def _named(group: Sequence[str]) -> str:
    """Return the codes, the first ten of them."""
    shown = ", ".join(group[:10])
    return shown if len(group) <= 10 else f"{shown} and {len(group) - 10} more"
