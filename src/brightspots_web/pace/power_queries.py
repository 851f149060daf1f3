"""All reads of powers: what a place holds, since when, what waits, and what the planner needs.

The planner and the early warnings read `area_terms`: for each area and term since when it was
ready, which powers it held, which were taken back, and how much support ended there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from brightspots_web.connectedness import network_queries as network
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Area, Cycle, Partnership
from brightspots_web.pace import power_gate_queries as gates
from brightspots_web.pace import stage_place_queries as places
from brightspots_web.pace.models import GateCheck, PowerTransfer
from brightspots_web.pace.power_models import Power
from brightspots_web.pace.stage_place_queries import Place
from brightspots_web.shared.permissions import Capability, may

State = PowerTransfer.State
LIVE = (State.OFFERED, State.HELD)
ENDED = (State.TAKEN_BACK, State.GIVEN_BACK)
FEW = 10
"""Of so many areas the rows inside them are asked for one by one."""
Row = TypeVar("Row", PowerTransfer, GateCheck)
NAMES = ("area", "partnership__lead_school__area")


def transfers_of(place: Place) -> QuerySet[PowerTransfer]:
    """Everything that happened to the powers of a place, the newest first."""
    return PowerTransfer.objects.filter(**place.fields).select_related(*NAMES)


def transfers_read_by(acting: Appointment | None) -> QuerySet[PowerTransfer]:
    return PowerTransfer.objects.filter(places.in_sight(acting)).select_related(*NAMES)


def live_of(place: Place) -> dict[str, PowerTransfer]:
    """Power -> its transfer that is offered or held."""
    return {each.power: each for each in transfers_of(place).filter(state__in=LIVE)}


def held(each: PowerTransfer, on: date | None = None) -> bool:
    """Whether a power is held on a day."""
    day = on or directory.today()
    if each.state == State.HELD:
        return each.starts <= day
    return each.state in ENDED and each.ended_on is not None and each.starts <= day < each.ended_on


def _live_on(each: PowerTransfer, on: date) -> bool:
    """Whether a power was offered or held on a day on or after that of its offer."""
    if each.state in LIVE:
        return True
    if each.ended_on is not None:
        return on < each.ended_on
    return each.answered_at is not None and on < timezone.localdate(each.answered_at)


def to_offer(place: Place) -> list[Power]:
    """Powers that are neither held nor offered."""
    there = live_of(place)
    return [each for each in Power if each.value not in there]


@dataclass(frozen=True)
class Standing:
    """How a place stands on a day: ready since, what it holds, and whether it waits too long."""

    ready_since: date | None
    held: int
    waiting_since: date | None
    """Ready, with powers still to come, and nothing has moved since."""
    long: bool
    """Waiting for longer than the ministry set."""
    before_gate: int
    """Powers held or offered although the place had not been found ready."""


def standing(place: Place, on: date | None = None) -> Standing:
    return standings([place], on)[(place.kind, place.pk)]


def standings(chosen: Iterable[Place], on: date | None = None) -> dict[tuple[str, int], Standing]:
    """Kind and key -> how each place stands; three statements for all of them."""
    today, them = on or directory.today(), list(chosen)
    longest = timedelta(days=gates.settings_now().wait_days)
    rows = _keys(them)
    moves = _by_place(PowerTransfer.objects.filter(rows))
    answers = _by_place(GateCheck.objects.filter(rows).exclude(state=GateCheck.State.ASKED))
    return {
        (each.kind, each.pk): _standing(
            moves.get((each.kind, each.pk), ()),
            answers.get((each.kind, each.pk), ()),
            today,
            longest,
        )
        for each in them
    }


def _standing(
    moves: Sequence[PowerTransfer], answers: Sequence[GateCheck], today: date, longest: timedelta
) -> Standing:
    since = gates.since_when(answers, today)
    live = [each for each in moves if each.state in LIVE]
    waiting: date | None = None
    if since is not None and len(live) < len(Power):
        waiting = max([since, *(_moved(each, today) for each in moves)])
    return Standing(
        since,
        sum(held(each, today) for each in moves),
        waiting,
        waiting is not None and today - waiting > longest,
        sum(each.before_gate for each in live if each.state == State.HELD),
    )


def _moved(each: PowerTransfer, until: date) -> date:
    """The last day up to another on which something happened to a transfer."""
    offered = timezone.localdate(each.offered_at)
    answered = timezone.localdate(each.answered_at) if each.answered_at else None
    return max(
        (on for on in (offered, answered, each.ended_on) if on is not None and on <= until),
        default=offered,
    )


def _keys(them: Iterable[Place]) -> Q:
    keys: dict[str, list[int]] = {places.PARTNERSHIP: [], places.AREA: []}
    for each in them:
        keys[each.kind].append(each.pk)
    return Q(partnership__in=keys[places.PARTNERSHIP]) | Q(area__in=keys[places.AREA])


def _key(row: PowerTransfer | GateCheck) -> tuple[str, int]:
    if row.partnership_id is not None:
        return places.PARTNERSHIP, row.partnership_id
    return places.AREA, row.area_id or 0


def waiting_long(acting: Appointment | None) -> list[tuple[Place, Standing]]:
    """Places in sight that are ready and have waited too long, by name."""
    if not may(acting, Capability.SEE_AREA):
        return []
    since = directory.today() - timedelta(days=gates.settings_now().wait_days)
    moved = PowerTransfer.objects.filter(offered_at__date__gte=since)
    ready = gates.checks_read_by(acting).filter(
        ~Exists(moved.filter(partnership=OuterRef("partnership"))),
        ~Exists(moved.filter(area=OuterRef("area"))),
        state=GateCheck.State.READY, answered_on__lt=since,
    )  # fmt: skip
    ready = ready.annotate(
        live=_live("partnership") + _live("area"),
    ).filter(live__lt=len(Power))
    found: dict[tuple[str, int], Place] = {}
    for each in ready.order_by("pk"):
        found.setdefault(_key(each), places.of(each))
    them = sorted(found.values(), key=lambda each: (each.name, each.kind, each.pk))
    now = standings(them)
    return [
        (each, now[(each.kind, each.pk)]) for each in them if now[(each.kind, each.pk)].long
    ]  # fmt: skip


def _live(kind: str) -> Coalesce:
    """How many powers are offered to, or held by, the place to which an outer row points."""
    rows = PowerTransfer.objects.filter(**{kind: OuterRef(kind)}, state__in=LIVE).order_by()
    counted = rows.values(kind).annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted), 0)


def held_in_sight(acting: Appointment | None) -> int:
    """How many powers the places in sight hold today."""
    rows = transfers_read_by(acting).filter(state=State.HELD, starts__lte=directory.today())
    return rows.count()


def offers_to_answer(acting: Appointment | None) -> list[PowerTransfer]:
    """Powers that are offered to a place for which somebody answers."""
    if not may(acting, Capability.RATE_STAGE):
        return []
    own = _keys(places.own_places(acting))
    offered = transfers_read_by(acting).filter(own, state=State.OFFERED).order_by("pk")
    return [each for each in offered if places.answers_for(acting, places.of(each))]


def unanswered(before: date) -> list[PowerTransfer]:
    """Offers older than a day that nobody was reminded of."""
    rows = PowerTransfer.objects.filter(
        places.open_ones(), state=State.OFFERED, reminded_at=None, offered_at__date__lte=before
    )
    return list(rows.select_related(*NAMES).order_by("pk"))


# For the planner and the early warnings


@dataclass(frozen=True)
class AreaTerm:
    """What is on record of an area in a term (a cycle), as it was on the term's last day so far."""

    area: int
    cycle: int
    ready_since: date | None
    powers: Mapping[str, date]
    """Powers the area itself holds -> since when."""
    taken_back: int
    """Powers taken back from the area or from partnerships in it during the term."""
    before_gate: int
    """Powers of the area handed over before it was found ready."""
    waiting_since: date | None
    """Ready, powers still to come, nothing moved since; None where it does not wait."""
    waits_long: bool
    partnerships: int | None
    """Partnerships in it found ready by then; None where these were not looked at."""
    partnerships_with_powers: int | None
    support_ended: int
    """Schools of it whose support ended in the term, with none under way on its last day."""

    @property
    def held_back(self) -> bool:
        """A sign of going too slowly: ready, and left waiting."""
        return self.waits_long

    @property
    def abandoned(self) -> bool:
        """A sign of going too fast: support ended, or powers came, before the area was ready."""
        return self.ready_since is None and (self.support_ended > 0 or self.before_gate > 0)


