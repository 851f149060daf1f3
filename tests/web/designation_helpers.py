"""Leaders of the invented world, by the same actions as the pages use."""

from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from brightspots_web.alignment.actions import Wanted, set_priorities
from brightspots_web.alignment.models import Priority
from brightspots_web.alignment.queries import live_priorities
from brightspots_web.directory.models import Appointment
from brightspots_web.leaders import designation_actions as actions
from brightspots_web.leaders import panel_actions as panel
from brightspots_web.leaders.models import Application, Designation, Grade, PanelMember
from brightspots_web.notices import queries as notices
from tests.web.bright_spot_helpers import a_run
from tests.web.world import World

PANEL = ("analyst", "other_head", "other_system_leader")
"""Three whom nothing binds to somebody of Upper partnership."""
YES, NOT_YET = PanelMember.View.YES, PanelMember.View.NOT_YET


def today() -> date:
    return timezone.localdate()


def days_ago(n: int) -> date:
    return today() - timedelta(days=n)


def priorities(world: World) -> list[Priority]:
    """Two live priorities: of one the figures speak, of the other none does."""
    present = live_priorities()
    if present:
        return present
    wanted = [Wanted("Every child reads", subject="Reading"), Wanted("A sense of number")]
    return set_priorities(wanted, by=world.cast["minister"])


def ground(world: World) -> list[Priority]:
    """Priorities, and a published analysis of three years that names N2, L1 and E1 in reading."""
    from brightspots_web.insight.queries import current_run

    found = priorities(world)
    if current_run() is None:
        a_run(world)
    return found


def written(**changed: Any) -> actions.Written:
    """What somebody writes who has all that is asked."""
    values: dict[str, Any] = {
        "grade": Grade.LEADER,
        "head_since": date(2015, 9, 1),
        "stays_until": today() + timedelta(days=1200),
        "days": 40,
        "statement": "Our teachers plan together; I would like to help others begin.",
        "governors_by": "The chair of the governors",
        "governors_on": days_ago(10),
    }
    return actions.Written(**(values | changed))


def a_draft(world: World, who: str = "head", **changed: Any) -> Application:
    ground(world)
    found = actions.begin(by=world.cast[who])
    return actions.change(found, written(**changed), by=world.cast[who], seen=None)


def asked(world: World, who: str = "head", **changed: Any) -> Application:
    """A draft whose writer has asked the district's office to back it."""
    found = a_draft(world, who, **changed)
    return actions.ask_backing(found, by=world.cast[who], seen=None)


def backed(
    world: World, who: str = "head", officer: str = "district_officer", **changed: Any
) -> Application:
    found = asked(world, who, **changed)
    return actions.back(found, by=world.cast[officer], seen=None)


def handed_in(world: World, who: str = "head", **changed: Any) -> Application:
    found = backed(world, who, **changed)
    return actions.hand_in(found, by=world.cast[who], seen=None)


def called(world: World, who: str = "head", members: tuple[str, ...] = PANEL) -> Application:
    """With the panel, whose members have said nothing yet."""
    found = handed_in(world, who)
    for each in members:
        panel.call(found, world.person(each), by=world.cast["minister"], seen=None)
    found.refresh_from_db()
    return found


def seat(application: Application, world: World, who: str) -> PanelMember:
    return PanelMember.objects.get(application=application, person=world.person(who))


def say(application: Application, world: World, who: str, view: str = YES) -> PanelMember:
    sits = seat(application, world, who)
    panel.declare_free(sits, by=world.cast[who])
    return panel.say(sits, view, reason=f"{who} saw it.", by=world.cast[who])


def said(world: World, who: str = "head", members: tuple[str, ...] = PANEL) -> Application:
    """With the panel, all of whose members have said their view."""
    found = called(world, who, members)
    for each in members:
        say(found, world, each)
    found.refresh_from_db()
    return found


def decided(world: World, who: str = "head", *, yes: bool = True) -> Application:
    decision = panel.Decision(yes, "The books show it.", "" if yes else "Another year of results.")
    found = panel.decide(said(world, who), decision, by=world.cast["minister"], seen=None)
    found.refresh_from_db()
    return found


def designated(world: World, who: str = "head", **changed: Any) -> Designation:
    """In office from today; `changed` sets what the test is about."""
    found = Designation.objects.get(application=decided(world, who))
    if changed:
        Designation.objects.filter(pk=found.pk).update(**changed)
        found.refresh_from_db()
    return found


def end(appointment: Appointment, on: date | None = None) -> None:
    Appointment.objects.filter(pk=appointment.pk).update(ends=on or today())


def told(world: World, who: str) -> list[str]:
    return [each.text for each in notices.lines(notices.notices_of(world.person(who)))]
