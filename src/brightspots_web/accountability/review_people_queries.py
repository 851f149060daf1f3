"""Who may review a school as a peer, and what speaks against it: conflicts, and too much work.

Peers are heads, and leaders who head a school. A team is found near the host first, then further
away, until there are enough from outside its partnership.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, Q, QuerySet, prefetch_related_objects
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.accountability.models import PeerReview, Reviewer
from brightspots_web.accountability.review_queries import SEATED, State
from brightspots_web.connectedness import support_queries
from brightspots_web.directory import queries as directory
from brightspots_web.directory import record_queries
from brightspots_web.directory.models import Appointment, Person, School
from brightspots_web.insight.queries import kilometres
from brightspots_web.shared.charts import number

SHOWN = 12
MOST = 3
"""Reviews of others that one person is asked for in a cycle."""
ENOUGH = 8
"""So many peers from outside the partnership are looked for before one looks further away."""
FARTHEST_LOOK = 300
YEAR = timedelta(days=365)


@dataclass(frozen=True)
class Candidate:
    """Somebody who could review a school, and what speaks against it."""

    appointment: Appointment
    reviews: int
    """Of others, in this cycle."""
    km: float | None
    outside: bool
    """From another partnership than the host's, or from none."""
    conflicts: tuple[str, ...] = ()

    @property
    def person(self) -> Person:
        return self.appointment.person

    @property
    def school(self) -> School:
        assert self.appointment.school is not None
        return self.appointment.school

    @property
    def full(self) -> bool:
        return self.reviews >= MOST

    @property
    def may_come(self) -> bool:
        return not self.full and not self.conflicts

    @property
    def workload(self) -> str:
        if not self.reviews:
            return _("no review of others this cycle")
        words = ngettext(
            "{n} review of others this cycle", "{n} reviews of others this cycle", self.reviews
        )
        return words.format(n=self.reviews)

    @property
    def why_not(self) -> str:
        """What speaks against it; empty where nothing does."""
        said = list(self.conflicts)
        if self.full:
            words = _("was asked for {n} reviews this cycle already")
            said.append(words.format(n=self.reviews))
        return "; ".join(said)

    @property
    def label(self) -> str:
        """For a list to choose from."""
        far = _("{km} km away").format(km=number(self.km, 0)) if self.km is not None else ""
        where = _("another partnership") if self.outside else _("our partnership")
        name = f"{self.person}, {self.school.name}"
        return " · ".join(each for each in (name, where, self.workload, far) if each)


def candidates(review: PeerReview, words: str = "") -> list[Candidate]:
    """Peers for a review: of the own partnership and of others, the least burdened first.

    Those who are in the team already are left out. Those against whom something speaks stand
    last, and it is said what.
    """
    host = _host(review)
    taken = review.team.exclude(state=Reviewer.State.DECLINED).values("person")
    open_to = _held(host, words).exclude(person__in=taken)
    return _judged(_one_each(_near(open_to, host, everywhere=bool(words))), host, most=SHOWN)


def candidate(person: Person, review: PeerReview) -> Candidate | None:
    """One person as a peer; None for who heads no other school today."""
    host = _host(review)
    held = list(_held(host).filter(person=person)[:1])
    return next(iter(_judged(held, host, most=1)), None)


def still_heads(people: Iterable[int]) -> set[int]:
    """Who of these people answers for a school today."""
    rows = directory.heads().filter(person__in=list(people)).order_by()
    return set(rows.values_list("person", flat=True))


@dataclass(frozen=True)
class _Host:
    review: int
    school: School
    members: frozenset[int]
    """Keys of the schools of its partnership."""


def _host(review: PeerReview) -> _Host:
    partnership = directory.partnership_of(review.school)
    members: frozenset[int] = frozenset()
    if partnership is not None:
        rows = directory.live_memberships().filter(partnership=partnership)
        members = frozenset(rows.values_list("school", flat=True))
    return _Host(review.pk, review.school, members)


def _held(host: _Host, words: str = "") -> QuerySet[Appointment]:
    found = directory.heads().exclude(school=host.school)
    if words:
        found = found.filter(Q(person__name__icontains=words) | Q(school__name__icontains=words))
    found = found.select_related("person", "school__area", "partnership")
    return found.order_by("role", "pk")


