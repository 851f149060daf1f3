"""Who helps whom: support given and received, practices taken up from one school by another."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from brightspots_web.connectedness.models import Deployment, Practice, PracticeAdoption
from brightspots_web.directory import queries as directory
from brightspots_web.directory import record_queries
from brightspots_web.directory.models import Appointment, Area, School

SUPPORT, PRACTICE = "support", "practice"


@dataclass(frozen=True)
class Span:
    """A time that help is looked at in: from a day up to, not including, another."""

    key: str
    label: str
    starts: date
    ends: date


@dataclass(frozen=True)
class Search:
    """What the picture is narrowed to."""

    area: Area | None = None
    priority: int | None = None
    span: Span | None = None
    kind: str = ""


@dataclass(frozen=True)
class Help:
    """Help from one school to another."""

    giving: School
    receiving: School
    kind: str
    what: str
    """The priority of support; the title of a practice."""
    starts: date
    ends: date | None


def help_between(acting: Appointment | None, search: Search) -> list[Help]:
    """All help of which the appointment may see a side, by the names of who gives and receives.

    Support counts in a time when it was under way on one of its days; a practice, when it was
    taken up or in use then. It is told apart from whom a school took a practice up: the school
    where it comes from, or one that had taken it up itself.
    """
    found: list[Help] = []
    if search.kind in {"", SUPPORT}:
        found += _support(acting, search)
    if search.kind in {"", PRACTICE}:
        found += _practices(acting, search)
    return sorted(
        found,
        key=lambda each: (
            each.giving.name, each.giving.code, each.receiving.name, each.receiving.code,
            each.kind, each.starts, each.what,
        ),
    )  # fmt: skip


def _support(acting: Appointment | None, search: Search) -> list[Help]:
    rows = Deployment.objects.filter(_sides(acting, search, "giving", "receiving"))
    if search.priority:
        rows = rows.filter(priority=search.priority)
    if search.span:
        over = Q(ended_on__isnull=True, exit_on__gte=search.span.starts)
        over |= Q(ended_on__gte=search.span.starts)
        rows = rows.filter(over, starts__lt=search.span.ends)
    rows = rows.select_related("giving__area", "receiving__area", "priority")
    return [
        Help(
            row.giving, row.receiving, SUPPORT, row.priority.title, row.starts,
            row.ended_on or row.exit_on,
        )
        for row in rows
    ]  # fmt: skip


def support_received(
    acting: Appointment | None, span: Span, within: Q
) -> Iterator[tuple[int, str, date | None]]:
    """School, path of its area, last day so far: support under way on a day of a time.

    Of schools that are still open and may be seen. Three values a row, as there may be many.

    Parameters
    ----------
    within
        Which schools, as seen from a row: a condition on ``receiving__…``.
    """
    visible = directory.schools_visible_to(acting).order_by().values("pk")
    over = Q(ended_on__isnull=True, exit_on__gte=span.starts) | Q(ended_on__gte=span.starts)
    rows = Deployment.objects.filter(
        over, within, directory.unclosed(prefix="receiving__"), receiving__in=visible,
        starts__lt=span.ends,
    )  # fmt: skip
    last = Coalesce("ended_on", "exit_on")
    yield from rows.order_by().values_list("receiving", "receiving__area__path", last).iterator()


def _practices(acting: Appointment | None, search: Search) -> list[Help]:
    first = _sides(acting, search, "practice__school", "school") & Q(source__isnull=True)
    passed_on = _sides(acting, search, "source__school", "school") & Q(source__isnull=False)
    rows = PracticeAdoption.objects.filter(first | passed_on).exclude(
        practice__state=Practice.State.DRAFT
    )
    if search.priority:
        rows = rows.filter(practice__priority=search.priority)
    if search.span:
        stopped = Q(stopped_on__isnull=True) | Q(stopped_on__gt=search.span.starts)
        rows = rows.filter(stopped, on__lt=search.span.ends)
    rows = rows.select_related(
        "practice__school__area", "school__area", "source__school__area", "practice"
    )
    found = []
    for row in rows:
        giving = row.source.school if row.source else row.practice.school
        if giving.pk != row.school_id:
            found.append(
                Help(giving, row.school, PRACTICE, row.practice.title, row.on, row.stopped_on)
            )
    return found


def _sides(acting: Appointment | None, search: Search, giving: str, receiving: str) -> Q:
    """Rows of which a side may be seen and lies in the area asked for."""
    schools = directory.schools_visible_to(acting)
    if search.area is not None:
        schools = schools.filter(directory.within(search.area))
    keys = schools.order_by().values("pk")
    return Q(**{f"{giving}__in": keys}) | Q(**{f"{receiving}__in": keys})


def seen_among(acting: Appointment | None, schools: Iterable[int]) -> set[int]:
    """Keys of those schools whose pages the appointment may open."""
    visible = directory.schools_visible_to(acting).filter(pk__in=set(schools))
    return set(visible.values_list("pk", flat=True))


def spans() -> list[Span]:
    """The cycles of the system, the newest first; where there are none, the years with help."""
    cycles = [Span(f"c{c.pk}", c.name, c.starts, c.ends) for c in record_queries.cycles()]
    if cycles:
        return cycles
    firsts = [
        _first(Deployment.objects.order_by("starts"), "starts"),
        _first(PracticeAdoption.objects.order_by("on"), "on"),
    ]
    days = [day for day in firsts if day]
    if not days:
        return []
    years = range(directory.today().year, min(days).year - 1, -1)
    return [Span(f"y{y}", str(y), date(y, 1, 1), date(y + 1, 1, 1)) for y in years]


def _first(rows: QuerySet[Deployment] | QuerySet[PracticeAdoption], field: str) -> date | None:
    day = rows.values_list(field, flat=True).first()
    return day if isinstance(day, date) else None
