"""What leaders have promised of their days, and how many schools they support at a time."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Sum

from brightspots_web.connectedness.models import (
    ConnectednessSettings,
    Deployment,
    SupportMatch,
    SupportOffer,
)
from brightspots_web.connectedness.support_queries import brokered_schools, own_school
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment

NOTHING = Decimal(0)


@dataclass(frozen=True)
class Ledger:
    """A leader's days of one calendar year. A deployment counts in the year in which it starts."""

    limit: Decimal
    """Days the leader has for other schools."""
    agreed: Decimal = NOTHING
    """Promised: support under way, accepted matches, and what finished support took."""
    used: Decimal = NOTHING
    """Written down so far."""
    schools: int = 0
    """Supported or promised at this time."""
    cap: int = 0

    @property
    def left(self) -> Decimal:
        """Days that can still be promised; below nought where the limit was lowered since."""
        return self.limit - self.agreed


def present_settings() -> ConnectednessSettings:
    """What the ministry set, or what holds until it does."""
    return ConnectednessSettings.objects.first() or ConnectednessSettings()


def promised(
    people: Iterable[int | None] = (),
    *,
    offer: int | None = None,
    year: int | None = None,
    but: int | None = None,
) -> dict[int, tuple[Decimal, Decimal, int]]:
    """Person key -> (days promised, days used, schools at a time) in a year.

    Parameters
    ----------
    people : iterable of int
        Keys of the people who give support.
    offer : int, optional
        Only what was promised under this offer.
    year : int, optional
        This year, unless said otherwise.
    but : int, optional
        A match to leave out: the one whose days are being agreed.
    """  # fmt: skip
    year = year or directory.today().year
    keys = [key for key in people if key is not None]
    sums: dict[int, list[Decimal | int]] = defaultdict(lambda: [NOTHING, NOTHING, 0])
    deployments = Deployment.objects.filter(giver__in=keys)
    accepted = SupportMatch.objects.filter(
        state=SupportMatch.State.ACCEPTED, deployment__isnull=True, offer__giver__in=keys
    ).exclude(pk=but or 0)
    if offer is not None:
        deployments = deployments.filter(match__offer=offer)
        accepted = accepted.filter(offer=offer)
    rows = (
        deployments.order_by()
        .annotate(logged=Sum("logs__days"))
        .values_list("giver", "state", "days", "logged", "starts")
    )
    for giver, state, days, logged, starts in rows:
        assert giver is not None
        mine, used = sums[giver], logged or NOTHING
        running = state == Deployment.State.RUNNING
        if starts.year == year:
            mine[0] += max(days, used) if running else used
            mine[1] += used
        mine[2] += int(running)
    for giver, days in accepted.values_list("offer__giver", "request__days"):
        assert giver is not None
        sums[giver][0] += days
        sums[giver][2] += 1
    return {key: (Decimal(a), Decimal(b), int(c)) for key, (a, b, c) in sums.items()}


def ledgers(people: Iterable[int | None], year: int | None = None) -> dict[int, Ledger]:
    """Person key -> ledger, one for each asked for."""
    keys = [key for key in people if key is not None]
    settings, found = present_settings(), promised(keys, year=year)
    return {
        key: Ledger(
            Decimal(settings.leader_days),
            *found.get(key, (NOTHING, NOTHING, 0)),
            cap=settings.caseload_cap,
        )
        for key in keys
    }


def ledger_of(person: int, year: int | None = None) -> Ledger:
    return ledgers([person], year)[person]


def room_left(offer: SupportOffer, year: int | None = None) -> tuple[int, Decimal]:
    """How many more schools and days can be promised under an offer now."""
    if offer.giver_id is None:
        return 0, NOTHING
    mine = ledger_of(offer.giver_id, year)
    days, _used, schools = promised([offer.giver_id], offer=offer.pk, year=year).get(
        offer.giver_id, (NOTHING, NOTHING, 0)
    )
    return (
        min(mine.cap - mine.schools, offer.at_once - schools),
        min(mine.left, offer.days - days),
    )


