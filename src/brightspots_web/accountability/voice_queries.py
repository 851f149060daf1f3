"""All reads of consultations: who sees them, who may answer, what may be shown of the answers."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from brightspots_web.accountability.models import (
    Consultation,
    Eligible,
    SuggestionSettings,
    VoiceComment,
    VoiceQuestion,
    VoiceTally,
)
from brightspots_web.accountability.voice_counting import ALL
from brightspots_web.accountability.voice_words import slice_label
from brightspots_web.directory import colleague_queries as colleagues
from brightspots_web.directory import office_queries as offices
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Area, Person
from brightspots_web.shared.permissions import CAPABILITIES, Capability, Role, may

State = Consultation.State
SCALE = ("1", "2", "3", "4", "5")
ASKED_ROLES = {
    Consultation.Audience.TEACHERS: (Role.TEACHER,),
    Consultation.Audience.HEADS: (Role.HEAD, Role.SYSTEM_LEADER),
    Consultation.Audience.BOTH: (Role.TEACHER, Role.HEAD, Role.SYSTEM_LEADER),
}
AS_ASKED = {Role.TEACHER: "teacher", Role.HEAD: "head", Role.SYSTEM_LEADER: "head"}

BY_MACHINE = Q(stakeholder_name="")
"""Asked by the system again and again, with fixed questions: see `voice_machine_actions`.

