"""All reads of the register. What an appointment may see is decided here and nowhere else."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings
from django.db.models import Avg, Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from brightspots_web.directory.models import (
    Appointment,
    Area,
    Membership,
    Partnership,
    Person,
    School,
    Succession,
    System,
)
from brightspots_web.shared.permissions import Capability, Role, may

APPOINTS: dict[str, frozenset[str]] = {
    Role.MINISTER: frozenset(Role.values),
    Role.DISTRICT_OFFICER: frozenset({Role.SYSTEM_LEADER, Role.HEAD, Role.TEACHER}),
}
"""Which roles a role may appoint, within what it sees."""


def today() -> date:
    return timezone.localdate()


def system() -> System | None:
    return System.objects.first()


def live(on: date | None = None) -> Q:
    """Rows with `starts` and `ends` that hold on a day."""
    day = on or today()
    return Q(starts__lte=day) & (Q(ends__isnull=True) | Q(ends__gt=day))


def live_membership(on: date | None = None, *, prefix: str = "") -> Q:
    """Memberships of a day; `prefix` leads to them from another model.

    A school that is closed has left its partnership.
    """
    day = on or today()
    conditions = Q(**{f"{prefix}starts__lte": day})
    for end in ("ends", "school__closed"):
        conditions &= Q(**{f"{prefix}{end}__isnull": True}) | Q(**{f"{prefix}{end}__gt": day})
    return conditions


def live_memberships(on: date | None = None) -> QuerySet[Membership]:
    """Who works with whom on a day."""
    return Membership.objects.filter(live_membership(on), unclosed(on, prefix="partnership__"))


def unclosed(on: date | None = None, *, prefix: str = "") -> Q:
    """Schools or partnerships not closed on a day; what closes later still stands."""
    day = on or today()
    return Q(**{f"{prefix}closed__isnull": True}) | Q(**{f"{prefix}closed__gt": day})


def live_partnerships(on: date | None = None) -> QuerySet[Partnership]:
    """Partnerships that hold on a day: formed by then, and not closed yet."""
    return Partnership.objects.filter(unclosed(on), formed__lte=on or today())


def live_appointments(person: Person) -> QuerySet[Appointment]:
    return Appointment.objects.filter(live(), person=person).select_related(
        "person", "area", "school", "partnership"
    )


def live_leaders() -> QuerySet[Appointment]:
    """Every system leader's appointment that holds today."""
    return Appointment.objects.filter(live(), role=Role.SYSTEM_LEADER)


def people_with_appointments() -> QuerySet[Person]:
    """Everybody who can sign in and holds an appointment today."""
    held = Appointment.objects.filter(live(), person=OuterRef("pk"))
    return Person.objects.filter(Exists(held), is_active=True)


def person_with(email: str) -> Person | None:
    """Who signs in with this address."""
    return Person.objects.filter(email__iexact=email).first()


def appointment(key: int) -> Appointment:
    """The appointment that asked for a job, live or ended since."""
    return Appointment.objects.select_related("person", "area", "school", "partnership").get(pk=key)


def within(area: Area) -> Q:
    """Schools (or whatever has an `area`) in an area or below it."""
    return Q(area__path__startswith=area.path)


def schools_visible_to(acting: Appointment | None) -> QuerySet[School]:
    """Schools whose own pages this appointment may open.

    Ministry and analyst: all. District officer: the area and all below. System leader: the schools
    of the partnership led, and the own school. Head and teacher: the own school and the others in
    its partnership. All of these: the schools whose work the own school carries on.
    """
    schools = School.objects.select_related("area")
    if acting is None:
        return schools.none()
    if acting.role in {Role.MINISTER, Role.ANALYST}:
        return schools
    if acting.role == Role.DISTRICT_OFFICER and acting.area is not None:
        return schools.filter(within(acting.area))
    if acting.role == Role.SYSTEM_LEADER:
        members = _members(Q(partnership=acting.partnership_id))
        return schools.filter(Q(pk__in=members) | line_of(acting.school_id))
    partners = _members(Q(partnership__in=_own_partnerships(acting)))
    return schools.filter(line_of(acting.school_id) | Q(pk__in=partners))


