"""`brightspots forget-second-factor`: for somebody whose authenticator is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from brightspots.core.errors import InputError
from brightspots_cli import platform


def command(
    email: Annotated[str, typer.Argument(help="Email address the person signs in with.")],
    home: Annotated[Path | None, typer.Option(help="Folder of the installation.")] = None,
) -> None:
    """Remove a person's second factor and recovery codes.

    For somebody who has lost both. Make sure that it is the person who asks. At the next sign-in
    they set up another; the removal stands in the audit trail.
    """
    platform.start(home)
    from brightspots_web.directory import actions, queries

    person = queries.person_with(email)
    if person is None:
        raise InputError(f"nobody is registered as {email}.", mend="Check the spelling.")
    if not actions.forget_second_factor(person, by=actions.command_line_operator()):
        raise InputError(f"{email} has no second factor.")
    print(f"Removed. {person} sets up a new second factor at the next sign-in.")
