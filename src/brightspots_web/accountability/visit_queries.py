"""All reads of a peer review from the visit on: who writes what, what was set aside, what is due.

Evidence belongs to the team. Findings that are still being agreed are between host and team; the
leader of the partnership reads them once they are agreed, and the schools beside never do.
"""

from collections.abc import Iterable
from datetime import date, timedelta

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from brightspots_web.accountability import review_people_queries as peers
from brightspots_web.accountability import review_queries as reviews
from brightspots_web.accountability.models import (
    ImprovementChampion,
    PeerReview,
    ReviewAction,
    Reviewer,
    ReviewEvidence,
    ReviewFinding,
)
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment

State = PeerReview.State
Seat = Reviewer.State
Kind = ReviewFinding.Kind
AGREED = (State.AGREED, State.WORKSHOP, State.CHECKED)
"""Host and team agree on what was found."""
NEAR = timedelta(days=14)
"""So long before its day a check-back is reminded of, and may be written down."""


def last_day(review: PeerReview) -> date | None:
    """The last day of the visit."""
    return review.visit_until or review.visit_on


def began(review: PeerReview, on: date | None = None) -> bool:
    """Whether the visit's first day has come and the review was not called off."""
    if review.state in reviews.HAPPENED:
        return True
    today = on or directory.today()
    return (
        review.state == State.SCHEDULED
        and review.visit_on is not None
        and review.visit_on <= today
    )  # fmt: skip


def may_be_checked(review: PeerReview, on: date | None = None) -> bool:
    """Whether the day to check back is near or past."""
    due = review.check_back_on
    today = on or directory.today()
    return review.state in reviews.TO_CHECK and due is not None and due - NEAR <= today


# Who does what


def sees_findings(by: Appointment | None, review: PeerReview) -> bool:
    """Host and team; the leader of the partnership once they are agreed."""
    if reviews.is_host(by, review) or reviews.is_team(by, review):
        return True
    return review.state in AGREED and reviews.is_leader(by, review)


def nobody_left(review: PeerReview) -> bool:
    """Whether none of the team is left: stood down, or heads no school any longer."""
    coming = [each.person_id for each in reviews.coming(review)]
    return not peers.still_heads(key for key in coming if key is not None)


def may_agree(by: Appointment | None, review: PeerReview) -> bool:
    """The team, which wrote; the host, who answered everything, where nobody of it is left."""
    if reviews.is_team(by, review):
        return True
    return reviews.is_host(by, review) and nobody_left(review)


def may_check(by: Appointment | None, review: PeerReview) -> bool:
    """The team, or the partnership's leader; the host alone only where no peer is left."""
    if reviews.is_team(by, review):
        return True
    if reviews.is_host(by, review):
        return nobody_left(review)
    return reviews.is_leader(by, review)


# Evidence


def evidence_of(review: PeerReview) -> QuerySet[ReviewEvidence]:
    """Everything that was written down, the latest first."""
    return review.evidence.select_related("reviewer__school").order_by("-pk")


def is_set_aside(piece: ReviewEvidence) -> bool:
    """Whether its writer stood down: it stays, and no finding rests on it afterwards."""
    return piece.reviewer.state == Seat.STOOD_DOWN


# Findings


def findings_of(review: PeerReview) -> list[ReviewFinding]:
    """The findings of a review, strengths first."""
    return list(review.findings.all())


def stood_down(review: PeerReview) -> list[Reviewer]:
    """Peers in whose case a conflict was found after they had taken part."""
    return [each for each in reviews.team_of(review) if each.state == Seat.STOOD_DOWN]


def written_by_them(finding: ReviewFinding, gone: Iterable[Reviewer]) -> bool:
    """Whether a peer who stood down wrote a finding, as its label says who did."""
    return any(finding.by.startswith(f"{each.name},") for each in gone)


def marked(review: PeerReview) -> set[int]:
    """Keys of findings that a peer wrote who stood down afterwards."""
    gone = stood_down(review)
    if not gone:
        return set()
    return {each.pk for each in findings_of(review) if written_by_them(each, gone)}


def standing(review: PeerReview, kind: str, but: int | None = None) -> list[ReviewFinding]:
    """Findings of a kind that the team still stands by; one may be left out."""
    aside = marked(review)
    found = findings_of(review)
    return [e for e in found if e.kind == kind and e.pk not in aside and e.pk != but]


# After the visit


def actions_of(review: PeerReview) -> list[ReviewAction]:
    """What the host does, what is open first."""
    return list(review.actions.all())


def champions_for(review: PeerReview) -> list[ImprovementChampion]:
    """Who could help in the workshop: those of the partnership, or else of the school."""
    if review.partnership is not None:
        found = reviews.champions_of(review.partnership)
    else:
        found = ImprovementChampion.objects.filter(until=None, school=review.school)
    return list(found.select_related("person", "school"))


# What waits, and what the worker looks after


def waiting_for(by: Appointment | None) -> QuerySet[PeerReview]:
    """Reviews from the visit on in which somebody has a part now, the nearest first; one read.

    Annotated with `seated`, `written` and `unanswered`.
    """
    found = PeerReview.objects.select_related("school")
    if by is None or not reviews.takes_part(by):
        return found.none()
    today = directory.today()
    seats = Reviewer.objects.filter(review=OuterRef("pk"), person=by.person_id, state=Seat.ACCEPTED)
    now = (
        Q(state=State.SCHEDULED, visit_on__lte=today)
        | Q(state__in=(State.VISITED, State.AGREED))
        | Q(state=State.WORKSHOP, check_back_on__lte=today + NEAR)
    )
    led = Q(pk__in=[])
    if by.partnership_id is not None:
        led = Q(
            partnership=by.partnership_id, state__in=reviews.TO_CHECK, check_back_on__lt=today
        )  # fmt: skip
    mine = Q(school=by.school_id or 0) | Q(Exists(seats))
    found = found.annotate(
        seated=Exists(seats),
        written=Count("findings"),
        unanswered=Count("findings", filter=Q(findings__host_agrees=None)),
    )
    return found.filter((mine & now) | led).order_by("check_back_on", "visit_on", "pk")


def to_look_after(on: date) -> QuerySet[PeerReview]:
    """Reviews whose visit is over, or that are near the day to check back."""
    late = Q(state__in=(State.SCHEDULED, State.VISITED), visit_on__lt=on)
    near = Q(state__in=reviews.TO_CHECK, check_back_on__lte=on + NEAR)
    return PeerReview.objects.filter(late | near).select_related("school", "partnership")


def actions_due(until: date) -> QuerySet[ReviewAction]:
    """Steps that nobody has finished, due until a day."""
    found = ReviewAction.objects.filter(
        done_on=None, outcome="", due__lte=until, review__state__in=reviews.TO_CHECK
    )
    return found.select_related("review__school").order_by("pk")