def agreed_under(offer: SupportOffer) -> tuple[Decimal, int]:
    """The most days promised under an offer in any year from now on, and schools at this time."""
    year = directory.today().year
    starts = Deployment.objects.filter(match__offer=offer, starts__year__gt=year)
    years = {year, *(day.year for day in starts.values_list("starts", flat=True))}
    nothing = (NOTHING, NOTHING, 0)
    givers = {offer.giver_id, *_givers_under(offer)} - {None}
    days, schools = NOTHING, 0
    for each in years:
        found = promised(givers, offer=offer.pk, year=each)
        rows = [found.get(key, nothing) for key in givers if key is not None]
        days = max(days, sum((row[0] for row in rows), NOTHING))
        schools = max(schools, sum(row[2] for row in rows))
    return days, schools


def _givers_under(offer: SupportOffer) -> list[int | None]:
    return list(
        Deployment.objects.filter(match__offer=offer).values_list("giver", flat=True).distinct()
    )


def rooms(offers: Iterable[SupportOffer]) -> dict[int, tuple[int, Decimal]]:
    """Offer key -> what :func:`room_left` says, in a handful of queries for any number."""
    listed = [offer for offer in offers if offer.giver_id is not None]
    mine = ledgers({offer.giver_id for offer in listed})
    year = directory.today().year
    schools: dict[int, int] = defaultdict(int)
    days: dict[int, Decimal] = defaultdict(lambda: NOTHING)
    keys = {offer.pk for offer in listed}
    rows = Deployment.objects.order_by().annotate(logged=Sum("logs__days"))
    for offer, state, agreed, logged, starts in rows.filter(match__offer__in=keys).values_list(
        "match__offer", "state", "days", "logged", "starts"
    ):
        running, used = state == Deployment.State.RUNNING, logged or NOTHING
        schools[offer] += int(running)
        if starts.year == year:
            days[offer] += max(agreed, used) if running else used
    accepted = SupportMatch.objects.filter(
        state=SupportMatch.State.ACCEPTED, deployment__isnull=True, offer__in=keys
    )
    for offer, asked in accepted.values_list("offer", "request__days"):
        schools[offer] += 1
        days[offer] += asked
    found = {}
    for each in listed:
        assert each.giver_id is not None
        ledger = mine[each.giver_id]
        found[each.pk] = (
            min(ledger.cap - ledger.schools, each.at_once - schools[each.pk]),
            min(ledger.left, each.days - days[each.pk]),
        )
    return found


@dataclass(frozen=True)
class GiverRow:
    """A leader in the list of leaders' days."""

    name: str
    school: str
    area: str
    ledger: Ledger


def givers(acting: Appointment | None, area_path: str = "") -> list[SupportOffer]:
    """One offer of each leader of an officer's area who offers or gives support, by name."""
    offers = (
        SupportOffer.objects.filter(giver__isnull=False, school__in=brokered_schools(acting))
        .exclude(state=SupportOffer.State.WITHDRAWN, matches__deployment__isnull=True)
        .filter(school__area__path__startswith=area_path)
        .select_related("school__area", "giver")
        .order_by("giver__name", "giver", "pk")
    )
    first: dict[int, SupportOffer] = {}
    for offer in offers:
        assert offer.giver_id is not None
        first.setdefault(offer.giver_id, offer)
    return list(first.values())


def giver_rows(offers: Iterable[SupportOffer]) -> list[GiverRow]:
    """Leaders with their days. Days given in other areas count, without the schools' names."""
    listed = list(offers)
    found = ledgers(each.giver_id for each in listed)
    return [
        GiverRow(str(each.giver), each.school.name, each.school.area.name, found[each.giver_id])
        for each in listed
        if each.giver_id is not None
    ]


def own_ledger(acting: Appointment | None) -> Ledger | None:
    """The ledger of whoever acts, where somebody could support other schools."""
    if acting is None or own_school(acting) is None:
        return None
    return ledger_of(acting.person_id)
