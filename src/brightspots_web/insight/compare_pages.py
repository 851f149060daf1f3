"""The page that holds two analyses against each other."""

import json
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.insight import run_pages
from brightspots_web.insight.compare_queries import Moved, Outcome
from brightspots_web.insight.models import Estimate, Run
from brightspots_web.shared.charts import Chart, Pair, number, scatter
from brightspots_web.shared.components import Cell, Column, Table

NEARLY_ALL = 0.99


@dataclass(frozen=True)
class Part:
    """One outcome on the page."""

    subject: str
    sentences: tuple[str, ...]
    chart: Chart
    largest: Table
    labels: Table


def what_differs(before: Run, after: Run) -> Table:
    """Settings, versions and inputs that are not the same."""
    rows: list[list[Cell]] = []
    asked_before, asked_after = (dict(run_pages.asked(run)) for run in (before, after))
    for name in dict.fromkeys([*asked_before, *asked_after]):
        a, b = asked_before.get(name), asked_after.get(name)
        if a != b and name != _("Asked for by"):
            rows.append([name, a or _("nothing"), b or _("nothing")])
    for name, a, b in (
        (_("Version of the method"), before.method_version, after.method_version),
        (_("Seed"), str(before.seed), str(after.seed)),
        (
            _("Files, register and partnerships (SHA-256)"),
            before.input_hash[:12],
            after.input_hash[:12],
        ),
        (_("Source files"), _files(before, after), _files(after, before)),
    ):
        if a != b:
            rows.append([name, a or _("none besides"), b or _("none besides")])
    for subject, about in after.summary.get("outcomes", {}).items():
        other = before.summary.get("outcomes", {}).get(subject)
        if other:
            rows += _circumstances(subject, other, about)
    return Table(
        _("What differs"),
        [Column(_("What")), Column(_("Before")), Column(_("After"))],
        rows,
        empty=_("Nothing: both were asked for the same, of the same inputs."),
    )


def _circumstances(subject: str, before: dict[str, Any], after: dict[str, Any]) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    a, b = (_words(each["context"].get("columns", [])) for each in (before, after))
    if a != b:
        rows.append([_("Taken into account: {outcome}").format(outcome=subject), a, b])
    if before["years"] != after["years"]:
        spans = (", ".join(map(str, each["years"])) for each in (before, after))
        rows.append([_("Years: {outcome}").format(outcome=subject), *spans])
    return rows


def _words(columns: list[str]) -> str:
    return ", ".join(name.removeprefix("context:") for name in columns) or _("nothing")


def _files(run: Run, other: Run) -> str:
    """Files that only this run was made from."""
    known = {json.dumps([each["file"], each["sha256"]]) for each in other.sources}
    mine = [e["file"] for e in run.sources if json.dumps([e["file"], e["sha256"]]) not in known]
    return ", ".join(mine)


def part(outcome: Outcome, place: int) -> Part:
    changed = {m.code for m in [*outcome.gained, *outcome.lost]}
    pairs = [
        Pair(f"{m.name} ({m.code})", m.before, m.after, marked=m.code in changed)
        for m in outcome.moved
    ]
    sentences = tuple(_sentences(outcome))
    return Part(
        outcome.subject,
        sentences,
        scatter(
            key=f"moved-{place}",
            title=_("{outcome}: before and after").format(outcome=outcome.subject),
            pairs=pairs,
            x_label=_("Before, pupil SD"),
            y_label=_("After, pupil SD"),
            description=" ".join(sentences),
            marked_label=_("gained or lost its label"),
        ),
        _largest(outcome),
        _labels(outcome),
    )


def _sentences(outcome: Outcome) -> list[str]:
    found = [
        ngettext(
            "{n} school is in both analyses.", "{n} schools are in both analyses.", outcome.schools
        ).format(n=number(outcome.schools, 0))
    ]
    if outcome.only_before or outcome.only_after:
        found.append(
            _("{before} only in the one before, {after} only in the one after.").format(
                before=number(outcome.only_before, 0), after=number(outcome.only_after, 0)
            )
        )
    if not outcome.schools:
        return found
    if outcome.typical_shift < 1e-12:
        found.append(_("Their figures are the same."))
        return found
    found.append(
        _("A school's figure moved by {shift} pupil SD as a rule.").format(
            shift=number(outcome.typical_shift, 3)
        )
    )
    if outcome.correlation is not None:
        close = (
            _("they tell nearly the same")
            if outcome.correlation >= NEARLY_ALL
            else _("look at the schools below before you choose")
        )
        found.append(
            _("The two sets of figures go together at {r} of 1: {words}.").format(
                r=number(outcome.correlation, 3), words=close
            )
        )
    found.append(
        ngettext(
            "{n} school moved by more than its standard error.",
            "{n} schools moved by more than their standard error.",
            outcome.beyond,
        ).format(n=number(outcome.beyond, 0))
    )
    return found


def _largest(outcome: Outcome) -> Table:
    rows: list[list[Cell]] = [
        [
            f"{m.name} ({m.code})",
            m.n,
            number(m.before, 2, signed=True),
            number(m.after, 2, signed=True),
            number(m.shift, 2, signed=True),
            number(m.se, 2),
        ]
        for m in outcome.largest
        if abs(m.shift) > 1e-12
    ]
    return Table(
        _("Largest shifts, pupil SD"),
        [
            Column(_("School")),
            Column(_("Pupils"), numeric=True),
            Column(_("Before"), numeric=True),
            Column(_("After"), numeric=True),
            Column(_("Shift"), numeric=True),
            Column(_("Standard error"), numeric=True),
        ],
        rows,
        empty=_("No figure moved."),
    )


def _labels(outcome: Outcome) -> Table:
    changed = sorted([*outcome.gained, *outcome.lost], key=lambda m: (m.name, m.code))
    rows: list[list[Cell]] = [
        [f"{m.name} ({m.code})", _label(m, "before"), _label(m, "after")] for m in changed
    ]
    return Table(
        _("Labels gained and lost"),
        [Column(_("School")), Column(_("Before")), Column(_("After"))],
        rows,
        empty=_("No school gained or lost its label."),
    )


def _label(moved: Moved, when: str) -> str:
    given = moved.label_before if when == "before" else moved.label_after
    return str(Estimate.Label(given).label) if given else _("none")
