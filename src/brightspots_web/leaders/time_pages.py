"""What the pages of working time show: a week, the own balance, that of the middle tier."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, School
from brightspots_web.leaders import time_known
from brightspots_web.leaders import time_queries as queries
from brightspots_web.leaders.development_pages import crumbs, hours_text
from brightspots_web.leaders.models import TimeSpent
from brightspots_web.leaders.time_queries import Balance, TierBalance, Week
from brightspots_web.shared import charts, words
from brightspots_web.shared.components import Column, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links

Row = dict[str, Any]
On = TimeSpent.On


def label_of(on: str) -> str:
    return str(On(on).label)


def week_url(monday: date, school: School | None = None) -> str:
    url = f"{reverse('leaders:time')}?week={monday.isoformat()}"
    return f"{url}&school={school.code}" if school is not None else url


# A week


def week_page(acting: Appointment, monday: date, school: School | None) -> Row:
    """One week: what is written of it, what is known of it, and the weeks beside it."""
    written = queries.week_of(acting, monday)
    known = time_known.known(acting.person_id, monday)
    this = queries.monday_of(directory.today())
    return {
        "monday": monday,
        "school": school,
        "week_label": _("{first} to {last}").format(
            first=date_format(monday, "j F"), last=words.day(monday + timedelta(days=6))
        ),
        "known": known,
        "known_total": [
            (label_of(on), hours_text(hours)) for on, hours in time_known.hours_known(known).items()
        ],
        "written": _by_school(written, monday),
        "before_url": week_url(monday - timedelta(weeks=1), school),
        "after_url": week_url(monday + timedelta(weeks=1), school) if monday < this else "",
        "total": hours_text(sum((row.hours for row in written), Decimal(0))),
    }


def initial_hours(acting: Appointment, monday: date, school: School | None) -> Row:
    """What is written of the week and school; for a week not written of, what is known of it."""
    written = queries.week_of(acting, monday)
    mine = [row for row in written if row.school_id == (school.pk if school else None)]
    if mine:
        found: Row = {row.on: row.hours for row in mine}
        return found | {"note": mine[0].note}
    if not written and school is None:
        return dict(time_known.hours_known(time_known.known(acting.person_id, monday)))
    return {}


def _by_school(written: Sequence[TimeSpent], monday: date) -> list[Row]:
    """What stands for each school, with where it can be changed."""
    found: dict[str, Row] = {}
    for row in written:
        name = row.school.name if row.school else _("no school in particular")
        mine = found.setdefault(
            name, {"name": name, "url": week_url(monday, row.school), "parts": []}
        )
        mine["parts"].append(
            _("{what}: {n} h").format(what=label_of(row.on), n=hours_text(row.hours))
        )
    return list(found.values())


# The own balance


def own_shares(acting: Appointment) -> charts.Chart | None:
    """One bar of the ten weeks up to this one; None where nothing is written."""
    weeks = queries.weeks_of(acting, queries.monday_of(directory.today()))
    sums = _sums(weeks)
    if not any(sums.values()):
        return None
    parts = [charts.Share(label_of(on), float(sums[on])) for on in On.values]
    return charts.shares(key="own-time", title=_("Your time in the last ten weeks"), parts=parts)


def own_page(acting: Appointment) -> Row:
    weeks = queries.weeks_of(acting, queries.monday_of(directory.today()))
    rows = [
        charts.Stack(
            date_format(each.monday, "j M"),
            tuple(float(each.hours[on]) if on in each.hours else None for on in On.values),
        )
        for each in weeks
    ]
    written = sum(each.total > 0 for each in weeks)
    return {
        "shares": own_shares(acting),
        "stacks": charts.stacks(
            key="own-weeks",
            title=_("Hours of each week"),
            parts=[label_of(on) for on in On.values],
            rows=rows,
        )
        if written
        else None,
        "caption": _("{n} of these ten weeks are written down. Only you see this.").format(
            n=written
        ),
        "exports": export_links("leaders:time_export"),
    }


def _sums(weeks: Sequence[Week]) -> dict[str, Decimal]:
    return {on: sum((each.hours.get(on, Decimal(0)) for each in weeks), Decimal(0))
            for on in On.values}  # fmt: skip


def own_columns() -> list[ExportColumn]:
    return [
        ExportColumn("week", _("Week of"), "date"),
        ExportColumn("on", _("For what")),
        ExportColumn("school", _("School")),
        ExportColumn("hours", _("Hours"), "number"),
        ExportColumn("note", _("A word for yourself")),
    ]


def own_rows(acting: Appointment) -> list[Row]:
    return [
        {
            "week": row.week,
            "on": label_of(row.on),
            "school": row.school.name if row.school else "",
            "hours": float(row.hours),
            "note": row.note,
        }
        for row in queries.time_visible_to(acting)
    ]


# The middle tier


def tier_page(acting: Appointment) -> Row:
    found = queries.tier_balance(acting)
    place = acting.area.name if acting.area is not None else _("the whole system")
    return {
        "balance": found,
        "place": place,
        "chart": _tier_chart(found) if found.n is not None else None,
        "table": _tier_table(found),
        "as_of": _between(found),
        "fewest": queries.FEWEST_PEOPLE,
        "breadcrumb": crumbs(_("Time of the middle tier")),
    }  # fmt: skip


def _between(found: TierBalance) -> str:
    return _("{first} to {last}").format(
        first=words.day(found.first), last=words.day(found.last)
    )  # fmt: skip


def _tier_chart(found: TierBalance) -> charts.Chart:
    parts = [charts.Share(label_of(each.on), each.share) for each in found.parts]
    title = _("Where the time of the middle tier goes, on average")
    return charts.shares(key="tier-time", title=title, parts=parts)


def _percent(share: float) -> str:
    return _("%(share)s%%") % {"share": charts.number(100 * share, 0)}


def _cells(each: Balance) -> list[str]:
    return [
        label_of(each.on),
        _percent(each.share),
        _("{lower} to {upper}").format(lower=_percent(each.lower), upper=_percent(each.upper)),
        _("{n} points").format(n=charts.number(100 * each.spread, 0)),
    ]


def _tier_table(found: TierBalance) -> Table:
    return Table(
        _("Share of working time"),
        [
            Column(_("For what")),
            Column(_("Average share"), numeric=True),
            Column(_("Likely between"), numeric=True),
            Column(_("How far people differ"), numeric=True),
        ],
        [_cells(each) for each in found.parts],
        exports=export_links("leaders:time_balance_export") if found.parts else (),
    )


def tier_columns() -> list[ExportColumn]:
    return [
        ExportColumn("on", _("For what")),
        ExportColumn("share", _("Average share"), "percent"),
        ExportColumn("lower", _("Likely from"), "percent"),
        ExportColumn("upper", _("Likely to"), "percent"),
        ExportColumn("spread", _("Standard deviation between people"), "percent"),
        ExportColumn("n", _("People"), "integer"),
        ExportColumn("first", _("First day"), "date"),
        ExportColumn("last", _("Last day"), "date"),
    ]


def tier_rows(acting: Appointment) -> list[Row]:
    """The same figures as on the page; no row where too few people stand behind them."""
    found = queries.tier_balance(acting)
    return [
        {
            "on": label_of(each.on),
            "share": round(each.share, 2),
            "lower": round(each.lower, 2),
            "upper": round(each.upper, 2),
            "spread": round(each.spread, 2),
            "n": found.n,
            "first": found.first,
            "last": found.last,
        }
        for each in found.parts
    ]
