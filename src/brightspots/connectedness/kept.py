"""Which pins an answer does not keep, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.connectedness.pins import Pins
from brightspots.connectedness.pricing import Led
from brightspots.connectedness.problem import Problem, Tables

SCHEMA = {
    "kind": pl.String, "school_a": pl.String, "school_b": pl.String, "reason": pl.String,
}  # fmt: skip


def schools_of_broken(tables: Tables, led: list[Led]) -> NDArray[np.int64]:
    """Schools of partnerships in which a pin is broken."""
    found: list[int] = []
    of = np.full(len(tables.xyz), -1, dtype=np.int64)
    for number, (group, leader, _) in enumerate(led):
        of[group] = number
        if (tables.fixed[group] & (group != leader)).any():
            found += group[tables.fixed[group]].tolist()
    together = tables.together
    for number in range(int(together.max(initial=-1)) + 1):
        mates = np.flatnonzero(together == number)
        if len(np.unique(of[mates])) > 1:
            found += mates.tolist()
    for i in range(len(of)):
        others = tables.apart_from(i)
        if len(others) and of[i] >= 0 and (of[others] == of[i]).any():
            found.append(i)
    served = np.unique(np.array(found, dtype=np.int64))
    return served[of[served] >= 0]


def broken_pins(
    problem: Problem,
    pins: Pins,
    members: pl.DataFrame,
    isolated: Mapping[str, str],
    component: NDArray[np.int64],
    proved: NDArray[np.bool_],
) -> pl.DataFrame:
    """Hold an answer against the pins.

    Parameters
    ----------
    members : DataFrame
        school, partnership, leader_school of the answer.
    isolated : mapping
        School -> why it is in no partnership.
    component, proved : arrays, shape (n,)
        Of the schools: the part of the map, and whether it was solved to proved optimality.

    Returns
    -------
    DataFrame
        kind (together, apart, leader, led_by), school_a, school_b ("" for a leader), reason;
        empty where every pin is kept.
    """
    of = dict(members.select("school", "partnership").iter_rows())
    led_by = dict(members.select("school", "leader_school").iter_rows())
    number = {code: i for i, code in enumerate(problem.codes.tolist())} if pins else {}

    def reason(*codes: str) -> str:
        for code in codes:
            if code in isolated:
                return f"{code} is in no partnership: {isolated[code]}"
        places = [number[code] for code in codes if code in number]
        if len({int(component[i]) for i in places}) > 1:
            return "no chain of possible partnerships joins them"
        what = "keeps it beside the other pins and serves as many schools"
        if places and all(proved[i] for i in places):
            return f"no arrangement {what} (all were checked)"
        return f"no arrangement was found that {what}"

    rows = [(kind, one, other, reason(*filter(None, (one, other)))) for kind, one, other in
            _broken(pins, of, led_by)]  # fmt: skip
    return pl.DataFrame(rows, orient="row", schema=SCHEMA)


def _broken(
    pins: Pins, of: Mapping[str, str], led_by: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    for pinned in sorted(map(sorted, pins.together)):
        for other in pinned[1:]:
            if of.get(pinned[0]) is None or of.get(pinned[0]) != of.get(other):
                yield "together", pinned[0], other
    for pinned in sorted(map(sorted, pins.apart)):
        for one, other in combinations(pinned, 2):
            if of.get(one) is not None and of.get(one) == of.get(other):
                yield "apart", one, other
    for leader in sorted(pins.leads):
        if led_by.get(leader) != leader:
            yield "leader", leader, ""
    for school, leader in sorted(pins.led_by.items()):
        if led_by.get(school) != leader:
            yield "led_by", school, leader
