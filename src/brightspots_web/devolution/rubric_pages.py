"""What the pages of forms for observations show: the list, one form, what was seen with it."""

from collections.abc import Iterator
from typing import Any

from django.core.paginator import Page
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.devolution import note_pages
from brightspots_web.devolution import note_queries as notes
from brightspots_web.devolution import note_words as words
from brightspots_web.devolution import rubric_queries as queries
from brightspots_web.devolution.models import DataNote, Rubric
from brightspots_web.devolution.note_small_data import of_form
from brightspots_web.directory.models import Appointment
from brightspots_web.shared.components import Badge, Cell, Column, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links
from brightspots_web.shared.words import day

Row = dict[str, Any]


def url(rubric: Rubric) -> str:
    return reverse("devolution:rubric", args=[rubric.pk])


def crumbs(*further: Link | str) -> list[Link]:
    return note_pages.crumbs(
        Link(_("Forms for observations"), reverse("devolution:rubrics")), *further
    )


def table(page: Page[Rubric]) -> Table:
    rows: list[list[Cell]] = [
        [
            Link(each.name, url(each)),
            whose(each),
            each.priority.title if each.priority else _("none of them"),
            len(each.items),
            Badge(_("in use"), "visit")
            if each.retired_at is None
            else Badge(_("no longer in use"), "plain"),
        ]
        for each in page
    ]
    return Table(
        _("Forms for observations"),
        [
            Column(_("Form")),
            Column(_("Whose")),
            Column(_("Priority")),
            Column(_("Questions"), numeric=True),
            Column(_("State")),
        ],
        rows,
        empty=_(
            "There is no form yet. The leader of a partnership makes one for it, the ministry for "
            "all schools."
        ),
    )


def whose(rubric: Rubric) -> str:
    return rubric.partnership.name if rubric.partnership else _("all schools")


def page(rubric: Rubric, acting: Appointment | None) -> Row:
    """One form: its questions, and what was seen with it as far as this appointment may see."""
    found = observations(rubric, acting)
    seen = list(found)
    return {
        "rubric": rubric,
        "breadcrumb": crumbs(rubric.name),
        "badges": [] if rubric.retired_at is None else [Badge(_("no longer in use"), "plain")],
        "facts": _facts(rubric),
        "questions": [(item["question"], _kind(item)) for item in rubric.items],
        "observed": of_form(rubric, seen) if seen else None,
        "months": note_pages.months_chart(notes.months_of(found)),
        "exports": export_links("devolution:rubric_export", rubric.pk) if seen else [],
        "may_write": notes.may_write(acting) and rubric.retired_at is None,
        "may_change": queries.may_change(acting, rubric) and rubric.retired_at is None,
        "earlier": Link(rubric.replaces.name, url(rubric.replaces)) if rubric.replaces else None,
        "later": queries.follower_of(rubric),
    }


def observations(rubric: Rubric, acting: Appointment | None) -> QuerySet[DataNote]:
    """With this form: the own school's, and those shared in the partnership."""
    return queries.observations_with(rubric, notes.notes_visible_to(acting))


def _facts(rubric: Rubric) -> list[tuple[str, Cell]]:
    facts: list[tuple[str, Cell]] = [(_("For"), whose(rubric))]
    if rubric.priority:
        facts.append((_("Priority"), rubric.priority.title))
    facts.append((_("Made by"), rubric.made_by))
    facts.append((_("Since"), day(rubric.made_at)))
    if rubric.retired_at:
        facts.append((_("In use until"), day(rubric.retired_at)))
    return facts


def _kind(item: dict[str, Any]) -> str:
    if item["kind"] == "scale":
        return _("a scale from 1 to {most}").format(most=item["most"])
    return _("yes or no") if item["kind"] == "yes_no" else _("a count")


def columns(rubric: Rubric) -> list[ExportColumn]:
    return [
        ExportColumn("on", _("Day"), "date"),
        ExportColumn("school", _("School")),
        *(ExportColumn(item["code"], item["question"]) for item in rubric.items),
        ExportColumn("words", _("Words")),
    ]


def rows(rubric: Rubric, found: QuerySet[DataNote]) -> Iterator[Row]:
    for each in found.iterator(chunk_size=500):
        answers = {
            item["code"]: words.answer(item["kind"], each.observed[item["code"]])
            for item in rubric.items
            if each.observed.get(item["code"]) is not None
        }
        yield {"on": each.on, "school": each.school.name, "words": each.words} | answers
