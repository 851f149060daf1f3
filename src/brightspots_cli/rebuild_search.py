"""`brightspots rebuild-search`: make the words by which practices and notes are found anew."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from brightspots_cli import platform


def command(
    home: Annotated[Path | None, typer.Option(help="Folder of the installation.")] = None,
) -> None:
    """Make the words by which practices and notes are found anew, from what was written.

    They are kept in step by themselves. This is for after a restored database or a change by hand;
    safe to run at any time, twice does no more than once.
    """
    platform.start(home)
    from brightspots_web.connectedness import practice_actions
    from brightspots_web.devolution import note_actions

    typer.echo(f"The words of {practice_actions.rebuild_words()} practices were made anew.")
    typer.echo(f"The words of {note_actions.rebuild_words()} notes were made anew.")
