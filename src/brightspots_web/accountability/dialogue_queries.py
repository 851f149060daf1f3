"""All reads of dialogues and of commitments: who sees them, who calls and answers, what is due."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from brightspots_web.accountability import voice_queries
from brightspots_web.accountability.models import (
    Commitment,
    Consultation,
    Dialogue,
    DialogueGuest,
    DialogueItem,
    Suggestion,
)
from brightspots_web.directory import office_queries as offices
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Area, Person
from brightspots_web.shared.permissions import Capability, Role, may

State = Dialogue.State
Guest = DialogueGuest.State
GUEST_ROLES = (Role.TEACHER, Role.HEAD, Role.SYSTEM_LEADER)
SOON = timedelta(days=7)


def visible_to(by: Appointment | None) -> QuerySet[Dialogue]:
    """Dialogues of the own area, above it and (for officers) below it, and those one is asked to.

    Everybody there may read the agenda, the minutes and what was promised.
    """
    found = Dialogue.objects.select_related("area", "consultation", "stakeholder")
    if by is None:
        return found.none()
    asked = DialogueGuest.objects.filter(dialogue=OuterRef("pk"), person=by.person_id)
    return found.filter(voice_queries.in_sight(by) | Q(stakeholder=by.person_id) | Q(Exists(asked)))


def calls_in(by: Appointment | None, area: Area) -> bool:
    """Whether somebody calls dialogues in an area, writes their minutes and answers for them."""
    if by is None or not may(by, Capability.CONSULT):
        return False
    if by.role == Role.MINISTER:
        return True
    return by.area is not None and area.path.startswith(by.area.path)


def runs(by: Appointment | None, dialogue: Dialogue) -> bool:
    mine = by is not None and by.person_id == dialogue.stakeholder_id
    return (mine and may(by, Capability.CONSULT)) or calls_in(by, dialogue.area)


def guests_of(dialogue: Dialogue) -> list[DialogueGuest]:
    return list(dialogue.guests.select_related("school", "person").order_by("name", "pk"))


def points_visible_to(by: Appointment | None) -> QuerySet[DialogueItem]:
    seen = visible_to(by).values("pk")
    return DialogueItem.objects.select_related("dialogue").filter(dialogue__in=seen)


def seat_of(by: Appointment | None, dialogue: Dialogue) -> DialogueGuest | None:
    if by is None:
        return None
    return DialogueGuest.objects.filter(dialogue=dialogue, person=by.person_id).first()


def told_of(dialogue: Dialogue) -> list[Person]:
    """Guests who did not say that they cannot come, and who answers there."""
    comes = dialogue.guests.exclude(state=Guest.CANNOT).values("person")
    return list(offices.people(Q(pk__in=comes) | Q(pk=dialogue.stakeholder_id)))


# Who is asked: drawn by lot, one area and role after the other


def drawn(dialogue: Dialogue, seats: int, lot: random.Random) -> list[Appointment]:
    """Whom to ask next: as even as can be over the areas below and over teachers and heads.

    Nobody picks them. Whoever was asked before, whatever they answered, is not drawn again.
    """
    asked = dialogue.guests.values("person")
    able = (
        offices.in_schools_of(dialogue.area, GUEST_ROLES)
        .exclude(person__in=asked)
        .exclude(person=dialogue.stakeholder_id)
        .select_related("person", "school__area")
        .order_by("pk")
    )
    taken: dict[tuple[str, str], int] = {}
    there = dialogue.guests.exclude(state=Guest.CANNOT).select_related("school__area")
    for each in there:
        key = _group(each.school.area.path if each.school else "", each.role, dialogue)
        taken[key] = taken.get(key, 0) + 1
    waiting: dict[tuple[str, str], list[Appointment]] = {}
    for one in able:
        assert one.school is not None
        key = _group(one.school.area.path, _side(one.role), dialogue)
        waiting.setdefault(key, []).append(one)
    for group in waiting.values():
        lot.shuffle(group)
    return _one_after_the_other(waiting, taken, seats, lot)


def _one_after_the_other(
    waiting: dict[tuple[str, str], list[Appointment]],
    taken: dict[tuple[str, str], int],
    seats: int,
    lot: random.Random,
) -> list[Appointment]:
    chosen: dict[int, Appointment] = {}
    roles = dict.fromkeys({role for _area, role in waiting}, 0)
    for (_area, role), n in taken.items():
        roles[role] = roles.get(role, 0) + n
    while waiting and len(chosen) < seats:
        # Fewest of the group first, then of the role; level ones by lot.
        key = min(
            sorted(waiting), key=lambda each: (taken.get(each, 0), roles[each[1]], lot.random())
        )
        one = waiting[key].pop()
        if not waiting[key]:
            del waiting[key]
        if one.person_id in chosen:
            continue
        chosen[one.person_id] = one
        taken[key] = taken.get(key, 0) + 1
        roles[key[1]] += 1
    return list(chosen.values())


def _side(role: str) -> str:
    return "teacher" if role == Role.TEACHER else "head"


def _group(path: str, role: str, dialogue: Dialogue) -> tuple[str, str]:
    """The area one step below the dialogue's, and the role."""
    return path.removeprefix(dialogue.area.path).split("/")[0], role


