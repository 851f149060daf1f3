"""What the worker does every day: challengers who left, visits and follow-ups to be reminded of."""

from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from brightspots_web.accountability import challenge_people_queries as challengers
from brightspots_web.accountability import challenge_queries as queries
from brightspots_web.accountability import challenge_tell as tell
from brightspots_web.accountability.challenge_actions import held, release
from brightspots_web.accountability.models import ChallengeVisit
from brightspots_web.directory import queries as directory
from brightspots_web.directory.actions import command_line_operator
from brightspots_web.notices import queries as notices
from brightspots_web.shared import audit

State = ChallengeVisit.State
WEEK = timedelta(days=7)
WRITE_WITHIN = timedelta(days=3)
AGREE_WITHIN = timedelta(days=14)
STEP_DUE = "accountability.challenge_step_due"


def look_after(on: date | None = None) -> int:
    """Everything that is due. It may run as often as is handy: nobody is told of the same twice."""
    today = on or directory.today()
    visits = list(queries.to_look_after())
    told = _without_challenger(visits)
    for visit in visits:
        stage = _stage(visit, today)
        if stage and stage != visit.reminded:
            told += _remind(visit, stage)
    return told + _steps(today)


def _stage(visit: ChallengeVisit, today: date) -> str:
    """Of what everybody is to be reminded now; the name of a notice."""
    if visit.state == State.AGREED and visit.follow_up_on is not None:
        if visit.follow_up_on < today:
            return "overdue"
        return "follow" if visit.follow_up_on <= today + WEEK else ""
    if visit.state == State.HELD and visit.record_at is not None:
        since = timezone.localdate(visit.record_at)
        return "to_agree" if today >= since + AGREE_WITHIN else ""
    if visit.state not in queries.BEFORE:
        return ""
    if today >= visit.on + WRITE_WITHIN:
        return "unwritten"
    return "soon" if today <= visit.on <= today + WEEK else ""


def _remind(visit: ChallengeVisit, stage: str) -> int:
    with transaction.atomic():
        mine = ChallengeVisit.objects.filter(
            pk=visit.pk, state=visit.state, reminded=visit.reminded, on=visit.on
        )
        if not mine.update(reminded=stage):
            return 0
        if stage == "unwritten":
            tell.challenger(visit, stage)
        elif stage == "overdue":
            tell.planners(visit, stage)
            tell.challenger(visit, stage)
        else:
            tell.everybody(visit, stage)
    return 1


def _without_challenger(visits: list[ChallengeVisit]) -> int:
    """Let nobody be named who is no challenger any longer; whoever plans is asked for another."""
    named = [
        each for each in visits if each.challenger_id is not None and each.state in queries.BEFORE
    ]
    if not named:
        return 0
    still = challengers.still_challenges(
        each.challenger_id for each in named if each.challenger_id is not None
    )
    told = 0
    for each in named:
        if each.challenger_id in still:
            continue
        with transaction.atomic():
            found = held(each, None)
            if found.state in queries.BEFORE and found.challenger_id == each.challenger_id:
                release(found)
                audit.record(
                    "accountability.release_challenger", by=command_line_operator(), target=found
                )
                tell.planners(found, "nobody")
                told += 1
        each.refresh_from_db()
    return told


def _steps(today: date) -> int:
    """Tell whoever owes a step once, in the week before it is due."""
    due = list(queries.steps_due(today + WEEK))
    if not due:
        return 0
    since = timezone.now() - timedelta(days=365)
    known = {key for _person, key in notices.told_since(STEP_DUE, since)}
    fresh = [each for each in due if f"challenge:step_due:{each.visit_id}:{each.pk}" not in known]
    for step in fresh:
        with transaction.atomic():
            tell.step_due(step)
    return len(fresh)
