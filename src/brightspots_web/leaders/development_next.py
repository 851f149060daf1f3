"""What a leader needs next: where to look first, why, and what is on offer for it.

A suggestion for one person from what that person and the colleagues said; it is never compared
with anybody else's, and it never becomes a number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.translation import gettext as _

from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment
from brightspots_web.leaders import designation_queries as designation
from brightspots_web.leaders import development_learning_queries as learning_queries
from brightspots_web.leaders import development_queries as queries
from brightspots_web.leaders.development_queries import FAR_APART, Standing
from brightspots_web.leaders.development_words import level_name
from brightspots_web.leaders.models import Competence, Designation, Learning
from brightspots_web.shared import words

MOST = 3
"""So many at a time: more is a list nobody begins with."""
MOST_OFFERS = 2
TERM_ENDS = timedelta(days=365)
TERM_BEGAN = timedelta(days=183)
OLD = timedelta(days=400)
"""A view older than this speaks of another time."""
NOTHING_SAID, FAR, LOW, NO_COLLEAGUE, GROWN_OLD, DEVELOPING = 6, 5, 4, 3, 2, 1
"""The weight of each reason; the heaviest of a competence decides its place."""


@dataclass(frozen=True)
class Next:
    """A competence to look at next, the reasons in words, and learning for it."""

    competence: Competence
    reasons: Sequence[str]
    offers: Sequence[Learning]


def next_for(acting: Appointment) -> list[Next]:
    """Up to three competences, those with the weightiest reason first."""
    standings = [
        each for each in queries.standings(acting.person, acting)
        if each.competence.retired_at is None
    ]  # fmt: skip
    found = [(reasons(each), each) for each in standings]
    ordered = sorted((pair for pair in found if pair[0]), key=lambda pair: -pair[0][0][0])[:MOST]
    offers = learning_queries.on_offer_for(acting, [each.competence.pk for _r, each in ordered])
    return [
        Next(
            each.competence,
            [text for _weight, text in why],
            offers.get(each.competence.pk, [])[:MOST_OFFERS],
        )
        for why, each in ordered
    ]


def reasons(standing: Standing, today: date | None = None) -> list[tuple[int, str]]:
    """Why to look at a competence, the weightiest first; nothing where there is no reason."""
    today = today or directory.today()
    if standing.own is None:
        said = _("You have not said yet what shows it.")
        return [(NOTHING_SAID, said), *_of_views(standing)]
    found = _of_views(standing)
    if not standing.others and not standing.waiting:
        found.append((NO_COLLEAGUE, _("No colleague has said how they see it.")))
    at = standing.own.at
    if at is not None and at.date() < today - OLD:
        said = _("You said it on {day}. What shows it today?").format(day=words.day(at))
        found.append((GROWN_OLD, said))
    return sorted(found, key=lambda pair: -pair[0])


def _of_views(standing: Standing) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    if standing.lowest is not None and standing.apart >= FAR_APART:
        said = _(
            "The views go from “{lowest}” to “{highest}”: talk about what lies behind it."
        ).format(lowest=level_name(standing.lowest), highest=level_name(max(standing.levels)))
        found.append((FAR, said))
    if standing.lowest in {1, 2}:
        said = _("The view furthest from “leading” is “{level}”.").format(
            level=level_name(standing.lowest)
        )
        found.append((LOW if standing.lowest == 1 else DEVELOPING, said))
    return found


def term_words(held: Designation | None, today: date | None = None) -> str:
    """What the term says about what is next; "" in the middle of it."""
    today = today or directory.today()
    if held is None:
        return ""
    if held.ends <= today + TERM_ENDS:
        return _(
            "Your term ends on {day}. Whoever decides on another will ask what shows each "
            "competence: evidence that you gather now is there then."
        ).format(day=words.day(held.ends))
    if held.starts >= today - TERM_BEGAN:
        return _(
            "Your term began on {day}: a first view of every competence, and a colleague’s, show "
            "later how far you came."
        ).format(day=words.day(held.starts))
    return ""


def term_of(acting: Appointment) -> str:
    return term_words(designation.live_designation(acting.person))
