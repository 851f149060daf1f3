"""All reads of peer reviews: who sees which, whose turn it is, how many schools had one.

A review belongs to its host. The host, the team that was asked, and the leader of the partnership
see all of it; the other schools of the partnership see that there is one, its question and its
days. Whoever answers for an area sees how many there are, and which are due to be looked at again;
no page of any.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from brightspots_web.accountability.models import ImprovementChampion, PeerReview, Reviewer
from brightspots_web.directory import leadership_queries as serving
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Area, Partnership, School
from brightspots_web.shared.permissions import Capability, Role, may

State = PeerReview.State
Seat = Reviewer.State
BEFORE = (State.SELF_REVIEW, State.TEAM, State.SCHEDULED)
"""Until the visit took place."""
UNDER_WAY = (*BEFORE, State.VISITED, State.AGREED, State.WORKSHOP)
"""One of these at a time at a school."""
HAPPENED = (State.VISITED, State.AGREED, State.WORKSHOP, State.CHECKED)
TO_CHECK = (State.AGREED, State.WORKSHOP)
SEATED = (Seat.ASKED, Seat.ACCEPTED)
YEARS = 3
"""Coverage counts the schools that had a review in so many years."""
FEWEST = 3
"""Areas with fewer schools are not shown alone: a count there would point at a school."""


def takes_part(by: Appointment | None) -> bool:
    """Whether a role hosts reviews and takes part in them."""
    return may(by, Capability.REVIEW_PEERS)


def overlooks(by: Appointment | None) -> bool:
    """Whether a role sees counts of reviews by area."""
    return may(by, Capability.SEE_AREA)


# Who sees which


def visible_to(by: Appointment | None) -> QuerySet[PeerReview]:
    """Reviews whose page this appointment may open."""
    found = PeerReview.objects.select_related("school__area", "partnership", "priority")
    if by is None or not takes_part(by):
        return found.none()
    begun = ~Q(state=State.SELF_REVIEW)
    return found.filter(_hosted(by) | _seated(by) | _led(by) | (begun & _beside(by)))


def _hosted(by: Appointment) -> Q:
    if by.school_id is None:
        return Q(pk__in=[])
    return directory.line_of(by.school_id, "school")


def _seated(by: Appointment, *states: str) -> Q:
    seats = Reviewer.objects.filter(
        review=OuterRef("pk"), person=by.person_id, state__in=states or SEATED
    )
    return Q(Exists(seats))


def _led(by: Appointment) -> Q:
    if by.role != Role.SYSTEM_LEADER or by.partnership_id is None:
        return Q(pk__in=[])
    return Q(partnership=by.partnership_id)


def _beside(by: Appointment) -> Q:
    own = directory.live_memberships().filter(school=by.school_id or 0).values("partnership")
    return Q(partnership__in=own)


def review_with(by: Appointment | None, pk: int) -> PeerReview | None:
    """A review this appointment may open."""
    return visible_to(by).filter(pk=pk).first()


def is_host(by: Appointment | None, review: PeerReview) -> bool:
    """Whether somebody answers for the school that is reviewed."""
    if by is None or by.school_id is None or not takes_part(by):
        return False
    return (
        by.school_id == review.school_id
        or directory.all_schools()
        .filter(directory.line_of(by.school_id), pk=review.school_id)
        .exists()
    )


def seat_of(by: Appointment | None, review: PeerReview) -> Reviewer | None:
    """The seat somebody has in the team, whatever became of it."""
    if by is None or not takes_part(by):
        return None
    return review.team.filter(person=by.person_id).first()


def is_team(by: Appointment | None, review: PeerReview) -> bool:
    """Whether somebody is in the team: asked and come, without a conflict."""
    seat = seat_of(by, review)
    return seat is not None and seat.state == Seat.ACCEPTED


def is_leader(by: Appointment | None, review: PeerReview) -> bool:
    """Whether somebody leads the host's partnership."""
    return (
        by is not None
        and takes_part(by)
        and by.role == Role.SYSTEM_LEADER
        and by.partnership_id is not None
        and by.partnership_id == review.partnership_id
    )


