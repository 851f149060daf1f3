"""What a run chart can tell from chance: shifts, trends, and too few or too many runs.

The three rules are those of Perla, Provost and Murray (2011), "The run chart: a simple analytical
tool for learning from variation in healthcare processes", BMJ Quality & Safety 20(1), 46-51,
doi 10.1136/bmjqs.2009.037895. Median and runs, and how often such rules speak though nothing has
changed: Anhøj and Olesen (2014), "Run charts revisited", PLOS ONE 9(11), e113825,
doi 10.1371/journal.pone.0113825.

The limits for the number of runs are those of Swed and Eisenhart (1943), Annals of Mathematical
Statistics 14(1), 66-87, which that paper reprints: they are computed here from the distribution
of the number of runs, 2.5 in a hundred at either end. The printed table differs by one in places.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from math import comb
from statistics import median

FEWEST = 10
"""Points off the median below which nothing is said."""
SHIFT = 6
"""So many points in a row on one side of the median are a shift."""
TREND = 5
"""So many points in a row, each above (or each below) the one before, are a trend."""
EACH_END = 0.025


@dataclass(frozen=True)
class Stretch:
    """Points in a row, by their places in the sequence, and where they lie or go."""

    first: int
    last: int
    length: int
    up: bool
    """Above the median, or rising."""


@dataclass(frozen=True)
class Reading:
    """What the rules find in a sequence of values."""

    n: int
    median: float | None
    useful: int
    """Points off the median."""
    runs: int
    limits: tuple[int, int] | None
    """Fewest and most runs that chance alone would leave; None where there are too few points."""
    shifts: tuple[Stretch, ...] = ()
    trends: tuple[Stretch, ...] = ()

    @property
    def enough(self) -> bool:
        return self.limits is not None

    @property
    def too_few_runs(self) -> bool:
        return self.limits is not None and self.runs < self.limits[0]

    @property
    def too_many_runs(self) -> bool:
        return self.limits is not None and self.runs > self.limits[1]

    @property
    def signal(self) -> bool:
        """Whether any of the rules finds what chance alone would rarely leave."""
        return bool(self.shifts or self.trends or self.too_few_runs or self.too_many_runs)


def read(values: Sequence[float]) -> Reading:
    """Apply the rules to values in the order of their days.

    Points on the median are passed over: they neither break a run nor add to it. A value equal to
    the one before it neither breaks a trend nor adds to it.
    """
    if not values:
        return Reading(0, None, 0, 0, None)
    middle = median(values)
    sides = [(place, value > middle) for place, value in enumerate(values) if value != middle]
    runs = [list(each) for _side, each in groupby(sides, key=lambda point: point[1])]
    above = sum(up for _place, up in sides)
    if len(sides) < FEWEST:
        return Reading(len(values), middle, len(sides), len(runs), None)
    return Reading(
        n=len(values),
        median=middle,
        useful=len(sides),
        runs=len(runs),
        limits=limits(above, len(sides) - above),
        shifts=tuple(
            Stretch(each[0][0], each[-1][0], len(each), each[0][1])
            for each in runs
            if len(each) >= SHIFT
        ),
        trends=tuple(_trends(values)),
    )


def _trends(values: Sequence[float]) -> list[Stretch]:
    """Stretches in which every value lies on the same side of the one before."""
    found: list[Stretch] = []
    kept = [(0, values[0])]
    kept += [(at, v) for at, v in enumerate(values) if at and v != values[at - 1]]
    steps = [
        (kept[i][0], kept[i + 1][0], kept[i + 1][1] > kept[i][1]) for i in range(len(kept) - 1)
    ]
    for up, each in groupby(steps, key=lambda step: step[2]):
        stretch = list(each)
        if len(stretch) + 1 >= TREND:
            found.append(Stretch(stretch[0][0], stretch[-1][1], len(stretch) + 1, up))
    return found


@cache
def limits(above: int, below: int) -> tuple[int, int]:
    """The fewest and the most runs that chance leaves, but for 2.5 in a hundred at either end."""
    chances = _chances(above, below)
    low, high = min(chances), max(chances)
    total = 0.0
    for runs in sorted(chances):
        total += chances[runs]
        if total > EACH_END:
            low = runs
            break
    total = 0.0
    for runs in sorted(chances, reverse=True):
        total += chances[runs]
        if total > EACH_END:
            high = runs
            break
    return low, high


def _chances(above: int, below: int) -> dict[int, float]:
    """Number of runs -> its probability when all orders of the points are alike."""
    if not above or not below:
        return {1: 1.0}
    orders = comb(above + below, above)
    found: dict[int, float] = {}
    for runs in range(2, 2 * min(above, below) + 2):
        half, odd = divmod(runs, 2)
        if odd:
            ways = comb(above - 1, half) * comb(below - 1, half - 1)
            ways += comb(above - 1, half - 1) * comb(below - 1, half)
        else:
            ways = 2 * comb(above - 1, half - 1) * comb(below - 1, half - 1)
        found[runs] = ways / orders
    return found
