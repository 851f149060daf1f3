"""What the pages of the calendar show: where we are, what comes next, what a vote weighs."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.alignment import agreement_queries as queries
from brightspots_web.alignment import agreement_words as words
from brightspots_web.alignment import proposal_queries as proposals
from brightspots_web.alignment.models import Agreement, Tier
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment
from brightspots_web.shared.components import Cell, Link
from brightspots_web.shared.permissions import Capability, may
from brightspots_web.shared.words import day

Row = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """A phase on the timeline."""

    name: str
    span: str
    what: str
    state: str
    """`past`, `now` or `later`."""
    links: tuple[Link, ...] = ()


def crumbs(*further: str) -> list[Link]:
    listed = [
        Link(_("Priorities"), reverse("alignment:priorities")),
        Link(_("Calendar"), reverse("alignment:calendar") if further else ""),
    ]
    return [*listed, *(Link(each) for each in further)]


def page(acting: Appointment | None) -> Row:
    """Every agreement whose cycle is not over, the soonest first; the earlier ones by name."""
    open_ones = queries.open_agreements()
    counts = proposals.counts_on_the_table(open_ones)
    opened = queries.with_ballot(open_ones)
    sets = may(acting, Capability.SET_PRIORITIES)
    keys = {each.pk for each in open_ones}
    return {
        "breadcrumb": crumbs(),
        "agreements": [
            _section(each, counts.get(each.pk, 0), each.pk in opened, sets) for each in open_ones
        ],
        "earlier": [each for each in queries.agreements() if each.pk not in keys],
        "sets": sets,
    }


def _section(agreement: Agreement, on_the_table: int, has_ballot: bool, sets: bool) -> Row:
    cycle = agreement.cycle
    return {
        "agreement": agreement,
        "key": f"cycle-{agreement.pk}",
        "now": words.where_we_are(agreement),
        "steps": steps(agreement, on_the_table, has_ballot),
        "cycle": _("The cycle lasts from {first} to the day before {after}.").format(
            first=day(cycle.starts), after=day(cycle.ends)
        ),
        "weights": weights(agreement),
        "change_url": reverse("alignment:calendar_change", args=[agreement.pk]) if sets else "",
        "changed": _("Last changed on {day}, by {who}.").format(
            day=day(agreement.changed_at), who=agreement.changed_by
        ),
    }


def steps(agreement: Agreement, on_the_table: int = 0, has_ballot: bool = False) -> list[Step]:
    """The six phases, with what can be looked at in each."""
    today = directory.today()
    found = []
    for phase in queries.phases(agreement):
        if phase.starts <= today < phase.ends:
            state = "now"
        else:
            state = "past" if phase.ends <= today else "later"
        links = _links(agreement, phase.name, on_the_table, has_ballot)
        found.append(
            Step(
                words.name(phase.name), words.span(phase), words.what_happens(phase.name), state,
                tuple(links) if state != "later" else (),
            )
        )  # fmt: skip
    return found


def _links(agreement: Agreement, phase: str, on_the_table: int, has_ballot: bool) -> list[Link]:
    if phase in {"propose", "consult"}:
        where = f"{reverse('alignment:proposals')}?agreement={agreement.pk}"
        if not on_the_table:
            return [Link(_("Proposals of this cycle"), where)] if phase == "propose" else []
        text = ngettext("One proposal on the table", "{n} proposals on the table", on_the_table)
        return [Link(text.format(n=on_the_table), where)]
    if phase == "ballot" and has_ballot:
        return [Link(_("The ballot"), reverse("alignment:ballots"))]
    if phase == "work":
        return [Link(_("The priorities"), reverse("alignment:priorities"))]
    return []


def weights(agreement: Agreement) -> list[tuple[str, Cell]]:
    """What one vote of each tier weighs, for everybody to see."""
    found = queries.weights_of(agreement)
    return [
        (
            str(tier.label).capitalize(),
            ngettext("one vote counts once", "one vote counts {n} times", found[tier]).format(
                n=found[tier]
            )
            if found[tier]
            else _("no vote of their own"),
        )
        for tier in Tier
    ]
