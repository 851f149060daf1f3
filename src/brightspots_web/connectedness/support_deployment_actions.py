"""Support under way: its terms, what was done, the report, and both sides' views. The writes."""

from datetime import date, timedelta
from decimal import Decimal

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from brightspots_web.connectedness import support_queries as queries
from brightspots_web.connectedness import support_states as states
from brightspots_web.connectedness.models import (
    Contact,
    Deployment,
    DeploymentExtension,
    DeploymentLog,
    DeploymentView,
    SupportMatch,
    SupportRequest,
)
from brightspots_web.connectedness.support_actions import FEWEST_DAYS, MOST_DAYS
from brightspots_web.connectedness.support_lock_actions import (
    check_open,
    check_room,
    held_deployment,
    held_match,
    no_longer,
    required,
    saved,
    tell,
)
from brightspots_web.connectedness.support_match_actions import back_to_queue
from brightspots_web.directory import people_queries as people
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment
from brightspots_web.shared import audit

LONGEST = timedelta(days=731)
"""Support that is agreed for longer than two years is a slip of the hand, or another plan."""
MOST_DAYS_A_LOG = Decimal(5)
Kind = DeploymentLog.Kind


@transaction.atomic
def begin(
    match: SupportMatch,
    *,
    by: Appointment,
    aim: str,
    days: Decimal,
    starts: date,
    exit_on: date,
    seen: int | None = None,
) -> Deployment:
    """Write down what both sides agreed on: the aim, the days, and the day on which it ends.

    Either school may, and an officer of the area; the others are told. The days are held against
    the leader's once more, since they may be more than were asked for.
    """
    match = held_match(match.pk, seen)
    request, offer = match.request, match.offer
    known = any(queries.answers_for(by, key) for key in (request.school_id, offer.school_id))
    if not known and not queries.brokers_for(by, request.school):
        raise PermissionDenied
    if queries.deployment_of(match) is not None:
        raise ValidationError(_("The terms have been agreed already: see its own page."))
    if match.state != SupportMatch.State.ACCEPTED:
        raise ValidationError(_("Both schools have to accept before terms can be agreed."))
    check_open(request.school)
    check_open(offer.school)
    aim = required(aim, "aim", _("Say what shall be different at the end."))
    _check_terms(days, starts, exit_on)
    check_room(offer, days, year=starts.year, but=match.pk)
    deployment = Deployment.objects.create(
        match=match,
        receiving=request.school,
        giving=offer.school,
        priority=request.priority,
        giver=offer.giver,
        giver_name=offer.giver_name,
        aim=aim,
        days=days,
        starts=starts,
        exit_on=exit_on,
        agreed_by=by.label[:300],
        agreed_at=timezone.now(),
    )
    saved(match)
    detail = {"days": days, "starts": starts, "exit_on": exit_on}
    audit.record("connectedness.begin_support", by=by, target=deployment, detail=detail)
    tell_all(deployment, "begun", by)
    return deployment


def _check_terms(days: Decimal, starts: date, exit_on: date) -> None:
    if not FEWEST_DAYS <= days <= MOST_DAYS:
        raise ValidationError({"days": _("Between half a day and 60 days.")})
    if exit_on < starts:
        raise ValidationError({"exit_on": _("It must not end before it starts.")})
    if exit_on - starts > LONGEST:
        raise ValidationError(
            {"exit_on": _("Longer than two years. Agree on a nearer day; it can be asked anew.")}
        )
    if starts < directory.today() - LONGEST:
        raise ValidationError({"starts": _("This is more than two years ago. Check the year.")})
    if starts > directory.today() + LONGEST:
        raise ValidationError({"starts": _("This is more than two years away. Check the year.")})
    if days > (exit_on - starts).days + 1:
        raise ValidationError({"days": _("There are fewer days than that between the two dates.")})


@transaction.atomic
def log(
    deployment: Deployment, *, by: Appointment, kind: str, on: date, days: Decimal, note: str = ""
) -> DeploymentLog:
    """Write down a visit, a call or preparation; pressed twice, it is written once.

    A visit or call is also contact with the school that is supported. The note stays between the
    two schools: it is not copied there.
    """
    deployment = held_deployment(deployment.pk)
    if not queries.answers_for(by, deployment.giving_id):
        raise PermissionDenied
    if deployment.state != Deployment.State.RUNNING:
        raise ValidationError(_("This support is over: nothing more can be written down here."))
    if kind not in Kind.values:
        raise ValidationError({"kind": _("Choose one of these.")})
    _check_log(deployment, on, days)
    note = no_longer(note, "note")
    same = deployment.logs.filter(kind=kind, on=on, days=days, note=note).first()
    if same is not None:
        return same
    now = timezone.now()
    written = DeploymentLog.objects.create(
        deployment=deployment, kind=kind, on=on, days=days, note=note, by=by.label[:300], at=now
    )
    if kind != Kind.PREPARATION:
        Contact.objects.create(
            school=deployment.receiving,
            kind=Contact.Kind.SUPPORT,
            on=on,
            deployment=deployment,
            by=by.label[:300],
            at=now,
        )
    saved(deployment)
    detail = {"kind": kind, "on": on, "days": days}
    audit.record("connectedness.log_support", by=by, target=deployment, detail=detail)
    heads = people.heads_of(deployment.receiving)
    tell(heads, "logged", deployment, by=by, **names(deployment))
    return written


