"""`brightspots digest`: send people what they have not seen."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from brightspots.core.errors import InputError
from brightspots_cli import platform


def command(
    home: Annotated[Path | None, typer.Option(help="Folder of the installation.")] = None,
    address: Annotated[
        str, typer.Option(help="Where people reach the installation: https://schools.example.")
    ] = "",
) -> None:
    """Send everybody whose time it is one message with the notices they have not seen.

    The worker does this every hour by itself. Who wants it daily, weekly or never is each
    person's own choice, on the page "Notices".
    """
    platform.start(home)
    from django.conf import settings

    from brightspots_web.notices import actions, queries

    if not settings.EMAIL_HOST:
        raise InputError("this installation has no mail server.", mend="Set BRIGHTSPOTS_MAIL_HOST.")
    waiting = len(queries.due())
    try:
        sent = actions.send_digests(address=address)
    except OSError as error:
        raise InputError(
            f"the mail server {settings.EMAIL_HOST} does not answer ({error}).",
            mend="Nothing is lost: what was not sent goes with the next message.",
        ) from error
    typer.echo(f"{sent} messages sent; something was waiting for {waiting} people.")