def area_terms(
    acting: Appointment | None, areas: Iterable[Area], cycles: Iterable[Cycle], *,
    inside: bool = True,
) -> list[AreaTerm]:  # fmt: skip
    """For each area and each cycle that has begun, in the order given.

    Parameters
    ----------
    acting
        Whose sight bounds the support that is counted; the ministry and analysts see all.
    inside
        Whether partnerships are looked at as well: of a nation they are many. Where not, what is
        said of them is None, and powers taken back are those of the area itself.
    """
    them, today = list(areas), directory.today()
    terms = [each for each in cycles if each.starts <= today]
    lies = _lies_in(them) if inside else {}
    rows = Q(area__in=[each.pk for each in them])
    if inside:
        rows |= Q(partnership__in=_partnerships_in(them).values("pk"))
    moves = _by_place(PowerTransfer.objects.filter(rows))
    answers = _by_place(GateCheck.objects.filter(rows).exclude(state=GateCheck.State.ASKED))
    longest = timedelta(days=gates.settings_now().wait_days)
    found = []
    for cycle in terms:
        last = min(cycle.ends - timedelta(days=1), today)
        ended = _support_ended(acting, cycle, last, them)
        found += [
            _term(
                area,
                cycle,
                last,
                longest,
                lies.get(area.pk, ()) if inside else None,
                moves,
                answers,
                ended,
            )
            for area in them
        ]
    return found


