"""What officers and the ministry see of how leaders grow, to plan learning: the group alone.

A group of fewer than five who rated themselves is not shown at all. Of a larger one: how many, in
steps of five, and the names of the competences that stand lowest most often, each leader's own
lowest against the same leader's others. There is no count behind a competence and no rest to
subtract, and all of it is as of the first day of the month, so that nobody's answer can be read
off a change from one day to the next.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time

from django.db.models import F
from django.utils import timezone

from brightspots_web.directory import colleague_queries as colleagues
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment
from brightspots_web.leaders import designation_queries as designation
from brightspots_web.leaders.models import Competence, CompetenceRating
from brightspots_web.shared.permissions import Capability, Role, may

FEWEST_PEOPLE = 5
"""Fewest people behind anything that is said of a group of them."""
MOST_NAMED = 2


@dataclass(frozen=True)
class Group:
    """How far a group of leaders is with rating, and what learning would serve it most."""

    leaders: int
    """Who leads or is designated there; that is public."""
    rated: int | None
    """At least so many have rated every competence; None where fewer than five have."""
    as_of: date
    named: list[Competence] = field(default_factory=list)


def leaders_within(acting: Appointment | None) -> set[int]:
    """Keys of the leaders and designated people of an officer's area, or of the whole system."""
    if acting is None or not may(acting, Capability.FIND_LEADERS):
        return set()
    found = colleagues.holders([Role.SYSTEM_LEADER], acting)
    people = set(found.values_list("person", flat=True))
    held = designation.live_designations()
    if acting.area is not None:
        held = held.filter(school__area__path__startswith=acting.area.path)
    return people | set(held.values_list("person", flat=True))


def group_of(acting: Appointment | None, today: date | None = None) -> Group:
    """What may be said of the leaders somebody looks after."""
    today = today or directory.today()
    as_of = today.replace(day=1)
    people = leaders_within(acting)
    competences = list(Competence.objects.filter(retired_at=None))
    levels = _newest_levels(people, as_of)
    whole = {
        person: mine
        for person, mine in levels.items()
        if all(each.pk in mine for each in competences)
    }
    if len(whole) < FEWEST_PEOPLE or not competences:
        return Group(len(people), None, as_of)
    rated = len(whole) - len(whole) % FEWEST_PEOPLE
    return Group(len(people), rated, as_of, _lowest_most_often(whole.values(), competences))


def _newest_levels(people: set[int], before: date) -> dict[int, dict[int, int]]:
    """Person -> competence -> the level the person said last before a day."""
    start = timezone.make_aware(datetime.combine(before, time.min))
    rows = CompetenceRating.objects.filter(
        leader__in=people, rater=F("leader"), level__isnull=False, at__lt=start
    ).order_by("at", "pk")
    found: dict[int, dict[int, int]] = {}
    for leader, competence, level in rows.values_list("leader", "competence", "level"):
        assert level is not None
        found.setdefault(leader, {})[competence] = level
    return found


def _lowest_most_often(
    views: Iterable[dict[int, int]], competences: list[Competence]
) -> list[Competence]:
    """The competences that most leaders put lowest among their own, up to two.

    Whoever puts all alike names none. Where more than two are named as often nothing stands out,
    and none is said.
    """
    counts: Counter[int] = Counter()
    for mine in views:
        own = {each.pk: mine[each.pk] for each in competences}
        lowest = min(own.values())
        if lowest < max(own.values()):
            counts.update(key for key, level in own.items() if level == lowest)
    ordered = sorted(set(counts.values()), reverse=True)
    named: list[Competence] = []
    for count in ordered:
        tied = [each for each in competences if counts[each.pk] == count]
        if len(named) + len(tied) > MOST_NAMED:
            break
        named += tied
    return named
