"""What the pages of proposals show: the list, one of them, the need beside the form."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.core.paginator import Page
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from brightspots_web.alignment import agreement_words, driver_outline, living_words
from brightspots_web.alignment import proposal_queries as queries
from brightspots_web.alignment import proposal_words as words
from brightspots_web.alignment.agreement_queries import phase_of
from brightspots_web.alignment.models import MergeWish, PriorityProposal
from brightspots_web.alignment.proposal_evidence import as_data, evidence_of, is_withheld
from brightspots_web.alignment.proposal_merge_actions import may_decline
from brightspots_web.directory.models import Appointment
from brightspots_web.insight import need_queries
from brightspots_web.insight import queries as insight
from brightspots_web.shared import charts
from brightspots_web.shared.components import Badge, Cell, Column, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links
from brightspots_web.shared.words import day

Row = dict[str, Any]
State = PriorityProposal.State


def url(proposal: PriorityProposal) -> str:
    return reverse("alignment:proposal", args=[proposal.pk])


def crumbs(*further: Link | str) -> list[Link]:
    listed = [
        Link(_("Priorities"), reverse("alignment:priorities")),
        Link(_("Proposals"), reverse("alignment:proposals") if further else ""),
    ]
    return [*listed, *(each if isinstance(each, Link) else Link(each) for each in further)]


def crumbs_of(proposal: PriorityProposal, step: str = "") -> list[Link]:
    if not step:
        return crumbs(proposal.title)
    return crumbs(Link(proposal.title, url(proposal)), step)


# The list


def table(page: Page[PriorityProposal], query: str, empty: str) -> Table:
    rows: list[list[Cell]] = [
        [
            _title_cell(each),
            words.whose(each),
            each.subject or _("none yet"),
            each.agreement.cycle.name,
            getattr(each, "said", 0),
            getattr(each, "unanswered", 0) if each.state == State.OPEN else "",
        ]
        for each in page
    ]
    return Table(
        _("Proposals"),
        [
            Column(_("Proposal")),
            Column(_("Proposed by")),
            Column(_("Outcome")),
            Column(_("Cycle")),
            Column(_("Said to it"), numeric=True),
            Column(_("Not answered"), numeric=True),
        ],
        rows,
        exports=export_links("alignment:proposals_export", query=query),
        empty=empty,
    )


def _title_cell(proposal: PriorityProposal) -> SafeString:
    badge = "" if proposal.state == State.OPEN else format_html(
        ' <span class="badge unsure">{}</span>', proposal.get_state_display()
    )  # fmt: skip
    return format_html('<a href="{}">{}</a>{}', url(proposal), proposal.title, badge)


def export_columns() -> list[ExportColumn]:
    return [
        ExportColumn("key", _("Number"), "integer"),
        ExportColumn("title", _("Title")),
        ExportColumn("why", _("Why")),
        ExportColumn("tier", _("Tier")),
        ExportColumn("place", _("Proposed by")),
        ExportColumn("subject", _("Outcome")),
        ExportColumn("cycle", _("Cycle")),
        ExportColumn("state", _("State")),
        ExportColumn("at", _("Proposed on"), "date"),
        ExportColumn("in_need", _("Schools that may need help"), "integer"),
        ExportColumn("low", _("Likely at least"), "integer"),
        ExportColumn("high", _("Likely at most"), "integer"),
        ExportColumn("schools", _("Schools with figures"), "integer"),
        ExportColumn("published", _("Figures published on")),
        ExportColumn("said", _("Said to it"), "integer"),
        ExportColumn("unanswered", _("Not answered"), "integer"),
    ]


def export_rows(proposals: Iterable[PriorityProposal]) -> list[Row]:
    rows = []
    for each in proposals:
        need = each.evidence
        shown = bool(need) and not is_withheld(need)
        value, low, high = need["in_need"] if shown else (None, None, None)
        rows.append(
            {
                "key": each.pk, "title": each.title, "why": each.why,
                "tier": str(each.get_tier_display()), "place": words.place(each),
                "subject": each.subject, "cycle": each.agreement.cycle.name,
                "state": str(each.get_state_display()), "at": each.at,
                "in_need": value, "low": low, "high": high,
                "schools": need["schools"] if shown else None,
                "published": need.get("as_of", ""),
                "said": getattr(each, "said", 0), "unanswered": getattr(each, "unanswered", 0),
            }
        )  # fmt: skip
    return rows


# One proposal


def page(proposal: PriorityProposal, acting: Appointment | None) -> Row:
    """Everything the page of a proposal needs; the caller has checked that it may be opened."""
    answers = queries.may_answer(acting, proposal)
    draft = proposal.state == State.DRAFT
    found = {
        "proposal": proposal,
        "breadcrumb": crumbs_of(proposal),
        "whose": words.whose(proposal),
        "where_we_are": agreement_words.where_we_are(proposal.agreement),
        "gone": words.place_gone(proposal),
        "facts": _facts(proposal),
        "drawn": _drawn(proposal),
        "listed": charts.driver_list(_tree(proposal)),
        "indicators": [
            (each.name, living_words.purpose_short(each.purpose))
            for each in proposal.indicators.all()
        ],
        "need": need(evidence_of(proposal.subject), draft=True)
        if draft
        else need(proposal.evidence, proposal.subject),
        "may_answer": answers,
        "may_change": answers and queries.can_be_changed(proposal),
        "may_propose": answers and draft and phase_of(proposal.agreement) == "propose",
        "may_withdraw": answers and queries.can_be_withdrawn(proposal),
        "similar": queries.similar_to(proposal.title, proposal.agreement, but=proposal)
        if draft
        else [],
    }
    return found | (_merging(proposal, acting) if not draft else {})


def _facts(proposal: PriorityProposal) -> list[tuple[str, Cell]]:
    found: list[tuple[str, Cell]] = [
        (_("For the cycle"), Link(proposal.agreement.cycle.name, reverse("alignment:calendar"))),
        (_("Proposed by"), proposal.by),
        (_("Proposed on"), day(proposal.at)),
        (_("Who answers for it"), words.who_answers(proposal)),
    ]
    joined = queries.merged_into(proposal)
    if joined:
        found.append((_("With"), "; ".join(each.by for each in joined)))
    if proposal.changed_at.date() != proposal.at.date():
        found.append((_("Last changed"), day(proposal.changed_at)))
    return found


def _tree(proposal: PriorityProposal) -> tuple[charts.Driver, ...]:
    try:
        return driver_outline.parse(proposal.drivers)
    except ValidationError:
        return ()


def _drawn(proposal: PriorityProposal) -> charts.Chart | None:
    found = _tree(proposal)
    if not found:
        return None
    return charts.driver_diagram(
        key="drivers", title=_("What drives it, as proposed"), aim=proposal.title, drivers=found
    )


def need(evidence: Mapping[str, Any], subject: str = "", *, draft: bool = False) -> Row:
    """The need as published, in words and by area; of a draft as it would be frozen today."""
    shown = bool(evidence) and not is_withheld(evidence)
    areas: list[list[Cell]] = [
        [each["name"], each["in"], each["schools"], each["touched"]]
        for each in evidence.get("areas", [])
    ]
    run = evidence.get("run", "")
    newest = insight.current_run()
    withdrawn = bool(run) and not need_queries.still_published(run)
    return {
        "sentences": words.evidence_sentences(evidence, subject),
        "how_sure": words.how_sure(evidence),
        "areas": Table(
            _("Where these pupils are, by name: {subject}").format(subject=evidence["subject"]),
            [
                Column(_("Area")),
                Column(_("In")),
                Column(_("Schools"), numeric=True),
                Column(_("Pupils, about"), numeric=True),
            ],
            areas,
        )
        if shown and areas
        else None,
        "made_url": reverse("insight:run", args=[run]) if run and not withdrawn else "",
        "withdrawn": withdrawn,
        "newer": bool(run) and newest is not None and str(newest.uuid) != run,
        "draft": draft,
    }


def needs_beside_the_form() -> list[Row]:
    """The need in every outcome with published figures, for whoever writes."""
    names = sorted(insight.subjects(), key=str.casefold)
    return [
        {"subject": each.subject, **need(as_data(each))}
        for each in need_queries.needs_of_system(names)
    ]


# Merging


def _merging(proposal: PriorityProposal, acting: Appointment | None) -> Row:
    return {
        "final": _final(proposal),
        "joined": queries.merged_into(proposal),
        "may_wish": queries.may_wish(acting, proposal),
        "wishes": [_wish(each, acting) for each in queries.wishes_of(proposal)],
    }


def _final(proposal: PriorityProposal) -> PriorityProposal | None:
    """Where one ends up by following what was merged into what; None for one that stands alone."""
    found = proposal.merged_into
    while found is not None and found.merged_into is not None:
        found = found.merged_into
    return found


def _wish(wish: MergeWish, acting: Appointment | None) -> Row:
    sides = ((wish.proposal, wish.consented_at), (wish.into, wish.into_consented_at))
    return {
        "wish": wish,
        "one": Link(wish.proposal.title, url(wish.proposal)),
        "other": Link(wish.into.title, url(wish.into)),
        "waits_for": [words.place(side) for side, agreed in sides if not agreed],
        "may_agree": any(not agreed and queries.may_answer(acting, side) for side, agreed in sides),
        "may_decline": may_decline(acting, wish),
    }


def badges(proposal: PriorityProposal) -> list[Badge]:
    return [Badge(str(proposal.get_state_display()), "visit" if proposal.state == State.OPEN
                  else "unsure")]  # fmt: skip
