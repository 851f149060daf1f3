"""What is said about promises: how they stand, values with their intervals, warnings."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.accountability import pledge_queries as queries
from brightspots_web.accountability import pledge_value_queries as values
from brightspots_web.accountability.pledge_models import Pledge, PledgeSet, PledgeWitness
from brightspots_web.shared.charts import number
from brightspots_web.shared.components import Badge
from brightspots_web.shared.words import day

State = Pledge.State
Known = Mapping[str, Any]


def badge(pledge: Pledge) -> Badge:
    label = str(pledge.get_state_display())
    if pledge.state in {State.DRAFT, State.VOWED}:
        return Badge(label, "unsure")
    return Badge(label, "plain" if pledge.state == State.WITHDRAWN else "visit")


def half(pledge: Pledge) -> str:
    """For whose pupils it is."""
    school = pledge.other_school or pledge.set.school
    return _("for {school}").format(school=school.name)


def amount(value: float, known: Known) -> str:
    """A value as people read it: published ones are points above or below like schools."""
    if not known:
        return number(value, 0 if float(value).is_integer() else 1)
    return number(value, int(known.get("digits", 1)), signed=True)


def value(known: Known) -> str:
    """`−3.2 points (likely between −5.0 and −1.4), from 180 pupils, published on 3 May 2026`."""
    if not known:
        return _("no value is published")
    return _(
        "{value} points (likely between {low} and {high}), from {n}, published on {day}"
    ).format(
        value=amount(known["value"], known),
        low=amount(known["low"], known),
        high=amount(known["high"], known),
        n=ngettext("{n} result of a pupil", "{n} results of pupils", known["n"]).format(
            n=number(known["n"], 0)
        ),
        day=day(date.fromisoformat(known["on"])),
    )


def target(pledge: Pledge) -> str:
    """The target with its unit."""
    shown = amount(pledge.target, pledge.baseline)
    if pledge.baseline:
        return _("{value} points").format(value=shown)
    return f"{shown} {pledge.indicator.unit}".strip()


def from_to(pledge: Pledge, *, sees: bool = True) -> str:
    """Where from, where to, and by when, in one line."""
    to, by = target(pledge), day(pledge.due)
    if pledge.baseline and sees:
        start = amount(pledge.baseline["value"], pledge.baseline)
        return _("{indicator}: from {start} to {to} by {day}").format(
            indicator=pledge.indicator.name, start=start, to=to, day=by
        )
    return _("{indicator}: to {to} by {day}").format(indicator=pledge.indicator.name, to=to, day=by)


def points() -> str:
    """What the points of a published value are."""
    return _(
        "Points above (+) or below (−) what schools in similar circumstances reach. The value is "
        "drawn from published results and kept with the promise; nobody types it."
    )


def incomplete(of_set: PledgeSet) -> str:
    """Why a set is not complete yet; "" for one that is."""
    if queries.is_complete(of_set):
        return ""
    if getattr(of_set, "has_own", True) and not getattr(of_set, "has_other", False):
        return _(
            "Incomplete: the second half is not promised yet, one for another school of the area."
        )
    if getattr(of_set, "has_other", False):
        return _("Incomplete: the first half is not promised yet, the one for the own school.")
    return _(
        "Incomplete: it takes a promise for the own school and one for another school of the area."
    )


def warnings(pledge: Pledge, *, sees: bool = True) -> list[str]:
    """What to think about before, and after, it is promised; nothing is refused for it.

    Parameters
    ----------
    sees
        Whether the reader may know the value of the school that is counted; what would tell it is
        left out where not.
    """
    if pledge.state not in {State.DRAFT, *queries.RUNS}:
        return []
    found = []
    if values.counts_things(pledge.priority, pledge.indicator):
        found.append(
            _(
                "It counts things instead of learning: “{indicator}” can rise while pupils learn "
                "no more. Choose a measure of what pupils can do, or say how you will see it."
            ).format(indicator=pledge.indicator.name)
        )
    if not sees:
        return found
    if not pledge.baseline:
        found.append(
            _(
                "No value of this measure is published for {school}, so no published result will "
                "show whether the promise is kept. Agree with your witnesses what will show it."
            ).format(school=(pledge.other_school or pledge.set.school).name)
        )
        return found
    base = pledge.baseline
    low, high = amount(base["low"], base), amount(base["high"], base)
    if pledge.target <= base["value"]:
        found.append(
            _(
                "The target is reached already: the published value is {value}. What would be "
                "worth promising?"
            ).format(value=amount(base["value"], base))
        )
    elif base["low"] <= pledge.target <= base["high"]:
        found.append(
            _(
                "The target lies within the noise of the baseline, which is likely between {low} "
                "and {high}: the next value may be there by chance alone. Aim beyond {high}, or "
                "say what else would show it."
            ).format(low=low, high=high)
        )
    return found


def standing(pledge: Pledge, witnesses: Sequence[PledgeWitness]) -> str:
    """How far it is, in one sentence."""
    if pledge.state == State.DRAFT:
        return _("Nothing is promised yet. Your school alone reads this.")
    if pledge.state == State.WITHDRAWN:
        return _("Withdrawn on {day}: {why}").format(
            day=day(pledge.withdrawn_at), why=pledge.withdrawn_why
        )
    stand = [each for each in witnesses if each.state == PledgeWitness.State.ACCEPTED]
    said = _("{school} promised this to {partnership} on {day}.").format(
        school=pledge.set.school.name,
        partnership=pledge.set.partnership.name,
        day=day(pledge.vowed_at),
    )
    if not stand:
        return said + " " + _("No witness stands by it at present.")
    return (
        said
        + " "
        + ngettext("{n} witness stands by it.", "{n} witnesses stand by it.", len(stand)).format(
            n=number(len(stand), 0)
        )
    )


def due(pledge: Pledge, today: date) -> str:
    days = (pledge.due - today).days
    if days > 0:
        return _("by {day}").format(day=day(pledge.due))
    if days == 0:
        return _("today")
    return _("its day was {day}").format(day=day(pledge.due))
