"""A school closes or merges: what that means for its partnership and for support, and who hears."""

from collections.abc import Sequence
from datetime import date

from django.db import transaction
from django.db.models import QuerySet

from brightspots_web.connectedness.support_closing_actions import close_for_closed_schools
from brightspots_web.directory import people_queries as people
from brightspots_web.directory import queries as directory
from brightspots_web.directory import succession_actions
from brightspots_web.directory.models import Appointment, Person, School
from brightspots_web.notices import actions as notices
from brightspots_web.shared import audit

SCHOOL_CLOSES = "connectedness.school_closes"


@transaction.atomic
def close_school(
    school: School, *, on: date, successors: Sequence[School] = (), by: Appointment
) -> School:
    """Close a school on a day and tell everybody it concerns.

    Told are its own people, those of its partnership, of the schools that carry on, and its
    officers. On a day that has come, requests and offers of support that stand with it end at
    once; otherwise when the day comes.

    Raises
    ------
    PermissionDenied, ValidationError
        As :func:`brightspots_web.directory.succession_actions.close_school`.
    """
    concerned = _concerned(school, successors)
    found = succession_actions.close_school(school, on=on, successors=successors, by=by)
    notices.notify(concerned, SCHOOL_CLOSES, {"school": found.code}, key=found.code)
    if on <= directory.today():
        close_for_closed_schools(by=by)
    audit.record(
        "connectedness.close_school",
        by=by,
        target=found,
        detail={"told": len(concerned), "on": on.isoformat()},
    )
    return found


def _concerned(school: School, successors: Sequence[School]) -> list[Person]:
    partnership = directory.partnership_of(school)
    members = [each.school for each in directory.memberships_of(partnership)] if partnership else []
    groups: list[QuerySet[Person]] = [
        people.people_of([school, *members, *successors]),
        people.leaders_of(partnership),
        people.officers_over(school),
    ]
    return list({person.pk: person for group in groups for person in group}.values())
