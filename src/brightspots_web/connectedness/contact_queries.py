"""Reads of the isolation register, of contacts and steps, and of how the numbers go."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery

from brightspots_web.connectedness import contact_definition_queries as definition
from brightspots_web.connectedness.contact_definition_queries import (
    NEAR_REASONS,
    REASONS,
    Counts,
    Rules,
)
from brightspots_web.connectedness.models import (
    Contact,
    Deployment,
    Isolation,
    IsolationCount,
    IsolationStep,
)
from brightspots_web.directory import people_queries, record_queries
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import (
    Appointment,
    Area,
    Membership,
    Partnership,
    Person,
    School,
)
from brightspots_web.shared.permissions import Capability, Role, may

CHUNK = 2000
NEVER = date.min


@dataclass(frozen=True)
class Reason:
    """Why a school is isolated or near it, and the day from which that holds (or will hold)."""

    name: str
    since: date | None
    """For a reason of being near: the day on which it would come to pass, where one is known."""
    partnership: Partnership | None = None
    why: str = ""
    """What the last proposal said about a school in no partnership."""


@dataclass(frozen=True)
class Entry:
    """A school on the register, with all that is known of its isolation."""

    school: School
    reasons: list[Reason]
    partnership: Partnership | None
    last_contact: date | None
    last_kind: str
    steps: list[IsolationStep] = field(default_factory=list)
    """What people do about it: what is open, the soonest due first."""

    @property
    def isolated(self) -> bool:
        return any(each.name in REASONS for each in self.reasons)

    @property
    def near(self) -> bool:
        return bool(self.reasons) and not self.isolated

    @property
    def since(self) -> date | None:
        """The first day from which the school has been isolated; None where it is not known."""
        days = [each.since for each in self.reasons if each.name in REASONS]
        return min((day for day in days if day), default=None) if all(days) else None


@dataclass(frozen=True)
class Search:
    """What the register is narrowed to."""

    area: Area | None = None
    show: str = "isolated"
    """isolated, near or both"""
    reason: str = ""
    step: str = ""
    """none: nobody is on it; open: somebody is; overdue: a step is past its day"""


def register(acting: Appointment | None, search: Search, by: Rules) -> QuerySet[School]:
    """The schools of the register that fit the search, by area and name."""
    schools = definition.schools_of(acting, search.area, by.on)
    shown = {"isolated": definition.isolated(by), "near": definition.near(by)}
    found = schools.filter(shown.get(search.show) or shown["isolated"] | shown["near"])
    if search.reason:
        found = found.filter(definition.conditions(by)[search.reason])
    steps = IsolationStep.objects.filter(school=OuterRef("pk"), done_on=None)
    if search.step == "none":
        found = found.filter(~Exists(steps))
    elif search.step:
        due = Q(due__lt=by.on) if search.step == "overdue" else Q()
        found = found.filter(Exists(steps.filter(due)))
    return found.order_by("area__path", "name", "code")


def entries(schools: QuerySet[School], by: Rules) -> list[Entry]:
    """What the register says of these schools, in their order; a fixed number of statements."""
    last = Contact.objects.filter(school=OuterRef("pk"), on__lte=by.on).order_by("-on", "-pk")
    rows = list(
        definition.with_reasons(schools, by).annotate(
            last_on=Subquery(last.values("on")[:1]), last_kind=Subquery(last.values("kind")[:1])
        )
    )
    details = _Details({row.pk: getattr(row, "last_on", None) for row in rows}, by)
    return [details.entry(row) for row in rows]


def entries_of(schools: Iterable[School], by: Rules) -> list[Entry]:
    """As :func:`entries`, for schools that were found already, such as those of a page."""
    keys = [school.pk for school in schools]
    place = {key: index for index, key in enumerate(keys)}
    found = directory.all_schools().filter(pk__in=keys).select_related("area")
    return sorted(entries(found, by), key=lambda entry: place[entry.school.pk])


def all_entries(schools: QuerySet[School], by: Rules) -> Iterator[Entry]:
    """As :func:`entries`, for as many schools as there are: so many statements a chunk."""
    keys = list(schools.values_list("pk", flat=True))
    for start in range(0, len(keys), CHUNK):
        chunk = keys[start : start + CHUNK]
        found = {school.pk: school for school in directory.all_schools().filter(pk__in=chunk)}
        yield from entries_of([found[key] for key in chunk if key in found], by)


def entry_of(school: School, on: date | None = None) -> Entry:
    """What the register would say of one school that may be seen, isolated or not."""
    one = directory.all_schools().filter(pk=school.pk).select_related("area")
    return entries(one, definition.rules(on))[0]


class _Details:
    """The rows behind the reasons of a few schools, read at once."""

    def __init__(self, last: dict[int, date | None], by: Rules) -> None:
        self.by, self.last = by, last
        keys = list(last)
        self.memberships: dict[int, list[Membership]] = {}
        rows = record_queries.memberships().filter(school__in=keys, starts__lte=by.on)
        for row in rows.select_related("partnership").order_by("starts", "pk"):
            self.memberships.setdefault(row.school_id, []).append(row)
        live = directory.live_memberships(by.on).filter(school__in=keys)
        self.partnership = {
            row.school_id: row.partnership for row in live.select_related("partnership")
        }
        led = {partnership.pk for partnership in self.partnership.values()}
        self.leaders: dict[int, list[Appointment]] = {}
        for each in record_queries.leader_appointments().filter(partnership__in=led):
            self.leaders.setdefault(each.partnership_id or 0, []).append(each)
        self.steps: dict[int, list[IsolationStep]] = {}
        for step in IsolationStep.objects.filter(school__in=keys, done_on=None).order_by("due"):
            self.steps.setdefault(step.school_id, []).append(step)
        self.why = dict(
            Isolation.objects.filter(school__in=keys)
            .order_by("proposal_id")
            .values_list("school", "reason")
        )
        running = Deployment.objects.filter(
            receiving__in=keys, state=Deployment.State.RUNNING, starts__lte=by.on
        )
        self.exits = dict(running.values_list("receiving", "exit_on"))

    def entry(self, row: School) -> Entry:
        names = [name for name in REASONS if getattr(row, name)]
        names = names or [name for name in NEAR_REASONS if getattr(row, name)]
        return Entry(
            row,
            [self._reason(row, name) for name in names],
            self.partnership.get(row.pk),
            getattr(row, "last_on", None),
            getattr(row, "last_kind", None) or "",
            self.steps.get(row.pk, []),
        )

    def _reason(self, row: School, name: str) -> Reason:
        partnership = self.partnership.get(row.pk)
        if name == "no_partnership":
            return Reason(name, self._left(row.pk), why=self.why.get(row.pk, ""))
        ways: dict[str, Callable[[int], date | None]] = {
            "no_leader": self._leaderless_since,
            "no_contact": self._silent_from,
            "contact_due": self._silent_from,
            "leader_ends": self._leader_ends,
            "support_ends": self.exits.get,
        }
        since = ways[name](row.pk) if name in ways else None
        return Reason(name, since, partnership)

    def _left(self, school: int) -> date | None:
        """When the school left its last partnership; None where it never was in one."""
        left = [
            min(day for day in (row.ends, row.partnership.closed, self.by.on) if day)
            for row in self.memberships.get(school, [])
            if row.ends or row.partnership.closed
        ]
        return max(left, default=None)

    def _leaderless_since(self, school: int) -> date | None:
        partnership = self.partnership[school]
        joined = max(
            row.starts for row in self.memberships[school] if row.partnership_id == partnership.pk
        )
        ended = [
            each.ends
            for each in self.leaders.get(partnership.pk, [])
            if each.ends and each.starts <= each.ends <= self.by.on
        ]
        return max([joined, *ended])

    def _silent_from(self, school: int) -> date | None:
        last = max(
            [self.last[school] or NEVER] + [row.starts for row in self.memberships.get(school, [])]
        )
        return last + timedelta(days=self.by.contact_days) if last > NEVER else None

    def _leader_ends(self, school: int) -> date | None:
        """The first day on which nobody leads."""
        leaders = self.leaders.get(self.partnership[school].pk, [])
        ends = sorted(each.ends for each in leaders if each.ends and each.ends > self.by.on)
        for day in ends:
            if not any(each.starts <= day and (not each.ends or each.ends > day)
                       for each in leaders):  # fmt: skip
                return day
        return None


# Contacts and steps


def schools_to_record(acting: Appointment | None) -> QuerySet[School]:
    """Open schools where the appointment may write down contacts and steps."""
    if not may(acting, Capability.RECORD_CONTACT):
        return directory.schools_visible_to(None)
    return definition.schools_of(acting, None, directory.today())


def schools_with_open_contacts(acting: Appointment | None) -> QuerySet[School]:
    """Schools whose contacts and steps the appointment may read.

    Those who work against isolation there, the analyst, and the school's own head: the words
    people wrote about a school are not for its neighbours.
    """
    schools = directory.schools_visible_to(acting)
    if may(acting, Capability.RECORD_CONTACT) or may(acting, Capability.SEE_SYSTEM):
        return schools
    if acting is not None and acting.role == Role.HEAD:
        return schools.filter(pk=acting.school_id or 0)
    return schools.none()


def contacts_of(school: School) -> QuerySet[Contact]:
    """The newest first; the caller has checked that they may be read."""
    return Contact.objects.filter(school=school).select_related("partnership")


def contacts_to_take_back(acting: Appointment | None) -> QuerySet[Contact]:
    """What the appointment wrote down itself, days of support apart."""
    mine = Contact.objects.filter(school__in=schools_to_record(acting)).select_related("school")
    return mine.filter(by=acting.label[:300] if acting else "").exclude(kind=Contact.Kind.SUPPORT)


@dataclass(frozen=True)
class Meeting:
    """A meeting of a partnership: the day, how many of its schools were there, the note."""

    on: date
    schools: int
    note: str
    by: str


def meetings_of(partnership: Partnership) -> list[Meeting]:
    """The last meetings of a partnership, the newest first."""
    rows = (
        Contact.objects.filter(partnership=partnership, kind=Contact.Kind.MEETING)
        .order_by()
        .values("on", "note", "by")
        .annotate(n=Count("school", distinct=True))
        .order_by("-on", "by", "note")
    )
    return [Meeting(row["on"], row["n"], row["note"], row["by"]) for row in rows[:12]]


def at_meeting(partnership: Partnership, on: date) -> set[int]:
    """Keys of the schools whose presence at a meeting of that day is on record."""
    rows = Contact.objects.filter(partnership=partnership, kind=Contact.Kind.MEETING, on=on)
    return set(rows.values_list("school", flat=True))


def members_to_record(acting: Appointment | None, partnership: Partnership) -> list[School]:
    """The partnership's schools for which the appointment may write down a meeting, by name."""
    inside = directory.live_memberships().filter(partnership=partnership)
    found = schools_to_record(acting).filter(pk__in=inside.values("school"))
    return list(found.order_by("name", "code"))


