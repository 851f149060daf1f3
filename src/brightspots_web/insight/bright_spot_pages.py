"""The list of bright spots and its map: by name, each with how sure it is."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.core.paginator import Page
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.directory.models import Area
from brightspots_web.insight import bright_spot_words, words
from brightspots_web.insight.bright_spot_queries import Key, Spot
from brightspots_web.insight.models import BrightSpot, Estimate, Run
from brightspots_web.insight.queries import Neighbour
from brightspots_web.shared import charts
from brightspots_web.shared.components import Cell, Column, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links

Row = dict[str, Any]
State = BrightSpot.State
STAGES: dict[str, charts.Stage] = {
    State.CANDIDATE: "found",
    State.VISITED: "visited",
    State.CONFIRMED: "sure",
    State.WRITTEN_UP: "sure",
    State.RE_TESTED: "sure",
    State.SET_ASIDE: "rest",
}
FURTHEST: tuple[charts.Stage, ...] = ("sure", "visited", "found", "rest")
"""A school on the list at several outcomes is drawn by the one with which people got furthest."""


def spot_url(code: str, subject: str) -> str:
    return reverse("insight:bright_spot", args=[code, subject])


def table(page: Page[Any], spots: Sequence[Spot], query: str, empty: str = "") -> Table:
    return Table(
        _("Bright spots, by name of the school"),
        [
            Column(_("School")),
            Column(_("Outcome")),
            Column(_("What the figures say")),
            Column(_("Beyond what is expected")),
            Column(_("Based on")),
            Column(_("Context")),
            Column(_("How far people got")),
        ],
        [_cells(spot) for spot in spots],
        exports=export_links("insight:bright_spots_export", query=query),
        empty=empty or _("No school fits. Clear the search to see all of them."),
    )


def _cells(spot: Spot) -> list[Cell]:
    now, url = spot.now, spot_url(spot.school.code, spot.subject)
    return [
        format_html(
            '<a href="{}">{}</a><br><span class="soft small">{}</span>',
            reverse("home:school", args=[spot.school.code]),
            spot.school.name,
            spot.school.area.name,
        ),
        Link(spot.subject, url),
        bright_spot_words.badge(spot),
        _figure(spot) or _("no figure to show"),
        based_on(now) if now else None,
        bright_spot_words.circumstances(spot) or None,
        _state(spot),
    ]


def _figure(spot: Spot) -> SafeString | None:
    """How far beyond, between what, and how likely it is that it is far."""
    now, scale = spot.now, spot.scale
    if now is None or scale is None:
        return None
    chance = _("far ahead: {percent} likely").format(
        percent=bright_spot_words.percent(now.probability)
    )
    said = bright_spot_words.short_difference(scale, now.estimate, now.lower, now.upper)
    return format_html('<span>{}<br><span class="soft small">{}</span></span>', said, chance)


def _state(spot: Spot) -> str:
    """The state and since when; a candidate is one since it was found."""
    if spot.since is None:
        return spot.state_label
    return _("{state}, since {day}").format(state=spot.state_label, day=date_format(spot.since))


def based_on(now: Estimate) -> str:
    pupils = ngettext("{n} pupil", "{n} pupils", now.n).format(n=charts.number(now.n, 0))
    years = ngettext("{n} year", "{n} years", now.years).format(n=now.years)
    return _("{pupils}, {years}").format(pupils=pupils, years=years)


def summary(found: Sequence[Key]) -> str:
    """How many, and how many of them by chance: the rule's own promise, said at the top."""
    if not found:
        return ""
    schools = len({key.school for key in found})
    said = ngettext("{n} school is on this list.", "{n} schools are on this list.", schools)
    parts = [said.format(n=charts.number(schools, 0))]
    labels = [key.label for key in found]
    for label in (Estimate.Label.BRIGHT_SPOT, Estimate.Label.WORTH_A_VISIT):
        if label in labels:
            parts.append(bright_spot_words.by_chance(label))
    if len(parts) > 1:
        parts.append(bright_spot_words.only_a_visit())
    return " ".join(parts)


