"""All reads of priorities at work: measures, published figures to begin from, local senses.

A local sense is its partnership's: its members read it, the district and the ministry only where
the partnership lets them. That somebody wrote one is counted; its words are in no count.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from brightspots_web.alignment.models import LocalSense, Priority, PriorityIndicator
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Area, Partnership
from brightspots_web.insight import area_need_queries as needs
from brightspots_web.insight import disclosure
from brightspots_web.insight import queries as insight
from brightspots_web.insight.models import Run
from brightspots_web.shared.permissions import Capability, Role, may

MEMBERS = frozenset({Role.SYSTEM_LEADER, Role.HEAD, Role.TEACHER})
"""Who sees a partnership because they belong to it."""
READ_SHARED = frozenset({Role.MINISTER, Role.DISTRICT_OFFICER})
"""Who reads what a partnership shares with the district and the ministry."""
Figure = PriorityIndicator.Figure


def priorities_visible_to(acting: Appointment | None) -> QuerySet[Priority]:
    """Every priority, live or earlier, for everybody with an appointment."""
    found = Priority.objects.select_related("proposal__agreement__cycle")
    return found if acting is not None else found.none()


def is_live(priority: Priority) -> bool:
    today = directory.today()
    return priority.starts <= today and (priority.ends is None or priority.ends > today)


def may_change(acting: Appointment | None, priority: Priority) -> bool:
    """The ministry, as long as the priority is live: what was is kept as it was."""
    return may(acting, Capability.SET_PRIORITIES) and is_live(priority)


def measures_of(priority: Priority) -> list[PriorityIndicator]:
    """By what a priority is measured, by name of the indicator."""
    return list(PriorityIndicator.objects.filter(priority=priority).select_related("indicator"))


def measure_of(priority: Priority, pk: int) -> PriorityIndicator | None:
    found = PriorityIndicator.objects.select_related("indicator", "priority")
    return found.filter(priority=priority, pk=pk).first()


def measured_by(indicators: Iterable[int]) -> dict[int, list[Priority]]:
    """Indicator's key -> the live priorities measured by it, for the directory of indicators."""
    found: dict[int, list[Priority]] = {}
    live = Priority.objects.filter(directory.live())
    rows = PriorityIndicator.objects.filter(priority__in=live, indicator__in=list(indicators))
    for row in rows.select_related("priority").order_by("priority__starts", "priority"):
        found.setdefault(row.indicator_id, []).append(row.priority)
    return found


# Published figures a baseline can be taken from


@dataclass(frozen=True)
class Published:
    """A figure of the whole system as an analysis published it."""

    figure: str
    value: float
    lower: float | None
    upper: float | None
    n: int
    n_of: str
    """`pupils` or `schools`."""
    as_of: date
    run: Run
    digits: int
    year: int | None = None


def published_figures(subject: str, run: Run | None = None) -> list[Published]:
    """What the newest published analysis says of an outcome in the whole system."""
    run = run or insight.current_run()
    scale = insight.scales(run).get(subject)
    if run is None or scale is None or run.published_at is None:
        return []
    on = timezone.localtime(run.published_at).date()
    found: list[Published] = []
    mean = needs.newest_mean(subject, run)
    if mean is not None:
        found.append(
            Published(Figure.MEAN, mean.value, None, None, mean.pupils, "pupils", on, run,
                      scale.digits, mean.year)
        )  # fmt: skip
    spread = [row for row in insight.variability(subject, run) if row.tier == "school"]
    whole = next((row for row in spread if row.year is None), spread[-1] if spread else None)
    if whole is not None and whole.units >= disclosure.FEWEST_SCHOOLS:
        found.append(
            Published(Figure.SPREAD, whole.sd, whole.sd_lower, whole.sd_upper, whole.units,
                      "schools", on, run, scale.digits, whole.year)
        )  # fmt: skip
    need = needs.needs_within(None, [subject], run).get(subject)
    if need is not None and need.in_need and need.touched:
        for figure, count in ((Figure.IN_NEED, need.in_need), (Figure.TOUCHED, need.touched)):
            found.append(
                Published(figure, count.value, count.lower, count.upper, need.schools, "schools",
                          on, run, 0)
            )  # fmt: skip
    return found


# Local senses


def may_write_sense(acting: Appointment | None, partnership: Partnership) -> bool:
    """The partnership's leader and the heads of its schools."""
    return (
        may(acting, Capability.WRITE_LOCAL_SENSE)
        and directory.partnerships_visible_to(acting).filter(pk=partnership.pk).exists()
    )


def senses_visible_to(acting: Appointment | None) -> QuerySet[LocalSense]:
    """Local senses this appointment may read."""
    found = LocalSense.objects.select_related("partnership__lead_school__area", "priority")
    if acting is None or acting.role not in MEMBERS | READ_SHARED:
        return found.none()
    found = found.filter(partnership__in=directory.partnerships_visible_to(acting).values("pk"))
    return found if acting.role in MEMBERS else found.filter(shared=True)


def search_senses(
    acting: Appointment | None, priority: Priority, area: Area | None = None
) -> QuerySet[LocalSense]:
    """Those of a priority that may be read, of partnerships with a school in the area."""
    found = senses_visible_to(acting).filter(priority=priority)
    if area is not None:
        found = found.filter(partnership__in=_partnerships_in(area).values("pk"))
    return found.order_by("partnership__name", "pk")


def sense_of(priority: Priority, partnership: Partnership) -> LocalSense | None:
    """What a priority means in a partnership. The caller has checked who asks."""
    return LocalSense.objects.filter(priority=priority, partnership=partnership).first()


def senses_in(
    acting: Appointment | None, partnership: Partnership, priorities: Sequence[Priority]
) -> dict[int, LocalSense]:
    """Priority's key -> what it means in a partnership, as far as this appointment may read it."""
    found = senses_visible_to(acting).filter(partnership=partnership, priority__in=priorities)
    return {each.priority_id: each for each in found}


@dataclass(frozen=True)
class Said:
    """How many partnerships have written what a priority means to them."""

    n: int
    of: int


def said(priorities: Sequence[Priority], area: Area | None = None) -> dict[int, Said]:
    """Priority's key -> how many partnerships have a local sense; {} where they are too few."""
    live = directory.live_partnerships() if area is None else _partnerships_in(area)
    of = live.count()
    if of < disclosure.FEWEST_SCHOOLS:
        return {}
    here = Q(priority__in=[each.pk for each in priorities], partnership__in=live.values("pk"))
    rows = LocalSense.objects.filter(here).order_by().values_list("priority")
    counts = dict(rows.annotate(n=Count("pk")))
    return {each.pk: Said(counts.get(each.pk, 0), of) for each in priorities}


def _partnerships_in(area: Area) -> QuerySet[Partnership]:
    inside = directory.live_memberships().filter(school__area__path__startswith=area.path)
    return directory.live_partnerships().filter(pk__in=inside.values("partnership"))
