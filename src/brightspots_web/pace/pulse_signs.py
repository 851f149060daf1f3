"""Early-warning signs for the front pages of ministry and area: a number, its n, its day, a step.

Other parts of pace add theirs with :func:`register`. A sign is no verdict on anybody.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt

from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.directory.models import Appointment, Area
from brightspots_web.pace import pulse_queries as queries
from brightspots_web.pace import pulse_words as words
from brightspots_web.pace.pulse_queries import FREEDOM, QUESTIONS, SUPPORT, Share, Shares
from brightspots_web.shared.charts import number

RISE = 0.05
"""A share has risen when it is so much higher than in the term before, and beyond chance."""
NAMED = 3
"""So many areas are told of one by one, and named where there are more."""
BEYOND = 2.58
"""Standard errors: with thirty areas, chance alone makes about one sign a year."""


@dataclass(frozen=True)
class Sign:
    """One early sign, as it stands on a front page."""

    kind: str
    """"abandoned_rising", "held_back_rising"; others name theirs."""
    heading: str
    text: str
    """The number with its n and its day."""
    step: str
    """What one can do."""
    url: str
    link: str


Source = Callable[[Appointment, Area | None], Sequence[Sign]]
"""Who looks, which area (None: the whole system) -> the signs there."""
_SOURCES: list[Source] = []


def register(source: Source) -> Source:
    """Add the signs of another part; it holds what the person may see."""
    _SOURCES.append(source)
    return source


def signs(acting: Appointment | None, area: Area | None = None) -> list[Sign]:
    """The signs of an area, or of the whole system, for who may read its figures."""
    if acting is None:
        return []
    found = [*of_pulse(acting, area)]
    for source in _SOURCES:
        found += source(acting, area)
    return found


def of_pulse(acting: Appointment, area: Area | None) -> list[Sign]:
    """Shares of the pulse that rose since the term before; of areas too, on the ministry's page."""
    if area is not None and area.parent_id is not None:
        seen = [each for each in queries.areas_seen(acting) if each.pk == area.pk]
        keys = {queries.key_of(each): each.name for each in seen}
    else:
        keys = {queries.key_of(None): _("The whole system")}
        keys |= {queries.key_of(each): each.name for each in queries.areas_seen(acting)}
    last = queries.counted_terms()[-2:]
    if len(last) < 2:
        return []
    found = queries.histories(list(keys), last)
    pairs = [(keys[key], rows) for key, rows in found.items() if len(rows) == 2]
    wide = [each for each in pairs if each[1][0].key == queries.key_of(None)]
    apart = [each for each in pairs if each not in wide]
    of = {each: [pair for pair in apart if _rose(pair[1], each)] for each in QUESTIONS}
    few = [each for each in QUESTIONS if len(of[each]) <= NAMED]
    shown = [
        (name, question, rows)
        for name, rows in pairs
        for question in QUESTIONS
        if (question in few or (name, rows) in wide) and _rose(rows, question)
    ]
    signs = [_sign(*each) for each in shown]
    # Where many areas rose, they are one sign: a front page of a nation has no room for hundreds.
    return signs + [
        _many(question, of[question], len(apart)) for question in QUESTIONS if question not in few
    ]


def _rose(rows: Sequence[Shares], question: str) -> bool:
    before, now = rows
    return risen(before.of(question), now.of(question))


def risen(before: Share, now: Share) -> bool:
    """Whether a share rose by five hundredths or more, and by more than chance would explain.

    As if each term's answers were drawn anew; where the same people answer, less would do.
    """
    if before.value is None or now.value is None:
        return False
    rise = now.value - before.value
    chance = sqrt(sum(_variance(each) for each in (before, now)))
    return rise >= RISE and rise > BEYOND * chance


def _variance(found: Share) -> float:
    """Of a share; one answer of each kind is added, so that a share of nought has some too."""
    share = (found.too_little + 1) / (found.n + 2)
    return share * (1 - share) / (found.n + 2)


def _sign(name: str, question: str, rows: Sequence[Shares]) -> Sign:
    before, now = rows
    said = _("{area}: “{what}” from {before} to {now}, {day}.").format(
        area=name, what=words.measure(question).lower(),
        before=words.percent(before.of(question).value), now=words.share(now.of(question)),
        day=words.last_day(now.term),
    )  # fmt: skip
    return _of(question, said, now.key)


def _many(question: str, rose: Sequence[tuple[str, Sequence[Shares]]], n: int) -> Sign:
    """One sign of many areas, the first of them named in the order of their names."""
    names = _("{names} and {n} more").format(
        names=", ".join(name for name, _rows in rose[:NAMED]), n=number(len(rose) - NAMED, 0)
    )
    said = _("“{what}” rose in {k} of {n} areas, {day}: {names}.").format(
        what=words.measure(question).lower(), k=number(len(rose), 0), n=number(n, 0),
        day=words.last_day(rose[0][1][1].term), names=names,
    )  # fmt: skip
    return _of(question, said, queries.key_of(None))


def _of(question: str, said: str, key: str) -> Sign:
    return Sign(
        kind="abandoned_rising" if question == SUPPORT else "held_back_rising",
        heading={
            SUPPORT: _("More schools feel left alone"),
            FREEDOM: _("More schools feel held back"),
        }[question],
        text=said,
        step={
            SUPPORT: _(
                "Ask schools there what they miss; slow down what is asked, or bring support back "
                "before more is handed over."
            ),
            FREEDOM: _(
                "Look at which powers schools are ready for, and hand one over with a date."
            ),
        }[question],
        url=url(key),
        link=_("See the answers"),
    )


def url(key: str) -> str:
    if key.startswith("area:"):
        return reverse("pace:pulse_area", args=[int(key[5:])])
    return reverse("pace:pulse")
