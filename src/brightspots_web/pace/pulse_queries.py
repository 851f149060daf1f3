"""All reads of the pulse: when it is asked, what was answered as far as it may be shown."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from math import sqrt
from uuid import UUID

from django.db.models import QuerySet

from brightspots_web.accountability import voice_queries as voice
from brightspots_web.accountability.models import Consultation
from brightspots_web.accountability.voice_counting import ALL
from brightspots_web.accountability.voice_models import FEWEST
from brightspots_web.directory import office_queries as offices
from brightspots_web.directory import queries as directory
from brightspots_web.directory import record_queries as records
from brightspots_web.directory.models import Appointment, Area, Cycle
from brightspots_web.pace.models import PulseSettings, PulseTerm
from brightspots_web.shared.permissions import Capability, Role, may

SUPPORT, FREEDOM = "pulse:support:1", "pulse:freedom:1"
"""Names of the two questions, as they stand in a round. Other words: another number."""
QUESTIONS = (SUPPORT, FREEDOM)
TOO_LITTLE = ("1", "2")
"""The steps of a question that say "too little": of support, or of room to decide."""
COMPARED = 2
"""A term is held against so many terms before it."""
DEEPEST = 6
"""So many steps below the top areas can be chosen."""
Z = 1.96


# When it is asked


def settings_now() -> PulseSettings:
    """The settings in force; those that are built in before anybody set them."""
    return PulseSettings.objects.order_by("pk").first() or PulseSettings()


def terms() -> QuerySet[PulseTerm]:
    """All terms, the first to close first."""
    return PulseTerm.objects.select_related("cycle", "consultation__area")


def terms_of(cycle: Cycle) -> list[PulseTerm]:
    return list(terms().filter(cycle=cycle).order_by("number"))


def cycles() -> list[Cycle]:
    """The cycles whose terms can be set, the newest first."""
    return records.cycles()


def counted_terms() -> list[PulseTerm]:
    """Terms whose pulse was counted, the first first."""
    return list(terms().filter(consultation__closed_at__isnull=False))


def open_terms() -> list[PulseTerm]:
    """Terms whose pulse was opened and is not counted yet: one, as a rule."""
    return list(terms().filter(consultation__state=Consultation.State.OPEN))


def open_term() -> PulseTerm | None:
    """The term whose two questions can be answered now."""
    return next((each for each in open_terms() if voice.is_open(_round(each))), None)


def is_over(term: PulseTerm) -> bool:
    """Whether its last day has passed and it is not counted yet."""
    return term.consultation is not None and voice.is_over(term.consultation)


def due_to_open() -> list[PulseTerm]:
    today = directory.today()
    return list(terms().filter(consultation=None, opens__lte=today, closes__gt=today))


def next_term() -> PulseTerm | None:
    """The term to come whose day is nearest."""
    return terms().filter(consultation=None, opens__gt=directory.today()).order_by("opens").first()


def compared_terms(term: PulseTerm) -> list[PulseTerm]:
    """The terms around this one whose counts it is held against, the first first.

    As a rule those before it. One whose key was missing for long is counted after later ones, and
    is held against these too.
    """
    found = terms().exclude(pk=term.pk).exclude(who_key=None)
    before = found.filter(closes__lte=term.closes).order_by("-closes", "-pk")[:COMPARED]
    after = found.filter(closes__gt=term.closes).order_by("closes", "pk")[:COMPARED]
    return [*list(before)[::-1], *after]


def keys_in_use() -> list[UUID]:
    """The keys of the lists of who answered, which are kept for a while."""
    keys = PulseTerm.objects.exclude(who_key=None).values_list("who_key", flat=True)
    return [each for each in keys if each is not None]


def _round(term: PulseTerm) -> Consultation:
    assert term.consultation is not None
    return term.consultation


# Who is asked, who sees what


def whole() -> Area | None:
    """The area that is the whole system."""
    return offices.top_area()


def blocks() -> list[Area]:
    """The areas by which it is shown apart, by name."""
    top = whole()
    return list(offices.areas_inside(top, settings_now().level)) if top is not None else []


def levels() -> list[tuple[int, int, str]]:
    """By which areas it can be shown: steps below the top, how many there are, the first's name."""
    top, found = whole(), []
    for steps in range(1, DEEPEST + 1):
        areas = list(offices.areas_inside(top, steps)) if top is not None else []
        if not areas:
            break
        found.append((steps, len(areas), areas[0].name))
    return found


def waits_for(by: Appointment | None) -> PulseTerm | None:
    """The term that waits for somebody's own answer. Only ever asked for oneself."""
    if by is None or not may(by, Capability.SPEAK_UP):
        return None
    term = open_term()
    if term is None:
        return None
    mine = voice.eligible_row(by, _round(term))
    return term if mine is not None and not mine.answered else None


