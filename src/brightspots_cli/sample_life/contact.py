"""Meetings, visits and calls of the last months, a few schools forgotten, steps against it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from brightspots_web.connectedness.contact_queries import Entry
    from brightspots_web.directory.models import Appointment, Partnership

WEEKS = 30
"""So many weeks back the counts begin."""
TOPICS = (
    "We read each other's exercise books for an hour.",
    "Two lessons seen at each school, one question taken home.",
    "What to do in the first ten minutes of a lesson.",
    "How we find who is stuck before the test does.",
    "",
)
VISITS = (
    "Sat in two lessons; the head will show them to a neighbour.",
    "The road was washed out for weeks. They are glad of company.",
    "Talked about the timetable and who could swap a morning.",
    "",
)
DONE = (
    ("Drive out and see how the school is", "Seen; the head comes to the next meeting."),
    ("Ring the head and ask what would help", "A lift to the meetings: the neighbour has a car."),
    ("Ask two partnerships whether there is room", "One has room from next term."),
)
PLANNED = (
    "Ring the head and agree on a day for a visit",
    "Ask the nearest partnership whether there is room",
    "Find out who follows as a leader, and talk with them",
    "Bring the next meeting to this school",
)


def fill(rng: random.Random, cast: Mapping[str, Appointment]) -> None:
    from brightspots_web.connectedness import contact_actions, queries
    from brightspots_web.directory import actions, record_queries
    from brightspots_web.directory import queries as directory

    today = directory.today()
    by = actions.command_line_operator()
    leaders = {
        each.partnership_id: each
        for each in record_queries.leader_appointments().filter(directory.live())
    }
    partnerships = list(queries.partnerships_in(by).order_by("pk"))
    forgotten = set(rng.sample([p.pk for p in partnerships], max(1, len(partnerships) // 20)))
    forgotten -= {leaders_partnership(cast)}
    for place, partnership in enumerate(partnerships):
        _begin(partnership, place / len(partnerships), today, by, rng)
        leader = leaders.get(partnership.pk)
        if leader is not None:
            _meet(partnership, leader, rng, today, forgotten=partnership.pk in forgotten)
    _appointment_that_ends(partnerships, leaders, cast, today)
    _visits(rng, cast, today)
    _steps(rng, cast, today)
    for weeks in range(WEEKS, -1, -1):
        contact_actions.count_isolation(today - timedelta(weeks=weeks))
    contact_actions.tell_leaders()


def _invented(words: str) -> str:
    return f"(Invented.) {words}" if words else ""


def leaders_partnership(cast: Mapping[str, Appointment]) -> int:
    return cast["leader"].partnership_id or 0


def _begin(
    partnership: Partnership, share: float, today: date, by: Appointment, rng: random.Random
) -> None:
    """Let the partnerships begin one after the other, the first of them half a year ago."""
    from brightspots_web.directory import history_actions

    days = round(70 + (1 - share) * 7 * (WEEKS - 12)) + rng.randrange(14)
    history_actions.date_back(partnership, today - timedelta(days=days), by=by)
    partnership.refresh_from_db()


def _meet(
    partnership: Partnership,
    leader: Appointment,
    rng: random.Random,
    today: date,
    *,
    forgotten: bool,
) -> None:
    """Write down a meeting about every five weeks; now and then a school is not there."""
    from brightspots_web.connectedness import contact_actions
    from brightspots_web.directory import queries as directory

    schools = [each.school for each in directory.memberships_of(partnership)]
    often_away = rng.choice(schools) if rng.random() < 0.15 else None
    last = today - timedelta(days=rng.randrange(66, 85) if forgotten else rng.randrange(2, 36))
    day = last
    while day > max(partnership.formed, today - timedelta(days=150)):
        present = [s for s in schools if s != often_away and rng.random() < 0.93]
        if present:
            note = rng.choice(TOPICS)
            contact_actions.record_meeting(
                partnership, present, by=leader, on=day, note=_invented(note)
            )
        day -= timedelta(days=rng.randrange(30, 40))


def _appointment_that_ends(
    partnerships: list[Partnership],
    leaders: Mapping[int | None, Appointment],
    cast: Mapping[str, Appointment],
    today: date,
) -> None:
    """One leader's appointment ends in six weeks, and nobody follows yet."""
    from brightspots_web.directory import actions

    by = actions.command_line_operator()
    for partnership in partnerships:
        leader = leaders.get(partnership.pk)
        if leader is not None and partnership.pk != leaders_partnership(cast):
            actions.end_appointment(leader, by=by)
            actions.appoint(
                leader.person, leader.role, by=by, partnership=partnership, school=leader.school,
                ends=today + timedelta(days=42),
            )  # fmt: skip
            return


def _visits(rng: random.Random, cast: Mapping[str, Appointment], today: date) -> None:
    """Let the officer and the ministry call and visit here and there."""
    from brightspots_web.connectedness import contact_actions, contact_queries

    for who, most in (("officer", 20), ("minister", 15)):
        schools = list(contact_queries.schools_to_record(cast[who]).order_by("code"))
        for school in rng.sample(schools, min(most, len(schools) // 2)):
            contact_actions.record_contact(
                school,
                rng.choice(("visit", "call")),
                by=cast[who],
                on=today - timedelta(days=rng.randrange(1, 90)),
                note=_invented(rng.choice(VISITS)),
            )


def _steps(rng: random.Random, cast: Mapping[str, Appointment], today: date) -> None:
    """About half of the isolated schools have somebody on it; some steps are done."""
    from brightspots_web.connectedness import contact_actions
    from brightspots_web.connectedness import contact_definition_queries as definition
    from brightspots_web.connectedness import contact_queries as queries

    by, minister = definition.rules(), cast["minister"]
    found: list[Entry] = [
        entry
        for show in ("isolated", "near")
        for entry in queries.entries_of(
            queries.register(minister, queries.Search(show=show), by)[:40], by
        )
    ]
    for entry in rng.sample(found, min(24, len(found))):
        owners = queries.owners_for(entry.school, minister)
        owner = rng.choice(owners)
        if rng.random() < 0.4:
            what, outcome = rng.choice(DONE)
            step = contact_actions.add_step(
                entry.school, by=minister, owner=owner, what=f"(Invented.) {what}", due=today
            )
            contact_actions.finish_step(
                step, by=minister, outcome=f"(Invented.) {outcome}",
                on=today - timedelta(days=rng.randrange(3, 20)),
            )  # fmt: skip
        else:
            contact_actions.add_step(
                entry.school,
                by=minister,
                owner=owner,
                what=f"(Invented.) {rng.choice(PLANNED)}",
                due=today + timedelta(days=rng.randrange(3, 40)),
            )
