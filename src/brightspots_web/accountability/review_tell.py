"""Whom the events of a peer review are told to: the host, a peer, the whole team."""

from collections.abc import Iterable

from brightspots_web.accountability import review_queries as queries
from brightspots_web.accountability.models import PeerReview, Reviewer
from brightspots_web.directory.models import Appointment, Person
from brightspots_web.directory.succession_queries import answering_now
from brightspots_web.notices import actions as notices


def host(review: PeerReview, event: str, *, by: Appointment | None = None, seat: int = 0) -> None:
    _tell(answering_now(review.school), event, review, by=by, seat=seat)


def peer(seat: Reviewer, event: str, *, by: Appointment | None = None) -> None:
    _tell([seat.person] if seat.person else [], event, seat.review, by=by, seat=seat.pk)


def team(review: PeerReview, event: str, *, by: Appointment | None = None) -> None:
    """Everybody who was asked and has not declined."""
    people = [each.person for each in queries.team_of(review) if each.state in queries.SEATED]
    _tell([each for each in people if each is not None], event, review, by=by)


def everybody(review: PeerReview, event: str, *, by: Appointment | None = None) -> None:
    host(review, event, by=by)
    team(review, event, by=by)


def _tell(
    people: Iterable[Person],
    event: str,
    review: PeerReview,
    *,
    by: Appointment | None = None,
    seat: int = 0,
) -> None:
    """One notice for each of the people but the one who acts; a newer one replaces an unseen."""
    data = {"review": review.pk, "school": review.school.name}
    if review.visit_on is not None:
        data["on"] = review.visit_on.isoformat()
    others = [each for each in people if by is None or each.pk != by.person_id]
    notices.notify(
        others, f"accountability.review_{event}", data, key=f"review:{event}:{review.pk}:{seat}"
    )
