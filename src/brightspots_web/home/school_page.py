"""What the school's page shows: where it stands, what lasts, who can help, with whom it works."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.alignment import living_front, living_pages
from brightspots_web.alignment import queries as alignment
from brightspots_web.connectedness import closing_pages, contact_school_pages, practice_school_pages
from brightspots_web.connectedness import queries as connectedness
from brightspots_web.connectedness.studio_front import front_notice
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Membership, Partnership, School
from brightspots_web.home import school_depth
from brightspots_web.home.school_depth import Behind
from brightspots_web.home.waiting import waiting_for
from brightspots_web.insight import bright_spot_queries, school_queries, words
from brightspots_web.insight import queries as insight
from brightspots_web.insight.models import Estimate, Run
from brightspots_web.insight.queries import Scale, Standing
from brightspots_web.insight.school_queries import Depth
from brightspots_web.shared import charts
from brightspots_web.shared.components import Badge, Cell, Column, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links
from brightspots_web.shared.permissions import Capability, may

Row = dict[str, Any]


@dataclass(frozen=True)
class Card:
    """One outcome: what it says in words, the drawing, and how sure that is."""

    standing: Standing
    headline: str
    sentence: str
    scale: str
    sure: list[tuple[str, Cell]]
    """What the figure rests on: pupils, years, reliability, date."""
    badge: Badge | None
    spot_url: str
    """Where it is told what to look for and what people saw; empty where it may not be opened."""
    strip: charts.Chart | None
    years: charts.Chart | None
    behind: Behind
    why_url: str
    caution: str = ""
    withheld: str = ""
    """Which years are not shown by themselves, and why."""


@dataclass(frozen=True)
class Near:
    """A school to learn from: who and how far, no figures."""

    school: School
    distance: str


@dataclass(frozen=True)
class Help:
    """Who near by is strong in an outcome where help is likely needed."""

    subject: str
    neighbours: Sequence[Near]


@dataclass(frozen=True)
class Member:
    """A school of the partnership; `url` is empty for ourselves and where it may not be opened."""

    school: School
    url: str
    leads: bool
    distance: str


@dataclass(frozen=True)
class Together:
    """The school's partnership as its page tells of it."""

    partnership: Partnership
    members: Sequence[Member]
    leader: str
    may_open: bool


def page(school: School, acting: Appointment | None) -> dict[str, Any]:
    """Everything the template needs; the caller has checked that the school may be opened."""
    run = insight.current_run()
    priorities = alignment.live_priorities()
    standings = living_front.in_order_of(priorities, insight.standing(school, acting, run))
    ours = acting is not None and acting.school_id == school.pk
    depth = school_queries.depth(school, standings, run)
    spots = bright_spot_queries.spots_open_at(school, acting, run)
    cards = [
        _card(place, each, school, ours, run, depth.get(each.subject), each.subject in spots)
        for place, each in enumerate(standings)
    ]
    return {
        "school": school,
        "ours": ours,
        "asked": front_notice(acting) if ours else None,
        "priorities_card": living_pages.front_card(
            acting, school=school, standings=standings, priorities=priorities
        ),
        "run": run,
        "made_url": reverse("insight:run", args=[run.uuid]) if run else "",
        "as_of": words.as_of(run) if run else "",
        "breadcrumb": _crumbs(school),
        "facts": _facts(school),
        "cards": cards,
        "overview": _overview(standings),
        "help": _help(school, standings, run),
        "needs": school_depth.needs_table(school, standings, run),
        "needs_note": school_depth.needs_note(standings, run),
        "family_url": reverse("home:school_family", args=[school.code]) if run else "",
        "groups_exports": export_links("home:school_groups", school.code),
        "ways_exports": export_links("home:school_sensitivity", school.code),
        "together": _together(school, acting),
        "practices": practice_school_pages.of_school(school, acting),
        "waiting": waiting_for(acting) if ours else [],
        "write_note_url": reverse("devolution:note_write")
        if ours and may(acting, Capability.WRITE_NOTES)
        else "",
        "history": closing_pages.history_of(school, acting),
        "in_touch": contact_school_pages.on_school_page(school, acting),
        "table": figures_table(school, standings),
        "pdf_url": reverse("home:school_report", args=[school.code]),
    }


