"""Agreements and proposals of the invented world, by the same actions as the pages use."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from brightspots_web.alignment import agreement_actions, proposal_queries
from brightspots_web.alignment import proposal_actions as actions
from brightspots_web.alignment.agreement_actions import Calendar
from brightspots_web.alignment.models import Agreement, PriorityProposal
from brightspots_web.directory.models import Appointment
from tests.web.world import World

DAYS = {"propose": -10, "consult": 20, "ballot": 50, "adopt": 70, "work": 80, "review": 300}
"""When phases begin, in days from today, in the midst of proposing."""
LENGTH = {"propose": 30, "consult": 30, "ballot": 20}


def today() -> date:
    return timezone.localdate()


def calendar(phase: str = "propose", *, name: str = "Next year", day: int = 10) -> Calendar:
    """A calendar of which today is such a day of that phase."""
    shift = timedelta(days=-DAYS[phase] - day)
    begins: dict[str, Any] = {
        f"{each}_from": today() + timedelta(days=at) + shift for each, at in DAYS.items()
    }
    return Calendar(
        name,
        starts=begins["work_from"] - timedelta(days=1),
        ends=begins["review_from"] + timedelta(days=60),
        **begins,
    )


def an_agreement(world: World, phase: str = "propose", **more: Any) -> Agreement:
    return agreement_actions.make_agreement(calendar(phase, **more), by=world.cast["minister"])


def move_to(world: World, agreement: Agreement, phase: str, day: int = 10) -> Agreement:
    """Let today be in another phase, as time would."""
    wanted = calendar(phase, name=agreement.cycle.name, day=day)
    return agreement_actions.change_agreement(
        agreement, wanted, by=world.cast["minister"], seen=None, sure=True
    )


TEXT = actions.Text(
    title="Every child reads by ten",
    why="Who cannot read by ten learns little of anything after.",
    drivers="Teachers see how each child reads\n  A short check every month",
)


def text(**changed: Any) -> actions.Text:
    return replace(TEXT, **changed)


def a_draft(agreement: Agreement, by: Appointment, **changed: Any) -> PriorityProposal:
    voice = proposal_queries.voices_of(by)[0]
    return actions.write_draft(agreement, voice, text(**changed), by=by)


def proposed(agreement: Agreement, by: Appointment, **changed: Any) -> PriorityProposal:
    """On the table, from the place of the appointment."""
    draft = a_draft(agreement, by, **changed)
    return actions.propose(draft, by=by, seen=draft.version)


def one(key: int) -> PriorityProposal:
    return PriorityProposal.objects.select_related("agreement__cycle").get(pk=key)


def titled(title: str) -> PriorityProposal:
    return PriorityProposal.objects.get(title=title)
