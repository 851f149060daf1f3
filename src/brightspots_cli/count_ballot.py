"""`brightspots count-ballot`: count a ballot on the priorities again, from its file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from brightspots.core.errors import InputError

if TYPE_CHECKING:
    from fractions import Fraction

    from brightspots_web.alignment.ballot_count import Counted, Stage

HELP = """Count a ballot on the priorities again, from the file on the page of its result.

FILE is the JSON or the CSV file, as it was downloaded. It holds the rules and every paper without
a name. The count is shown round by round, in exact fractions, and held against what the file says
was chosen: exit code 0 where both agree, 1 where they do not, 2 where the file cannot be read.
"""


def command(
    file: Annotated[Path, typer.Argument(help="The ballot's file, JSON or CSV.")],
) -> None:
    from brightspots_web.alignment import ballot_count, ballot_file

    try:
        rules, papers, said = ballot_file.read(file.read_text(encoding="utf-8"))
        counted = ballot_count.count(rules, papers)
    except (OSError, UnicodeDecodeError, ValueError) as problem:
        raise InputError(
            f"this is no ballot that can be counted: {problem}",
            file=str(file),
            mend="Download it again from the page of the result, and leave it as it is.",
        ) from problem
    titles = {each.key: each.title for each in rules.choices}
    _show(counted, titles)
    if said is None:
        print("The file does not say what was chosen: there is nothing to hold this against.")
    elif list(counted.chosen) == said:
        print("The file says the same.")
    else:
        named = "; ".join(titles.get(key, f"{key}, which is no choice") for key in said)
        print("The file says otherwise: " + (named or "nothing"))
        raise typer.Exit(1)


command.__doc__ = HELP


def _show(counted: Counted, titles: dict[int, str]) -> None:
    cast, none = sum(counted.papers.values()), sum(counted.abstained.values())
    print(f"{cast} papers, {none} of them abstentions; {counted.votes} votes with their weights.")
    print(f"Needed to be chosen (the quota): {counted.quota}.\n")
    for number, stage in enumerate(counted.stages, start=1):
        print(f"Round {number}: {_what(stage, titles)}")
        for key, votes in sorted(stage.totals.items(), key=lambda each: (-each[1], each[0])):
            if votes or key in stage.chosen:
                mark = "  chosen" if key in stage.chosen else ""
                print(f"  {_number(votes):>14}  {titles[key]}{mark}")
        if stage.no_further:
            print(f"  {_number(stage.no_further):>14}  (name nobody further)")
        print()
    print("Chosen: " + ("; ".join(titles[key] for key in counted.chosen) or "nothing"))


def _what(stage: Stage, titles: dict[int, str]) -> str:
    if stage.who is None:
        return "first choices"
    level = {"earlier": " (level; an earlier round decided)", "lot": " (level; drawn by lot)"}
    words = "what it has beyond the quota is passed on" if stage.what == "surplus" else "is out"
    return f"{titles[stage.who]} {words}{level.get(stage.tie, '')}"


def _number(votes: Fraction) -> str:
    """Exactly where that is short, else to five places."""
    return str(votes) if votes.denominator == 1 else f"{float(votes):.5f}"
