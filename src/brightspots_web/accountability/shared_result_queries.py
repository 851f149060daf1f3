"""The shared result of an area: who reads it, and which of its years a reader may be told.

Everybody who works in a school of the area reads it, and not only who is over the area. So a year
is told only where no school's own figure follows from it: what a reader knows of single schools,
and of other areas, is taken from the whole, and what is left must be nobody or three and more.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from brightspots_web.accountability import challenge_queries as challenge
from brightspots_web.accountability import pledge_queries as pledges
from brightspots_web.accountability.pledge_models import Pledge, PledgeSet
from brightspots_web.alignment import queries as alignment
from brightspots_web.alignment.models import Priority
from brightspots_web.directory import queries as directory
from brightspots_web.directory import record_queries
from brightspots_web.directory.models import Appointment, Area, Cycle, Partnership
from brightspots_web.insight import area_progress_queries as areas
from brightspots_web.insight import disclosure
from brightspots_web.insight import queries as insight
from brightspots_web.insight.area_progress_queries import AreaProgress
from brightspots_web.insight.models import Run
from brightspots_web.insight.progress_queries import Level
from brightspots_web.leaders import designation_queries as designation
from brightspots_web.shared.permissions import Role

FEWEST = disclosure.FEWEST_SCHOOLS
MOST_AREAS = 60
"""So many areas inside a large one are named on its page."""


def shared_areas(by: Appointment | None) -> QuerySet[Area]:
    """Areas whose shared result somebody reads: what they look after, or their school is part of.

    A leader reads it of every area in which the partnership has a school.
    """
    own = directory.areas_visible_to(by)
    if by is None or (by.school_id is None and by.partnership_id is None):
        return own
    here = Q(pk__in=own.values("pk"))
    if by.school_id is not None:
        schools = directory.all_schools().filter(pk=by.school_id)
        here |= Q(pk__in=schools.values("area"))
    if by.role == Role.SYSTEM_LEADER and by.partnership_id is not None:
        members = directory.live_memberships().filter(partnership=by.partnership_id)
        here |= Q(pk__in=members.values("school__area"))
    return record_queries.areas().filter(here)


def area_with(by: Appointment | None, pk: int) -> Area | None:
    return shared_areas(by).filter(pk=pk).first()


def nearest(by: Appointment | None) -> Area | None:
    """The area whose shared result somebody answers for: their school's, or what they look after.

    Who sees the whole system begins at its root, where there is one.
    """
    if by is None:
        return None
    if by.school is not None:
        return area_with(by, by.school.area_id)
    if by.area is not None:
        return area_with(by, by.area.pk)
    if by.partnership_id is not None:
        return shared_areas(by).first()
    roots = list(directory.areas_visible_to(by).filter(parent=None)[:2])
    return roots[0] if len(roots) == 1 else None


def looks_after(by: Appointment | None, area: Area) -> bool:
    """Whether somebody sees every school of an area, and its own page."""
    return directory.areas_visible_to(by).filter(pk=area.pk).exists()


def is_whole_system(area: Area) -> bool:
    """Whether an area is the root of all others: beside itself no figure says anything."""
    roots = record_queries.areas().filter(parent=None)
    return area.parent_id is None and not roots.exclude(pk=area.pk).exists()


def areas_beside(by: Appointment | None, area: Area) -> list[Area]:
    """Where to go on: the areas inside it, or the others of a leader who has schools in several."""
    inner = directory.inner_areas(by, area)
    if inner:
        return inner[:MOST_AREAS]
    if looks_after(by, area):
        return []
    return list(shared_areas(by).exclude(pk=area.pk).order_by("name", "pk")[:MOST_AREAS])


# What may be told


def progress_of(
    by: Appointment | None, area: Area, priorities: Sequence[Priority], run: Run | None
) -> dict[str, AreaProgress]:
    """Outcome of these priorities -> how the area moved, as far as this person may be told."""
    scales = insight.scales(run)
    subjects = [each.subject for each in priorities if each.subject in scales]
    if run is None or by is None or not subjects or is_whole_system(area):
        return {}
    known = areas.levels(area, subjects, run)
    told = years_told(by, area, known, run)
    return {
        subject: areas.progress(area, scales[subject], known[subject], told[subject])
        for subject in subjects
    }


def years_told(
    by: Appointment, area: Area, known: dict[str, dict[int, Level]], run: Run
) -> dict[str, set[int]]:
    """Outcome -> the years of which nobody's own figure follows for this person.

    Schools they may open count as known to them. Others may be, such as one whose promise they
    read, since it begins from a published value: these are never counted on to hide another. What
    lies in another area that they read of is taken apart, since its figure can be taken from this
    one.
    """
    if looks_after(by, area):
        return {subject: set(years) for subject, years in known.items()}
    behind = areas.schools_behind(area, list(known), run)
    inside = {key for schools in behind.values() for key in schools}
    seen = pledges.open_to(by, inside)
    perhaps = _perhaps_known(by, inside)
    paths = [each.path for each in shared_areas(by) if each.pk != area.pk]
    told: dict[str, set[int]] = {subject: set() for subject in known}
    for subject, years in known.items():
        for year, level in years.items():
            schools = behind.get((subject, year), {})
            hidden = {key: path for key, path in schools.items() if key not in seen}
            if len(schools) == level.schools and _hides_all(hidden, perhaps, paths):
                told[subject].add(year)
    return told


def _hides_all(hidden: dict[int, str], perhaps: set[int], areas_read: Sequence[str]) -> bool:
    """Whether the schools not seen hide each other, in each part that can be taken apart."""
    parts: Counter[tuple[bool, ...]] = Counter()
    sure: Counter[tuple[bool, ...]] = Counter()
    for key, path in hidden.items():
        part = tuple(path.startswith(each) for each in areas_read)
        parts[part] += 1
        sure[part] += key not in perhaps
    return all(sure[part] >= FEWEST for part in parts)


def _perhaps_known(by: Appointment, schools: set[int]) -> set[int]:
    """Of these schools, those of which this person may have read a published value elsewhere.

    With a promise, in the brief of a challenge visit, in an application to lead.
    """
    read = (
        pledges.visible_to(by).filter(set__school__in=schools).values_list("set__school"),
        challenge.visible_to(by).filter(school__in=schools).values_list("school"),
        designation.applications_visible_to(by).filter(school__in=schools).values_list("school"),
    )
    return {key for found in read for (key,) in found.order_by()}


# Who takes part


def priorities_with_results(run: Run | None) -> list[Priority]:
    """The live priorities of whose outcome the published analysis has something to say."""
    known = insight.scales(run)
    return [each for each in alignment.live_priorities() if each.subject in known]


def partnerships_here(by: Appointment | None, area: Area) -> QuerySet[Partnership]:
    """Partnerships one may open that have a school in an area, by name."""
    inside = directory.live_memberships().filter(school__area__path__startswith=area.path)
    found = directory.partnerships_visible_to(by).filter(pk__in=inside.values("partnership"))
    return found.order_by("name", "code")


def promised_here(by: Appointment | None, area: Area, cycle: Cycle) -> QuerySet[Pledge]:
    """What the area's schools have promised in a cycle and somebody may read, by school."""
    here = pledges.visible_to(by).filter(
        set__school__area__path__startswith=area.path,
        set__cycle=cycle,
        state__in=pledges.STANDS,
    )
    # "own" before "other": the first half first.
    return here.order_by("set__school__name", "set__school__code", F("half").desc(), "pk")


