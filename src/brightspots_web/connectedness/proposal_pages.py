"""The list of proposals, and the file of one."""

from collections.abc import Iterable, Iterator

from django.core.paginator import Page
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from brightspots_web.connectedness import studio_queries, studio_words
from brightspots_web.connectedness.models import Proposal
from brightspots_web.connectedness.pages import Row
from brightspots_web.shared.components import Cell, Column, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links


def proposal_table(page: Page[Proposal]) -> Table:
    rows: list[list[Cell]] = [
        [
            Link(studio_words.title(p), reverse("connectedness:proposal", args=[p.pk])),
            studio_words.scope(p),
            formats.date_format(p.made_at, "DATETIME_FORMAT"),
            p.get_status_display(),
            p.n_partnerships,
            p.n_isolated,
        ]
        for p in page
    ]
    return Table(
        _("Proposals, newest first"),
        [
            Column(_("Proposal")),
            Column(_("Which schools")),
            Column(_("Made on")),
            Column(_("State")),
            Column(_("Partnerships"), numeric=True),
            Column(_("Schools in none"), numeric=True),
        ],
        rows,
        empty=_("Nothing has been proposed yet."),
        exports=export_links("connectedness:proposals_export"),
    )


def proposal_columns() -> list[ExportColumn]:
    return [
        ExportColumn("proposal", _("Proposal")),
        ExportColumn("scope", _("Which schools")),
        ExportColumn("made", _("Made on"), "date"),
        ExportColumn("state", _("State")),
        ExportColumn("partnerships", _("Partnerships"), "integer"),
        ExportColumn("isolated", _("Schools in none"), "integer"),
    ]


def proposal_rows(found: Iterable[Proposal]) -> Iterator[Row]:
    for p in found:
        yield {
            "proposal": studio_words.title(p),
            "scope": studio_words.scope(p),
            "made": timezone.localdate(p.made_at),
            "state": p.get_status_display(),
            "partnerships": p.n_partnerships,
            "isolated": p.n_isolated,
        }


def proposed_columns() -> list[ExportColumn]:
    return [
        ExportColumn("partnership", _("Partnership")),
        ExportColumn("code", _("Code")),
        ExportColumn("school", _("School")),
        ExportColumn("lead", _("Leader's school")),
        ExportColumn("km", _("Way to the leader, km"), "number"),
        ExportColumn("exception", _("Rules broken, or why in no partnership")),
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
            "exception": member.exception,
        }
    for school, reason in studio_queries.isolated_in(found):
        yield {"code": school.code, "school": school.name, "exception": reason}
