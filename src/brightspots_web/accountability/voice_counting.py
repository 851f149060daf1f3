"""What of the answers of a consultation may be kept: pure functions, no database.

Every sum that can be worked out from what is kept rests on no answer or on at least five. That is
more than suppressing small cells: a slice by role and a slice by area overlap, and two of them that
differ by a few people would tell about these few. `kept_slices` says why nothing of that is left.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from secrets import SystemRandom

from brightspots_web.accountability.voice_models import FEWEST

ALL = "all"
ROLES = ("head", "teacher")
REST = "rest"
LOT = SystemRandom()
Narrow = Callable[[Sequence[str]], Collection[str]]
"""Of the slices that may be kept of one round, those that may be beside what was kept before."""


@dataclass(frozen=True)
class Answer:
    """One opened answer: what it says, and the slices it may be counted in."""

    options: Mapping[int, str] = field(default_factory=dict)
    """Question's key -> option; a question that is left out was not answered."""
    texts: Mapping[int, str] = field(default_factory=dict)
    role: str = ""
    area: int | None = None


@dataclass(frozen=True)
class Counted:
    """What may be kept: counts by question, slice and option, and loose comments in lot order."""

    answers: int | None
    """None: fewer than five, and nothing else is known."""
    tallies: tuple[tuple[int, str, str, int], ...] = ()
    """Question, slice, option ("" for the number of answers), count."""
    comments: tuple[tuple[int, str, int | None], ...] = ()
    """Question, words, area of who wrote them (never used unless the round is confidential).

    None where fewer than five answered in the area, or where it could be told from the others.
    """
    slices: tuple[str, ...] = ()


def count(
    answers: Sequence[Answer],
    closed: Mapping[int, Sequence[str]],
    texts: Iterable[int],
    by: Iterable[str],
    lot: Random = LOT,
    narrow: Narrow | None = None,
) -> Counted:
    """Count what may be shown.

    Parameters
    ----------
    closed
        The questions with options, and the options of each.
    texts
        The questions that are answered in own words.
    by
        "role" and "area" as far as they were fixed before the consultation opened.
    narrow
        For rounds that ask the same again. It only takes slices away, so that what holds for all
        sums of one round holds for those that are left.
    """
    if len(answers) < FEWEST:
        return Counted(None)
    kept = kept_slices(answers, by)
    if narrow is not None:
        allowed = set(narrow(list(kept)))
        kept = {name: inside for name, inside in kept.items() if name in allowed}
    tallies = [
        each
        for question, options in closed.items()
        for name, inside in kept.items()
        for each in _tallies(question, name, options, inside)
    ]
    comments: list[tuple[int, str, int | None]] = []
    told = _partition(answers, "area")
    for question in texts:
        written = [
            (question, each.texts[question], each.area if f"area:{each.area}" in told else None)
            for each in answers
            if each.texts.get(question)
        ]
        if len(written) >= FEWEST:
            lot.shuffle(written)
            comments += written
            tallies.append((question, ALL, "", len(written)))
    return Counted(len(answers), tuple(tallies), tuple(comments), tuple(kept))


def _tallies(
    question: int, name: str, options: Sequence[str], inside: Sequence[Answer]
) -> list[tuple[int, str, str, int]]:
    """Who left the question out is counted in the number of answers and in no option."""
    chosen = Counter(each.options.get(question) for each in inside)
    counts = [(question, name, option, chosen[option]) for option in options]
    return [(question, name, "", len(inside)), *counts]


def kept_slices(answers: Sequence[Answer], by: Iterable[str]) -> dict[str, list[Answer]]:
    """The slices whose counts are kept, the whole first.

    A slice is kept with five answers and more. Where what is left of its partition has one to four,
    the smallest kept one goes too. Two roles and some areas (with the rest as one more) overlap:
    from their counts a sum can be had that rests on min(heads, teachers) of each area and on
    nothing else, and on fewer answers none can. So while these minima add up to one to four, the
    smallest area joins the rest: that never makes the sum smaller. With no area left it is the
    smaller role, which has five.

    A slice that is the whole again is left out: it says nothing.
    """
    wanted = set(by)
    roles = _partition(answers, "role") if "role" in wanted else {}
    areas = _partition(answers, "area") if "area" in wanted else {}
    while roles and areas and 0 < _overlap(answers, areas) < FEWEST:
        del areas[min(areas, key=lambda name: (len(areas[name]), name))]
    found = {ALL: list(answers)}
    for name, inside in [*roles.items(), *areas.items()]:
        if len(inside) < len(answers):
            found[name] = inside
    return found


def _partition(answers: Sequence[Answer], of: str) -> dict[str, list[Answer]]:
    """The blocks with five answers and more, unless the others together have one to four."""
    blocks: dict[str, list[Answer]] = {}
    for each in answers:
        value = each.role if of == "role" else each.area
        blocks.setdefault(f"{of}:{value}" if value not in (None, "") else "", []).append(each)
    kept = {name: blocks[name] for name in sorted(blocks) if name and len(blocks[name]) >= FEWEST}
    while kept and 0 < len(answers) - sum(map(len, kept.values())) < FEWEST:
        del kept[min(kept, key=lambda name: (len(kept[name]), name))]
    return kept


def _overlap(answers: Sequence[Answer], areas: Mapping[str, Sequence[Answer]]) -> int:
    """The fewest answers on which a sum from roles and areas together can rest."""
    heads: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    for each in answers:
        name = f"area:{each.area}"
        block = name if name in areas else REST
        whole[block] += 1
        heads[block] += each.role == ROLES[0]
    return sum(min(heads[block], n - heads[block]) for block, n in whole.items())
