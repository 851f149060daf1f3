"""Reasons for a match: a kind with its values, and an English sentence.

The kinds and the names of their values are part of the interface: the pages put them into other
languages. English is made from them here, in one place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.connectedness.broker_pairs import Facts, Market

__all__ = ["SMALL_KM", "STRONG", "Reason", "forbidden_reason", "pair_reasons", "sentences"]

STRONG = 0.75
"""Rank from which an offer counts as strong: the top quarter, as in partnerships."""
NORMAL_95 = 1.959964
SMALL_KM = 0.05
"""Differences below this are not told."""
_Part = tuple[NDArray[np.int64], list["Reason | None"]]


@dataclass(frozen=True)
class Reason:
    """One reason: what kind, and the values that a sentence about it needs.

    `kind` is a key of `ENGLISH`; numbers in `values` are plain (km, SD), names are text.
    """

    kind: str
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def english(self) -> str:
        """The reason in plain English, without a full stop."""
        return ENGLISH[self.kind](self.values)

    def as_dict(self) -> dict[str, Any]:
        """Return kind and values in JSON types."""
        return {"kind": self.kind, "values": dict(self.values)}


def _km(value: float) -> str:
    return f"{value:.0f} km" if value >= 9.95 else f"{value:.1f} km"


def _gain(value: float) -> str:
    text = f"{abs(value):.2f}"
    text = text.removeprefix("0")
    return f"−{text}" if value < -0.005 else text


def _gains(values: Mapping[str, Any]) -> str:
    span = f"gains {_gain(values['lower'])} to {_gain(values['upper'])}"
    n = values["projects"]
    return span if n is None else f"{n} project{'' if n == 1 else 's'}, {span}"


def _listed(codes: list[str], more: int) -> str:
    return ", ".join(codes) + (f" and {more} more" if more else "")


PART_WORDS = {
    "distance": "distance",
    "dissimilarity": "circumstances",
    "language": "language",
    "phase": "phase",
    "strength": "strength",
    "track_record": "track record",
}

RULED_OUT = {
    "not_offered": "of another priority",
    "same_school": "of the school itself",
    "conflict": "ruled out",
    "asks_itself": "asking for it themselves",
    "no_places": "without room",
    "too_far": "too far",
    "place_unknown": "at an unknown distance",
    "other_language": "without a common language",
    "other_phase": "of another phase",
}

ENGLISH: dict[str, Callable[[Mapping[str, Any]], str]] = {
    # why this offer suits
    "strong": lambda v: f"strong in {v['priority']}",
    "offers": lambda v: f"offers {v['priority']}",
    "strength_unknown": lambda v: f"offers {v['priority']}, strength not known",
    "distance": lambda v: _km(v["km"]),
    "same_area": lambda _: "same area, distance not known",
    "distance_unknown": lambda _: "distance not known",
    "same_language": lambda _: "same language",
    "no_common_language": lambda _: "no language in common",
    "language_unknown": lambda _: "language not known",
    "like": lambda _: "like school in circumstances",
    "unlike": lambda _: "school in other circumstances",
    "another_phase": lambda _: "another phase",
    "record": _gains,
    "no_record": lambda _: "no record yet",
    "exploring": lambda _: "offers with little record get their chance here",
    # why another offer was not taken
    "is_match": lambda _: "it is the match",
    "not_offered": lambda v: f"it does not offer {v['priority']}",
    "same_school": lambda _: "a school does not support itself",
    "conflict": lambda v: "the pair was ruled out" + (f": {v['reason']}" if v["reason"] else ""),
    "asks_itself": lambda v: f"the school asks for {v['priority']} itself",
    "no_places": lambda v: (
        "it has no places left" if v["places"] == 0 or v["days_left"] is None
        else f"it has {v['days_left']:g} days, and {v['days']:g} are asked for"
    ),
    "too_far": lambda v: f"it is {_km(v['km'])} away, more than {v['max_km']:g} km",
    "place_unknown": lambda _: "a place is not known, and it is not known to be the same area",
    "other_language": lambda _: "the two share no language",
    "other_phase": lambda _: "the two share no phase",
    "fits_less": lambda v: f"it fits less well than {v['offer']}, by {_km(v['km'])} in all",
    "fits_more": lambda v: f"it fits better than {v['offer']}, by {_km(v['km'])} in all",
    "fits_as_well": lambda v: f"it fits as well as {v['offer']}",
    "part": lambda v: (
        f"{PART_WORDS[v['part']]} counts {_km(abs(v['km']))}"
        f" {'against' if v['km'] > 0 else 'for'} it"
    ),
    "taken": lambda v: f"its places go to {_listed(v['requests'], v['more'])}",
    "worth_more": lambda v: (
        f"a place there is worth {_km(v['km'])} more to other requests, whose next best suits less"
    ),
    "too_dear": lambda v: f"it costs {_km(v['km'])}, more than leaving the request unmatched",
    # why a request is unmatched
    "nobody_offers": lambda v: f"nobody offers {v['priority']}",
    "nobody_has_places": lambda v: f"nobody who offers {v['priority']} has a place",
    "none_near": lambda v: (
        f"no offer of {v['priority']} within {v['max_km']:g} km; the nearest is {_km(v['km'])} away"
    ),
    "no_place_known": lambda v: f"no coordinates, and no offer of {v['priority']} in its area",
    "all_ruled_out": lambda v: (
        f"no offer of {v['priority']} may be matched: "
        + ", ".join(f"{n} {RULED_OUT[kind]}" for kind, n in sorted(v["kinds"].items()))
    ),
    "none_suits": lambda v: f"no offer of {v['priority']} may be matched",
    "all_taken": lambda v: (
        "the one offer that suits has no place left" if v["offers"] == 1
        else f"the {v['offers']} offers that suit have no place left"
    ),
    "left_out": lambda v: (
        "each offer that suits and has room costs more than leaving the request unmatched"
    ),
}  # fmt: skip


def _parts(market: Market, i: NDArray[np.int64], j: NDArray[np.int64], facts: Facts) -> list[_Part]:
    """Reasons of pairs, part by part, as numbers into short lists."""
    tables, record = market.tables, market.record
    p = tables.requests.priority[i]
    n = len(tables.priorities)
    level = np.where(np.isnan(facts.strength), 2, np.where(facts.strength >= STRONG, 0, 1))
    strength = [
        Reason(kind, {"priority": name})
        for kind in ("strong", "offers", "strength_unknown") for name in tables.priorities
    ]  # fmt: skip
    shown, km = np.unique(np.round(np.nan_to_num(facts.km, nan=-1.0), 1), return_inverse=True)
    same_area = (tables.requests.area[i] == tables.offers.area[j]) & (tables.requests.area[i] >= 0)
    distance: list[Reason | None] = [Reason("distance", {"km": float(x)}) for x in shown]
    distance += [Reason("same_area"), Reason("distance_unknown")]
    unknown = np.where(same_area, len(shown), len(shown) + 1)
    held, at = np.unique(j * n + p, return_inverse=True)
    return [
        (level * n + p, list(strength)),
        (np.where(np.isnan(facts.km), unknown, km), distance),
        (_three(facts.language), [
            Reason("no_common_language"), Reason("same_language"), Reason("language_unknown"),
        ]),
        (_three(facts.like), [Reason("unlike"), Reason("like"), None]),
        (_three(facts.phase), [Reason("another_phase"), None, None]),
        (at, [_record(market, int(key) // n, int(key) % n) for key in held]),
        (record.explores[i].astype(np.int64), [None, Reason("exploring")]),
    ]  # fmt: skip


def _three(values: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.nan_to_num(values, nan=2.0).astype(np.int64)


def _record(market: Market, j: int, p: int) -> Reason:
    record, projects = market.record, market.tables.offers.projects[j, p]
    if not record.known[j, p]:
        return Reason("no_record")
    mean, half = float(record.mean[j, p]), NORMAL_95 * float(record.sd[j, p])
    return Reason("record", {
        "projects": None if np.isnan(projects) else int(projects),
        "mean": round(mean, 6), "lower": round(mean - half, 6), "upper": round(mean + half, 6),
    })  # fmt: skip


def pair_reasons(market: Market, i: int, j: int) -> tuple[Reason, ...]:
    """Return the reasons of one pair."""
    one, other = np.array([i]), np.array([j])
    parts = _parts(market, one, other, market.facts(one, other))
    found = (reasons[int(at[0])] for at, reasons in parts)
    return tuple(reason for reason in found if reason is not None)


def forbidden_reason(market: Market, i: int, j: int, kind: str, km: float) -> Reason:
    """Say why the pair may not be."""
    tables, parameters = market.tables, market.parameters
    priority = tables.priorities[int(tables.requests.priority[i])]
    days = float(tables.offers.days[j])
    values: dict[str, dict[str, object]] = {
        "not_offered": {"priority": priority},
        "asks_itself": {"priority": priority},
        "conflict": {"reason": tables.conflicts.get((i, j), "")},
        "no_places": {
            "places": int(tables.offers.places[j]), "days": float(tables.requests.days[i]),
            "days_left": days if tables.offers.days_given else None,
        },
        "too_far": {"km": round(km, 1), "max_km": parameters.max_km},
    }  # fmt: skip
    return Reason(kind, values.get(kind, {}))


def sentences(
    market: Market, i: NDArray[np.int64], j: NDArray[np.int64], facts: Facts
) -> pl.Series:
    """Return the reasons of many pairs in English, with "; " between."""
    columns = []
    for at, reasons in _parts(market, i, j, facts):
        words = pl.Series([None if r is None else r.english for r in reasons], dtype=pl.String)
        columns.append(words.gather(at) if len(at) else pl.Series([], dtype=pl.String))
    frame = pl.DataFrame({str(at): column for at, column in enumerate(columns)})
    joined = pl.concat_str(pl.all(), separator="; ", ignore_nulls=True).alias("reasons")
    return frame.select(joined).to_series()
