"""What the worker does every day: findings not written or agreed, check-backs near or overdue."""

from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from brightspots_web.accountability import visit_queries as queries
from brightspots_web.accountability import visit_tell as tell
from brightspots_web.accountability.models import PeerReview
from brightspots_web.directory import queries as directory
from brightspots_web.notices import queries as notices

State = PeerReview.State
WRITE_WITHIN = timedelta(days=3)
AGREE_WITHIN = timedelta(days=14)
WEEK = timedelta(days=7)
STEP_DUE = "accountability.visit_step_due"


def look_after(on: date | None = None) -> int:
    """Remind of what is due. It may run as often as is handy: nobody is told of the same twice."""
    today = on or directory.today()
    told = 0
    for review in queries.to_look_after(today):
        stage = _stage(review, today)
        if stage and stage != review.reminded:
            told += _remind(review, stage)
    return told + _steps(today)


def _stage(review: PeerReview, today: date) -> str:
    """Of what people are to be reminded now; the name of a notice."""
    if review.state in (State.AGREED, State.WORKSHOP) and review.check_back_on is not None:
        return "overdue" if review.check_back_on < today else "check"
    last = queries.last_day(review)
    if last is None:
        return ""
    if review.state == State.SCHEDULED:
        return "unwritten" if last + WRITE_WITHIN <= today else ""
    return "to_agree" if last + AGREE_WITHIN <= today else ""


def _remind(review: PeerReview, stage: str) -> int:
    with transaction.atomic():
        mine = PeerReview.objects.filter(
            pk=review.pk, state=review.state, reminded=review.reminded,
            check_back_on=review.check_back_on,
        )  # fmt: skip
        if not mine.update(reminded=stage):
            return 0
        if stage == "overdue":
            tell.everybody(review, stage)
            tell.officers(review, "area_overdue")
        else:
            tell.both(review, stage)
    return 1


def _steps(today: date) -> int:
    due = list(queries.actions_due(today + WEEK))
    if not due:
        return 0
    since = timezone.now() - timedelta(days=365)
    known = {key for _person, key in notices.told_since(STEP_DUE, since)}
    fresh = [each for each in due if tell.key("step_due", each.review, each.pk) not in known]
    for step in fresh:
        with transaction.atomic():
            tell.step_due(step)
    return len(fresh)
