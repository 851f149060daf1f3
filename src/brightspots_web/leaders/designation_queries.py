"""All reads of designation: who is in office, who applies, and who may see it.

That somebody is designated, for what and until when, is open to everybody with an appointment. An
application is seen by the person, and from the day backing was asked for by the officers over the
school and the ministry. Who sits on its panel sees it once nothing binds them to it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from brightspots_web.directory import leadership_queries as leadership
from brightspots_web.directory import people_queries, succession_queries
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Area, Person, School
from brightspots_web.leaders.models import Application, Designation, PanelMember
from brightspots_web.shared.permissions import Capability, may

State = Application.State
OPEN = (State.DRAFT, State.SUBMITTED, State.PANEL)
REMIND = timedelta(days=120)
"""So long before its end a leader is reminded that a term can be renewed."""
LEFT_TO_MEND = timedelta(days=60)
"""So long a leader has after a warning before the designation lapses."""


# In office


def in_office(on: date | None = None) -> Q:
    """Designations that hold on a day, whatever will end them."""
    day = on or directory.today()
    return Q(starts__lte=day, ends__gt=day)


def live_designations(on: date | None = None) -> QuerySet[Designation]:
    """Who may lead or support other schools on a day."""
    found = Designation.objects.filter(in_office(on))
    return found.select_related("person", "school__area").prefetch_related("priorities")


def live_designation(person: Person, on: date | None = None) -> Designation | None:
    """A person's own; None for somebody who is not designated that day."""
    return live_designations(on).filter(person=person).order_by("-starts", "-pk").first()


def designations_visible_to(acting: Appointment | None) -> QuerySet[Designation]:
    """Everybody with an appointment may know who is designated."""
    found = Designation.objects.select_related("person", "school__area", "application")
    return found if acting is not None else found.none()


@dataclass(frozen=True)
class Search:
    """What the list of leaders is narrowed to."""

    q: str = ""
    priority: int | None = None
    grade: str = ""
    ends_within: str = ""


def leaders(acting: Appointment | None, search: Search) -> QuerySet[Designation]:
    """Designated people in office by name, with school and priorities."""
    found = designations_visible_to(acting).filter(in_office())
    if search.q:
        words = search.q.strip()
        found = found.filter(
            Q(person__name__icontains=words)
            | Q(school__name__icontains=words)
            | Q(school__area__name__iexact=words)
            | Q(school__area__parent__name__iexact=words)
        )
    if search.priority is not None:
        found = found.filter(priorities=search.priority)
    if search.grade:
        found = found.filter(grade=search.grade)
    if search.ends_within:
        found = found.filter(ends__lte=directory.today() + REMIND)
    return found.prefetch_related("priorities").order_by("person__name", "pk")


def history_of(person: Person) -> list[Designation]:
    """All designations of a person, the newest first."""
    found = Designation.objects.filter(person=person).select_related("school")
    return list(found.prefetch_related("priorities"))


def renewal_under_way(designation: Designation) -> Application | None:
    """The open application by which a term is to be renewed."""
    return designation.renewals.filter(state__in=OPEN).first()


def followed_by(designation: Designation) -> Designation | None:
    """The designation that begins when this one ends, where its renewal was decided."""
    later = Designation.objects.filter(application__renews=designation)
    return later.order_by("starts").first()


# Leads without designation


def undesignated_leads(
    acting: Appointment | None, area: Area | None = None
) -> QuerySet[Appointment]:
    """Who leads a partnership today within what an officer or the ministry sees, not designated."""
    if not may(acting, Capability.FIND_LEADERS):
        return directory.live_leaders().none()
    held = Designation.objects.filter(in_office(), person=OuterRef("person"))
    found = (
        directory.live_leaders()
        .filter(directory.unclosed(prefix="partnership__"), ~Exists(held))
        .filter(partnership__in=directory.partnerships_visible_to(acting))
    )
    if area is not None:
        found = found.filter(
            Q(school__area__path__startswith=area.path)
            | Q(school=None, partnership__lead_school__area__path__startswith=area.path)
        )
    found = found.select_related("person", "school__area", "partnership__lead_school__area")
    return found.order_by("partnership__name", "pk")


# Applications


def applications_visible_to(acting: Appointment | None) -> QuerySet[Application]:
    """Applications whose page this appointment may open."""
    found = Application.objects.select_related("person", "school__area", "director", "renews")
    if acting is None:
        return found.none()
    mine = Q(person=acting.person_id)
    sits = PanelMember.objects.filter(person=acting.person_id).values("application")
    return found.filter(mine | Q(pk__in=sits) | _in_sight(acting))


def _in_sight(acting: Appointment | None) -> Q:
    """What officers and the ministry see: nothing before the person showed it to anybody."""
    if not may(acting, Capability.FIND_LEADERS):
        return Q(pk__in=[])
    shown = Q(backing_asked_at__isnull=False) | Q(submitted_at__isnull=False)
    if may(acting, Capability.SEE_SYSTEM):
        return shown
    schools = directory.schools_visible_to(acting).order_by().values("pk")
    followed = Application.objects.filter(school__successions__successor__in=schools)
    return shown & (Q(school__in=schools) | Q(pk__in=followed.values("pk")))


