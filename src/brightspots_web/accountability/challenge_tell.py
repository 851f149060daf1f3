"""Whom the events of a challenge visit are told to: the school, the challenger, who planned it."""

from collections.abc import Iterable

from brightspots_web.accountability import challenge_queries as queries
from brightspots_web.accountability.models import ChallengeStep, ChallengeVisit
from brightspots_web.directory.models import Appointment, Person
from brightspots_web.directory.succession_queries import answering_now
from brightspots_web.notices import actions as notices


def school(visit: ChallengeVisit, event: str, *, by: Appointment | None = None) -> None:
    _tell(answering_now(visit.school), event, visit, by=by)


def challenger(visit: ChallengeVisit, event: str, *, by: Appointment | None = None) -> None:
    _tell([visit.challenger] if visit.challenger else [], event, visit, by=by)


def planners(visit: ChallengeVisit, event: str, *, by: Appointment | None = None) -> None:
    _tell(queries.planners_of(visit.school), event, visit, by=by)


def everybody(visit: ChallengeVisit, event: str, *, by: Appointment | None = None) -> None:
    people = [*answering_now(visit.school), *queries.planners_of(visit.school)]
    if visit.challenger is not None:
        people.append(visit.challenger)
    _tell(people, event, visit, by=by)


def step_due(step: ChallengeStep) -> None:
    """Tell the side that owes it; the words are on the page, not in the notice."""
    visit = step.visit
    owed_by_school = step.side == ChallengeStep.Side.SCHOOL
    people = answering_now(visit.school) if owed_by_school else queries.planners_of(visit.school)
    _tell(people, "step_due", visit, step=step.pk)


def _tell(
    people: Iterable[Person],
    event: str,
    visit: ChallengeVisit,
    *,
    by: Appointment | None = None,
    step: int | None = None,
) -> None:
    """One notice for each of the people but the one who acts; a newer one replaces an unseen."""
    data = {"visit": visit.pk, "school": visit.school.name, "on": visit.on.isoformat()}
    if visit.follow_up_on is not None:
        data["follow_up_on"] = visit.follow_up_on.isoformat()
    others = [each for each in people if by is None or each.pk != by.person_id]
    key = f"challenge:{event}:{visit.pk}:{step or ''}"
    notices.notify(others, f"accountability.challenge_{event}", data, key=key)
