"""All reads of stages: rounds, what was rated and by how many, what was agreed, what is due.

Nobody reads another's rating before the round is closed: who looked before and after one more has
rated would know what that one rated. Nothing of ratings is told where fewer than three have rated.
Who rated what is told to nobody.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from brightspots_web.directory import queries as directory
from brightspots_web.directory import record_queries as record
from brightspots_web.directory.models import Appointment, Area, Cycle
from brightspots_web.pace import stage_place_queries as places
from brightspots_web.pace.models import (
    StageAgreement,
    StageConsent,
    StageRating,
    StageRound,
    StageText,
)
from brightspots_web.pace.stage_models import Stage, Strand
from brightspots_web.pace.stage_place_queries import Place, Seat
from brightspots_web.pace.stage_words import assumed
from brightspots_web.shared.permissions import Capability, may

State = StageRound.State
AGREED = StageAgreement.State.AGREED
FEWEST = 3
"""Where fewer have rated, nothing of their ratings is shown."""
SOON = timedelta(days=3)
HELD_FOR = timedelta(days=365)
"""A stage agreed longer ago is no evidence of readiness."""


# The texts


@dataclass(frozen=True)
class Text:
    """What a stage of a strand looks like; assumed until the ministry has edited it."""

    stage: int
    text: str
    assumed: bool
    version: int = 0
    by: str = ""


def texts(strand: str, frozen: Mapping[str, str] | None = None) -> list[Text]:
    """The four texts of a strand, as they are now or as they were when a round was opened."""
    rows: dict[int, StageText] = {}
    if frozen is None:
        rows = {each.stage: each for each in StageText.objects.filter(strand=strand)}
    found = []
    for stage in Stage:
        key = f"{strand}.{stage.value}"
        row = rows.get(stage.value)
        own = row.text if row else (frozen or {}).get(key, "")
        found.append(
            Text(stage.value, own or assumed(key), not own, row.version if row else 0,
                 row.by if row else "")
        )  # fmt: skip
    return found


def edited_texts() -> dict[str, str]:
    """The ministry's own texts: "strand.stage" -> text."""
    return {f"{each.strand}.{each.stage}": each.text for each in StageText.objects.all()}


def may_edit_texts(acting: Appointment | None) -> bool:
    return may(acting, Capability.PLAN_PACE)


# Rounds


def rounds_of(place: Place) -> QuerySet[StageRound]:
    """Every round of a place, the newest first."""
    rows = StageRound.objects.filter(**place.fields)
    return rows.select_related("cycle", "area", "partnership__lead_school__area")


def rounds_read_by(acting: Appointment | None) -> QuerySet[StageRound]:
    rows = StageRound.objects.filter(places.in_sight(acting))
    return rows.select_related("cycle", "area", "partnership__lead_school__area")


def cycle_now(on: date | None = None) -> Cycle | None:
    """The round of improvement of today: the one that began last."""
    today = on or directory.today()
    return next((each for each in record.cycles() if each.starts <= today < each.ends), None)


def round_now(place: Place) -> StageRound | None:
    cycle = cycle_now()
    return rounds_of(place).filter(cycle=cycle).first() if cycle is not None else None


def rounds_in_cycle(chosen: Iterable[Place]) -> dict[tuple[str, int], StageRound]:
    """Kind and key of a place -> its round of this cycle; two statements for all of them."""
    cycle = cycle_now()
    if cycle is None:
        return {}
    keys: dict[str, list[int]] = {places.PARTNERSHIP: [], places.AREA: []}
    for each in chosen:
        keys[each.kind].append(each.pk)
    rows = StageRound.objects.filter(
        Q(partnership__in=keys[places.PARTNERSHIP]) | Q(area__in=keys[places.AREA]), cycle=cycle
    ).select_related("cycle", "area", "partnership__lead_school__area")
    return {
        (places.PARTNERSHIP, each.partnership_id)
        if each.partnership_id
        else (places.AREA, each.area_id or 0): each
        for each in rows
    }


def how_many(acting: Appointment | None) -> tuple[int, int]:
    """Rounds of this cycle in sight: agreed in all strands, and still under way."""
    agreed = Count("agreements", filter=Q(agreements__state=AGREED))
    rows = rounds_read_by(acting).filter(cycle=cycle_now())
    done = rows.annotate(n_agreed=agreed).filter(n_agreed=len(Strand)).count()
    return done, rows.count() - done


