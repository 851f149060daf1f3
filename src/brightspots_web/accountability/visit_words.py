"""What pages say of a review from the visit on."""

from django.utils.translation import gettext as _

from brightspots_web.accountability import review_queries as reviews
from brightspots_web.accountability import visit_queries as queries
from brightspots_web.accountability.models import PeerReview, ReviewAction, ReviewFinding
from brightspots_web.directory import queries as directory
from brightspots_web.shared.components import Badge
from brightspots_web.shared.words import day

Kind = ReviewFinding.Kind


def of_evidence() -> str:
    """What is done with what a peer writes down."""
    return _(
        "The team reads it and writes the findings from it; the school reads the findings, not "
        "this. It is kept as long as the review."
    )


def of_findings() -> str:
    """How findings are made."""
    return _(
        "Strengths come first: nothing to work on is written before there is one. The school "
        "answers each finding in its own words; where it sees one differently, both stand beside "
        "each other. Agreeing sets a day to check back. What a peer wrote who stood down for a "
        "conflict of interest is marked, and nothing written afterwards rests on it."
    )


def answered(finding: ReviewFinding) -> Badge:
    """How the host sees a finding."""
    if finding.host_agrees is None:
        return Badge(_("the school has not answered"), "unsure")
    if finding.host_agrees:
        return Badge(_("the school agrees"), "visit")
    return Badge(_("the school sees it differently"))


def of_action(action: ReviewAction) -> str:
    """Who does it, until when, and whether it is done; a day that passed is said kindly."""
    if action.done_on is not None:
        return _("{who}. Done on {day}.").format(who=action.owner_name, day=day(action.done_on))
    if action.due < directory.today():
        return _("{who}. It was for {day} and is still to be done.").format(
            who=action.owner_name, day=day(action.due)
        )
    return _("{who}, until {day}.").format(who=action.owner_name, day=day(action.due))


def of_overdue(review: PeerReview) -> str:
    """That the day to look again has passed, said kindly; empty where it has not."""
    if review.check_back_on is None or review.check_back_on >= directory.today():
        return ""
    return _(
        "Host and team wanted to look again on {day}. It is still to be done: find a day that "
        "suits you both, and write down what you find."
    ).format(day=day(review.check_back_on))


def too_early(review: PeerReview) -> str:
    """From when on a check-back is written down; empty where it may be."""
    due = review.check_back_on
    if due is None or queries.may_be_checked(review) or review.state not in reviews.TO_CHECK:
        return ""
    return _("The check-back is on {day}; it is written down from {first} on.").format(
        day=day(due), first=day(due - queries.NEAR)
    )