def areas_seen(by: Appointment | None) -> list[Area]:
    """The areas whose figures somebody reads: the ministry all, others the own and those inside."""
    if by is None:
        return []
    found = blocks()
    if by.role in {Role.MINISTER, Role.ANALYST}:
        return found
    place = _place(by)
    if place is None:
        return []
    above = set(directory.paths_to(place))
    inside = place.path if by.role == Role.DISTRICT_OFFICER else None
    return [
        each
        for each in found
        if each.path in above or (inside is not None and each.path.startswith(inside))
    ]


def _place(by: Appointment) -> Area | None:
    if by.area is not None:
        return by.area
    if by.school is not None:
        return by.school.area
    lead = by.partnership.lead_school if by.partnership is not None else None
    return lead.area if lead is not None else None


def area_seen(by: Appointment | None, pk: int) -> Area | None:
    return next((each for each in areas_seen(by) if each.pk == pk), None)


# What was answered


@dataclass(frozen=True)
class Share:
    """How many of those who answered a question said "too little"."""

    counts: tuple[int, ...]
    """By step, from "far too little" to "far more than needed"."""

    @property
    def n(self) -> int:
        return sum(self.counts)

    @property
    def too_little(self) -> int:
        return sum(self.counts[: len(TOO_LITTLE)])

    @property
    def shown(self) -> bool:
        """Whether it may be shown: five people or more answered the question."""
        return self.n >= FEWEST

    @property
    def value(self) -> float | None:
        """The share from 0 to 1; None where it may not be shown."""
        return self.too_little / self.n if self.shown else None

    def interval(self) -> tuple[float, float] | None:
        """Wilson's interval of 95%: what chance in who answers could do to the share."""
        share, n = self.value, self.n
        if share is None:
            return None
        middle = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
        half = Z / (1 + Z**2 / n) * sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
        return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True)
class Shares:
    """The figures of one term, of the whole or of a slice of it; only what may be shown."""

    term: PulseTerm
    key: str
    """"all", "role:head", "area:12"."""
    asked: int | None
    answered: int
    abandoned: Share
    """Too little support for what is asked of the school."""
    held_back: Share
    """Too little room to decide."""

    @property
    def on(self) -> date:
        """The first day after the answers."""
        return self.term.closes

    def of(self, question: str) -> Share:
        return self.abandoned if question == SUPPORT else self.held_back


def shares(area: Area | None, term: PulseTerm) -> Shares | None:
    """The figures of an area in a term (None: of the whole system), if they may be shown.

    For the planner as well: see `Share.value`, `Share.n` and `Shares.on`.
    """
    return next(iter(history(key_of(area), [term])), None)


def key_of(area: Area | None) -> str:
    """The slice of an area; the whole system's own area is the whole."""
    return ALL if area is None or area.parent_id is None else f"area:{area.pk}"


def history(key: str, of: Iterable[PulseTerm] | None = None) -> list[Shares]:
    """The figures of a slice, term by term; a term in which it may not be shown is left out."""
    return histories([key], of)[key]


def histories(
    keys: Sequence[str], of: Iterable[PulseTerm] | None = None
) -> dict[str, list[Shares]]:  # fmt: skip
    """The same for many slices at once."""
    rows = counted_terms() if of is None else [each for each in of if each.consultation_id]
    counts = voice.counts_of([each.consultation_id for each in rows if each.consultation_id], keys)
    found: dict[str, list[Shares]] = {key: [] for key in keys}
    for term in rows:
        by_question = counts.get(term.consultation_id or 0, {})
        for key in keys:
            made = _shares(term, key, by_question)
            if made is not None:
                found[key].append(made)
    return found


def _shares(
    term: PulseTerm, key: str, by_question: dict[str, dict[str, dict[str, int]]]
) -> Shares | None:
    found = [by_question.get(question, {}).get(key) for question in QUESTIONS]
    support, freedom = found
    if support is None or freedom is None:
        return None
    return Shares(
        term=term,
        key=key,
        asked=term.asked_by.get(key),
        answered=support.get("", 0),
        abandoned=Share(tuple(support.get(step, 0) for step in voice.SCALE)),
        held_back=Share(tuple(freedom.get(step, 0) for step in voice.SCALE)),
    )


def latest(of: Sequence[Shares], term: PulseTerm | None) -> Shares | None:
    """The figures of the term that was counted last, if they are among these."""
    return next((each for each in of if term is not None and each.term.pk == term.pk), None)


def last_counted() -> PulseTerm | None:
    rows = counted_terms()
    return rows[-1] if rows else None