@dataclass(frozen=True)
class Complete:
    """How many open schools of an area promised for themselves and for another school."""

    schools: int
    n: int | None
    """None where the number would say which schools did: few in all, or few not known."""
    few: bool = False
    """Whether it is fewer than three, and no more is said."""


def complete_here(by: Appointment | None, area: Area, cycle: Cycle) -> Complete:
    """The count of complete sets, so that it tells of no school that a reader does not know of.

    A reader knows of a school whose promises they may read, and of one of their own partnership.
    """
    inside = directory.open_schools().filter(directory.within(area))
    schools = inside.count()
    if schools < FEWEST:
        return Complete(schools, None)
    sets = PledgeSet.objects.filter(cycle=cycle, school__in=inside)
    stands = Pledge.objects.filter(set=OuterRef("pk"), state__in=pledges.STANDS)
    n = sets.filter(*(Exists(stands.filter(half=each)) for each in Pledge.Half)).count()
    hidden = inside.exclude(_known_of(by, sets, cycle)).count()
    if hidden == 0:
        return Complete(schools, n)
    if hidden < FEWEST:
        return Complete(schools, None)
    return Complete(schools, n, few=n < FEWEST)


def _known_of(by: Appointment | None, sets: QuerySet[PledgeSet], cycle: Cycle) -> Q:
    """Schools of which this person knows already whether they promised both halves."""
    read = pledges.sets_visible_to(by).filter(cycle=cycle).order_by().values("school")
    partnerships = Q(partnership=by.partnership_id or 0) if by is not None else Q(pk__in=[])
    if by is not None and by.school_id is not None:
        mine = directory.live_memberships().filter(school=by.school_id)
        partnerships |= Q(partnership__in=mine.values("partnership"))
    members = directory.live_memberships().filter(partnerships).values("school")
    # A member's set that is not read was promised to the partnership it was in before.
    return Q(pk__in=read) | Q(pk__in=members) & ~Q(pk__in=sets.order_by().values("school"))
