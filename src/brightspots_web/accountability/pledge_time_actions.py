"""What the worker does for promises every day: witnesses who left, reminders."""

from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from brightspots_web.accountability import pledge_queries as queries
from brightspots_web.accountability import pledge_tell as tell
from brightspots_web.accountability import pledge_witness_actions as witnesses
from brightspots_web.accountability.pledge_models import Pledge
from brightspots_web.directory import queries as directory
from brightspots_web.directory.actions import command_line_operator


def look_after(on: date | None = None) -> int:
    """Mark witnesses who left and remind of check-ins and of days that have come.

    It may run as often as is handy: nobody is told of the same twice.
    """
    gone = queries.witnesses_who_may_have_left()
    found = 0
    if gone:
        by = command_line_operator()
        found = sum(witnesses.leave(each, by=by) for each in gone)
    return found + _remind(on or directory.today())


def _remind(on: date) -> int:
    rule, told = timedelta(days=queries.settings().check_in_days), 0
    for pledge in queries.to_remind_of(on):
        event = "due" if pledge.due <= on else ""
        if not event and on - last_heard_of(pledge) >= rule:
            event = "check_in"
        if not event or pledge.reminded == event:
            continue
        with transaction.atomic():
            mine = Pledge.objects.filter(pk=pledge.pk, reminded=pledge.reminded)
            if mine.filter(state__in=queries.RUNS).update(reminded=event):
                tell.reminder(pledge, event)
                told += 1
    return told


def last_heard_of(pledge: Pledge) -> date:
    """The last check-in, or the day it was promised."""
    days = [each.on for each in pledge.check_ins.all()]
    vowed = pledge.vowed_at or pledge.at
    return max([timezone.localtime(vowed).date(), *days])
