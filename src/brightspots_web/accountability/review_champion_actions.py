"""Improvement champions: named by a school, and ended; they help turn findings into change."""

from datetime import date

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.accountability import review_queries as queries
from brightspots_web.accountability.models import ImprovementChampion
from brightspots_web.accountability.review_actions import required
from brightspots_web.directory import queries as directory
from brightspots_web.directory.actions import hold_school
from brightspots_web.directory.models import Appointment
from brightspots_web.shared import audit


@transaction.atomic
def name_champion(held: Appointment, good_at: str, *, by: Appointment) -> ImprovementChampion:
    """Name somebody who works at a school; named twice, it is one championship."""
    if held.school is None or not queries.names_at(by).filter(pk=held.school.pk).exists():
        raise PermissionDenied
    hold_school(held.school)
    words = required(good_at, "good_at", 300)
    same = ImprovementChampion.objects.filter(
        person=held.person_id, school=held.school_id, until__isnull=True
    ).first()
    if same is not None:
        if same.good_at == words:
            return same
        raise ValidationError(
            {"who": _("{who} is a champion already. End that one first.").format(who=held.person)}
        )
    champion = ImprovementChampion.objects.create(
        person=held.person,
        school=held.school,
        good_at=words,
        since=directory.today(),
        by=by.label[:300],
        at=timezone.now(),
    )
    audit.record("accountability.name_champion", by=by, target=champion)
    return champion


@transaction.atomic
def end_champion(
    champion: ImprovementChampion, *, by: Appointment, on: date | None = None
) -> ImprovementChampion:
    """Somebody is a champion no longer; ended twice, it ended the first time."""
    found = ImprovementChampion.objects.select_for_update(no_key=True).get(pk=champion.pk)
    if not queries.may_end(by, found):
        raise PermissionDenied
    if found.until is None:
        found.until = on or directory.today()
        found.save()
        audit.record("accountability.end_champion", by=by, target=found)
    return found
