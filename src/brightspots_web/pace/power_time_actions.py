"""What the worker does every day: questions and offers unanswered, places that wait too long."""

from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from brightspots_web.directory import queries as directory
from brightspots_web.pace import power_gate_queries as gates
from brightspots_web.pace import power_queries as queries
from brightspots_web.pace import power_tell as tell
from brightspots_web.pace import stage_place_queries as places
from brightspots_web.pace.models import GateCheck, PowerTransfer


def look_after(on: date | None = None) -> int:
    """Everything that is due; as often as is handy: nobody is told of the same twice."""
    today = on or directory.today()
    before = today - timedelta(days=gates.settings_now().answer_days)
    done = sum(_remind_of_question(each) for each in gates.unanswered(before))
    done += sum(_remind_of_offer(each) for each in queries.unanswered(before))
    return done + sum(_remind_of_waiting(each, today) for each in _ready_ones())


def _ready_ones() -> list[GateCheck]:
    """The last answer of each place, where it says ready and nobody was told that it waits."""
    rows = GateCheck.objects.exclude(state=GateCheck.State.ASKED).order_by("pk")
    last: dict[tuple[int | None, int | None], GateCheck] = {}
    for each in rows.select_related("area", "partnership__lead_school__area"):
        last[(each.partnership_id, each.area_id)] = each
    return [
        each for each in last.values() if each.state == GateCheck.State.READY
    ]  # fmt: skip


@transaction.atomic
def _remind_of_question(check: GateCheck) -> bool:
    mine = GateCheck.objects.filter(pk=check.pk, state=check.state, reminded_at=None)
    if not mine.update(reminded_at=timezone.now()):
        return False
    tell.handing(check, "ask_waits")
    return True


@transaction.atomic
def _remind_of_offer(transfer: PowerTransfer) -> bool:
    mine = PowerTransfer.objects.filter(pk=transfer.pk, state=transfer.state, reminded_at=None)
    if not mine.update(reminded_at=timezone.now()):
        return False
    tell.answering(transfer, "offer_waits")
    return True


@transaction.atomic
def _remind_of_waiting(check: GateCheck, today: date) -> bool:
    """Once for each time that nothing has moved for too long."""
    place = places.of(check)
    now = queries.standing(place, today)
    if not now.long or now.waiting_since is None:
        return False
    told = timezone.localdate(check.reminded_at) if check.reminded_at else None
    if told is not None and told >= now.waiting_since:
        return False
    mine = GateCheck.objects.filter(pk=check.pk, reminded_at=check.reminded_at)
    if not mine.update(reminded_at=timezone.now()):
        return False
    tell.waits(place, check)
    return True