def rated_by(found: StageRound) -> set[str]:
    """The seats that have rated."""
    return set(StageRating.objects.filter(round=found).values_list("seat", flat=True))


def own_ratings(found: StageRound, seat: Seat | None) -> dict[str, StageRating]:
    if seat is None:
        return {}
    rows = StageRating.objects.filter(round=found, seat=seat.key)
    return {each.strand: each for each in rows}


def may_rate(found: StageRound, seat: Seat | None) -> bool:
    """Whether a seat may rate, or change what it rated: as long as nobody's ratings are shown."""
    return seat is not None and found.state == State.OPEN


@dataclass(frozen=True)
class Spread:
    """How many rated a strand at each stage, and what shows it, without names."""

    counts: Mapping[int, int]
    shows: Sequence[str]

    @property
    def differs(self) -> bool:
        return len(self.counts) > 1


def spreads(
    found: StageRound, acting: Appointment | None, seat: Seat | None = None
) -> dict[str, Spread]:
    """What was rated, strand by strand, as far as somebody may see it; else empty.

    Once the round is closed: those with a seat, with the words; officers, the ministry and
    analysts without them. Others: never.
    """
    if found.state == State.OPEN:
        return {}
    seat = seat or places.seat_of(acting, places.of(found))
    rows = list(StageRating.objects.filter(round=found))
    if len({each.seat for each in rows}) < FEWEST:
        return {}
    if seat is None and not may(acting, Capability.SEE_AREA):
        return {}
    counts: dict[str, dict[int, int]] = {}
    shows: dict[str, list[str]] = {}
    for each in rows:
        given = counts.setdefault(each.strand, {})
        given[each.stage] = given.get(each.stage, 0) + 1
        shows.setdefault(each.strand, []).append(each.shows)
    return {
        strand: Spread(counts[strand], sorted(shows[strand]) if seat is not None else ())
        for strand in Strand.values
        if strand in counts
    }


# What the group agrees


@dataclass(frozen=True)
class Agreement:
    """A stage put to the group, and what each seat says to its present version."""

    row: StageAgreement
    yes: Sequence[StageConsent]
    no: Sequence[StageConsent]
    asked: int

    @property
    def agreed(self) -> bool:
        return self.row.state == AGREED


def agreements(found: StageRound, there: Iterable[Seat] | None = None) -> dict[str, Agreement]:
    """Strand -> what was put to the group."""
    held = list(places.seats(places.of(found)) if there is None else there)
    rows = StageAgreement.objects.filter(round=found).prefetch_related("consents")
    said = {}
    for row in rows:
        words = [
            each for each in row.consents.all() if each.agreement_version == row.version
        ]  # fmt: skip
        said[row.strand] = Agreement(
            row,
            [each for each in words if each.agrees],
            [each for each in words if not each.agrees],
            row.asked if row.state == AGREED else len(held),
        )
    return said


def everybody_carries(agreement: Agreement, there: Iterable[Seat]) -> bool:
    carried = {each.seat for each in agreement.yes}
    asked = {each.key for each in there}
    return bool(asked) and asked <= carried and not agreement.no


def agreed_strands(rounds: Iterable[StageRound]) -> dict[int, int]:
    """Round key -> how many of its strands are agreed."""
    keys = [each.pk for each in rounds]
    rows = StageAgreement.objects.filter(round__in=keys, state=AGREED).order_by()
    return dict(rows.values_list("round").annotate(n=Count("pk")))


@dataclass(frozen=True)
class Past:
    """A round as the history shows it."""

    round: StageRound
    agreed: Mapping[str, int]
    differs: frozenset[str]
    """Strands closed with somebody seeing it differently."""
    spreads: Mapping[str, Spread] = field(default_factory=dict)


def history(place: Place, acting: Appointment | None, most: int = 8) -> list[Past]:
    """The last rounds, the oldest first: what was agreed, and how far ratings lay apart."""
    seat = places.seat_of(acting, place)
    found = []
    for each in list(rounds_of(place)[:most])[::-1]:
        rows = list(StageAgreement.objects.filter(round=each, state=AGREED))
        found.append(
            Past(
                each,
                {row.strand: row.stage for row in rows},
                frozenset(row.strand for row in rows if row.agreed_why),
                spreads(each, acting, seat),
            )
        )
    return found


