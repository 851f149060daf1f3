"""The file of a lottery: what was fixed before, what came later, the result; JSON, without Django.

Written by the lottery's page, read by `brightspots lottery verify`. Schools stand in it by their
number; a file for those who may open every school names them too, with the key of the numbers.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from brightspots_web.evidence.choice_draw import (
    METHOD,
    VERSION,
    Entry,
    commitment,
    draw,
    label_of,
    labels_hash,
    list_hash,
)

FORMAT = "brightspots-lottery-1"
HASH = re.compile(r"[0-9a-f]{64}")


class NotALotteryError(ValueError):
    """The file cannot be read as a lottery; the message says why."""


@dataclass(frozen=True)
class Told:
    """All that a file of a lottery tells."""

    title: str
    places: int
    seed_hash: str
    list_hash: str
    labels_hash: str
    opened_at: str
    draws_at: str
    entries: tuple[Entry, ...]
    seed: str = ""
    beacon: str = ""
    beacon_at: str = ""
    drawn: tuple[str, ...] = ()
    """Who had a place by the draw, as the file says."""
    now: tuple[str, ...] = ()
    labels_key: str = ""
    codes: Mapping[str, str] = field(default_factory=dict)
    """Label -> the school's code, in a file with names."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    what: str
    holds: bool


def to_json(told: Told) -> str:
    """The whole lottery in one file."""
    data: dict[str, Any] = {
        "format": FORMAT,
        "lottery": told.title,
        "rules": {"method": METHOD, "version": VERSION, "places": told.places},
        "fixed before": {
            "opened_at": told.opened_at,
            "draws_at": told.draws_at,
            "seed_hash": told.seed_hash,
            "list_hash": told.list_hash,
            "labels_hash": told.labels_hash,
        },
        "entries": [
            {"label": e.label, "stratum": e.stratum, "waited": e.waited, "out": e.out,
             "gone": e.gone}
            for e in sorted(told.entries, key=lambda each: each.label)
        ],
    }  # fmt: skip
    if told.seed:
        data["disclosed"] = {
            "seed": told.seed, "beacon": told.beacon, "beacon_at": told.beacon_at,
        }  # fmt: skip
        data["result"] = {"drawn": sorted(told.drawn), "now": sorted(told.now)}
    if told.labels_key:
        data["names"] = {
            "labels_key": told.labels_key,
            "codes": dict(sorted(told.codes.items())),
        }
    return json.dumps(data, ensure_ascii=False, indent=1)


def read(text: str) -> Told:
    """What a file tells.

    Raises
    ------
    NotALotteryError
        It is no such file, or something in it is missing or wrong.
    """
    try:
        return _read(json.loads(text.lstrip("\ufeff")))
    except NotALotteryError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as problem:
        raise NotALotteryError(f"something in it is missing or wrong ({problem})") from problem


def _read(data: Mapping[str, Any]) -> Told:
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise NotALotteryError("it does not say that it is a lottery of Brightspots")
    rules, before = data["rules"], data["fixed before"]
    if str(rules["version"]) != VERSION:
        raise NotALotteryError(
            f"it was drawn by version {rules['version']} of the rules; this is version {VERSION}"
        )
    later, result, names = (data.get(key) or {} for key in ("disclosed", "result", "names"))
    return Told(
        title=str(data["lottery"]),
        places=_whole(rules["places"]),
        seed_hash=_hash(before["seed_hash"]),
        list_hash=_hash(before["list_hash"]),
        labels_hash=_hash(before["labels_hash"]),
        opened_at=str(before["opened_at"]),
        draws_at=str(before["draws_at"]),
        entries=tuple(_entry(each) for each in data["entries"]),
        seed=_hash(later["seed"]) if later else "",
        beacon=_hash(later["beacon"]) if later else "",
        beacon_at=str(later.get("beacon_at", "")),
        drawn=_labels(result.get("drawn", [])),
        now=_labels(result.get("now", [])),
        labels_key=str(names.get("labels_key", "")),
        codes={str(key): str(value) for key, value in (names.get("codes") or {}).items()},
    )


def _entry(given: Mapping[str, Any]) -> Entry:
    flags = {name: given[name] for name in ("waited", "out", "gone")}
    if any(not isinstance(each, bool) for each in flags.values()):
        raise NotALotteryError(f"a yes or no of {given['label']} is neither")
    return Entry(str(given["label"]), str(given["stratum"]), **flags)


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise NotALotteryError(f"{value} is no number of places")
    return value


def _hash(value: Any) -> str:
    if not isinstance(value, str) or not HASH.fullmatch(value):
        raise NotALotteryError(f"“{str(value)[:80]}” is no hash of 64 signs, 0 to 9 and a to f")
    return value


def _labels(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise NotALotteryError("the result is no list of numbers")
    return tuple(str(each) for each in value)


def checks(told: Told) -> list[Check]:
    """Everything that can be checked from the file alone, in the order in which it happened."""
    found = [
        Check(
            "The list of schools is the one whose hash was published before the draw.",
            list_hash(told.places, told.labels_hash, told.entries) == told.list_hash,
        )
    ]
    if told.labels_key:
        found.append(
            Check(
                "The key of the numbers is the one whose hash was published before the draw.",
                labels_hash(told.labels_key) == told.labels_hash,
            )
        )
        found.append(Check("Every school has the number that its code gives.", _named(told)))
    if not told.seed:
        return found
    found.append(
        Check(
            "The seed is the one whose hash was published before the draw.",
            commitment(told.seed) == told.seed_hash,
        )
    )
    again = draw(told.places, told.entries, told.seed, told.beacon)
    found.append(
        Check(
            "Drawn again, the same schools have a place.", _same(told.drawn, again.drawn)
        )
    )  # fmt: skip
    found.append(
        Check(
            "Places that were let go went to whoever came next.", _same(told.now, again.now)
        )
    )  # fmt: skip
    return found


def _named(told: Told) -> bool:
    labels = {each.label for each in told.entries}
    given = told.codes.items()
    return set(told.codes) == labels and all(
        label_of(told.labels_key, code) == label for label, code in given
    )


def _same(said: Sequence[str], found: frozenset[str]) -> bool:
    return len(said) == len(found) and set(said) == found
