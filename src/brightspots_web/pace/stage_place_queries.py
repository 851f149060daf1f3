"""The places that have stages: partnerships and areas; who speaks and answers there."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from brightspots_web.directory import office_queries as offices
from brightspots_web.directory import people_queries as people
from brightspots_web.directory import queries as directory
from brightspots_web.directory import record_queries as record
from brightspots_web.directory.models import Appointment, Area, Partnership, Person
from brightspots_web.shared.permissions import Capability, Role, may

PARTNERSHIP, AREA = "partnership", "area"
AT_ONCE = 500
"""So many places of a long list are read at once."""


@dataclass(frozen=True)
class Place:
    """A partnership or an area."""

    row: Partnership | Area

    @property
    def kind(self) -> str:
        return PARTNERSHIP if isinstance(self.row, Partnership) else AREA

    @property
    def pk(self) -> int:
        return self.row.pk

    @property
    def name(self) -> str:
        return self.row.name

    @property
    def fields(self) -> dict[str, Any]:
        """As rows of this app point at it."""
        return {PARTNERSHIP: None, AREA: None} | {self.kind: self.row}

    @property
    def lies_in(self) -> Area | None:
        """The area it is, or in which its leader's school lies."""
        if isinstance(self.row, Area):
            return self.row
        return self.row.lead_school.area if self.row.lead_school else None

    @property
    def above(self) -> str:
        """The name of the area around it; "" for the whole system."""
        around = self.row.parent if isinstance(self.row, Area) else self.lies_in
        return around.name if around is not None else ""


@dataclass(frozen=True)
class Seat:
    """What one voice stands for: a school, a partnership or the area's office."""

    key: str
    name: str
    holders: frozenset[int]
    """Keys of the appointments by which somebody speaks there today."""


def of(row: Any) -> Place:
    """The place of a row that points at one."""
    return Place(row.partnership or row.area)


# What is read


def partnerships_read_by(acting: Appointment | None) -> QuerySet[Partnership]:
    return directory.partnerships_visible_to(acting).select_related("lead_school__area")


def areas_read_by(acting: Appointment | None) -> QuerySet[Area]:
    """The areas whose stage somebody reads: in sight, and for leaders those they rate."""
    if acting is not None and acting.role == Role.SYSTEM_LEADER:
        above = _paths_above(acting)
        return record.areas().filter(path__in=above).select_related("parent")
    return directory.areas_visible_to(acting).select_related("parent")


def _paths_above(acting: Appointment) -> list[str]:
    lead = acting.partnership.lead_school if acting.partnership else None
    return directory.paths_to(lead.area) if lead is not None else []


def in_sight(acting: Appointment | None) -> Q:
    """Rows that point at a place which somebody reads."""
    return Q(partnership__in=partnerships_read_by(acting).values("pk")) | Q(
        area__in=areas_read_by(acting).values("pk")
    )


def find(acting: Appointment | None, kind: str, pk: int) -> Place | None:
    """One place, as far as somebody reads it."""
    row: Partnership | Area | None = None
    if kind == PARTNERSHIP:
        row = partnerships_read_by(acting).filter(pk=pk).first()
    elif kind == AREA:
        row = areas_read_by(acting).filter(pk=pk).first()
    return Place(row) if row is not None else None


def own_places(acting: Appointment | None) -> list[Place]:
    """Where somebody has a seat or answers: the own partnership, the own area and those above."""
    if acting is None or not may(acting, Capability.RATE_STAGE):
        return []
    if acting.role == Role.DISTRICT_OFFICER:
        return [Place(acting.area)] if acting.area is not None else []
    found: list[Place] = [Place(each) for each in partnerships_read_by(acting)]
    if acting.role == Role.SYSTEM_LEADER:
        found += [Place(each) for each in areas_read_by(acting)]
    return found


def open_ones() -> Q:
    """Rows that point at a place which there still is: partnerships may have ended."""
    return Q(partnership=None) | directory.unclosed(prefix="partnership__")


def in_parts(
    rows: QuerySet[Any], make: Callable[[list[Place]], Iterable[dict[str, Any]]]
) -> Iterator[dict[str, Any]]:
    """What is made of all places of a long list, a part of it at a time."""
    part: list[Place] = []
    for row in rows.iterator(chunk_size=AT_ONCE):
        part.append(Place(row))
        if len(part) == AT_ONCE:
            yield from make(part)
            part = []
    yield from make(part)


# Seats


