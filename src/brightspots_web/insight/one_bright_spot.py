"""The page of one bright spot: the figure and its chance, what to look for, what people saw."""

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from brightspots_web.directory.models import Appointment, School
from brightspots_web.insight import (
    bright_spot_queries,
    bright_spot_words,
    queries,
    school_queries,
    visit_guide,
    words,
)
from brightspots_web.insight.bright_spot_pages import based_on, crumbs, spot_url
from brightspots_web.insight.bright_spot_queries import Spot
from brightspots_web.insight.models import BrightSpot, BrightSpotStep, Sensitivity
from brightspots_web.insight.queries import Standing
from brightspots_web.insight.school_queries import Depth
from brightspots_web.shared import charts
from brightspots_web.shared.components import Badge, Cell, Column, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links
from brightspots_web.shared.permissions import Capability, may

Row = dict[str, Any]
State = BrightSpot.State


def page(spot: Spot, acting: Appointment | None) -> Row:
    """Everything the template needs; the caller has checked that it may be opened."""
    standings, ours, depth = behind(spot, acting)
    steps = bright_spot_queries.steps_of(spot.kept)
    may_open_list = bright_spot_queries.schools_to_visit(acting).filter(pk=spot.school.pk).exists()
    code, subject = spot.school.code, spot.subject
    return {
        "spot": spot,
        "breadcrumb": crumbs(spot.school.name) if may_open_list else [Link(spot.school.name)],
        "badges": [bright_spot_words.badge(spot), Badge(spot.state_label)],
        "still": bright_spot_words.still(spot),
        "sentence": words.sentence(ours) if ours and ours.now else "",
        "probability": bright_spot_words.probability(spot),
        "by_chance": by_chance(spot),
        "facts": figure_facts(spot, ours),
        "made_url": reverse("insight:run", args=[spot.run.uuid]) if spot.run else "",
        "chart": years_chart(ours) or strip_chart(spot, ours),
        "sensitivity": sensitivity_table(spot, depth),
        "sensitivity_words": sensitivity_words(spot, depth),
        "guide": visit_guide.guide(spot, standings, depth),
        "sheet_url": reverse("insight:bright_spot_sheet", args=[code, subject]),
        "school_url": reverse("home:school", args=[code]),
        **write_up(spot, acting),
        "history": history_table(spot.school, steps),
        "then_and_now": then_and_now(steps),
        "circumstances": bright_spot_words.circumstances(spot),
        "choices": choices(spot, steps, acting),
        "last_step": steps[-1].pk if steps else 0,
    }


def write_up(spot: Spot, acting: Appointment | None) -> Row:
    """Where the practice of a confirmed bright spot is written up, and where what is can be read.

    Whoever opens this page sees the school; writing takes the capability.
    """
    if not spot.kept or spot.state not in {State.CONFIRMED, State.WRITTEN_UP, State.RE_TESTED}:
        return {}
    code = spot.school.code
    asked = urlencode({"school": code, "outcome": spot.subject})
    may_write = may(acting, Capability.WRITE_PRACTICES)
    return {
        "write_url": f"{reverse('connectedness:practice_write')}?{asked}" if may_write else "",
        "practices_url": f"{reverse('connectedness:practices')}?{urlencode({'school': code})}",
    }


def by_chance(spot: Spot) -> str:
    """How many of those called so are chance, and what to do about it; empty without a flag."""
    if not spot.label:
        return ""
    return f"{bright_spot_words.by_chance(spot.label)} {bright_spot_words.only_a_visit()}"


def behind(
    spot: Spot, acting: Appointment | None
) -> tuple[list[Standing], Standing | None, Depth | None]:
    """All outcomes of the school, this one, and what stands behind it."""
    standings = queries.standing(spot.school, acting, spot.run)
    ours = next((each for each in standings if each.subject == spot.subject), None)
    if ours is None:
        return standings, None, None
    return standings, ours, school_queries.depth(spot.school, [ours], spot.run).get(spot.subject)


def figure_facts(spot: Spot, ours: Standing | None) -> list[tuple[str, Cell]]:
    if spot.now is None or spot.scale is None or spot.run is None or ours is None:
        return []
    now = spot.now
    return [
        (_("Chance that it is far ahead"), bright_spot_words.percent(now.probability)),
        (_("Based on"), words.basis(ours) or based_on(now)),
        (_("Reliability"), words.reliability(now.reliability)),
        (_("Compared with"), _family(ours)),
        (_("Published"), words.published_on(spot.run)),
    ]


def _family(ours: Standing) -> str:
    if not ours.family:
        return _("what is expected of all schools in such circumstances")
    return _(
        "what is expected of schools in such circumstances; its page shows it beside the {n} "
        "schools most like it"
    ).format(n=charts.number(len(ours.family), 0))


def years_chart(ours: Standing | None) -> charts.Chart | None:
    if ours is None or len(ours.by_year) < 2:
        return None
    scale = ours.scale
    points = tuple(
        charts.Estimate(
            str(row.year),
            scale.points(row.estimate), scale.points(row.lower), scale.points(row.upper), row.n,
        )
        for row in ours.by_year
    )  # fmt: skip
    return charts.trend(
        key="years",
        title=_("Year by year"),
        series=[charts.Series(ours.subject, points)],
        unit=_("points above or below what is expected"),
        digits=scale.digits,
    )


def strip_chart(spot: Spot, ours: Standing | None) -> charts.Chart | None:
    if ours is None or ours.now is None:
        return None
    scale, now = ours.scale, ours.now
    return charts.family_strip(
        key="strip",
        title=_("Beside schools in similar circumstances"),
        estimate=charts.Estimate(
            spot.school.name,
            scale.points(now.estimate), scale.points(now.lower), scale.points(now.upper), now.n,
        ),
        family=[scale.points(value) for value in ours.family],
        unit=_("points"),
        digits=scale.digits,
    )  # fmt: skip


