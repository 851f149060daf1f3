"""Who may sit on a panel: what binds people to an applicant is found here, not left to them.

Somebody is bound who is the applicant; serves at the applicant's school or at one of its
partnership, or leads that partnership; is an officer over the school; backed the application or
nominated the applicant; coaches the applicant or is coached; or has an application open as well.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Q

from brightspots_web.directory import leadership_queries as leadership
from brightspots_web.directory import people_queries, succession_queries
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Person, School
from brightspots_web.leaders import designation_criteria_queries as criteria
from brightspots_web.leaders import designation_queries as designations
from brightspots_web.leaders.models import Application, CoachingPair, Nomination, PanelMember
from brightspots_web.shared.permissions import Capability, Role, may

AFTER_COACHING = timedelta(days=365)
"""So long after it ended coaching still binds."""
FOUND_AT_ONCE = 12
"""So many people are offered at a time: a search narrows them."""
OWN, SCHOOL, PARTNERSHIP, LINE, BACKED, NOMINATED, COACH, APPLIES = (
    "own", "school", "partnership", "line", "backed", "nominated", "coach", "applies",
)  # fmt: skip


@dataclass(frozen=True)
class Ties:
    """What binds people to one application, read once for as many people as are looked at."""

    person: int
    backed_by: int | None
    schools: frozenset[int]
    """The school of the application, who carries it on or whom it carried on."""
    members: frozenset[int]
    """The schools of the same partnership."""
    partnerships: frozenset[int]
    paths: frozenset[str]
    """The areas that hold the school."""
    coaching: frozenset[int]
    nominated_by: frozenset[int]

    def of(self, person: int, held: Sequence[Appointment], applies: bool) -> list[str]:
        """The keys of what binds a person who holds these appointments; empty where nothing."""
        schools = {each.school_id for each in held if each.school_id}
        leads = {each.partnership_id for each in held if each.partnership_id}
        officer = [each for each in held if each.role == Role.DISTRICT_OFFICER and each.area]
        found = {
            OWN: person == self.person,
            SCHOOL: bool(schools & self.schools),
            PARTNERSHIP: bool(schools & self.members or leads & self.partnerships),
            LINE: any(each.area and each.area.path in self.paths for each in officer),
            BACKED: person == self.backed_by,
            NOMINATED: person in self.nominated_by,
            COACH: person in self.coaching,
            APPLIES: applies,
        }
        if found[OWN]:
            return [OWN]
        return [key for key, binds in found.items() if binds]


def ties_of(application: Application) -> Ties:
    """All that binds to an application as things stand today."""
    schools = _schools_of(application)
    partnerships = {
        each.pk for school in schools if (each := directory.partnership_of(school)) is not None
    }
    members = directory.live_memberships().filter(partnership__in=partnerships)
    return Ties(
        application.person_id,
        application.director_id,
        frozenset(each.pk for each in schools),
        frozenset(members.values_list("school", flat=True)),
        frozenset(partnerships),
        frozenset(path for each in schools for path in directory.paths_to(each.area)),
        _coaching(application.person_id),
        _nominated_by(application.person_id),
    )


def _schools_of(application: Application) -> list[School]:
    """The school, those around it in time, and wherever the applicant serves today."""
    school = application.school
    found = [school, *succession_queries.successors_of(school)]
    found += succession_queries.predecessors_of(school)
    live = directory.live_appointments(application.person).select_related("school__area")
    found += [each.school for each in live if each.school is not None]
    return list({each.pk: each for each in found}.values())


def _coaching(person: int) -> frozenset[int]:
    since = directory.today() - AFTER_COACHING
    pairs = CoachingPair.objects.filter(
        Q(ends__isnull=True) | Q(ends__gt=since), Q(coach=person) | Q(coached=person),
        accepted_at__isnull=False,
    )  # fmt: skip
    found = {key for pair in pairs.values_list("coach", "coached") for key in pair}
    return frozenset(found - {person})


def _nominated_by(person: int) -> frozenset[int]:
    """Colleagues who nominated; an officer who asked by the evidence is not bound by that."""
    found = Nomination.objects.filter(
        person=person, kind=Nomination.Kind.PEER, by_person__isnull=False
    )
    return frozenset(key for key in found.values_list("by_person", flat=True) if key is not None)


def bindings(application: Application, person: Person) -> list[str]:
    """What binds one person to an application today."""
    return bindings_of_all(application, [person])[person.pk]


def bindings_of_all(application: Application, people: Iterable[Person]) -> dict[int, list[str]]:
    """Person's key -> what binds the person; as many statements for one as for all."""
    keys = [each.pk for each in people]
    ties = ties_of(application)
    held = leadership.held_by(keys)
    applying = set(
        Application.objects.filter(person__in=keys, state__in=designations.OPEN)
        .exclude(pk=application.pk)
        .values_list("person", flat=True)
    )
    return {key: ties.of(key, held.get(key, []), key in applying) for key in keys}


