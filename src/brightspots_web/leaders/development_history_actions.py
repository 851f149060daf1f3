"""Writing down what was so before this installation: ratings, learning and hours of past days.

For whoever has the machine's shell: a system that has such records from elsewhere, and the sample.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.directory import queries as directory
from brightspots_web.directory.actions import OPERATOR
from brightspots_web.directory.models import Appointment, Person
from brightspots_web.leaders.development_learning_actions import Offer
from brightspots_web.leaders.models import (
    Attendance,
    CompetenceRating,
    Learning,
    TimeSpent,
)
from brightspots_web.shared import audit


@transaction.atomic
def date_back(ratings: Iterable[CompetenceRating], on: date, *, by: Appointment) -> None:
    """Let ratings have been given on an earlier day."""
    _check(by, on)
    at = _at(on)
    keys = [each.pk for each in ratings]
    number = CompetenceRating.objects.filter(pk__in=keys, level__isnull=False).update(
        at=at, asked_at=at
    )
    audit.record("leaders.date_back_ratings", by=by, detail={"ratings": number, "to": on})


@transaction.atomic
def learning_took_place(
    wanted: Offer, on: date, people: Iterable[Person], *, by: Appointment, offered_by: Appointment
) -> Learning:
    """Write down learning of a past day, and who was there."""
    _check(by, on)
    at = _at(on)
    learning = Learning.objects.create(
        kind=wanted.kind, title=wanted.title, about=wanted.about, on=on, place=wanted.place,
        hours=wanted.hours, area=wanted.area, offerer=offered_by.person,
        offered_by=offered_by.label[:300], at=at, reminded_at=at,
    )  # fmt: skip
    learning.competences.set(wanted.competences)
    Attendance.objects.bulk_create(
        Attendance(
            learning=learning, person=person, enrolled_at=at, attended_on=on,
            confirmed_by=offered_by.label[:300],
        )
        for person in people
    )  # fmt: skip
    audit.record("leaders.learning_took_place", by=by, target=learning)
    return learning


@transaction.atomic
def hours_were(
    person: Person, weeks: Mapping[date, Mapping[str, Decimal]], *, by: Appointment
) -> None:
    """Write down the hours of a person's past weeks, none of which is on record."""
    for monday in weeks:
        _check(by, monday)
    TimeSpent.objects.bulk_create(
        TimeSpent(person=person, week=monday, on=on, hours=hours, at=_at(monday))
        for monday, spent in weeks.items()
        for on, hours in spent.items()
        if hours > 0
    )
    audit.record("leaders.hours_were", by=by, detail={"weeks": len(weeks)})


def _check(by: Appointment, on: date) -> None:
    if by.person.email != OPERATOR:
        raise PermissionDenied
    if on > directory.today():
        raise ValidationError(_("This day is still to come."))


def _at(on: date) -> datetime:
    return timezone.make_aware(datetime.combine(on, time(12)))
