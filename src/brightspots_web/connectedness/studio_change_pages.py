"""What a change to a proposal would do, shown before anybody decides."""

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.connectedness import studio_effects as effects
from brightspots_web.connectedness import studio_queries as queries
from brightspots_web.connectedness import studio_words
from brightspots_web.connectedness.models import Proposal
from brightspots_web.connectedness.pages import Row, kilometres
from brightspots_web.connectedness.studio_effects import Effect
from brightspots_web.directory.models import School
from brightspots_web.shared import charts
from brightspots_web.shared.components import Cell, Column, Table


def choices(found: Proposal, school: School, state: queries.State) -> list[tuple[str, str]]:
    """Where a school could go, nearest first: (value, words)."""
    at = state.of.get(school.pk)
    near = effects.nearest_partnerships(found, school, state)
    names = queries.schools_by_key(group.lead for group, _km in near)
    offered = [
        (
            group.label,
            _("led by {school}, {way}").format(school=names[group.lead].name, way=kilometres(km)),
        )
        for group, km in near
        if group.label != at
    ]
    if not at or len(state.groups[at].members) > 1:
        offered.append((effects.NEW, _("a new partnership that it leads")))
    if at:
        offered.append(("none", _("no partnership")))
    return offered


def target(value: str) -> str:
    """What the form's value stands for."""
    return effects.NOWHERE if value == "none" else value


def where_now(school: School, state: queries.State) -> str:
    """Where a school is in a proposal, as a sentence."""
    group = state.groups.get(state.of.get(school.pk, ""))
    if group is None:
        return _("It is in no partnership in this proposal.")
    if group.lead == school.pk:
        return _("It leads a partnership of {n} schools in this proposal.").format(
            n=len(group.members)
        )
    lead = queries.schools_by_key([group.lead])[group.lead]
    return _("In this proposal it is in the partnership led by {school}.").format(school=lead.name)


def effect(found: Proposal, done: Effect, school: School) -> Row:
    """Ways, sizes, cost before and after, and what is broken."""
    return {
        "effect": done,
        "effect_table": _sizes(done, school),
        "cost_table": cost_table(found.objective, done.objective),
        "warnings": done.warnings,
        "better": _better(found, done),
        "unserved": bool(done.out),
    }


def _sizes(done: Effect, school: School) -> Table:
    keys = {group.lead for group in (*done.before, *done.after)} | {school.pk}
    names = {pk: each.name for pk, each in queries.schools_by_key(keys).items()}
    after = {group.label: group for group in done.after}
    before = {group.label: group for group in done.before}
    rows: list[list[Cell]] = [
        [
            _("Way of {school} to its leader").format(school=school.name),
            _way(done.was.get(school.pk), school.pk in done.was),
            _way(done.distances.get(school.pk), school.pk in done.distances),
        ]
    ]
    for label in [*before, *(label for label in after if label not in before)]:
        old, new = before.get(label), after.get(label)
        lead = names[(old or after[label]).lead]
        rows.append(
            [
                _("Schools in the partnership led by {school}").format(school=lead),
                len(old.members) if old else None,
                len(new.members) if new else 0,
            ]
        )
        if old and new and old.lead != new.lead:
            rows.append([_("Leader's school"), names[old.lead], names[new.lead]])
            rows.append(
                [
                    _("All ways to the leader added up"),
                    kilometres(_sum(done.was, old.members)),
                    kilometres(_sum(done.distances, new.members)),
                ]
            )
    return Table(
        _("What changes"),
        [Column(_("What")), Column(_("Now"), numeric=True), Column(_("Then"), numeric=True)],
        rows,
    )


def _sum(ways: Any, members: Sequence[int]) -> float:
    return sum(ways.get(pk) or 0.0 for pk in members)


def _way(km: float | None, placed: bool) -> str:
    return kilometres(km) if placed else _("in no partnership")


def cost_table(before: Any, after: Any) -> Table:
    """Each part of the cost now and then."""
    names = [name for name in (*before, *(each for each in after if each not in before))
             if name not in {"moved", "total"}] + ["total"]  # fmt: skip
    rows: list[list[Cell]] = []
    for name in names:
        old, new = float(before.get(name, 0.0)), float(after.get(name, 0.0))
        if name != "total" and abs(old - new) < 5e-3:
            continue
        rows.append(
            [
                studio_words.part(name)[0],
                charts.number(old, 1),
                charts.number(new, 1),
                charts.number(new - old, 1, signed=True),
            ]
        )
    return Table(
        _("What the proposal costs, in kilometres of travel"),
        [
            Column(_("Part")),
            Column(_("Now"), numeric=True),
            Column(_("Then"), numeric=True),
            Column(_("Difference"), numeric=True),
        ],
        rows,
    )


def _better(found: Proposal, done: Effect) -> str:
    change = float(done.objective.get("total", 0.0)) - float(found.objective.get("total", 0.0))
    if done.out:
        return _(
            "A school in no partnership costs nothing in this sum, so the total falls. That is no "
            "gain: partnerships are there so that no school is left alone."
        )
    if abs(change) < 0.05:
        return _("By the weights of this proposal it makes no difference.")
    if change < 0:
        return _("By the weights of this proposal this is better by {km}.").format(
            km=kilometres(-change)
        )
    return _(
        "By the weights of this proposal this costs {km} more. You may know what the numbers "
        "do not."
    ).format(km=kilometres(change))


def leader_url(found: Proposal, school: School) -> str:
    return f"{reverse('connectedness:leader', args=[found.pk])}?school={school.code}"
