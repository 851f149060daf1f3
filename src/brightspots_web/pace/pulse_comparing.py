"""Which slices of a term may be kept beside those of the terms before: pure, no database.

The same people answer term after term, and many as before. Whoever holds two terms against each
other could so learn of the few who came or went. The rule here assumes the worst: that everybody
answers the same every term, and that it is known who answered. Then every count that was ever
released is a sum over people, and so is whatever is worked out from counts. **No such sum, unless
it is nought for everybody, may rest on fewer than five people.**

How it is held. Each released slice is a row, each person a column that says in which rows they are
counted. Where five groups of people that share nobody each have as many independent columns as all
people together, then four people can be taken away and still every sum leaves a trace with others:
none rests on these four. The groups are built slice by slice; a slice for which one of the five
finds nobody is not kept. That is more than needed now and then, and never less.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from brightspots_web.accountability.voice_counting import ALL
from brightspots_web.accountability.voice_models import FEWEST

Row = tuple[int, str]
"""Which term, and which slice of it."""
Person = int
Answered = Sequence[tuple[Person, str, int | None]]
"""Person, role, area of everybody who answered a term."""
TINY = 1e-7
"""Below this a remainder is nought: the numbers here are quotients of small whole ones."""


def kept_together(
    before: Sequence[tuple[Answered, Iterable[str]]], now: Answered, wanted: Iterable[str]
) -> list[str]:
    """The slices of this term that may be kept: the whole, roles, then areas, the largest first.

    Parameters
    ----------
    before
        Of each term that this one is compared with: who answered, and which slices were released.
    wanted
        The slices that may be kept as far as this term alone goes.
    """
    released = [(term, name) for term, (_who, names) in enumerate(before) for name in names]
    asked = [(len(before), name) for name in wanted]
    cells = _cells([who for who, _names in before] + [now], {*released, *asked})
    size = {row: sum(n for cell, n in cells.items() if row in cell) for row in asked}
    order = sorted(asked, key=lambda row: (_kind(row[1]), -size[row], row[1]))
    groups = Groups(cells, [*sorted(released, key=lambda row: (_kind(row[1]), row)), *order])
    if not all(groups.take_in(row) for row in groups.rows[: len(released)]):
        return []  # what is out is out: beside it nothing more can be shown to be safe
    return [row[1] for row in order if groups.take_in(row)]


def _kind(name: str) -> int:
    return 0 if name == ALL else 1 if name.startswith("role:") else 2


def _cells(terms: Sequence[Answered], rows: set[Row]) -> dict[frozenset[Row], int]:
    """How many people are counted in the same rows: nobody in particular is left.

    Those who are counted alike share one set: of a million people, each with their own, the sets
    would not fit into memory.
    """
    nowhere: frozenset[Row] = frozenset()
    of: dict[Person, frozenset[Row]] = {}
    joined: dict[tuple[frozenset[Row], int, str, int | None], frozenset[Row]] = {}
    one: dict[frozenset[Row], frozenset[Row]] = {}
    for term, who in enumerate(terms):
        for person, role, area in who:
            step = (of.get(person, nowhere), term, role, area)
            if step not in joined:
                named = {(term, ALL), (term, f"role:{role}"), (term, f"area:{area}")}
                cell = step[0] | (named & rows)
                joined[step] = one.setdefault(cell, cell)
            of[person] = joined[step]
    found = dict(Counter(of.values()))
    found.pop(nowhere, None)
    return found


class Groups:
    """Five groups that share nobody, each enough to tell all rows taken in so far apart."""

    def __init__(self, cells: Mapping[frozenset[Row], int], rows: Sequence[Row]) -> None:
        self.rows = list(rows)
        self.place = {row: at for at, row in enumerate(self.rows)}
        self.left = np.array(list(cells.values()), dtype=np.int64)
        widest = max(map(len, cells), default=0)
        # Where a cell is in fewer rows, the places left over point at a row of noughts.
        self.members = np.full((len(cells), widest), len(self.rows), dtype=np.int64)
        for at, cell in enumerate(cells):
            self.members[at, : len(cell)] = [self.place[row] for row in cell]
        self.taken: list[int] = []
        self.picked: list[list[int]] = [[] for _each in range(FEWEST)]
        self.inverse: list[NDArray[np.float64]] = [np.zeros((0, 0)) for _each in range(FEWEST)]

    def take_in(self, row: Row) -> bool:
        """Take a row in, if all five groups find somebody for it; say whether."""
        at = self.place[row]
        vector = (self.members == at).any(axis=1).astype(float)
        left, picks, ways = self.left.copy(), [], []
        for group in range(FEWEST):
            way = vector[self.picked[group]] @ self.inverse[group]
            rest = vector - self._sum_of(way)
            fits = np.flatnonzero(np.abs(rest) > TINY)
            if not fits.size:
                return True  # it says nothing that the others together do not say
            free = fits[left[fits] > 0]
            if not free.size:
                return False
            pick = int(free[np.argmax(left[free])])
            left[pick] -= 1
            picks.append(pick)
            ways.append((way, float(rest[pick])))
        for group, (pick, (way, rest_there)) in enumerate(zip(picks, ways, strict=True)):
            self._grow(group, pick, way, rest_there)
        self.left = left
        self.taken.append(at)
        return True

    def _sum_of(self, way: NDArray[np.float64]) -> NDArray[np.float64]:
        """What the rows taken in, so many times each, come to in every cell."""
        weights = np.zeros(len(self.rows) + 1)
        weights[self.taken] = way
        summed: NDArray[np.float64] = weights[self.members].sum(axis=1)
        return summed

    def _grow(self, group: int, pick: int, way: NDArray[np.float64], rest: float) -> None:
        """One row and one column more: the inverse is bordered, not computed anew."""
        old = self.inverse[group]
        inside = np.isin(self.taken, self.members[pick]).astype(float)
        across = old @ inside
        n = len(self.taken)
        grown = np.empty((n + 1, n + 1))
        grown[:n, :n] = old + np.outer(across, way) / rest
        grown[:n, n] = -across / rest
        grown[n, :n] = -way / rest
        grown[n, n] = 1 / rest
        self.inverse[group] = grown
        self.picked[group].append(pick)
