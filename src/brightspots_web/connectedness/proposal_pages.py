"""What the pages about proposals show: what each costs, how good it is, who would work together."""

from collections.abc import Iterator
from typing import Any

from django.core.paginator import Page
from django.urls import reverse
from django.utils import formats
from django.utils.translation import gettext as _

from brightspots_web.connectedness.models import Proposal
from brightspots_web.connectedness.pages import Row, exports, kilometres
from brightspots_web.shared import charts
from brightspots_web.shared.components import Cell, Column, KeyFigure, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn


def proposal_table(page: Page[Proposal]) -> Table:
    rows: list[list[Cell]] = [
        [
            Link(
                formats.date_format(p.made_at, "DATETIME_FORMAT"),
                reverse("connectedness:proposal", args=[p.pk]),
            ),
            p.get_status_display(),
            p.n_partnerships,
            p.n_isolated,
        ]
        for p in page
    ]
    return Table(
        _("Proposals, newest first"),
        [
            Column(_("Made on")),
            Column(_("State")),
            Column(_("Partnerships"), numeric=True),
            Column(_("Schools in none"), numeric=True),
        ],
        rows,
        empty=_("Nothing has been proposed yet."),
    )


def proposal(found: Proposal, page: Page[Any]) -> Row:
    """The page of one proposal: what it costs, how good it is, who would work together."""
    rows: list[list[Cell]] = [
        [
            row["lead_school__name"],
            row["lead_school__area__name"],
            row["n_schools"],
            kilometres(row["far_km"]),
        ]
        for row in page
    ]
    return {
        "proposal": found,
        "figures": _proposal_figures(found),
        "parts": _objective_table(found),
        "table": Table(
            _("Proposed partnerships"),
            [
                Column(_("Leader's school")),
                Column(_("Area")),
                Column(_("Schools"), numeric=True),
                Column(_("Longest way"), numeric=True),
            ],
            rows,
            exports=exports("connectedness:proposal_export", found.pk),
        ),
        "facts": _proposal_facts(found),
    }


def _proposal_figures(found: Proposal) -> list[KeyFigure]:
    gap = found.gap
    return [
        KeyFigure(_("Partnerships"), charts.number(found.n_partnerships, 0)),
        KeyFigure(
            _("Schools in none"),
            charts.number(found.n_isolated, 0),
            sentence=_("Each is listed in the isolation register with the reason."),
        ),
        KeyFigure(
            _("How close to the best possible"),
            _("within {gap}%").format(gap=charts.number(100 * gap, 1))
            if gap is not None
            else _("not known"),
            sentence=_("No way of grouping these schools can cost less by more than this."),
        ),
    ]


def _objective_table(found: Proposal) -> Table:
    labels = {
        "travel_km": _("Ways to the leaders' schools"),
        "balance": _("Sizes away from the target"),
        "complement": _("Partnerships with no strong school"),
        "need": _("Need in such partnerships"),
        "leader_strength": _("Leaders' schools that are less strong"),
        "partnerships": _("Number of partnerships"),
        "disruption": _("Schools that change partnership"),
        "total": _("Total"),
    }
    return Table(
        _("What the proposal costs, in kilometres of travel"),
        [Column(_("Part")), Column(_("Cost"), numeric=True)],
        [
            [label, float(found.objective[key])]
            for key, label in labels.items()
            if key in found.objective
        ],
    )


def _proposal_facts(found: Proposal) -> list[tuple[str, Cell]]:
    settings = found.settings
    facts: list[tuple[str, Cell]] = [
        (_("State"), found.get_status_display()),
        (
            _("Schools in a partnership"),
            _("{fewest} to {most}").format(
                fewest=settings.get("minimum"), most=settings.get("maximum")
            ),
        ),
        (_("Longest way allowed"), kilometres(settings.get("max_km"))),
        (_("Method"), f"{found.method} {found.method_version}"),
        (_("Seed"), str(found.seed)),
        (_("Input"), found.input_hash[:16]),
    ]
    if found.adopted_by:
        facts.append((_("Adopted by"), found.adopted_by))
    return facts


def proposed_columns() -> list[ExportColumn]:
    return [
        ExportColumn("partnership", _("Partnership")),
        ExportColumn("code", _("Code")),
        ExportColumn("school", _("School")),
        ExportColumn("lead", _("Leader's school")),
        ExportColumn("km", _("Way to the leader, km"), "number"),
    ]


def proposed_rows(found: Proposal) -> Iterator[Row]:
    members = found.members.select_related("school", "lead_school")
    for member in members.order_by("partnership", "pk").iterator(chunk_size=2000):
        yield {
            "partnership": member.partnership,
            "code": member.school.code,
            "school": member.school.name,
            "lead": member.lead_school.name,
            "km": member.distance_km,
        }
