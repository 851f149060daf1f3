"""`brightspots lottery`: draw a lottery again from its file, and hold both against each other."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from brightspots.core.errors import InputError

HELP = """Check a lottery from the file on its page: anyone may, on any machine.

FILE is the JSON file as it was downloaded. From it alone follows whether the list of schools and
the secret number are those whose hashes were published before the draw, and whether the same
schools have a place when it is drawn again. Exit code 0 where all holds, 1 where something does
not, 2 where the file cannot be read.

What the file cannot prove by itself: that the hashes stood on the page before the draw, and that
the later value was the last link of the audit trail. Hold the hashes against those you noted, or
against a file that was downloaded before; `brightspots audit verify --expect-hash VALUE` finds the
link on the server.
"""


class What(StrEnum):
    """What is to be done."""

    VERIFY = "verify"


def command(
    _what: Annotated[What, typer.Argument(metavar="WHAT", help="verify: draw it again.")],
    file: Annotated[Path, typer.Argument(help="The lottery's file, JSON.")],
) -> None:
    from brightspots_web.evidence import choice_file

    try:
        told = choice_file.read(file.read_text(encoding="utf-8"))
        found = choice_file.checks(told)
    except (OSError, UnicodeDecodeError, ValueError) as problem:
        raise InputError(
            f"this is no lottery that can be checked: {problem}",
            file=str(file),
            mend="Download it again from the lottery's page, and leave it as it is.",
        ) from problem
    print(f"{told.title}: {len(told.entries)} schools for {told.places} places.")
    print(f"List closed {told.opened_at}, to be drawn {told.draws_at}.\n")
    for each in found:
        print(f"{'holds' if each.holds else 'DOES NOT HOLD'}: {each.what}")
    print(f"\nHash of the list: {told.list_hash}\nHash of the seed: {told.seed_hash}")
    if not all(each.holds for each in found):
        print("\nThis lottery was not drawn as it says.")
        raise typer.Exit(1)
    if not told.seed:
        print("\nIt is not drawn yet. Keep this file, and check it again after the draw.")
        return
    print(f"Later value, noted in the audit trail {told.beacon_at}: {told.beacon}")
    print(f"\nEverything holds. {len(told.now)} schools have a place:")
    print("  " + "\n  ".join(sorted(told.codes.get(label, label) for label in told.now)))


command.__doc__ = HELP
