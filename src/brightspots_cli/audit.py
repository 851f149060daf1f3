"""`brightspots audit`: does the chain of the audit trail hold, and what is its last hash."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from brightspots.core.errors import InputError
from brightspots_cli import platform

HELP = """Walk the chain of the audit trail, or print its last hash.

`brightspots audit head` prints how many entries there are and the hash of the last. Note it where
nobody who can write to the database can write: on paper, in a letter, at another authority.

`brightspots audit verify` walks every entry and says whether the chain holds, or where it is broken
first and how. With `--expect-hash` it also finds the entry whose hash was noted. Exit code 0 where
it holds, 1 where it does not, 2 where the noted hash is none.
"""


class What(StrEnum):
    """What is to be done."""

    VERIFY = "verify"
    HEAD = "head"


def command(
    what: Annotated[What, typer.Argument(help="verify: walk the chain. head: its last hash.")],
    expect_hash: Annotated[
        str, typer.Option(help="A hash noted earlier: the chain must still have it.")
    ] = "",
    home: Annotated[Path | None, typer.Option(help="Folder of the installation.")] = None,
) -> None:
    noted = expect_hash.strip().lower()
    if noted and not re.fullmatch(r"[0-9a-f]{64}", noted):
        raise InputError(
            "what was noted is no hash: one has 64 signs, each 0 to 9 or a to f",
            mend="Copy it as `brightspots audit head` printed it.",
        )
    platform.start(home)
    from brightspots_web.shared import audit

    found = audit.verify(noted) if what == What.VERIFY or noted else audit.head()
    typer.echo(f"Entries: {found.entries}")
    typer.echo(f"Last hash: {found.last_hash}")
    if found.holds:
        if what == What.VERIFY:
            typer.echo("Every link of the chain holds.")
        if noted:
            typer.echo("The hash that was noted is in it.")
        return
    typer.echo("The chain does not hold.")
    if found.broken is not None:
        # Number and time only: whoever runs this need not read who did what.
        typer.echo(f"First broken link: entry {found.broken.pk}, {found.broken.at.isoformat()}")
    typer.echo(found.problem)
    raise typer.Exit(1)


command.__doc__ = HELP
