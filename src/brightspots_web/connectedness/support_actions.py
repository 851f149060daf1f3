"""Asking for support, offering it, and looking after the queue: the writes."""

from datetime import datetime
from decimal import Decimal

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.alignment import queries as alignment
from brightspots_web.alignment.models import Priority
from brightspots_web.connectedness import support_queries as queries
from brightspots_web.connectedness import support_states as states
from brightspots_web.connectedness.models import Deployment, SupportMatch
from brightspots_web.connectedness.models import SupportOffer as Offer
from brightspots_web.connectedness.models import SupportRequest as Request
from brightspots_web.connectedness.support_lock_actions import (
    check_open,
    held_offer,
    held_request,
    no_longer,
    required,
    saved,
    tell,
    tell_both,
    tell_officers,
    when,
)
from brightspots_web.directory import people_queries as people
from brightspots_web.directory import queries as directory
from brightspots_web.directory.actions import hold_school
from brightspots_web.directory.models import Appointment, School
from brightspots_web.shared import audit

FEWEST_DAYS, MOST_DAYS = Decimal("0.5"), Decimal(60)
MOST_AT_ONCE = 20
"""Schools at a time under one offer."""


@transaction.atomic
def ask(
    school: School,
    *,
    by: Appointment,
    priority: Priority,
    what: str,
    days: Decimal = Decimal(5),
    urgency: str = Request.Urgency.TERM,
    at: datetime | None = None,
) -> Request:
    """Ask for support at a priority, for one's own school. Pressed twice, it is asked once.

    `at` says when it was asked, where that is written down later, as from a list on paper.

    Raises
    ------
    PermissionDenied
        Somebody who does not answer for the school.
    ValidationError
        Words or days are missing, the priority is over, the school is closed, or it has an open
        request at this priority already.
    """
    if not queries.answers_for(by, school.pk):
        raise PermissionDenied
    request = _new_request(school, by, priority, what, days, urgency)
    same = _open_one(school, priority)
    if same is not None:
        if (same.what, same.days, same.urgency) == (request.what, request.days, request.urgency):
            return same
        raise ValidationError(
            _(
                "Your school asks for support at “{priority}” already. Open that request, or "
                "withdraw it and ask anew."
            ).format(priority=priority.title)
        )
    request.asked_at = when(at)
    request.agreed_at = request.asked_at
    request.save(force_insert=True)
    audit.record("connectedness.ask_support", by=by, target=request, detail=_detail(request))
    tell_officers(request, "asked", by=by)
    leaders = people.leaders_of(directory.partnership_of(school))
    tell(leaders, "asked", request, by=by, asks=school.name)
    return request


@transaction.atomic
def propose_support(
    school: School,
    *,
    by: Appointment,
    priority: Priority,
    what: str,
    days: Decimal = Decimal(5),
    urgency: str = Request.Urgency.TERM,
    note: str = "",
) -> Request:
    """An officer proposes support to a school. Nothing is matched before its head agrees."""
    if not queries.brokers_for(by, school):
        raise PermissionDenied
    request = _new_request(school, by, priority, what, days, urgency)
    if _open_one(school, priority) is not None:
        raise ValidationError(
            _("There is an open request of {school} at “{priority}” already.").format(
                school=school.name, priority=priority.title
            )
        )
    heads = list(people.heads_of(school))
    if not heads:
        raise ValidationError(
            _("{school} has no head here who could agree. Appoint one first, under People.").format(
                school=school.name
            )
        )
    request.origin = Request.Origin.DESIGNATED
    request.triaged_by, request.triaged_at = by.label[:300], request.asked_at
    request.triage_note = no_longer(note, "note", "why")
    request.save(force_insert=True)
    audit.record("connectedness.propose_support", by=by, target=request, detail=_detail(request))
    tell(heads, "proposed", request, by=by, asks=school.name)
    return request


