"""Peer reviews of the sample: two with a team and a date; champions in the cast's partnership."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence

    from brightspots_web.accountability.models import PeerReview
    from brightspots_web.accountability.review_actions import SelfReview
    from brightspots_web.directory.models import Appointment

INVENTED = "(Invented.)"
ELSEWHERE = f"{INVENTED} How do we find early who is stuck in reading?"
"""The question of the review at a school of the cast's partnership, to whose team the head of the
cast belongs."""
OURS = f"{INVENTED} Do all pupils speak in our lessons, or always the same five?"
"""The question of the review at the school of the cast's head."""
DAYS = 12
PLAN = (
    f"{INVENTED} 8.00 we meet. 8.30 to 11.00 two lessons each, in pairs. 11.30 talks with pupils "
    "and teachers. 13.30 the team sits together. 15.00 we hear what you saw, strengths first."
)


def fill(rng: random.Random, cast: Mapping[str, Appointment]) -> None:
    """Begin two reviews, find their teams, set their days, and name two champions."""
    from django.db import transaction

    head, leader = cast["head"], cast["leader"]
    with transaction.atomic():
        others = _beside(head, leader)
        if len(others) >= 2:
            _reviewed(others[0], _about(ELSEWHERE), [head])
            _reviewed(head, _about(OURS), [others[1]])
        _champions(leader, head)


def _beside(head: Appointment, leader: Appointment) -> list[Appointment]:
    """Find the other heads of the cast's partnership, without its leader."""
    from brightspots_web.directory import people_queries, queries

    if leader.partnership is None or head.school is None:
        return []
    answering = people_queries.answering()
    members = [each.school_id for each in queries.memberships_of(leader.partnership)]
    if head.school_id not in members:
        return []
    held = [answering[key] for key in members if key in answering]
    return [each for each in held if each.person_id not in {head.person_id, leader.person_id}]


def _about(question: str) -> SelfReview:
    from brightspots_web.accountability.review_actions import SelfReview
    from brightspots_web.alignment import queries as alignment

    live = alignment.live_priorities()
    return SelfReview(
        question,
        f"{INVENTED} Every class begins with ten minutes of reading aloud. Teachers visit each "
        "other once a term, and speak about it.",
        f"{INVENTED} We notice late who cannot follow. Those who sit at the back are asked least.",
        f"{INVENTED} Exercise books of two classes, five lessons, a talk with eight pupils.",
        live[0] if live else None,
    )


def _reviewed(
    host: Appointment, about: SelfReview, inside: Sequence[Appointment]
) -> PeerReview | None:  # fmt: skip
    """Begin a review, find its team (one from another partnership leads it), set its date."""
    from brightspots_web.accountability import review_actions as actions
    from brightspots_web.accountability import review_people_queries as peers
    from brightspots_web.accountability import review_team_actions as team
    from brightspots_web.directory import queries

    review = actions.seek_team(actions.begin(about, by=host), by=host, seen=None)
    found = [
        each.appointment for each in peers.candidates(review) if each.outside and each.may_come
    ]
    if not found:
        return None
    for i, each in enumerate([found[0], *inside]):
        team.accept(team.invite(review, each.person, by=host, leads=i == 0), by=each)
    on = queries.today() + timedelta(days=DAYS)
    while on.weekday() > 4:
        on += timedelta(days=1)
    return actions.schedule(review, actions.Visit(on, None, PLAN), by=host, seen=None)


def _champions(leader: Appointment, head: Appointment) -> None:
    from brightspots_web.accountability import review_champion_actions as championing
    from brightspots_web.accountability import review_queries as queries

    for by, words in (
        (leader, "Leads a talk in which everybody speaks."),
        (head, "Turns a finding into one small step for Monday."),
    ):
        found = queries.who_may_be_champion(by)
        own = [each for each in found if each.school_id == by.school_id]
        if own:
            championing.name_champion(own[-1], f"{INVENTED} {words}", by=by)
