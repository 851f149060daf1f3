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

RISE = 0.05
"""A share has risen when it is so much higher than in the term before, and beyond chance."""
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
    return [
        _sign(name, question, rows)
        for name, rows in pairs
        for question in QUESTIONS
        if risen(rows[0].of(question), rows[1].of(question))
    ]


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
    return Sign(
        kind="abandoned_rising" if question == SUPPORT else "held_back_rising",
        heading={
            SUPPORT: _("More schools feel left alone"),
            FREEDOM: _("More schools feel held back"),
        }[question],
        text=_("{area}: “{what}” from {before} to {now}, {day}.").format(
            area=name, what=words.measure(question).lower(),
            before=words.percent(before.of(question).value), now=words.share(now.of(question)),
            day=words.last_day(now.term),
        ),
        step={
            SUPPORT: _(
                "Ask schools there what they miss; slow down what is asked, or bring support back "
                "before more is handed over."
            ),
            FREEDOM: _(
                "Look at which powers schools are ready for, and hand one over with a date."
            ),
        }[question],
        url=url(now.key),
        link=_("See the answers"),
    )  # fmt: skip


def url(key: str) -> str:
    if key.startswith("area:"):
        return reverse("pace:pulse_area", args=[int(key[5:])])
    return reverse("pace:pulse")
