"""A study as its pages show it: areas, assumptions, what was found."""

from collections.abc import Mapping
from typing import Any

from django.core.paginator import Paginator
from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.directory.models import Appointment
from brightspots_web.pace import plan_pages as pages
from brightspots_web.pace import plan_queries as queries
from brightspots_web.pace import plan_words as words
from brightspots_web.pace.plan_models import PlanArea, PlanResult, PlanRollout, PlanStudy
from brightspots_web.shared.charts import number
from brightspots_web.shared.components import Badge, Column, Link, Table
from brightspots_web.shared.exports import Column as FileColumn
from brightspots_web.shared.exports import export_links
from brightspots_web.shared.words import day

PAGE = 60
"""Areas of a study on a page."""


def list_page(acting: Appointment) -> dict[str, Any]:
    """Studies, and plans that were picked."""
    picked = list(queries.without_bulk(queries.rollouts_visible_to(acting))[:50])
    return {
        "studies": queries.studies_visible_to(acting),
        "rollouts": [rollout_line(each) for each in picked],
        "in_force": queries.in_force(),
        "to_come": queries.to_come(),
        "promises_not": words.promises_not(),
        "breadcrumb": pages.crumbs(here=_("Rollout plans")),
    }


def rollout_line(rollout: PlanRollout) -> dict[str, Any]:
    """A picked plan in a list."""
    return {
        "url": reverse("pace:plan_rollout", args=[rollout.pk]),
        "name": _("{study}: {plan}").format(
            study=rollout.result.study.name, plan=words.plan_name(rollout.base)
        ),
        "state": state(rollout),
        "by": rollout.by,
        "on": day(rollout.at),
    }


def state(rollout: PlanRollout) -> str:
    """How a picked plan stands, with its days."""
    if rollout.state == PlanRollout.State.DRAFT:
        return _("being worked on, version {n}").format(n=rollout.version)
    if rollout.holds_until is not None:
        return _("adopted; held from {since} until {until}").format(
            since=day(rollout.holds_from), until=day(rollout.holds_until)
        )
    return _("adopted; holds from {since}").format(since=day(rollout.holds_from))


def crumbs(study: PlanStudy, here: str = "") -> list[Link]:
    if not here:
        return pages.crumbs(pages.to_plans(), here=study.name)
    up = (study.name, reverse("pace:plan_study", args=[study.pk]))
    return pages.crumbs(pages.to_plans(), up, here=here)


def study_page(study: PlanStudy, acting: Appointment, page: str | None = None) -> dict[str, Any]:
    """Everything that goes into a study, and what came out."""
    areas = queries.areas_of(study)
    shown = Paginator(areas, PAGE).get_page(page)
    unread = queries.unread(areas)
    job = queries.at_work(acting, queries.SEARCH, study=study.pk)
    results = queries.results_of(study)
    last = results[0] if results else None
    same = last is not None and last.study_version == study.version
    return {
        "study": study,
        "facts": _facts(study),
        "table": _areas_table(study, list(shown)),
        "page_obj": shown,
        "blind": not queries.sees_training(acting),
        "unread": len(unread),
        "job": job,
        "results": [_result_line(each, study) for each in results],
        "goes_on": same and last is not None and last.stopped_early,
        "found": last if same and last is not None and not last.stopped_early else None,
        "assumed": sum(1 for row in study.assumptions if row["source"] == "assumed"),
        "all_assumptions": len(study.assumptions),
        "promises_not": words.promises_not(),
        "breadcrumb": crumbs(study),
    }


def _facts(study: PlanStudy) -> list[tuple[str, str]]:
    return [
        (_("Support"), _("{n} days in a term, all areas together").format(
            n=number(study.support_days, 0))),
        (_("Terms"), _("{n}, from {day}, {months} months each").format(
            n=study.terms, day=day(study.first_day), months=study.term_months)),
        (_("Speeds"), ", ".join(words.support(each) for each in study.speeds)),
        (_("Followed after support"), _("{n} terms").format(n=study.settle)),
        (_("Futures"), number(study.draws, 0)),
        (_("Changed last"), _("{day}, {who}").format(
            day=day(study.changed_at), who=study.changed_by or study.by)),
    ]  # fmt: skip