def _partnerships_in(areas: Sequence[Area]) -> QuerySet[Partnership]:
    """Partnerships whose leader's school lies in one of these areas, or in some more of them."""
    found = directory.live_partnerships().filter(lead_school__isnull=False)
    return found.filter(_within(areas, "lead_school__area__path"))


def _within(areas: Sequence[Area], path: str) -> Q:
    """Rows whose path lies in one of a few areas; all rows where there are many."""
    if not 0 < len(areas) <= FEW:
        return Q()
    return Q(*(Q(**{f"{path}__startswith": each.path}) for each in areas), _connector=Q.OR)


def _lies_in(areas: Sequence[Area]) -> dict[int, list[int]]:
    """Area -> the partnerships in it; each is looked up by the areas around it."""
    keys = {each.path: each.pk for each in areas}
    found: dict[int, list[int]] = {}
    for pk, path in _partnerships_in(areas).values_list("pk", "lead_school__area__path"):
        for around in directory.paths_around(path):
            if around in keys:
                found.setdefault(keys[around], []).append(pk)
    return found


def _term(
    area: Area,
    cycle: Cycle,
    last: date,
    longest: timedelta,
    inside: Sequence[int] | None,
    moves: Mapping[tuple[str, int], Sequence[PowerTransfer]],
    answers: Mapping[tuple[str, int], Sequence[GateCheck]],
    ended: Mapping[int, int],
) -> AreaTerm:
    own = moves.get((places.AREA, area.pk), ())
    then = [each for each in own if timezone.localdate(each.offered_at) <= last]
    since = gates.since_when(answers.get((places.AREA, area.pk), ()), last)
    powers = {each.power: each.starts for each in own if held(each, last)}
    waiting = None
    if since is not None and len({each.power for each in then if _live_on(each, last)}) < len(
        Power
    ):
        waiting = max([since, *(_moved(each, last) for each in then)])
    theirs = {pk: moves.get((places.PARTNERSHIP, pk), ()) for pk in inside or ()}
    back = [each for each in (*own, *(one for some in theirs.values() for one in some))
            if each.state == State.TAKEN_BACK]  # fmt: skip
    return AreaTerm(
        area=area.pk,
        cycle=cycle.pk,
        ready_since=since,
        powers=powers,
        taken_back=sum(
            each.ended_on is not None and cycle.starts <= each.ended_on <= last for each in back
        ),
        before_gate=sum(each.before_gate and held(each, last) for each in own),
        waiting_since=waiting,
        waits_long=waiting is not None and last - waiting > longest,
        partnerships=None
        if inside is None
        else sum(
            gates.since_when(answers.get((places.PARTNERSHIP, pk), ()), last) is not None
            for pk in inside
        ),
        partnerships_with_powers=None
        if inside is None
        else sum(any(held(each, last) for each in some) for some in theirs.values()),
        support_ended=ended.get(area.pk, 0),
    )


def _by_place(rows: QuerySet[Row]) -> dict[tuple[str, int], list[Row]]:
    found: dict[tuple[str, int], list[Row]] = {}
    for each in rows.order_by("pk"):
        found.setdefault(_key(each), []).append(each)
    return found


def _support_ended(
    acting: Appointment | None, cycle: Cycle, last: date, areas: Sequence[Area]
) -> dict[int, int]:
    """Area -> its schools whose support ended in the term and did not go on."""
    span = network.Span("term", cycle.name, cycle.starts, last + timedelta(days=1))
    within = _within(areas, "receiving__area__path")
    ended: dict[int, str] = {}
    running: set[int] = set()
    for school, path, until in network.support_received(acting, span, within):
        if until is not None and until <= last:
            ended[school] = path
        else:
            running.add(school)
    keys = {each.path: each.pk for each in areas}
    found: dict[int, int] = {}
    for school, path in ended.items():
        for around in directory.paths_around(path) if school not in running else ():
            if around in keys:
                found[keys[around]] = found.get(keys[around], 0) + 1
    return found
