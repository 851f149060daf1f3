"""What everybody gets from the addresses of a peer review from the visit on; part of the matrix.

The host is N2 (`head`); in the team are the heads of N3 and of E2; the head of N1 leads the
partnership and reads along once the findings are agreed.
"""

from collections.abc import Callable, Sequence
from typing import Any

from brightspots_web.accountability.models import PeerReview, ReviewAction, ReviewFinding
from tests.web import review_visit_helpers as helpers
from tests.web.permission_matrix import Case, Statuses, allow
from tests.web.world import World

HOST = {"head"}
TEAM = {"partner_head", "other_head"}
LEADER = {"system_leader"}
AUTHOR = {"other_head"}


def _of(who: set[str], status: int = 200) -> Statuses:
    """Those of whom it is asked; 404 for who does not see the review, 403 for all others."""
    return dict(allow(who, status, otherwise=403)) | {"other_system_leader": 404}


def _review(make: Callable[[World], PeerReview]) -> Callable[[World], dict[str, Any]]:
    return lambda world: {"pk": make(world).pk}


def _piece(world: World) -> dict[str, Any]:
    review = helpers.seen(world)
    return {"pk": review.pk, "piece": review.evidence.get().pk}


def _finding(world: World) -> dict[str, Any]:
    review = helpers.visited(world)
    finding = ReviewFinding.objects.get(review=review, kind=ReviewFinding.Kind.WORK_ON)
    return {"pk": review.pk, "finding": finding.pk}


def _action(world: World) -> dict[str, Any]:
    action: ReviewAction = helpers.step(world, helpers.agreed(world))
    return {"pk": action.review_id, "action": action.pk}


def _day(name: str, days: int = 0, **more: str) -> Callable[[World], dict[str, Any]]:
    return lambda world: {name: helpers.in_days(days).isoformat()} | more


def _check_back(world: World) -> dict[str, Any]:
    action = ReviewAction.objects.get()
    return {
        "on": helpers.in_days(0).isoformat(),
        "found": "It is done.",
        f"words_{action.pk}": "Every day.",
    }


def _agree(world: World) -> dict[str, Any]:
    return {"check_back_on": helpers.in_days(60).isoformat()}


def _text(world: World) -> dict[str, Any]:
    return vars(helpers.PRACTICE) | {"language": "en"}


VISIT: dict[str, Sequence[Case]] = {
    "accountability:review_evidence": [
        Case(
            _review(helpers.seen),
            get=_of(TEAM),
            post=_of(TEAM, 302),
            data=lambda _: {"kind": "work", "words": "Marked weekly.", "strength": "yes"},
        )
    ],
    "accountability:review_evidence_take_back": [
        Case(_piece, post=_of(AUTHOR, 302)),
    ],
    "accountability:review_findings": [
        Case(
            _review(helpers.visited),
            get=_of(HOST | TEAM),
            post=_of(TEAM, 302),
            data=lambda _: {"kind": "a_strength", "words": "Calm mornings."},
        ),
        Case(_review(helpers.agreed), get=_of(HOST | TEAM | LEADER), post=_of(TEAM)),
    ],
    "accountability:review_finding": [
        Case(
            _finding,
            get=_of(TEAM),
            post=_of(TEAM, 302),
            data=lambda _: {"kind": "b_work_on", "words": "Ask everybody."},
        )
    ],
    "accountability:review_finding_drop": [Case(_finding, post=_of(TEAM, 302))],
    "accountability:review_finding_answer": [
        Case(_finding, post=_of(HOST, 302), data=lambda _: {"agrees": "yes"})
    ],
    "accountability:review_agree": [
        Case(_review(helpers.answered), get=_of(TEAM), post=_of(TEAM, 302), data=_agree)
    ],
    "accountability:review_reply": [
        Case(
            _review(helpers.visited),
            get=_of(HOST),
            post=_of(HOST, 302),
            data=lambda _: {"reply": "Thank you."},
        )
    ],
    "accountability:review_excellence": [
        Case(
            _review(helpers.visited),
            get=_of(TEAM),
            post=_of(TEAM, 302),
            data=lambda _: {"excellence": "Reading aloud."},
        )
    ],
    "accountability:review_practice": [
        Case(_review(helpers.excellent), get=_of(HOST), post=_of(HOST, 302), data=_text)
    ],
    "accountability:review_workshop": [
        Case(
            _review(helpers.workshop),
            get=_of(HOST),
            post=_of(HOST, 302),
            data=_day("on", notes="One thing."),
        )
    ],
    "accountability:review_actions": [
        Case(
            _review(helpers.agreed),
            get=_of(HOST | TEAM | LEADER),
            post=_of(HOST, 302),
            data=_day("due", 9, what="Ask by lot", owner="The deputy"),
        )
    ],
    "accountability:review_action": [
        Case(_action, get=_of(HOST), post=_of(HOST, 302), data=_day("on", outcome="All speak."))
    ],
    "accountability:review_action_drop": [Case(_action, post=_of(HOST, 302))],
    "accountability:review_check_back": [
        Case(
            _review(helpers.workshop),
            get=_of(TEAM | LEADER),
            # The day of the visit is no day to check back: the form comes again.
            post=_of(TEAM | LEADER),
            data=_check_back,
        )
    ],
}
