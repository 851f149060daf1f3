"""The words of notices about ballots."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.alignment import ballot_actions
from brightspots_web.alignment import ballot_queries as queries
from brightspots_web.alignment import ballot_words as words
from brightspots_web.alignment.models import Ballot
from brightspots_web.notices import kinds
from brightspots_web.shared.components import Link

Many = Sequence[Mapping[str, Any]]


def _ballots(given: Many) -> list[Ballot | None]:
    """The ballot that each notice is about, read at once."""
    found = queries.ballots_with({int(each["ballot"]) for each in given})
    return [found.get(int(each["ballot"])) for each in given]


def _url(ballot: Ballot) -> str:
    return reverse("alignment:ballot", args=[ballot.pk])


@kinds.register_many(ballot_actions.OPENED)
def opened(given: Many) -> list[Link | None]:
    said = _("The ballot on the priorities of “{cycle}” is open until {day}. You have a vote.")
    return [_while_open(ballot, said) for ballot in _ballots(given)]


@kinds.register_many(ballot_actions.REMINDER)
def reminder(given: Many) -> list[Link | None]:
    said = _(
        "The ballot on the priorities of “{cycle}” ends on {day}, and a vote of yours was not cast "
        "when this was sent."
    )
    return [_while_open(ballot, said) for ballot in _ballots(given)]


def _while_open(ballot: Ballot | None, said: str) -> Link | None:
    if ballot is None or not queries.is_open(ballot):
        return None
    cycle = ballot.agreement.cycle.name
    return Link(said.format(cycle=cycle, day=words.last_day(ballot)), _url(ballot))


@kinds.register_many(ballot_actions.COUNTED)
def counted(given: Many) -> list[Link | None]:
    said = _("The votes on the priorities of “{cycle}” are counted. See what was chosen, and how.")
    return [
        Link(said.format(cycle=ballot.agreement.cycle.name), _url(ballot)) if ballot else None
        for ballot in _ballots(given)
    ]