def sees_inside(by: Appointment | None, review: PeerReview) -> bool:
    """Whether somebody reads the words of a review: host, team, leader; not the schools beside."""
    if is_host(by, review) or is_leader(by, review):
        return True
    seat = seat_of(by, review)
    return seat is not None and seat.state in SEATED


def seat_with(by: Appointment | None, pk: int) -> Reviewer | None:
    """A seat in the team of a review this appointment may open, and always one's own."""
    found = Reviewer.objects.select_related("review__school__area", "school", "person")
    if by is None or not takes_part(by):
        return None
    there = Q(review__in=visible_to(by).values("pk")) | Q(person=by.person_id)
    return found.filter(there, pk=pk).first()


# Lists


@dataclass(frozen=True)
class Search:
    """What the list is narrowed to."""

    words: str = ""
    state: str = ""
    mine: str = ""
    """`host` or `team`; everything where it is empty."""


def search(by: Appointment | None, asked: Search) -> QuerySet[PeerReview]:
    found = visible_to(by)
    if by is None:
        return found
    if asked.words:
        words = asked.words.strip()
        found = found.filter(
            Q(school__name__icontains=words)
            | Q(school__code__istartswith=words)
            | Q(question__icontains=words)
        )
    if asked.state:
        found = found.filter(state=asked.state)
    if asked.mine:
        found = found.filter(_hosted(by) if asked.mine == "host" else _seated(by))
    return found.order_by("-pk")


def under_way(school: School) -> PeerReview | None:
    """The review a school has at present."""
    return PeerReview.objects.filter(school=school, state__in=UNDER_WAY).first()


def team_of(review: PeerReview) -> list[Reviewer]:
    return list(review.team.select_related("school__area", "person"))


def coming(review: PeerReview) -> list[Reviewer]:
    """Those of the team who come, whoever leads first."""
    return [each for each in team_of(review) if each.state == Seat.ACCEPTED]


def invitations(by: Appointment | None) -> QuerySet[Reviewer]:
    """What somebody was asked for and has not answered; the oldest first."""
    found = Reviewer.objects.select_related("review__school")
    if by is None or not takes_part(by):
        return found.none()
    waiting = found.filter(person=by.person_id, state=Seat.ASKED, review__state__in=BEFORE)
    return waiting.order_by("asked_at", "pk")


def hosted_now(by: Appointment | None) -> PeerReview | None:
    """The review that somebody's school has at present, with how many come and lead; one read."""
    if by is None or by.school_id is None or not takes_part(by):
        return None
    come = Count("team", filter=Q(team__state=Seat.ACCEPTED))
    found = PeerReview.objects.filter(school=by.school_id, state__in=BEFORE)
    return found.select_related("school").annotate(come=come).first()


# The whole system, in counts


def _overdue(on: date) -> Q:
    return Q(state__in=TO_CHECK, check_back_on__lt=on)


def overdue(by: Appointment | None) -> QuerySet[PeerReview]:
    """Reviews whose day to check back has passed, in the area of an officer; for nobody above.

    An officer asks kindly and may help; further up the counts are enough.
    """
    found = PeerReview.objects.select_related("school__area").order_by("check_back_on", "pk")
    if by is None or by.role != Role.DISTRICT_OFFICER or by.area is None:
        return found.none()
    inside = Q(school__area__path__startswith=by.area.path)
    return found.filter(_overdue(directory.today()), inside)


@dataclass(frozen=True)
class Covered:
    """Of the open schools of an area, how many had a review, have one, or are to check back."""

    area: Area | None
    """None adds up the areas that are too small to show alone."""
    schools: int
    had: int
    running: int
    overdue: int


def coverage(by: Appointment | None, area: Area | None = None) -> list[Covered]:
    """Coverage of the areas one step down, by name; small areas are shown together or not at all.

    The rest of the areas that are too small is shown as one row where it has enough schools.
    """
    if not overlooks(by):
        return []
    areas = directory.inner_areas(by, area or (by.area if by else None))
    if not areas:
        own = area or (by.area if by else None)
        areas = [own] if own is not None else []
    counted = _counted(sorted(areas, key=lambda each: each.name))
    shown = [each for each in counted if each.schools >= FEWEST]
    small = [each for each in counted if 0 < each.schools < FEWEST]
    if sum(each.schools for each in small) >= FEWEST:
        together = Covered(
            None,
            sum(each.schools for each in small),
            sum(each.had for each in small),
            sum(each.running for each in small),
            sum(each.overdue for each in small),
        )
        shown.append(together)
    return shown


