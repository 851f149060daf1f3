"""What the front door of alignment shows: what is agreed, how that was, and what one can do now."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.alignment import adoption_queries as adoptions
from brightspots_web.alignment import agreement_queries as calendar
from brightspots_web.alignment import (
    agreement_words,
    ballot_queries,
    ballot_words,
    living_words,
    queries,
)
from brightspots_web.alignment import ballot_pages as ballots
from brightspots_web.alignment.models import Agreement, Priority
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment
from brightspots_web.shared.components import Badge, Cell, Column, Link, Table
from brightspots_web.shared.permissions import Capability, may
from brightspots_web.shared.words import day

Row = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """A phase on the calendar line: what it is called, its days, and whether it is past or now."""

    name: str
    span: str
    state: str
    """`past`, `now` or `ahead`."""


@dataclass(frozen=True)
class Doing:
    """Something one can do now: a link, and why."""

    link: Link
    text: str
    first: bool = False
    """The one thing that is asked of this person: a button."""


def page(acting: Appointment | None) -> Row:
    live = queries.live_priorities()
    return {
        "live": live,
        "cards": [_card(each) for each in live],
        "adoption": _adoption(live),
        "agreements": [_standing(each) for each in calendar.open_agreements()],
        "doing": doing(acting),
        "table": earlier(),
        "further": further(),
    }


def _card(priority: Priority) -> Row:
    return {
        "priority": priority,
        "url": reverse("alignment:priority", args=[priority.code]),
        "aim": _whole_aim(priority),
    }


def _whole_aim(priority: Priority) -> list[tuple[str, Cell]]:
    given: list[tuple[str, Cell]] = [
        (_("How good"), priority.how_good),
        (_("For whom"), priority.for_whom),
        (_("By when"), day(priority.by_when) or ""),
    ]
    return [(name, value) for name, value in given if value]


def _adoption(live: list[Priority]) -> Row | None:
    """How the live priorities were agreed, as long as they are those that were adopted."""
    found = adoptions.latest()
    if found is None:
        return None
    keys = {each["key"] for each in found.adopted}
    if {each.proposal_id for each in live} != keys:
        return None
    ballot = ballot_queries.ballot_of(found.agreement)
    return {"adoption": found, "ballot_url": ballots.url(ballot) if ballot else ""}


def _standing(agreement: Agreement) -> Row:
    today = directory.today()
    return {
        "cycle": agreement.cycle.name,
        "sentence": agreement_words.where_we_are(agreement),
        "steps": [
            Step(
                agreement_words.name(each.name),
                agreement_words.span(each),
                "past" if each.ends <= today else "ahead" if each.starts > today else "now",
            )
            for each in calendar.phases(agreement)
        ],
    }


def doing(acting: Appointment | None) -> list[Doing]:
    """What this appointment can do now about the priorities of a cycle, the asked for first."""
    found: list[Doing] = []
    for agreement in calendar.open_agreements():
        found += _in_phase(acting, agreement, calendar.phase_of(agreement))
    return sorted(found, key=lambda each: not each.first)


def _in_phase(acting: Appointment | None, agreement: Agreement, phase: str) -> list[Doing]:
    found: list[Doing] = []
    proposals = f"{reverse('alignment:proposals')}?agreement={agreement.pk}"
    cycle = agreement.cycle.name
    if phase == "propose" and may(acting, Capability.PROPOSE_PRIORITIES):
        text = _("What should the whole system get better at in “{cycle}”? Until {day}.")
        found.append(
            Doing(
                Link(_("Propose a priority"), reverse("alignment:proposal_write")),
                text.format(cycle=cycle, day=day(agreement.consult_from - timedelta(days=1))),
            )
        )
    if phase in {"propose", "consult"}:
        text = _("Read what others propose for “{cycle}”, and say what you think.")
        found.append(Doing(Link(_("Read the proposals"), proposals), text.format(cycle=cycle)))
        return found
    return _around_the_ballot(acting, agreement)


def _around_the_ballot(acting: Appointment | None, agreement: Agreement) -> list[Doing]:
    ballot = ballot_queries.ballot_of(agreement)
    ministry = may(acting, Capability.SET_PRIORITIES)
    found: list[Doing] = []
    if ballot is None:
        if ballot_queries.may_open(acting, agreement):
            url = reverse("alignment:ballot_open", args=[agreement.pk])
            text = _("The calendar says that it is time, and nobody can vote until you do.")
            found.append(Doing(Link(_("Open the ballot"), url), text, first=True))
    elif ballot_queries.is_open(ballot):
        found += _votes(acting, ballot)
        text = _("How many have voted so far, and the paper.")
        found.append(Doing(Link(_("See the ballot"), ballots.url(ballot)), text))
    elif ballot.closed_at is None and ministry:
        text = _("Its time is over. The votes are shuffled, then counted where all can see.")
        link = Link(_("Count the ballot"), ballots.url(ballot))
        found.append(Doing(link, text, first=True))
    if adoptions.may_adopt(acting, agreement) and calendar.phase_of(agreement) == "adopt":
        text = _("Two or three become the priorities of “{cycle}”.").format(
            cycle=agreement.cycle.name
        )
        url = reverse("alignment:adopt", args=[agreement.pk])
        found.append(Doing(Link(_("Adopt the priorities"), url), text, first=True))
    return found


def _votes(acting: Appointment | None, ballot: Any) -> list[Doing]:
    return [
        Doing(
            Link(
                _("Vote for {who}").format(who=each.name),
                reverse("alignment:ballot_vote", args=[ballot.pk, each.tier]),
            ),
            _("Until the end of {day}.").format(day=ballot_words.last_day(ballot)),
            first=True,
        )
        for each in ballot_queries.votes_held(acting, ballot)
        if not each.voted
    ]


def further() -> list[Link]:
    return [
        Link(_("All proposals"), reverse("alignment:proposals")),
        Link(_("Ballots"), reverse("alignment:ballots")),
        Link(_("The calendar"), reverse("alignment:calendar")),
        Link(_("Indicators"), reverse("alignment:indicators")),
    ]


def earlier() -> Table:
    """Priorities that have ended, or end on a day that is known."""
    return Table(
        _("Earlier priorities"),
        [Column(_("Priority")), Column(_("Aim")), Column(_("From")), Column(_("Until"))],
        [_row(each) for each in queries.all_priorities() if each.ends],
    )


def _row(priority: Priority) -> list[Cell]:
    assert priority.ends is not None  # only earlier ones are listed
    ends: Cell = day(priority.ends)
    if priority.ends > directory.today():
        ends = Badge(_("until {date}").format(date=ends))
    link = Link(priority.title, reverse("alignment:priority", args=[priority.code]))
    return [link, living_words.aim(priority), day(priority.starts), ends]
