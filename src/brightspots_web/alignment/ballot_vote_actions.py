"""Casting a vote: once for each voter, final, and with nothing that leads back to who cast it.

There is no entry in the audit trail and no line in a log: its time would tell whose paper it is.
The trail has the opening and the closing; the closing says by a digest which papers were counted.
"""

from collections.abc import Sequence

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from brightspots_web.alignment import ballot_queries as queries
from brightspots_web.alignment import ballot_words as words
from brightspots_web.alignment.ballot_actions import free_keys, keep_voters
from brightspots_web.alignment.models import Ballot, Vote, Voter
from brightspots_web.directory.models import Appointment
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.permissions import Capability, may


class NotTakenError(ValidationError):
    """The vote cannot be taken, now or later: the ballot is closed, or one was cast already."""


@transaction.atomic
def cast(ballot: Ballot, tier: str, ranking: Sequence[int], *, by: Appointment) -> None:
    """Put a paper into the urn: keys of proposals, the most wanted first; none is an abstention.

    Raises
    ------
    PermissionDenied
        The appointment has no vote of this tier.
    NotTakenError
        The ballot is closed, or this vote was cast.
    OvertakenError
        A proposal on the paper was withdrawn meanwhile.
    ValidationError
        The paper ranks what is not on it, or one thing twice.
    """
    if not may(by, Capability.VOTE) or not queries.acts_for(by, tier):
        raise PermissionDenied
    voter = _held_voter(ballot, tier, by)
    now = queries.ballot_with(ballot.pk)  # read after the voter is held: see `ballot_actions`
    if now is None or not queries.is_open(now):
        raise NotTakenError(words.closed(now or ballot))
    if voter is None:
        raise PermissionDenied
    if voter.voted:
        raise NotTakenError(words.voted(tier))
    _check(now, ranking)
    Vote.objects.create(
        id=free_keys(1).pop(), ballot_id=now.pk, tier=tier, ranking=list(ranking)
    )  # fmt: skip
    voter.voted = True
    voter.save(update_fields=["voted"])


def _held_voter(ballot: Ballot, tier: str, by: Appointment) -> Voter | None:
    """The voter's row, nobody else's until the transaction ends; made now for one that is new."""
    mine = queries.voters_of(ballot, by, tier)
    voter = mine.select_for_update(no_key=True).first()
    if voter is None:
        keep_voters(ballot)
        voter = mine.select_for_update(no_key=True).first()
    return voter


def _check(ballot: Ballot, ranking: Sequence[int]) -> None:
    known = {each["key"] for each in ballot.choices}
    if len(set(ranking)) < len(ranking) or not known.issuperset(ranking):
        raise ValidationError(_("This is not the paper of this ballot. Open it again and rank."))
    check_standing(ballot, ranking)


def check_standing(ballot: Ballot, ranking: Sequence[int]) -> None:
    """Refuse a paper that ranks what was withdrawn since somebody began to rank."""
    gone = [
        each["title"] for each in ballot.choices if each["withdrawn"] and each["key"] in ranking
    ]
    if gone:
        raise OvertakenError(
            _("{titles} was withdrawn while you were ranking. Your other choices are still here "
              "and moved up: look at them, then go on.").format(titles=words.listed(gone))
        )  # fmt: skip
