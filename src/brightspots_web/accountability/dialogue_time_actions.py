"""What the worker does every day: dialogues to come, minutes owed, promises, owners who left."""

from datetime import date, timedelta

from django.db import transaction

from brightspots_web.accountability import dialogue_queries as queries
from brightspots_web.accountability import dialogue_tell as tell
from brightspots_web.accountability.models import Commitment, Dialogue
from brightspots_web.directory import queries as directory
from brightspots_web.directory.actions import command_line_operator
from brightspots_web.shared import audit

WRITE_WITHIN = timedelta(days=2)


def look_after(on: date | None = None) -> int:
    """Everything that is due; as often as is handy: nobody is told of the same twice."""
    today = on or directory.today()
    done = 0
    for dialogue in queries.to_look_after():
        stage = ""
        if today >= dialogue.on + WRITE_WITHIN:
            stage = "unwritten"
        elif today <= dialogue.on <= today + queries.SOON:
            stage = "soon"
        done += bool(stage and stage != dialogue.reminded and _remind(dialogue, stage))
    owners: dict[int, set[int]] = {}
    for commitment in queries.open_commitments():
        area = queries.area_of(commitment)
        if area.pk not in owners:
            owners[area.pk] = {each.pk for each in queries.owners(area)}
        done += _promise(commitment, owners[area.pk], today)
    return done


@transaction.atomic
def _remind(dialogue: Dialogue, stage: str) -> bool:
    mine = Dialogue.objects.filter(
        pk=dialogue.pk, state=dialogue.state, reminded=dialogue.reminded, on=dialogue.on
    )
    if not mine.update(reminded=stage):
        return False
    if stage == "soon":
        tell.everybody(dialogue, stage)
    else:
        tell.stakeholder(dialogue, stage)
    return True


@transaction.atomic
def _promise(commitment: Commitment, able: set[int], today: date) -> bool:
    left = commitment.owner_id not in able
    stage = ""
    if left:
        stage = "no_owner"
    elif commitment.due < today:
        stage = "overdue"
    elif commitment.due <= today + queries.SOON:
        stage = "due"
    if not stage or (stage == commitment.reminded and not (left and commitment.owner_id)):
        return False
    mine = Commitment.objects.select_for_update(no_key=True).filter(
        pk=commitment.pk, state=commitment.state, version=commitment.version
    )
    changed: dict[str, object] = {"reminded": stage} | ({"owner": None} if left else {})
    if not mine.update(**changed):
        return False
    if not left:
        tell.owner(commitment, stage)
        return True
    if commitment.owner_id is not None:
        audit.record("accountability.owner_left", by=command_line_operator(), target=commitment)
    tell.seniors(commitment, stage)
    return True
