"""Why an offer was suggested, and why not another: the library's kinds and values, in words.

The library speaks of kilometres where it weighs things against each other; the pages say what is
the case and leave the weighing to it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.connectedness.pages import kilometres
from brightspots_web.shared import charts

Values = Mapping[str, Any]
WAYS = ("distance", "distance_unknown")
SPEAKS_FOR = ("strong", "same_area", "same_language", "like", "record", "exploring")
"""Kinds that speak for an offer; the other kinds of reasons speak against it or of neither."""


class Comparison(Protocol):
    """One offer held against a request, as the library says it."""

    @property
    def distance_km(self) -> float | None: ...
    @property
    def more_than_best(self) -> float | None: ...
    @property
    def rough(self) -> bool: ...
    @property
    def reasons(self) -> Sequence[Mapping[str, Any]]: ...
    @property
    def against(self) -> Sequence[Mapping[str, Any]]: ...


def in_words(kept: Iterable[Mapping[str, Any]]) -> list[str]:
    """Reasons in plain words, in their order, but for the way, which stands by itself.

    Kinds that nobody knows any more are left out.
    """
    said = []
    for each in kept:
        kind = str(each.get("kind", ""))
        words = WORDS.get(kind)
        if words is not None and kind not in WAYS:
            said.append(words(each.get("values") or {}))
    return [text for text in said if text]


def compared(answer: Comparison, *, stands: bool = True) -> str:
    """How an offer stands beside the one that fits best; `stands` unless it is paused."""
    if answer.more_than_best is None or not stands:
        return _("It cannot be suggested for this request.")
    if answer.more_than_best < 0.05:
        return _("No other offer fits better, as far as the figures go.")
    if answer.rough:
        return _("Another offer fits better.")
    return _("Another offer fits better, as much as if this one were {km} further away.").format(
        km=kilometres(answer.more_than_best)
    )


def _record(values: Values) -> str:
    """What earlier support by this school brought, with its interval."""
    span = _("gains likely between {lower} and {upper} of the spread among pupils").format(
        lower=charts.number(values.get("lower"), 2, signed=True),
        upper=charts.number(values.get("upper"), 2, signed=True),
    )
    n = values.get("projects")
    if n is None:
        return _("earlier support: {span}").format(span=span)
    words = ngettext(
        "{n} earlier project at this priority: {span}",
        "{n} earlier projects at this priority: {span}",
        n,
    )
    return words.format(n=n, span=span)


def _few(values: Values) -> str:
    """Projects that rest on one or two schools: their figure would be theirs."""
    n = int(values.get("projects") or 0)
    return ngettext(
        "{n} earlier project, too few schools to show a figure",
        "{n} earlier projects, too few schools to show a figure",
        n,
    ).format(n=n)


def _not_measured(values: Values) -> str:
    n = int(values.get("projects") or 0)
    return ngettext(
        "{n} earlier project, not measured yet", "{n} earlier projects, not measured yet", n
    ).format(n=n)


def _no_places(values: Values) -> str:
    left = values.get("days_left")
    if not values.get("places") or left is None:
        return _("it has no place free now")
    return _("it has {left} days left, and {days} are asked for").format(
        left=charts.number(max(float(left), 0.0), 1), days=charts.number(values.get("days"), 1)
    )


def _part(values: Values) -> str:
    """Which of the things weighed make the difference to the offer that fits best."""
    names = {
        "distance": (_("it is farther away"), _("it is nearer")),
        "dissimilarity": (
            _("its circumstances are less like the school’s"),
            _("its circumstances are more like the school’s"),
        ),
        "language": (_("the language fits less"), _("the language fits better")),
        "phase": (_("the phase fits less"), _("the phase fits better")),
        "strength": (
            _("it is less strong at the priority"),
            _("it is stronger at the priority"),
        ),
        "track_record": (
            _("its earlier support brought less"),
            _("its earlier support brought more"),
        ),
    }
    pair = names.get(str(values.get("part")))
    return (pair[0] if float(values.get("km") or 0) > 0 else pair[1]) if pair else ""


WORDS: dict[str, Callable[[Values], str]] = {
    "strong": lambda v: _("strong at this priority"),
    "offers": lambda v: _("offers this priority"),
    "strength_unknown": lambda v: _("offers this priority; how strong it is, is not known"),
    "distance": lambda v: _("{km} away").format(km=kilometres(v.get("km"))),
    "same_area": lambda v: _("in the same area; how far is not known"),
    "distance_unknown": lambda v: _("how far is not known"),
    "same_language": lambda v: _("the same language"),
    "no_common_language": lambda v: _("no language in common"),
    "language_unknown": lambda v: _("the language is not known"),
    "like": lambda v: _("in like circumstances"),
    "unlike": lambda v: _("in other circumstances"),
    "another_phase": lambda v: _("another phase"),
    "record": _record,
    "few_records": _few,
    "not_measured": _not_measured,
    "no_record": lambda v: _("no record of earlier support yet"),
    "exploring": lambda v: _("a draw had a say here, so that new schools get their chance to give"),
    "not_offered": lambda v: _("it does not offer this priority"),
    "same_school": lambda v: _("a school does not support itself"),
    "conflict": lambda v: _("it came to nothing for this request before"),
    "asks_itself": lambda v: _("the school asks for support at this priority itself"),
    "no_places": _no_places,
    "too_far": lambda v: _("it is {km} away, more than {most}").format(
        km=kilometres(v.get("km")), most=kilometres(v.get("max_km"))
    ),
    "place_unknown": lambda v: _("where one of the schools lies is not known"),
    "other_language": lambda v: _("the two share no language"),
    "other_phase": lambda v: _("the two share no phase"),
    "part": _part,
}
"""Kind -> its words."""
