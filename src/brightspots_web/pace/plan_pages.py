"""Rollout plans: the card, what waits, the adopted plan as districts and schools read it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.core.paginator import Paginator
from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.directory.models import Appointment, Area
from brightspots_web.pace import plan_queries as queries
from brightspots_web.pace import plan_words as words
from brightspots_web.pace.plan_charts import Wave
from brightspots_web.pace.plan_models import PlanRollout, PlanStart, PlanStudy
from brightspots_web.shared.charts import number
from brightspots_web.shared.components import Link
from brightspots_web.shared.exports import Column
from brightspots_web.shared.words import day

PAGE = 30
"""Areas of the adopted plan on a page."""


def home_card(acting: Appointment | None) -> Mapping[str, Any] | None:
    """The card of this part on the overview."""
    if acting is None:
        return None
    heading = _("Rollout plan: when each area begins")
    plan = queries.in_force() or queries.to_come()
    text = (
        _("Adopted: holds from {day}.").format(day=day(plan.holds_from))
        if plan is not None
        else _("No plan is adopted yet.")
    )
    url = reverse("pace:plans" if queries.may_plan(acting) else "pace:plan_adopted")
    return {"heading": heading, "text": text, "url": url, "link": heading}


def front_items(acting: Appointment | None) -> Sequence[Mapping[str, str]]:
    """A comparison that waits for whoever plans."""
    lesson = queries.lesson_waiting() if queries.may_plan(acting) else None
    if lesson is None:
        return []
    return [{
        "text": _("The rollout plan was compared with what happened. What it taught waits for a "
                  "decision."),
        "url": reverse("pace:plan_lesson", args=[lesson.pk]),
        "link": _("Look at it"),
    }]  # fmt: skip


def crumbs(*steps: tuple[str, str], here: str = "") -> list[Link]:
    """From the overview down to here."""
    found = [Link(_("Pace"), reverse("pace:home"))]
    found.extend(Link(label, url) for label, url in steps)
    return [*found, Link(here)] if here else found


def to_plans() -> tuple[str, str]:
    return _("Rollout plans"), reverse("pace:plans")


def when(study: PlanStudy, start: int, speed: int) -> str:
    """The wave of an area in words."""
    return _("{start}; {support}, until the end of {end}").format(
        start=words.term(study, start), support=words.support(speed),
        end=_("term {n}").format(n=start + speed - 1),
    )  # fmt: skip


def waves(
    study: PlanStudy, areas: Iterable[Area], planned: Mapping[str, Any],
    picked: Mapping[str, Any] | None = None,
) -> list[Wave]:  # fmt: skip
    """Areas on the timetable, the earliest first; with `picked`, where they stood before."""
    found = []
    for area in areas:
        start, speed = planned[str(area.pk)]
        was = tuple((picked or planned).get(str(area.pk), (start, speed)))
        found.append(
            Wave(
                area.name, start, speed, when(study, start, speed),
                (was[0], was[1]) if was != (start, speed) else None,
            )
        )  # fmt: skip
    return sorted(found, key=lambda each: (each.start, each.label))


# The adopted plan, as it is read


def adopted_page(
    acting: Appointment, rollout: PlanRollout | None, page: str | None = None,
    *, on_paper: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """When the areas of a person begin, and what comes with it."""
    context: dict[str, Any] = {
        "may_plan": queries.may_plan(acting),
        "promises_not": words.promises_not(),
        "plan": rollout,
        "breadcrumb": crumbs(here=_("Rollout plan")),
    }
    if rollout is None:
        return context
    study = rollout.result.study
    areas = queries.areas_read_by(acting, rollout)
    starts = queries.starts_of(rollout)
    rows = [_card(acting, rollout, area, starts.get(area.pk)) for area in areas]
    rows.sort(key=lambda row: (row["start"], row["name"]))
    shown = Paginator(rows, len(rows) or 1 if on_paper else PAGE).get_page(page)
    return context | {
        "study": study,
        "page_obj": shown,
        "on_paper": on_paper,
        "draws": number(study.draws, 0),
        "found_on": day(rollout.result.at),
        "holds_from": day(rollout.holds_from),
        "holds_until": day(rollout.holds_until),
    }


def _card(
    acting: Appointment, rollout: PlanRollout, area: Area, start: PlanStart | None
) -> dict[str, Any]:
    study, key = rollout.result.study, str(area.pk)
    at, speed = rollout.waves[key]
    days = rollout.figures["by_area"]["support_days"].get(key, 0.0) / speed
    return {
        "name": area.name,
        "start": at,
        "begins": words.term(study, at),
        "support": words.support(speed),
        "until": words.term(study, at + speed),
        "days": number(days, 0),
        "steps": number(100 / speed, 0),
        "really": started(start),
        "write": reverse("pace:plan_start", args=[rollout.pk, area.pk])
        if queries.may_write_start(acting, area)
        else "",
    }


def started(start: PlanStart | None) -> str:
    """What was written down of an area's beginning; "" where nobody did."""
    if start is None:
        return ""
    if start.began is None:
        return _("not begun yet, as of {day}").format(day=day(start.at))
    return _("began on {day}").format(day=day(start.began))


def adopted_columns() -> list[Column]:
    return [
        Column("area", _("Area")),
        Column("start", _("Begins in term"), "integer"),
        Column("first_day", _("First day"), "date"),
        Column("speed", _("Terms of support"), "integer"),
        Column("ends", _("Last day of support before"), "date"),
        Column("really", _("What was written down")),
    ]


def adopted_rows(acting: Appointment, rollout: PlanRollout) -> list[dict[str, Any]]:
    """The same as the page shows, for a file."""
    from brightspots_web.pace import plan_calendar as calendar

    study, starts = rollout.result.study, queries.starts_of(rollout)
    rows = []
    for area in queries.areas_read_by(acting, rollout):
        start, speed = rollout.waves[str(area.pk)]
        rows.append({
            "area": area.name, "start": start, "speed": speed,
            "first_day": calendar.first_day(study, start),
            "ends": calendar.first_day(study, start + speed),
            "really": started(starts.get(area.pk)),
        })  # fmt: skip
    return sorted(rows, key=lambda row: (row["start"], row["area"]))


def note(rollout: PlanRollout) -> str:
    """What stands below every file."""
    return _(
        "Plan of the study {study}, searched on {day}. No forecast: it says what follows from what "
        "is assumed."
    ).format(study=rollout.result.study.name, day=day(rollout.result.at))
