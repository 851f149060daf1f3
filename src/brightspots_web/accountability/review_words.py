"""What pages of peer reviews say: what one is, how it stands, what comes next."""

from django.utils.translation import gettext as _

from brightspots_web.accountability.models import PeerReview, Reviewer
from brightspots_web.accountability.review_queries import TO_CHECK
from brightspots_web.directory import queries as directory
from brightspots_web.shared.components import Badge
from brightspots_web.shared.words import day

State = PeerReview.State
Seat = Reviewer.State


def rule() -> str:
    """What a peer review is."""
    return _(
        "The school looks at itself first and chooses the question. Two to six heads of other "
        "schools come, at least one from another partnership, and write down what they see: what "
        "works well comes first. Host and team agree on the findings and on a day to check back; "
        "a workshop turns the findings into steps. Nobody comes who works or worked there, who "
        "helps the school or is helped by it at present, or where one of the two schools reviewed "
        "the other within a year. There are no grades."
    )


def no_claim() -> str:
    """What is not known, said wherever reviews are shown."""
    return _(
        "Whether peer review raises attainment is not known, and no page here claims that it does."
    )


def badge(review: PeerReview) -> Badge:
    kinds = {State.SCHEDULED: "visit", State.VISITED: "unsure", State.CHECKED: "bright"}
    return Badge(str(State(review.state).label), kinds.get(State(review.state), "plain"))  # type: ignore[arg-type] # kinds of badges


def seat_badge(seat: Reviewer) -> Badge:
    kinds = {Seat.ACCEPTED: "visit", Seat.ASKED: "unsure"}
    return Badge(str(Seat(seat.state).label), kinds.get(Seat(seat.state), "plain"))  # type: ignore[arg-type] # kinds of badges


def days(review: PeerReview) -> str:
    """The days of the visit; empty while there are none."""
    if review.visit_on is None:
        return ""
    if review.visit_until is None or review.visit_until == review.visit_on:
        return day(review.visit_on)
    return _("{first} to {last}").format(first=day(review.visit_on), last=day(review.visit_until))


def standing(review: PeerReview) -> str:
    """How it stands, in a sentence."""
    state = State(review.state)
    if state == State.SCHEDULED and review.visit_on is not None:
        if review.visit_on < directory.today():
            return _("The visit was on {day}; what was found is still to be written.").format(
                day=days(review)
            )
        return _("The team comes: {day}.").format(day=days(review))
    if state in TO_CHECK and review.check_back_on is not None:
        if review.check_back_on < directory.today():
            return _("The day to check back was {day}. It is still to be done.").format(
                day=day(review.check_back_on)
            )
        return _("Host and team check back on {day}.").format(day=day(review.check_back_on))
    return {
        State.SELF_REVIEW: _("The school looks at itself. Nobody else reads it yet."),
        State.TEAM: _("Peers are being asked."),
        State.VISITED: _("The visit took place; host and team agree on the findings."),
        State.CHECKED: _("Host and team checked back on {day}."),
        State.CALLED_OFF: _("Called off: {why}"),
    }[state].format(day=day(review.checked_on) or "", why=review.called_off_why)
