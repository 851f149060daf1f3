"""What the front pages of ministry and district show: figures, maps and their words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page
from django.urls import reverse
from django.utils import formats
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.connectedness import contact_definition_queries as isolation
from brightspots_web.connectedness import contact_pages, contact_queries, contact_words
from brightspots_web.connectedness import queries as connectedness
from brightspots_web.connectedness.queries import Connectedness
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Area, School
from brightspots_web.insight import queries as insight
from brightspots_web.insight.models import Run
from brightspots_web.shared import charts
from brightspots_web.shared.components import Badge, Cell, Column, KeyFigure, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links

MOST_AREAS = 8
"""So many areas are named where help would reach most pupils."""
CLOSE_RANGE = 1500
"""Up to so many schools an area's map shows schools; above, its inner areas."""


@dataclass(frozen=True)
class View:
    """Who looks at which area: None for the whole system."""

    acting: Appointment | None
    area: Area | None
    subject: str = ""

    @property
    def inner(self) -> list[Area]:
        """The areas one step down that this appointment may see."""
        return directory.inner_areas(self.acting, self.area)


def key_figures(view: View, counts: Connectedness, run: Run | None) -> list[KeyFigure]:
    """Four figures; none at all while there are no schools."""
    if not counts.schools:
        return []
    today = formats.date_format(directory.today(), "DATE_FORMAT")
    figures = [
        isolation_figure(view),
        KeyFigure(
            label=_("In a partnership"),
            value=_percent(counts.share),
            n=counts.partnerships,
            n_of=ngettext("partnership", "partnerships", counts.partnerships),
            as_of=today,
            sentence=_leaders_sentence(counts.without_leader),
        ),
    ]
    if run is None:
        return figures
    covered = insight.coverage(view.area, run)
    candidates = insight.candidates_count(view.area, run)
    return [
        *figures,
        _candidates_figure(candidates, covered, run, view.area),
        _coverage_figure(covered, run),
    ]


def isolation_figure(view: View) -> KeyFigure:
    """How many schools are isolated, and how many there were."""
    by = isolation.rules()
    found = isolation.counts(view.acting, view.area, by.on, with_near=False)
    whole = contact_queries.whole_of(view.acting, view.area)
    return KeyFigure(
        label=_("Isolated schools"),
        value=charts.number(found.isolated, 0),
        n=found.schools,
        n_of=ngettext("open school", "open schools", found.schools),
        as_of=formats.date_format(by.on, "DATE_FORMAT"),
        sentence=contact_pages.since_sentence(found.isolated, whole),
        more=Link(_("See who and why"), register_url(view)),
    )


def register_url(view: View) -> str:
    """The isolation register, narrowed to what was counted."""
    query = urlencode({"area": _full_name(view.area)}) if view.area else ""
    return reverse("connectedness:isolation") + (f"?{query}" if query else "")


def isolation_trend(view: View) -> charts.Chart | None:
    """How the number went on its way to none; None until it was counted on two days."""
    return contact_pages.front_trend(contact_queries.whole_of(view.acting, view.area))


def isolation_caption() -> str:
    """What isolated means, under the drawing: the figure above it has no room for it."""
    return contact_words.short_definition(isolation.rules())


def _leaders_sentence(missing: int) -> str:
    if not missing:
        return _("Every partnership has a system leader.")
    return ngettext(
        "{n} partnership still waits for its system leader.",
        "{n} partnerships still wait for their system leader.",
        missing,
    ).format(n=charts.number(missing, 0))


def _candidates_figure(
    candidates: dict[str, int], covered: dict[str, Any], run: Run, area: Area | None
) -> KeyFigure:
    spots, visits = candidates["bright_spot"], candidates["worth_a_visit"]
    if spots:
        label, value = _("Bright spot candidates"), spots
        sentence = ngettext(
            "One more school is worth a visit.", "{n} more schools are worth a visit.", visits
        ).format(n=charts.number(visits, 0))
    else:
        label, value = _("Schools worth a visit"), visits
        sentence = (
            _("One year of results can show no more than this: bright spots need three.")
            if len(covered["years"]) < 2
            else _("Where results suggest that something works. A visit tells more.")
        )
    return KeyFigure(
        label=label,
        value=charts.number(value, 0),
        n=covered["with_figures"],
        n_of=_("schools with figures"),
        as_of=_published(run),
        certainty=_false_share(spots),
        sentence=sentence,
        made_url=_made(run),
        more=Link(_("See who and where"), _spots_url("bright_spot" if spots else "", area)),
    )


