"""Whom scores are told to: whoever promises, the peers, those who stood by the promise.

The data hold keys and names of schools, and no words of a score.
"""

from collections.abc import Iterable

from brightspots_web.accountability import ceremony_queries as queries
from brightspots_web.accountability import pledge_queries as pledges
from brightspots_web.accountability.pledge_models import Pledge, PledgeScore
from brightspots_web.directory.models import Appointment, Person, School
from brightspots_web.notices import actions as notices


def key(event: str, pledge: Pledge, more: str = "") -> str:
    return f"accountability.ceremony_{event}:{pledge.pk}:{more}"[:200]


def asked(score: PledgeScore, *, by: Appointment) -> None:
    if score.person is not None:
        _tell([score.person], "asked", score.pledge, by=by)


def verified(score: PledgeScore, *, by: Appointment) -> None:
    """Tell whoever promises, and take the question off the peer's list."""
    settle(score.pledge, by.person)
    promising = pledges.people_who_promise(score.pledge)
    _tell(promising, "verified", score.pledge, by=by, other=score.school)


def freed(score: PledgeScore, event: str, *, by: Appointment) -> None:
    """`cannot` or `left`."""
    if score.person is not None:
        settle(score.pledge, score.person)
    promising = pledges.people_who_promise(score.pledge)
    _tell(promising, event, score.pledge, by=by, other=score.school)


def weighed(score: PledgeScore, event: str, *, by: Appointment) -> None:
    """`aside` or `again`: whoever promises, and the peer."""
    told = pledges.people_who_promise(score.pledge)
    if score.person is not None and queries.still_answers(score):
        told.append(score.person)
    _tell(told, event, score.pledge, by=by, other=score.school)


def settle(pledge: Pledge, person: Person | None = None) -> None:
    """Nobody is asked any longer: this person, or all of them."""
    notices.settle([key("asked", pledge)], person=person)


def outcome(pledge: Pledge, *, by: Appointment) -> None:
    """Tell those around it; whoever was still asked to score it is asked no longer."""
    settle(pledge)
    _tell(queries.people_around(pledge), "outcome", pledge, by=by)


def _tell(
    persons: Iterable[Person],
    event: str,
    pledge: Pledge,
    *,
    by: Appointment,
    other: School | None = None,
) -> None:
    """One notice for each of the people but the one who acts; a newer one replaces an unseen."""
    data = {
        "pledge": pledge.pk,
        "school": pledge.set.school.name,
        "other": other.name if other else "",
    }
    others = [each for each in persons if each.pk != by.person_id]
    more = str(other.pk) if other else ""
    notices.notify(others, f"accountability.ceremony_{event}", data, key=key(event, pledge, more))