def _crumbs(school: School) -> list[Link]:
    return [*(Link(area.name) for area in directory.ancestors(school.area)), Link(school.name)]


def _facts(school: School) -> list[tuple[str, Cell]]:
    known: list[tuple[str, Cell]] = [(_("Code"), school.code)]
    if school.phase:
        known.append((_("Phase"), school.phase))
    if school.sector:
        known.append((_("Sector"), school.sector))
    if school.language:
        known.append((_("Language"), school.language))
    if school.roll:
        known.append((_("Pupils on roll"), school.roll))
    known += [(str(name), _fact(value)) for name, value in sorted(school.context.items())]
    return known


def _fact(value: object) -> Cell:
    """A value of the register as a person would write it: 9,937 and not 9,937.0."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, str | int | float) else None


def _card(
    place: int,
    standing: Standing,
    school: School,
    ours: bool,
    run: Run | None,
    depth: Depth | None,
    spot: bool,
) -> Card:
    now = standing.now
    return Card(
        standing,
        words.headline(standing),
        words.sentence(standing),
        words.scale_sentence(standing.scale) if now else "",
        _sure(standing, run),
        _badge(now),
        reverse("insight:bright_spot", args=[school.code, standing.subject]) if spot else "",
        _strip(place, standing, school, ours) if now else None,
        _years(place, standing) if len(standing.by_year) > 1 else None,
        school_depth.behind(place, standing, depth),
        reverse("home:why", args=[school.code, standing.subject]),
        words.caution(now) if now and standing.caution else "",
        words.years_withheld(standing),
    )


def _sure(standing: Standing, run: Run | None) -> list[tuple[str, Cell]]:
    if standing.now is None:
        return []
    return [
        (_("Based on"), words.basis(standing)),
        (_("Reliability"), words.reliability(standing.now.reliability)),
        (_("Published"), words.published_on(run) if run else None),
    ]


def _badge(now: Estimate | None) -> Badge | None:
    if now is None or not now.label:
        return None
    kind = "bright" if now.label == Estimate.Label.BRIGHT_SPOT else "visit"
    return Badge(words.label(now), kind)  # type: ignore[arg-type] # one of the two words above


def _drawn(label: str, row: Estimate, scale: Scale) -> charts.Estimate:
    """An estimate in points, as charts take it."""
    return charts.Estimate(
        label, scale.points(row.estimate), scale.points(row.lower), scale.points(row.upper), row.n
    )


def _strip(place: int, standing: Standing, school: School, ours: bool) -> charts.Chart | None:
    scale, now = standing.scale, standing.now
    if now is None:
        return None
    return charts.family_strip(
        key=f"strip-{place}",
        title=_("Beside schools in similar circumstances"),
        estimate=_drawn(_("Our school") if ours else school.name, now, scale),
        family=[scale.points(value) for value in standing.family],
        unit=_("points"),
        digits=scale.digits,
    )


def _years(place: int, standing: Standing) -> charts.Chart:
    scale = standing.scale
    points = tuple(_drawn(str(row.year), row, scale) for row in standing.by_year)
    return charts.trend(
        key=f"years-{place}",
        title=_("Year by year"),
        series=[charts.Series(standing.subject, points)],
        unit=_("points above or below what is expected"),
        digits=scale.digits,
    )


def _overview(standings: Sequence[Standing]) -> charts.Chart | None:
    """All outcomes on one scale, where there are several."""
    shown = [each for each in standings if each.now is not None]
    if len(shown) < 2:
        return None
    rows = [
        charts.Estimate(
            each.subject,
            100 * each.now.estimate,
            100 * each.now.lower,
            100 * each.now.upper,
            each.now.n,
        )
        for each in shown
        if each.now is not None
    ]
    return charts.intervals(
        key="overview",
        title=_("All outcomes side by side"),
        rows=rows,
        unit=_("hundredths of the spread among pupils"),
        digits=0,
    )


def _help(school: School, standings: Sequence[Standing], run: Run | None) -> list[Help]:
    subjects = [each.subject for each in standings if each.may_need_help]
    found = insight.strong_nearby(school, subjects, run=run)
    return [
        Help(name, [Near(one.school, distance(one.km)) for one in found.get(name, [])])
        for name in subjects
    ]


def _together(school: School, acting: Appointment | None) -> Together | None:
    partnership = directory.partnership_of(school)
    if partnership is None:
        return None
    members = list(connectedness.members_of(partnership))
    seen = set(
        directory.schools_visible_to(acting)
        .filter(pk__in=[member.school_id for member in members])
        .values_list("code", flat=True)
    )
    leaders = ", ".join(str(each.person) for each in connectedness.leaders_of(partnership))
    linked = [
        _member(m, partnership, m.school_id != school.pk and m.school.code in seen) for m in members
    ]
    may_open = directory.partnerships_visible_to(acting).filter(pk=partnership.pk).exists()
    return Together(partnership, linked, leaders, may_open)


def _member(membership: Membership, partnership: Partnership, linked: bool) -> Member:
    leads = membership.school_id == partnership.lead_school_id
    km = membership.distance_km
    return Member(
        membership.school,
        reverse("home:school", args=[membership.school.code]) if linked else "",
        leads,
        "" if leads or km is None else distance(km),
    )


# The numbers behind the drawings


def figure_columns() -> list[ExportColumn]:
    return [
        ExportColumn("subject", _("Outcome")),
        ExportColumn("year", _("Year")),
        ExportColumn("estimate", _("Difference from what is expected, points"), "number"),
        ExportColumn("lower", _("Lower end of the 95 % interval"), "number"),
        ExportColumn("upper", _("Upper end of the 95 % interval"), "number"),
        ExportColumn("estimate_sd", _("The same in standard deviations of pupils"), "number"),
        ExportColumn("observed", _("Mean score"), "number"),
        ExportColumn("expected", _("Expected mean score"), "number"),
        ExportColumn("n", _("Pupils"), "integer"),
        ExportColumn("reliability", _("Reliability, 0 to 1"), "number"),
    ]


def figure_rows(standings: Sequence[Standing]) -> list[Row]:
    """Just what the page shows: what is withheld there is not here either."""
    return [
        _figure_row(standing.scale, row)
        for standing in standings
        if standing.now is not None
        for row in (standing.now, *(standing.by_year if standing.now.years > 1 else ()))
    ]


def _figure_row(scale: Scale, row: Estimate) -> Row:
    return {
        "subject": scale.subject,
        "year": str(row.year)
        if row.year
        else (_("all years") if row.years > 1 else words.years_phrase(scale.years[-1:])),
        "estimate": scale.points(row.estimate),
        "lower": scale.points(row.lower),
        "upper": scale.points(row.upper),
        "estimate_sd": row.estimate,
        "observed": row.observed,
        "expected": row.expected,
        "n": row.n,
        "reliability": row.reliability,
        "digits": scale.digits,
    }


def figures_table(school: School, standings: Sequence[Standing]) -> Table:
    rows: list[list[Cell]] = []
    for row in figure_rows(standings):
        low, high = (
            charts.number(row[end], row["digits"], signed=True) for end in ("lower", "upper")
        )
        rows.append(
            [
                row["subject"],
                row["year"],
                charts.number(row["estimate"], row["digits"], signed=True),
                _("%(lower)s to %(upper)s") % {"lower": low, "upper": high},
                charts.number(row["observed"], 1),
                charts.number(row["expected"], 1),
                row["n"],
            ]
        )
    labels = (
        _("Outcome"), _("Year"), _("Difference, points"), _("95 % interval"), _("Mean score"),
        _("Expected"), _("Pupils"),
    )  # fmt: skip
    return Table(
        _("All figures of this school"),
        [Column(label, numeric=place > 1) for place, label in enumerate(labels)],
        rows,
        exports=export_links("home:school_figures", school.code),
        empty=_("No figure can be shown yet."),
    )


def distance(km: float) -> str:
    """`850 m`, `7 km`."""
    if km < 1:
        return _("%(m)s m") % {"m": charts.number(50 * round(20 * km), 0)}
    return _("%(km)s km") % {"km": charts.number(km, 0 if km >= 10 else 1)}
