"""Where leaders are few: schools for each leader in office, area by area."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count

from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Area
from brightspots_web.leaders import designation_criteria_queries as criteria
from brightspots_web.leaders import designation_queries as designations
from brightspots_web.leaders.models import Grade


@dataclass(frozen=True)
class Supply:
    """An area with all below it: open schools, leaders in office, and who leads undesignated."""

    area: Area
    schools: int
    leaders: int
    undesignated: int
    most: int
    """Schools for each leader above which an area has few."""

    @property
    def per_leader(self) -> float | None:
        """Schools for each leader in office; None where there is no leader."""
        return self.schools / self.leaders if self.leaders else None

    @property
    def few(self) -> bool:
        ratio = self.per_leader
        return bool(self.schools) and (ratio is None or ratio > self.most)

    @property
    def wanted(self) -> int:
        """Leaders that the area lacks until each has no more schools than `most`."""
        return max(0, -(-self.schools // self.most) - self.leaders) if self.most else 0


def supply(acting: Appointment | None, areas: Sequence[Area]) -> list[Supply]:
    """The areas by name, with their counts; four statements, however many areas."""
    schools = directory.schools_visible_to(acting).filter(directory.unclosed()).order_by()
    schools_at = dict(schools.values_list("area__path").annotate(n=Count("pk")))
    live = designations.live_designations().filter(grade=Grade.LEADER).order_by()
    leaders_at = dict(live.values_list("school__area__path").annotate(n=Count("pk")))
    alone = designations.undesignated_leads(acting).order_by()
    alone_at = dict(alone.values_list("school__area__path").annotate(n=Count("pk")))
    most = criteria.current_criteria().few_per_schools

    def below(path: str, counts: dict[str, int]) -> int:
        return sum(n for at, n in counts.items() if at and at.startswith(path))

    return [
        Supply(
            area, below(area.path, schools_at), below(area.path, leaders_at),
            below(area.path, alone_at), most,
        )
        for area in sorted(areas, key=lambda each: (each.name, each.pk))
    ]  # fmt: skip


def areas_to_show(acting: Appointment | None, area: Area | None) -> list[Area]:
    """The areas one step below the one asked for; of an officer's own where none is named."""
    if area is None and acting is not None and acting.area is not None:
        area = acting.area
    inner = directory.inner_areas(acting, area)
    return inner or ([area] if area is not None else [])
