"""What the worker does every day: rounds whose day is near or past, stages still to be agreed."""

from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from brightspots_web.directory import queries as directory
from brightspots_web.directory.actions import command_line_operator
from brightspots_web.pace import stage_actions as actions
from brightspots_web.pace import stage_agree_actions as agree
from brightspots_web.pace import stage_place_queries as places
from brightspots_web.pace import stage_queries as queries
from brightspots_web.pace import stage_tell as tell
from brightspots_web.pace.models import StageRound

AGREE_WITHIN = timedelta(days=14)


def look_after(on: date | None = None) -> int:
    """Everything that is due; as often as is handy: nobody is told of the same twice."""
    today, done, put = on or directory.today(), 0, queries.put_to_groups()
    for each in queries.to_look_after():
        if each.state == StageRound.State.OPEN:
            if today > each.closes_on:
                done += _close(each)
            elif each.reminded == "" and today >= each.closes_on - queries.SOON:
                done += _remind(each, "soon")
            continue
        if each.pk in put and _all_carry(each):
            done += agree.settle_carried(each, by=command_line_operator())
        elif each.reminded != "agree" and _late(each, today):
            done += _remind(each, "agree")
    return done


def _late(found: StageRound, today: date) -> bool:
    closed = found.closed_at
    return closed is not None and today >= timezone.localdate(closed) + AGREE_WITHIN


def _all_carry(found: StageRound) -> bool:
    there = places.seats(places.of(found))
    put = queries.agreements(found, there).values()
    return any(not each.agreed and queries.everybody_carries(each, there) for each in put)


@transaction.atomic
def _close(found: StageRound) -> bool:
    row = actions.held(found)
    if row.state != StageRound.State.OPEN or row.closes_on != found.closes_on:
        return False
    actions.close_held(row, by=command_line_operator())
    return True


@transaction.atomic
def _remind(found: StageRound, stage: str) -> bool:
    mine = StageRound.objects.filter(
        pk=found.pk, reminded=found.reminded, state=found.state, closes_on=found.closes_on
    )
    if not mine.update(reminded=stage):
        return False
    if stage == "agree":
        tell.answering(found, stage)
        return True
    rated = queries.rated_by(found)
    missing = [each for each in places.seats(places.of(found)) if each.key not in rated]
    tell.seats(found, stage, missing)
    return True
