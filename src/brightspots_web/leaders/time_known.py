"""What the system knows already of somebody's week, so that nobody is asked twice.

Support that was written down is known to this layer. Whoever holds more (meetings, reviews)
registers a source when the platform starts::

    @time_known.register
    def meetings(person, first, last): ...
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.utils.translation import ngettext

from brightspots_web.connectedness import support_given_queries as support
from brightspots_web.leaders.development_pages import hours_text
from brightspots_web.leaders.models import TimeSpent

HOURS_A_DAY = Decimal(7)
"""What a day of support is taken for; the person corrects it."""


@dataclass(frozen=True)
class Known:
    """Hours of a week that something else has on record."""

    on: str
    """One of `TimeSpent.On`."""
    hours: Decimal
    words: str
    """Where it is known from, in words."""


Source = Callable[[int, date, date], Sequence[Known]]
"""From a person's key, a Monday and its Sunday to what is known."""

_SOURCES: list[Source] = []


def register(source: Source) -> Source:
    """Let a function of a higher layer be asked too; once, however often it is registered."""
    if source not in _SOURCES:
        _SOURCES.append(source)
    return source


def known(person: int, monday: date) -> list[Known]:
    """Everything known of a person's week, in the order of the four."""
    sunday = monday + timedelta(days=6)
    found = [each for source in _SOURCES for each in source(person, monday, sunday)]
    order = list(TimeSpent.On.values)
    return sorted(found, key=lambda each: order.index(each.on))


def hours_known(found: Sequence[Known]) -> dict[str, Decimal]:
    """The same added up, by what it was for."""
    sums: dict[str, Decimal] = {}
    for each in found:
        sums[each.on] = sums.get(each.on, Decimal(0)) + each.hours
    return sums


@register
def support_given(person: int, first: date, last: date) -> list[Known]:
    """Days of support that the person wrote down."""
    return [
        Known(
            TimeSpent.On.SUPPORT,
            (each.days * HOURS_A_DAY).quantize(Decimal("0.1")),
            ngettext(
                "{days} day of support at {school}",
                "{days} days of support at {school}",
                1 if each.days == 1 else 2,
            ).format(days=hours_text(each.days), school=each.school.name),
        )
        for each in support.days_given(person, first, last)
    ]
