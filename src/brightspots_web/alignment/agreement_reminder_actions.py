"""Notices that follow the calendar: a phase begins; it ends soon and something of yours waits."""

from collections.abc import Iterable
from datetime import datetime, time, timedelta

from django.db import transaction
from django.utils import timezone

from brightspots_web.alignment import agreement_queries as queries
from brightspots_web.alignment import proposal_queries
from brightspots_web.alignment.agreement_queries import Phase
from brightspots_web.alignment.models import Agreement, PriorityProposal
from brightspots_web.directory import answering_queries as answering
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Person
from brightspots_web.notices import actions as notices
from brightspots_web.notices import queries as notice_queries
from brightspots_web.shared.permissions import CAPABILITIES, Capability

BEGAN = "alignment.phase_began"
DRAFT_WAITS = "alignment.draft_waits"
ANSWERS_WAIT = "alignment.answers_wait"
LATE = timedelta(days=7)
"""A phase that began longer ago is no news: the worker stood still, or the day was moved."""
BEFORE_END = timedelta(days=7)


def tell_of_calendar() -> int:
    """The worker's hourly work; return how many notices there were. Nobody hears of it twice."""
    return sum(_tell_of(each) for each in queries.open_agreements())


@transaction.atomic
def _tell_of(agreement: Agreement) -> int:
    held = (
        Agreement.objects.select_for_update(of=("self",), no_key=True)
        .select_related("cycle")
        .get(pk=agreement.pk)
    )
    today = directory.today()
    now = next((each for each in queries.phases(held) if each.starts <= today < each.ends), None)
    if now is None:
        return 0
    told = 0
    if today - now.starts < LATE:
        told += _tell_begun(held, now)
    if now.ends - today <= BEFORE_END:
        told += _tell_ending(held, now)
    return told


def _tell_begun(agreement: Agreement, phase: Phase) -> int:
    key = f"agreement-{agreement.pk}:{phase.name}:{phase.starts.isoformat()}"
    since = timezone.make_aware(datetime.combine(phase.starts, time.min)) - LATE
    known = {person for person, each in notice_queries.told_since(BEGAN, since) if each == key}
    people = [each for each in _concerned(agreement, phase.name) if each.pk not in known]
    data = {"agreement": agreement.pk, "phase": phase.name}
    return notices.notify(people, BEGAN, data, key=key)


def _concerned(agreement: Agreement, phase: str) -> Iterable[Person]:
    """Who has something to do in a phase. Of the ballot itself its own notices speak."""
    if phase == "propose":
        roles = (each for each, can in CAPABILITIES.items() if Capability.PROPOSE_PRIORITIES in can)
        return answering.people_with_roles(roles)
    if phase == "ballot" and queries.has_ballot(agreement):
        return []
    if phase in {"ballot", "adopt"}:
        roles = (each for each, can in CAPABILITIES.items() if Capability.SET_PRIORITIES in can)
        return answering.people_with_roles(roles)
    return directory.people_with_appointments()


def _tell_ending(agreement: Agreement, phase: Phase) -> int:
    """Those who have not done yet what the phase is for."""
    waiting: Iterable[PriorityProposal]
    if phase.name == "propose":
        kind, waiting = DRAFT_WAITS, proposal_queries.drafts_in(agreement)
    elif phase.name == "consult":
        kind, waiting = ANSWERS_WAIT, proposal_queries.with_unanswered(agreement)
    else:
        return 0
    since = timezone.now() - 2 * BEFORE_END
    known = {key for _person, key in notice_queries.told_since(kind, since)}
    number = 0
    for each in waiting:
        key = f"proposal-{each.pk}:{phase.ends.isoformat()}"
        if key in known:
            continue
        people = [held.person for held in proposal_queries.answering_for(each).appointments]
        number += notices.notify(people, kind, {"proposal": each.pk}, key=key)
    return number