@transaction.atomic
def answer_proposal(
    request: Request, *, by: Appointment, agree: bool, why: str = "", seen: int | None = None
) -> Request:
    """The school's head agrees to support that was proposed, or does not and says why."""
    request = held_request(request.pk, seen)
    if not queries.answers_for(by, request.school_id):
        raise PermissionDenied
    if request.origin != Request.Origin.DESIGNATED or request.agreed_at is not None:
        raise ValidationError(_("This needs no answer of the school any more."))
    if agree:
        check_open(request.school)
        request.state = states.follow(states.REQUEST, request.state, Request.State.READY)
        request.agreed_at = timezone.now()
        saved(request, "state", "agreed_at")
    else:
        request.close_reason = required(why, "why", _("Say why, so that it is understood."))
        _close(request, Request.State.WITHDRAWN)
    audit.record(
        "connectedness.answer_proposal", by=by, target=request, detail={"agree": agree}
    )  # fmt: skip
    tell_officers(request, "agreed" if agree else "not_agreed", by=by)
    return request


@transaction.atomic
def triage(
    request: Request, *, by: Appointment, urgency: str, note: str = "", seen: int | None = None
) -> Request:
    """An officer looked at a request: how soon it is wanted, and a note for other officers.

    The school's own request is ready to match from then on; a proposed one when the school agrees.
    """
    request = held_request(request.pk, seen)
    if not queries.brokers_for(by, request.school):
        raise PermissionDenied
    if request.state not in states.OPEN_REQUEST:
        raise ValidationError(_("This request is closed. Nothing more can be changed here."))
    if urgency not in Request.Urgency.values:
        raise ValidationError({"urgency": _("Choose one of these.")})
    request.urgency, request.triage_note = urgency, no_longer(note, "note", "why")
    request.triaged_by, request.triaged_at = by.label[:300], timezone.now()
    if request.state == Request.State.ASKED and request.agreed_at is not None:
        request.state = states.follow(states.REQUEST, request.state, Request.State.READY)
    saved(request, "urgency", "triage_note", "triaged_by", "triaged_at", "state")
    audit.record(
        "connectedness.triage_support",
        by=by,
        target=request,
        detail={"urgency": urgency, "state": request.state},
    )
    return request


@transaction.atomic
def withdraw_request(
    request: Request, *, by: Appointment, why: str, seen: int | None = None
) -> Request:
    """Take a request back: the school's head, or an officer who says why."""
    request = held_request(request.pk, seen)
    own = queries.answers_for(by, request.school_id)
    if not own and not queries.brokers_for(by, request.school):
        raise PermissionDenied
    running = Deployment.objects.filter(
        match__request=request, state=Deployment.State.RUNNING
    ).exists()
    if running:
        raise ValidationError(
            _("Support is under way. End it on its own page; the request is closed with it.")
        )
    why = required(why, "why", _("Say why, in a few words."))
    request.close_reason = why
    _close(request, Request.State.WITHDRAWN)
    _drop_matches(request, by)
    audit.record("connectedness.withdraw_request", by=by, target=request)
    if own:
        tell_officers(request, "withdrawn", by=by)
    else:
        tell(people.heads_of(request.school), "withdrawn", request, by=by, asks=request.school.name)
    return request


@transaction.atomic
def offer(
    school: School,
    *,
    by: Appointment,
    priority: Priority,
    what: str,
    days: Decimal,
    at_once: int = 2,
) -> Offer:
    """Offer what one's school does well. The person who offers is the one who comes."""
    if not queries.answers_for(by, school.pk):
        raise PermissionDenied
    _check_terms(school, priority, days)
    what = required(what, "what", _("Say in a sentence what your school could share."))
    if not 1 <= at_once <= MOST_AT_ONCE:
        raise ValidationError({"at_once": _("Between 1 and 20 schools.")})
    hold_school(school)
    same = Offer.objects.filter(
        school=school, priority=priority, giver=by.person_id, state__in=["open", "paused"]
    ).first()
    if same is not None:
        if (same.what, same.days, same.at_once) == (what, days, at_once):
            return same
        raise ValidationError(
            _(
                "You offer support at “{priority}” already. Open that offer, or withdraw it and "
                "offer anew."
            ).format(priority=priority.title)
        )
    made = Offer.objects.create(
        school=school,
        priority=priority,
        giver=by.person,
        giver_name=str(by.person)[:300],
        what=what,
        days=days,
        at_once=at_once,
        languages=school.language,
        offered_by=by.label[:300],
        offered_at=timezone.now(),
    )
    detail = {"school": school.code, "priority": priority.code, "days": days, "at_once": at_once}
    audit.record("connectedness.offer_support", by=by, target=made, detail=detail)
    told = [*people.officers_over(school), *people.leaders_of(directory.partnership_of(school))]
    tell(told, "offered", made, by=by, gives=school.name)
    return made


