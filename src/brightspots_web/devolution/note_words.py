"""What is said about notes, observations and preparing, in the same words everywhere."""

from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.devolution.rubric_queries import Item
from brightspots_web.shared import charts
from brightspots_web.shared.words import day


def schools(n: int) -> str:
    return ngettext("{n} school", "{n} schools", n).format(n=charts.number(n, 0))


def observations(n: int) -> str:
    return ngettext("{n} observation", "{n} observations", n).format(n=charts.number(n, 0))


def notes(n: int) -> str:
    return ngettext("{n} note", "{n} notes", n).format(n=charts.number(n, 0))


def from_to(first: date, last: date) -> str:
    if first == last:
        return day(first)
    return _("{first} to {last}").format(first=day(first), last=day(last))


def answers(item: Item) -> str:
    """How a question was answered, as counts: too few for a share to mean much."""
    if not item.n:
        return _("not answered yet")
    if item.kind == "yes_no":
        yes = dict(item.answers)[True]
        return _("yes in {yes} of {n}").format(
            yes=charts.number(yes, 0), n=charts.number(item.n, 0)
        )
    if item.kind == "scale":
        return " · ".join(
            ngettext("{level}: {times} time", "{level}: {times} times", times).format(
                level=level, times=charts.number(times, 0)
            )
            for level, times in item.answers
        )
    least, most = item.answers[0][0], item.answers[-1][0]
    total = charts.number(item.total, 0)
    if least == most:
        return _("{total} in all, {each} each time").format(
            total=total, each=charts.number(least, 0)
        )
    return _("{total} in all, from {least} to {most} each time").format(
        total=total, least=charts.number(least, 0), most=charts.number(most, 0)
    )


def answer(kind: str, value: object) -> str:
    """One answer of one observation."""
    if value is None:
        return _("not answered")
    if kind == "yes_no":
        return _("yes") if value else _("no")
    return str(value)