def _spots_url(label: str, area: Area | None) -> str:
    """The list of bright spots, narrowed to what was counted."""
    chosen = {"label": label, "area": _full_name(area) if area else ""}
    query = urlencode({name: value for name, value in chosen.items() if value})
    return reverse("insight:bright_spots") + (f"?{query}" if query else "")


def _full_name(area: Area) -> str:
    """`North > Upper`: an area as filters take it where several have one name."""
    return f"{area.parent.name} > {area.name}" if area.parent else area.name


def _false_share(spots: int) -> str:
    return (
        _("about one in ten of these is expected to be chance")
        if spots
        else _("about one in five of these is expected to be chance")
    )


def _coverage_figure(covered: dict[str, Any], run: Run) -> KeyFigure:
    return KeyFigure(
        label=_("Schools with figures"),
        value=_percent(covered["share"]),
        n=covered["pupils"] or None,
        n_of=_("pupils in the newest year"),
        as_of=_published(run),
        made_url=_made(run),
    )


def area_chart(view: View) -> charts.Chart | None:
    """The inner areas, shaded by the share of schools in a partnership."""
    areas = view.inner
    if not areas:
        return None
    counts = connectedness.partnered_by_area(view.acting, areas)
    places = directory.centres(areas)
    shapes = []
    for area in areas:
        total, partnered = counts[area.pk]
        shapes.append(
            charts.Area(
                label=area.name,
                value=100 * partnered / total if total else None,
                rings=charts.rings_of(area.outline) if area.outline else (),
                href=reverse("home:area", args=[area.pk]),
                centre=places.get(area.pk),
                n=total,
            )
        )
    return charts.area_map(
        key="areas-map",
        title=_("Schools in a partnership, by area"),
        areas=shapes,
        value_label=_("Schools in a partnership"),
        digits=0,
        percent=True,
    )


def schools_chart(view: View) -> charts.Chart | None:
    """The area's schools as points, each joined to its partnership's leader."""
    assert view.area is not None
    points = [
        charts.Point(
            label=row.name,
            latitude=row.latitude,
            longitude=row.longitude,
            href=reverse("home:school", args=[row.code]),
            group=row.partnership,
            leader=row.leads,
            isolated=not row.partnership,
        )
        for row in directory.places_within(view.area, view.acting)
    ]
    if not points:
        return None
    inner = view.inner or [view.area]
    outlines = [
        charts.Area(label=area.name, rings=charts.rings_of(area.outline))
        for area in inner
        if area.outline
    ]
    return charts.school_map(
        key="schools-map",
        title=_("Schools and their partnerships"),
        points=points,
        outlines=outlines,
    )


def attention_table(view: View, run: Run | None) -> Table:
    """Where help would reach most pupils in the outcome chosen: one row an area, by name."""
    found = insight.needs_attention(view.acting, subject=view.subject, limit=MOST_AREAS, run=run)
    rows: list[list[Cell]] = [
        [
            Link(figure.area.name, reverse("home:area", args=[figure.area_id])),
            figure.area.parent.name if figure.area.parent else "",
            figure.n_schools,
            figure.n_pupils,
            round(figure.pupils_touched or 0),
        ]
        for figure in sorted(found, key=lambda figure: (figure.area.name, figure.area_id))
        if round(figure.pupils_touched or 0)
    ]
    return Table(
        _("Where help would reach most pupils: {outcome}").format(outcome=view.subject),
        [
            Column(_("Area")),
            Column(_("In")),
            Column(_("Schools"), numeric=True),
            Column(_("Pupils with results"), numeric=True),
            Column(_("Pupils who would gain, a year"), numeric=True),
        ],
        rows,
        exports=export_links("home:attention_export"),
    )


def attention_note(run: Run | None) -> str:
    """How rough the counts are, and when they were made."""
    if run is None:
        return ""
    return _(
        "The numbers are estimates, published on {date}; no interval has been worked out for "
        "them, so read them as rough."
    ).format(date=_published(run))


