"""All reads of working time: each person's own; of the middle tier only what a group adds up to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from math import sqrt
from statistics import fmean, stdev

from django.db.models import QuerySet, Sum

from brightspots_web.connectedness import support_given_queries as support
from brightspots_web.directory import colleague_queries as colleagues
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, School
from brightspots_web.leaders.models import TimeSpent
from brightspots_web.shared.permissions import Capability, Role, may

On = TimeSpent.On
WEEKS = 10
FEWEST_PEOPLE = 5
"""Fewest people, the reader not among them, behind a balance of several."""


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


# One's own


def time_visible_to(acting: Appointment | None) -> QuerySet[TimeSpent]:
    """The acting person's own hours; nobody sees anybody else's."""
    if acting is None or not may(acting, Capability.RECORD_TIME):
        return TimeSpent.objects.none()
    return TimeSpent.objects.filter(person=acting.person_id).select_related("school")


def week_of(acting: Appointment, monday: date) -> list[TimeSpent]:
    """What a person wrote of a week: the whole first, then school by school."""
    rows = time_visible_to(acting).filter(week=monday)
    order = list(On.values)
    return sorted(
        rows, key=lambda row: (row.school.name if row.school else "", order.index(row.on))
    )  # fmt: skip


def schools_for(acting: Appointment) -> list[School]:
    """Schools for which hours can be told apart: those led, supported, or written of before."""
    found: dict[int, School] = {}
    if acting.partnership is not None:
        for member in directory.memberships_of(acting.partnership):
            found[member.school_id] = member.school
    for school in support.schools_supported(acting.person_id):
        found.setdefault(school.pk, school)
    for row in time_visible_to(acting).exclude(school=None).order_by("-week")[:50]:
        if row.school is not None:
            found.setdefault(row.school.pk, row.school)
    return sorted(found.values(), key=lambda school: (school.name, school.code))


@dataclass(frozen=True)
class Week:
    """Hours of one week, by what they were for."""

    monday: date
    hours: dict[str, Decimal]

    @property
    def total(self) -> Decimal:
        return sum(self.hours.values(), Decimal(0))


def weeks_of(acting: Appointment, last: date, number: int = WEEKS) -> list[Week]:
    """The weeks up to the one that begins on a Monday, the newest first; unwritten ones too."""
    mondays = [last - timedelta(weeks=i) for i in range(number)]
    rows = time_visible_to(acting).filter(week__gte=mondays[-1], week__lte=last)
    sums: dict[date, dict[str, Decimal]] = {}
    for week, on, hours in rows.order_by().values_list("week", "on").annotate(Sum("hours")):
        sums.setdefault(week, {})[on] = hours
    return [Week(monday, sums.get(monday, {})) for monday in mondays]


# The middle tier


@dataclass(frozen=True)
class Balance:
    """How much of their time people gave to one of the four, on average, and how they differ."""

    on: str
    share: float
    lower: float
    upper: float
    """Where the average of such people likely lies."""
    spread: float
    """Standard deviation between people."""


@dataclass(frozen=True)
class TierBalance:
    """The middle tier's balance; no parts where too few people stand behind it."""

    parts: Sequence[Balance]
    n: int | None
    """People behind it; None below the least there must be."""
    first: date
    last: date
    """The first and the last day of the weeks."""


def tier_balance(acting: Appointment | None, today: date | None = None) -> TierBalance:
    """The balance of those who lead and of officers within what somebody looks after.

    Of the ten weeks that were over at the last Sunday. Whoever asks is left out, so that nobody
    can subtract the own hours and be left with fewer than five.
    """
    last = monday_of(today or directory.today()) - timedelta(weeks=1)
    first = last - timedelta(weeks=WEEKS - 1)
    sunday = last + timedelta(days=6)
    nothing = TierBalance((), None, first, sunday)
    if acting is None or not may(acting, Capability.FIND_LEADERS):
        return nothing
    held = colleagues.holders([Role.SYSTEM_LEADER, Role.DISTRICT_OFFICER], acting)
    people = set(held.values_list("person", flat=True)) - {acting.person_id}
    rows = TimeSpent.objects.filter(person__in=people, week__gte=first, week__lte=last)
    found: dict[int, dict[str, float]] = {}
    sums = rows.order_by().values_list("person", "on").annotate(Sum("hours"))
    for person, on, hours in sums:
        found.setdefault(person, {})[on] = float(hours)
    shares = [
        {on: mine.get(on, 0.0) / sum(mine.values()) for on in On.values}
        for mine in found.values()
        if sum(mine.values()) > 0
    ]
    if len(shares) < FEWEST_PEOPLE:
        return nothing
    parts = [_balance(on, [each[on] for each in shares]) for on in On.values]
    return TierBalance(parts, len(shares), first, sunday)


def _balance(on: str, shares: Iterable[float]) -> Balance:
    values = list(shares)
    mean, spread = fmean(values), stdev(values)
    half = _t(len(values) - 1) * spread / sqrt(len(values))
    return Balance(on, mean, max(mean - half, 0.0), min(mean + half, 1.0), spread)


def _t(df: int) -> float:
    """The 97.5 % point of Student's t, by Cornish and Fisher's expansion.

    From four degrees of freedom on within 0.3 % of the exact value.
    """
    z = 1.959964
    return float(
        z
        + (z**3 + z) / (4 * df)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * df**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * df**3)
    )
