"""`brightspots import`: official files into the platform."""

from __future__ import annotations

import json
import sys
import time
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from brightspots.core.errors import InputError
from brightspots_cli import platform

if TYPE_CHECKING:
    from brightspots_web.directory.models import Appointment
    from brightspots_web.imports.models import Batch
    from brightspots_web.shared.models import Job

SHOWN = 20
"""Problems printed; the whole list is on the import's page."""


class FileKind(str, Enum):  # noqa: UP042 - typer reads the values of a plain str Enum
    """What a file can hold, in the command's words."""

    schools = "schools"
    results = "results"
    pupils = "pupils"
    boundaries = "boundaries"
    links = "links"


KINDS = {
    FileKind.schools: "schools",
    FileKind.results: "school_results",
    FileKind.pupils: "pupil_results",
    FileKind.boundaries: "boundaries",
    FileKind.links: "school_links",
}


def command(
    file: Annotated[Path, typer.Argument(help="CSV (also gzip), XLSX, Parquet or GeoJSON.")],
    kind: Annotated[FileKind, typer.Option(help="What the file holds.")],
    mapping: Annotated[
        str, typer.Option(help="Name of a saved mapping, or a JSON file with one.")
    ] = "",
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="FIELD=COLUMN; again for several columns of a field. "
            'Fields: code, name, area_path, latitude, "context:NAME", mean, "grade:A" ...',
        ),
    ] = None,
    constant: Annotated[
        list[str] | None, typer.Option(help="FIELD=VALUE for every row, such as year=2022.")
    ] = None,
    band: Annotated[
        list[str] | None, typer.Option(help="Scores of a grade, as A=241:300; again for each.")
    ] = None,
    match: Annotated[str, typer.Option(help='How schools are found: code, or "name and area".')] = (
        ""
    ),
    unmatched: Annotated[str, typer.Option(help="Rows of unknown schools: refuse or skip.")] = "",
    property_: Annotated[
        str, typer.Option("--property", help="Boundaries: the property with the area's name.")
    ] = "",
    level: Annotated[
        int, typer.Option(help="Boundaries: level of the areas; 1 is below the whole system.")
    ] = 1,
    save_mapping: Annotated[str, typer.Option(help="Keep the mapping under this name.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report only; change nothing.")] = (
        False
    ),
    leave_out_refused: Annotated[
        bool, typer.Option("--leave-out-refused", help="Import the rest without refused rows.")
    ] = False,
    home: Annotated[Path | None, typer.Option(help="Folder of the installation.")] = None,
    system_name: Annotated[
        str, typer.Option(help="What the school system is called, said once.")
    ] = "",
) -> None:
    """Import a file: check every row, report by row and column, then all or nothing.

    Without --mapping and --set the mapping is guessed from the names of the columns. Nothing is
    imported while a row is refused, unless --leave-out-refused. Importing the same file again
    changes nothing. Exit code 2 when the file or its rows are refused.
    """
    if not file.is_file():
        raise InputError("There is no such file.", file=str(file), mend="Check the path.")
    platform.start(home, system_name=system_name)
    from django.core.exceptions import ValidationError

    from brightspots_web.directory.actions import command_line_operator

    options = {"match": match, "unmatched": unmatched, "property": property_, "level": level}
    by = command_line_operator()
    try:
        batch = _upload(file, KINDS[kind], by)
        definition = _definition(batch, mapping, set_ or [], constant or [], band or [], options)
        if save_mapping:
            _save(batch, definition, save_mapping, by)
        _import(batch, definition, save_mapping, by, dry_run, leave_out_refused)
    except ValidationError as error:
        raise InputError(" ".join(error.messages), file=file.name) from error


def _upload(file: Path, kind: str, by: Appointment) -> Batch:
    from brightspots_web.imports import actions

    with file.open("rb") as source:
        batch = actions.upload(source, name=file.name, kind=kind, by=by)
    actions.find_columns(batch)
    if batch.refusal:
        _refuse(batch, by, batch.refusal)
    return batch


def _definition(
    batch: Batch,
    mapping: str,
    sets: list[str],
    constants: list[str],
    bands: list[str],
    options: dict[str, Any],
) -> dict[str, Any]:
    """Take a saved mapping, a file's, or a guess; then do what the options say."""
    definition = _start(batch, mapping, guess=not sets)
    if batch.kind == "boundaries":
        if options["property"] or "property" not in definition:
            definition |= {"property": options["property"] or "name", "level": options["level"]}
        return definition | ({"unmatched": options["unmatched"]} if options["unmatched"] else {})
    columns: dict[str, Any] = dict(definition.get("columns", {}))
    chosen: dict[str, list[str]] = {}
    for field, column in (_pair(each, "--set") for each in sets):
        chosen.setdefault(field, []).append(column)
    columns |= chosen
    columns |= {
        field: {"constant": value} for field, value in (_pair(c, "--constant") for c in constants)
    }
    definition["columns"] = columns
    if bands:
        definition["grade_bands"] = [_band(each) for each in bands]
    definition |= {key: options[key] for key in ("match", "unmatched") if options[key]}
    return definition


