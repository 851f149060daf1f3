"""Terms of the pulse in the invented system, made by the same actions as the pages use."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from unittest import mock

from brightspots_web.accountability import voice_answer_actions as answering
from brightspots_web.accountability import voice_queries as voice
from brightspots_web.accountability.models import Consultation, Eligible
from brightspots_web.directory import actions as register
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Cycle
from brightspots_web.pace import pulse_actions as actions
from brightspots_web.pace import pulse_queries as queries
from brightspots_web.pace import pulse_time_actions as timing
from brightspots_web.pace.models import PulseTerm
from tests.web.voice_helpers import appointment_of, teacher_at
from tests.web.world import World

Said = Callable[[int, Eligible], tuple[str, str] | None]
"""What the n-th person asked answers to both questions; None: nothing."""


def in_days(days: int) -> date:
    return directory.today() + timedelta(days=days)


@contextmanager
def on(day: date) -> Iterator[None]:
    """As if today were another day."""
    with mock.patch.object(directory, "today", return_value=day):
        yield


def a_cycle() -> Cycle:
    found, _made = Cycle.objects.get_or_create(
        name="This year", defaults={"starts": in_days(-100), "ends": in_days(265)}
    )
    return found


def staffed(world: World, teachers: int = 12) -> None:
    """So many teachers besides, in North (Upper, Lower) and South (East) by turns."""
    for number in range(teachers):
        teacher_at(world, ("N2", "L1", "E1")[number % 3], number)


def switched_on(world: World) -> None:
    actions.set_settings(on=True, level=1, by=world.cast["minister"], seen=None)


def planned(world: World, *terms: tuple[int, int]) -> list[PulseTerm]:
    """Terms of the cycle: the days from today on which they open, and their last days."""
    days = [(in_days(opens), in_days(last)) for opens, last in terms]
    return actions.set_terms(a_cycle(), days, by=world.cast["minister"], seen="")


def opened(world: World, *, teachers: int = 12, term: PulseTerm | None = None) -> PulseTerm:
    """A term that is open today, or the one that is given on its first day."""
    staffed(world, teachers)
    if term is None:
        switched_on(world)
        term = planned(world, (0, 9))[0]
    with on(term.opens):
        return timing.open_up(term, by=register.command_line_operator())


def round_of(term: PulseTerm) -> Consultation:
    term.refresh_from_db()
    assert term.consultation is not None
    return term.consultation


def all_say(support: str, freedom: str) -> Said:
    return lambda _number, _row: (support, freedom)


def answered(term: PulseTerm, said: Said) -> int:
    """Let everybody who is asked answer as they are told to; return how many did."""
    found = round_of(term)
    support, freedom = found.questions.all()
    n = 0
    rows = Eligible.objects.filter(consultation=found, answered=False).order_by("person__email")
    for number, row in enumerate(rows.select_related("person", "area")):
        both = said(number, row)
        if both is None:
            continue
        given = answering.Given({support.pk: both[0], freedom.pk: both[1]})
        token = answering.token_of(row, found)
        with on(term.opens):
            answering.answer(found, given, token, by=appointment_of(row))
        n += 1
    return n


def closed(term: PulseTerm) -> PulseTerm:
    """The same, counted on the day it closes."""
    with on(term.closes):
        return timing.close(term, by=register.command_line_operator())


def two_terms(world: World, first: Said, second: Said, teachers: int = 60) -> list[PulseTerm]:
    """Two terms, one after the other, both counted."""
    switched_on(world)
    terms = planned(world, (0, 9), (60, 69))
    for term, said in zip(terms, (first, second), strict=True):
        opened(world, teachers=teachers, term=term)
        answered(term, said)
        closed(term)
    return queries.counted_terms()


def released(term: PulseTerm) -> set[str]:
    return set(voice.released(round_of(term)))
