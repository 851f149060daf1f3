"""What the pages about partnerships and isolation show: tables, drawings and their words."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.core.paginator import Page
from django.http import HttpRequest
from django.urls import reverse
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.alignment import living_pages
from brightspots_web.connectedness import contact_school_pages, page_parts, queries
from brightspots_web.connectedness.models import Variability
from brightspots_web.connectedness.studio_front import front_notice
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Membership, Partnership, School
from brightspots_web.insight import queries as insight
from brightspots_web.shared import charts
from brightspots_web.shared.components import Badge, Cell, Column, KeyFigure, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links
from brightspots_web.shared.permissions import Capability, may

Row = dict[str, Any]


def partnership(found: Partnership, request: HttpRequest) -> Row:
    """The page of one partnership."""
    members = list(queries.members_of(found))
    grid = insight.partnership_grid(found)
    acting: Appointment | None = getattr(request, "acting", None)
    seen = set(
        directory.schools_visible_to(acting)
        .filter(pk__in=[member.school_id for member in members])
        .values_list("pk", flat=True)
    )
    above, below = page_parts.parts(found, acting)
    return {
        "partnership": found,
        "parts_above": above,
        "parts_below": below,
        "breadcrumb": _crumbs(found),
        "facts": _facts(found, members),
        "priorities_card": living_pages.front_card(acting, partnership=found),
        "table": _member_table(found, members, seen),
        "map": _member_map(found, members),
        "waiting": _waiting(found, acting),
        "in_touch": contact_school_pages.on_partnership_page(found, acting),
        "asked": front_notice(acting),
        "grid": _grid_chart(grid, seen),
        "grid_caption": _grid_caption(grid),
        "grid_exports": export_links("connectedness:strengths_export", found.code),
        "made_url": reverse("insight:run", args=[grid.run.uuid]) if grid.run else "",
        "variability": _variability(found),
        "nothing_heading": _("No figures yet"),
        "nothing_text": _("Strengths and needs stand here once an analysis is published."),
    }


def _crumbs(found: Partnership) -> list[Link]:
    area = found.lead_school.area if found.lead_school else None
    crumbs = [Link(step.name) for step in directory.ancestors(area)] if area else []
    return [*crumbs, Link(found.name)]


def _facts(found: Partnership, members: list[Membership]) -> list[tuple[str, Cell]]:
    leaders = list(queries.leaders_of(found))
    leader: Cell = (
        ", ".join(str(appointment.person) for appointment in leaders)
        if leaders
        else Badge(_("to be appointed"), "unsure")
    )
    ways = [member.distance_km for member in members if member.distance_km]
    return [
        (_("System leader"), leader),
        (_("Leader's school"), found.lead_school.name if found.lead_school else None),
        (_("Schools"), len(members)),
        (_("Longest way to the leader's school"), kilometres(max(ways)) if ways else None),
        (_("Together since"), formats.date_format(found.formed, "DATE_FORMAT")),
    ]


def _waiting(found: Partnership, acting: Appointment | None) -> Row | None:
    """What happens next where nobody leads the partnership yet; None where somebody does."""
    if queries.leaders_of(found).exists():
        return None
    school = found.lead_school.name if found.lead_school else _("one of its schools")
    next_step: Row = {
        "heading": _("This partnership waits for its system leader"),
        "text": _(
            "The head of {school} is proposed. Once the ministry or the district has talked with "
            "them and appoints them, they see this page as their front page and can start."
        ).format(school=school),
    }
    if may(acting, Capability.APPOINT):
        next_step |= {"url": reverse("directory:people"), "link": _("Appoint the system leader")}
    return next_step


def kilometres(distance: float | None) -> str:
    if distance is None:
        return _("not known")
    return _("{number} km").format(number=charts.number(distance, 0 if distance >= 10 else 1))


def _member_table(found: Partnership, members: list[Membership], seen: set[int]) -> Table:
    rows: list[list[Cell]] = [
        [
            Link(m.school.name, reverse("home:school", args=[m.school.code]))
            if m.school_id in seen
            else m.school.name,
            m.school.area.name,
            m.school.roll,
            _("leads") if m.school_id == found.lead_school_id else kilometres(m.distance_km),
        ]
        for m in members
    ]
    return Table(
        _("Schools of this partnership"),
        [
            Column(_("School")),
            Column(_("Area")),
            Column(_("Pupils on roll"), numeric=True),
            Column(_("Way to the leader"), numeric=True),
        ],
        rows,
        exports=export_links("connectedness:partnership_export", found.code),
    )


def _member_map(found: Partnership, members: list[Membership]) -> charts.Chart | None:
    points = [
        charts.Point(
            label=m.school.name,
            latitude=m.school.latitude,
            longitude=m.school.longitude,
            group=found.code,
            leader=m.school_id == found.lead_school_id,
        )
        for m in members
        if m.school.latitude is not None and m.school.longitude is not None
    ]
    if not points:
        return None
    return charts.school_map(key="members-map", title=_("Where the schools are"), points=points)


def _grid_chart(grid: insight.Grid, seen: set[int]) -> charts.Chart | None:
    if grid.run is None or not grid.subjects or not grid.members:
        return None
    names = _distinct_names(grid.members)
    cells = {
        (names[school], subject): charts.Estimate(
            label=subject, value=row.estimate, lower=row.lower, upper=row.upper, n=row.n
        )
        for (school, subject), row in grid.cells.items()
        if row is not None
    }
    return charts.strengths_grid(
        key="strengths",
        title=_("Strengths and needs"),
        members=[
            (
                names[school.pk],
                reverse("home:school", args=[school.code]) if school.pk in seen else "",
            )
            for school in grid.members
        ],
        priorities=list(grid.subjects),
        cells=cells,
        digits=2,
    )


def _grid_caption(grid: insight.Grid) -> str:
    words = _(
        "The upright line is what is expected of schools in like circumstances; further right is "
        "higher. A dot is a school's estimate, the bar where it very likely lies: a long bar "
        "means that we are not sure. An empty cell: too few pupils to show."
    )
    if grid.run is None or grid.run.published_at is None:
        return words
    published = formats.date_format(grid.run.published_at, "DATE_FORMAT")
    return f"{words} {_('Published on {date}.').format(date=published)}"


def _distinct_names(schools: Iterable[School]) -> dict[int, str]:
    """School key -> name, with the code where two schools share a name."""
    listed = list(schools)
    names = [school.name for school in listed]
    return {
        school.pk: school.name
        if names.count(school.name) == 1
        else f"{school.name} ({school.code})"
        for school in listed
    }


def _variability(found: Partnership) -> list[KeyFigure]:
    return [_difference(row) for row in queries.variability_of(found)]


def _difference(row: Variability) -> KeyFigure:
    """How much the schools differ in one outcome, said aloud."""
    share = _percent(row.spread)
    return KeyFigure(
        label=row.subject,
        value=share,
        interval=_("{lower} and {upper}").format(
            lower=_percent(row.lower), upper=_percent(row.upper)
        )
        if row.lower is not None and row.upper is not None
        else "",
        n=row.n_schools,
        n_of=ngettext("school", "schools", row.n_schools),
        sentence=_(
            "A typical difference between our schools is about {share} of the spread among pupils."
        ).format(share=share),
        made_url=reverse("insight:run", args=[row.run]),
    )


def _percent(share: float) -> str:
    return _("{number}%").format(number=charts.number(100 * share, 0))


def member_columns() -> list[ExportColumn]:
    return [
        ExportColumn("code", _("Code")),
        ExportColumn("school", _("School")),
        ExportColumn("area", _("Area")),
        ExportColumn("roll", _("Pupils on roll"), "integer"),
        ExportColumn("km", _("Way to the leader, km"), "number"),
        ExportColumn("leads", _("Leads")),
    ]


def member_rows(found: Partnership) -> Iterator[Row]:
    for member in queries.members_of(found):
        yield {
            "code": member.school.code,
            "school": member.school.name,
            "area": member.school.area.name,
            "roll": member.school.roll,
            "km": member.distance_km,
            "leads": _("yes") if member.school_id == found.lead_school_id else "",
        }


def strengths(found: Partnership) -> tuple[list[ExportColumn], list[Row], str]:
    """The grid as rows: one a school and outcome; withheld cells stay empty."""
    grid = insight.partnership_grid(found)
    columns = [
        ExportColumn("school", _("School")),
        ExportColumn("subject", _("Outcome")),
        ExportColumn("estimate", _("Against what is expected, pupil SD"), "number"),
        ExportColumn("lower", _("likely from"), "number"),
        ExportColumn("upper", _("to"), "number"),
        ExportColumn("n", _("Pupils"), "integer"),
    ]
    rows: list[Row] = []
    for school in grid.members:
        for subject in grid.subjects:
            row = grid.cells.get((school.pk, subject))
            shown = ("estimate", "lower", "upper", "n")
            figures = {name: getattr(row, name) for name in shown} if row else {}
            rows.append({"school": school.name, "subject": subject, **figures})
    made = grid.run.uuid if grid.run else _("no analysis yet")
    return columns, rows, _("Run: {run}").format(run=made)


def distance_note() -> str:
    return _("Ways are as the crow flies, to the leader's school.")


def partnership_table(page: Page[Partnership], query: str) -> Table:
    rows: list[list[Cell]] = [
        [
            Link(p.name, reverse("connectedness:partnership", args=[p.code])),
            p.lead_school.area.name if p.lead_school else None,
            getattr(p, "n_schools", None),
            kilometres(getattr(p, "far_km", None)),
            _("appointed") if getattr(p, "has_leader", False) else Badge(_("to be appointed")),
        ]
        for p in page
    ]
    return Table(
        _("Partnerships"),
        [
            Column(_("Partnership")),
            Column(_("Area")),
            Column(_("Schools"), numeric=True),
            Column(_("Longest way"), numeric=True),
            Column(_("System leader")),
        ],
        rows,
        exports=export_links("connectedness:partnerships_export", query=query),
        empty=_("There are no partnerships here yet."),
    )


def partnership_columns() -> list[ExportColumn]:
    return [
        ExportColumn("code", _("Code")),
        ExportColumn("name", _("Partnership")),
        ExportColumn("lead", _("Leader's school")),
        ExportColumn("area", _("Area")),
        ExportColumn("schools", _("Schools"), "integer"),
        ExportColumn("mean_km", _("Mean way, km"), "number"),
        ExportColumn("far_km", _("Longest way, km"), "number"),
    ]


def partnership_rows(found: Iterable[Partnership]) -> Iterator[Row]:
    for p in found:
        yield {
            "code": p.code,
            "name": p.name,
            "lead": p.lead_school.name if p.lead_school else "",
            "area": p.lead_school.area.name if p.lead_school else "",
            "schools": getattr(p, "n_schools", None),
            "mean_km": getattr(p, "mean_km", None),
            "far_km": getattr(p, "far_km", None),
        }
