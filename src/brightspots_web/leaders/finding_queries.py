"""Who could lead, by evidence: whose schools are bright spots or rise in a live priority.

A list for recruiting, in the order of areas and names: nobody stands above anybody, and a person
who is not on it may lead as well as one who is. Nominations are read here too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.db.models import QuerySet

from brightspots_web.alignment import queries as alignment
from brightspots_web.alignment.models import Priority
from brightspots_web.directory import leadership_queries as leadership
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Area, Person, School
from brightspots_web.insight import bright_spot_queries, improving_queries
from brightspots_web.insight import queries as insight
from brightspots_web.insight.models import BrightSpot, Estimate, Run
from brightspots_web.leaders import designation_evidence_queries as evidence
from brightspots_web.leaders import designation_queries as designations
from brightspots_web.leaders.models import Application, Nomination
from brightspots_web.shared.permissions import Capability, may

SEEN = (BrightSpot.State.CONFIRMED, BrightSpot.State.WRITTEN_UP, BrightSpot.State.RE_TESTED)
"""States in which people saw what the figures say."""
CONFIRMED, CANDIDATE, RISES = "confirmed", "candidate", "rises"
DESIGNATED, APPLIES, ASKED, NOT_NOW, LEADS, FREE = (
    "designated", "applies", "asked", "not_now", "leads", "free",
)  # fmt: skip
ASK_AGAIN = timedelta(days=180)
"""Somebody who said "not now" is left alone for so long."""


@dataclass(frozen=True)
class Search:
    """What the list is narrowed to."""

    area: Area | None = None
    priority: str = ""
    kind: str = ""
    standing: str = ""


@dataclass(frozen=True)
class Found:
    """A school at a priority, and who answers for it."""

    school: int
    name: str
    area: tuple[str, ...]
    priority: Priority
    kinds: frozenset[str]
    head: Person | None
    standing: str
    since: date | None = None


@dataclass(frozen=True)
class Shown:
    """A line of the list with what it is built on."""

    found: Found
    school: School
    figure: dict[str, object] = field(default_factory=dict)


def search(acting: Appointment | None, wanted: Search, run: Run | None) -> list[Found]:
    """Everybody by area and name whose school stands out in a live priority.

    As many statements for ten schools as for ten thousand; figures are read for a page alone.
    """
    if not may(acting, Capability.FIND_LEADERS):
        return []
    kinds: dict[tuple[int, int], set[str]] = {}
    chosen = [
        each
        for each in alignment.live_priorities()
        if each.subject and wanted.priority in {"", each.code}
    ]
    for priority in chosen:
        for school, kind in _evidence(acting, priority, wanted.area, run):
            kinds.setdefault((school, priority.pk), set()).add(kind)
    schools = _schools({each for each, _priority in kinds}, wanted.area)
    people = {
        each.school_id: each.person for each in reversed(list(leadership.heads_first(schools)))
    }
    standings = standings_of([each.pk for each in people.values()])
    areas = directory.area_names()
    by_key = {each.pk: each for each in chosen}
    found = []
    for (key, priority_key), its in kinds.items():
        if key not in schools:
            continue
        place, head = schools[key], people.get(key)
        standing, since = standings.get(head.pk, (FREE, None)) if head else (FREE, None)
        if wanted.kind and wanted.kind not in its:
            continue
        if wanted.standing and wanted.standing != standing:
            continue
        found.append(
            Found(key, place.name, areas[place.area_id], by_key[priority_key], frozenset(its),
                  head, standing, since)
        )  # fmt: skip
    return sorted(found, key=lambda each: (each.area, each.name, each.school, each.priority.pk))


def _evidence(
    acting: Appointment | None, priority: Priority, area: Area | None, run: Run | None
) -> Iterable[tuple[int, str]]:
    narrowed = bright_spot_queries.Search(subject=priority.subject, area=area)
    for key in bright_spot_queries.keys(bright_spot_queries.pairs(acting, narrowed, run)):
        if key.state in SEEN:
            yield key.school, CONFIRMED
        elif key.label == Estimate.Label.BRIGHT_SPOT and key.state != BrightSpot.State.SET_ASIDE:
            yield key.school, CANDIDATE
    rising = improving_queries.rising(acting, priority.subject, run)
    for school in rising.order_by().values_list("school", flat=True):
        yield school, RISES


def _schools(keys: set[int], area: Area | None) -> dict[int, School]:
    """The open ones of these schools, of one area when it is named."""
    found: dict[int, School] = {}
    listed = sorted(keys)
    for start in range(0, len(listed), 5000):
        some = directory.open_schools().filter(pk__in=listed[start : start + 5000])
        if area is not None:
            some = some.filter(directory.within(area))
        found |= some.in_bulk()
    return found


def shown(found: Sequence[Found], run: Run | None) -> list[Shown]:
    """The lines of a page with figures and notes: six reads, however many lines."""
    keys = [
        bright_spot_queries.Key(each.school, each.name, "", each.priority.subject, None, None, "",
                                "")
        for each in found
    ]  # fmt: skip
    spots = bright_spot_queries.spots(keys, run) if keys else []
    subjects = sorted({each.priority.subject for each in found})
    rises = improving_queries.rises([each.school for each in found], subjects, run)
    return [
        Shown(
            each,
            spot.school,
            evidence.figure(spot, rises.get((each.school, each.priority.subject)), run),
        )
        for each, spot in zip(found, spots, strict=True)
    ]


def standings_of(people: Sequence[int]) -> dict[int, tuple[str, date | None]]:
    """Person's key -> how things stand with leading, and since when; free people are left out."""
    found: dict[int, tuple[str, date | None]] = {}
    wanted = set(people)
    for person, leads in leadership.led_by(people).items():
        found[person] = (LEADS, leads.starts)
    for each in Nomination.objects.filter(person__in=people).order_by("pk"):
        if each.declined_at is not None:
            found[each.person_id] = (NOT_NOW, each.declined_at.date())
        elif found.get(each.person_id, ("", None))[0] != LEADS:
            found[each.person_id] = (ASKED, each.at.date())
    applying = Application.objects.filter(person__in=people, state__in=designations.OPEN)
    for person, shown_at, handed_in in applying.values_list(
        "person", "backing_asked_at", "submitted_at"
    ):
        at = handed_in or shown_at
        if at is not None:  # what nobody was shown yet is nobody's to know
            found[person] = (APPLIES, at.date())
    for person, starts in (
        designations.live_designations().filter(person__in=people).values_list("person", "starts")
    ):
        found[person] = (DESIGNATED, starts)
    return {key: value for key, value in found.items() if key in wanted}