def _areas_table(study: PlanStudy, areas: list[PlanArea]) -> Table:
    rows = [
        (
            Link(each.area.name, reverse("pace:plan_area", args=[study.pk, each.area_id])),
            each.schools,
            each.leaders,
            each.in_training,
            _reading(each),
            _limits(each),
        )
        for each in areas
    ]
    columns = [
        Column(_("Area")), Column(_("Schools"), numeric=True),
        Column(_("Leaders available"), numeric=True), Column(_("in training"), numeric=True),
        Column(_("Schools ready")), Column(_("Begins")),
    ]  # fmt: skip
    return Table(
        _("Areas"), columns, rows, exports=export_links("pace:plan_areas_export", study.pk),
        empty=_("No area of this level has an open school."),
    )  # fmt: skip


def _reading(row: PlanArea) -> str | Badge:
    if row.readiness is None:
        return Badge(_("nobody has said"), "unsure")
    return _("{share} %, {how}").format(
        share=number(100 * row.readiness, 0), how=row.get_reading_display()
    )


def _limits(row: PlanArea) -> str:
    if row.fixed_start is not None:
        return _("fixed: term {n}").format(n=row.fixed_start)
    if row.earliest > 1:
        return _("term {n} or later").format(n=row.earliest)
    return _("any term")


def _result_line(result: PlanResult, study: PlanStudy) -> dict[str, Any]:
    return {
        "url": reverse("pace:plan_result", args=[result.pk]),
        "on": day(result.at),
        "by": result.by,
        "stopped": result.stopped_early,
        "older": result.study_version != study.version,
    }


def area_columns() -> list[FileColumn]:
    return [
        FileColumn("area", _("Area")),
        FileColumn("schools", _("Schools"), "integer"),
        FileColumn("leaders", _("Leaders available"), "integer"),
        FileColumn("in_training", _("Leaders in training"), "integer"),
        FileColumn("readiness", _("Schools ready"), "percent"),
        FileColumn("reading", _("Where the reading comes from")),
        FileColumn("earliest", _("Earliest term"), "integer"),
        FileColumn("fixed_start", _("Fixed term"), "integer"),
    ]


def area_rows(study: PlanStudy) -> list[dict[str, Any]]:
    return [
        {
            "area": each.area.name, "schools": each.schools, "leaders": each.leaders,
            "in_training": each.in_training, "readiness": each.readiness,
            "reading": each.get_reading_display(), "earliest": each.earliest,
            "fixed_start": each.fixed_start,
        }
        for each in queries.areas_of(study)
    ]  # fmt: skip


# Assumptions


def assumptions_page(study: PlanStudy) -> dict[str, Any]:
    """Every assumption with its range and where it comes from."""
    rows = [
        (
            Link(
                words.assumption(row["name"]),
                reverse("pace:plan_assumption", args=[study.pk, row["name"]]),
            ),
            _plain(row["low"]), _plain(row["value"]), _plain(row["high"]),
            words.unit_of(row["name"]),
            words.source(row["source"]),
        )
        for row in study.assumptions
    ]  # fmt: skip
    columns = [
        Column(_("Assumption")), Column(_("Low"), numeric=True), Column(_("Value"), numeric=True),
        Column(_("High"), numeric=True), Column(_("Unit")), Column(_("Where it comes from")),
    ]  # fmt: skip
    return {
        "study": study,
        "table": Table(
            _("Assumptions"), columns, rows,
            exports=export_links("pace:plan_assumptions_export", study.pk),
        ),
        "promises_not": words.promises_not(),
        "breadcrumb": crumbs(study, _("Assumptions")),
    }  # fmt: skip


def _plain(value: float) -> str:
    """A number with as many digits as it was given; of those worked out, four that count."""
    size = abs(value)
    most = 4 if size < 0.1 else 3 if size < 1 else 2 if size < 10 else 1
    return number(value, max(0, len(f"{value:.{most}f}".rstrip("0").partition(".")[2])))


def range_text(row: Mapping[str, Any]) -> str:
    """Low, value and high in one cell."""
    return _("{low} · {value} · {high}").format(
        low=_plain(row["low"]), value=_plain(row["value"]), high=_plain(row["high"])
    )


def end_text(value: float) -> str:
    return _plain(value)


def assumption_columns() -> list[FileColumn]:
    return [
        FileColumn("name", _("Name")),
        FileColumn("words", _("Assumption")),
        FileColumn("low", _("Low"), "number"),
        FileColumn("value", _("Value"), "number"),
        FileColumn("high", _("High"), "number"),
        FileColumn("unit", _("Unit")),
        FileColumn("source", _("Where it comes from")),
    ]


def assumption_rows(study: PlanStudy) -> list[dict[str, Any]]:
    return [
        {
            **row, "words": words.assumption(row["name"]), "unit": words.unit_of(row["name"]),
            "source": words.source(row["source"]),
        }
        for row in study.assumptions
    ]  # fmt: skip
