"""What happens to support when a school closes: nothing waits for a school that is gone."""

from datetime import date

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from brightspots_web.connectedness import support_states as states
from brightspots_web.connectedness.models import (
    Deployment,
    SupportMatch,
    SupportOffer,
    SupportRequest,
)
from brightspots_web.connectedness.support_deployment_actions import close, end, tell_all
from brightspots_web.connectedness.support_lock_actions import (
    held_deployment,
    held_match,
    saved,
    tell_both,
    tell_officers,
)
from brightspots_web.connectedness.support_match_actions import back_to_queue
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, School
from brightspots_web.shared import audit


@transaction.atomic
def close_for_closed_schools(*, by: Appointment) -> int:
    """Where a school closed meanwhile: end what stands with it, give others their place back.

    A closed school's request is closed and its offers withdrawn; a school that was supported by
    one that closed is in the queue again as it was. Safe to run twice.

    Returns
    -------
    int
        Requests, offers and deployments that were changed.
    """
    today = directory.today()
    changed = 0
    running = Deployment.objects.filter(state=Deployment.State.RUNNING).order_by("pk")
    for pk in running.filter(_closed("receiving", today) | _closed("giving", today)).values_list(
        "pk", flat=True
    ):
        changed += _end_for_closed(held_deployment(pk), by)
    changed += _close_requests(today, by)
    changed += _close_offers(today, by)
    if changed:
        audit.record("connectedness.close_support", by=by, detail={"changed": changed})
    return changed


def _end_for_closed(deployment: Deployment, by: Appointment) -> int:
    gone = deployment.receiving if _is_closed(deployment.receiving) else deployment.giving
    again = not _is_closed(deployment.receiving)
    end(deployment, Deployment.State.ENDED, by, _closed_words(gone), again=again)
    tell_all(deployment, "ended", by)
    return 1


def _close_requests(today: date, by: Appointment) -> int:
    rows = SupportRequest.objects.filter(_closed("school", today), state__in=states.OPEN_REQUEST)
    count = 0
    for request in (
        rows.select_for_update(of=("self",), no_key=True).select_related("school").order_by("pk")
    ):
        live = SupportMatch.objects.filter(request=request, state__in=states.LIVE_MATCH)
        for match in live.select_related("offer__school"):
            _withdraw(match, by, _closed_words(request.school))
        request.close_reason = _closed_words(request.school)
        close(request, SupportRequest.State.WITHDRAWN)
        count += 1
    return count


def _close_offers(today: date, by: Appointment) -> int:
    count = 0
    offers = SupportOffer.objects.filter(
        _closed("school", today), state__in=[SupportOffer.State.OPEN, SupportOffer.State.PAUSED]
    )
    for offer in offers.select_related("school").order_by("pk"):
        live = SupportMatch.objects.filter(offer=offer, state__in=states.LIVE_MATCH)
        for pk in live.order_by("pk").values_list("pk", flat=True):
            match = held_match(pk)
            accepted = match.state == SupportMatch.State.ACCEPTED
            _withdraw(match, by, _closed_words(offer.school))
            if accepted:
                back_to_queue(match.request)
            tell_officers(match.request, "returned", by=by)
        offer.state = states.follow(states.OFFER, offer.state, SupportOffer.State.WITHDRAWN)
        saved(offer, "state")
        count += 1
    return count


def _withdraw(match: SupportMatch, by: Appointment, why: str) -> None:
    match.state = states.follow(states.MATCH, match.state, SupportMatch.State.WITHDRAWN)
    match.ended_by, match.ended_why = by.label[:300], why
    saved(match, "state", "ended_by", "ended_why")
    if match.put_at is not None:
        tell_both(match, "returned", by=by)


def _closed(path: str, today: date) -> Q:
    return Q(**{f"{path}__closed__isnull": False, f"{path}__closed__lte": today})


def _is_closed(school: School) -> bool:
    return school.closed is not None and school.closed <= directory.today()


def _closed_words(school: School) -> str:
    return _("{school} closed.").format(school=school.name)
