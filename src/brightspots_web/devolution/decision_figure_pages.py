"""What officers and the ministry see of decisions and cycles: counts by area, in words."""

from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.devolution import decision_figure_queries as queries
from brightspots_web.devolution.decision_figure_queries import Counts
from brightspots_web.directory.models import Appointment
from brightspots_web.shared.charts import number
from brightspots_web.shared.components import Cell, Column, KeyFigure, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links
from brightspots_web.shared.words import day

Row = dict[str, Any]


def page(acting: Appointment | None, area: int, query: str) -> Row:
    rows = queries.rows_for(acting, area)
    return {
        "table": table(rows, query),
        "figures": key_figures(rows[0]) if rows else [],
        "place": rows[0].area if rows else None,
        "note": note(),
        "few": _few(),
    }


def note() -> str:
    """The period, for page and file."""
    since, until = queries.period()
    return _("From {since} until before {until}; the counts change once a month.").format(
        since=day(since), until=day(until)
    )


def _few() -> str:
    return _(
        "A count is shown where at least {partnerships} partnerships and {items} items stand "
        "behind it; further areas are withheld where one could be worked out from the others."
    ).format(
        partnerships=number(queries.FEWEST_PARTNERSHIPS, 0), items=number(queries.FEWEST_ITEMS, 0)
    )


def key_figures(row: queries.Row) -> list[KeyFigure]:
    since, until = queries.period()
    as_of = _("{since} to {until}").format(since=day(since), until=day(until))
    found = []
    if row.decisions is not None:
        found.append(
            KeyFigure(
                _("Decisions made together"),
                number(row.decisions.decisions, 0),
                n=row.decisions.deciding,
                n_of=_("partnerships"),
                as_of=as_of,
            )
        )
    if row.cycles is not None:
        found += _cycle_figures(row.cycles, as_of)
    return found


def _cycle_figures(counts: Counts, as_of: str) -> list[KeyFigure]:
    return [
        KeyFigure(
            _("Small tests finished"),
            number(counts.finished, 0),
            n=counts.trying,
            n_of=_("partnerships"),
            as_of=as_of,
        ),
        KeyFigure(
            _("Adopted, adapted, abandoned"),
            ", ".join(number(n, 0) for n in (counts.adopted, counts.adapted, counts.abandoned)),
            n=counts.finished,
            n_of=_("cycles finished"),
            as_of=as_of,
            sentence=_(
                "A test that was abandoned saved many schools from what does not help: it is as "
                "good news as one adopted. Where nothing is ever abandoned, too little is tried."
            ),
        ),
    ]


def table(rows: Iterable[queries.Row], query: str) -> Table:
    cells: list[list[Cell]] = [
        [
            each.area.name
            if at == 0
            else Link(
                each.area.name,
                f"{reverse('devolution:decision_figures')}?area={each.area.pk}",
            ),
            _shown(each.decisions, "decisions"),
            _shown(each.cycles, "finished"),
            *(_share(each.cycles, name) for name in ("adopted", "adapted", "abandoned")),
        ]
        for at, each in enumerate(rows)
    ]
    return Table(
        _("Decisions and small tests, by area"),
        [
            Column(_("Area")),
            Column(_("Decisions made"), numeric=True),
            Column(_("Cycles finished"), numeric=True),
            Column(_("Adopted"), numeric=True),
            Column(_("Adapted"), numeric=True),
            Column(_("Abandoned"), numeric=True),
        ],
        cells,
        exports=export_links("devolution:decision_figures_export", query=query),
        empty=_("There is no area to count in yet."),
    )


def _shown(counts: Counts | None, name: str) -> str:
    return number(getattr(counts, name), 0) if counts is not None else _("too few to show")


def _share(counts: Counts | None, name: str) -> str:
    if counts is None:
        return ""
    n = getattr(counts, name)
    return _("{n} ({percent} %)").format(
        n=number(n, 0), percent=number(100 * n / counts.finished, 0)
    )


def columns() -> list[ExportColumn]:
    return [
        ExportColumn("area", _("Area")),
        ExportColumn("decisions", _("Decisions made"), "integer"),
        ExportColumn("deciding", _("Partnerships that decided"), "integer"),
        ExportColumn("finished", _("Cycles finished"), "integer"),
        ExportColumn("trying", _("Partnerships that finished one"), "integer"),
        ExportColumn("adopted", _("Adopted"), "integer"),
        ExportColumn("adapted", _("Adapted"), "integer"),
        ExportColumn("abandoned", _("Abandoned"), "integer"),
    ]


def export_rows(rows: Iterable[queries.Row]) -> list[Row]:
    """What is withheld on the page is empty in the file."""
    return [
        {
            "area": each.area.name,
            **_values(each.decisions, ("decisions", "deciding")),
            **_values(each.cycles, ("finished", "trying", "adopted", "adapted", "abandoned")),
        }
        for each in rows
    ]


def _values(counts: Counts | None, names: Iterable[str]) -> Row:
    return {name: getattr(counts, name) for name in names} if counts is not None else {}