def steps_of(school: School) -> list[IsolationStep]:
    """All steps: the open ones first, the soonest due first; then the done ones, newest first."""
    rows = list(IsolationStep.objects.filter(school=school))
    done = [row for row in rows if row.done_on]
    return [
        *sorted((row for row in rows if not row.done_on), key=lambda row: (row.due, row.pk)),
        *sorted(done, key=lambda row: (row.done_on or NEVER, row.pk), reverse=True),
    ]


def steps_open_to(acting: Appointment | None) -> QuerySet[IsolationStep]:
    """Steps that the appointment may mark as done."""
    return IsolationStep.objects.filter(school__in=schools_to_record(acting)).select_related(
        "school"
    )


def open_steps(keys: Iterable[int]) -> dict[int, IsolationStep]:
    """Steps that their owners still work on, by key, for the notices about them.

    Without those that are done, or whose owner's appointment there has ended since.
    """
    rows = IsolationStep.objects.filter(pk__in=list(keys), done_on=None, owner__isnull=False)
    steps = list(rows.select_related("school", "owner"))
    found: dict[int, IsolationStep] = {}
    for owner in {step.owner for step in steps if step.owner}:
        mine = [step for step in steps if step.owner == owner]
        schools = [step.school_id for step in mine]
        open_to: set[int] = set()
        for held in directory.live_appointments(owner):
            there = schools_to_record(held).filter(pk__in=schools)
            open_to.update(there.values_list("pk", flat=True))
        found |= {step.pk: step for step in mine if step.school_id in open_to}
    return found