def sensitivity_words(spot: Spot, depth: Depth | None) -> str:
    if depth is None or not spot.delta or spot.now is None:
        return ""
    return bright_spot_words.sensitivity(depth.variants, spot.now, spot.delta)


def sensitivity_table(spot: Spot, depth: Depth | None) -> Table | None:
    """Each other way of reckoning with its figure and its chance."""
    if depth is None or spot.scale is None or not spot.delta or not depth.variants:
        return None
    scale = spot.scale
    rows: list[list[Cell]] = [
        [
            str(Sensitivity.Variant(each.variant).label),
            bright_spot_words.difference(scale, each.estimate, each.lower, each.upper),
            bright_spot_words.percent(bright_spot_words.ahead(each, spot.delta)),
        ]
        for each in depth.variants
    ]
    return Table(
        _("Does the answer change if we reckon otherwise?"),
        [
            Column(_("Way of reckoning")),
            Column(_("Difference from what is expected")),
            Column(_("Chance that it is far ahead"), numeric=True),
        ],
        rows,
    )


# What people saw


def history_table(school: School, steps: Sequence[BrightSpotStep]) -> Table:
    rows: list[list[Cell]] = [
        [
            date_format(step.on),
            step_label(step),
            _by(step),
            _said(step.note) if step.note else _found_words(step),
        ]
        for step in steps
    ]
    return Table(
        _("What happened, in order"),
        [Column(_("Day")), Column(_("Step")), Column(_("Who")), Column(_("What they saw"))],
        rows,
        exports=export_links("insight:bright_spot_steps", school.code),
        empty=_("Nobody has noted anything yet."),
    )


def step_label(step: BrightSpotStep) -> str:
    if not step.from_state:
        return _("named by the analysis")
    if step.from_state == State.SET_ASIDE:
        return _("taken up again: {state}").format(state=step.get_to_state_display())
    return str(step.get_to_state_display())


def _by(step: BrightSpotStep) -> str:
    """Who, and when they wrote it down where that was another day."""
    written = timezone.localdate(step.at)
    if written == step.on:
        return step.by
    return _("{who}; written down on {day}").format(who=step.by, day=date_format(written))


def _said(note: str) -> SafeString:
    """What somebody wrote, line by line."""
    lines = ((line,) for line in note.splitlines() if line.strip())
    return format_html('<div class="text">{}</div>', format_html_join("", "<p>{}</p>", lines))


def _found_words(step: BrightSpotStep) -> str:
    return bright_spot_words.kept_figure(step.figure) if step.figure else ""


def then_and_now(steps: Sequence[BrightSpotStep]) -> list[str]:
    """Each re-test beside the figure it was held against, with both days."""
    told = []
    for place, step in enumerate(steps):
        if step.to_state != State.RE_TESTED or step.from_state == State.SET_ASIDE:
            continue
        before = bright_spot_queries.figure_to_test_against(steps[:place])
        if before and step.figure:
            told.append(
                _("{verdict} Then: {before}. Now: {now}.").format(
                    verdict=bright_spot_words.re_test(before, step.figure),
                    before=bright_spot_words.kept_figure(before),
                    now=bright_spot_words.kept_figure(step.figure),
                )
            )
    return told


def step_columns() -> list[ExportColumn]:
    return [
        ExportColumn("outcome", _("Outcome")),
        ExportColumn("on", _("Day"), "date"),
        ExportColumn("step", _("Step")),
        ExportColumn("who", _("Who")),
        ExportColumn("written", _("Written down"), "date"),
        ExportColumn("note", _("What they saw")),
        ExportColumn("figure", _("The newest published figure that day")),
    ]


def step_rows(steps: Sequence[BrightSpotStep]) -> list[Row]:
    return [
        {
            "outcome": step.bright_spot.subject,
            "on": step.on,
            "step": step_label(step),
            "who": step.by,
            "written": step.at,
            "note": step.note,
            "figure": bright_spot_words.kept_figure(step.figure) if step.figure else "",
        }
        for step in steps
    ]


# What can be recorded


def choices(
    spot: Spot, steps: Sequence[BrightSpotStep], acting: Appointment | None
) -> list[tuple[str, str]]:
    """The steps that can follow, as far as this person may take them."""
    back = spot.state == State.SET_ASIDE
    return [
        (str(state), bright_spot_words.verb(state, back=back))
        for state in bright_spot_queries.next_states(spot.state, steps)
        if bright_spot_queries.may_take(acting, spot.school, state)
    ]


def may_record(spot: Spot, acting: Appointment) -> bool:
    """Whether there is any step that this person may take here."""
    return bright_spot_queries.may_take(acting, spot.school, State.VISITED)


def sheet(spot: Spot, acting: Appointment | None) -> Row:
    """A page to take along: the reasons, the questions, room to write."""
    standings, ours, depth = behind(spot, acting)
    return {
        "spot": spot,
        "breadcrumb": [
            *crumbs(spot.school.name)[:1],
            Link(spot.school.name, spot_url(spot.school.code, spot.subject)),
            Link(_("Visit sheet")),
        ],
        "sentence": words.sentence(ours) if ours and ours.now else "",
        "still": bright_spot_words.still(spot),
        "by_chance": by_chance(spot),
        "circumstances": bright_spot_words.circumstances(spot),
        "guide": visit_guide.guide(spot, standings, depth),
        "published": words.as_of(spot.run) if spot.run else "",
    }
