"""Whom the events of a promise are told to: its partnership, witnesses, whoever promises.

The data hold keys and names of schools, and no words of the promise.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from brightspots_web.accountability import ceremony_queries as ceremony
from brightspots_web.accountability import ceremony_tell as scores
from brightspots_web.accountability import pledge_queries as queries
from brightspots_web.accountability.pledge_models import Pledge, PledgeScore, PledgeWitness
from brightspots_web.directory import people_queries as people
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Person, School
from brightspots_web.notices import actions as notices

Witness = PledgeWitness.State


def key(event: str, pledge: Pledge, more: str = "") -> str:
    return f"accountability.pledge_{event}:{pledge.pk}:{more}"[:200]


def vowed(pledge: Pledge, *, by: Appointment) -> None:
    """Tell the heads of the partnership, its leader, and the school that is counted too."""
    schools = [each.school_id for each in directory.memberships_of(pledge.set.partnership)]
    held = directory.heads().filter(school__in=[*schools, pledge.other_school_id or 0])
    leaders = people.leaders_of(pledge.set.partnership)
    others = [each.person for each in held.select_related("person")]
    _tell([*others, *leaders], "vowed", pledge, by=by)


def withdrawn(pledge: Pledge, *, by: Appointment) -> None:
    notices.settle([key("asked", pledge)])
    scores.settle(pledge)
    peers = ceremony.peers_in(pledge, [PledgeScore.State.ASKED, PledgeScore.State.SCORED])
    asked = _witnesses(pledge, Witness.ASKED, Witness.ACCEPTED)
    counted = list(people.heads_of(pledge.other_school)) if pledge.other_school else []
    _tell(
        [*asked, *peers, *counted, *people.leaders_of(pledge.set.partnership)],
        "withdrawn",
        pledge,
        by=by,
    )


def asked(pledge: Pledge, person: Person, *, by: Appointment) -> None:
    _tell([person], "asked", pledge, by=by)


def answered(witness: PledgeWitness, *, by: Appointment) -> None:
    """Tell whoever promises what the witness said, and take the question off the list."""
    pledge = witness.pledge
    notices.settle([key("asked", pledge)], person=by.person)
    event = "accepted" if witness.state == Witness.ACCEPTED else "declined"
    _tell(queries.people_who_promise(pledge), event, pledge, by=by, other=witness.school)


def left(witness: PledgeWitness) -> None:
    pledge = witness.pledge
    _tell(queries.people_who_promise(pledge), "left", pledge, other=witness.school)


def stuck(pledge: Pledge, *, by: Appointment) -> None:
    """Tell the witnesses and the leader that the school asks for help."""
    witnesses = _witnesses(pledge, Witness.ACCEPTED)
    _tell([*witnesses, *people.leaders_of(pledge.set.partnership)], "stuck", pledge, by=by)


def shown(pledge: Pledge, *, by: Appointment) -> None:
    """Tell whoever promises that somebody else added something seen."""
    _tell(queries.people_who_promise(pledge), "shown", pledge, by=by)


def reminder(pledge: Pledge, event: str) -> None:
    """`check_in` or `due`."""
    _tell(queries.people_who_promise(pledge), event, pledge)


def _witnesses(pledge: Pledge, *states: str) -> list[Person]:
    return queries.witnesses_in(pledge, states)


def _tell(
    persons: Iterable[Person],
    event: str,
    pledge: Pledge,
    *,
    by: Appointment | None = None,
    other: School | None = None,
) -> None:
    """One notice for each of the people but the one who acts; a newer one replaces an unseen."""
    data: Mapping[str, Any] = {
        "pledge": pledge.pk,
        "school": pledge.set.school.name,
        "other": other.name if other else "",
    }
    others = [each for each in persons if by is None or each.pk != by.person_id]
    more = str(other.pk) if other else ""
    notices.notify(others, f"accountability.pledge_{event}", data, key=key(event, pledge, more))
