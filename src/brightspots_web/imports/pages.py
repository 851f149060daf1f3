"""What the pages of an import show: tables, figures and facts made of batches and problems."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.imports.forms import READING
from brightspots_web.imports.models import Batch
from brightspots_web.shared.components import Cell, Column, KeyFigure, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links

SHOWN = 200
"""Problems on the page; all of them are in the download."""

EXPORTED = 1_000_000
"""Rows of a worksheet, about."""


def batch_columns() -> list[ExportColumn]:
    return [
        ExportColumn("number", _("Number"), "integer"),
        ExportColumn("file_name", _("File")),
        ExportColumn("kind", _("Holds")),
        ExportColumn("status", _("State")),
        ExportColumn("mapping", _("Mapping")),
        ExportColumn("new", _("New"), "integer"),
        ExportColumn("changed", _("Changed"), "integer"),
        ExportColumn("same", _("Same"), "integer"),
        ExportColumn("refused", _("Refused"), "integer"),
        ExportColumn("left_out", _("Refused rows left out"), "integer"),
        ExportColumn("sha256", "SHA-256"),
        ExportColumn("created_by", _("Uploaded by")),
        ExportColumn("created_at", _("Uploaded on")),
        ExportColumn("confirmed_by", _("Imported by")),
        ExportColumn("confirmed_at", _("Imported on")),
        ExportColumn("undone_by", _("Undone by")),
        ExportColumn("undone_at", _("Undone on")),
    ]


def problem_columns() -> list[ExportColumn]:
    return [
        ExportColumn("severity", _("Refused or noted")),
        ExportColumn("row", _("Row"), "integer"),
        ExportColumn("column", _("Column")),
        ExportColumn("value", _("Value")),
        ExportColumn("problem", _("What is wrong")),
        ExportColumn("mend", _("What to do")),
        ExportColumn("also_row", _("See also row"), "integer"),
    ]


def when(moment: Any) -> str:
    local = timezone.localtime(moment)
    return str(formats.date_format(local, "SHORT_DATETIME_FORMAT"))


def batches_table(batches: Iterable[Batch]) -> Table:
    labels = (_("File"), _("Holds"), _("State"), _("New"), _("Changed"), _("Uploaded"))
    numbers = {_("New"), _("Changed")}
    return Table(
        _("Imports, newest first"),
        [Column(label, numeric=label in numbers) for label in labels],
        [_batch_cells(batch) for batch in batches],
        exports=export_links("imports:batches_export"),
        empty=_("Nothing has been imported yet. Begin with the list of schools."),
    )


def _batch_cells(batch: Batch) -> list[Cell]:
    return [
        Link(batch.file_name, reverse("imports:batch", args=[batch.pk])),
        str(batch.get_kind_display()),
        str(_("at work") if batch.busy else batch.get_status_display()),
        batch.counts.get("new", "–"),
        batch.counts.get("changed", "–"),
        when(batch.created_at),
    ]


def batch_row(batch: Batch) -> dict[str, Any]:
    named = ("file_name", "sha256", "left_out", "created_by", "confirmed_by", "undone_by")
    moments = ("created_at", "confirmed_at", "undone_at")
    return {
        "number": batch.pk,
        "kind": batch.get_kind_display(),
        "status": batch.get_status_display(),
        "mapping": batch.mapping_name,
        **{name: batch.counts.get(name) for name in ("new", "changed", "same", "refused")},
        **{name: getattr(batch, name) for name in named},
        **{
            name: moment.isoformat(timespec="seconds")
            for name in moments
            if (moment := getattr(batch, name))
        },
    }


def facts(batch: Batch) -> list[tuple[str, Cell]]:
    found: list[tuple[str, Cell]] = [
        (_("Holds"), str(batch.get_kind_display())),
        (_("Uploaded"), f"{when(batch.created_at)}, {batch.created_by}"),
        (_("File"), f"{batch.file_name}, {_size(batch.size)}"),
        ("SHA-256", batch.sha256),
    ]
    if batch.mapping_name:
        found.append((_("Mapping"), batch.mapping_name))
    if batch.confirmed_at:
        found.append((_("Imported"), f"{when(batch.confirmed_at)}, {batch.confirmed_by}"))
    if batch.left_out:
        found.append((_("Refused rows left out"), batch.left_out))
    if batch.undone_at:
        found.append((_("Undone"), f"{when(batch.undone_at)}, {batch.undone_by}"))
    return found


def _size(size: int) -> str:
    if size < 10**6:
        return f"{max(size / 1000, 0.1):.1f} kB"
    return f"{size / 10**6:.1f} MB"


def figures(batch: Batch) -> list[KeyFigure]:
    """What the dry run found, as numbers side by side."""
    counts = batch.counts
    why = _("Each is explained below.") if counts.get("refused") else ""
    named = [
        ("new", _("New"), ""),
        ("changed", _("Changed"), ""),
        ("same", _("Same as now"), ""),
        ("refused", _("Refused rows"), why),
        ("skipped", _("Rows left out"), ""),
    ]
    return [
        KeyFigure(label, formats.number_format(counts[key], force_grouping=True), sentence=sentence)
        for key, label, sentence in named
        if key in {"new", "changed", "same", "refused"} or counts.get(key)
    ]


def summary(counted: Sequence[Mapping[str, Any]]) -> Table | None:
    """Problems of one kind counted together."""
    if len(counted) < 2:
        return None
    return Table(
        _("How often"),
        [
            Column(_("What is wrong")),
            Column(_("Column")),
            Column(_("Rows"), numeric=True),
            Column(_("What becomes of it")),
        ],
        [
            [each["problem"], each["column"] or "–", int(each["count"]), _becomes(each["severity"])]
            for each in counted
        ],
    )


def _becomes(severity: str) -> str:
    return str(_("refused") if severity == "error" else _("noted"))


def problems_table(batch: Batch, problems: Sequence[Mapping[str, Any]]) -> Table | None:
    if not problems:
        return None
    caption = ngettext("The first %(n)d problem", "The first %(n)d problems", len(problems)) % {
        "n": len(problems)
    }
    if len(problems) < SHOWN:
        caption = _("Problems, row by row")
    labels = (_("Row"), _("Column"), _("Value"), _("What is wrong"), _("What to do"))
    return Table(
        caption,
        [Column(label, numeric=label == _("Row")) for label in labels],
        [_problem_cells(each) for each in problems],
        exports=export_links("imports:problems_export", batch.pk),
    )


def _problem_cells(problem: Mapping[str, Any]) -> list[Cell]:
    row = problem["row"]
    shown: Cell = str(row) if row is not None else _("all")
    text = problem["problem"]
    if problem["also_row"] is not None:
        text = _("%(problem)s See row %(row)d too.") % {"problem": text, "row": problem["also_row"]}
    refused = problem["severity"] == "error"
    text = _("Refused: %(problem)s") % {"problem": text} if refused else text
    return [shown, problem["column"] or "–", problem["value"] or "–", text, problem["mend"] or "–"]


def preview_table(batch: Batch, rows: Sequence[Sequence[str]]) -> Table:
    return Table(
        _("The first rows, as they stand in the file"),
        [Column(column) for column in batch.header["columns"][:12]],
        [[cell or "–" for cell in row[:12]] for row in rows],
        empty=_("There are no rows below the names of the columns."),
    )


def first_cells(batch: Batch, rows: Sequence[Sequence[str]]) -> dict[str, str]:
    """An example of each column: its first cell with something in it."""
    return {
        column: next((row[at] for row in rows if at < len(row) and row[at]), "")
        for at, column in enumerate(batch.header["columns"])
    }


def reading_options(batch: Batch) -> dict[str, Any]:
    return {name: batch.mapping[name] for name in READING if batch.mapping.get(name) is not None}


def reading_of(batch: Batch) -> dict[str, Any]:
    chosen = reading_options(batch)
    return {
        **chosen,
        "delimiter": "tab" if chosen.get("delimiter") == "\t" else chosen.get("delimiter", ""),
    }


def level_choices(levels: Mapping[int, Sequence[str]]) -> list[tuple[int, str]]:
    return [(level, ", ".join(names)) for level, names in levels.items()]
