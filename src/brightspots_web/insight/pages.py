"""What the pages about analyses show: tables and plain words."""

from typing import Any

from django.urls import reverse
from django.utils import formats
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from brightspots_web.insight import run_pages, words
from brightspots_web.insight.models import Run
from brightspots_web.shared.charts import number
from brightspots_web.shared.components import Cell, Column, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links

Row = dict[str, Any]


def run_rows(runs: list[Run], current: Run | None) -> list[Row]:
    return [
        {
            "made": made(run),
            "state": run_pages.badge(run, current).label,
            "published": published(run),
            "by": run.published_by or run.asked_by,
            "outcomes": ", ".join(run.summary.get("outcomes", {})),
            "schools": run.summary.get("coverage", {}).get("schools"),
            "version": run.method_version,
            "run": str(run.uuid),
        }
        for run in runs
    ]


def run_columns() -> list[ExportColumn]:
    return [
        ExportColumn("made", _("Made")),
        ExportColumn("state", _("State")),
        ExportColumn("published", _("Published")),
        ExportColumn("by", _("By")),
        ExportColumn("outcomes", _("Outcomes")),
        ExportColumn("schools", _("Schools"), "integer"),
        ExportColumn("version", _("Version of the method")),
        ExportColumn("run", _("Run")),
    ]


def runs_table(runs: list[Run], current: Run | None) -> Table:
    rows: list[list[Cell]] = [
        [
            Link(row["made"], reverse("insight:run", args=[row["run"]])),
            run_pages.badge(run, current),
            row["outcomes"],
            row["schools"],
            row["published"],
            run.note,
        ]
        for run, row in zip(runs, run_rows(runs, current), strict=True)
    ]
    return Table(
        _("Analyses, newest first"),
        [
            Column(_("Made")),
            Column(_("State")),
            Column(_("Outcomes")),
            Column(_("Schools"), numeric=True),
            Column(_("Published")),
            Column(_("To remember")),
        ],
        rows,
        exports=export_links("insight:runs_export"),
        empty=_("Nothing has been analysed yet."),
    )


def outcome_rows(run: Run) -> list[Row]:
    return [
        {
            "outcome": name,
            "way": _("pupils' results") if each["way"] == "pupil" else _("school figures"),
            "years": words.years_phrase(tuple(each["years"])),
            "schools": each["schools"],
            "pupils": each["pupils"],
            "pupil_sd": each["pupil_sd"],
            "delta": each["delta"],
            "context": _circumstances(each["context"]) or _("none"),
            "left_out": _left_out(each["context"]),
        }
        for name, each in run.summary.get("outcomes", {}).items()
    ]


def outcome_columns() -> list[ExportColumn]:
    return [
        ExportColumn("outcome", _("Outcome")),
        ExportColumn("way", _("Made from")),
        ExportColumn("years", _("Years")),
        ExportColumn("schools", _("Schools"), "integer"),
        ExportColumn("pupils", _("Pupils in the newest year"), "integer"),
        ExportColumn("pupil_sd", _("Spread among pupils, points"), "number"),
        ExportColumn("delta", _("Markedly better means, pupil SD"), "number"),
        ExportColumn("context", _("Circumstances taken into account")),
        ExportColumn("left_out", _("Circumstances left out, and why")),
    ]


def outcomes_table(run: Run) -> Table:
    keys = ("outcome", "way", "years", "schools", "pupils")
    rows: list[list[Cell]] = [
        [
            *[row[key] for key in keys],
            number(row["pupil_sd"], words.digits_for(row["pupil_sd"])),
            number(row["delta"], 2),
        ]
        for row in outcome_rows(run)
    ]
    labels = [column.label for column in outcome_columns()[:7]]
    return Table(
        _("Outcomes"),
        [Column(label, numeric=place > 2) for place, label in enumerate(labels)],
        rows,
        exports=export_links("insight:outcomes_export", run.uuid),
        empty=_("No outcome could be analysed."),
    )


def circumstances(run: Run) -> list[tuple[str, str, str]]:
    """Outcome, what was taken into account and how, what was not and why."""
    return [(row["outcome"], row["context"], row["left_out"]) for row in outcome_rows(run)]


def _circumstances(context: dict[str, Any]) -> str:
    ways = {"logarithm": _("in logarithms"), "kinds": _("kinds")}
    parts = []
    for name in context.get("columns", []):
        way = ways.get(context.get("how", {}).get(name, ""))
        parts.append(f"{_plain(name)} ({way})" if way else _plain(name))
    return ", ".join(parts)