def agreed_last(place: Place) -> tuple[dict[str, int], date | None]:
    """Strand -> the stage a place agreed on last, and the day of the newest of them."""
    rows = StageAgreement.objects.filter(
        state=AGREED, **{f"round__{name}": row for name, row in place.fields.items()}
    )
    said = list(rows.order_by("agreed_on", "pk").values_list("strand", "stage", "agreed_on"))
    days = [on for _strand, _stage, on in said if on is not None]
    return {strand: stage for strand, stage, _on in said}, max(days, default=None)


def agreed_lately(place: Place, on: date | None = None) -> bool:
    """Whether every strand of a round was agreed in the last twelve months."""
    since = (on or directory.today()) - HELD_FOR
    rows = StageAgreement.objects.filter(
        state=AGREED, agreed_on__gte=since,
        **{f"round__{name}": row for name, row in place.fields.items()},
    )  # fmt: skip
    counted = rows.order_by().values("round").annotate(n=Count("pk"))
    return any(each["n"] == len(Strand) for each in counted)


# What waits


def open_rounds() -> QuerySet[StageRound]:
    """Rounds for the worker: open ones, and those to be agreed."""
    return StageRound.objects.select_related(
        "cycle", "area", "partnership__lead_school__area"
    ).order_by("pk")


def to_look_after() -> list[StageRound]:
    """Open rounds, and those closed in the last year that are not agreed in all strands.

    Not of partnerships that have ended: nobody can open their pages any more.
    """
    since = directory.today() - HELD_FOR
    agreed = Count("agreements", filter=Q(agreements__state=AGREED))
    rows = open_rounds().filter(places.open_ones())
    rows = rows.annotate(n_agreed=agreed).filter(n_agreed__lt=len(Strand))
    return list(rows.filter(Q(state=State.OPEN) | Q(closed_at__date__gt=since)))


def put_to_groups() -> set[int]:
    """Keys of the rounds in which a stage waits for the word of the group."""
    rows = StageAgreement.objects.filter(state=StageAgreement.State.PROPOSED).order_by()
    return set(rows.values_list("round", flat=True))


@dataclass(frozen=True)
class Waiting:
    """Something a person can do for a round."""

    what: str
    """`rate`, `propose` or `say`."""
    place: Place
    round: StageRound


def waiting_for(acting: Appointment) -> list[Waiting]:
    """Rounds to rate, stages to say one's word to, and stages still to be put to the group."""
    today = directory.today()
    running = StageRound.objects.filter(cycle__starts__lte=today, cycle__ends__gt=today)
    if not may(acting, Capability.RATE_STAGE) or not running.exists():
        return []  # one statement, on every front page
    own = places.own_places(acting)
    rounds = rounds_in_cycle(own)
    found = []
    for place in own:
        now = rounds.get((place.kind, place.pk))
        seat = places.seat_of(acting, place) if now is not None else None
        if now is None or seat is None:
            continue
        if now.state == State.OPEN:
            if not StageRating.objects.filter(round=now, seat=seat.key).exists():
                found.append(Waiting("rate", place, now))
            continue
        put = StageAgreement.objects.filter(round=now)
        said = StageConsent.objects.filter(
            agreement=OuterRef("pk"), agreement_version=OuterRef("version"), seat=seat.key
        )
        if put.filter(~Exists(said)).exclude(state=AGREED).exists():
            found.append(Waiting("say", place, now))
        elif put.count() < len(Strand) and places.answers_for(acting, place):
            found.append(Waiting("propose", place, now))
    return found


# For the planner


@dataclass(frozen=True)
class AreaStage:
    """What an area had agreed by the end of a cycle."""

    area: int
    cycle: int
    agreed: Mapping[str, int]
    on: date | None


def area_stages(areas: Iterable[Area], cycles: Iterable[Cycle]) -> list[AreaStage]:
    """For each area and cycle what was agreed there; areas and cycles without a round left out."""
    rows = StageAgreement.objects.filter(
        state=AGREED, round__area__in=[each.pk for each in areas],
        round__cycle__in=[each.pk for each in cycles],
    )  # fmt: skip
    found: dict[tuple[int, int], dict[str, int]] = {}
    last: dict[tuple[int, int], date] = {}
    for area, cycle, strand, stage, on in rows.order_by("pk").values_list(
        "round__area", "round__cycle", "strand", "stage", "agreed_on"
    ):
        key = (area or 0, cycle)
        found.setdefault(key, {})[strand] = stage
        if on is not None:
            last[key] = max(on, last.get(key, on))
    return [AreaStage(area, cycle, said, last.get((area, cycle))) for (area, cycle), said in
            found.items()]  # fmt: skip
