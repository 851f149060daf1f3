"""Drawing places by lot, exactly: anyone may do it again, without Django.

Before the draw two things are fixed and their hashes published: a secret seed, and the list of
schools. At an hour announced before, a value is added that nobody knew when the seed was made: the
last link of the audit trail. Each school's ticket is the SHA-256 digest of `seed/value/label`, in
hexadecimal; within a stratum the lowest tickets come first.

Schools that waited in an earlier lottery have places first; what is left is for the others. In
both rounds every stratum has its share of the places by the method of the largest remainder, in
whole numbers; where remainders are level the lower ticket of the stratum's name comes first.
"""

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

METHOD = "lowest SHA-256 ticket by stratum; shares by largest remainder; who waited comes first"
VERSION = "1"
SEED = "brightspots lottery seed"
LIST = "brightspots lottery list"
LABELS = "brightspots lottery labels"


@dataclass(frozen=True)
class Entry:
    """A school on the list by its number, as far as the draw needs to know it."""

    label: str
    stratum: str = ""
    waited: bool = False
    """Had no place in the lottery before this one: comes first."""
    out: bool = False
    """Closed between the freeze and the draw: passed over."""
    gone: bool = False
    """Let its place go after the draw, or closed: whoever comes next moves up."""


@dataclass(frozen=True)
class Drawn:
    """What the draw says."""

    order: Mapping[str, Sequence[str]]
    """Stratum -> its labels, in the order in which they come."""
    places: Mapping[str, int]
    """Stratum -> how many places it has."""
    drawn: frozenset[str]
    """Who has a place by the draw itself."""
    now: frozenset[str]
    """Who has one once those who let theirs go are passed over."""
    chances: Mapping[str, float]
    """Label -> the chance of a place in its round and stratum."""


def commitment(seed: str) -> str:
    """What is published of the seed before the draw."""
    return _digest(f"{SEED}/{seed}")


def labels_hash(key: str) -> str:
    """What is published of the key that makes the labels."""
    return _digest(f"{LABELS}/{key}")


def label_of(key: str, code: str) -> str:
    """The number of a school in one lottery; nobody without the key can tell which school it is."""
    return hmac.digest(key.encode(), code.encode(), "sha256").hex()[:12]


def list_hash(places: int, labels: str, entries: Iterable[Entry]) -> str:
    """The hash of the closed list: places, hash of the labels' key, every school's line.

    The order of the entries does not matter. What happens later (`out`, `gone`) is no part of it.
    """
    lines = sorted(f"{e.label}|{int(e.waited)}|{e.stratum}" for e in entries)
    return _digest("\n".join([LIST, str(places), labels, *lines]))


def ticket(seed: str, beacon: str, what: str) -> str:
    return _digest(f"{seed}/{beacon}/{what}")


def draw(places: int, entries: Iterable[Entry], seed: str, beacon: str) -> Drawn:
    """Draw by the rules at the head of this file.

    Raises
    ------
    ValueError
        There is no place, the seed or the later value is missing, or a label stands there twice.
    """
    given = list(entries)
    if places < 1:
        raise ValueError("there must be a place at least")
    if not seed or not beacon:
        raise ValueError("the seed or the later value is missing")
    if len({each.label for each in given}) < len(given):
        raise ValueError("two schools have the same number")
    standing = [each for each in given if not each.out]
    waited = [each for each in standing if each.waited]
    others = [each for each in standing if not each.waited]
    first = min(places, len(waited))
    shares = [
        _shares(first, waited, seed, beacon),
        _shares(places - first, others, seed, beacon),
    ]
    chances = {each.label: 0.0 for each in given}
    order: dict[str, list[str]] = {}
    for share, round_ in zip(shares, (waited, others), strict=True):
        for stratum, inside in _by_stratum(round_).items():
            inside.sort(key=lambda each: (ticket(seed, beacon, each.label), each.label))
            order.setdefault(stratum, []).extend(each.label for each in inside)
            chances |= {each.label: share[stratum] / len(inside) for each in inside}
    per_stratum = {name: sum(share.get(name, 0) for share in shares) for name in sorted(order)}
    gone = {each.label for each in given if each.gone}
    drawn: set[str] = set()
    now: set[str] = set()
    for name, labels in order.items():
        drawn.update(labels[: per_stratum[name]])
        now.update([label for label in labels if label not in gone][: per_stratum[name]])
    return Drawn(
        {name: tuple(order[name]) for name in sorted(order)},
        per_stratum,
        frozenset(drawn),
        frozenset(now),
        chances,
    )


def _shares(places: int, entries: Sequence[Entry], seed: str, beacon: str) -> dict[str, int]:
    """Stratum -> its places: as many as its part of the schools, whole, by largest remainder."""
    sizes = {name: len(inside) for name, inside in _by_stratum(entries).items()}
    total = len(entries)
    if places >= total:
        return sizes
    shares = {name: places * size // total for name, size in sizes.items()}
    left = places - sum(shares.values())
    by_rest = sorted(
        sizes,
        key=lambda name: (
            -(places * sizes[name] % total), ticket(seed, beacon, f"stratum:{name}"), name,
        ),
    )  # fmt: skip
    for name in by_rest[:left]:
        shares[name] += 1
    return shares


def _by_stratum(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for each in entries:
        found.setdefault(each.stratum, []).append(each)
    return found


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