# What the agenda is drawn from


def voices_for(by: Appointment | None, area: Area) -> list[Consultation]:
    """Consultations of the area that are counted, or open, whose question may be a point."""
    found = voice_queries.visible_to(by).filter(
        Q(area__path__startswith=area.path) | Q(area__path__in=directory.paths_to(area)),
        opened_at__isnull=False,
    )
    return list(found.exclude(state=Consultation.State.WITHDRAWN)[:30])


def suggestions_for(area: Area) -> list[Suggestion]:
    """Suggestions that a moderator has read and that everybody of the area sees."""
    shown = (Suggestion.State.SHOWN, Suggestion.State.ANSWERED)
    return list(
        Suggestion.objects.filter(
            Q(box__area__path__startswith=area.path)
            | Q(box__area__path__in=directory.paths_to(area)),
            state__in=shown,
        )[:30]
    )


# Commitments


def commitments_visible_to(by: Appointment | None) -> QuerySet[Commitment]:
    """What was promised where somebody may read it: open ones first, the nearest first."""
    found = Commitment.objects.select_related(
        "dialogue__area", "consultation__area", "owner", "dialogue__stakeholder"
    )
    if by is None:
        return found.none()
    return found.filter(
        Q(dialogue__in=visible_to(by).values("pk"))
        | Q(consultation__in=voice_queries.visible_to(by).values("pk"))
        | Q(owner=by.person_id)
    )


@dataclass(frozen=True)
class Search:
    """What the list of commitments is narrowed to."""

    words: str = ""
    state: str = ""
    """"open", "overdue", "kept", "not_kept"."""


def search(by: Appointment | None, asked: Search) -> QuerySet[Commitment]:
    found = commitments_visible_to(by)
    if asked.words:
        found = found.filter(Q(what__icontains=asked.words) | Q(owner_name__icontains=asked.words))
    if asked.state == "overdue":
        found = found.filter(state=Commitment.State.OPEN, due__lt=directory.today())
    elif asked.state:
        found = found.filter(state=asked.state)
    return found


def area_of(commitment: Commitment) -> Area:
    given = commitment.dialogue or commitment.consultation
    assert given is not None  # held by a constraint
    return given.area


def answers_for(by: Appointment | None, commitment: Commitment) -> bool:
    """Who says how it stands: its owner, and who calls dialogues in its area."""
    if by is None or not may(by, Capability.CONSULT):
        return False
    return by.person_id == commitment.owner_id or calls_in(by, area_of(commitment))


def may_commit(by: Appointment | None, given: Dialogue | Consultation) -> bool:
    """Whether somebody promises there: who answers, and who calls dialogues in the area."""
    if by is None or not may(by, Capability.CONSULT):
        return False
    return by.person_id == given.stakeholder_id or calls_in(by, given.area)


def is_overdue(commitment: Commitment) -> bool:
    return commitment.state == Commitment.State.OPEN and commitment.due < directory.today()


def owners(area: Area) -> list[Person]:
    """Who may own a promise: the ministry, and officers of the area or above it."""
    return voice_queries.seniors(area)


# What waits


def waiting_for(by: Appointment) -> Sequence[Dialogue]:
    """Dialogues one is asked to and has not answered, and those whose minutes one owes."""
    asked = DialogueGuest.objects.filter(
        dialogue=OuterRef("pk"), person=by.person_id, state=Guest.ASKED
    )
    today = directory.today()
    owed = Q(stakeholder=by.person_id, on__lte=today)
    return list(
        Dialogue.objects.filter(
            Q(Exists(asked), on__gte=today) | owed, state=State.CALLED
        ).order_by("on", "pk")[:3]
    )


def owed_by(by: Appointment, until: date) -> Sequence[Commitment]:
    return list(
        Commitment.objects.filter(
            owner=by.person_id, state=Commitment.State.OPEN, due__lte=until
        ).order_by("due", "pk")[:3]
    )


def overdue() -> QuerySet[Commitment]:
    return Commitment.objects.filter(
        state=Commitment.State.OPEN, due__lt=directory.today()
    ).order_by("due", "pk")


def to_look_after() -> list[Dialogue]:
    return list(Dialogue.objects.filter(state=State.CALLED).select_related("area"))


def open_commitments() -> list[Commitment]:
    return list(
        Commitment.objects.filter(state=Commitment.State.OPEN).select_related(
            "dialogue__area", "consultation__area", "owner"
        )
    )
