"""Whom a decision's events are told to: the schools that are asked, owners, the leader."""

from collections.abc import Iterable, Mapping
from typing import Any

from brightspots_web.devolution.models import Decision, DecisionAction, Pdsa
from brightspots_web.directory import people_queries as people
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Person, School
from brightspots_web.notices import actions as notices


def heads_of(decision: Decision) -> list[Person]:
    """Who speaks for the schools that are asked, and the leaders."""
    schools = [each.school_id for each in directory.memberships_of(decision.partnership)]
    held = directory.heads().filter(school__in=schools).select_related("person")
    return [*(each.person for each in held), *people.leaders_of(decision.partnership)]


def asked(decision: Decision, *, by: Appointment) -> None:
    _tell(heads_of(decision), "asked", decision, by=by)


def changed(decision: Decision, *, by: Appointment) -> None:
    _tell(heads_of(decision), "changed", decision, by=by)


def objected(decision: Decision, school: School, *, by: Appointment) -> None:
    leaders = list(people.leaders_of(decision.partnership))
    owner_and_leaders = [*leaders, *([decision.owner] if decision.owner else [])]
    _tell(owner_and_leaders, "objected", decision, by=by, more={"school": school.name})


def made(decision: Decision, *, by: Appointment) -> None:
    owner_too = [decision.owner] if decision.owner else []
    _tell([*heads_of(decision), *owner_too], "made", decision, by=by)


def dropped(decision: Decision, *, by: Appointment) -> None:
    _tell(heads_of(decision), "dropped", decision, by=by)


def owner(decision: Decision, *, by: Appointment) -> None:
    if decision.owner is not None:
        _tell([decision.owner], "owner", decision, by=by)


def owner_missed(decision: Decision, leaders: Iterable[Person]) -> None:
    _tell(leaders, "owner_missed", decision)


def action_given(action: DecisionAction, *, by: Appointment) -> None:
    if action.owner is not None:
        _tell([action.owner], "action", action.decision, by=by, more=_of(action))


def action_due(action: DecisionAction) -> None:
    if action.owner is not None:
        _tell([action.owner], "action_due", action.decision, more=_of(action))


def action_done(action: DecisionAction, *, by: Appointment) -> None:
    owns = [action.decision.owner] if action.decision.owner else []
    _tell(owns, "action_done", action.decision, by=by, more=_of(action))


def to_study(cycle: Pdsa, persons: Iterable[Person]) -> None:
    data = {"cycle": cycle.pk, "title": cycle.title}
    notices.notify(persons, "devolution.cycle_to_study", data, key=f"cycle:{cycle.pk}")


def _of(action: DecisionAction) -> dict[str, Any]:
    return {"what": action.what, "due": action.due.isoformat(), "action": action.pk}


def _tell(
    persons: Iterable[Person],
    event: str,
    decision: Decision,
    *,
    by: Appointment | None = None,
    more: Mapping[str, Any] | None = None,
) -> None:
    """One notice for each of the people but the one who acts; a newer one replaces an unseen."""
    kind = f"devolution.decision_{event}"
    data = {"decision": decision.pk, "question": decision.question, **(more or {})}
    others = [each for each in persons if by is None or each.pk != by.person_id]
    key = f"{kind}:{decision.pk}:{data.get('action', data.get('school', ''))}"
    notices.notify(others, kind, data, key=key[:200])
