"""What the schools of a partnership look at together: their figures, lasting and year by year.

Only what everybody in the partnership may see. A school that sees more of itself sees it on its own
page: what is put on a wall for all is the same for all.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Partnership, School
from brightspots_web.insight import disclosure, queries
from brightspots_web.insight.models import Estimate, Run
from brightspots_web.insight.queries import Scale


@dataclass(frozen=True)
class Figures:
    """One outcome in the schools of a partnership."""

    run: Run
    scale: Scale
    members: tuple[School, ...]
    """By name."""
    now: dict[int, Estimate] = field(default_factory=dict)
    """School's key -> its lasting figure; without those that are withheld."""
    by_year: dict[int, tuple[Estimate, ...]] = field(default_factory=dict)
    """School's key -> its figures of single years, the oldest first; without those withheld."""

    @property
    def subject(self) -> str:
        return self.scale.subject

    @property
    def without(self) -> list[School]:
        """Schools of which there is no figure that all may see."""
        return [school for school in self.members if school.pk not in self.now]


def figures_of(partnership: Partnership, run: Run | None) -> dict[str, Figures]:
    """Outcome -> its figures; the caller has checked that the partnership may be opened.

    Single years of a school are shown where its lasting figure is: years alone would tell what is
    withheld there.
    """
    if run is None:
        return {}
    members = tuple(row.school for row in directory.memberships_of(partnership))
    now: dict[str, dict[int, Estimate]] = defaultdict(dict)
    years: dict[str, dict[int, list[Estimate]]] = defaultdict(lambda: defaultdict(list))
    rows = Estimate.objects.filter(
        disclosure.shown_across(), run=run, school__in=[member.pk for member in members]
    )
    for row in rows.order_by("year"):
        if row.year is None:
            now[row.subject][row.school_id] = row
        else:
            years[row.subject][row.school_id].append(row)
    return {
        name: Figures(
            run,
            scale,
            members,
            now[name],
            {key: tuple(each) for key, each in years[name].items() if key in now[name]},
        )
        for name, scale in queries.scales(run).items()
    }