@transaction.atomic
def set_offer_state(
    offer: Offer, to: str, *, by: Appointment, seen: int | None = None
) -> Offer:  # fmt: skip
    """Pause an offer, open it again, or withdraw it. What both sides accepted already stands."""
    from brightspots_web.connectedness import support_match_actions as matching  # it leans on ours

    # The requests it stands at come first, as everywhere: nobody waits in a circle.
    open_at = SupportMatch.objects.filter(offer=offer.pk, state=SupportMatch.State.SUGGESTED)
    keys = sorted(open_at.values_list("request", flat=True))
    list(Request.objects.select_for_update(no_key=True).filter(pk__in=keys).order_by("pk"))
    offer = held_offer(offer.pk, seen)
    if not queries.answers_for(by, offer.school_id):
        raise PermissionDenied
    if to not in Offer.State.values:
        raise ValidationError(_("Choose one of these."))
    offer.state = states.follow(states.OFFER, offer.state, Offer.State(to))
    saved(offer, "state")
    audit.record("connectedness.offer_state", by=by, target=offer, detail={"to": to})
    if to != Offer.State.OPEN:
        for match in open_at.filter(request__in=keys).order_by("pk"):
            matching.drop(match, by=by, why=_("The offer does not stand at this time."))
    return offer


def _new_request(
    school: School, by: Appointment, priority: Priority, what: str, days: Decimal, urgency: str
) -> Request:
    _check_terms(school, priority, days)
    if urgency not in Request.Urgency.values:
        raise ValidationError({"urgency": _("Choose one of these.")})
    what = required(what, "what", _("Say in a sentence what would help."))
    return Request(
        school=school,
        priority=priority,
        what=what,
        days=days,
        urgency=urgency,
        asked_by=by.label[:300],
        asked_at=timezone.now(),
    )


def _check_terms(school: School, priority: Priority, days: Decimal) -> None:
    check_open(school)
    if priority not in alignment.live_priorities():
        raise ValidationError(
            {"priority": _("This is not one of the priorities now. Choose one that is.")}
        )
    if not FEWEST_DAYS <= days <= MOST_DAYS:
        raise ValidationError({"days": _("Between half a day and 60 days.")})


def _open_one(school: School, priority: Priority) -> Request | None:
    """The school's open request at a priority, held; there is one at most, and none comes now."""
    hold_school(school)
    rows = Request.objects.select_for_update(no_key=True)
    return rows.filter(school=school, priority=priority, state__in=states.OPEN_REQUEST).first()


def _close(request: Request, to: Request.State) -> None:
    request.state = states.follow(states.REQUEST, request.state, to)
    request.closed_at = timezone.now()
    saved(request, "state", "closed_at", "close_reason")


def _drop_matches(request: Request, by: Appointment) -> None:
    """Nothing of a closed request waits any longer; whoever was asked is told."""
    for match in SupportMatch.objects.select_for_update(no_key=True).filter(
        request=request, state__in=states.LIVE_MATCH
    ):
        match.state = states.follow(states.MATCH, match.state, SupportMatch.State.WITHDRAWN)
        match.ended_by = by.label[:300]
        saved(match, "state", "ended_by")
        if match.put_at is not None:
            tell_both(match, "withdrawn", by=by)


def _detail(request: Request) -> dict[str, object]:
    return {
        "school": request.school.code,
        "priority": request.priority.code,
        "days": request.days,
        "urgency": request.urgency,
    }
