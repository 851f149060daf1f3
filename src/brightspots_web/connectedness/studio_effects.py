"""What a change to a proposal would do, before anybody decides on it. Nothing is written here.

Whatever breaks a rule is said and allowed to people; refused is only what makes no sense.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from brightspots_web.connectedness import studio_queries as queries
from brightspots_web.connectedness.models import Pin, Proposal
from brightspots_web.connectedness.studio_queries import Group, State
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import School

NOWHERE = ""
"""Moving a school there takes it out of every partnership."""
NEW = "new"
"""Moving a school there starts a partnership that it leads."""


@dataclass(frozen=True)
class Effect:
    """What a change does: the partnerships it touches before and after, cost, rules broken."""

    state: State
    """Of the whole proposal, after the change."""
    before: Sequence[Group]
    after: Sequence[Group]
    out: Sequence[int] = ()
    """Schools that would be in no partnership."""
    distances: Mapping[int, float | None] = field(default_factory=dict)
    was: Mapping[int, float | None] = field(default_factory=dict)
    """Ways to the leader before, by school."""
    exceptions: Mapping[int, str] = field(default_factory=dict)
    objective: Mapping[str, float] = field(default_factory=dict)
    """Each part of the whole proposal's cost, after."""
    warnings: Sequence[str] = ()
    """Rules and pins that are broken by it and were not before."""
    served_changes: bool = False
    """Whether other schools than before are in a partnership: the bound no longer holds."""

    @property
    def schools(self) -> set[int]:
        """All schools whose partnership is touched."""
        touched = {pk for group in (*self.before, *self.after) for pk in group.members}
        return touched | set(self.out)


def of_move(proposal: Proposal, school: School, to: str) -> Effect:
    """What moving a school to another partnership (or out, or to a new one) does.

    Raises
    ------
    ValidationError
        When it makes no sense: it is there already, it leads the one it would leave, it is closed,
        or there is no such partnership.
    """
    found = queries.state(proposal)
    at = found.of.get(school.pk, NOWHERE)
    if to not in {NOWHERE, NEW} and to not in found.groups:
        raise ValidationError(_("There is no such partnership in this proposal any more."))
    if at == to:
        where = _("{school} is in no partnership already.") if not to else _(
            "{school} is in this partnership already.")  # fmt: skip
        raise ValidationError(where.format(school=school.name))
    if to and _is_closed(school):
        words = _("{school} is closed; it can only be taken out.")
        raise ValidationError(words.format(school=school.name))
    before, after = [], []
    groups = dict(found.groups)
    if at:
        old = groups.pop(at)
        before.append(old)
        rest = tuple(pk for pk in old.members if pk != school.pk)
        if old.lead == school.pk and rest:
            words = _("{school} leads this partnership. Choose another leader first, then move it.")
            raise ValidationError(words.format(school=school.name))
        if old.lead == school.pk and to == NEW:
            words = _("{school} is alone in its partnership already.")
            raise ValidationError(words.format(school=school.name))
        if rest:
            groups[at] = replace(old, members=rest)
            after.append(groups[at])
    if to == NEW:
        label = f"N{proposal.version + 1}"
        groups[label] = Group(label, school.pk, (school.pk,))
        after.append(groups[label])
    elif to:
        before.append(groups[to])
        groups[to] = replace(groups[to], members=(*groups[to].members, school.pk))
        after.append(groups[to])
    out = [school.pk] if not to else []
    return _measured(proposal, found, groups, before, after, out, served=not at or not to)


def of_leader(proposal: Proposal, label: str, school: School) -> Effect:
    """What giving a partnership another leader does.

    Raises
    ------
    ValidationError
        When the school leads it already, is not in it, or is closed.
    """
    found = queries.state(proposal)
    old = found.groups.get(label)
    if old is None:
        raise ValidationError(_("There is no such partnership in this proposal any more."))
    if school.pk not in old.members:
        words = _("{school} is not in this partnership. Move it there first.")
        raise ValidationError(words.format(school=school.name))
    if school.pk == old.lead:
        words = _("{school} leads this partnership already.")
        raise ValidationError(words.format(school=school.name))
    if _is_closed(school):
        words = _("{school} is closed; it cannot lead.")
        raise ValidationError(words.format(school=school.name))
    new = replace(old, lead=school.pk)
    groups = found.groups | {label: new}
    return _measured(proposal, found, groups, [old], [new], [], served=False)


def of_tidying(proposal: Proposal) -> Effect:
    """What taking out all schools that have closed does.

    Where the leader's school closed, the school with the shortest ways leads.
    """
    found = queries.state(proposal)
    gone = {member.school_id for member in queries.stale(proposal).closed}
    if not gone:
        raise ValidationError(_("No school of this proposal has closed."))
    yardstick = _yardstick(proposal)
    groups, before, after = dict(found.groups), [], []
    for label, old in found.groups.items():
        rest = tuple(pk for pk in old.members if pk not in gone)
        if len(rest) == len(old.members):
            continue
        before.append(old)
        del groups[label]
        if rest:
            lead = old.lead if old.lead in rest else _nearest_to_all(yardstick, rest)
            groups[label] = Group(label, lead, rest)
            after.append(groups[label])
    return _measured(proposal, found, groups, before, after, [], served=True, yardstick=yardstick)


def _nearest_to_all(yardstick: Any, members: Sequence[int]) -> int:
    def ways(lead: int) -> tuple[float, int]:
        return sum(yardstick.distance(pk, lead) or 0.0 for pk in members), lead

    return min(members, key=ways)


def _is_closed(school: School) -> bool:
    return school.closed is not None and school.closed <= directory.today()


