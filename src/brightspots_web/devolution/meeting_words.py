"""Meetings in words: when, where, how it stands."""

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format, time_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.devolution import meeting_queries as queries
from brightspots_web.devolution.models import Meeting
from brightspots_web.shared.words import day as day


def hour(at: datetime) -> str:
    return time_format(timezone.localtime(at), "TIME_FORMAT")


def moment(at: datetime) -> str:
    """`Tuesday, 5 May 2026, 14:00`, where people live."""
    local = timezone.localtime(at)
    return _("{weekday}, {day}, {hour}").format(
        weekday=date_format(local, "l"),
        day=date_format(local, "DATE_FORMAT"),
        hour=hour(at),
    )


def when(meeting: Meeting) -> str:
    """From when to when."""
    return _("{begins} to {ends}").format(
        begins=moment(meeting.starts_at), ends=hour(queries.ends_at(meeting))
    )


def title(meeting: Meeting) -> str:
    """What it is called in lists, notices and calendars."""
    return _("Data conversation of {partnership}").format(partnership=meeting.partnership.name)


def state(meeting: Meeting) -> str:
    """How it stands, in a word or two."""
    if meeting.cancelled_at is not None:
        return _("called off")
    if not queries.can_be_held(meeting):
        return _("the partnership ended before it")
    if not queries.has_begun(meeting):
        return _("to come")
    if timezone.now() < queries.ends_at(meeting):
        return _("going on")
    return _("past")


def in_days(meeting: Meeting) -> str:
    """`today`, `tomorrow`, `in 5 days`; "" for what is past."""
    days = (queries.day_of(meeting) - timezone.localdate()).days
    if days < 0:
        return ""
    if days < 2:
        return _("tomorrow") if days else _("today")
    return ngettext("in {n} day", "in {n} days", days).format(n=days)


def spoken(code: str) -> str:
    """The code in two halves, as it is read out."""
    return f"{code[:3]} {code[3:]}"


def silence(meeting_day_words: str, weeks: int) -> str:
    return ngettext(
        "You last met on {day}, {n} week ago. A short meeting is better than none.",
        "You last met on {day}, {n} weeks ago. A short meeting is better than none.",
        weeks,
    ).format(day=meeting_day_words, n=weeks)
