"""Who may challenge a school: from outside its area and its partnership, without a conflict.

The area is the one the school lies in, the smallest there is. Nobody who answers for that area or
for one around it is from outside either.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, Q, QuerySet, prefetch_related_objects
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.accountability import challenge_queries as queries
from brightspots_web.accountability.models import ChallengeVisit
from brightspots_web.connectedness import support_queries
from brightspots_web.directory import people_queries as people
from brightspots_web.directory import queries as directory
from brightspots_web.directory import record_queries
from brightspots_web.directory.models import Appointment, Area, Person, School
from brightspots_web.insight.queries import kilometres
from brightspots_web.shared.charts import number

SHOWN = 12
YEAR = timedelta(days=365)


@dataclass(frozen=True)
class Candidate:
    """Somebody who could visit a school as its challenger, and what speaks against it."""

    appointment: Appointment
    visits: int
    """In the cycle of the visit."""
    most: int
    km: float | None
    conflicts: tuple[str, ...] = ()

    @property
    def person(self) -> Person:
        return self.appointment.person

    @property
    def full(self) -> bool:
        return self.visits >= self.most

    @property
    def may_go(self) -> bool:
        return not self.full and not self.conflicts

    @property
    def workload(self) -> str:
        """How many visits the person has this cycle, in words."""
        if not self.visits:
            return _("no visit yet this cycle")
        words = ngettext("{n} visit this cycle", "{n} visits this cycle", self.visits)
        return words.format(n=self.visits)

    @property
    def why_not(self) -> str:
        """What speaks against it; empty where nothing does."""
        said = list(self.conflicts)
        if self.full:
            words = _("has {n} visits this cycle already, as many as the settings allow")
            said.append(words.format(n=self.visits))
        return "; ".join(said)

    @property
    def label(self) -> str:
        """For a list to choose from."""
        far = _("{km} km away").format(km=number(self.km, 0)) if self.km is not None else ""
        return " · ".join(each for each in (self.appointment.label, self.workload, far) if each)


def candidates(school: School, on: date, words: str = "") -> list[Candidate]:
    """People who could challenge a school on a day: those with fewest visits first, then nearest.

    Those against whom something speaks stand last, and it is said what.
    """
    place = _place(school)
    outside = [each for each in _held(words) if place.is_outside(each)]
    return _judged(_one_each(outside), place, on, most=SHOWN)


def candidate(person: Person, school: School, on: date) -> Candidate | None:
    """One person as a challenger of a school; None for who is no challenger from outside."""
    place = _place(school)
    held = list(_held().filter(person=person))
    if not held or not all(place.is_outside(each) for each in held):
        return None
    return next(iter(_judged(held[:1], place, on, most=1)), None)


def still_challenges(people_keys: Iterable[int]) -> set[int]:
    """Who of these people is still a challenger today."""
    rows = _held().filter(person__in=list(people_keys)).order_by()
    return set(rows.values_list("person", flat=True))


def _held(words: str = "") -> QuerySet[Appointment]:
    leaders = directory.live_leaders().filter(person__is_active=True)
    found = (leaders | people.officers()).select_related(
        "person", "area", "school__area", "partnership__lead_school__area"
    )
    if words:
        found = found.filter(
            Q(person__name__icontains=words)
            | Q(school__name__icontains=words)
            | Q(partnership__name__icontains=words)
            | Q(area__name__icontains=words)
        )
    return found.order_by("pk")


def _home(appointment: Appointment) -> Area | None:
    if appointment.area is not None:
        return appointment.area
    school = appointment.school or (
        appointment.partnership.lead_school if appointment.partnership else None
    )
    return school.area if school else None


@dataclass(frozen=True)
class _Place:
    """A school and the key of its partnership."""

    school: School
    partnership: int | None

    def is_outside(self, appointment: Appointment) -> bool:
        home = _home(appointment)
        if home is None:
            return False
        path = self.school.area.path
        apart, above = not home.path.startswith(path), path.startswith(home.path)
        together = self.partnership and appointment.partnership_id == self.partnership
        return apart and not above and not together


def _place(school: School) -> _Place:
    partnership = directory.partnership_of(school)
    return _Place(school, partnership.pk if partnership else None)


def _one_each(appointments: Iterable[Appointment]) -> list[Appointment]:
    """One appointment for each person."""
    return list({each.person_id: each for each in appointments}.values())


def _judged(
    appointments: Sequence[Appointment], place: _Place, on: date, *, most: int
) -> list[Candidate]:
    if not appointments:
        return []
    allowed = queries.settings_now().visits_a_challenger
    visits = _visits(on)
    near = [
        Candidate(each, visits.get(each.person_id, 0), allowed, _km(each, place.school))
        for each in appointments
    ]
    near.sort(key=lambda one: (one.full, one.visits, one.km or 1e9, one.appointment.pk))
    conflicts = _conflicts([each.appointment for each in near[: 3 * most]], place)
    found = [
        Candidate(each.appointment, each.visits, each.most, each.km, conflicts[each.person.pk])
        for each in near[: 3 * most]
    ]
    return sorted(found, key=lambda one: not one.may_go)[:most]


def _visits(on: date) -> dict[int, int]:
    """Person's key -> visits in the cycle of a day; without one, since a year before it."""
    cycle = next((each for each in record_queries.cycles() if each.starts <= on < each.ends), None)
    starts, ends = (cycle.starts, cycle.ends) if cycle else (on - YEAR, date.max)
    rows = ChallengeVisit.objects.filter(on__gte=starts, on__lt=ends, challenger__isnull=False)
    rows = rows.exclude(state=ChallengeVisit.State.CALLED_OFF)
    return dict(rows.order_by().values_list("challenger").annotate(Count("pk")))


def _km(appointment: Appointment, school: School) -> float | None:
    own = appointment.school or (
        appointment.partnership.lead_school if appointment.partnership else None
    )
    return kilometres(own, school) if own else None


def _conflicts(appointments: Sequence[Appointment], place: _Place) -> dict[int, tuple[str, ...]]:
    """Person's key -> reasons why they should not visit this school, in words; few statements."""
    people_named = [each.person for each in appointments]
    prefetch_related_objects(people_named, "appointments")
    found: dict[int, list[str]] = defaultdict(list)
    school, ours = place.school, place.partnership
    for person in people_named:
        held = list(person.appointments.all())
        if any(each.school_id == school.pk for each in held):
            found[person.pk].append(_("has worked at this school"))
        elif ours and any(each.partnership_id == ours for each in held):
            found[person.pk].append(_("has led the school’s partnership"))
    helping = _helping(school)
    visitors = _visited_by(school)
    for each in appointments:
        if each.school_id in helping:
            found[each.person_id].append(_("one of the two schools helps the other at present"))
        if each.school_id in visitors:
            found[each.person_id].append(
                _("this school’s head visited the other school within the last 12 months")
            )
    return {person.pk: tuple(found[person.pk]) for person in people_named}


def _helping(school: School) -> set[int]:
    running = support_queries.deployments_of(school).filter(state="running")
    pairs = running.values_list("giving", "receiving")
    return {key for pair in pairs for key in pair if key is not None and key != school.pk}


def _visited_by(school: School) -> set[int]:
    heads = [each.pk for each in people.heads_of(school)]
    rows = ChallengeVisit.objects.filter(
        challenger__in=heads, on__gte=directory.today() - YEAR, state__in=queries.HAPPENED
    )
    return set(rows.values_list("school", flat=True))
