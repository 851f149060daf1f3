"""All reads of promises between equals: whose they are, who may read them and who does what.

A promise is read by the people of the partnership it was given to, by the school whose pupils its
second half counts, by its witnesses and by the peers who verify it. Wider only when the school
wishes: everybody in the area (its district, and the officers over it) or in the system. A draft is
read by those alone who write it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, OuterRef, Q, QuerySet

from brightspots_web.accountability.pledge_models import (
    Pledge,
    PledgeEvidence,
    PledgeScore,
    PledgeSet,
    PledgeSettings,
    PledgeWitness,
)
from brightspots_web.alignment import living_queries as living
from brightspots_web.alignment import queries as alignment
from brightspots_web.alignment.models import PriorityIndicator
from brightspots_web.devolution import note_queries
from brightspots_web.devolution.models import DataNote
from brightspots_web.directory import queries as directory
from brightspots_web.directory import record_queries
from brightspots_web.directory.models import Appointment, Cycle, Person, School
from brightspots_web.shared.permissions import Capability, Role, may

State = Pledge.State
Half = Pledge.Half
STANDS = (State.VOWED, State.WITNESSED, State.SCORED, State.VERIFIED)
"""Promised, and neither a draft nor taken back."""
RUNS = (State.VOWED, State.WITNESSED)
"""Promised, and not scored yet."""
NOTHING = Q(pk__in=[])


def settings() -> PledgeSettings:
    """How promises are scored; the values of the model before anybody set others."""
    return PledgeSettings.objects.order_by("pk").first() or PledgeSettings()


# Who reads what


def visible_to(by: Appointment | None) -> QuerySet[Pledge]:
    """Promises this appointment may open."""
    found = Pledge.objects.select_related(
        "set__school__area", "set__partnership", "set__cycle", "other_school", "priority",
        "indicator",
    )  # fmt: skip
    return found.filter(_read_by(by))


def _read_by(by: Appointment | None) -> Q:
    if by is None:
        return NOTHING
    drafts = Q(state=State.DRAFT)
    given = (
        Q(audience=Pledge.Audience.SYSTEM)
        | _of_partnership(by)
        | _of_area(by)
        | _stood_by(by)
        | directory.line_of(by.school_id, "set__school")
    )
    if by.school_id is not None:
        given |= Q(other_school=by.school_id)
    read = given & ~drafts
    if may(by, Capability.PLEDGE) and by.school_id is not None:
        read |= drafts & Q(set__school=by.school_id)
    return read


def _of_partnership(by: Appointment) -> Q:
    """Given to the partnership one leads, or one's school is in today."""
    keys = Q(set__partnership=by.partnership_id) if by.partnership_id else NOTHING
    if by.school_id is not None:
        own = directory.live_memberships().filter(school=by.school_id).values("partnership")
        keys |= Q(set__partnership__in=own)
    return keys


def _of_area(by: Appointment) -> Q:
    """Told to everybody in the area: the schools of the district, and who looks after it."""
    wide = Q(audience=Pledge.Audience.AREA)
    if by.role in {Role.MINISTER, Role.ANALYST}:
        return wide
    if by.area is not None:
        return wide & Q(set__school__area__path__startswith=by.area.path)
    if by.school is not None:
        return wide & Q(set__school__area=by.school.area_id)
    return NOTHING


def _stood_by(by: Appointment) -> Q:
    """What a person was asked to witness or to verify, as head of that school."""
    if by.school_id is None or not may(by, Capability.PLEDGE):
        return NOTHING
    mine = {"person": by.person_id, "school": by.school_id}
    asked = PledgeWitness.objects.filter(**mine).exclude(state=PledgeWitness.State.LEFT)
    verify = PledgeScore.objects.filter(**mine)
    return Q(pk__in=asked.order_by().values("pledge")) | Q(
        pk__in=verify.order_by().values("pledge")
    )


def pledge_with(by: Appointment | None, pk: int) -> Pledge | None:
    return visible_to(by).filter(pk=pk).first()


def sets_visible_to(by: Appointment | None) -> QuerySet[PledgeSet]:
    """What schools promise in a cycle, where this appointment may open at least one promise."""
    seen = Pledge.objects.filter(_read_by(by), set=OuterRef("pk"))
    half = Pledge.objects.filter(set=OuterRef("pk"), state__in=STANDS)
    found = PledgeSet.objects.select_related("school__area", "partnership", "cycle")
    return found.filter(Exists(seen)).annotate(
        has_own=Exists(half.filter(half=Half.OWN)), has_other=Exists(half.filter(half=Half.OTHER))
    )


def set_with(by: Appointment | None, pk: int) -> PledgeSet | None:
    """A set that somebody may open, saying `has_own` and `has_other`; None where there is none."""
    return sets_visible_to(by).filter(pk=pk).first()


def is_complete(found: PledgeSet) -> bool:
    """Whether something is promised for the own school, and for another one."""
    if hasattr(found, "has_own"):
        return bool(found.has_own and getattr(found, "has_other", False))
    halves = Pledge.objects.filter(set=found, state__in=STANDS).values_list("half", flat=True)
    return {Half.OWN, Half.OTHER} <= set(halves)