def _counted(areas: list[Area]) -> list[Covered]:
    """Counts for each of some areas; two statements for all of them."""
    today = directory.today()
    since = today - timedelta(days=round(365.25 * YEARS))
    schools = directory.open_schools()
    there = schools.order_by().values_list("area__path").annotate(Count("pk"))
    sizes = list(there)
    reviews = PeerReview.objects.filter(school__in=schools.values("pk")).exclude(
        state=State.CALLED_OFF
    )
    rows = [
        (path, school, state, visit, check)
        for path, school, state, visit, check in reviews.order_by().values_list(
            "school__area__path", "school", "state", "visit_on", "check_back_on"
        )
    ]
    found = []
    for area in areas:
        inside = [row for row in rows if row[0].startswith(area.path)]
        had = {
            school
            for _path, school, state, visit, _check in inside
            if state in HAPPENED and visit is not None and visit > since
        }
        running = {school for _path, school, state, _visit, _check in inside if state in UNDER_WAY}
        overdue = [
            school
            for _path, school, state, _visit, check in inside
            if state in TO_CHECK and check is not None and check < today
        ]
        schools_there = sum(n for path, n in sizes if path.startswith(area.path))
        found.append(Covered(area, schools_there, len(had), len(running), len(overdue)))
    return found


# Champions


def champions_visible_to(by: Appointment | None) -> QuerySet[ImprovementChampion]:
    """Those named today at schools one sees; for a head and a leader, of the partnership."""
    found = ImprovementChampion.objects.select_related("person", "school__area")
    if not (takes_part(by) or overlooks(by)):
        return found.none()
    schools = directory.schools_visible_to(by).values("pk")
    return found.filter(until__isnull=True, school__in=schools).order_by("school__name", "pk")


def champion_with(by: Appointment | None, pk: int) -> ImprovementChampion | None:
    return champions_visible_to(by).filter(pk=pk).first()


def may_end(by: Appointment | None, champion: ImprovementChampion) -> bool:
    """Whoever heads the school, and whoever leads its partnership."""
    return names_at(by).filter(pk=champion.school_id).exists()


def names_at(by: Appointment | None) -> QuerySet[School]:
    """Open schools at which somebody may name a champion."""
    found = directory.open_schools()
    if by is None or not takes_part(by):
        return found.none()
    if by.role == Role.SYSTEM_LEADER:
        return found.filter(pk__in=directory.schools_visible_to(by).values("pk"))
    return found.filter(pk=by.school_id or 0)


def who_may_be_champion(by: Appointment | None) -> list[Appointment]:
    """Everybody who works at the schools where one names champions, one appointment a person."""
    schools = names_at(by).values_list("pk", flat=True)
    named = champions_visible_to(by).values_list("person", "school")
    taken = set(named)
    held = {(each.person_id, each.school_id): each for each in serving.serving(schools)}
    return [each for key, each in held.items() if key not in taken]


def champions_of(partnership: Partnership | None) -> QuerySet[ImprovementChampion]:
    """Champions named today at the schools of a partnership."""
    found = ImprovementChampion.objects.select_related("person", "school")
    members = directory.live_memberships().filter(partnership=partnership).values("school")
    return found.filter(until__isnull=True, school__in=members).order_by("school__name", "pk")


# What the worker looks after


def to_look_after(since: date, until: date) -> QuerySet[PeerReview]:
    """Reviews with a visit soon that nobody was reminded of yet."""
    return (
        PeerReview.objects.filter(state=State.SCHEDULED, visit_on__gte=since, visit_on__lte=until)
        .exclude(reminded=SOON)
        .select_related("school")
        .order_by("pk")
    )


SOON = "soon"


def seats_to_look_after() -> QuerySet[Reviewer, Any]:
    """Seats in teams whose visit is yet to come."""
    found = Reviewer.objects.filter(state__in=SEATED, review__state__in=BEFORE)
    return found.select_related("review__school", "person").order_by("pk")