@dataclass(frozen=True)
class Narrowed:
    """What the list of applications is narrowed to."""

    state: str = ""
    area: Area | None = None
    waits: str = ""
    """`backing`: those that wait for an officer's backing."""


def applications(acting: Appointment | None, narrowed: Narrowed) -> QuerySet[Application]:
    """Applications that officers and the ministry see, by name; open ones unless a state is asked.

    Each carries `views` and `members`: how many of the panel have said theirs, and sit on it.
    """
    found = Application.objects.filter(_in_sight(acting))
    found = found.filter(state=narrowed.state) if narrowed.state else found.filter(state__in=OPEN)
    if narrowed.area is not None:
        found = found.filter(school__area__path__startswith=narrowed.area.path)
    if narrowed.waits == "backing":
        found = found.filter(waits_for_backing())
    counts = Count("panel", filter=Q(panel__conflict=""))
    said = Count("panel", filter=Q(panel__conflict="", panel__said_at__isnull=False))
    found = found.annotate(members=counts, views=said)
    return found.select_related("person", "school__area").order_by("person__name", "pk")


def waits_for_backing() -> Q:
    return Q(state=State.DRAFT, backing_asked_at__isnull=False, director_by="")


def open_application(person: Person) -> Application | None:
    """The one application a person may have at a time."""
    found = Application.objects.filter(person=person, state__in=OPEN)
    return found.select_related("person", "school__area", "renews").first()


def applications_of(person: Person) -> list[Application]:
    """All of a person's own, the newest first."""
    return list(Application.objects.filter(person=person).select_related("school"))


def may_back(acting: Appointment | None, application: Application) -> bool:
    """The officer over the school, or the ministry: never the applicant."""
    if acting is None or not may(acting, Capability.BACK_LEADERS):
        return False
    if acting.person_id == application.person_id or application.backing_asked_at is None:
        return False
    return Application.objects.filter(_in_sight(acting), pk=application.pk).exists()


# Where a person stands now


def school_now(person: int, school: School) -> School | None:
    """Where somebody who stood for a school serves today: there, or at who carries it on.

    None for somebody who serves at neither: closed schools have nobody.
    """
    return schools_now([(person, school)])[person, school.pk]


def schools_now(pairs: Iterable[tuple[int, School]]) -> dict[tuple[int, int], School | None]:
    """As :func:`school_now` for many people: two statements, and some for each closed school."""
    pairs = list(pairs)
    served = leadership.schools_served(person for person, _school in pairs)
    today = directory.today()
    found: dict[tuple[int, int], School | None] = {}
    for person, school in pairs:
        here = served.get(person, set())
        if school.closed is None or school.closed > today:
            found[person, school.pk] = school if school.pk in here else None
            continue
        after = succession_queries.successors_of(school)
        found[person, school.pk] = next((each for each in after if each.pk in here), None)
    return found


def officers_over(school: School) -> list[Person]:
    """Who is told of what happens with a leader of a school, or of who carries it on."""
    found = {each.pk: each for each in people_queries.officers_over(school)}
    for after in succession_queries.successors_of(school):
        found |= {each.pk: each for each in people_queries.officers_over(after)}
    return list(found.values())


def ministry() -> list[Person]:
    return list(people_queries.ministry())


def counts_by_state(acting: Appointment | None) -> dict[str, int]:
    """How many applications in sight stand where; for front pages."""
    rows = Application.objects.filter(_in_sight(acting), state__in=OPEN).order_by()
    return dict(rows.values_list("state").annotate(n=Count("pk")))


def waiting_for_backing(acting: Appointment | None) -> int:
    return Application.objects.filter(_in_sight(acting), waits_for_backing()).count()


def ending_soon(acting: Appointment | None) -> QuerySet[Designation]:
    """Terms in sight of an officer or the ministry that end soon and are not renewed yet."""
    found = live_designations().filter(state=Designation.State.LIVE)
    found = found.filter(ends__lte=directory.today() + REMIND)
    if not may(acting, Capability.FIND_LEADERS):
        return found.none()
    if not may(acting, Capability.SEE_SYSTEM):
        found = found.filter(school__in=directory.schools_visible_to(acting).order_by())
    later = Designation.objects.filter(application__renews=OuterRef("pk"))
    return found.filter(~Exists(later))


def states_of(people: Iterable[int]) -> dict[int, Any]:
    """Person's key -> the state of the newest application; of those who have none, nothing."""
    rows = Application.objects.filter(person__in=list(people)).order_by("pk")
    return dict(rows.values_list("person", "state"))


def ending_soon_of(held: Designation) -> bool:
    """Whether a term is so near its end that its holder is reminded."""
    return held.ends <= directory.today() + REMIND and followed_by(held) is None