@dataclass(frozen=True)
class Candidate:
    """Somebody who might be called: what they hold, and what binds them."""

    person: Person
    roles: tuple[str, ...]
    binds: tuple[str, ...]


def candidates(application: Application, words: str) -> list[Candidate]:
    """Live appointees whose name or school has the words, by name, with what binds each.

    Without words: leaders in office and people of the ministry whom nothing binds.
    """
    called = set(application.panel.values_list("person", flat=True))
    people = directory.people_with_appointments().exclude(pk__in=called)
    words = words.strip()
    if words:
        found = leadership.named(people, words)[:FOUND_AT_ONCE]
    else:
        leaders = designations.live_designations().values("person")
        ministry = people_queries.ministry().values("pk")
        found = people.filter(Q(pk__in=leaders) | Q(pk__in=ministry)).order_by("name", "pk")
    listed = list(found[: 10 * FOUND_AT_ONCE])
    held = leadership.held_by([each.pk for each in listed])
    binds = bindings_of_all(application, listed)
    offered = [
        Candidate(each, tuple(_role(one) for one in held.get(each.pk, [])), tuple(binds[each.pk]))
        for each in listed
        if words or not binds[each.pk]
    ]
    return offered[:FOUND_AT_ONCE]


def _role(held: Appointment) -> str:
    place = f", {held.place}" if held.place else ""
    return f"{held.get_role_display()}{place}"


def member_of(application: Application, acting: Appointment | None) -> PanelMember | None:
    """Where the person sits on the panel."""
    if acting is None:
        return None
    return application.panel.filter(person=acting.person_id).select_related("person").first()


def members_of(application: Application) -> list[PanelMember]:
    return list(application.panel.select_related("person").order_by("person__name", "pk"))


def counted(application: Application) -> list[PanelMember]:
    """Members whose view counts: said, and nothing binds them as far as is known."""
    return [each for each in members_of(application) if each.said_at and not each.conflict]


def lacking(application: Application) -> int:
    """How many views the decision still waits for."""
    return max(0, criteria.current_criteria().panel_size - len(counted(application)))


def may_read_all(acting: Appointment | None, application: Application) -> bool:
    """Whether somebody may read the whole application, statement and evidence included.

    The applicant; officers over the school and the ministry; a member whom nothing binds and who
    has said so. A member who is set aside reads it no more.
    """
    if acting is None:
        return False
    member = member_of(application, acting)
    if member is not None:
        return member.no_conflict_at is not None and not member.conflict
    return True


def may_see_views(acting: Appointment | None, application: Application) -> bool:
    """Who reads the panel's views: members once theirs is said; the ministry, if it is no member.

    Nobody forms a view by reading the others'. The applicant reads the decision and its reason.
    """
    if acting is None or acting.person_id == application.person_id:
        return False
    member = member_of(application, acting)
    if member is not None:
        return member.said_at is not None and not member.conflict
    return may(acting, Capability.SET_LEADERS)


def seats(acting: Appointment | None) -> list[PanelMember]:
    """Panels on which a person sits and has something to do."""
    if acting is None:
        return []
    found = PanelMember.objects.filter(
        person=acting.person_id, conflict="", said_at__isnull=True,
        application__state=Application.State.PANEL,
    )  # fmt: skip
    return list(found.select_related("application__school", "application__person"))


def waiting_for_decision() -> int:
    """Applications whose panel has said enough, for the ministry's front page."""
    size = criteria.current_criteria().panel_size
    waiting = Application.objects.filter(state=Application.State.PANEL)
    said = Q(panel__conflict="", panel__said_at__isnull=False)
    return waiting.annotate(said=Count("panel", filter=said)).filter(said__gte=size).count()
