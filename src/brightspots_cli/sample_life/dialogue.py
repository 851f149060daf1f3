"""Dialogues of the sample: one to come, one held; promises kept, moved, overdue and open."""

from __future__ import annotations

from datetime import time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from brightspots_web.accountability.models import Dialogue
    from brightspots_web.directory.models import Appointment

INVENTED = "(Invented.)"
MINUTES = (
    "A teacher began with the timetable: the reading hour falls into the hour of the buses. Three "
    "heads said the same. Asked whether it must be the first lesson, the ministry said no, it "
    "never had to be. Most time went to cover: who takes a class while its teacher plans? "
    "Nobody had an answer that costs nothing. Books were named last, and briefly: they are there."
)
POINTS = (
    "When in the day is the reading hour?",
    "Who takes the class while its teacher plans with others?",
    "What could be dropped to make room?",
)


def fill(rng: random.Random, cast: Mapping[str, Appointment]) -> None:
    """Make two dialogues in the officer's area, and what was promised there."""
    from django.db import transaction

    officer = cast["officer"]
    if officer.area is None:
        return
    with transaction.atomic():  # one wait for the disk instead of a hundred
        _held(rng, cast)
        _to_come(rng, cast)


def _called(rng: random.Random, cast: Mapping[str, Appointment], title: str, on: int) -> Dialogue:
    from brightspots_web.accountability import dialogue_actions as actions
    from brightspots_web.directory import queries

    officer = cast["officer"]
    plan = actions.Plan(
        f"{INVENTED} {title}", queries.today() + timedelta(days=on), time(14, 30),
        "The district office, large room", cast["minister"].person,
    )  # fmt: skip
    made = actions.call(officer.area, plan, 0, by=officer)  # type: ignore[arg-type] # fill looked
    actions.draw(made, 10, by=officer, lot=rng)
    for words in POINTS:
        actions.add_point(made, f"{INVENTED} {words}", by=officer)
    return made


def _held(rng: random.Random, cast: Mapping[str, Appointment]) -> None:
    from brightspots_web.accountability import dialogue_actions as actions
    from brightspots_web.accountability import dialogue_commitment_actions as promises
    from brightspots_web.accountability import dialogue_history_actions as history
    from brightspots_web.directory import actions as directory_actions
    from brightspots_web.directory import queries

    minister, officer, today = cast["minister"], cast["officer"], queries.today()
    made = _called(rng, cast, "The reading hour, and time to plan it", 0)
    there = list(made.guests.values_list("pk", flat=True))[:8]
    made = actions.write_minutes(made, f"{INVENTED} {MINUTES}", there, by=minister, seen=None)
    given = []
    for what, who, days in (
        ("A letter to all schools: the hour may lie anywhere in the day", minister, 45),
        ("Two days of cover a term for planning together", officer, 50),
        ("A list of what schools need no longer send in", minister, 150),
        ("A bus that leaves twenty minutes later", officer, 50),
    ):
        promise = promises.Promise(
            f"{INVENTED} {what}", who.person, today + timedelta(days=days)
        )  # fmt: skip
        given.append(promises.commit(made, promise, by=minister))
    history.date_dialogue_back(made, 60, by=directory_actions.command_line_operator())
    for each in given:
        each.refresh_from_db()
    promises.end(
        given[0],
        f"{INVENTED} Done; every school has it on paper.", by=minister, seen=None, kept=True,
    )  # fmt: skip
    promises.report(
        given[3], f"{INVENTED} The contract allows it from the new term on.", by=officer,
        seen=None, moved_to=today + timedelta(days=40),
    )  # fmt: skip


def _to_come(rng: random.Random, cast: Mapping[str, Appointment]) -> None:
    from brightspots_web.accountability import dialogue_actions as actions
    from brightspots_web.directory import queries

    made = _called(rng, cast, "What we could stop doing", 12)
    for at, guest in enumerate(made.guests.select_related("person").order_by("pk")[:6]):
        held = queries.live_appointments(guest.person).filter(school=guest.school).first()
        if held is not None and guest.person != cast["head"].person:
            actions.answer(made, by=held, comes=at != 2)