def line_of(key: int | None, field: str = "pk") -> Q:
    """A school, and those it succeeded one and two steps back: their history is its own now.

    A condition on schools, or on what has a school in `field`; no statement of its own.
    """
    school = key or 0
    before = Succession.objects.filter(successor=school).values("predecessor")
    twice = Succession.objects.filter(successor__in=before).values("predecessor")
    return Q(**{field: school}) | Q(**{f"{field}__in": before}) | Q(**{f"{field}__in": twice})


def partnerships_visible_to(acting: Appointment | None) -> QuerySet[Partnership]:
    """Partnerships whose pages this appointment may open: those with a school it may see."""
    partnerships = live_partnerships()
    if acting is None:
        return partnerships.none()
    if acting.role in {Role.MINISTER, Role.ANALYST}:
        return partnerships
    if acting.role == Role.DISTRICT_OFFICER and acting.area is not None:
        inside = live_memberships().filter(school__area__path__startswith=acting.area.path)
        return partnerships.filter(pk__in=inside.values("partnership"))
    if acting.role == Role.SYSTEM_LEADER:
        return partnerships.filter(pk=acting.partnership_id or 0)
    return partnerships.filter(pk__in=_own_partnerships(acting))


def areas_visible_to(acting: Appointment | None) -> QuerySet[Area]:
    """Areas whose pages this appointment may open."""
    if acting is None:
        return Area.objects.none()
    if acting.role in {Role.MINISTER, Role.ANALYST}:
        return Area.objects.all()
    if acting.role == Role.DISTRICT_OFFICER and acting.area is not None:
        return Area.objects.filter(path__startswith=acting.area.path)
    return Area.objects.none()


def ancestors(area: Area) -> list[Area]:
    """From the root down to the area itself."""
    return list(Area.objects.filter(path__in=paths_to(area)).order_by("level"))


def paths_to(area: Area) -> list[str]:
    """The paths of the areas that hold an area, from the root down to its own."""
    return paths_around(area.path)


def paths_around(path: str) -> list[str]:
    """The same of a path alone."""
    keys = path.strip("/").split("/")
    return ["/".join(keys[: i + 1]) + "/" for i in range(len(keys))]


def inner_areas(acting: Appointment | None, area: Area | None) -> list[Area]:
    """The areas one step down that this appointment may see; of the whole system, if none is named.

    A single root is the system itself: its own parts are shown.
    """
    areas = areas_visible_to(acting)
    if area is not None:
        return list(areas.filter(parent=area))
    root = list(areas.filter(parent=None))
    return list(areas.filter(parent=root[0])) if len(root) == 1 else root


def all_schools() -> QuerySet[School]:
    """Every school, closed ones too; for jobs, and for rows that were found by who may see them."""
    return School.objects.all()


def open_schools(on: date | None = None) -> QuerySet[School]:
    """Schools that are open on a day."""
    return School.objects.filter(unclosed(on))


def school_codes() -> set[str]:
    """The codes of all schools, open and closed."""
    return set(School.objects.values_list("code", flat=True).iterator())


def area_names() -> dict[int, tuple[str, ...]]:
    """The names of every area, from the root down to it, by its key."""
    areas: dict[int, tuple[str, ...]] = {}
    for key, name, parent in Area.objects.order_by("level").values_list("pk", "name", "parent"):
        areas[key] = (*areas.get(parent or 0, ()), name)
    return areas


def school_names() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Code, name and the names of the areas (root first) of all schools, to match files by."""
    areas = area_names()
    for code, name, area in School.objects.values_list("code", "name", "area").iterator():
        yield code, name, areas[area]


def school_places() -> Iterator[tuple[int, float, float]]:
    """Area's key, latitude and longitude of every school whose place is known."""
    known = School.objects.filter(latitude__isnull=False, longitude__isnull=False)
    yield from known.values_list("area", "latitude", "longitude").iterator()  # type: ignore[misc] # stubs keep the columns nullable


