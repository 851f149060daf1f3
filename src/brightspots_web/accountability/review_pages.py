"""What the pages of one peer review show, and what waits for somebody in reviews."""

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.accountability import review_queries as queries
from brightspots_web.accountability import review_words as words
from brightspots_web.accountability.models import PeerReview, Reviewer
from brightspots_web.accountability.review_actions import FEWEST_PEERS, missing_in_team
from brightspots_web.accountability.review_forms import AnswerForm, ConflictForm, WhyForm
from brightspots_web.directory.models import Appointment
from brightspots_web.shared.components import Link

State = PeerReview.State
Seat = Reviewer.State
Row = dict[str, Any]


def url(review: PeerReview) -> str:
    return reverse("accountability:review", args=[review.pk])


def crumbs(last: str = "") -> list[Link]:
    found = [Link(_("Peer reviews"), reverse("accountability:reviews"))]
    return [*found, Link(last)] if last else found


def crumbs_of(review: PeerReview, last: str) -> list[Link]:
    return [*crumbs(), Link(review.school.name, url(review)), Link(last)]


def review_page(
    by: Appointment | None, review: PeerReview, parts: Sequence[Row] = (), **sent: Any
) -> Row:
    """The page of a review; `parts` comes from what follows the visit, `sent` are forms again."""
    host = queries.is_host(by, review)
    leader = queries.is_leader(by, review)
    seat = queries.seat_of(by, review)
    team = queries.team_of(review)
    before = review.state in queries.BEFORE
    waits = seat is not None and seat.state == Seat.ASKED and before
    context: Row = {
        "review": review,
        "host": host,
        "inside": host or leader or (seat is not None and seat.state in queries.SEATED),
        "seat": seat,
        "standing": words.standing(review),
        "badge": words.badge(review),
        "facts": _facts(review),
        "team": [_seat_row(each, host, review) for each in team],
        "missing": _missing(review, team) if host else [],
        "next_step": _next_step(review, host),
        "may_write": host and before,
        "may_ask": host and review.state in (State.TEAM, State.SCHEDULED),
        "answer_form": AnswerForm() if waits else None,
        "may_decline": seat is not None and seat.state == Seat.ACCEPTED and before,
        "conflict_form": _conflict_form(review, team, seat, chooses=host or leader),
        "call_off_form": _call_off_form(review) if host else None,
        "parts": list(parts),
        "rule": words.rule(),
        "no_claim": words.no_claim(),
        "breadcrumb": [*crumbs(), Link(review.school.name)],
    }
    return context | sent | {"open_forms": [*sent]}


def _facts(review: PeerReview) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = [(_("Host"), review.school.name)]
    if review.partnership is not None:
        found.append((_("Partnership"), review.partnership.name))
    if review.priority is not None:
        found.append((_("Priority"), str(review.priority)))
    found.append((_("Visit"), words.days(review) or _("no date yet")))
    return found


def _seat_row(seat: Reviewer, host: bool, review: PeerReview) -> Row:
    before = host and review.state in (State.TEAM, State.SCHEDULED)
    return {
        "seat": seat,
        "badge": words.seat_badge(seat),
        "leads": seat.leads and seat.state in queries.SEATED,
        "may_lead": before and seat.state in queries.SEATED and not seat.leads,
        "may_take_back": before and seat.state == Seat.ASKED,
    }


def _missing(review: PeerReview, team: Sequence[Reviewer]) -> list[str]:
    if review.state not in (State.TEAM, State.SCHEDULED):
        return []
    return missing_in_team(review)


def _next_step(review: PeerReview, host: bool) -> Row | None:
    """The one thing the host does next, as a button."""
    if not host:
        return None
    if review.state == State.SELF_REVIEW:
        complete = review.question and review.strengths_seen and review.to_improve_seen
        if complete:
            return {
                "text": _("Your own view is there. The next step is to ask peers."),
                "url": reverse("accountability:review_seek", args=[review.pk]),
                "link": _("Ask for peers"),
                "post": True,
            }
        return {
            "text": _("Write your question, what you do well and what you want to get better at."),
            "url": reverse("accountability:review_self", args=[review.pk]),
            "link": _("Go on with our own view"),
        }
    if review.state == State.TEAM:
        if missing_in_team(review):
            return {
                "text": _("Find your team: two peers at least, one from another partnership."),
                "url": reverse("accountability:review_team", args=[review.pk]),
                "link": _("Ask a peer"),
            }
        return {
            "text": _("The team is complete. Agree with it on the days, then set them here."),
            "url": reverse("accountability:review_schedule", args=[review.pk]),
            "link": _("Set the days of the visit"),
        }
    return None


def seats_to_stand_down(
    team: Sequence[Reviewer], seat: Reviewer | None, *, chooses: bool
) -> list[tuple[str, str]]:  # fmt: skip
    """Of whom somebody may say that a conflict was found: host and leader of all, a peer of one."""
    own = seat.pk if seat is not None else 0
    return [
        (str(each.pk), f"{each.name}, {each.school.name}")
        for each in team
        if each.state in queries.SEATED and (chooses or each.pk == own)
    ]


def _conflict_form(
    review: PeerReview, team: Sequence[Reviewer], seat: Reviewer | None, *, chooses: bool
) -> ConflictForm | None:
    seats = seats_to_stand_down(team, seat, chooses=chooses)
    if not seats or review.state == State.CALLED_OFF:
        return None
    if not chooses and seat is not None and seat.state == Seat.ASKED:
        return None  # the answer to the invitation says it
    return ConflictForm(seats=seats, auto_id="conflict_%s")


def _call_off_form(review: PeerReview) -> WhyForm | None:
    if review.state not in (*queries.BEFORE, State.VISITED):
        return None
    return WhyForm(initial={"seen": review.version}, auto_id="off_%s")


# What waits, and the card


def front_items(acting: Appointment | None) -> list[Row]:
    """What waits for this person now, the nearest first; two statements at most."""
    if not queries.takes_part(acting):
        return []
    found = [
        {
            "text": _("{school} asks you to come as a peer.").format(school=each.review.school),
            "url": url(each.review),
            "link": _("Answer"),
        }
        for each in queries.invitations(acting)[:2]
    ]
    review = queries.hosted_now(acting)
    if review is not None:
        said = _host_item(review, getattr(review, "come", 0))
        if said is not None:
            found.append(said)
    return found


def _host_item(review: PeerReview, come: int) -> Row | None:
    if review.state == State.SELF_REVIEW:
        text = _("The own view for your peer review is begun.")
    elif review.state == State.TEAM and come < FEWEST_PEERS:
        text = _("Your peer review still looks for its team.")
    elif review.state == State.TEAM:
        text = _("The team of your peer review waits for a date.")
    else:
        return None
    return {"text": text, "url": url(review), "link": _("Go on")}


def home_card(acting: Appointment | None) -> Row | None:
    """The card of peer reviews; None for a role that has no part in them."""
    if queries.takes_part(acting):
        n = queries.visible_to(acting).filter(state__in=queries.UNDER_WAY).count()
        text = _("Heads of other schools look with you at a question you choose yourself.")
        if n:
            text = ngettext(
                "{n} review is under way around you.", "{n} reviews are under way around you.", n
            ).format(n=n)
        link, target = _("Peer reviews"), reverse("accountability:reviews")
    elif queries.overlooks(acting):
        text = _("How many schools had a peer review, and how many are to check back.")
        link, target = _("Coverage by area"), reverse("accountability:review_coverage")
    else:
        return None
    return {"heading": _("Among equals: peer reviews"), "text": text, "url": target, "link": link}
