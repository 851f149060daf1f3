"""How far the pupils of an area moved together, and which schools stand behind each year.

An area's figure of a year as the analysis published it, withheld where it is withheld there. Who
may be told it besides those who see all of its schools, the caller decides: `schools_behind` says
whose figures are in it.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from brightspots_web.directory.models import Area
from brightspots_web.insight import disclosure
from brightspots_web.insight.models import AreaFigure, Estimate, Run
from brightspots_web.insight.progress_queries import Level, change, level_of
from brightspots_web.insight.queries import Scale


@dataclass(frozen=True)
class AreaProgress:
    """An area at one outcome: each year that may be shown, and how it moved."""

    area: Area
    scale: Scale
    years: tuple[tuple[int, Level], ...]
    """The earliest first; without those that are withheld."""
    moved: Level | None
    """The newest year of the analysis minus its first; None where one of them is not shown."""

    @property
    def first_year(self) -> int:
        return self.scale.years[0]

    @property
    def last_year(self) -> int:
        return self.scale.years[-1]

    @property
    def now(self) -> Level | None:
        """The newest year of the analysis."""
        return dict(self.years).get(self.last_year)

    @property
    def verdict(self) -> str:
        """How it moved: `up`, `down`, `unclear` or `none`."""
        return "none" if self.moved is None else _side(self.moved)

    @property
    def stands(self) -> str:
        """The newest year beside what is expected: `up`, `down`, `unclear` or `none`."""
        return "none" if self.now is None else _side(self.now)


def _side(level: Level) -> str:
    if level.lower > 0:
        return "up"
    return "down" if level.upper < 0 else "unclear"


def levels(area: Area, subjects: Sequence[str], run: Run) -> dict[str, dict[int, Level]]:
    """Outcome -> year -> the area's figure that is published of it, those withheld left out.

    The caller has checked who may be told them.
    """
    found: dict[str, dict[int, Level]] = {each: {} for each in subjects}
    rows = AreaFigure.objects.filter(
        run=run, area=area, subject__in=list(subjects), suppressed=False, mean__isnull=False,
        year__isnull=False,
    )  # fmt: skip
    for row in rows.order_by("subject", "year"):
        level = level_of(row)
        if level is not None and row.year is not None:
            found[row.subject][row.year] = level
    return found


def progress(
    area: Area, scale: Scale, known: dict[int, Level], told: Collection[int]
) -> AreaProgress:
    """An area's outcome from those of its years that a reader may be told."""
    years = {year: level for year, level in sorted(known.items()) if year in told}
    first, last = (scale.years[0], scale.years[-1]) if scale.years else (0, 0)
    moved = change(years.get(first), years.get(last)) if last > first else None
    return AreaProgress(area, scale, tuple(years.items()), moved)


def schools_behind(
    area: Area, subjects: Sequence[str], run: Run
) -> dict[tuple[str, int], dict[int, str]]:
    """Outcome and year -> the schools whose figures are in the area's: key -> path of its area.

    Where a school lies today: whoever asks compares their number with that of the figure, which
    counted them where they lay when it was made.
    """
    found: dict[tuple[str, int], dict[int, str]] = defaultdict(dict)
    rows = Estimate.objects.filter(
        disclosure.shown_across(), run=run, subject__in=list(subjects), year__isnull=False,
        school__area__path__startswith=area.path,
    )  # fmt: skip
    for subject, year, school, path in rows.order_by().values_list(
        "subject", "year", "school", "school__area__path"
    ):
        found[subject, year or 0][school] = path
    return dict(found)
