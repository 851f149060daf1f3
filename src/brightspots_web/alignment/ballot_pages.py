"""What the pages of ballots show: the paper, the turnout, the count round by round."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.alignment import adoption_queries as adoptions
from brightspots_web.alignment import agreement_queries as calendar
from brightspots_web.alignment import ballot_queries as queries
from brightspots_web.alignment import ballot_result_pages as results
from brightspots_web.alignment import ballot_words as words
from brightspots_web.alignment.ballot_count import Counted
from brightspots_web.alignment.ballot_queries import Turnout
from brightspots_web.alignment.models import Agreement, Ballot, Tier
from brightspots_web.directory.models import Appointment
from brightspots_web.shared.charts import number
from brightspots_web.shared.components import Badge, Cell, Column, KeyFigure, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links
from brightspots_web.shared.permissions import Capability, may
from brightspots_web.shared.words import day

Row = dict[str, Any]


def url(ballot: Ballot) -> str:
    return reverse("alignment:ballot", args=[ballot.pk])


def crumbs(*further: Link | str) -> list[Link]:
    first = [
        Link(_("Priorities"), reverse("alignment:priorities")),
        Link(_("Ballots"), reverse("alignment:ballots")),
    ]
    return [*first, *(each if isinstance(each, Link) else Link(each) for each in further)]


def crumbs_of_list() -> list[Link]:
    return [Link(_("Priorities"), reverse("alignment:priorities")), Link(_("Ballots"))]


def title(ballot: Ballot) -> str:
    return _("Ballot on the priorities of “{cycle}”").format(cycle=ballot.agreement.cycle.name)


def crumbs_of(ballot: Ballot, step: str = "") -> list[Link]:
    if not step:
        return crumbs(ballot.agreement.cycle.name)
    return crumbs(Link(ballot.agreement.cycle.name, url(ballot)), step)


# On every front page


@dataclass(frozen=True)
class VoteCard:
    """A vote that somebody holds and has not cast."""

    heading: str
    text: str
    url: str
    link: str


def front_card(acting: Appointment | None) -> VoteCard | None:
    """What a front page says to whoever has a vote left in an open ballot; None to all others."""
    for ballot in queries.unfinished():
        if not queries.is_open(ballot):
            continue
        left = [each for each in queries.votes_held(acting, ballot) if not each.voted]
        if left:
            return VoteCard(
                _("Your vote is still to be cast"),
                _("{who} has a vote on the next priorities, until the end of {day}.").format(
                    who=left[0].name, day=words.last_day(ballot)
                ),
                reverse("alignment:ballot_vote", args=[ballot.pk, left[0].tier]),
                _("Vote now"),
            )
    return None


# The list


def ballots_table(ballots: Sequence[Ballot]) -> Table:
    turnouts = queries.turnouts(ballots)
    rows: list[list[Cell]] = [
        [
            Link(each.agreement.cycle.name, url(each)),
            _state(each),
            number(len(each.choices), 0),
            _turnout_words(turnouts[each.pk]) if each.pk in turnouts else None,
            words.listed([results.titles_of(each)[key] for key in queries.chosen(each)]),
        ]
        for each in ballots
    ]
    return Table(
        _("Ballots"),
        [
            Column(_("Cycle")),
            Column(_("Votes")),
            Column(_("Proposals"), numeric=True),
            Column(_("Turnout")),
            Column(_("Chosen")),
        ],
        rows,
        empty=_("No ballot was held yet. The calendar says when there will be one."),
    )


def _state(ballot: Ballot) -> Cell:
    if queries.is_open(ballot):
        return Badge(_("until {day}").format(day=words.last_day(ballot)), "visit")
    if ballot.closed_at is None:
        return Badge(_("over, not counted yet"), "unsure")
    return _("counted {day}").format(day=day(ballot.closed_at))


def opening(acting: Appointment | None) -> list[Link]:
    """The ballots that this appointment could open now."""
    return [
        Link(
            _("Open the ballot of “{cycle}”").format(cycle=each.cycle.name),
            reverse("alignment:ballot_open", args=[each.pk]),
        )
        for each in calendar.being_agreed()
        if queries.may_open(acting, each)
    ]


def to_open(agreement: Agreement) -> Row:
    """What the ministry sees before it opens a ballot: the paper, the weights, the voters."""
    proposals = queries.drawn(agreement)
    weights = {tier: n for tier, n in calendar.weights_of(agreement).items() if n > 0}
    counts = queries.counts_of_entitled(weights)
    return {
        "agreement": agreement,
        "paper": [each.title for each in proposals],
        "seed": queries.seed_for(agreement, proposals),
        "facts": [
            (_("Votes"), _voters_words(counts)),
            (_("What one vote counts"), words.weights(weights)),
            (_("Adoption begins"), day(agreement.adopt_from)),
        ],
        "problem": words.cannot_open(agreement),
        "breadcrumb": crumbs(_("Open the ballot")),
    }


def _voters_words(counts: dict[str, int]) -> str:
    return ", ".join(
        _("{tier}: {n}").format(tier=Tier(tier).label, n=number(found, 0))
        for tier, found in counts.items()
    )


# One ballot


def page(ballot: Ballot, acting: Appointment | None, within: str = "") -> Row:
    counted = queries.counted(ballot)
    held = queries.votes_held(acting, ballot)
    ministry = may(acting, Capability.SET_PRIORITIES)
    return {
        "ballot": ballot,
        "heading": title(ballot),
        "breadcrumb": crumbs_of(ballot),
        "is_open": queries.is_open(ballot),
        "waits": ballot.closed_at is None and not queries.is_open(ballot),
        "until": words.last_day(ballot),
        "votes": [
            (each, reverse("alignment:ballot_vote", args=[ballot.pk, each.tier])) for each in held
        ],
        "figures": figures(ballot, counted),
        "facts": _facts(ballot),
        "paper": [_on_paper(each) for each in ballot.choices],
        "tiers": _tier_table(ballot),
        "may_close": ministry and ballot.closed_at is None and not queries.is_open(ballot),
        "may_give_time": ministry and queries.is_open(ballot),
        "areas_within": within,
        "result": results.part(ballot, counted) if counted else None,
        "adoption": adoptions.adoption_of(ballot.agreement),
        "may_adopt": adoptions.may_adopt(acting, ballot.agreement),
    }


def _on_paper(choice: Row) -> Row:
    return {**choice, "url": _proposal_url(int(choice["key"]))}


def _proposal_url(key: int) -> str:
    return reverse("alignment:proposal", args=[key])


def figures(ballot: Ballot, counted: Counted | None) -> list[KeyFigure]:
    """Turnout, and once it is counted abstentions and what the quota was."""
    whole = queries.turnout(ballot)
    found = [
        KeyFigure(
            _("Turnout"),
            _percent(whole),
            n=whole.voted,
            n_of=_("of {n} votes cast").format(n=number(whole.voters, 0)),
            as_of=day(ballot.closed_at) if ballot.closed_at else _("up to now"),
            sentence="" if counted else _("What was voted, nobody can see before the end."),
        )
    ]
    if counted:
        none = sum(counted.abstained.values())
        found.append(
            KeyFigure(
                _("Abstentions"), number(none, 0), n=sum(counted.papers.values()), n_of=_("papers"),
                sentence=_gone(counted),
            )
        )  # fmt: skip
        found.append(
            KeyFigure(
                _("Needed to be chosen"), number(counted.quota, 0), unit=_("votes"),
                n=int(counted.votes), n_of=_("votes on papers that rank something"),
                sentence=_("The quota: so many that no more proposals than places can have it."),
            )
        )  # fmt: skip
    return found


def _gone(counted: Counted) -> str:
    gone = sum(counted.nothing_left.values())
    if not gone:
        return ""
    return ngettext(
        "{n} paper ranks only what was withdrawn.", "{n} papers rank only what was withdrawn.", gone
    ).format(n=number(gone, 0))


def _percent(found: Turnout) -> str:
    if found.share is None:
        return _("not shown")
    return _("{n}%").format(n=number(100 * found.share, 0))


def _turnout_words(found: Turnout) -> str:
    if found.voted is None:
        return _("not shown: fewer than three")
    return _("{share} ({voted} of {voters})").format(
        share=_percent(found), voted=number(found.voted, 0), voters=number(found.voters, 0)
    )


def _facts(ballot: Ballot) -> list[tuple[str, Cell]]:
    return [
        (_("To be chosen"), number(ballot.seats, 0)),
        (_("What one vote counts"), words.weights(ballot.weights)),
        (_("Open"), _("{first} to {last}").format(
            first=day(ballot.opened_at), last=words.last_day(ballot)
        )),
        (_("Opened by"), ballot.opened_by),
        *([(_("Counted"), _("{day}, {who}").format(
            day=day(ballot.closed_at), who=ballot.closed_by
        ))] if ballot.closed_at else []),
        (_("Number for lots"), str(ballot.seed)),
        (_("How it is counted"), ballot.method),
    ]  # fmt: skip


def _tier_table(ballot: Ballot) -> Table | None:
    rows = queries.turnout_by_tier(ballot)
    if len(rows) < 2:
        return None
    return Table(
        _("Turnout by tier"),
        [Column(_("Tier")), Column(_("Turnout"))],
        [[each.label, _turnout_words(each)] for each in rows],
    )


def areas_table(ballot: Ballot, areas: Sequence[Turnout], query: str) -> Table:
    """Turnout by area; those with areas below lead there."""
    rows: list[list[Cell]] = [
        [
            Link(each.label, f"{url(ballot)}?area={each.path}#areas") if each.inner else each.label,
            number(each.voters, 0),
            _turnout_words(each),
        ]
        for each in areas
    ]
    return Table(
        _("Turnout of schools by area"),
        [Column(_("Area")), Column(_("Schools"), numeric=True), Column(_("Turnout"))],
        rows,
        exports=export_links("alignment:ballot_turnout_export", ballot.pk, query=query),
        empty=_("There are no areas below this one."),
    )


def turnout_columns() -> list[ExportColumn]:
    return [
        ExportColumn("area", _("Area")),
        ExportColumn("schools", _("Schools"), "integer"),
        ExportColumn("voted", _("Voted (empty: fewer than three schools)"), "integer"),
        ExportColumn("share", _("Share"), "percent"),
    ]


def turnout_rows(areas: Sequence[Turnout]) -> list[Row]:
    return [
        {"area": each.label, "schools": each.voters, "voted": each.voted, "share": each.share}
        for each in areas
    ]
