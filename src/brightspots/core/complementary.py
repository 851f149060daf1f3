"""A second cell is withheld, so that the first cannot be had by subtraction.

`suppress` takes away cells that rest on too few. Where a total stands beside its parts, what was
taken away can be worked out: total minus the parts shown. Complementary suppression withholds
further cells until nobody can.

Who we protect against: a reader who has every published cell, knows this rule, and may even have
been told which of the withheld cells are the small ones. Of each small cell with count c below the
minimum m such a reader is left with every value from the number of its smallest parts to m - 1.
Where a group of siblings is withheld as a whole and no further sibling is left, the same is held
against a reader who was *not* told which cells are small; where even that fails, the total goes.

Which sibling is withheld besides is decided by an order that the caller gives (or by the name of
the cell), never by size: "the smallest further one" tells that it is no larger than those shown,
and with that the small cell can be narrowed down again (the minimality attack of Wong et al. 2007,
doi 10.5555/1325851.1325914).

The problem of withholding the least over a general table is NP-hard (Kelly, Golden and Assad 1992,
doi 10.1002/net.3230220407). Over one tree of sums it is local: what a total and its parts tell is
one equation, and cells that move together along a path from the root to a leaf leave every
equation true. So one pass from the deepest totals upwards suffices; see :func:`protect_tree`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from brightspots.core.disclosure import MINIMUM_PUPILS_PUBLIC
from brightspots.core.errors import InputError

TOLERANCE = 1e-6
"""Parts may exceed their total by this share: counts may be sums of weights."""


def protect_tree(
    frame: pl.DataFrame,
    *,
    node: str = "node",
    parent: str = "parent",
    count: str = "count",
    primary: str | None = None,
    order: str | None = None,
    minimum: int = MINIMUM_PUPILS_PUBLIC,
    share: float = 0.1,
) -> pl.DataFrame:
    """Withhold small cells of a tree of sums, and others so that subtraction yields none of them.

    Parameters
    ----------
    frame : polars.DataFrame
        One row a cell: an area and the areas and schools in it, all years and each year, all
        pupils and each group of them. A forest is as good as a tree.
    node, parent : str
        Columns with the cell's name and the name of the total it is part of (null for a root).
    count : str
        Pupils behind the cell; 0 or more. A total may be more than its listed parts: that rest is
        taken to be known to everybody and protects nothing.
    primary : str, optional
        Boolean column: withheld for another reason than the count, of too few schools say.
    order : str, optional
        Column that says which sibling is withheld first where a further one must be (ascending,
        ties by `node`). It must not follow from the counts.
    minimum : int
        Cells with a count from 1 to `minimum` - 1 are withheld (m below). A cell of nobody is
        shown: what it would tell is that there is nothing to tell.
    share : float
        For cells withheld by `primary` though they are large: nobody may narrow them down to
        less than this share above the truth.

    Returns
    -------
    polars.DataFrame
        The same rows in the same order with the boolean columns `suppressed` (withheld for
        whatever reason) and `complementary` (withheld only to protect another).

    Raises
    ------
    InputError
        A column is missing, a cell occurs twice or has no name, a parent is not listed, the tree
        runs in a circle, a count is unknown or negative, or parts exceed their total.

    Notes
    -----
    Of a withheld cell the reader knows a least value l: 1 for a small leaf, m for another leaf,
    the sum over its parts for a total (parts that are shown count in full). Its *slack* is
    count - l. A small cell a is safe among the withheld siblings H under a shown total when

        sum of slack(b) over b in H, b != a  >=  m - 1 - count(a)

    and some b in H, b != a, is not small, so that it may be larger than it is and a smaller: the
    reader cannot exclude any value from l(a) to m - 1. If not, a sibling joins H: the first in
    order that brings enough slack, else the first in order, until it holds or none is left. A
    total that joins H withholds a part of its own, down to a leaf, by the same choice; otherwise
    its parts would give it away. With none left, l = 1 for all leaves is taken (the reader who was
    not told); if that fails too, the total is withheld and is a cell to protect one step up.

    Everything is decided by one pass over groups from the deepest upwards; time grows with the
    number of cells. Nothing is random and the order of rows does not matter.
    """
    cells = _cells(frame, node, parent, count, primary, order, minimum, share)
    for total in cells.deepest_first():
        cells.protect(total)
    hidden = np.empty(frame.height, dtype=bool)
    hidden[cells.row] = cells.hidden
    small = np.empty(frame.height, dtype=bool)
    small[cells.row] = cells.primary
    return frame.with_columns(
        pl.Series("suppressed", hidden), pl.Series("complementary", hidden & ~small)
    )


@dataclass
class _Cells:
    """Cells by position; children of each in the order in which they would be withheld."""

    row: list[int]
    """Row of the frame."""
    count: list[float]
    children: list[list[int]]
    depth: list[int]
    small: list[bool]
    primary: list[bool]
    hidden: list[bool]
    potential: list[float]
    """Slack a cell could bring if all below it were withheld."""
    minimum: int
    share: float
    owed: list[float] = field(default_factory=list)
    """Room that a withheld total must still find among its siblings, for the sake of its parts."""

    def deepest_first(self) -> list[int]:
        totals = [at for at, parts in enumerate(self.children) if parts]
        return sorted(totals, key=lambda at: -self.depth[at])

    def protect(self, total: int) -> None:
        """Make the equation of one total and its parts safe."""
        parts = self.children[total]
        while not self.hidden[total]:
            withheld = [at for at in parts if self.hidden[at]]
            missing = self._missing(withheld)
            if missing is None:
                return
            further = self._further(parts)
            if sum(self.potential[at] for at in further) < missing:
                for at in further:  # they cannot bring enough: the reader must not be told more
                    self._withhold(at, self.potential[at])
                withheld += further
            elif further:
                self._withhold(self._next(further, missing), missing)
                continue
            short = self._missing_untold(withheld)
            if short is None:
                return
            self.hidden[total] = True
            self.owed[total] = short

    def _missing(self, withheld: Sequence[int]) -> float | None:
        """Room that a reader who was told lacks; None where every withheld cell is safe."""
        slack = sum(self._slack(at) for at in withheld)
        loose = sum(self._loose(at) for at in withheld)
        worst: float | None = None
        for at in withheld:
            need = self._need(at)
            if need is None:
                continue
            room = slack - self._slack(at)
            others = loose - self._loose(at)
            if others and room >= need:
                continue
            worst = max(worst or 0.0, need - room)
        return worst

    def _missing_untold(self, withheld: Sequence[int]) -> float | None:
        """Do the same for a reader who does not know which of the withheld cells are small."""
        slack = sum(self.count[at] - self._leaves(at) for at in withheld)
        worst: float | None = None
        for at in withheld:
            need = self._need(at)
            if need is None:
                continue
            room = slack - (self.count[at] - self._leaves(at))
            if len(withheld) < 2 or room < need:
                worst = max(worst or 0.0, need - room)
        return worst

    def _need(self, at: int) -> float | None:
        """How far a cell must be able to rise; None for one that protects others only."""
        if self.small[at]:
            return max(self.minimum - 1 - self.count[at], 0.0)
        if self.primary[at]:
            return max(self.minimum - 1.0, self.share * self.count[at])
        return self.owed[at] if self.owed[at] > 0 else None

    def _slack(self, at: int) -> float:
        """How far a withheld cell can fall, as far as a reader who was told knows."""
        if not self.children[at]:
            return max(self.count[at] - (1 if self.small[at] else self.minimum), 0.0)
        if self.small[at]:
            return self.count[at] - self._leaves(at)
        return sum(self._slack(part) for part in self.children[at] if self.hidden[part])

    def _loose(self, at: int) -> bool:
        """Whether a withheld cell can rise without limit."""
        if not self.children[at]:
            return not self.small[at]
        return any(self._loose(part) for part in self.children[at] if self.hidden[part])

    def _leaves(self, at: int) -> float:
        """Least a withheld cell can be to a reader who was not told."""
        parts = self.children[at]
        if not parts:
            return min(1.0, self.count[at])
        return sum(self._leaves(part) if self.hidden[part] else self.count[part] for part in parts)

    def _withhold(self, at: int, room: float) -> None:
        """Withhold a cell and, below it, what lets it fall by `room` and rise at all."""
        self.hidden[at] = True
        parts = self.children[at]
        while parts and not (self._loose(at) and self._slack(at) >= room):
            further = self._further(parts)
            if not further:
                return
            missing = max(room - self._slack(at), 0.0)
            self._withhold(self._next(further, missing), missing)

    def _further(self, parts: Sequence[int]) -> list[int]:
        """Parts that may be withheld besides; that there is nobody at all protects nothing."""
        return [at for at in parts if not self.hidden[at] and self.count[at] > 0]

    def _next(self, further: Sequence[int], missing: float) -> int:
        """Choose the first in order that brings enough; else the first that brings anything."""
        for least in (missing, 1e-9, 0.0):
            for at in further:
                if self.potential[at] >= least:
                    return at
        return further[0]


def _cells(
    frame: pl.DataFrame,
    node: str,
    parent: str,
    count: str,
    primary: str | None,
    order: str | None,
    minimum: int,
    share: float,
) -> _Cells:
    if minimum < 2:
        raise InputError(f"The minimum is {minimum}.", mend="Give a count of at least 2.")
    if not 0 <= share < 1:
        raise InputError(f"share is {share}.", mend="Give a share from 0 to below 1.")
    for name in (node, parent, count, primary, order):
        if name is not None and name not in frame.columns:
            raise InputError("This column is not in the table.", column=name)
    by = [*([order] if order else []), node]
    sort = pl.arg_sort_by(by, nulls_last=True, maintain_order=True)
    rows: list[int] = frame.select(sort).to_series().to_list()
    ordered = frame[rows]
    names = ordered[node].to_list()
    place = {name: at for at, name in enumerate(names)}
    if None in place or len(place) < len(names):
        seen: set[object] = set()
        for name, row in zip(names, rows, strict=True):
            if name is None or name in seen:
                what = "A cell has no name." if name is None else f'Cell "{name}" occurs twice.'
                raise InputError(what, row=row + 2, column=node)
            seen.add(name)
    counts = ordered[count].cast(pl.Float64, strict=False).fill_null(float("nan")).to_list()
    for value, row in zip(counts, rows, strict=True):
        if not value >= 0 or value == float("inf"):
            raise InputError(
                "A count is unknown or below 0.",
                row=row + 2,
                column=count,
                mend="Leave out cells that nobody counted.",
            )
    children: list[list[int]] = [[] for _ in names]
    above = ordered[parent].to_list()
    for at, (name, row) in enumerate(zip(above, rows, strict=True)):
        if name is None:
            continue
        if name not in place:
            raise InputError(f'The total "{name}" is not listed.', row=row + 2, column=parent)
        children[place[name]].append(at)
    depth = _depths(children, [place[a] if a is not None else -1 for a in above], names, parent)
    _check_sums(counts, children, rows, count)
    small = [0 < value < minimum for value in counts]
    given = ordered[primary].fill_null(True).to_list() if primary else [False] * len(names)
    first = [a or bool(b) for a, b in zip(small, given, strict=True)]
    potential = [0.0] * len(names)
    for at in sorted(range(len(names)), key=lambda at: -depth[at]):
        parts = children[at]
        potential[at] = (
            sum(potential[part] for part in parts) if parts else max(counts[at] - minimum, 0.0)
        )
    for at in sorted(range(len(names)), key=lambda at: depth[at]):
        if first[at]:  # parts of what is withheld are withheld
            for part in children[at]:
                first[part] = counts[part] > 0
    return _Cells(
        row=rows,
        count=counts,
        children=children,
        depth=depth,
        small=small,
        primary=first,
        hidden=list(first),
        potential=potential,
        minimum=minimum,
        share=share,
        owed=[0.0] * len(names),
    )


def _depths(
    children: list[list[int]], above: list[int], names: list[object], parent: str
) -> list[int]:
    depth = [-1] * len(above)
    level = [at for at, total in enumerate(above) if total < 0]
    step = 0
    while level:
        for at in level:
            depth[at] = step
        level = [part for at in level for part in children[at]]
        step += 1
    if -1 in depth:
        name = names[depth.index(-1)]
        raise InputError(f'"{name}" is part of itself, step by step.', column=parent)
    return depth


def _check_sums(
    counts: list[float], children: list[list[int]], rows: list[int], column: str
) -> None:
    for at, parts in enumerate(children):
        total = sum(counts[part] for part in parts)
        if total > counts[at] * (1 + TOLERANCE) + TOLERANCE:
            raise InputError(
                f"The parts count {total:g}, their total {counts[at]:g}.",
                row=rows[at] + 2,
                column=column,
                mend="A total must hold all of its parts.",
            )