def outlines_of(areas: Iterable[int]) -> dict[int, dict[str, Any] | None]:
    """Outlines (GeoJSON geometry) by the area's key."""
    found = Area.objects.filter(pk__in=list(areas))
    return dict(found.values_list("pk", "outline"))


def partnership_of(school: School) -> Partnership | None:
    membership = live_memberships().filter(school=school).select_related("partnership").first()
    return membership.partnership if membership else None


def memberships_of(partnership: Partnership) -> QuerySet[Membership]:
    """Live memberships with their schools, in the schools' order."""
    members = live_memberships().filter(partnership=partnership)
    return members.select_related("school__area").order_by("school__name", "school__code")


def _members(condition: Q) -> QuerySet[Membership, dict[str, int]]:
    return live_memberships().filter(condition).values("school")  # type: ignore[return-value] # stubs type values() with Any


def _own_partnerships(acting: Appointment) -> QuerySet[Membership, dict[str, int]]:
    return live_memberships().filter(school=acting.school_id).values("partnership")  # type: ignore[return-value] # stubs type values() with Any


@dataclass(frozen=True)
class SchoolSearch:
    """What the list of schools is narrowed to."""

    q: str = ""
    area: str = ""
    phase: str = ""
    sector: str = ""
    connected: str = ""
    within: str = ""
    """The key of an area: its page's export asks for that area alone."""


def search_schools(acting: Appointment | None, search: SchoolSearch) -> QuerySet[School]:
    """The schools an appointment may see that fit the search, by name, with their partnership."""
    schools = schools_visible_to(acting)
    if search.q:
        schools = schools.filter(
            Q(name__icontains=search.q) | Q(code__istartswith=search.q.strip())
        )
    if search.area:
        paths = Area.objects.filter(name__iexact=search.area.strip()).values_list("path", flat=True)
        inside = Q(pk__in=[])
        for path in paths:
            inside |= Q(area__path__startswith=path)
        schools = schools.filter(inside)
    if search.within:
        known = search.within.isdecimal() and len(search.within) < 19
        key = int(search.within) if known else 0
        area = areas_visible_to(acting).filter(pk=key).first()
        schools = schools.filter(within(area)) if area else schools.none()
    if search.phase:
        schools = schools.filter(phase=search.phase)
    if search.sector:
        schools = schools.filter(sector=search.sector)
    membership = live_memberships().filter(school=OuterRef("pk"))
    if search.connected:
        schools = schools.filter(
            Exists(membership) if search.connected == "yes" else ~Exists(membership)
        )
    return schools.annotate(
        partnership_name=Subquery(membership.values("partnership__name")[:1]),
        partnership_code=Subquery(membership.values("partnership__code")[:1]),
    ).order_by("name", "code")


def school_choices(field: str) -> list[str]:
    """The distinct values of `phase` or `sector` in the register."""
    values = School.objects.exclude(**{field: ""}).order_by(field).values_list(field, flat=True)
    return list(values.distinct()[:50])


def partnerships_led_from(acting: Appointment | None) -> QuerySet[Partnership]:
    """Partnerships whose leader this appointment may appoint: the leader's school is in its area.

    A partnership may cross a boundary; seeing it is not enough to say who leads it, because its
    leader sees all of its schools.
    """
    partnerships = partnerships_visible_to(acting)
    if acting is None or acting.role in {Role.MINISTER, Role.ANALYST}:
        return partnerships
    return partnerships.filter(lead_school__in=schools_visible_to(acting))


def appointments_managed_by(acting: Appointment | None) -> QuerySet[Appointment]:
    """Live and future appointments at places this appointment may see, oldest first."""
    appointments = Appointment.objects.filter(
        Q(ends__isnull=True) | Q(ends__gt=today()), person__is_active=True
    ).select_related("person", "area", "school", "partnership")
    if acting is None:
        return appointments.none()
    if acting.role in {Role.MINISTER, Role.ANALYST}:
        return appointments
    return appointments.filter(
        Q(area__in=areas_visible_to(acting))
        | Q(school__in=schools_visible_to(acting))
        | Q(partnership__in=partnerships_led_from(acting))
    ).filter(role__in=APPOINTS.get(acting.role, frozenset()))