def _near(
    held: QuerySet[Appointment], host: _Host, *, everywhere: bool
) -> list[Appointment]:  # fmt: skip
    """The own partnership's, and others from an area that is widened until there are enough."""
    own = list(held.filter(school__in=host.members))
    others = held.exclude(school__in=host.members)
    if everywhere:
        return own + list(others[:FARTHEST_LOOK])
    path = directory.paths_to(host.school.area)
    found: list[Appointment] = []
    for prefix in reversed(path[:-1] or path):
        found = list(others.filter(school__area__path__startswith=prefix)[:FARTHEST_LOOK])
        if len(found) >= ENOUGH:
            break
    return own + found


def _one_each(held: Iterable[Appointment]) -> list[Appointment]:
    return list({each.person_id: each for each in held}.values())


def _judged(held: Sequence[Appointment], host: _Host, *, most: int) -> list[Candidate]:
    if not held:
        return []
    burdened = _burdened(host)
    found = []
    for each in held:
        km = kilometres(each.school, host.school) if each.school else None
        outside = each.school_id not in host.members
        found.append(Candidate(each, burdened.get(each.person_id, 0), km, outside))
    found.sort(key=lambda one: (one.full, one.reviews, one.km or 1e9, one.appointment.pk))
    # Some of each: a team needs peers from outside, and those nearest are of the own partnership.
    kept = [one for one in found if one.outside][: 2 * most]
    kept += [one for one in found if not one.outside][:most]
    conflicts = _conflicts([each.appointment for each in kept], host)
    judged = [
        Candidate(
            each.appointment, each.reviews, each.km, each.outside, conflicts[each.person.pk]
        )
        for each in kept
    ]  # fmt: skip
    judged.sort(key=lambda one: (not one.may_come, one.reviews, one.km or 1e9))
    others = [one for one in judged if one.outside][:most]
    ours = [one for one in judged if not one.outside][: max(most // 2, 1)]
    return [*others, *ours]


def _burdened(host: _Host) -> dict[int, int]:
    """Person's key -> reviews of others in this cycle; without a cycle, in the last year."""
    today = directory.today()
    cycle = next(
        (each for each in record_queries.cycles() if each.starts <= today < each.ends), None
    )
    since: date = cycle.starts if cycle else today - YEAR
    rows = Reviewer.objects.filter(state__in=SEATED, asked_at__date__gte=since)
    rows = rows.exclude(review__state=State.CALLED_OFF).exclude(review=host.review)
    return dict(
        rows.filter(person__isnull=False).order_by().values_list("person").annotate(Count("pk"))
    )


def _conflicts(held: Sequence[Appointment], host: _Host) -> dict[int, tuple[str, ...]]:
    """Person's key -> what speaks against it, in words; few statements."""
    people = [each.person for each in held]
    prefetch_related_objects(people, "appointments")
    found: dict[int, list[str]] = defaultdict(list)
    for person in people:
        if any(each.school_id == host.school.pk for each in person.appointments.all()):
            found[person.pk].append(_("works or has worked at this school"))
    helping = _helping(host.school)
    reviewed_us, reviewed_by_us = _reviewed(host)
    for each in held:
        if each.school_id in helping:
            found[each.person_id].append(_("one of the two schools helps the other at present"))
        if each.school_id in reviewed_us:
            words = _("reviews this school, or has within the last 12 months")
            found[each.person_id].append(words)
        if each.school_id in reviewed_by_us:
            words = _("is reviewed by this school, or was within the last 12 months")
            found[each.person_id].append(words)
    return {person.pk: tuple(found[person.pk]) for person in people}


def _helping(school: School) -> set[int]:
    running = support_queries.deployments_of(school).filter(state="running")
    pairs = running.values_list("giving", "receiving")
    return {key for pair in pairs for key in pair if key is not None and key != school.pk}


def _reviewed(host: _Host) -> tuple[set[int], set[int]]:
    """Keys of schools that reviewed the host lately, and of those it reviewed; or will soon."""
    since = directory.today() - YEAR
    rows = Reviewer.objects.filter(
        Q(review__visit_on__gte=since) | Q(review__visit_on=None),
        state=Reviewer.State.ACCEPTED,
    ).exclude(review__state=State.CALLED_OFF)
    by = rows.filter(review__school=host.school).exclude(review=host.review)
    of = rows.filter(school=host.school)
    return (
        set(by.values_list("school", flat=True)),
        set(of.values_list("review__school", flat=True)),
    )