def _start(batch: Batch, mapping: str, *, guess: bool) -> dict[str, Any]:
    from brightspots_web.imports import analysis, queries

    if mapping:
        saved = queries.mapping(batch.kind, mapping)
        if saved is not None:
            return {**saved.definition, "name": saved.name}
        try:
            found = json.loads(Path(mapping).read_text())
        except (OSError, ValueError) as error:
            raise InputError(
                f'"{mapping}" is neither a saved mapping of this kind nor a JSON file.',
                mend="Check the name.",
            ) from error
        if not isinstance(found, dict):
            raise InputError("A mapping is a JSON object.", file=mapping)
        return found
    if guess and batch.kind != "boundaries":
        return analysis.suggest(batch.kind, batch.header["columns"], batch.file_name)
    return {"name": "", "kind": batch.kind}


def _pair(text: str, option: str) -> tuple[str, str]:
    field, equals, value = text.partition("=")
    if not (field.strip() and equals and value):
        raise InputError(f'{option} "{text}" cannot be read.', mend="Write FIELD=VALUE.")
    return field.strip(), value


def _band(text: str) -> list[Any]:
    label, scores = _pair(text, "--band")
    lower, _, upper = scores.partition(":")
    try:
        return [label, float(lower), float(upper)]
    except ValueError as error:
        raise InputError(f'--band "{text}" cannot be read.', mend="Write A=241:300.") from error


def _save(batch: Batch, definition: dict[str, Any], name: str, by: Appointment) -> None:
    from brightspots_web.imports import actions

    actions.save_mapping(definition, name=name, kind=batch.kind, by=by)


def _import(
    batch: Batch,
    definition: dict[str, Any],
    name: str,
    by: Appointment,
    dry_run: bool,
    leave_out: bool,
) -> None:
    from brightspots_web.imports import actions

    batch = actions.set_mapping(batch, definition, by=by, name=name or definition.get("name", ""))
    run_job(actions.check(batch, by=by))
    batch.refresh_from_db()
    # In a file or a pipe nobody can widen the window: lines stay whole.
    width = None if sys.stdout.isatty() else 240
    console = Console(soft_wrap=True, highlight=False, width=width)
    if batch.refusal:
        _refuse(batch, by, batch.refusal)
    _report(console, batch)
    refused = batch.counts["refused"]
    if dry_run:
        console.print("Dry run: nothing was changed.")
        actions.discard(batch, by=by)
    elif refused and not leave_out:
        _refuse(
            batch,
            by,
            f"{refused:,} rows are refused, so nothing was imported. "
            "Mend them, or say --leave-out-refused.",
        )
    elif not batch.changes:
        console.print("Nothing to import: all of it is there already.")
        actions.discard(batch, by=by)
    else:
        run_job(actions.confirm(batch, by=by, leave_out_refused=leave_out))
        left = f" {refused:,} refused rows were left out." if refused else ""
        console.print(
            f"Imported as batch {batch.pk}.{left} To take it back: brightspots undo {batch.pk}"
        )


def _refuse(batch: Batch, by: Appointment, why: str) -> None:
    from brightspots_web.imports import actions

    actions.discard(batch, by=by)
    raise InputError(why)


def _report(console: Console, batch: Batch) -> None:
    from brightspots_web.imports import queries

    counts = batch.counts
    console.print(
        f"{batch.file_name}: {counts['rows']:,} rows; {counts['new']:,} new, "
        f"{counts['changed']:,} changed, {counts['same']:,} the same, "
        f"{counts['refused']:,} refused, {counts['skipped']:,} left out, "
        f"{counts['repeated']:,} repeated."
    )
    problems = queries.problems(batch, SHOWN)
    if not problems:
        return
    table = Table("row", "column", "value", "problem", "how to mend it")
    for each in problems:
        cells = (each["row"], each["column"], each["value"], each["problem"], each["mend"])
        table.add_row(*("" if cell is None else str(cell) for cell in cells))
    console.print(table, markup=False)
    total = counts["warnings"] + counts["refused"]
    if total > SHOWN:
        console.print(f"The first {SHOWN} are shown.")


def run_job(job: Job) -> None:
    """Do a job here, with a progress bar; a failure is a refusal with its reason."""
    from brightspots_web.shared import jobs

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(job.title, total=1.0)

        def echo(fraction: float, stage: str) -> None:
            bar.update(task, completed=fraction, description=stage)

        done = jobs.run_here(job, echo)
        while not done.is_over:  # a worker of this installation was quicker
            time.sleep(0.5)
            done.refresh_from_db()
            echo(done.fraction, done.stage)
    if done.status != done.Status.DONE:
        raise InputError(done.problem or f"The job was {done.get_status_display()}.")
