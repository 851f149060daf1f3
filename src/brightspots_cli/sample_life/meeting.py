"""Data conversations of the last months and of the next days, with minutes where the cast meets."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping
    from datetime import date

    from brightspots_web.alignment.models import Priority
    from brightspots_web.directory.models import Appointment, Partnership

INVENTED = "(Invented.)"
PURPOSES = (
    "Which of our classes do we open to each other before the holidays?",
    "What do we try with those who read slowly, and for how long?",
    "What do our figures not tell us, and who finds out?",
    "Do we go on with the Friday groups, change them or stop?",
)
MINUTES = (
    "We began with what pupils had said in the weeks before, then looked at the bars.\n\n"
    "Two bars are so long that nobody should read anything into them: these schools bring exercise "
    "books of ten pupils next time.\n\nWhat surprised us: most of the difference lies within each "
    "school, not between us. So we look for the same pupils everywhere: those who guess words from "
    "their first letter.\n\nEach school sits in on one reading lesson at a neighbour before we "
    "meet again. Decisions are written down on their own.",
    "We looked at the exercise books. In four of our schools pupils copy long texts and write few "
    "sentences of their own.\n\nThe figures of the newest year do not contradict that, and cannot "
    "show it.\n\nWe agreed to try ten minutes of own writing a day in one class each, and to count "
    "sentences on Fridays.",
    "A short meeting: half of us came late because of the road. We told each other what we saw in "
    "the lessons and moved the rest to the next time.",
)
PLACES = ("", "the staff room", "the library", "under the tree, the hall if it rains")


def fill(rng: random.Random, cast: Mapping[str, Appointment]) -> None:
    """Meetings on the days whose contacts are on record, and some that are called."""
    from brightspots_web.alignment import queries as alignment
    from brightspots_web.connectedness import queries
    from brightspots_web.directory import actions, record_queries
    from brightspots_web.directory import queries as directory

    by = actions.command_line_operator()
    agenda = alignment.live_priorities()
    leaders = {
        each.partnership_id: each
        for each in record_queries.leader_appointments()
        .filter(directory.live())
        .select_related("person", "school", "partnership")
        .order_by("-pk")
    }
    for partnership in queries.partnerships_in(by).order_by("pk"):
        leader = leaders.get(partnership.pk)
        if leader is None:
            continue
        ours = partnership.pk == cast["leader"].partnership_id
        _past(partnership, leader, agenda, rng, by, ours=ours)
        if ours:
            _call(partnership, cast["leader"], 5, agenda, rng)
        elif rng.random() < 0.5:
            _call(partnership, leader, rng.randrange(2, 30), agenda, rng)


def _past(
    partnership: Partnership,
    leader: Appointment,
    agenda: list[Priority],
    rng: random.Random,
    by: Appointment,
    *,
    ours: bool,
) -> None:
    """Write down the meetings whose days are on record as contacts, with who was there."""
    from brightspots_web.connectedness import contact_queries
    from brightspots_web.devolution.meeting_actions import Wanted
    from brightspots_web.devolution.meeting_history_actions import write_past
    from brightspots_web.directory import queries as directory

    days = sorted({each.on for each in contact_queries.meetings_of(partnership)}, reverse=True)
    for number, day in enumerate(days):
        if day >= directory.today():
            continue
        there = contact_queries.at_meeting(partnership, day)
        rows = directory.live_memberships(day).filter(partnership=partnership, school__in=there)
        present = [row.school for row in rows.select_related("school").order_by("school")]
        wanted = Wanted(_at(day, rng), 90, _place(leader, rng), _purpose(rng), agenda)
        minutes = f"{INVENTED} {MINUTES[number % len(MINUTES)]}" if ours else ""
        write_past(partnership, wanted, present, by=by, leader=leader, minutes=minutes)


def _call(
    partnership: Partnership,
    leader: Appointment,
    days: int,
    agenda: list[Priority],
    rng: random.Random,
) -> None:
    from brightspots_web.devolution import meeting_actions
    from brightspots_web.directory import queries as directory

    at = _at(directory.today() + timedelta(days=days), rng)
    wanted = meeting_actions.Wanted(at, 90, _place(leader, rng), _purpose(rng), agenda)
    meeting_actions.call(partnership, wanted, by=leader)


def _at(day: date, rng: random.Random) -> datetime:
    from django.utils import timezone

    return timezone.make_aware(datetime.combine(day, time(rng.choice((13, 14, 15)), 0)))


def _purpose(rng: random.Random) -> str:
    return f"{INVENTED} {rng.choice(PURPOSES)}"


def _place(leader: Appointment, rng: random.Random) -> str:
    place = rng.choice(PLACES)
    return ", ".join(each for each in (str(leader.school or ""), place) if each)
