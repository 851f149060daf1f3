"""The words of notices about the calendar and proposals: titles and phases, nobody's words."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.alignment import agreement_queries, agreement_words
from brightspots_web.alignment import agreement_reminder_actions as reminders
from brightspots_web.alignment import proposal_actions as actions
from brightspots_web.alignment import proposal_merge_actions as merging
from brightspots_web.alignment import proposal_queries as queries
from brightspots_web.alignment import proposal_talk_actions as talk
from brightspots_web.alignment.models import Agreement, MergeWish, PriorityProposal, ProposalComment
from brightspots_web.notices import kinds
from brightspots_web.shared.components import Link

State = PriorityProposal.State
Many = Sequence[Mapping[str, Any]]


def _url(proposal: PriorityProposal, name: str = "proposal") -> str:
    return reverse(f"alignment:{name}", args=[proposal.pk])


@kinds.register_many(reminders.BEGAN)
def phases_began(given: Many) -> list[Link | None]:
    """A phase began; no longer said when another one is on."""
    found = agreement_queries.by_keys(data["agreement"] for data in given)
    return [_began(found.get(data["agreement"]), data["phase"]) for data in given]


def _began(agreement: Agreement | None, phase: str) -> Link | None:
    if agreement is None or agreement_queries.phase_of(agreement) != phase:
        return None
    text = _("{cycle}: {phase}. {what}").format(
        cycle=agreement.cycle.name,
        phase=agreement_words.name(phase),
        what=agreement_words.what_happens(phase),
    )
    return Link(text, reverse("alignment:calendar"))


def _about_proposals(
    words: Callable[[PriorityProposal], Link | None],
) -> Callable[[Many], list[Link | None]]:
    def render(given: Many) -> list[Link | None]:
        found = queries.by_keys(data["proposal"] for data in given)
        known = (found.get(data["proposal"]) for data in given)
        return [words(each) if each is not None else None for each in known]

    return render


@kinds.register_many(reminders.DRAFT_WAITS)
@_about_proposals
def draft_waits(proposal: PriorityProposal) -> Link | None:
    """A draft that nobody has proposed yet, while there is time."""
    if proposal.state != State.DRAFT or not queries.can_be_changed(proposal):
        return None
    text = _("“{title}” is still a draft. {now}").format(
        title=proposal.title, now=agreement_words.where_we_are(proposal.agreement)
    )
    return Link(text, _url(proposal))


@kinds.register_many(actions.CLOSED)
@_about_proposals
def closed(proposal: PriorityProposal) -> Link | None:
    """What became of a proposal at the adoption."""
    words = {
        State.ADOPTED: _("“{title}” is adopted: it is one of the priorities."),
        State.NOT_ADOPTED: _("“{title}” is not adopted this time."),
    }.get(State(proposal.state))
    return Link(words.format(title=proposal.title), _url(proposal)) if words else None


def _unanswered(given: Many) -> list[Link | None]:
    keys = [data["proposal"] for data in given]
    found, waiting = queries.by_keys(keys), queries.unanswered_counts(keys)
    return [_waiting(found.get(key), waiting.get(key, 0)) for key in keys]


def _waiting(proposal: PriorityProposal | None, number: int) -> Link | None:
    if proposal is None or proposal.state != State.OPEN or not number:
        return None
    text = ngettext(
        "“{title}”: one comment waits for an answer",
        "“{title}”: {n} comments wait for an answer",
        number,
    ).format(title=proposal.title, n=number)
    return Link(text, _url(proposal, "consultation"))


kinds.register_many(talk.COMMENTED)(_unanswered)
kinds.register_many(reminders.ANSWERS_WAIT)(_unanswered)


@kinds.register_many(talk.ANSWERED)
def answered(given: Many) -> list[Link | None]:
    """Somebody who said something got an answer."""
    found = queries.comments_by_keys(data["comment"] for data in given)
    return [_answered(found.get(data["comment"])) for data in given]


def _answered(said: ProposalComment | None) -> Link | None:
    if said is None or said.answered_at is None or said.hidden_at is not None:
        return None
    text = _("You have an answer to what you said about “{title}”.")
    if said.taken_up is not None:
        text = (
            _("What you wanted changed in “{title}” is taken up.")
            if said.taken_up
            else _("What you wanted changed in “{title}” is not taken up; the answer says why.")
        )
    url = _url(said.proposal, "consultation") + f"#comment-{said.pk}"
    return Link(text.format(title=said.proposal.title), url)


def _about_wishes(
    words: Callable[[MergeWish], Link | None],
) -> Callable[[Many], list[Link | None]]:
    def render(given: Many) -> list[Link | None]:
        found = queries.wishes_by_keys(data["wish"] for data in given)
        known = (found.get(data["wish"]) for data in given)
        return [words(each) if each is not None else None for each in known]

    return render


@kinds.register_many(merging.WISHED)
@_about_wishes
def merge_wished(wish: MergeWish) -> Link | None:
    """Somebody wishes that two proposals become one; no longer said once it is answered."""
    if wish.state != MergeWish.State.OPEN:
        return None
    text = _("Somebody wishes that “{one}” and “{other}” become one. What do you say?").format(
        one=wish.proposal.title, other=wish.into.title
    )
    return Link(text, _url(wish.proposal) + "#merge")


@kinds.register_many(merging.MERGED)
@_about_wishes
def merged(wish: MergeWish) -> Link | None:
    """Two proposals became one."""
    text = _("“{one}” is part of “{other}” now: both authors agreed.").format(
        one=wish.proposal.title, other=wish.into.title
    )
    return Link(text, _url(wish.into))


@kinds.register_many(merging.DECLINED)
@_about_wishes
def merge_declined(wish: MergeWish) -> Link | None:
    """Two proposals stay two."""
    text = _("“{one}” and “{other}” stay two proposals.").format(
        one=wish.proposal.title, other=wish.into.title
    )
    return Link(text, _url(wish.proposal))
