"""Track records: what its pages show."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.core.paginator import Page
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _

from brightspots_web.directory.models import Appointment
from brightspots_web.evidence import record_charts
from brightspots_web.evidence import record_queries as queries
from brightspots_web.evidence import record_words as words
from brightspots_web.evidence.models import RecordSet
from brightspots_web.evidence.record_queries import Done, Line, Listed
from brightspots_web.shared.components import Cell, Column, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links
from brightspots_web.shared.permissions import Capability, may

Row = dict[str, Any]


def home_card(acting: Appointment | None) -> Mapping[str, Any] | None:
    """The card of this part on the overview; None where the person reads nothing of it."""
    if acting is None:
        return None
    if queries.may_find(acting):
        return {
            "heading": _("Track records"),
            "text": _("What earlier support by leaders brought, by priority; nobody is ranked."),
            "url": reverse("evidence:records"),
            "link": _("See the track records"),
        }
    if queries.has_record(acting):
        return {
            "heading": _("My track record"),
            "text": _("What each of your projects brought, and what you say beside it."),
            "url": reverse("evidence:record", args=[acting.person_id]),
            "link": _("See my track record"),
        }
    return None


def front_items(acting: Appointment | None) -> Sequence[Mapping[str, str]]:
    """What of this part waits for the person: nothing; a record asks for nothing."""
    return []


def crumbs(acting: Appointment, *further: Link | str) -> list[Link]:
    """From the overview on; the list stands between where the person reads it."""
    listed = [Link(_("Evidence"), reverse("evidence:home"))]
    if queries.may_find(acting):
        listed.append(Link(_("Track records"), reverse("evidence:records")))
    return [*listed, *(each if isinstance(each, Link) else Link(each) for each in further)]


# The list


def table(page: Page[Listed], lines: Sequence[Line], query: str, *, filtered: bool) -> Table:
    """Leaders by name; each priority in a line of its own."""
    empty = (
        _("Nobody fits. Clear the filter to see all.")
        if filtered
        else _("Nobody within what you see gave support, offers it or is designated yet.")
    )
    return Table(
        _("Track records, by name"),
        [Column(_("Leader")), Column(_("School")), Column(_("By priority"))],
        [_cells(each) for each in lines],
        exports=export_links("evidence:records_export", query=query),
        empty=empty,
    )


def _cells(line: Line) -> list[Cell]:
    return [
        Link(line.name, reverse("evidence:record", args=[line.person])),
        line.school.name,
        format_html(  # one element: on a phone each child of a cell has a place of its own
            "<div>{}</div>",
            format_html_join(
                "",
                "<div>{}: {}</div>",
                ((each.title or _("No priority"), words.told(each)) for each in line.told),
            ),
        ),
    ]


def columns() -> list[ExportColumn]:
    return [
        ExportColumn("leader", _("Leader")),
        ExportColumn("school_code", _("Code")),
        ExportColumn("school", _("School")),
        ExportColumn("priority", _("Priority")),
        ExportColumn("projects", _("Projects"), "integer"),
        ExportColumn("measured", _("Measured"), "integer"),
        ExportColumn("estimate", _("Expected gain"), "number"),
        ExportColumn("lower", _("Likely from"), "number"),
        ExportColumn("upper", _("Likely to"), "number"),
        ExportColumn("words", _("In words")),
    ]


def rows(lines: Iterable[Line]) -> Iterable[Row]:
    for line in lines:
        for each in line.told:
            yield {
                "leader": line.name,
                "school_code": line.school.code,
                "school": line.school.name,
                "priority": each.title,
                "projects": each.n_projects,
                "measured": each.n_measured if each.record else None,
                "estimate": each.record.estimate if each.record else None,
                "lower": each.record.lower if each.record else None,
                "upper": each.record.upper if each.record else None,
                "words": words.told(each),
            }


def list_part(acting: Appointment, made: RecordSet | None) -> Row:
    """What stands around the list."""
    return {
        "breadcrumb": [*crumbs(acting)[:-1], Link(_("Track records"))],
        "as_of": words.as_of(made),
        "unit": words.unit(),
        "exploration": words.exploration(queries.settings_now().exploration),
        "may_set": may(acting, Capability.SET_EVIDENCE),
        "may_reckon": may(acting, Capability.EVALUATE),
        "made_facts": words.made_facts(made) if made is not None else [],
        "run": made.run if made is not None and may(acting, Capability.ANALYSE) else None,
    }


# One leader


def page(found: queries.Page, acting: Appointment) -> Row:
    """One leader's record; the caller has checked that it may be opened."""
    made = queries.current_set()
    return {
        "breadcrumb": crumbs(acting, str(found.person)),
        "person": found.person,
        "own": found.own,
        "facts": [(each.title or _("No priority"), words.told(each)) for each in found.told],
        "expected": record_charts.expected(found.told),
        "brought": record_charts.brought(found.done) if found.own else None,
        "projects": [_project(each, own=found.own) for each in found.done],
        "elsewhere": words.projects(found.elsewhere) if found.elsewhere else "",
        "as_of": words.as_of(made),
        "unit": words.unit(),
        "made_facts": words.made_facts(made) if made is not None else [],
    }


def _project(each: Done, *, own: bool) -> Row:
    school = each.project.school
    url = reverse("home:school", args=[school.code]) if each.seen else ""
    facts: list[tuple[str, Cell]] = [
        (_("Priority"), each.title),
        (_("When"), words.when(each.project)),
    ]
    if own:
        facts.append((_("What it brought"), words.brought(each.effect)))
    return {
        "key": each.project.key,
        "school": school.name,
        "url": url,
        "facts": facts,
        "behind": words.behind(each.effect) if own else "",
        "words": each.words.words if each.words is not None else "",
        "words_at": each.words.at if each.words is not None else None,
    }


# A practice


def practice_part(practice: int, acting: Appointment | None) -> Row | None:
    """What its page says of the record; None where nobody has taken it up."""
    told = queries.of_practice(practice, acting)
    if told is None:
        return None
    return {
        "sentence": words.told(told),
        "as_of": words.as_of(queries.current_set()),
        "unit": words.unit(),
    }
