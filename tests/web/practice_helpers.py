"""Practices of the invented world, by the same actions as the pages use."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from brightspots_web.connectedness import practice_actions as actions
from brightspots_web.connectedness import practice_adoption_actions as adopting
from brightspots_web.connectedness.models import Practice, PracticeAdoption
from brightspots_web.directory.models import Appointment, Person
from brightspots_web.insight import bright_spot_actions
from brightspots_web.shared.permissions import Role
from tests.web.bright_spot_helpers import a_run
from tests.web.world import FORMED, World

TEXT = actions.Text(
    title="Fours by turns",
    summary="Whoever is stuck is taught in fours in the second week.",
    context="A primary school of 240 pupils.",
    what_to_do="Look at Monday's books.\nChoose four.\nTeach them on Tuesday.",
    what_it_takes="Half an hour a day and no money.",
    evidence="Two visits.",
)


def today() -> date:
    return timezone.localdate()


def days_ago(n: int) -> date:
    return today() - timedelta(days=n)


def text(**changed: str) -> actions.Text:
    return replace(TEXT, **changed)


def head_of(world: World, code: str) -> Appointment:
    """The head of a school, appointed if there is none yet."""
    school = world.schools[code]
    found = Appointment.objects.filter(school=school, role__in=[Role.HEAD, Role.SYSTEM_LEADER])
    found = found.filter(ends=None)
    if found.exists():
        return found.get()
    person = Person.objects.create_user(f"{code}@test.invalid", "a long password", name=f"H {code}")
    return Appointment.objects.create(person=person, role=Role.HEAD, school=school, starts=FORMED)


def a_draft(world: World, *, code: str = "N2", **changed: str) -> Practice:
    writer = head_of(world, code)
    return actions.write(world.schools[code], text(**changed), by=writer, language="en")


def a_practice(world: World, *, code: str = "N2", **changed: str) -> Practice:
    """A published practice, written by the school's head and published by the ministry."""
    practice = a_draft(world, code=code, **changed)
    actions.publish(practice, by=world.cast["minister"], seen=practice.version)
    practice.refresh_from_db()
    return practice


def adopted(
    world: World, practice: Practice, code: str, source: PracticeAdoption | None = None, **more: Any
) -> PracticeAdoption:
    more.setdefault("on", source.on if source else days_ago(100))
    return adopting.adopt(practice, by=head_of(world, code), source=source, **more)


def a_confirmed_spot(world: World) -> None:
    """Reading at N2 is a confirmed bright spot of a published analysis."""
    a_run(world)
    for state, ago, note in (("visited", 20, "Both lessons began at once."),
                             ("confirmed", 10, "The books show it too.")):  # fmt: skip
        bright_spot_actions.take_step(
            world.schools["N2"], "Reading", by=world.cast["minister"], to=state,
            on=days_ago(ago), note=note,
        )  # fmt: skip
