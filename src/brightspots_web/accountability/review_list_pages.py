"""The lists of peer reviews: those in sight, coverage by area, days to check back."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.accountability import review_pages as pages
from brightspots_web.accountability import review_words as words
from brightspots_web.accountability.models import PeerReview
from brightspots_web.accountability.review_queries import YEARS, Covered
from brightspots_web.directory import queries as directory
from brightspots_web.shared.components import Cell, Column, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links
from brightspots_web.shared.words import day

Row = dict[str, Any]


def table(reviews: Iterable[PeerReview], query: str, *, filtered: bool) -> Table:
    rows: list[list[Cell]] = [
        [
            Link(each.school.name, pages.url(each)),
            each.question or _("not chosen yet"),
            words.badge(each),
            words.days(each) or _("no date yet"),
            day(each.checked_on or each.check_back_on) or _("after the visit"),
        ]
        for each in reviews
    ]
    columns = (_("Host"), _("Question"), _("How it stands"), _("Visit"), _("Check-back"))
    return Table(
        _("Peer reviews"),
        [Column(each) for each in columns],
        rows,
        exports=export_links("accountability:reviews_export", query=query),
        empty=_("None fits. Take a filter away.")
        if filtered
        else _("There is no peer review yet in your school or around it."),
    )


def columns() -> list[ExportColumn]:
    return [
        ExportColumn("school", _("Host")),
        ExportColumn("code", _("Code")),
        ExportColumn("question", _("Question")),
        ExportColumn("state", _("How it stands")),
        ExportColumn("visit_on", _("First day of the visit"), "date"),
        ExportColumn("visit_until", _("Last day of the visit"), "date"),
        ExportColumn("check_back_on", _("To check back on"), "date"),
        ExportColumn("checked_on", _("Checked back on"), "date"),
    ]


def rows(reviews: Iterable[PeerReview]) -> Iterator[Row]:
    """Questions and days; what was seen and said stays on the page."""
    for each in reviews:
        yield {
            "school": each.school.name,
            "code": each.school.code,
            "question": each.question,
            "state": each.get_state_display(),
            "visit_on": each.visit_on,
            "visit_until": each.visit_until,
            "check_back_on": each.check_back_on,
            "checked_on": each.checked_on,
        }


def coverage_table(covered: Sequence[Covered]) -> Table:
    """By area, in the order of names; no school can be told from it."""
    rows: list[list[Cell]] = [
        [
            each.area.name if each.area else _("Areas with few schools, together"),
            each.schools,
            each.had,
            each.running,
            each.overdue,
        ]
        for each in covered
    ]
    heads = (
        _("Schools"), _("had a visit in the last {n} years").format(n=YEARS),
        _("have a review under way"), _("are past their day to check back"),
    )  # fmt: skip
    return Table(
        _("Peer reviews by area, on {day}").format(day=day(directory.today())),
        [Column(_("Area")), *(Column(each, numeric=True) for each in heads)],
        rows,
        exports=export_links("accountability:review_coverage_export"),
        empty=_("There are too few schools here to show counts without pointing at one."),
    )


def coverage_columns() -> list[ExportColumn]:
    return [
        ExportColumn("area", _("Area")),
        ExportColumn("schools", _("Schools"), "integer"),
        ExportColumn("had", _("Had a visit in the last {n} years").format(n=YEARS), "integer"),
        ExportColumn("running", _("Review under way"), "integer"),
        ExportColumn("overdue", _("Past the day to check back"), "integer"),
    ]


def coverage_rows(covered: Iterable[Covered]) -> Iterator[Row]:
    for each in covered:
        yield {
            "area": each.area.name if each.area else _("Areas with few schools, together"),
            "schools": each.schools,
            "had": each.had,
            "running": each.running,
            "overdue": each.overdue,
        }


def coverage_sentence(covered: Sequence[Covered]) -> str:
    """All areas shown, in a sentence."""
    schools = sum(each.schools for each in covered)
    if not schools:
        return ""
    had = sum(each.had for each in covered)
    said = ngettext(
        "{n} of {all} schools had a visit by peers in the last {years} years.",
        "{n} of {all} schools had visits by peers in the last {years} years.",
        had,
    )
    return said.format(n=had, all=schools, years=YEARS)


def overdue_rows(reviews: Iterable[PeerReview]) -> list[Row]:
    """For an officer: a school and its day, without what was found."""
    return [
        {
            "school": each.school,
            "on": day(each.check_back_on),
        }
        for each in reviews
    ]