def with_completeness(pledges: QuerySet[Pledge]) -> QuerySet[Pledge]:
    """Each promise saying `has_own` and `has_other` of the set it is in."""
    half = Pledge.objects.filter(set=OuterRef("set"), state__in=STANDS)
    return pledges.annotate(
        has_own=Exists(half.filter(half=Half.OWN)), has_other=Exists(half.filter(half=Half.OTHER))
    )


def pledges_in(by: Appointment | None, sets: Iterable[PledgeSet]) -> dict[int, list[Pledge]]:
    """Set's key -> its promises that somebody may read, the own half first."""
    found: dict[int, list[Pledge]] = {each.pk: [] for each in sets}
    rows = visible_to(by).filter(set__in=list(found))
    for row in rows.order_by("pk"):
        found[row.set_id].append(row)
    for each in found.values():
        each.sort(key=lambda row: (row.half != Half.OWN, row.state == State.WITHDRAWN, row.pk))
    return found


@dataclass(frozen=True)
class Search:
    """What the list of promises is narrowed to."""

    cycle: int | None = None
    state: str = ""
    mine: bool = False


def search(by: Appointment | None, asked: Search) -> QuerySet[PledgeSet]:
    """The sets one may read that fit, by the name of the school: no order but the alphabet."""
    found = sets_visible_to(by)
    if asked.cycle is not None:
        found = found.filter(cycle=asked.cycle)
    if asked.state:
        fits = Pledge.objects.filter(_read_by(by), set=OuterRef("pk"), state=asked.state)
        found = found.filter(Exists(fits))
    if asked.mine and by is not None:
        touched = Pledge.objects.filter(_stood_by(by), set=OuterRef("pk"))
        own = directory.line_of(by.school_id, "school")
        found = found.filter(own | Exists(touched))
    return found.order_by("school__name", "school__code", "-cycle__starts")


# Who does what


def is_own(by: Appointment | None, pledge: Pledge) -> bool:
    """Whoever promises: the head of the school, or the leader who is head there."""
    return (
        by is not None
        and may(by, Capability.PLEDGE)
        and by.school_id is not None
        and by.school_id == pledge.set.school_id
    )


def may_write(by: Appointment | None) -> bool:
    """Whether somebody can promise: for an open school, within a partnership."""
    return (
        by is not None
        and may(by, Capability.PLEDGE)
        and by.school is not None
        and (by.school.closed is None or by.school.closed > directory.today())
        and directory.partnership_of(by.school) is not None
    )


def witness_asked(by: Appointment | None, pledge: Pledge) -> PledgeWitness | None:
    """The row by which somebody was asked to witness a promise, answered or not."""
    if by is None or by.school_id is None or not may(by, Capability.PLEDGE):
        return None
    found = PledgeWitness.objects.filter(pledge=pledge, person=by.person_id, school=by.school_id)
    return found.exclude(state=PledgeWitness.State.LEFT).first()


def may_show(by: Appointment | None, pledge: Pledge) -> bool:
    """Who adds what was seen: whoever promises, the other school's head, a witness who accepted."""
    if pledge.state not in STANDS or by is None or not may(by, Capability.PLEDGE):
        return False
    if is_own(by, pledge) or (by.school_id is not None and by.school_id == pledge.other_school_id):
        return True
    witness = witness_asked(by, pledge)
    return witness is not None and witness.state == PledgeWitness.State.ACCEPTED


def may_remove(by: Appointment | None, evidence: PledgeEvidence) -> bool:
    """Who added it, and whoever promises: a picture of a child must not stay by mistake."""
    if by is None or not may(by, Capability.PLEDGE):
        return False
    return evidence.by == by.label[:300] or is_own(by, evidence.pledge)


# What there is to choose from


def cycles_to_promise_in() -> list[Cycle]:
    """Cycles that are not over, the one that runs first."""
    return [each for each in reversed(record_queries.cycles()) if each.ends > directory.today()]


def cycles_seen(by: Appointment | None) -> list[Cycle]:
    """Cycles in which there is something to read, and those to come; the newest first."""
    used = set(sets_visible_to(by).order_by().values_list("cycle", flat=True))
    open_keys = {each.pk for each in cycles_to_promise_in()}
    return [each for each in record_queries.cycles() if each.pk in used | open_keys]


def measures_to_choose() -> list[PriorityIndicator]:
    """The indicators of the live priorities, those with a published value for schools first."""
    found = []
    for priority in alignment.live_priorities():
        measures = living.measures_of(priority)
        for each in measures:
            each.priority = priority
        found += sorted(measures, key=lambda each: each.figure != PriorityIndicator.Figure.MEAN)
    return found


def schools_to_count(school: School) -> list[School]:
    """Other open schools of the area, of any partnership; one step up where there is no other."""
    areas = [school.area, *([school.area.parent] if school.area.parent else [])]
    for area in areas:
        around = directory.open_schools().filter(directory.within(area)).exclude(pk=school.pk)
        found = list(around.order_by("name", "code"))
        if found:
            return found
    return []


