"""The file of a ballot: rules, papers without a name, and the result, as JSON or CSV.

Written by the page of the result, read by `brightspots count-ballot`; needs no Django either.
Fractions are written as `7/2`.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from brightspots_web.alignment.ballot_count import (
    METHOD,
    VERSION,
    Choice,
    Counted,
    Papers,
    Rules,
    Stage,
)

FORMAT = "brightspots-ballot-1"
RECORD = ("record", "name", "value", "tier", "count")
"""Columns of the CSV before those of the places."""
MOST_CHOICES = 500
"""Far more than any paper has: a file with more is none of ours."""


class NotABallotError(ValueError):
    """The file cannot be read as a ballot; the message says why."""


def as_data(counted: Counted) -> dict[str, Any]:
    """A count in JSON types, to keep and to compare."""
    return {
        "method": METHOD,
        "version": VERSION,
        "chosen": list(counted.chosen),
        "quota": counted.quota,
        "votes": str(counted.votes),
        "stages": [_stage(each) for each in counted.stages],
        "papers": dict(counted.papers),
        "abstained": dict(counted.abstained),
        "nothing_left": dict(counted.nothing_left),
    }


def _stage(stage: Stage) -> dict[str, Any]:
    return {
        "what": stage.what,
        "who": stage.who,
        "moved": {str(key): str(value) for key, value in stage.moved.items()},
        "totals": {str(key): str(value) for key, value in stage.totals.items()},
        "no_further": str(stage.no_further),
        "chosen": list(stage.chosen),
        "tie": stage.tie,
        "last": stage.last,
    }


def counted_of(data: Mapping[str, Any]) -> Counted:
    """A count as it was kept."""
    return Counted(
        chosen=tuple(data["chosen"]),
        quota=int(data["quota"]),
        votes=Fraction(data["votes"]),
        stages=tuple(
            Stage(
                what=each["what"],
                who=each["who"],
                moved={int(key): Fraction(value) for key, value in each["moved"].items()},
                totals={int(key): Fraction(value) for key, value in each["totals"].items()},
                no_further=Fraction(each["no_further"]),
                chosen=tuple(each["chosen"]),
                tie=each["tie"],
                last=each["last"],
            )
            for each in data["stages"]
        ),
        papers=dict(data["papers"]),
        abstained=dict(data["abstained"]),
        nothing_left=dict(data["nothing_left"]),
    )


def rules_of(
    seats: int, choices: Sequence[Mapping[str, Any]], weights: Mapping[str, int], seed: int
) -> Rules:
    """The rules from the JSON types in which a ballot keeps them."""
    return Rules(
        seats=_whole(seats),
        choices=tuple(
            Choice(_whole(each["key"]), str(each["title"]), bool(each.get("withdrawn")))
            for each in choices
        ),
        weights={
            str(tier): _whole(weight) for tier, weight in weights.items() if _whole(weight) > 0
        },
        seed=_whole(seed),
    )


def _whole(value: Any) -> int:
    """A whole number that is written as one: 2.7 papers are not taken for two."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise NotABallotError(f"{value} is no whole number")
    return int(value)


# JSON


def to_json(name: str, rules: Rules, papers: Iterable[Papers], result: Mapping[str, Any]) -> str:
    """The whole ballot in one file."""
    data = {
        "format": FORMAT,
        "ballot": name,
        "rules": {
            "method": METHOD,
            "version": VERSION,
            "seats": rules.seats,
            "seed": rules.seed,
            "weights": dict(rules.weights),
            "choices": [
                {"key": each.key, "title": each.title, "withdrawn": each.withdrawn}
                for each in rules.choices
            ],
        },
        "papers": [
            {"tier": each.tier, "ranking": list(each.ranking), "count": each.count}
            for each in papers
        ],
        "result": dict(result),
    }
    return json.dumps(data, ensure_ascii=False, indent=1)


# CSV: one table of rules, choices and papers, so that a spreadsheet opens it


