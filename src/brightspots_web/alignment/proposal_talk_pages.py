"""What the page of a consultation shows: who said how much, what waits, what was answered."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.alignment import agreement_words
from brightspots_web.alignment import proposal_queries as queries
from brightspots_web.alignment.models import PriorityProposal, ProposalComment, Tier
from brightspots_web.alignment.proposal_pages import crumbs_of, url
from brightspots_web.directory.models import Appointment
from brightspots_web.shared import charts
from brightspots_web.shared.components import Cell, Column, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links

Row = dict[str, Any]
Kind = ProposalComment.Kind
NEWEST = 5
"""So many of what was said stand on the proposal's own page."""


def together(proposal: PriorityProposal) -> list[PriorityProposal]:
    """A proposal and what became part of it: what was said to any of them stays readable."""
    return [proposal, *queries.merged_into(proposal)]


def page_url(proposal: PriorityProposal) -> str:
    return reverse("alignment:consultation", args=[proposal.pk])


def section(proposal: PriorityProposal, acting: Appointment | None) -> Row:
    """The part of a proposal's page about what was said to it."""
    group = together(proposal)
    said = queries.comments_on(group, acting)
    number = said.filter(hidden_at=None).count()
    answers = queries.may_answer(acting, proposal)
    newest = sorted(said.order_by("-pk")[:NEWEST], key=lambda each: each.pk)
    return {
        "said": cards(newest, proposal, acting, answers),
        "said_number": number,
        "said_more": number > NEWEST,
        "may_talk": queries.can_be_talked_about(proposal),
        "when_to_talk": ""
        if queries.can_be_talked_about(proposal) or proposal.state != PriorityProposal.State.OPEN
        else agreement_words.not_in_this_phase(proposal.agreement, "consult"),
        "consultation_url": page_url(proposal),
    }


def cards(
    said: Iterable[ProposalComment],
    proposal: PriorityProposal,
    acting: Appointment | None,
    answers: bool,
) -> list[Row]:
    """Each comment with what may be done about it."""
    hides = queries.may_hide(acting)
    return [
        {
            "said": each,
            "tier": Tier(each.tier).label,
            "amendment": each.kind == Kind.AMENDMENT,
            "to": each.proposal if each.proposal_id != proposal.pk else None,
            "mine": acting is not None and each.appointment == str(acting.pk),
            "may_hide": hides,
            "answer_url": reverse("alignment:answer", args=[each.proposal_id, each.pk])
            if answers and each.proposal_id == proposal.pk and not each.hidden_at
            and proposal.state == PriorityProposal.State.OPEN
            else "",
        }
        for each in said
    ]  # fmt: skip


def narrowed(said: QuerySet[ProposalComment], asked: dict[str, Any]) -> QuerySet[ProposalComment]:
    """What of it fits the filter."""
    if tier := asked.get("tier"):
        said = said.filter(tier=tier)
    if answered := asked.get("answered"):
        said = said.filter(answered_at__isnull=answered == "no")
    return said


def page(proposal: PriorityProposal, acting: Appointment | None) -> Row:
    """The digest: counts by tier, what waits; the comments themselves the view pages."""
    heard = queries.heard(proposal)
    waiting = sum(each.unanswered for each in heard)
    return {
        "proposal": proposal,
        "breadcrumb": crumbs_of(proposal, _("What people say")),
        "digest": digest(proposal, heard),
        "waiting": ngettext("One waits for an answer.", "{n} wait for an answer.", waiting).format(
            n=charts.number(waiting, 0)
        )
        if waiting
        else _("Nothing waits for an answer."),
        "back": url(proposal),
        "may_talk": queries.can_be_talked_about(proposal),
    }


def digest(proposal: PriorityProposal, heard: Sequence[queries.Heard]) -> Table:
    rows: list[list[Cell]] = [
        [
            str(Tier(each.tier).label).capitalize(), each.comments, each.amendments,
            each.taken_up, each.unanswered,
        ]
        for each in heard
    ]  # fmt: skip
    return Table(
        _("What each tier said"),
        [
            Column(_("Tier")),
            Column(_("Comments"), numeric=True),
            Column(_("Amendments"), numeric=True),
            Column(_("Taken up"), numeric=True),
            Column(_("Not answered"), numeric=True),
        ],
        rows,
        exports=export_links("alignment:consultation_export", proposal.pk),
    )


def export_columns() -> list[ExportColumn]:
    return [
        ExportColumn("proposal", _("Proposal")),
        ExportColumn("kind", _("Kind")),
        ExportColumn("tier", _("Tier")),
        ExportColumn("by", _("Said by")),
        ExportColumn("at", _("On"), "date"),
        ExportColumn("words", _("Words")),
        ExportColumn("taken_up", _("Taken up")),
        ExportColumn("answer", _("Answer")),
        ExportColumn("answered_by", _("Answered by")),
    ]


def export_rows(said: Iterable[ProposalComment]) -> list[Row]:
    """What may be read on the page, and nothing that was hidden."""
    taken = {True: _("yes"), False: _("no"), None: ""}
    return [
        {
            "proposal": each.proposal.title,
            "kind": str(each.get_kind_display()),
            "tier": str(each.get_tier_display()),
            "by": each.by,
            "at": each.at,
            "words": each.words,
            "taken_up": taken[each.taken_up],
            "answer": each.answer,
            "answered_by": each.answered_by,
        }
        for each in said
        if each.hidden_at is None
    ]