def _yardstick(proposal: Proposal) -> Any:
    from brightspots_web.connectedness.analysis import studio  # numpy and polars, for this alone

    facts = [studio.SchoolFacts(**row) for row in queries.facts_of(proposal)]
    return studio.Yardstick(proposal.settings, facts)


def _measured(
    proposal: Proposal,
    found: State,
    groups: dict[str, Group],
    before: Sequence[Group],
    after: Sequence[Group],
    out: Sequence[int],
    *,
    served: bool,
    yardstick: Any = None,
) -> Effect:
    yardstick = yardstick or _yardstick(proposal)
    old, new = yardstick.parts(before), yardstick.parts(after)
    objective = dict(proposal.objective)
    for part, cost in new.items():
        if part in objective or cost != old[part]:
            objective[part] = _no_less_than_nought(objective.get(part, 0.0) + cost - old[part])
    objective["total"] = _no_less_than_nought(
        float(objective.get("total", 0.0)) + sum(new.values()) - sum(old.values())
    )
    exceptions, warnings = {}, []
    before_rules = {rule for group in before for rules in yardstick.broken(group).values()
                    for rule in rules}  # fmt: skip
    for group in after:
        for pk, rules in yardstick.broken(group).items():
            exceptions[pk] = " ".join(rules)[:300]
            warnings += [
                _("{school}: {rule}").format(school=yardstick.schools[pk].name, rule=rule)
                for rule in rules
                if rule not in before_rules
            ]
    result = State(groups)
    touched = {pk for group in (*before, *after) for pk in group.members}
    pins = [pin for pin in queries.pins_of(proposal) if {pin.school_id, pin.other_id} & touched]
    kept_before = {pin.pk for pin in pins if not pin_broken(pin, found)}
    warnings += [
        _("A pin is no longer kept to: {pin}.").format(pin=pin_words(pin))
        for pin in pins
        if pin.pk in kept_before and pin_broken(pin, result)
    ]
    return Effect(
        state=result,
        before=before,
        after=after,
        out=out,
        distances=_ways(yardstick, after),
        was=_ways(yardstick, before),
        exceptions=exceptions,
        objective=objective,
        warnings=warnings,
        served_changes=served,
    )


def _ways(yardstick: Any, groups: Iterable[Group]) -> dict[int, float | None]:
    return {pk: yardstick.distance(pk, group.lead) for group in groups for pk in group.members}


def _no_less_than_nought(cost: float) -> float:
    """Rounding leaves -1e-13 where nothing is left."""
    return 0.0 if abs(cost) < 1e-9 else cost


def nearest_partnerships(
    proposal: Proposal, school: School, found: State, most: int = 30
) -> list[tuple[Group, float | None]]:
    """The partnerships whose leaders' schools are nearest to a school, with the way; all in a
    small proposal.
    """
    yardstick = _yardstick(proposal)
    ways = [(group, yardstick.distance(school.pk, group.lead)) for group in found.groups.values()]
    ways.sort(key=lambda pair: (pair[1] is None, pair[1] or 0.0, pair[0].label))
    return ways[:most]


@dataclass(frozen=True)
class Measure:
    """What partnerships that were not proposed cost by a proposal's weights."""

    objective: Mapping[str, float]
    """Empty where a partnership has schools that the proposal does not speak of."""
    longest: float | None
    in_none: int


def measure(proposal: Proposal, state: State) -> Measure:
    """Measure other partnerships of a proposal's schools as the proposal itself is measured."""
    yardstick = _yardstick(proposal)
    known = set(yardstick.schools)
    groups = list(state.groups.values())
    parts: dict[str, float] = {}
    if all(known.issuperset(group.members) and group.lead in known for group in groups):
        parts = yardstick.parts(groups)
        parts["total"] = sum(parts.values())
    ways = [
        km
        for group in groups
        for pk in group.members
        if pk in known
        and group.lead in known
        and (km := yardstick.distance(pk, group.lead)) is not None
    ]
    closed = {pk for pk, school in yardstick.schools.items() if school.closed}
    return Measure(parts, max(ways, default=None), len(known - closed - set(state.of)))


def pin_broken(pin: Pin, found: State) -> bool:
    """Whether the proposal as it stands does not keep to a pin."""
    of = found.of
    here = of.get(pin.school_id)
    there = of.get(pin.other_id) if pin.other_id else None
    if pin.kind == Pin.Kind.TOGETHER:
        return here is None or here != there
    if pin.kind == Pin.Kind.APART:
        return here is not None and here == there
    if pin.kind == Pin.Kind.LEADS:
        return here is None or found.groups[here].lead != pin.school_id
    return here is None or found.groups[here].lead != pin.other_id


def pin_words(pin: Pin) -> str:
    """A pin as a sentence."""
    words = {
        Pin.Kind.TOGETHER: _("{school} must be with {other}"),
        Pin.Kind.APART: _("{school} must not be with {other}"),
        Pin.Kind.LEADS: _("{school} must lead"),
        Pin.Kind.LED_BY: _("{school} must be led by {other}"),
    }[Pin.Kind(pin.kind)]
    return words.format(school=pin.school.name, other=pin.other.name if pin.other else "")


def why_pins_contradict(proposal: Proposal, pins: Iterable[Pin]) -> str:
    """Why these pins cannot all be kept to; "" where they can."""
    from brightspots_web.connectedness.analysis import studio  # numpy and polars, for this alone

    facts = [studio.SchoolFacts(**row) for row in queries.facts_of(proposal) if not row["closed"]]
    listed = [(pin.kind, pin.school.code, pin.other.code if pin.other else "") for pin in pins]
    return studio.why_not(listed, facts, proposal.settings)