Nobody owes an answer to it, and it stands on the pages of the part that asks it.
"""
KEYS_ABOVE: list[Callable[[], Iterable[UUID]]] = []
"""What tells of sealing keys that rows of apps above name."""


# Who sees what


def visible_to(by: Appointment | None) -> QuerySet[Consultation]:
    """Consultations somebody may open, the newest first.

    What was opened: everybody of the area asked and above it, whoever was asked, and who is named
    in it. What is still being written: the side that writes it.
    """
    found = Consultation.objects.exclude(BY_MACHINE)
    found = found.select_related("area", "follows", "stakeholder", "moderator")
    if by is None:
        return found.none()
    named = Q(stakeholder=by.person_id) | Q(moderator=by.person_id) | _asked(by)
    seen = ~Q(state=State.DRAFT) & Q(opened_at__isnull=False) & (in_sight(by) | named)
    return found.filter(seen | _own_side(by))


def in_sight(by: Appointment) -> Q:
    """What belongs to an area one stands in or under, for officers also below; at the top, all."""
    if by.role in {Role.MINISTER, Role.ANALYST}:
        return Q(pk__isnull=False)  # an empty Q beside another would be that other alone
    area = colleagues.area_of(by)
    if area is None:
        return Q(pk__in=[])
    seen = Q(area__path__in=directory.paths_to(area))
    if by.role == Role.DISTRICT_OFFICER:
        seen |= Q(area__path__startswith=area.path)
    return seen


def _asked(by: Appointment) -> Q:
    return Exists(Eligible.objects.filter(consultation=OuterRef("pk"), person=by.person_id))  # type: ignore[return-value] # an Exists stands in a filter as a Q does


def _own_side(by: Appointment) -> Q:
    """Who opened it, and whoever holds the same office as they did then."""
    if not may(by, Capability.CONSULT):
        return Q(pk__in=[])
    same = offices.ever_in_office(
        person=OuterRef("opener"), role=by.role, area=by.area_id, school=None, partnership=None
    )
    if by.area_id is None:
        same = offices.ever_in_office(person=OuterRef("opener"), role=by.role, area=None)
    return Q(opener=by.person_id) | Exists(same)  # type: ignore[return-value] # as above


def consultation_with(by: Appointment | None, pk: int) -> Consultation | None:
    return visible_to(by).filter(pk=pk).first()


def manages(by: Appointment | None, consultation: Consultation) -> bool:
    """Whether somebody is of the side that asks: it writes, opens, withdraws."""
    if by is None or not may(by, Capability.CONSULT):
        return False
    return Consultation.objects.filter(_own_side(by), pk=consultation.pk).exists()


def is_stakeholder(by: Appointment | None, consultation: Consultation) -> bool:
    """Whether somebody is the senior person who owes the answer."""
    return by is not None and by.person_id == consultation.stakeholder_id


def is_moderator(by: Appointment | None, consultation: Consultation) -> bool:
    return (
        by is not None
        and by.person_id == consultation.moderator_id
        and may(by, Capability.MODERATE_VOICE)
    )


@dataclass(frozen=True)
class Search:
    """What the list of consultations is narrowed to."""

    words: str = ""
    state: str = ""


def search(by: Appointment | None, asked: Search) -> QuerySet[Consultation]:
    found = visible_to(by)
    if asked.words:
        found = found.filter(Q(title__icontains=asked.words) | Q(policy__icontains=asked.words))
    if asked.state:
        found = found.filter(state=asked.state)
    return found


def with_answers(found: QuerySet[Consultation]) -> QuerySet[Consultation]:
    """The same, with the points of their answers read at once."""
    return found.prefetch_related("points")


# Who asks, who is asked


def areas_to_ask(by: Appointment | None) -> list[Area]:
    """The areas whose teachers and heads somebody may ask: the own, and those one step below."""
    if by is None or not may(by, Capability.CONSULT):
        return []
    seen = directory.areas_visible_to(by)
    top = seen.filter(parent=None) if by.area is None else seen.filter(pk=by.area.pk)
    return list(seen.filter(Q(pk__in=top) | Q(parent__in=top)).order_by("level", "name"))


def asked_today(consultation: Consultation) -> QuerySet[Appointment]:
    """By which appointments people would be asked today; a person may hold several."""
    roles = ASKED_ROLES[Consultation.Audience(consultation.audience)]
    return offices.in_schools_of(consultation.area, roles).order_by("pk")


def would_be_asked(consultation: Consultation) -> int:
    return asked_today(consultation).values("person").distinct().order_by().count()


def areas_below(area: Area) -> list[Area]:
    return list(offices.directly_inside(area))


def area_names(keys: Iterable[int]) -> dict[int, str]:
    return offices.names_of_areas(keys)


def seniors(area: Area | None) -> list[Person]:
    """Who may owe the answer: the ministry, and officers of the area or above it."""
    held = Q(role=Role.MINISTER)
    if area is not None:
        held |= Q(role=Role.DISTRICT_OFFICER, area__path__in=directory.paths_to(area))
    return _people(held)


def who_moderate() -> list[Appointment]:
    """Who holds an office that may moderate; the rules of a round choose among them."""
    roles = [role for role in Role.values if Capability.MODERATE_VOICE in CAPABILITIES[role]]
    held = offices.in_office(role__in=roles)
    return list(held.select_related("person", "area").order_by("person__name", "pk"))


def _people(held: Q) -> list[Person]:
    mine = offices.in_office(held, person=OuterRef("pk"))
    return list(offices.people(Exists(mine)).order_by("name", "pk"))


# Answering


def is_open(consultation: Consultation, on: date | None = None) -> bool:
    """Whether answers are taken: `closes` is the first day on which none is."""
    return consultation.state == State.OPEN and (on or directory.today()) < consultation.closes


def is_over(consultation: Consultation) -> bool:
    """Whether its time has come and it is not counted yet."""
    return consultation.state == State.OPEN and not is_open(consultation)


def eligible_row(by: Appointment | None, consultation: Consultation) -> Eligible | None:
    if by is None:
        return None
    return Eligible.objects.filter(consultation=consultation, person=by.person_id).first()


def asked_rows(consultation: Consultation) -> list[tuple[Eligible, Appointment]]:
    """Who is asked, and by which appointment they answer; for what acts for invented people."""
    held = {each.person_id: each for each in asked_today(consultation).select_related("person")}
    rows = Eligible.objects.filter(consultation=consultation).order_by("person__email")
    return [(each, held[each.person_id]) for each in rows if each.person_id in held]


def waiting_for(by: Appointment | None) -> QuerySet[Consultation]:
    """Open consultations that somebody is asked in and has not answered, the first to close first.

    Only ever asked for oneself.
    """
    if by is None or not may(by, Capability.SPEAK_UP):
        return Consultation.objects.none()
    mine = Eligible.objects.filter(consultation=OuterRef("pk"), person=by.person_id, answered=False)
    return Consultation.objects.filter(
        ~BY_MACHINE, Exists(mine), state=State.OPEN, closes__gt=directory.today()
    ).order_by("closes", "pk")


def people_asked(consultation: Consultation) -> QuerySet[Person]:
    """Everybody who was asked, while that is known: it goes when the consultation closes."""
    asked = Eligible.objects.filter(consultation=consultation, person=OuterRef("pk"))
    return offices.people(Exists(asked)).order_by("pk")


def people_of_area(consultation: Consultation) -> QuerySet[Person]:
    """Everybody who would be asked today: whom the results and the answer are told to later."""
    asked = asked_today(consultation).filter(person=OuterRef("pk")).order_by()
    return offices.people(Exists(asked)).order_by("pk")


def asked_by_machine(consultation: Consultation) -> bool:
    """Whether no person asks it: nobody owes it an answer."""
    return not consultation.stakeholder_name


def who_answered(consultation: Consultation) -> list[tuple[int, str, int | None]]:
    """Person, role and area of everybody who answered, while that is known.

    For what must know on closing which rounds the same people answered; never shown.
    """
    rows = Eligible.objects.filter(consultation=consultation, answered=True).order_by("person")
    return list(rows.values_list("person", "role", "area"))


def asked_by_slice(consultation: Consultation) -> dict[str, int]:
    """How many are asked, in the whole and in each slice, while the list stands."""
    rows = Eligible.objects.filter(consultation=consultation).order_by()
    found = {ALL: rows.count()}
    for name in ("role", "area"):
        counted = rows.exclude(**{name: None}).values_list(name).annotate(n=Count("pk"))
        found |= {f"{name}:{value}": n for value, n in counted}
    return found


def counts_of(
    rounds: Iterable[int], slices: Iterable[str] | None = None
) -> dict[int, dict[str, dict[str, dict[str, int]]]]:
    """All counts of many rounds at once, or of some slices: round, question, slice, option."""
    found: dict[int, dict[str, dict[str, dict[str, int]]]] = {}
    rows = VoiceTally.objects.filter(question__consultation__in=list(rounds)).order_by("pk")
    if slices is not None:
        rows = rows.filter(slice__in=list(slices))
    named = ("question__consultation", "question__words", "slice", "option", "n")
    for pk, words, name, option, n in rows.values_list(*named):
        found.setdefault(pk, {}).setdefault(words, {}).setdefault(name, {})[option] = n
    return found


def released(consultation: Consultation) -> list[str]:
    """The slices whose counts were kept."""
    rows = VoiceTally.objects.filter(question__consultation=consultation).order_by("slice")
    return list(rows.values_list("slice", flat=True).distinct())


def open_ones() -> list[Consultation]:
    """What people opened, for the worker; who asks as a machine keeps its own time."""
    found = Consultation.objects.filter(~BY_MACHINE, state=State.OPEN)
    return list(found.select_related("area").order_by("pk"))


def keys_in_use() -> list[UUID]:
    """Every sealing key that a row names."""
    rounds = Consultation.objects.exclude(key_id=None).values_list("key_id", flat=True)
    boxes = SuggestionSettings.objects.exclude(key_id=None).values_list("key_id", flat=True)
    above = [each for keys in KEYS_ABOVE for each in keys()]
    return [each for each in [*rounds, *boxes, *above] if each is not None]


# Results


def too_few(consultation: Consultation) -> bool:
    """Whether it closed with fewer than five answers: nothing more was kept."""
    return consultation.closed_at is not None and consultation.answers is None


@dataclass(frozen=True)
class SliceResult:
    """How many answered, and how many chose each option, in the whole or in a slice of it."""

    key: str
    """"all", "role:head", "area:12"."""
    label: str
    n: int
    counts: tuple[int, ...]
    """As many as the question has options."""

    @property
    def no_answer(self) -> int:
        """Who answered the consultation and left this question out."""
        return self.n - sum(self.counts)


@dataclass(frozen=True)
class QuestionResult:
    """What was answered to one question, as far as it may be shown."""

    question: VoiceQuestion
    options: tuple[str, ...]
    slices: tuple[SliceResult, ...]
    """The whole first; none for a question in own words."""
    written: int
    """How many wrote own words; 0 where fewer than five did, whose words are gone."""

    @property
    def whole(self) -> SliceResult | None:
        return self.slices[0] if self.slices else None


def results(consultation: Consultation) -> list[QuestionResult]:
    """What may be shown of the answers, question by question; [] before it is counted."""
    if consultation.closed_at is None:
        return []
    questions = list(consultation.questions.all())
    tallies: dict[int, dict[str, dict[str, int]]] = {}
    rows = VoiceTally.objects.filter(question__consultation=consultation)
    for question, name, option, n in rows.values_list("question", "slice", "option", "n"):
        tallies.setdefault(question, {}).setdefault(name, {})[option] = n
    labels = _labels({name for each in tallies.values() for name in each})
    return [_result(each, tallies.get(each.pk, {}), labels) for each in questions]


def _result(
    question: VoiceQuestion, found: dict[str, dict[str, int]], labels: dict[str, str]
) -> QuestionResult:
    options = options_of(question)
    if question.kind == VoiceQuestion.Kind.TEXT:
        return QuestionResult(question, (), (), found.get(ALL, {}).get("", 0))
    order = sorted(found, key=lambda name: (name != ALL, name[:4] == "area", labels[name]))
    slices = tuple(
        SliceResult(
            name, labels[name], found[name].get("", 0),
            tuple(found[name].get(option, 0) for option in options),
        )
        for name in order
    )  # fmt: skip
    return QuestionResult(question, tuple(options), slices, 0)


def _labels(names: Iterable[str]) -> dict[str, str]:
    keys = [int(name[5:]) for name in names if name.startswith("area:")]
    areas = area_names(keys)
    return {name: slice_label(name, areas) for name in names}


def options_of(question: VoiceQuestion) -> Sequence[str]:
    """What can be chosen, as it is counted."""
    if question.kind == VoiceQuestion.Kind.SCALE:
        return SCALE
    return list(question.options) if question.kind == VoiceQuestion.Kind.CHOICE else []


def comments_of(consultation: Consultation) -> QuerySet[VoiceComment]:
    """All comments, in the order drawn by lot. What of them is shown is `response_queries`'."""
    return VoiceComment.objects.filter(question__consultation=consultation)


def owed_an_answer() -> QuerySet[Consultation]:
    """Whatever closed and was not answered yet, the oldest first."""
    return Consultation.objects.filter(~BY_MACHINE, state=State.CLOSED).order_by("pk")
