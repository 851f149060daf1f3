"""Who may see which figure: the one rule that every page, export, chart and count asks.

1. A school's figure needs ten pupils across schools, five within the school itself.
2. Years of a school that could give a smaller one away by subtraction are withheld as well. Which
   ones is decided when an analysis is made (`insight/analysis/withheld.py`) and stands in the row.
3. Whatever is added up over schools (areas, partnerships, families, the system) is added up over
   figures that everybody who sees schools may see. A total minus the parts shown is 0 and says
   nothing about anybody: schools whose figure is withheld are not in it.
4. A figure of several schools needs three, and areas beside each other are withheld together
   where one could be had from the others.
5. What is worked out from a withheld figure is withheld with it: a way of reckoning that rests on
   one year, pupils touched in a year, groups of pupils whose complement is small.

`docs/methods/disclosure.md` says why and what is left. Nothing else in the platform compares a
number of pupils with a minimum.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Q

from brightspots_web.directory.models import Appointment, School
from brightspots_web.insight.models import Estimate, Sensitivity, SubgroupFigure

SMALLEST_ACROSS = 10
"""Fewest pupils behind a figure that others than the school itself may see."""
SMALLEST_INSIDE = 5
"""Fewest pupils behind a figure that the school itself may see, with a word of caution."""
FEWEST_SCHOOLS = 3
"""Fewest schools behind a figure of several: of two, each could work out the other."""


@dataclass(frozen=True)
class Sight:
    """From where somebody looks at a school's figures: from inside the school, or across."""

    inside: bool = False

    @property
    def least(self) -> int:
        """Fewest pupils behind a figure shown."""
        return SMALLEST_INSIDE if self.inside else SMALLEST_ACROSS

    def shows(self, row: Estimate) -> bool:
        withheld = row.complementary_inside if self.inside else row.complementary
        return row.n >= self.least and not withheld


ACROSS = Sight()


def sight(school: School, acting: Appointment | None) -> Sight:
    """How the acting appointment sees this school; whether it may at all, the caller checks."""
    return Sight(inside=acting is not None and acting.school_id == school.pk)


def shown_across() -> Q:
    """Estimates that everybody who may open the school's page sees: the ground of all totals."""
    return Q(n__gte=SMALLEST_ACROSS, complementary=False)


def values_of_several(values: Sequence[float]) -> list[float]:
    """Values without names, sorted; none where so few schools remain that they name themselves."""
    return sorted(values) if len(values) >= FEWEST_SCHOOLS else []


def groups_shown(groups: Iterable[SubgroupFigure], whole: Estimate | None) -> list[SubgroupFigure]:
    """Groups of a school's pupils, without those dimensions whose rest would be small.

    Groups under ten pupils are never written, nor those that leave fewer. Here the shown groups of
    a dimension are taken from the whole once more: what is left over must be nobody, or so many
    that it can be anything from 1 to 9 and another group of ten besides.
    """
    if whole is None:
        return []
    by_dimension: dict[str, list[SubgroupFigure]] = {}
    for group in groups:
        by_dimension.setdefault(group.dimension, []).append(group)
    shown: list[SubgroupFigure] = []
    for rows in by_dimension.values():
        rest = whole.n - sum(row.n for row in rows)
        if min(row.n for row in rows) < SMALLEST_ACROSS or 0 < rest < 2 * SMALLEST_ACROSS - 1:
            continue
        shown += rows
    return shown


def variants_shown(
    rows: Iterable[Sensitivity], now: Estimate | None, years_withheld: bool
) -> list[Sensitivity]:
    """Other ways of reckoning; where a year is withheld, none that sets years apart."""
    if now is None:
        return []
    apart = {Sensitivity.Variant.LATEST_YEAR, Sensitivity.Variant.WITHOUT_LATEST}
    return [row for row in rows if not (years_withheld and row.variant in apart)]
