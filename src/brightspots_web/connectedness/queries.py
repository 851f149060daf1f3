"""All reads about partnerships; isolation is in `contact_definition_queries.py`."""

from dataclasses import dataclass

from django.db.models import Avg, Count, Exists, Max, OuterRef, Q, QuerySet

from brightspots_web.connectedness.models import Variability
from brightspots_web.connectedness.studio_queries import (
    proposals_visible_to as proposals_visible_to,
)
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Area, Membership, Partnership, School


@dataclass(frozen=True)
class Connectedness:
    """How many open schools of an area are in a partnership, and how many are in none."""

    schools: int
    outside: int
    """Schools in no partnership: one of the reasons for being isolated."""
    partnerships: int
    without_leader: int
    """Partnerships whose proposed leader is not appointed yet."""

    @property
    def connected(self) -> int:
        return self.schools - self.outside

    @property
    def share(self) -> float | None:
        return self.connected / self.schools if self.schools else None


def connectedness(acting: Appointment | None, area: Area | None = None) -> Connectedness:
    """The counts of the front pages."""
    schools = _open_and_visible(acting, area)
    partnerships = partnerships_in(acting, area)
    return Connectedness(
        schools=schools.count(),
        outside=_not_in_partnership(schools).count(),
        partnerships=partnerships.count(),
        without_leader=partnerships.exclude(Exists(_leaders())).count(),
    )


def partnerships_in(acting: Appointment | None, area: Area | None = None) -> QuerySet[Partnership]:
    """Live partnerships the appointment may see that have a school in the area."""
    partnerships = directory.partnerships_visible_to(acting)
    if area is not None:
        inside = directory.live_memberships().filter(school__area__path__startswith=area.path)
        partnerships = partnerships.filter(pk__in=inside.values("partnership"))
    return partnerships


def members_of(partnership: Partnership) -> QuerySet[Membership]:
    """Live memberships, the leader's school first, then by distance."""
    return (
        directory.live_memberships()
        .filter(partnership=partnership)
        .select_related("school__area")
        .annotate(leads=Q(school=partnership.lead_school_id))
        .order_by("-leads", "distance_km", "school__name")
    )


def leaders_of(partnership: Partnership) -> QuerySet[Appointment]:
    """Who holds a live appointment as the partnership's system leader."""
    return (
        directory.live_leaders().filter(partnership=partnership).select_related("person", "school")
    )


def partnered_by_area(acting: Appointment | None, areas: list[Area]) -> dict[int, tuple[int, int]]:
    """Area key -> (open schools, of these in a partnership), each area with all below it."""
    per_area: dict[str, list[int]] = {}
    schools = _open_and_visible(acting, None)
    for path, total in _count_by_area(schools):
        per_area.setdefault(path, [0, 0])[0] = total
    for path, outside in _count_by_area(_not_in_partnership(schools)):
        per_area.setdefault(path, [0, 0])[1] = outside
    found: dict[int, tuple[int, int]] = {}
    for area in areas:
        inside = [pair for path, pair in per_area.items() if path.startswith(area.path)]
        total = sum(pair[0] for pair in inside)
        found[area.pk] = (total, total - sum(pair[1] for pair in inside))
    return found


def _count_by_area(schools: QuerySet[School]) -> list[tuple[str, int]]:
    rows = schools.order_by().values("area__path").annotate(n=Count("pk"))
    return [(row["area__path"], row["n"]) for row in rows]


def _open_and_visible(acting: Appointment | None, area: Area | None) -> QuerySet[School]:
    schools = directory.schools_visible_to(acting).filter(directory.unclosed())
    return schools.filter(directory.within(area)) if area is not None else schools


def _not_in_partnership(schools: QuerySet[School]) -> QuerySet[School]:
    return schools.exclude(Exists(directory.live_memberships().filter(school=OuterRef("pk"))))


def _leaders() -> QuerySet[Appointment]:
    return directory.live_leaders().filter(partnership=OuterRef("pk"))


def partnership_list(acting: Appointment | None, area: Area | None = None) -> QuerySet[Partnership]:
    """Partnerships with their number of schools, mean way to the leader, and leader."""
    live = directory.live_membership(prefix="memberships__")
    return (
        partnerships_in(acting, area)
        .select_related("lead_school__area")
        .annotate(
            n_schools=Count("memberships", filter=live),
            mean_km=Avg("memberships__distance_km", filter=live),
            far_km=Max("memberships__distance_km", filter=live),
            has_leader=Exists(_leaders()),
        )
        .order_by("lead_school__area__path", "name", "code")
    )


def variability_of(partnership: Partnership) -> list[Variability]:
    return list(Variability.objects.filter(partnership=partnership).order_by("subject"))