def _check_log(deployment: Deployment, on: date, days: Decimal) -> None:
    if on > directory.today():
        raise ValidationError({"on": _("This day is still to come. Write it down then.")})
    if on < deployment.starts - timedelta(days=60):
        raise ValidationError(
            {
                "on": _("Support starts on {day}; this is long before.").format(
                    day=date_format(deployment.starts)
                )
            }
        )
    if not Decimal("0.1") <= days <= MOST_DAYS_A_LOG:
        raise ValidationError({"days": _("Between 0.1 and 5 days. Write down visits one by one.")})


@transaction.atomic
def finish(
    deployment: Deployment, *, by: Appointment, report: str, seen: int | None = None
) -> Deployment:
    """The giver reports what was done, what changed and what goes on; with it, support ends."""
    deployment = held_deployment(deployment.pk, seen)
    if not queries.answers_for(by, deployment.giving_id):
        raise PermissionDenied
    to = states.follow(states.DEPLOYMENT, deployment.state, Deployment.State.FINISHED)
    report = required(report, "report", _("Say what was done and what changed."))
    if not deployment.logs.exclude(kind=Kind.PREPARATION).exists():
        raise ValidationError(
            _("No visit or call is written down yet. Write it down first, or end this early.")
        )
    deployment.state, deployment.report, deployment.report_by = to, report, by.label[:300]
    deployment.ended_on = directory.today()
    saved(deployment, "state", "report", "report_by", "ended_on")
    _let_extensions_go(deployment, by)
    close(deployment.match.request, SupportRequest.State.MET)
    audit.record("connectedness.finish_support", by=by, target=deployment)
    tell_all(deployment, "finished", by)
    return deployment


@transaction.atomic
def end_early(
    deployment: Deployment,
    *,
    by: Appointment,
    why: str,
    still_wanted: bool = True,
    seen: int | None = None,
) -> Deployment:
    """End support before its aim is reached: either school, or an officer of the area.

    Where the school still wants support, its request is in the queue again, as soon and as old as
    it was; a giver cannot close another school's request. Days not given are the leader's again.
    """
    deployment = held_deployment(deployment.pk, seen)
    side = queries.side_of(deployment, by)
    if not side and not queries.brokers_for(by, deployment.receiving):
        raise PermissionDenied
    to = states.follow(states.DEPLOYMENT, deployment.state, Deployment.State.ENDED)
    why = required(why, "why", _("Say why, so that the others understand."))
    again = still_wanted or side == DeploymentView.Side.GIVING
    end(deployment, to, by, why, again=again)
    audit.record("connectedness.end_support", by=by, target=deployment, detail={"again": again})
    tell_all(deployment, "ended", by)
    return deployment


def end(
    deployment: Deployment, to: Deployment.State, by: Appointment, why: str, *, again: bool
) -> None:
    deployment.state, deployment.ended_on, deployment.ended_why = to, directory.today(), why
    saved(deployment, "state", "ended_on", "ended_why")
    _let_extensions_go(deployment, by)
    match = deployment.match
    match.state = states.follow(states.MATCH, match.state, SupportMatch.State.WITHDRAWN)
    match.ended_by, match.ended_why = by.label[:300], why
    saved(match, "state", "ended_by", "ended_why")
    if again:
        back_to_queue(match.request)
    else:
        match.request.close_reason = why
        close(match.request, SupportRequest.State.WITHDRAWN)


def _let_extensions_go(deployment: Deployment, by: Appointment) -> None:
    """A later end that was proposed waits for nobody once support is over."""
    deployment.extensions.filter(state=DeploymentExtension.State.PROPOSED).update(
        state=DeploymentExtension.State.WITHDRAWN,
        answered_by=by.label[:300],
        answered_at=timezone.now(),
    )


def close(request: SupportRequest, to: SupportRequest.State) -> None:
    request.state = states.follow(states.REQUEST, request.state, to)
    request.closed_at = timezone.now()
    saved(request, "state", "closed_at", "close_reason")


@transaction.atomic
def give_view(
    deployment: Deployment, *, by: Appointment, worth: int, words: str = ""
) -> DeploymentView:
    """One side says what the support was worth, once it is over; once a side, not changed after."""
    deployment = held_deployment(deployment.pk)
    side = queries.side_of(deployment, by)
    if not side:
        raise PermissionDenied
    if deployment.state == Deployment.State.RUNNING:
        raise ValidationError(_("Support is still under way. Say it when it is over."))
    if worth not in DeploymentView.Worth.values:
        raise ValidationError({"worth": _("Choose one of these.")})
    words = no_longer(words, "words")
    given = DeploymentView.objects.filter(deployment=deployment, side=side).first()
    if given is not None:
        if (given.worth, given.words) == (worth, words):
            return given  # pressed twice
        raise ValidationError(_("Your school has said this already; it stays as it was said."))
    view = DeploymentView.objects.create(
        deployment=deployment,
        side=side,
        worth=worth,
        words=words,
        by=by.label[:300],
        at=timezone.now(),
    )
    audit.record("connectedness.view_support", by=by, target=deployment, detail={"side": side})
    other = deployment.giving if side == DeploymentView.Side.RECEIVING else deployment.receiving
    tell(people.heads_of(other), "view", deployment, by=by, **names(deployment))
    return view


def names(deployment: Deployment) -> dict[str, str]:
    return {"asks": deployment.receiving.name, "gives": deployment.giving.name}


def tell_all(deployment: Deployment, event: str, by: Appointment) -> None:
    """Tell both schools and the officers; the link leads to the deployment."""
    told = [
        *people.heads_of(deployment.receiving),
        *people.heads_of(deployment.giving),
        *people.officers_over(deployment.receiving),
    ]
    tell({person.pk: person for person in told}.values(), event, deployment, by=by,
         **names(deployment))  # fmt: skip