def attention_columns() -> list[ExportColumn]:
    return [
        ExportColumn("area", _("Area")),
        ExportColumn("parent", _("In")),
        ExportColumn("subject", _("Outcome")),
        ExportColumn("schools", _("Schools"), "integer"),
        ExportColumn("pupils", _("Pupils a year"), "integer"),
    ]


def attention_rows(acting: Appointment | None) -> list[dict[str, Any]]:
    return [
        {
            "area": figure.area.name,
            "parent": figure.area.parent.name if figure.area.parent else "",
            "subject": figure.subject,
            "schools": figure.n_schools,
            "pupils": round(figure.pupils_touched or 0),
        }
        for figure in insight.needs_attention(acting, limit=1000)
    ]


def areas_table(view: View) -> Table:
    """The inner areas by name: never by how their schools do."""
    areas = view.inner
    counts = isolation.counts_by_area(view.acting, areas)
    rows: list[list[Cell]] = [
        [
            Link(area.name, reverse("home:area", args=[area.pk])),
            counts[area.pk].schools,
            counts[area.pk].isolated,
        ]
        for area in areas
    ]
    return Table(
        _("Areas, by name"),
        [
            Column(_("Area")),
            Column(_("Schools"), numeric=True),
            Column(_("Isolated"), numeric=True),
        ],
        sorted(rows, key=lambda row: str(row[0].label if isinstance(row[0], Link) else "")),
        exports=export_links(
            "home:areas_export", query=f"area={view.area.pk}" if view.area else ""
        ),
    )


def areas_columns() -> list[ExportColumn]:
    return [
        ExportColumn("area", _("Area")),
        ExportColumn("schools", _("Schools"), "integer"),
        ExportColumn("isolated", _("Isolated"), "integer"),
    ]


def areas_rows(view: View) -> list[dict[str, Any]]:
    areas = view.inner
    counts = isolation.counts_by_area(view.acting, areas)
    return [
        {
            "area": area.name,
            "schools": counts[area.pk].schools,
            "isolated": counts[area.pk].isolated,
        }
        for area in sorted(areas, key=lambda area: area.name)
    ]


def schools_table(page: Page[School], query: str) -> Table:
    rows: list[list[Cell]] = []
    for school in page:
        code = getattr(school, "partnership_code", None)
        name = getattr(school, "partnership_name", None)
        partnership: Cell = Badge(_("in no partnership"))
        if code:
            partnership = Link(str(name), reverse("connectedness:partnership", args=[code]))
        rows.append(
            [
                Link(school.name, reverse("home:school", args=[school.code])),
                school.area.name,
                school.roll,
                partnership,
            ]
        )
    return Table(
        _("Schools, by name"),
        [
            Column(_("School")),
            Column(_("Area")),
            Column(_("Pupils on roll"), numeric=True),
            Column(_("Partnership")),
        ],
        rows,
        exports=export_links("directory:schools_export", query=query),
        empty=_("No school fits. Clear the search to see all of them."),
    )


def subject_links(view: View, subjects: Sequence[str]) -> list[tuple[str, str, bool]]:
    """Label, query and whether it is the one shown."""
    return [(name, name, name == view.subject) for name in subjects]


def isolated_here(view: View, most: int = 5) -> list[tuple[str, str, str]]:
    """The first schools of the register: address, name, and why."""
    by = isolation.rules()
    search = contact_queries.Search(area=view.area)
    found = contact_queries.register(view.acting, search, by)[:most]
    return [
        (
            reverse("connectedness:school_contacts", args=[each.school.code]),
            each.school.name,
            "; ".join(contact_words.sentence(reason, by) for reason in each.reasons),
        )
        for each in contact_queries.entries_of(found, by)
    ]


def _percent(share: float | None) -> str:
    if share is None:
        return _("not known")
    shown = 100 * share
    digits = 1 if 99 < shown < 100 else 0
    return _("{number}%").format(number=charts.number(shown, digits))


def _published(run: Run) -> str:
    return formats.date_format(run.published_at, "DATE_FORMAT") if run.published_at else ""


def _made(run: Run) -> str:
    return reverse("insight:run", args=[run.uuid])
