"""Ratings and hours that are older than they are kept for are deleted."""

from datetime import date, datetime, time, timedelta

from django.db import transaction
from django.utils import timezone

from brightspots_web.directory import queries as directory
from brightspots_web.leaders.models import CompetenceRating, TimeSpent

RATINGS = timedelta(days=5 * 365 + 1)
HOURS = timedelta(days=3 * 365)


@transaction.atomic
def forget(today: date | None = None) -> dict[str, int]:
    """Delete ratings of five years ago and hours of three; return how many of each."""
    today = today or directory.today()
    before = timezone.make_aware(datetime.combine(today - RATINGS, time.min))
    ratings, _by_model = CompetenceRating.objects.filter(asked_at__lt=before).delete()
    hours, _by_model = TimeSpent.objects.filter(week__lt=today - HOURS).delete()
    return {"ratings": ratings, "hours": hours}
