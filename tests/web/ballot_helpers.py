"""A cycle in its ballot, with proposals, in the system of `tests/web/world.py`."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone

from brightspots_web.alignment import ballot_actions, ballot_vote_actions
from brightspots_web.alignment.models import Agreement, Ballot, PriorityProposal
from brightspots_web.directory.models import Appointment, Cycle
from brightspots_web.shared.permissions import Role
from tests.web.world import World

PHASES = ("propose", "consult", "ballot", "adopt", "work", "review")
TITLES = ("Early reading", "Number sense", "Talk in lessons", "Attendance")


def an_agreement(phase: str = "ballot", *, weights: dict[str, int] | None = None) -> Agreement:
    """A cycle that stands in the middle of a phase, each of them twenty days long."""
    today = timezone.localdate()
    begun = today - timedelta(days=10)
    at = PHASES.index(phase)
    days = {
        f"{name}_from": begun + timedelta(days=20 * (number - at))
        for number, name in enumerate(PHASES)
    }
    cycle = Cycle.objects.create(
        name=f"Cycle {Cycle.objects.count() + 1}",
        starts=days["propose_from"],
        ends=days["review_from"] + timedelta(days=20),
    )
    return Agreement.objects.create(
        cycle=cycle, weights=weights or {"school": 1}, changed_at=timezone.now(), **days
    )


def move_to(agreement: Agreement, phase: str) -> None:
    """Move the calendar so that today lies in the middle of a phase."""
    begun = getattr(agreement, f"{phase}_from")
    by = timezone.localdate() - timedelta(days=10) - begun
    for name in PHASES:
        setattr(agreement, f"{name}_from", getattr(agreement, f"{name}_from") + by)
    agreement.cycle.starts += by
    agreement.cycle.ends += by
    agreement.cycle.save()
    agreement.save()


def proposals(
    agreement: Agreement, titles: Sequence[str] = TITLES, *, by: Appointment | None = None
) -> list[PriorityProposal]:
    now = timezone.now()
    return [
        PriorityProposal.objects.create(
            agreement=agreement,
            title=title,
            why=f"(Invented.) Why {title.lower()}.",
            subject="Reading" if title == "Early reading" else "",
            drivers="Teachers see how each child reads\n  A short check every month",
            tier="school",
            school=by.school if by else None,
            by=by.label if by else "Somebody",
            appointment=str(by.pk) if by else "",
            at=now,
            changed_at=now,
            state=PriorityProposal.State.OPEN,
        )
        for title in titles
    ]


def opened(world: World, *, seats: int = 2, titles: Sequence[str] = TITLES, **more: Any) -> Ballot:
    """An open ballot of a cycle in the middle of its ballot."""
    agreement = an_agreement(**more)
    proposals(agreement, titles, by=world.cast["head"])
    return ballot_actions.open_ballot(
        agreement, seats=seats, closes_on=agreement.adopt_from, by=world.cast["minister"]
    )


def over(ballot: Ballot) -> Ballot:
    """The same ballot on the day after its end."""
    move_to(ballot.agreement, "adopt")
    return Ballot.objects.select_related("agreement__cycle").get(pk=ballot.pk)


def closed(world: World, **more: Any) -> Ballot:
    """A counted ballot in which four schools voted, for the first two proposals."""
    ballot = opened(world, **more)
    first, second, third = (key_of(ballot, title) for title in TITLES[:3])
    for who, ranking in (
        ("head", [first, second]),
        ("partner_head", [first, third]),
        ("other_head", [second]),
        ("system_leader", []),
    ):
        ballot_vote_actions.cast(ballot, "school", ranking, by=world.cast[who])
    return ballot_actions.close_ballot(over(ballot), by=world.cast["minister"])


def key_of(ballot: Ballot, title: str) -> int:
    return next(int(each["key"]) for each in ballot.choices if each["title"] == title)


def a_head(world: World, code: str) -> Appointment:
    """Somebody who answers for a school that has nobody in the cast."""
    from brightspots_web.directory.models import Person

    person = Person.objects.create_user(f"{code}@test.invalid", "a long password", name=code)
    return Appointment.objects.create(
        person=person, role=Role.HEAD, school=world.schools[code], starts="2024-09-01"
    )