def may_witness(pledge: Pledge) -> list[Appointment]:
    """Heads and leaders of other schools, in the partnership and around, by school's name.

    Nobody twice who answers for two schools; nobody who answers for the school that promises.
    """
    school = pledge.set.school
    members = directory.live_memberships().filter(partnership=pledge.set.partnership_id)
    near = Q(school__in=members.values("school")) | Q(school__area=school.area_id)
    ours = directory.heads().filter(school=school).values("person")
    asked = PledgeWitness.objects.filter(
        pledge=pledge, state__in=[PledgeWitness.State.ASKED, PledgeWitness.State.ACCEPTED]
    )
    held = (
        directory.heads()
        .filter(near)
        .exclude(school=school)
        .exclude(person__in=ours)
        .exclude(school__in=asked.values("school"))
        .select_related("person", "school__area", "partnership")
        .order_by("school__name", "school__code", "role", "pk")
    )
    found: dict[int, Appointment] = {}
    for each in held:
        found.setdefault(each.person_id, each)
    return list(found.values())


def notes_to_show(by: Appointment | None) -> list[DataNote]:
    """The school's own small data notes that it has shared, the newest first."""
    if by is None or by.school is None:
        return []
    shared = note_queries.notes_visible_to(by).filter(school=by.school, shared_at__isnull=False)
    return list(shared.order_by("-on", "-pk")[:50])


# What waits


def asked_of(by: Appointment | None) -> list[PledgeWitness]:
    """Promises somebody was asked to witness and has not answered for; the oldest first."""
    if by is None or by.school_id is None or not may(by, Capability.PLEDGE):
        return []
    waiting = PledgeWitness.objects.filter(
        person=by.person_id,
        school=by.school_id,
        state=PledgeWitness.State.ASKED,
        pledge__state__in=STANDS,
    )
    return list(waiting.select_related("pledge__set__school").order_by("asked_at")[:5])


def running_of(by: Appointment | None) -> Sequence[Pledge]:
    """Promises of the own school that run, or are still drafts; the nearest first."""
    if by is None or by.school_id is None or not may(by, Capability.PLEDGE):
        return []
    found = Pledge.objects.filter(set__school=by.school_id, state__in=[State.DRAFT, *RUNS])
    return list(found.select_related("set__school", "indicator").order_by("due", "pk")[:20])


def witnesses_of(pledge: Pledge) -> list[PledgeWitness]:
    return list(PledgeWitness.objects.filter(pledge=pledge).select_related("school"))


# For the daily job


def witnesses_who_may_have_left() -> list[PledgeWitness]:
    """Witnesses of promises that stand whose person answers for their school no longer."""
    holds = directory.heads().filter(school=OuterRef("school"), person=OuterRef("person"))
    return list(
        PledgeWitness.objects.filter(
            ~Exists(holds),
            pledge__state__in=STANDS,
            state__in=[PledgeWitness.State.ASKED, PledgeWitness.State.ACCEPTED],
        ).select_related("pledge__set__school", "pledge__set__partnership", "school")
    )


def to_remind_of(on: date) -> list[Pledge]:
    """Promises that run and whose day has come, or that may have no check-in for long."""
    found = Pledge.objects.filter(state__in=RUNS).exclude(reminded="due")
    return list(
        found.filter(Q(due__lte=on) | ~Q(reminded="check_in"))
        .select_related("set__school", "set__partnership")
        .prefetch_related("check_ins")
    )


def people_who_promise(pledge: Pledge) -> list[Person]:
    """Who answers for the school that promises today."""
    held = directory.heads().filter(school=pledge.set.school_id).select_related("person")
    return [each.person for each in held]


def open_to(by: Appointment | None, schools: Iterable[int]) -> set[int]:
    """Of these schools, the keys of those whose published values somebody may see."""
    keys = {each for each in schools if each}
    found = set(directory.schools_visible_to(by).filter(pk__in=keys).values_list("pk", flat=True))
    if by is not None and by.school_id in keys:
        found.add(by.school_id or 0)
    return found


def sees_values(by: Appointment | None, pledge: Pledge) -> bool:
    """Whether somebody who may read a promise sees the published values it is held to.

    Of the school that promises: it made them public with the promise. Of another school that it
    counts: whoever may open that school's own page, since that one has promised nothing.
    """
    if pledge.other_school_id is None:
        return True
    return pledge.other_school_id in open_to(by, [pledge.other_school_id])


def evidence_with(by: Appointment | None, pk: int) -> PledgeEvidence | None:
    """A piece of evidence of a promise that one may read, without its file."""
    visible = visible_to(by).values("pk")
    found = PledgeEvidence.objects.filter(pledge__in=visible, pk=pk)
    return found.defer("file").select_related("pledge__set__school").first()


def witnesses_in(pledge: Pledge, states: Iterable[str]) -> list[Person]:
    """Whoever was asked to witness and is in one of these states."""
    rows = PledgeWitness.objects.filter(pledge=pledge, state__in=list(states))
    return [each.person for each in rows.select_related("person") if each.person is not None]