def owners_for(school: School, acting: Appointment) -> list[Person]:
    """Who may take a step on: whoever acts, the leaders, the officers over it, the ministry."""
    people = [
        acting.person,
        *people_queries.leaders_of(directory.partnership_of(school)),
        *people_queries.officers_over(school),
        *people_queries.ministry(),
    ]
    return list({person.pk: person for person in people}.values())


# How the numbers go


def trend(area: Area | None, until: date | None = None) -> list[IsolationCount]:
    """The counts of past days of an area, or of the whole system; the caller sees to the area."""
    rows = IsolationCount.objects.filter(area=area, on__lte=until or directory.today())
    return list(rows.order_by("on"))


def earlier_count(area: Area | None, *, days: int = 28) -> IsolationCount | None:
    """The last count at least so many days ago."""
    before = directory.today() - timedelta(days=days)
    return IsolationCount.objects.filter(area=area, on__lte=before).order_by("-on").first()


def whole_of(acting: Appointment | None, area: Area | None) -> Area | None:
    """The area whose counts stand for what the appointment sees: its own, where none is named."""
    if area is not None or acting is None or may(acting, Capability.SEE_SYSTEM):
        return area
    return acting.area


@dataclass(frozen=True)
class NearPartnership:
    """A partnership with schools one step from isolation, and who leads it."""

    partnership: Partnership
    schools: list[tuple[int, str, str]]
    """Key, code and name of each."""
    leaders: list[Person]


