"""What somebody reads whose school has left: the decision as it was on the day it left.

What the others change, promise and do afterwards is theirs.
"""

from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import replace
from datetime import date
from typing import Any

from django.db.models import QuerySet

from brightspots_web.devolution import decision_queries as queries
from brightspots_web.devolution.decision_queries import Search, Word
from brightspots_web.devolution.models import Decision, DecisionAction, DecisionText, Meeting
from brightspots_web.directory import queries as directory
from brightspots_web.directory import record_queries
from brightspots_web.directory.models import Appointment, Partnership

State = Decision.State


def we_left_on(acting: Appointment | None, partnership: int) -> date | None:
    """The first day on which the reader is no longer in a partnership; None while they are."""
    if acting is None or acting.partnership_id == partnership:
        return None
    ours = queries.schools_spoken_for(acting)
    if directory.live_memberships().filter(partnership=partnership, school__in=ours).exists():
        return None
    held = record_queries.memberships().filter(partnership=partnership, school__in=ours)
    ends = [
        min(
            filter(None, (each.ends, each.partnership.closed, each.school.closed)), default=date.max
        )
        for each in held.select_related("partnership", "school")
    ]
    past = [day for day in ends if day <= directory.today()]
    return max(past, default=None)


def as_read(decision: Decision, until: date | None) -> Decision:
    """The decision as it was before a day: a copy, never to be saved. As it is for None."""
    if until is None:
        return decision
    found = copy(decision)
    later = DecisionText.objects.filter(decision=decision, at__date__gte=until)
    text = later.order_by("version").first()
    if text is not None:
        kept = text.text
        found.question, found.decision = kept["question"], kept["decision"]
        found.options, found.would_change = kept["options"], kept["would_change"]
        found.owner_name, found.by_when = kept["owner"], date.fromisoformat(kept["by_when"])
        found.version = text.version
    made = decision.made_at is not None and decision.made_at.date() < until
    if not made:
        found.made_at, found.made_by, found.made_why, found.asked = None, "", "", []
    if decision.changed_at.date() >= until or not made:
        found.state, found.dropped_why = (State.MADE if made else State.PROPOSED), ""
    return found


def search_as_read(
    acting: Appointment | None, partnership: Partnership, wanted: Search
) -> QuerySet[Decision]:
    """As `decision_queries.search`: who has left finds nothing by what came since."""
    if we_left_on(acting, partnership.pk) is None:
        return queries.search(acting, partnership, wanted)
    known = replace(wanted, words="", state="", mine=False)
    return queries.search(acting, partnership, known).order_by("-pk")


def decided_at(acting: Appointment | None, meeting: Meeting) -> list[Decision]:
    """What was decided at a meeting, as this reader reads it."""
    until = we_left_on(acting, meeting.partnership_id)
    found = queries.decisions_visible_to(acting).filter(meeting=meeting)
    return [as_read(each, until) for each in found]


def all_as_read(found: Iterable[Decision], until: date | None) -> Iterator[Any]:
    """Decisions of one partnership for a list, with the counts a list says."""
    for each in found:
        read: Any = as_read(each, until)
        if until is not None:
            actions = actions_as_read(read, until)
            said = [word.agrees for word in words_as_read(read, until)]
            read.n_actions = len(actions)
            read.n_open = sum(action.done_on is None for action in actions)
            read.n_carry, read.n_object = said.count(True), said.count(False)
        yield read


def words_as_read(decision: Decision, until: date | None) -> list[Word]:
    """The words of schools; for who has left, those said until then by schools they knew of."""
    if until is None:
        return queries.words_of(decision)
    said = queries.consents(decision).filter(at__date__lt=until, decision_version=decision.version)
    return [Word(each.school, each, answered=True) for each in said]


def actions_as_read(decision: Decision, until: date | None) -> list[DecisionAction]:
    """What was promised until then, and what was done of it by then."""
    found = queries.actions_of(decision)
    if until is None:
        return list(found)
    actions = list(found.filter(at__date__lt=until))
    for each in actions:
        if each.done_on is not None and each.done_on >= until:
            each.done_on, each.outcome = None, ""
    return actions
