"""What the pages of finding leaders show: evidence in words, areas with few, nominations."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.core.paginator import Page
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.directory.models import Appointment, Area, School
from brightspots_web.insight import words as insight_words
from brightspots_web.insight.models import Run
from brightspots_web.leaders import designation_words as words
from brightspots_web.leaders import finding_queries as queries
from brightspots_web.leaders.finding_area_queries import Supply
from brightspots_web.leaders.finding_queries import Found, Shown
from brightspots_web.leaders.models import Nomination
from brightspots_web.shared import charts
from brightspots_web.shared.charts import number
from brightspots_web.shared.components import Badge, Cell, Column, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links
from brightspots_web.shared.words import day

Row = dict[str, Any]
MOST_DRAWN = 60
"""Above so many areas the map says little: the table does."""


def table(page: Page[Found], shown: Sequence[Shown], query: str, empty: str) -> Table:
    return Table(
        _("Who could lead, by area and name of the school"),
        [
            Column(_("School")),
            Column(_("Who answers for it")),
            Column(_("Priority")),
            Column(_("What the figures say")),
            Column(_("What people saw")),
            Column(_("How things stand")),
        ],
        [_cells(each) for each in shown],
        exports=export_links("leaders:finding_export", query=query),
        empty=empty,
    )


def _cells(each: Shown) -> list[Cell]:
    found = each.found
    return [
        format_html(
            '<a href="{}">{}</a><br><span class="soft small">{}</span>',
            reverse("leaders:finding_school", args=[each.school.code]),
            found.name,
            area_name(found.area),
        ),
        str(found.head) if found.head else _("nobody at present"),
        found.priority.title,
        words.evidence(each.figure),
        words.people_saw(each.figure) or _("nothing noted"),
        Badge(standing(found.standing, found.since)),
    ]


def area_name(names: Sequence[str]) -> str:
    return " > ".join(names[-2:])


def standing(key: str, since: date | None) -> str:
    """How things stand with leading for whoever answers for a school."""
    said = {
        queries.FREE: _("not asked yet"),
        queries.ASKED: _("asked on {day}"),
        queries.NOT_NOW: _("said “not now” on {day}"),
        queries.APPLIES: _("applies since {day}"),
        queries.LEADS: _("leads since {day}, not designated"),
        queries.DESIGNATED: _("designated since {day}"),
    }[key]
    return said.format(day=day(since) or "")


def note(run: Run | None) -> str:
    """How to read the list: not a ranking, how sure, of which day."""
    if run is None:
        return ""
    return _(
        "In the order of areas and names: figures are of schools and not of people, and no order "
        "of people follows from them. Of ten schools named bright spots by the figures alone, "
        "about one is expected to be there by chance; of 1,000 that stand still, about three seem "
        "to rise. Figures published on {date}."
    ).format(date=insight_words.published_on(run))


def summary(found: Sequence[Found]) -> str:
    if not found:
        return ""
    schools = len({each.school for each in found})
    free = len({each.school for each in found if each.standing == queries.FREE})
    counted = ngettext("{n} school is on this list.", "{n} schools are on this list.", schools)
    asked = ngettext(
        "At {n} of them nobody has been asked yet.", "At {n} of them nobody has been asked yet.",
        free,
    )  # fmt: skip
    return f"{counted.format(n=number(schools, 0))} {asked.format(n=number(free, 0))}"


def columns() -> list[ExportColumn]:
    return [
        ExportColumn("area", _("Area")),
        ExportColumn("code", _("Code")),
        ExportColumn("school", _("School")),
        ExportColumn("head", _("Who answers for it")),
        ExportColumn("priority", _("Priority")),
        ExportColumn("figures", _("What the figures say")),
        ExportColumn("people", _("What people saw")),
        ExportColumn("standing", _("How things stand")),
    ]


def rows(shown: Iterable[Shown]) -> Iterable[Row]:
    for each in shown:
        yield {
            "area": area_name(each.found.area),
            "code": each.school.code,
            "school": each.found.name,
            "head": str(each.found.head) if each.found.head else "",
            "priority": each.found.priority.title,
            "figures": words.evidence(each.figure),
            "people": words.people_saw(each.figure),
            "standing": standing(each.found.standing, each.found.since),
        }


# One school


def people_table(people: Sequence[Appointment], standings: dict[int, Any]) -> Table:
    """Who serves at a school, heads first, with how things stand for each."""
    listed: list[list[Cell]] = []
    seen: set[int] = set()
    for each in people:
        if each.person_id in seen:
            continue
        seen.add(each.person_id)
        said = standings.get(each.person_id, (queries.FREE, None))
        listed.append([str(each.person), str(each.get_role_display()), Badge(standing(*said))])
    return Table(
        _("Who serves there"),
        [Column(_("Name")), Column(_("Role")), Column(_("How things stand"))],
        listed,
        empty=_("Nobody holds an appointment at this school today."),
    )


def figures_table(figures: Sequence[tuple[Any, Row]]) -> Table:
    return Table(
        _("The school in the priorities"),
        [Column(_("Priority")), Column(_("What the figures say")), Column(_("What people saw"))],
        [
            [priority.title, words.evidence(row), words.people_saw(row) or _("nothing noted")]
            for priority, row in figures
        ],
        empty=_("No published figure speaks of a live priority."),
    )


def crumbs_of(school: School) -> list[Link]:
    return [Link(_("Who could lead"), reverse("leaders:finding")), Link(school.name)]


# Where leaders are few


def areas_table(supply: Sequence[Supply], query: str) -> Table:
    return Table(
        _("Leaders in office, area by area"),
        [
            Column(_("Area")),
            Column(_("Open schools"), numeric=True),
            Column(_("Leaders in office"), numeric=True),
            Column(_("Schools for each"), numeric=True),
            Column(_("Lead undesignated"), numeric=True),
            Column(_("In words")),
            Column(_("Who could lead")),
        ],
        [_area_cells(each) for each in supply],
        exports=export_links("leaders:finding_areas_export", query=query),
        empty=_("There is no area below this one."),
    )


def _area_cells(each: Supply) -> list[Cell]:
    inner = reverse("leaders:finding_areas") + "?" + urlencode({"area": _full(each.area)})
    return [
        Link(each.area.name, inner),
        each.schools,
        each.leaders,
        number(each.per_leader, 1) if each.per_leader is not None else _("no leader"),
        each.undesignated,
        Badge(few_words(each), "visit" if each.few else "plain"),
        Link(
            _("See the evidence"),
            reverse("leaders:finding") + "?" + urlencode({"area": _full(each.area)}),
        ),
    ]


def _full(area: Area) -> str:
    return f"{area.parent.name} > {area.name}" if area.parent else area.name


def few_words(each: Supply) -> str:
    if not each.schools:
        return _("no open school")
    if not each.few:
        return _("enough leaders")
    return ngettext(
        "few: {n} more would be enough", "few: {n} more would be enough", each.wanted
    ).format(n=number(each.wanted, 0))


def areas_map(supply: Sequence[Supply]) -> charts.Chart | None:
    """Leaders for every ten schools on a map; none is a number like another."""
    drawn = [each for each in supply if each.schools and each.area.outline]
    if not 1 < len(drawn) <= MOST_DRAWN:
        return None
    return charts.area_map(
        key="few-map",
        title=_("Leaders in office for every ten schools"),
        value_label=_("Leaders for ten schools"),
        areas=[
            charts.Area(
                label=each.area.name,
                value=10 * each.leaders / each.schools,
                rings=charts.rings_of(each.area.outline),
                n=each.schools,
            )
            for each in drawn
            if each.area.outline
        ],
    )


def areas_columns() -> list[ExportColumn]:
    return [
        ExportColumn("area", _("Area")),
        ExportColumn("schools", _("Open schools"), "integer"),
        ExportColumn("leaders", _("Leaders in office"), "integer"),
        ExportColumn("each", _("Schools for each"), "number"),
        ExportColumn("undesignated", _("Lead undesignated"), "integer"),
        ExportColumn("words", _("In words")),
    ]


def areas_rows(supply: Sequence[Supply]) -> Iterable[Row]:
    for each in supply:
        yield {
            "area": _full(each.area),
            "schools": each.schools,
            "leaders": each.leaders,
            "each": each.per_leader,
            "undesignated": each.undesignated,
            "words": few_words(each),
        }


# Nominations


def nominations_table(page: Page[Nomination], query: str) -> Table:
    listed: list[list[Cell]] = [
        [
            str(each.person),
            Link(each.school.name, reverse("leaders:finding_school", args=[each.school.code])),
            str(each.get_kind_display()),
            each.words or _("no words with it"),
            _("{who}, {day}").format(who=each.by, day=day(each.at)),
            answer(each),
        ]
        for each in page
    ]
    return Table(
        _("Nominations, by area and school"),
        [
            Column(_("Who")),
            Column(_("School")),
            Column(_("How")),
            Column(_("Words")),
            Column(_("By whom")),
            Column(_("Answer")),
        ],
        listed,
        exports=export_links("leaders:nominations_export", query=query),
        empty=_("Nobody has been put forward yet. The evidence says who could be asked."),
    )


def answer(each: Nomination) -> str:
    if each.declined_at is None:
        return _("has not said no")
    said = _("“not now”, on {day}").format(day=day(each.declined_at))
    return f"{said}: {each.declined_why}" if each.declined_why else said


def nominations_columns() -> list[ExportColumn]:
    return [
        ExportColumn("name", _("Who")),
        ExportColumn("school_code", _("Code of the school")),
        ExportColumn("school", _("School")),
        ExportColumn("kind", _("How")),
        ExportColumn("priority", _("Priority")),
        ExportColumn("words", _("Words")),
        ExportColumn("by", _("By whom")),
        ExportColumn("at", _("When"), "date"),
        ExportColumn("answer", _("Answer")),
    ]


def nominations_rows(found: Iterable[Nomination]) -> Iterable[Row]:
    for each in found:
        yield {
            "name": str(each.person),
            "school_code": each.school.code,
            "school": each.school.name,
            "kind": str(each.get_kind_display()),
            "priority": each.priority.title if each.priority else "",
            "words": each.words,
            "by": each.by,
            "at": each.at,
            "answer": answer(each),
        }
