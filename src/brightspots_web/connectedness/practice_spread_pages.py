"""How far practices spread: schools reached from one source school, in figures."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse
from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from brightspots_web.connectedness import practice_lineage_queries as lineage
from brightspots_web.connectedness.models import Practice
from brightspots_web.shared import charts
from brightspots_web.shared.components import KeyFigure


def library_figures() -> Sequence[KeyFigure]:
    """Over all published practices: the multiplier and the reproduction number."""
    found = lineage.newest_spread()
    if not found or not found["sources"]:
        return []
    multiplier = found["reached"] / found["sources"]
    return [
        KeyFigure(
            _("Multiplier"),
            charts.number(multiplier, 1),
            _("schools"),
            n=found["sources"],
            n_of=_("source schools"),
            as_of=_as_of(found),
            made_url=_made(),
            sentence=_(
                "So many schools took up a practice of one source school, counted once for each "
                "practice."
            ),
        ),
        _passed_on(found, found["overall"]),
    ]


def practice_figures(practice: Practice) -> Sequence[KeyFigure]:
    """The reproduction number of one practice; nothing before it was reckoned."""
    found = lineage.newest_spread()
    own = found["practices"].get(practice.code) if found else None
    return [_passed_on(found, own)] if found and own else []


def _passed_on(found: Mapping[str, Any], own: Mapping[str, Any]) -> KeyFigure:
    if own["mean"] is None:
        return KeyFigure(
            _("Passed on"),
            "–",
            as_of=_as_of(found),
            sentence=_("No school has had it for a year: it is too early to say how it goes on."),
        )
    return KeyFigure(
        _("Passed on"),
        charts.number(own["mean"], 1),
        _("schools"),
        interval=_("{lower} and {upper}").format(
            lower=charts.number(own["lower"], 1), upper=charts.number(own["upper"], 1)
        ),
        n=own["adopters"],
        n_of=_("times a school had one for a year"),
        as_of=_as_of(found),
        made_url=_made(),
        sentence=_(
            "So many others learned from a school within a year of its beginning, on average. "
            "Above 1 a practice travels by itself; below, it needs help."
        ),
    )


def _made() -> str:
    return reverse("home:methods") + "#practices"


def _as_of(found: Mapping[str, Any]) -> str:
    day = parse_date(found["as_of"])
    return _("as of {day}").format(day=date_format(day)) if day else ""