def map_chart(found: Sequence[Key], outlines: Sequence[Area]) -> charts.Chart | None:
    """Each school once, drawn by how far people got."""
    stages: dict[int, charts.Stage] = {}
    for key in found:
        stage = STAGES[key.state]
        if not key.label and stage == "found":
            stage = "rest"
        before = stages.get(key.school, stage)
        stages[key.school] = min(stage, before, key=FURTHEST.index)
    linked = len(stages) <= charts.MAX_LINKS  # above, marks are too close to be chosen one by one
    points: dict[int, charts.SpotMark] = {}
    for key in found:
        if key.latitude is None or key.longitude is None or key.school in points:
            continue
        points[key.school] = charts.SpotMark(
            label=key.name,
            latitude=key.latitude,
            longitude=key.longitude,
            stage=stages[key.school],
            href=spot_url(key.code, key.subject) if linked else "",
        )
    if not points:
        return None
    return charts.spots_map(
        key="spots-map",
        title=_("Where they are, and how far people got"),
        points=list(points.values()),
        outlines=[
            charts.Area(label=area.name, rings=charts.rings_of(area.outline))
            for area in outlines
            if area.outline
        ],
    )


def near(found: dict[str, list[Neighbour]]) -> list[tuple[str, list[str]]]:
    """Schools around the partnership to learn from, by outcome; names and no figures."""
    return [
        (name, [f"{one.school.name} ({one.school.area.name})" for one in each])
        for name, each in found.items()
    ]


def note(run: Run | None) -> str:
    """What stands below a file: date, and how to read it."""
    if run is None:
        return ""
    return _(
        "By name, never ranked. Figures of the analysis published on {date} (run {run}). Of those "
        "named bright spots about one in ten, of those worth a visit about one in five are "
        "expected to be there by chance. A school that is not here is not “not good”: there is "
        "not enough evidence to say more."
    ).format(date=words.published_on(run), run=run.uuid)


def columns() -> list[ExportColumn]:
    return [
        ExportColumn("code", _("Code")),
        ExportColumn("school", _("School")),
        ExportColumn("area", _("Area")),
        ExportColumn("outcome", _("Outcome")),
        ExportColumn("label", _("What the figures say")),
        ExportColumn("estimate", _("Difference from what is expected, points"), "number"),
        ExportColumn("lower", _("Lower end of the 95 % interval"), "number"),
        ExportColumn("upper", _("Upper end of the 95 % interval"), "number"),
        ExportColumn("probability", _("Chance that it is far ahead, 0 to 1"), "number"),
        ExportColumn("delta", _("That is: this many points or more ahead"), "number"),
        ExportColumn("n", _("Pupils"), "integer"),
        ExportColumn("years", _("Years"), "integer"),
        ExportColumn("circumstances", _("Circumstances")),
        ExportColumn("state", _("How far people got")),
        ExportColumn("since", _("Since"), "date"),
    ]


def rows(spots: Iterable[Spot]) -> Iterable[Row]:
    for spot in spots:
        now, scale = spot.now, spot.scale
        shown = now is not None and scale is not None
        yield {
            "code": spot.school.code,
            "school": spot.school.name,
            "area": spot.school.area.name,
            "outcome": spot.subject,
            "label": bright_spot_words.badge(spot).label,
            **{
                name: scale.points(getattr(now, name)) if scale and now else None
                for name in ("estimate", "lower", "upper")
            },
            "probability": now.probability if now and shown else None,
            "delta": scale.points(spot.delta) if scale and shown else None,
            "n": now.n if now and shown else None,
            "years": now.years if now and shown else None,
            "circumstances": bright_spot_words.circumstances(spot),
            "state": spot.state_label,
            "since": spot.since,
        }


def crumbs(last: str) -> list[Link]:
    return [Link(_("Bright spots"), reverse("insight:bright_spots")), Link(last)]
