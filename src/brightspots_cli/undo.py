"""`brightspots undo`: an import taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from brightspots.core.errors import InputError
from brightspots_cli import platform
from brightspots_cli.import_ import run_job


def command(
    batch: Annotated[int, typer.Argument(help="Number of the import.")],
    home: Annotated[Path | None, typer.Option(help="Folder of the installation.")] = None,
) -> None:
    """Undo an import: everything is again as it was before it."""
    platform.start(home)
    from django.core.exceptions import ValidationError

    from brightspots_web.directory.actions import command_line_operator
    from brightspots_web.imports import actions, queries

    found = queries.batch(batch)
    if found is None:
        raise InputError(f"There is no import {batch}.")
    try:
        job = actions.undo(found, by=command_line_operator())
    except ValidationError as error:
        raise InputError(" ".join(error.messages)) from error
    run_job(job)
    Console().print(f"Import {batch} is undone: everything is as it was before it.")
