"""What works and what does not: every evaluation, and its file. Nothing is sorted by its effect."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.html import format_html
from django.utils.translation import gettext as _

from brightspots_web.directory.models import Appointment
from brightspots_web.evidence import evaluation_pages as pages
from brightspots_web.evidence import evaluation_queries as queries
from brightspots_web.evidence import evaluation_words as words
from brightspots_web.evidence.evaluation_models import Evaluation
from brightspots_web.shared.components import Badge, Cell, Column, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links

Row = dict[str, Any]
State = Evaluation.State


def table(
    acting: Appointment | None, evaluations: Sequence[Evaluation], query: str = "", empty: str = ""
) -> Table:
    return Table(
        _("Every evaluation, by priority and practice"),
        [
            Column(_("Evaluation")),
            Column(_("What was evaluated")),
            Column(_("What came of it")),
            Column(_("Effect, SD of pupils")),
            Column(_("Security of the evidence")),
            Column(_("How it stands")),
        ],
        [_cells(acting, each) for each in evaluations],
        exports=export_links("evidence:works_export", query=query),
        empty=empty or _("Nothing is evaluated yet."),
    )


def _cells(acting: Appointment | None, each: Evaluation) -> list[Cell]:
    finding = _finding(each)
    title: Cell = each.title
    if queries.is_open(acting, each):
        title = Link(each.title, pages.url(each))
    return [
        title,
        _what(each),
        verdict(each),
        (words.effect(finding) or _("none")) if finding else "",
        words.security(finding) if finding else "",
        _state(each),
    ]


def of_practice(acting: Appointment | None, evaluations: Sequence[Evaluation]) -> Table:
    """The same on the page of a practice, without what that page says already."""
    rows = [_cells(acting, each) for each in evaluations]
    return Table(
        _("Evaluations of this practice"),
        [
            Column(_("Evaluation")),
            Column(_("What came of it")),
            Column(_("Effect, SD of pupils")),
            Column(_("Security of the evidence")),
            Column(_("How it stands")),
        ],
        [[cell for at, cell in enumerate(row) if at != 1] for row in rows],
    )


def _finding(each: Evaluation) -> Any:
    """What is published of it, and nothing that was not; none once it is withdrawn."""
    result = each.published_result
    return result.found if result is not None and each.state == State.PUBLISHED else None


def verdict(each: Evaluation) -> str:
    if each.state == State.WITHDRAWN:
        return _("withdrawn: {why}").format(why=each.withdrawn_why)
    if each.state == State.RUN:
        return _("run, and not published yet")
    return words.verdict(_finding(each))


def _what(each: Evaluation) -> Cell:
    tags, parts = queries.context_of(each), []
    if each.priority is not None and each.kind != Evaluation.Kind.SUPPORT:
        parts.append(each.priority.title)
    if tags:
        parts.append(words.contexts(tags))
    small = ". ".join(parts)
    if not small:
        return words.what(each)
    # One element, since a cell is two columns on a phone.
    inside = '<span>{}<br><span class="soft small">{}</span></span>'
    return format_html(inside, words.what(each), small)


def _state(each: Evaluation) -> Badge:
    return words.badge(each)


def columns() -> list[ExportColumn]:
    return [
        ExportColumn("title", _("Evaluation")),
        ExportColumn("what", _("What was evaluated")),
        ExportColumn("priority", _("Priority")),
        ExportColumn("practice", _("Practice")),
        ExportColumn("context", _("Kind of schools that began")),
        ExportColumn("subject", _("Outcome")),
        ExportColumn("state", _("How it stands")),
        ExportColumn("verdict", _("What came of it")),
        ExportColumn("effect", _("Effect, SD of pupils"), "number"),
        ExportColumn("low", _("Likely from"), "number"),
        ExportColumn("high", _("Likely to"), "number"),
        ExportColumn("months", _("Months of progress"), "integer"),
        ExportColumn("months_low", _("Months, likely from"), "integer"),
        ExportColumn("months_high", _("Months, likely to"), "integer"),
        ExportColumn("security", _("Security, 0 to 5"), "integer"),
        ExportColumn("schools", _("Schools that began"), "integer"),
        ExportColumn("others", _("Schools compared with"), "integer"),
        ExportColumn("cost", _("Cost")),
        ExportColumn("cost_includes", _("What the cost includes")),
        ExportColumn("planned", _("Planned"), "date"),
        ExportColumn("published", _("Published"), "date"),
    ]


def rows(evaluations: Iterable[Evaluation]) -> list[Row]:
    return [_row(each) for each in evaluations]


def _row(each: Evaluation) -> Row:
    row: Row = {
        "title": each.title,
        "what": words.what(each),
        "priority": each.priority.title if each.priority is not None else "",
        "practice": each.practice.title if each.practice is not None else "",
        "context": words.contexts(queries.context_of(each)) if queries.context_of(each) else "",
        "subject": each.subject,
        "state": str(each.get_state_display()),
        "verdict": verdict(each),
        "cost": words.cost(each),
        "cost_includes": each.cost_includes,
        "planned": each.planned_at,
        "published": each.published_at,
    }
    finding = _finding(each)
    if finding is None:
        return row
    counts = finding["counts"]
    row |= {
        "security": finding["security"]["rating"],
        "schools": counts["treated_units"],
        "others": counts["comparison_units"],
    }
    if words.has_effect(finding):
        simple = finding["simple"]
        row |= {"effect": simple["att"], "low": simple["lower"], "high": simple["upper"]}
    if words.months(finding) is not None:
        size = finding["size"]
        row |= {
            "months": size["months"], "months_low": size["months_lower"],
            "months_high": size["months_upper"],
        }  # fmt: skip
    return row


def note() -> str:
    return _(
        "Effects are in standard deviations of pupils, likely between the two values beside them. "
        "Security says how far to trust them, from 0 to 5. Nothing here is a ranking."
    )


# One evaluation's file


def finding_columns() -> list[ExportColumn]:
    return [
        ExportColumn("part", _("Part")),
        ExportColumn("group", _("First results with it")),
        ExportColumn("time", _("Results of, or years since it began")),
        ExportColumn("value", _("Value, SD of pupils"), "number"),
        ExportColumn("low", _("Likely from"), "number"),
        ExportColumn("high", _("Likely to"), "number"),
        ExportColumn("n", _("Schools"), "integer"),
    ]


def finding_rows(finding: Any) -> list[Row]:
    """Group-time effects, effects by years since it began, and raw paths."""
    found: list[Row] = [
        {
            "part": _("effect of a group in a year"), "group": row["group"], "time": row["time"],
            "value": row["att"], "low": row["lower"], "high": row["upper"],
        }
        for row in finding.get("cells", [])
    ]  # fmt: skip
    found += [
        {
            "part": _("effect by years since it began"), "time": row["event_time"],
            "value": row["att"], "low": row["lower"], "high": row["upper"],
            "n": row["treated_units"],
        }
        for row in finding.get("events", [])
    ]  # fmt: skip
    return found + [
        {
            "part": _("raw mean"), "group": row["group"], "time": row["time"],
            "value": row["mean"], "n": row["n"],
        }
        for row in finding.get("paths", [])
    ]  # fmt: skip
