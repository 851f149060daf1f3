"""What the page of a ballot shows once it is counted: each round in words, bars and numbers."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from brightspots_web.alignment import ballot_words as words
from brightspots_web.alignment.ballot_count import Counted
from brightspots_web.alignment.models import Ballot
from brightspots_web.shared.charts.bars import bar
from brightspots_web.shared.components import Cell, Column, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links

Row = dict[str, Any]
COMMAND = "brightspots count-ballot ballot.json"


def titles_of(ballot: Ballot) -> dict[int, str]:
    return {int(each["key"]): str(each["title"]) for each in ballot.choices}


def part(ballot: Ballot, counted: Counted) -> Row:
    titles = titles_of(ballot)
    return {
        "sentence": words.result(counted, titles),
        "chosen": [titles[key] for key in counted.chosen],
        "rounds": rounds(ballot, counted),
        "table": rounds_table(ballot, counted),
        "command": COMMAND,
        "downloads": [
            Link(fmt.upper(), reverse("alignment:ballot_papers", args=[ballot.pk, fmt]))
            for fmt in ("json", "csv")
        ],
    }


@dataclass(frozen=True)
class Bar:
    """Where one proposal stands at the end of a round."""

    title: str
    votes: str
    drawing: SafeString
    chosen: bool
    now: bool
    """Whether it was chosen in this very round."""


def rounds(ballot: Ballot, counted: Counted) -> list[Row]:
    """Each round as a sentence and bars, those that are out left out."""
    titles = titles_of(ballot)
    most = max(
        [float(votes) for stage in counted.stages for votes in stage.totals.values()]
        + [float(counted.quota)]
    )
    mark = counted.quota / most
    chosen: set[int] = set()
    out: set[int] = set()
    found = []
    for place, stage in enumerate(counted.stages, start=1):
        chosen |= set(stage.chosen)
        if stage.what == "excluded" and stage.who is not None:
            out.add(stage.who)
        shown = sorted(
            (key for key in stage.totals if key not in out), key=lambda key: -stage.totals[key]
        )
        found.append(
            {
                "heading": _("Round {n}").format(n=place),
                "sentence": words.what_happened(stage, titles),
                "bars": [
                    Bar(
                        titles[key],
                        words.counted(stage.totals[key]),
                        bar(float(stage.totals[key]) / most, mark=mark, strong=key in chosen),
                        key in chosen,
                        key in stage.chosen,
                    )
                    for key in shown
                ],
                "no_further": words.counted(stage.no_further) if stage.no_further else "",
            }
        )
    return found


def rounds_table(ballot: Ballot, counted: Counted) -> Table:
    """Votes of each proposal at the end of each round, and those that name nobody further."""
    titles = titles_of(ballot)
    rows: list[list[Cell]] = [
        [titles[key], *(words.votes(stage.totals[key]) for stage in counted.stages)]
        for key in counted.stages[0].totals
    ]
    rest = [words.votes(stage.no_further) for stage in counted.stages]
    return Table(
        _("Votes at the end of each round"),
        [
            Column(_("Proposal")),
            *(
                Column(_("Round {n}").format(n=place), numeric=True)
                for place in range(1, len(counted.stages) + 1)
            ),
        ],
        [*rows, [_("on papers that name nobody further"), *rest]],
        exports=export_links("alignment:ballot_rounds_export", ballot.pk),
    )


def rounds_columns(counted: Counted) -> list[ExportColumn]:
    return [
        ExportColumn("proposal", _("Proposal")),
        *(
            ExportColumn(f"round_{place}", _("Round {n}").format(n=place), "number")
            for place in range(1, len(counted.stages) + 1)
        ),
    ]


def rounds_rows(ballot: Ballot, counted: Counted) -> list[Row]:
    titles = titles_of(ballot)
    rows: list[Row] = []
    for key in counted.stages[0].totals:
        values = {f"round_{n}": float(s.totals[key]) for n, s in enumerate(counted.stages, 1)}
        rows.append({"proposal": titles[key], **values})
    rest = {f"round_{n}": float(s.no_further) for n, s in enumerate(counted.stages, 1)}
    return [*rows, {"proposal": _("on papers that name nobody further"), **rest}]
