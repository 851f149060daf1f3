"""Leaders of the invented world who rate, learn and coach, by the same actions as the pages use."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from brightspots_web.directory.models import Appointment, Person
from brightspots_web.leaders import coaching_actions as coaching
from brightspots_web.leaders import development_framework_actions as framework_actions
from brightspots_web.leaders import development_learning_actions as learning_actions
from brightspots_web.leaders import development_rating_actions as rating
from brightspots_web.leaders.development_rating_actions import Said
from brightspots_web.leaders.models import (
    CoachingNote,
    CoachingPair,
    Competence,
    CompetenceRating,
    Learning,
)
from brightspots_web.shared.permissions import Role
from tests.web.world import FORMED, World

SECRET = "The marking of the second year is a worry to both of us."
"""Words of a coaching note that nobody but the two may ever see."""
EVIDENCE = "We sat with the books of both classes on Friday and found the same mistake."


def today() -> date:
    return timezone.localdate()


def framework(world: World) -> list[Competence]:
    framework_actions.begin(by=world.cast["minister"])
    return list(Competence.objects.all())


def competence(code: str = "coaching") -> Competence:
    return Competence.objects.get(code=code)


def rated(
    world: World, level: int = 2, *, who: str = "system_leader", code: str = "coaching"
) -> CompetenceRating:
    if not Competence.objects.exists():
        framework(world)
    return rating.rate_self(competence(code), Said(level, EVIDENCE), by=world.cast[who])


def asked(world: World, who: str = "head", codes: tuple[str, ...] = ("coaching",)) -> None:
    """The leader of Upper partnership asks a colleague."""
    if not Competence.objects.exists():
        framework(world)
    wanted = Competence.objects.filter(code__in=codes)
    rating.ask([world.person(who)], wanted, by=world.cast["system_leader"])


def answered(world: World, level: int = 4, who: str = "head") -> None:
    asked(world, who)
    said = {competence().pk: Said(level, "She asked, and I found it myself.")}
    rating.answer(world.person("system_leader").pk, said, by=world.cast[who])


def an_offer(**changed: Any) -> learning_actions.Offer:
    fields: dict[str, Any] = {
        "kind": Learning.Kind.MODULE,
        "title": "Asking, not telling",
        "about": "Lead a colleague to a next step of their own.",
        "on": today() + timedelta(days=5),
        "place": "Upper hall",
        "hours": Decimal(6),
        "competences": list(Competence.objects.filter(code="coaching")),
    }
    return learning_actions.Offer(**(fields | changed))


def learning(world: World, *, by: str = "district_officer", **changed: Any) -> Learning:
    """A module for North county, offered by its officer."""
    area = changed.pop("area", world.areas["North"])
    return learning_actions.offer(an_offer(area=area, **changed), by=world.cast[by])


def past(found: Learning, days: int = 3) -> Learning:
    """Let the day of something offered lie behind us."""
    Learning.objects.filter(pk=found.pk).update(on=today() - timedelta(days=days))
    found.refresh_from_db()
    return found


def pair(world: World, other: str = "head") -> CoachingPair:
    """The leader of Upper partnership coaches a colleague, who agreed."""
    found = coaching.ask(world.person(other), by=world.cast["system_leader"], as_coach=True)
    return coaching.accept(found, by=world.cast[other])


def a_note(world: World, found: CoachingPair | None = None) -> CoachingNote:
    return coaching.write_note(
        found or pair(world), SECRET, by=world.cast["system_leader"], on=today(),
        next_step="Sit in on Tuesday.",
    )  # fmt: skip


def more_leaders(world: World, number: int, area_school: str = "N4") -> list[Appointment]:
    """Further system leaders at home in Upper district."""
    made = []
    for i in range(number):
        person = Person.objects.create_user(
            f"lead{i}@test.invalid", "a long password", name=f"L{i}"
        )
        made.append(
            Appointment.objects.create(
                person=person, role=Role.SYSTEM_LEADER, starts=FORMED,
                partnership=world.partnerships["Upper"], school=world.schools[area_school],
            )
        )  # fmt: skip
    return made
