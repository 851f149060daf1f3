"""Whom the events from the visit on are told to: host, team, the partnership's leader, officers."""

from collections.abc import Iterable

from brightspots_web.accountability import review_queries as reviews
from brightspots_web.accountability.models import PeerReview, ReviewAction, Reviewer
from brightspots_web.directory import people_queries as people
from brightspots_web.directory.models import Appointment, Person
from brightspots_web.directory.succession_queries import answering_now
from brightspots_web.notices import actions as notices


def host(review: PeerReview, event: str, *, by: Appointment | None = None) -> None:
    _tell(answering_now(review.school), event, review, by=by)


def team(review: PeerReview, event: str, *, by: Appointment | None = None) -> None:
    """Those who came and have no conflict."""
    _tell(_came(review), event, review, by=by)


def both(review: PeerReview, event: str, *, by: Appointment | None = None) -> None:
    _tell([*answering_now(review.school), *_came(review)], event, review, by=by)


def everybody(review: PeerReview, event: str, *, by: Appointment | None = None) -> None:
    """Host, team, and whoever leads the partnership."""
    leaders = people.leaders_of(review.partnership)
    _tell([*answering_now(review.school), *_came(review), *leaders], event, review, by=by)


def officers(review: PeerReview, event: str) -> None:
    """Those over the school; they are led to counts, not into the review."""
    _tell(people.officers_over(review.school), event, review)


def step_due(action: ReviewAction) -> None:
    _tell(answering_now(action.review.school), "step_due", action.review, step=action.pk)


def key(event: str, review: PeerReview, step: int | None = None) -> str:
    return f"visit:{event}:{review.pk}:{step or ''}"


def _came(review: PeerReview) -> list[Person]:
    came = [each for each in reviews.team_of(review) if each.state == Reviewer.State.ACCEPTED]
    return [each.person for each in came if each.person is not None]


def _tell(
    to: Iterable[Person],
    event: str,
    review: PeerReview,
    *,
    by: Appointment | None = None,
    step: int | None = None,
) -> None:
    """One notice for each of the people but the one who acts; a newer one replaces an unseen."""
    data = {"review": review.pk, "school": review.school.name}
    if review.check_back_on is not None:
        data["on"] = review.check_back_on.isoformat()
    others = [each for each in to if by is None or each.pk != by.person_id]
    notices.notify(others, f"accountability.visit_{event}", data, key=key(event, review, step))
