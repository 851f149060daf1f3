"""Stages of the sample: an earlier round agreed, one strand not by all; this cycle's round open."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence

    from brightspots_web.directory.models import Appointment, Cycle, Partnership
    from brightspots_web.pace.models import StageRound
    from brightspots_web.pace.stage_place_queries import Place

INVENTED = "(Invented.)"
SHOWS = {
    "connectedness": "Nine of ten meetings had somebody from every school.",
    "alignment": "Our agenda names the reading priority each time; two schools add their own.",
    "leaders": "Two of us have led a workshop; the rest still hangs on one person.",
    "devolution": "We chose the Friday books ourselves and kept to it for a term.",
    "accountability": "Two promises were looked at by peers; the others waited.",
    "evidence": "We drew one run chart and talked about it; the older tests lie in a drawer.",
}
BEFORE = {
    "connectedness": 2, "alignment": 2, "leaders": 1, "devolution": 1, "accountability": 1,
    "evidence": 2,
}  # fmt: skip
"""What the group agreed in the earlier round; most are a step further now."""
DIFFERS = "devolution"
OTHERS, FEW = 2, 3


def fill(rng: random.Random, cast: Mapping[str, Appointment]) -> None:
    """Rate and agree in an earlier cycle, rate again in this one, and let an area begin."""
    from django.db import transaction

    from brightspots_web.pace import stage_place_queries as places
    from brightspots_web.pace import stage_queries as queries

    leader = cast["leader"]
    if queries.cycle_now() is None or leader.partnership is None:
        return
    place = places.Place(leader.partnership)
    speakers = _speakers(place)
    with transaction.atomic():  # one wait for the disk instead of hundreds
        _earlier(rng, place, speakers, leader, cast["minister"])
        _others(rng, leader.partnership)
        _now(rng, place, speakers, cast)
        _area(rng, cast)


def _speakers(place: Place) -> list[Appointment]:
    """One appointment a seat, in the order of the seats."""
    from brightspots_web.directory import queries as directory
    from brightspots_web.pace import stage_place_queries as places

    return [directory.appointment(min(each.holders)) for each in places.seats(place)]


def _rate(
    rng: random.Random,
    found: StageRound,
    speakers: Sequence[Appointment],
    steps: Mapping[str, int],
) -> None:
    from brightspots_web.pace import stage_actions as actions

    for by in speakers:
        given = {
            strand: actions.Rating(
                min(max(stage + rng.choice((0, 0, 0, 1, -1)), 1), 4),
                f"{INVENTED} {SHOWS[strand]}",
            )
            for strand, stage in steps.items()
        }
        actions.rate(found, given, by=by)


def _earlier(
    rng: random.Random,
    place: Place,
    speakers: Sequence[Appointment],
    leader: Appointment,
    minister: Appointment,
) -> None:
    """Agree on a round of the cycle before; in one strand a school sees it differently."""
    from brightspots_web.directory import queries as directory
    from brightspots_web.directory.actions import command_line_operator
    from brightspots_web.pace import stage_actions as actions
    from brightspots_web.pace import stage_agree_actions as agree
    from brightspots_web.pace import stage_history_actions as history

    found = actions.open_round(place, directory.today() + timedelta(days=14), by=leader)
    _rate(rng, found, speakers, BEFORE)
    found = actions.close(found, by=leader)
    put = {
        strand: agree.Put(stage, f"{INVENTED} As we talked.") for strand, stage in BEFORE.items()
    }
    agree.put(found, put, by=leader, seen=None)
    others = [each for each in speakers if each.pk != leader.pk]
    for index, by in enumerate(others):
        said = {
            strand: agree.Word(True)
            if strand != DIFFERS or index
            else agree.Word(False, f"{INVENTED} Two schools decide; the others follow.")
            for strand in BEFORE
        }
        agree.say(found, said, by=by, seen=None)
    if others:
        why = f"{INVENTED} We keep both views and look again next year."
        agree.settle(found, why, by=leader, seen=None)
    past = _cycle_before(found.cycle, minister)
    on = past.ends - timedelta(days=30)
    history.date_round(found, past, on, by=command_line_operator())


def _cycle_before(now: Cycle, minister: Appointment) -> Cycle:
    """Find the cycle before the one that runs; make it where the sample has none yet."""
    from brightspots_web.directory import cycle_actions, record_queries

    before = next((each for each in record_queries.cycles() if each.ends <= now.starts), None)
    if before is not None:
        return before
    starts = now.starts - timedelta(days=365)
    name = f"{starts.year}/{now.starts.year % 100:02d}"
    return cycle_actions.make_cycle(name, starts, now.starts, by=minister)


def _others(rng: random.Random, ours: Partnership) -> None:
    """Two partnerships more have rated and agreed in this cycle."""
    from brightspots_web.directory import queries as directory
    from brightspots_web.pace import stage_actions as actions
    from brightspots_web.pace import stage_agree_actions as agree
    from brightspots_web.pace import stage_place_queries as places

    done = 0
    for row in directory.live_partnerships().exclude(pk=ours.pk).order_by("code"):
        place = places.Place(row)
        speakers = _speakers(place)
        by = next((each for each in speakers if places.answers_for(each, place)), None)
        if by is None or len(speakers) < FEW or done == OTHERS:
            continue
        done += 1
        found = actions.open_round(place, directory.today() + timedelta(days=14), by=by)
        steps = {strand: rng.choice((1, 2, 2, 3)) for strand in BEFORE}
        _rate(rng, found, speakers, steps)
        found = actions.close(found, by=by)
        put = {strand: agree.Put(stage) for strand, stage in steps.items()}
        agree.put(found, put, by=by, seen=None)
        for each in (one for one in speakers if one.pk != by.pk):
            agree.say(found, {strand: agree.Word(True) for strand in steps}, by=each, seen=None)


def _now(
    rng: random.Random,
    place: Place,
    speakers: Sequence[Appointment],
    cast: Mapping[str, Appointment],
) -> None:
    """Open this cycle's round; the sample's own head has still to rate."""
    from brightspots_web.directory import queries as directory
    from brightspots_web.pace import stage_actions as actions

    found = actions.open_round(place, directory.today() + timedelta(days=10), by=cast["leader"])
    waits = {cast["head"].pk, cast["leader"].pk}
    steps = {strand: stage + (strand != "leaders") for strand, stage in BEFORE.items()}
    _rate(rng, found, [each for each in speakers if each.pk not in waits], steps)


def _area(rng: random.Random, cast: Mapping[str, Appointment]) -> None:
    """Open the first round of the officer's area, and let some leaders rate."""
    from brightspots_web.directory import queries as directory
    from brightspots_web.pace import stage_actions as actions
    from brightspots_web.pace import stage_place_queries as places

    officer = cast["officer"]
    if officer.area is None:
        return
    place = places.Place(officer.area)
    found = actions.open_round(place, directory.today() + timedelta(days=12), by=officer)
    others = [each for each in _speakers(place) if each.role == "system_leader"]
    chosen = [each for each in others if each.pk != cast["leader"].pk][:4]
    _rate(rng, found, chosen, dict.fromkeys(BEFORE, 2))