def csv_rows(
    name: str, rules: Rules, papers: Iterable[Papers], result: Mapping[str, Any]
) -> Iterator[list[str]]:
    """The rows of the file: what is known of the ballot, its choices, then its papers."""
    places = len(rules.choices)
    blank = [""] * places
    yield [*RECORD, *(f"choice_{number}" for number in range(1, places + 1))]
    facts = {"format": FORMAT, "ballot": name, "method": METHOD, "version": VERSION,
             "seats": rules.seats, "seed": rules.seed}  # fmt: skip
    for key, value in facts.items():
        yield ["rule", key, str(value), "", "", *blank]
    for tier, weight in rules.weights.items():
        yield ["weight", "", str(weight), tier, "", *blank]
    for each in rules.choices:
        kind = "withdrawn" if each.withdrawn else "choice"
        yield [kind, str(each.key), each.title, "", "", *blank]
    for key in result.get("chosen", []):
        yield ["chosen", str(key), "", "", "", *blank]
    for paper in papers:
        ranking = [str(key) for key in paper.ranking]
        rest = [""] * (places - len(ranking))
        yield ["paper", "", "", paper.tier, str(paper.count), *ranking, *rest]


# Reading both


def read(text: str) -> tuple[Rules, list[Papers], list[int] | None]:
    """The rules and papers of a file, and whom it says was chosen (None where it does not).

    Raises
    ------
    NotABallotError
        It is neither of the two formats, or something in it is missing or wrong.
    """
    text = text.lstrip("\ufeff")
    try:
        if text.lstrip().startswith("{"):
            return _from_json(json.loads(text))
        return _from_csv(csv.DictReader(io.StringIO(text)))
    except NotABallotError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, csv.Error) as problem:
        raise NotABallotError(f"something in it is missing or wrong ({problem})") from problem


def _from_json(data: Mapping[str, Any]) -> tuple[Rules, list[Papers], list[int] | None]:
    if data.get("format") != FORMAT:
        raise NotABallotError("it does not say that it is a ballot of Brightspots")
    given = data["rules"]
    _same_version(str(given["version"]))
    rules = rules_of(given["seats"], given["choices"], given["weights"], given["seed"])
    papers = [
        Papers(str(each["tier"]), tuple(map(_whole, each["ranking"])), _whole(each["count"]))
        for each in data["papers"]
    ]
    said = data.get("result", {}).get("chosen")
    return rules, papers, None if said is None else [_whole(key) for key in said]


def _from_csv(
    rows: Iterable[dict[str | Any, str | Any]],
) -> tuple[Rules, list[Papers], list[int] | None]:
    facts: dict[str, str] = {}
    weights: dict[str, int] = {}
    choices: list[dict[str, Any]] = []
    papers: list[Papers] = []
    said: list[int] | None = None
    for row in rows:
        kind = row.get("record")
        if kind == "rule":
            facts[row["name"]] = row["value"]
        elif kind == "weight":
            weights[row["tier"]] = int(row["value"])
        elif kind in {"choice", "withdrawn"}:
            choices.append(
                {"key": row["name"], "title": row["value"], "withdrawn": kind == "withdrawn"}
            )
        elif kind == "chosen":
            said = [*(said or []), int(row["name"])]
        elif kind == "paper":
            papers.append(Papers(row["tier"], _places(row, len(choices)), int(row["count"])))
    if facts.get("format") != FORMAT:
        raise NotABallotError("it does not say that it is a ballot of Brightspots")
    _same_version(facts["version"])
    return rules_of(int(facts["seats"]), choices, weights, int(facts["seed"])), papers, said


def _places(row: Mapping[str, str], most: int) -> tuple[int, ...]:
    if most > MOST_CHOICES:
        raise NotABallotError(f"it has {most} choices")
    given = [row.get(f"choice_{number}") or "" for number in range(1, most + 1)]
    return tuple(int(key) for key in given if key)


def _same_version(version: str) -> None:
    if version != VERSION:
        raise NotABallotError(
            f"it was counted by version {version} of the method; this is version {VERSION}"
        )
