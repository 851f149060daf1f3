"""The list of support under way. An end that passed is said kindly: a report or time is due."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.core.paginator import Page
from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.connectedness import support_words as words
from brightspots_web.connectedness.models import Deployment
from brightspots_web.connectedness.support_pages import days_of
from brightspots_web.connectedness.support_running_queries import ENDS_SOON
from brightspots_web.directory import queries as directory
from brightspots_web.shared.components import Badge, Cell, Column, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links

Row = dict[str, Any]


def running_table(page: Page[Deployment], query: str) -> Table:
    """A page of support under way."""
    rows: list[list[Cell]] = [
        [
            Link(each.receiving.name, reverse("connectedness:support_deployment", args=[each.pk])),
            each.giving.name,
            each.priority.title,
            words.day(each.exit_on),
            days_of(_logged(each), each),
            standing(each),
        ]
        for each in page
    ]
    return Table(
        _("Support under way"),
        [
            Column(_("Receives")),
            Column(_("Gives")),
            Column(_("Priority")),
            Column(_("Ends")),
            Column(_("Days")),
            Column(_("How it stands")),
        ],
        rows,
        exports=export_links("connectedness:support_running_export", query=query),
        empty=_("No support is under way here."),
    )


def standing(each: Deployment) -> Badge:
    """Where support stands on its way to its end."""
    if getattr(each, "later_proposed", False):
        return Badge(_("a later end is proposed"), "visit")
    left = (each.exit_on - directory.today()).days
    if left < 0:
        return Badge(_("time to report, or to agree on a later end"), "unsure")
    if left <= ENDS_SOON:
        return Badge(_("ends soon"), "plain")
    return words.deployment_badge(each)


def _logged(each: Deployment) -> float:
    return float(getattr(each, "logged", None) or 0)


def running_columns() -> list[ExportColumn]:
    return [
        ExportColumn("receiving_code", _("Code of the school that receives")),
        ExportColumn("receiving", _("Receives")),
        ExportColumn("area", _("Area")),
        ExportColumn("giving_code", _("Code of the school that gives")),
        ExportColumn("giving", _("Gives")),
        ExportColumn("giver", _("Who comes")),
        ExportColumn("priority", _("Priority")),
        ExportColumn("from", _("From"), "date"),
        ExportColumn("until", _("Ends"), "date"),
        ExportColumn("days", _("Days agreed"), "number"),
        ExportColumn("used", _("Days used"), "number"),
        ExportColumn("standing", _("How it stands")),
    ]


def running_rows(found: Iterable[Deployment]) -> Iterator[Row]:
    """The same as the table, with codes; no aims, no notes."""
    for each in found:
        yield {
            "receiving_code": each.receiving.code,
            "receiving": each.receiving.name,
            "area": each.receiving.area.name,
            "giving_code": each.giving.code,
            "giving": each.giving.name,
            "giver": each.giver_name,
            "priority": each.priority.title,
            "from": each.starts,
            "until": each.exit_on,
            "days": float(each.days),
            "used": _logged(each),
            "standing": standing(each).label,
        }
