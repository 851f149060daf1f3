"""What the worker does every day: questions and offers unanswered, places that wait too long."""

from collections.abc import Iterator
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
    return done + sum(_remind_of_waiting(each, today) for each in _long_ready(today))


def _long_ready(today: date) -> Iterator[GateCheck]:
    """The last answer of each place that is ready and waits for long; a few statements for many."""
    rows = GateCheck.objects.filter(places.open_ones()).exclude(state=GateCheck.State.ASKED)
    last: dict[tuple[int | None, int | None], tuple[int, str]] = {}
    for pk, partnership, area, state in rows.order_by("pk").values_list(
        "pk", "partnership", "area", "state"
    ):
        last[(partnership, area)] = pk, state
    ready = [pk for pk, state in last.values() if state == GateCheck.State.READY]
    for at in range(0, len(ready), places.AT_ONCE):
        found = GateCheck.objects.filter(pk__in=ready[at : at + places.AT_ONCE]).order_by("pk")
        them = list(found.select_related("area", "partnership__lead_school__area"))
        now = queries.standings([places.of(each) for each in them], today)
        for each in them:
            place = places.of(each)
            if now[(place.kind, place.pk)].long:
                yield each


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