def may_hand_password(acting: Appointment | None, person: Person) -> bool:
    """Whether somebody manages all of a person's appointments, those to come included."""
    held = Appointment.objects.filter(
        Q(ends__isnull=True) | Q(ends__gt=today()), person=person, person__is_active=True
    )
    managed = appointments_managed_by(acting).filter(person=person)
    return (
        may(acting, Capability.APPOINT)
        and held.exists()
        and not held.exclude(pk__in=managed.values("pk")).exists()
    )


def heads() -> QuerySet[Appointment]:
    """By which somebody answers for a school today: its head, or a leader who is head there.

    Nobody answers for a school that is closed: see `succession_queries.answering_now`.
    """
    return Appointment.objects.filter(
        live(),
        unclosed(prefix="school__"),
        role__in=[Role.HEAD, Role.SYSTEM_LEADER],
        school__isnull=False,
        person__is_active=True,
    )


def schools_with_a_head() -> QuerySet[Appointment, Any]:
    """Keys of the schools somebody answers for today."""
    return heads().values("school")


def is_sample() -> bool:
    """Whether this is the invented system, in a process that was started to show it."""
    present = system()
    return bool(settings.SAMPLE_MODE and present and present.is_sample)


def sample_cast() -> list[Appointment]:
    """The invented people of the sample system; empty anywhere else."""
    if not is_sample():
        return []
    return list(
        Appointment.objects.filter(live(), person__email__endswith="@sample.invalid")
        .select_related("person", "area", "school", "partnership")
        .order_by("pk")
    )


def members_by_partnership() -> dict[int, list[int]]:
    """Partnership key -> keys of its schools, for all live partnerships."""
    found: dict[int, list[int]] = {}
    pairs = live_memberships().order_by("partnership", "school")
    for partnership, school in pairs.values_list("partnership", "school"):
        found.setdefault(partnership, []).append(school)
    return found


@dataclass(frozen=True)
class Place:
    """A school on a map: where it is and with whom it works."""

    code: str
    name: str
    latitude: float
    longitude: float
    partnership: str
    leads: bool


def places_within(area: Area, acting: Appointment | None) -> list[Place]:
    """The open schools of an area that have coordinates, for its map."""
    membership = live_memberships().filter(school=OuterRef("pk"))
    rows = (
        _open_within(area, acting)
        .filter(latitude__isnull=False, longitude__isnull=False)
        .annotate(
            partnership_code=Subquery(membership.values("partnership__code")[:1]),
            lead=Subquery(membership.values("partnership__lead_school")[:1]),
        )
        .order_by("code")
        .values_list("pk", "code", "name", "latitude", "longitude", "partnership_code", "lead")
    )
    return [
        Place(code, name, latitude, longitude, partnership or "", lead == pk)
        for pk, code, name, latitude, longitude, partnership, lead in rows
        if latitude is not None and longitude is not None
    ]


def areas_named(acting: Appointment | None, words: str) -> QuerySet[Area]:
    """The visible areas of a name, whatever its capitals; `North > Upper` says which Upper."""
    *above, name = (" ".join(part.split()) for part in words.split(">"))
    found = areas_visible_to(acting).filter(name__iexact=name).select_related("parent")
    return found.filter(parent__name__iexact=above[-1]) if above else found


def centres(areas: Iterable[Area]) -> dict[int, tuple[float, float]]:
    """Area key -> mean latitude and longitude of its schools, for areas without an outline."""
    found = {}
    for area in areas:
        if area.outline:
            continue
        mean = School.objects.filter(within(area)).aggregate(
            latitude=Avg("latitude"), longitude=Avg("longitude")
        )
        if mean["latitude"] is not None and mean["longitude"] is not None:
            found[area.pk] = (mean["latitude"], mean["longitude"])
    return found


def _open_within(area: Area, acting: Appointment | None) -> QuerySet[School]:
    return schools_visible_to(acting).filter(within(area), unclosed())