def school_in_sight(acting: Appointment | None) -> QuerySet[School]:
    """Open schools at which this appointment may ask somebody to lead."""
    if not may(acting, Capability.FIND_LEADERS):
        return directory.schools_visible_to(None)
    return directory.schools_visible_to(acting).filter(directory.unclosed())


def figures_of(school: School) -> list[tuple[Priority, dict[str, object]]]:
    """What the figures say of a school in each live priority that has any."""
    run = insight.current_run()
    live = [each for each in alignment.live_priorities() if each.subject]
    rows = evidence.evidence_of(school, live)["rows"] if run is not None else []
    return list(zip(live, rows, strict=False))


# Nominations


@dataclass(frozen=True)
class Narrowed:
    """What the list of nominations is narrowed to."""

    kind: str = ""
    area: Area | None = None
    answer: str = ""


def nominations_visible_to(acting: Appointment | None) -> QuerySet[Nomination]:
    """Officers and the ministry: of schools in sight. Everybody: one's own, and those one made."""
    found = Nomination.objects.select_related("person", "school__area", "priority")
    if acting is None:
        return found.none()
    mine = found.filter(person=acting.person_id) | found.filter(by_person=acting.person_id)
    if not may(acting, Capability.FIND_LEADERS):
        return mine
    if may(acting, Capability.SEE_SYSTEM):
        return found
    schools = directory.schools_visible_to(acting).order_by().values("pk")
    return mine | found.filter(school__in=schools)


def nominations(acting: Appointment | None, narrowed: Narrowed) -> QuerySet[Nomination]:
    """Nominations in sight by area and name of the school."""
    found = nominations_visible_to(acting)
    if not may(acting, Capability.FIND_LEADERS):
        return found.none()
    if narrowed.kind:
        found = found.filter(kind=narrowed.kind)
    if narrowed.area is not None:
        found = found.filter(school__area__path__startswith=narrowed.area.path)
    if narrowed.answer:
        found = found.filter(declined_at__isnull=narrowed.answer != "not_now")
    return found.order_by("school__area__path", "school__name", "person__name", "-pk")


def open_for(person: Person) -> list[Nomination]:
    """What somebody has been asked and has not said no to."""
    found = Nomination.objects.filter(person=person, declined_at=None)
    return list(found.select_related("priority", "school"))


def declined_lately(person: Person) -> Nomination | None:
    """The newest "not now" of somebody who is left alone for a while."""
    since = directory.today() - ASK_AGAIN
    found = Nomination.objects.filter(person=person, declined_at__date__gt=since)
    return found.order_by("-declined_at").first()


def colleagues(acting: Appointment | None) -> list[Appointment]:
    """Who serves in the partnership of somebody at a school, and may be nominated; by name."""
    if acting is None or not may(acting, Capability.APPLY_TO_LEAD):
        return []
    schools = directory.schools_visible_to(acting).filter(directory.unclosed())
    held = leadership.serving(schools.order_by().values_list("pk", flat=True))
    first: dict[int, Appointment] = {}
    for each in held:
        if each.person_id != acting.person_id:
            first.setdefault(each.person_id, each)
    return sorted(first.values(), key=lambda each: (str(each.person), each.pk))