def seats(place: Place) -> list[Seat]:
    """The seats somebody holds today, by name.

    In a partnership each school has one, and its leader one where no school of it is theirs. In an
    area its office has one, and each partnership whose leader's school lies there.
    """
    row = place.row
    found = _of_partnership(row) if isinstance(row, Partnership) else _of_area(row)
    return sorted(found, key=lambda each: (each.name, each.key))


def _of_partnership(row: Partnership) -> list[Seat]:
    schools = {each.school_id: each.school for each in directory.memberships_of(row)}
    held: dict[int, set[int]] = {}
    speaks = directory.heads().filter(school__in=list(schools))
    for key, school in speaks.values_list("pk", "school"):
        held.setdefault(school or 0, set()).add(key)
    found = [
        Seat(f"school-{key}", school.name, frozenset(held[key]))
        for key, school in schools.items()
        if key in held
    ]
    leaders = offices.in_office(role=Role.SYSTEM_LEADER, partnership=row)
    apart = {each.pk for each in leaders if each.school_id not in schools}
    if apart:
        found.append(Seat(f"partnership-{row.pk}", row.name, frozenset(apart)))
    return found


def _of_area(row: Area, *fits: Q) -> list[Seat]:
    office = offices.in_office(*fits, role=Role.DISTRICT_OFFICER, area=row)
    holders = frozenset(office.values_list("pk", flat=True))
    found = [Seat(f"area-{row.pk}", row.name, holders)] if holders else []
    leaders = offices.in_office(
        directory.unclosed(prefix="partnership__"),
        *fits,
        role=Role.SYSTEM_LEADER,
        partnership__lead_school__area__path__startswith=row.path,
    )
    held: dict[tuple[int, str], set[int]] = {}
    for each in leaders.select_related("partnership"):
        assert each.partnership is not None
        held.setdefault((each.partnership.pk, each.partnership.name), set()).add(each.pk)
    return found + [
        Seat(f"partnership-{key}", name, frozenset(keys)) for (key, name), keys in held.items()
    ]


def seat_of(acting: Appointment | None, place: Place) -> Seat | None:
    """The seat for which somebody speaks today; None for who has none there."""
    if acting is None or not may(acting, Capability.RATE_STAGE):
        return None
    if isinstance(place.row, Area):  # of an area's many seats the own one alone is looked for
        return next(iter(_of_area(place.row, Q(pk=acting.pk))), None)
    return next((each for each in seats(place) if acting.pk in each.holders), None)


def people_in(chosen: Iterable[Seat]) -> list[Person]:
    keys = {key for each in chosen for key in each.holders}
    held = offices.in_office(Q(pk__in=keys)).select_related("person")
    return [each.person for each in held]


# Who answers for a place, and who hands powers to it


def answers_for(acting: Appointment | None, place: Place) -> bool:
    """The leader of a partnership, or its heads where it has none; the officer of an area."""
    if acting is None or not may(acting, Capability.RATE_STAGE):
        return False
    row = place.row
    if isinstance(row, Area):
        return acting.role == Role.DISTRICT_OFFICER and acting.area_id == row.pk
    if people.leaders_of(row).exists():
        return acting.role == Role.SYSTEM_LEADER and acting.partnership_id == row.pk
    return seat_of(acting, place) is not None


def answering(place: Place) -> list[Person]:
    """The people who answer for a place; nobody where no office is held there."""
    row = place.row
    if isinstance(row, Area):
        return [
            each.person
            for each in offices.in_office(
                role=Role.DISTRICT_OFFICER, area=row
            ).select_related("person")
        ]  # fmt: skip
    return list(people.leaders_of(row)) or people_in(seats(place))


def hands_to(acting: Appointment | None, place: Place) -> bool:
    """Whether somebody hands powers to a place: the ministry; an officer, below the own area."""
    if acting is None or not may(acting, Capability.HAND_OVER):
        return False
    if acting.role == Role.MINISTER:
        return True
    if acting.area is None:
        return False
    row = place.row
    if isinstance(row, Area):
        return row.pk != acting.area.pk and row.path.startswith(acting.area.path)
    lies_in = place.lies_in
    return lies_in is not None and lies_in.path.startswith(acting.area.path)


def handing(place: Place) -> list[Person]:
    """Who hands powers to a place: the officers of the nearest area with one; else the ministry."""
    lies_in = place.lies_in
    paths = directory.paths_to(lies_in) if lies_in is not None else []
    if place.kind == AREA:
        paths = paths[:-1]
    held = offices.in_office(role=Role.DISTRICT_OFFICER, area__path__in=paths)
    rows = list(held.select_related("person", "area"))
    if not rows:
        return list(people.ministry())
    nearest = max(each.area.level for each in rows if each.area)
    return [each.person for each in rows if each.area and each.area.level == nearest]
