"""All reads of how much data is used: by tier and week, by area and month, never by person.

What is shown is withheld where it could speak of few: a count from 1 to 9, an area of fewer than
three schools; and with it another, so that neither can be had from the sum of all. Areas are shown
for whole calendar months alone: two lists of overlapping days would give away a single day.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Q, Sum

from brightspots_web.devolution.models import DataUse
from brightspots_web.directory import people_queries as people
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Area
from brightspots_web.insight.disclosure import FEWEST_SCHOOLS, SMALLEST_ACROSS
from brightspots_web.shared.permissions import Capability, Role, may

WEEKS = 12
FEWEST_PEOPLE = 5
"""A tier of fewer is not shown: what one or two look at is theirs."""
SCHOOL_ROLES = (Role.SYSTEM_LEADER, Role.HEAD, Role.TEACHER)
WHATS = (DataUse.What.LOOKED, DataUse.What.CONTRIBUTED)


@dataclass(frozen=True)
class TierWeek:
    """How often a tier looked or contributed in the week from a Monday; None withheld."""

    role: str
    what: str
    monday: date
    times: int | None


@dataclass(frozen=True)
class AreaMonth:
    """An area in a month: schools, and how often data was looked at and contributed."""

    area: Area
    schools: int
    looked: int | None
    contributed: int | None


def area_of_view(acting: Appointment | None) -> Area | None:
    """An officer looks at the own area; everybody else at the whole system."""
    return acting.area if acting is not None else None


def mondays(today: date | None = None) -> list[date]:
    """The Mondays of the last weeks that are over, the oldest first."""
    day = today or directory.today()
    this = day - timedelta(days=day.weekday())
    return [this - timedelta(weeks=n) for n in range(WEEKS, 0, -1)]


def tiers(acting: Appointment | None) -> list[TierWeek]:
    """Weeks of each tier, for everybody with an appointment; small counts and tiers withheld."""
    if acting is None:
        return []
    weeks = mondays()
    area = area_of_view(acting)
    if area is not None and _schools_in([area])[area.pk] < FEWEST_SCHOOLS:
        return []
    rows = DataUse.objects.filter(on__gte=weeks[0], on__lt=weeks[-1] + timedelta(weeks=1))
    if area is not None:
        rows = rows.filter(area__path__startswith=area.path)
    sums: dict[tuple[str, str, date], int] = {}
    for on, role, what, times in (
        rows.order_by().values_list("on", "role", "what").annotate(n=Sum("times"))
    ):
        key = (role, what, on - timedelta(days=on.weekday()))
        sums[key] = sums.get(key, 0) + times
    many = _roles_of_many(area)
    return [
        TierWeek(
            role, what, monday, _shown(sums.get((role, what, monday), 0)) if role in many else None
        )
        for role in Role.values
        for what in WHATS
        for monday in weeks
    ]


def _roles_of_many(area: Area | None) -> set[str]:
    """Roles that so many hold that a count of theirs is nobody's own; at several schools."""
    return {
        role
        for role, held in people.roles_held(area).items()
        if held.people >= FEWEST_PEOPLE
        and (role not in SCHOOL_ROLES or held.schools >= FEWEST_SCHOOLS)
    }


def _shown(times: int) -> int | None:
    return times if times == 0 or times >= SMALLEST_ACROSS else None


def months() -> list[date]:
    """The whole months there are counts of, the newest first; at most a year of them."""
    first = DataUse.objects.order_by("on").values_list("on", flat=True).first()
    this = directory.today().replace(day=1)
    found: list[date] = []
    month = _before(this)
    while first is not None and month >= first.replace(day=1) and len(found) < 12:
        # The month in which counting began is whole only where it began on its first day.
        if month >= first:
            found.append(month)
        month = _before(month)
    return found


def _before(month: date) -> date:
    return (month - timedelta(days=1)).replace(day=1)


def may_see_areas(acting: Appointment | None) -> bool:
    return may(acting, Capability.SEE_AREA)


def areas(acting: Appointment | None, month: date) -> list[AreaMonth]:
    """The areas one step down, by name, in a whole month; what could speak of few is withheld.

    Only one step: what is withheld in one list could be had from a list of its parts.
    """
    if not may_see_areas(acting):
        return []
    inner = sorted(
        directory.inner_areas(acting, area_of_view(acting)), key=lambda a: (a.name, a.pk)
    )
    schools = _schools_in(inner)
    used = {what: _used(inner, what, month) for what in WHATS}
    shown = {what: withheld(inner, schools, used[what]) for what in WHATS}
    return [
        AreaMonth(
            area,
            schools[area.pk],
            shown[DataUse.What.LOOKED].get(area.pk),
            shown[DataUse.What.CONTRIBUTED].get(area.pk),
        )
        for area in inner
    ]


def _schools_in(inner: Iterable[Area]) -> dict[int, int]:
    return {
        area.pk: directory.open_schools().filter(directory.within(area)).count() for area in inner
    }


def _used(inner: Iterable[Area], what: str, month: date) -> dict[int, int]:
    """How often people of schools did it; officers are few and are not in it."""
    end = (month + timedelta(days=32)).replace(day=1)
    rows = DataUse.objects.filter(
        Q(on__gte=month, on__lt=end, what=what, role__in=SCHOOL_ROLES)
    ).order_by()  # fmt: skip
    by_path = list(rows.exclude(area=None).values_list("area__path").annotate(n=Sum("times")))
    return {
        area.pk: sum(n for path, n in by_path if str(path).startswith(area.path)) for area in inner
    }


def withheld(
    inner: Sequence[Area], schools: Mapping[int, int], used: Mapping[int, int]
) -> dict[int, int]:
    """The counts that may be shown, by area's key.

    Where some are withheld the sum of all may be known, so what is withheld has to be of at least
    two areas and come to twice the smallest count shown at least: then each small one can still be
    any. Which further ones go follows the name, never the size. Where that does not help, none
    is shown.
    """
    gone = [
        area
        for area in inner
        if schools[area.pk] < FEWEST_SCHOOLS or 0 < used[area.pk] < SMALLEST_ACROSS
    ]
    others = [area for area in inner if area not in gone]
    while gone and others and not _enough(gone, used):
        gone.append(others.pop(0))
    if gone and not _enough(gone, used):
        return {}
    return {area.pk: used[area.pk] for area in others}


def _enough(gone: Sequence[Area], used: Mapping[int, int]) -> bool:
    return len(gone) > 1 and sum(used[area.pk] for area in gone) >= 2 * SMALLEST_ACROSS
