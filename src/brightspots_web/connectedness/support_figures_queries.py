"""How brokering goes: how long schools wait, where requests wait, who gives and who receives.

A request says much about a school, so small counts are not given: an area that holds schools has
its count withheld where it is one or two, and every sum over areas is made from what is shown.
Whoever takes sums from each other, at any level of the tree, is left with "1 or 2". A median needs
three matches.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

from django.db.models import Count, Q, QuerySet

from brightspots_web.connectedness.models import Deployment, SupportMatch, SupportRequest
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Area, School
from brightspots_web.shared.permissions import Capability, may

FEWEST = 3
"""Fewer requests, matches or schools than this are not counted out."""
YEAR = timedelta(days=365)
COLUMNS = ("waiting", "asked", "designated", "received", "given")


@dataclass(frozen=True)
class Bounds:
    """A count as it may be shown: exact where both bounds are the same."""

    low: int
    high: int

    @property
    def exact(self) -> bool:
        return self.low == self.high


@dataclass(frozen=True)
class Waited:
    """Days from asking (or agreeing to what was proposed) until both schools accepted."""

    n: Bounds
    median: float | None
    """None where fewer than three matches stand behind it."""


@dataclass(frozen=True)
class Row:
    """One area with all below it."""

    area: Area
    counts: Mapping[str, Bounds]


@dataclass(frozen=True)
class Figures:
    """The figures of the last 365 days; what waits is as of now."""

    waited: Waited
    counts: Mapping[str, Bounds]
    rows: list[Row]
    since: date


def figures(acting: Appointment | None, area: Area | None = None) -> Figures:
    """The figures of an area, or of all that somebody sees, and of the areas one step down."""
    since = directory.today() - YEAR
    schools = _schools(acting, area)
    by_path = _counted(schools, since)
    return Figures(
        waited=_waited(schools, since),
        counts={name: summed(by_path[name]) for name in COLUMNS},
        rows=[
            Row(each, {name: summed(by_path[name], each.path) for name in COLUMNS})
            for each in directory.inner_areas(acting, area)
        ],
        since=since,
    )


def summed(counts: Mapping[str, int], path: str = "") -> Bounds:
    """The sum over areas that hold schools, small ones withheld before they are added."""
    inside = [n for each, n in counts.items() if n and each.startswith(path)]
    return Bounds(
        sum(n if n >= FEWEST else 1 for n in inside),
        sum(n if n >= FEWEST else FEWEST - 1 for n in inside),
    )


def _schools(acting: Appointment | None, area: Area | None) -> QuerySet[School]:
    schools = directory.schools_visible_to(acting)
    if not may(acting, Capability.SEE_AREA):
        return schools.none()
    return schools.filter(directory.within(area)) if area is not None else schools


def _counted(schools: QuerySet[School], since: date) -> dict[str, Counter[str]]:
    """Column -> path of an area that holds schools -> count."""
    found: dict[str, Counter[str]] = {name: Counter() for name in COLUMNS}
    requests = SupportRequest.objects.filter(
        Q(asked_at__date__gte=since) | Q(state=SupportRequest.State.READY), school__in=schools
    )
    rows = requests.order_by().values_list("school__area__path", "origin", "state")
    for path, origin, state, n in rows.annotate(n=Count("pk")):
        own = origin == SupportRequest.Origin.SCHOOL
        found["asked" if own else "designated"][path] += n
        if state == SupportRequest.State.READY:
            found["waiting"][path] += n
    for name, side in (("received", "receiving"), ("given", "giving")):
        found[name] = _supported(side, schools, since)
    return found


def _supported(side: str, schools: QuerySet[School], since: date) -> Counter[str]:
    """Schools, counted once, on one side of support that ran at some time since a day."""
    recent = Q(state=Deployment.State.RUNNING) | Q(ended_on__gte=since)
    here = Deployment.objects.filter(recent, **{f"{side}__in": schools}).order_by()
    rows = here.values_list(f"{side}__area__path").annotate(n=Count(side, distinct=True))
    return Counter(dict(rows))


def _waited(schools: QuerySet[School], since: date) -> Waited:
    """How long schools waited for matches that both sides accepted since a day."""
    matches = SupportMatch.objects.filter(
        asker_accepted_at__date__gte=since,
        giver_accepted_at__date__gte=since,
        request__school__in=schools,
        request__agreed_at__isnull=False,
    )
    days, paths = [], Counter[str]()
    whose, when = "request__school__area__path", ("asker_accepted_at", "giver_accepted_at")
    for agreed, asker, giver, path in matches.values_list("request__agreed_at", *when, whose):
        assert agreed is not None
        assert asker is not None
        assert giver is not None
        days.append((max(asker, giver) - agreed).total_seconds() / 86400)
        paths[path] += 1
    return Waited(summed(paths), median(days) if len(days) >= FEWEST else None)