def near_by_partnership(by: Rules) -> list[NearPartnership]:
    """Every partnership with schools one step from isolation and a leader to tell."""
    schools = directory.open_schools(by.on).filter(definition.near(by))
    keys = list(schools.values_list("pk", flat=True))
    found: dict[int, tuple[Partnership, list[tuple[int, str, str]]]] = {}
    for start in range(0, len(keys), CHUNK):
        chunk = keys[start : start + CHUNK]
        members = directory.live_memberships(by.on).filter(school__in=chunk)
        for row in members.select_related("partnership", "school").order_by("school__name"):
            _same, listed = found.setdefault(row.partnership_id, (row.partnership, []))
            listed.append((row.school_id, row.school.code, row.school.name))
    leaders: dict[int, list[Person]] = {}
    holding = record_queries.leader_appointments().filter(
        directory.live(by.on), partnership__in=list(found), person__is_active=True
    )
    for each in holding.select_related("person"):
        leaders.setdefault(each.partnership_id or 0, []).append(each.person)
    return [
        NearPartnership(partnership, listed, leaders[key])
        for key, (partnership, listed) in sorted(found.items())
        if key in leaders
    ]


def counts_of_system(by: Rules) -> dict[str, Counts]:
    """Path of an area -> counts right there, for the daily snapshot of everything."""
    return definition.counts_by_path(directory.open_schools(by.on), by)