def _left_out(context: dict[str, Any]) -> str:
    return "; ".join(f"{_plain(name)}: {why}" for name, why in context.get("left_out", {}).items())


def _plain(name: str) -> str:
    return name.removeprefix("context:")


def source_rows(run: Run) -> list[Row]:
    kinds = {"school_results": _("results by school"), "pupil_results": _("results by pupil")}
    rows = []
    for each in run.sources:
        imported = parse_datetime(each["imported"])
        rows.append(
            {
                "file": each["file"],
                "kind": kinds.get(each["kind"], each["kind"]),
                "imported": formats.date_format(imported, "DATETIME_FORMAT") if imported else "",
                "sha256": each["sha256"],
            }
        )
    return rows


def source_columns() -> list[ExportColumn]:
    return [
        ExportColumn("file", _("File")),
        ExportColumn("kind", _("Holds")),
        ExportColumn("imported", _("Imported")),
        ExportColumn("sha256", _("SHA-256")),
    ]


def sources_table(run: Run) -> Table:
    rows: list[list[Cell]] = [list(row.values()) for row in source_rows(run)]
    return Table(
        _("Source files"),
        [Column(column.label) for column in source_columns()],
        rows,
        exports=export_links("insight:sources_export", run.uuid),
        empty=_("No source file is on record."),
    )


def facts(run: Run) -> list[tuple[str, Cell]]:
    """What identifies the run."""
    coverage, seconds = run.summary.get("coverage", {}), run.summary.get("seconds", {})
    return [
        (_("Made"), made(run)),
        (_("Published"), published(run) or _("not published")),
        (_("Schools with figures"), coverage.get("schools")),
        (_("Pupils in the newest year"), coverage.get("pupils")),
        (_("Years"), words.years_phrase(tuple(coverage.get("years", ())))),
        (_("Method"), f"{run.method} ({_('version')} {run.method_version})"),
        (_("Seed"), str(run.seed)),
        (_("Input hash (SHA-256)"), run.input_hash),
        (_("Seconds of work"), number(sum(seconds.values()), 0) if seconds else None),
        (_("Run"), str(run.uuid)),
    ]


def command(run: Run) -> str:
    return f"brightspots analyse --run {run.uuid} --verify"


def method_words(run: Run) -> list[str]:
    """How the figures were made, a paragraph each."""
    ways = {each["way"] for each in run.summary.get("outcomes", {}).values()}
    paragraphs = [
        _(
            "For every school we ask what is to be expected of a school in its circumstances, and "
            "how far its pupils are above or below that. The circumstances are the ones listed "
            "below; the school is not responsible for them."
        )
    ]
    if "school" in ways:
        paragraphs.append(
            _(
                "Where only schools' own figures are published, the mean of each school is taken "
                "with the number of its candidates and their spread: the fewer the pupils, the "
                "less a figure can say, and the more it is drawn towards what is expected."
            )
        )
    if "pupil" in ways:
        paragraphs.append(
            _(
                "Where there are pupils' results, the pupils of all years are analysed together, "
                "and compared with pupils like them. What a school adds year after year is told "
                "apart from what only one year showed. Every year has its own average, so that an "
                "examination that was harder than another does no school harm."
            )
        )
    paragraphs.append(
        _(
            "Every figure comes with an interval that holds the truth in 95 of 100 cases, as far "
            "as the model is right. A school is called worth a visit, or a bright-spot candidate "
            "when three years or more speak for it, only while the share of such calls that "
            "would be chance stays under one in five, or one in ten."
        )
    )
    return paragraphs


def limitations() -> list[str]:
    return [
        _(
            "A figure shows that a school does better or worse than expected, not why. It is a "
            "reason to go and look, never a verdict."
        ),
        _(
            "Circumstances that nobody recorded are not taken into account. A school whose "
            "circumstances are not known is compared by those that are."
        ),
        _("One year of results cannot show what lasts; nothing is called a bright spot from it."),
        _("Intervals take the estimated differences between schools as known."),
        _("Schools under no flag are not 'not good': there is not enough evidence to say more."),
    ]


def published(run: Run) -> str:
    return formats.date_format(run.published_at, "DATETIME_FORMAT") if run.published_at else ""


def made(run: Run) -> str:
    moment = run.finished_at or run.published_at
    return formats.date_format(moment, "DATETIME_FORMAT") if moment else ""
