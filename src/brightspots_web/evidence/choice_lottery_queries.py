"""All reads of lotteries: who sees which, whose name stands on a list, who could be on one.

That there is a lottery, how it is drawn and what came of it by number is for everybody with an
appointment. Which school has which number says in which band it is, so that names are for those
who look after the school, and to a school itself.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.alignment import queries as alignment
from brightspots_web.alignment.models import Priority
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, School
from brightspots_web.evidence.choice_draw import Entry
from brightspots_web.evidence.models import Choice, Lottery, LotteryEntry
from brightspots_web.insight import disclosure
from brightspots_web.insight import queries as insight
from brightspots_web.insight.models import Estimate, Run
from brightspots_web.shared import queries as shared
from brightspots_web.shared.models import AuditEntry
from brightspots_web.shared.permissions import Capability, may

State = Lottery.State
BEFORE = (State.PREPARED, State.DECLINED, State.AGREED)
"""What it is about may still be changed."""
SMALLEST_STRATUM = 3
"""Areas with fewer schools on the list are drawn together: of one or two, a share says who."""


def hour_of(lottery: Lottery) -> datetime:
    """Noon of its day: from then on it may be drawn, with what was on record before then."""
    return timezone.make_aware(datetime.combine(lottery.draws_on, time(12)))


def beacon_at(moment: datetime) -> AuditEntry | None:
    """The last link of the audit trail before a moment."""
    return shared.audit_entries().filter(at__lt=moment).order_by("-pk").first()


def prepares(by: Appointment | None) -> bool:
    return may(by, Capability.EVALUATE)


def answers(by: Appointment | None) -> bool:
    return may(by, Capability.SET_EVIDENCE)


def visible_to(by: Appointment | None) -> QuerySet[Lottery]:
    """Lotteries in preparation for those who prepare them; once the list is closed, for all."""
    found = Lottery.objects.select_related("priority", "area", "follows")
    if by is None:
        return found.none()
    if prepares(by) or answers(by):
        return found
    return found.filter(opened_at__isnull=False)


def search(by: Appointment | None, state: str = "") -> QuerySet[Lottery]:
    found = visible_to(by)
    return found.filter(state=state) if state else found


def entries_of(lottery: Lottery) -> list[LotteryEntry]:
    """Every line, in the order of the draw. Not for a page: see :func:`entries_seen_by`."""
    return list(lottery.entries.select_related("school__area"))


def as_drawn(lines: Iterable[LotteryEntry]) -> list[Entry]:
    """The lines as the draw knows them: by number."""
    return [Entry(e.label, e.stratum, e.waited, e.out, e.gone) for e in lines]


def sees_names(by: Appointment | None) -> bool:
    """Whether somebody may read which number is which school, of all of them."""
    return may(by, Capability.EVALUATE)


def entries_seen_by(by: Appointment | None, lottery: Lottery) -> QuerySet[LotteryEntry]:
    """Lines with names that this appointment may read."""
    found = LotteryEntry.objects.filter(lottery=lottery).select_related("school__area")
    if by is None:
        return found.none()
    if sees_names(by):
        return found
    if may(by, Capability.SEE_AREA):
        seen = directory.schools_visible_to(by).order_by().values("pk")
        return found.filter(school__in=seen)
    if may(by, Capability.ASK_SUPPORT):
        return found.filter(directory.line_of(by.school_id, "school"))
    return found.none()


def line_seen_by(by: Appointment | None, pk: int) -> LotteryEntry | None:
    found = LotteryEntry.objects.select_related("lottery").filter(pk=pk).first()
    if found is None or not visible_to(by).filter(pk=found.lottery_id).exists():
        return None
    return entries_seen_by(by, found.lottery).filter(pk=pk).select_related("lottery").first()


def may_let_go(by: Appointment | None, line: LotteryEntry) -> bool:
    """Who draws lotteries, and the school itself."""
    if prepares(by):
        return True
    own = by is not None and by.school_id is not None and by.school_id == line.school_id
    return own and may(by, Capability.ASK_SUPPORT)


@dataclass(frozen=True)
class Counted:
    """How a lottery stands, in numbers that name nobody."""

    schools: int
    places: int
    """Places that a school has."""
    waiting: int
    """Schools that come first next time."""
    passed: int
    """Schools that had closed, or let their place go."""
    strata: tuple[tuple[str, int, int], ...]
    """Area, schools, places."""


def counted(lottery: Lottery) -> Counted:
    rows = (
        lottery.entries.order_by()
        .values_list("stratum")
        .annotate(
            size=Count("pk"),
            held=Count("pk", filter=Q(place=True)),
            passed=Count("pk", filter=Q(out=True) | Q(gone=True)),
        )
    )
    strata = sorted(rows)
    schools, places, passed = (sum(row[at] for row in strata) for at in (1, 2, 3))
    by_area = tuple((name, size, held) for name, size, held, _passed in strata)
    return Counted(schools, places, schools - places - passed, passed, by_area)


# Who could be on the list


@dataclass(frozen=True)
class Eligible:
    """A school for the list, with what was published of it."""

    school: School
    stratum: str
    waited: bool
    row: Estimate | None


@dataclass(frozen=True)
class Pool:
    """The schools that a lottery would be among, today."""

    found: tuple[Eligible, ...]
    run: Run | None
    points: float = 1.0
    """Points a standard deviation of pupils."""
    too_few: int = 0
    helped: int = 0
    problem: str = ""


@dataclass(frozen=True)
class Listed:
    """The same as questions to the database, so that the page of a system of any size counts."""

    run: Run
    points: float
    rows: QuerySet[Estimate]
    """Figures of the schools in the band, and of those that waited."""
    without: QuerySet[School]
    """Schools that waited and have no figure that may be shown."""
    waited: QuerySet[School]
    too_few: int
    helped: int


@dataclass(frozen=True)
class PoolCounts:
    """How many schools a lottery would be among, today."""

    schools: int = 0
    waited: int = 0
    strata: Mapping[str, int] = field(default_factory=dict)
    problem: str = ""


def pool(lottery: Lottery, by: Appointment | None) -> Pool:
    """Schools in the band, open, and without this help; those that waited before, in any case.

    `by` sees the whole system: nobody else prepares lotteries.
    """
    listed = _listed(lottery)
    if listed is None:
        return Pool((), insight.current_run(), problem=_no_figures())
    found = {row.school_id: row for row in listed.rows.select_related("school__area")}
    schools = [row.school for row in found.values()]
    schools += listed.without.select_related("area")
    schools.sort(key=lambda each: each.code)
    waited = set(listed.waited.values_list("pk", flat=True))
    names = {each.pk: each.area.path for each in schools}
    strata = _strata(lottery, Counter(names.values()), by)
    return Pool(
        tuple(
            Eligible(each, strata[names[each.pk]], each.pk in waited, found.get(each.pk))
            for each in schools
        ),
        listed.run,
        listed.points,
        too_few=listed.too_few,
        helped=listed.helped,
    )


def pool_counts(lottery: Lottery, by: Appointment | None) -> PoolCounts:
    """The same in numbers, for a page: no school is read."""
    listed = _listed(lottery)
    if listed is None:
        return PoolCounts(problem=_no_figures())
    sizes = _by_area(listed.rows, "school__area__path") + _by_area(listed.without, "area__path")
    strata: Counter[str] = Counter()
    for path, name in _strata(lottery, sizes, by).items():
        strata[name] += sizes[path]
    waited = listed.waited.count()
    return PoolCounts(sum(sizes.values()), waited, dict(sorted(strata.items())))


def _by_area(found: QuerySet[Any], path: str) -> Counter[str]:
    return Counter(dict(found.order_by().values_list(path).annotate(size=Count("pk"))))


def _no_figures() -> str:
    return _("There are no published figures of the priority’s outcome yet.")


def _listed(lottery: Lottery) -> Listed | None:
    """None where there are no published figures."""
    run = insight.current_run()
    scale = insight.scales(run).get(lottery.priority.subject)
    if run is None or scale is None:
        return None
    within = directory.open_schools().order_by()
    if lottery.area is not None:
        within = within.filter(directory.within(lottery.area))
    helped = within.filter(pk__in=_helped(lottery).values("pk"))
    shown = run.estimates.filter(
        disclosure.shown_across(), subject=scale.subject, year=None, school__in=within.values("pk")
    )
    waited = within.filter(pk__in=_waiting(lottery.follows)).exclude(pk__in=helped.values("pk"))
    rows = shown.filter(
        _in_band(lottery, scale.pupil_sd) | Q(school__in=waited.values("pk"))
    ).exclude(school__in=helped.values("pk"))
    return Listed(
        run,
        scale.pupil_sd,
        rows,
        waited.exclude(pk__in=rows.order_by().values("school")),
        waited,
        too_few=within.count() - shown.count(),
        helped=helped.count(),
    )


def _in_band(lottery: Lottery, points: float) -> Q:
    """From the lower limit up to, not including, the upper; the need at least as likely."""
    band = Q()
    if lottery.lower is not None:
        band &= Q(estimate__gte=lottery.lower / points)
    if lottery.upper is not None:
        band &= Q(estimate__lt=lottery.upper / points)
    if lottery.need_at_least is not None:
        band &= Q(need_probability__gte=lottery.need_at_least / 100)
    return band or Q(pk__isnull=False)


def _helped(lottery: Lottery) -> QuerySet[School]:
    """Schools that have this help now, for this priority."""
    schools = directory.all_schools().order_by()
    if lottery.kind == Lottery.What.DEPLOYMENT:
        return schools.filter(
            support_received__state="running", support_received__priority=lottery.priority_id
        )
    if lottery.kind == Lottery.What.ADOPTION:
        return schools.filter(
            adoptions__stopped_on=None, adoptions__practice__priority=lottery.priority_id
        )
    return schools.filter(pk__in=directory.live_memberships().order_by().values("school"))


def _waiting(earlier: Lottery | None) -> QuerySet[LotteryEntry, Any]:
    """Schools that were drawn no place in an earlier lottery, nor have been helped since."""
    found = LotteryEntry.objects.order_by().values("school")
    if earlier is None or earlier.state != State.DRAWN:
        return found.none()
    return found.filter(
        lottery=earlier, place=False, out=False, gone=False, school__isnull=False,
        choices__isnull=True,
    )  # fmt: skip


def _strata(lottery: Lottery, sizes: Mapping[str, int], by: Appointment | None) -> dict[str, str]:
    """Path of an area -> what it is drawn in; areas with one or two schools are drawn together."""
    if not lottery.by_area:
        return dict.fromkeys(sizes, "")
    inner = directory.inner_areas(by, lottery.area)
    names = {path: next((a.name for a in inner if path.startswith(a.path)), "") for path in sizes}
    of: Counter[str] = Counter()
    for path, name in names.items():
        of[name] += sizes[path]
    small = {name for name, size in of.items() if size < SMALLEST_STRATUM or not name}
    together = sum(of[name] for name in small)
    if 0 < together < SMALLEST_STRATUM and len(of) > len(small):
        small.add(min((n for n in of if n not in small), key=lambda n: (of[n], n)))
    rest = _("other areas")
    return {path: rest if name in small else name for path, name in names.items()}


# What the earlier ones left


def priorities_to_draw_for() -> list[Priority]:
    """Live priorities of whose outcome there are published figures."""
    subjects = set(insight.subjects())
    return [each for each in alignment.live_priorities() if each.subject in subjects]


def earlier_ones(by: Appointment | None) -> list[Lottery]:
    """Drawn lotteries whose schools without a place could come first in the next."""
    return list(visible_to(by).filter(state=State.DRAWN))


def unused_lines_of(schools: Iterable[int]) -> dict[int, list[LotteryEntry]]:
    """School key -> its lines in drawn lotteries that led to nothing yet, the earliest first."""
    found: dict[int, list[LotteryEntry]] = defaultdict(list)
    rows = LotteryEntry.objects.filter(
        school__in=set(schools), lottery__state=State.DRAWN, choices__isnull=True
    )
    for row in rows.select_related("lottery").order_by("lottery__drawn_at", "pk"):
        assert row.school_id is not None
        found[row.school_id].append(row)
    return found


def taken_up(lottery: Lottery) -> set[int]:
    """Keys of lines whose school has had this help since, with a place or without."""
    rows = Choice.objects.filter(entry__lottery=lottery).order_by()
    return {key for key in rows.values_list("entry", flat=True) if key is not None}


# What waits


def due(now: datetime | None = None) -> list[Lottery]:
    """Lotteries whose hour has come."""
    moment = now or timezone.now()
    today = timezone.localtime(moment).date()
    found = Lottery.objects.filter(state=State.OPEN, draws_on__lte=today)
    return [each for each in found.order_by("draws_on", "pk") if hour_of(each) <= moment]


def with_closed_schools(on: date | None = None) -> list[LotteryEntry]:
    """Lines of drawn lotteries whose school has closed and is not passed over yet."""
    rows = LotteryEntry.objects.filter(
        Q(school__isnull=True) | Q(school__closed__lte=on or directory.today()),
        lottery__state=State.DRAWN,
        out=False,
        gone=False,
        choices__isnull=True,
    )
    return list(rows.select_related("lottery").order_by("pk"))


def waiting_for(by: Appointment | None) -> list[Lottery]:
    """Lotteries at which it is this person's turn."""
    turn = Q(pk__in=[])
    if answers(by):
        turn |= Q(state=State.PREPARED)
    if prepares(by):
        turn |= Q(state=State.AGREED) | Q(state=State.OPEN, draws_on__lte=directory.today())
    return list(visible_to(by).filter(turn).order_by("draws_on", "pk")[:5])
