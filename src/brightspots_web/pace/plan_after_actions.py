"""What happened is written down, held against the plan, and narrows what is assumed."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Area
from brightspots_web.pace import plan_actions as studies
from brightspots_web.pace import plan_calendar as calendar
from brightspots_web.pace import plan_observed_queries as observed
from brightspots_web.pace import plan_queries as queries
from brightspots_web.pace.plan_models import PlanLesson, PlanRollout, PlanStart
from brightspots_web.shared import audit, jobs
from brightspots_web.shared.models import Job
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.words import day

State = PlanLesson.State
LONGEST_BEFORE = timedelta(days=730)
"""By which an area may have begun before the first day of the plan."""


@transaction.atomic
def record_start(
    rollout: PlanRollout, area: Area, began: date | None, note: str = "",
    *, by: Appointment, seen: int | None,
) -> PlanStart:  # fmt: skip
    """Write down when an area began (None: not yet); `seen` is the version of what stood there."""
    if not queries.may_write_start(by, area):
        raise PermissionDenied
    held = PlanRollout.objects.select_for_update(no_key=True).get(pk=rollout.pk)
    if held.state != PlanRollout.State.ADOPTED or str(area.pk) not in held.waves:
        raise PermissionDenied
    if began is not None and began > directory.today():
        raise ValidationError(
            {"began": _("That day is still to come. Write it down when it has begun.")}
        )
    long_before = calendar.first_day(held.result.study, 1) - LONGEST_BEFORE
    if began is not None and began < long_before:
        raise ValidationError(
            {"began": _("That is before {day}, long before the plan. Is the year right?").format(
                day=day(long_before))}
        )  # fmt: skip
    row = PlanStart.objects.filter(rollout=held, area=area).first()
    if (row.version if row else 0) != (seen or 0):
        raise OvertakenError(
            _("Somebody wrote this down in the meantime. Nothing was saved; look and send again.")
        )
    if row is None:
        row = PlanStart(rollout=held, area=area, version=0)
    row.began, row.note = began, note.strip()[:500]
    row.by, row.at = by.label[:300], timezone.now()
    row.version += 1
    row.save()
    audit.record("pace.record_start", by=by, target=row, detail={"began": began})
    return row


@transaction.atomic
def ask_lesson(rollout: PlanRollout, *, by: Appointment) -> Job:
    """Hold the plan against what happened so far; asked twice at once, it is one job."""
    if not queries.rollouts_visible_to(by).filter(pk=rollout.pk).exists():
        raise PermissionDenied
    held = PlanRollout.objects.select_for_update(no_key=True).get(pk=rollout.pk)
    if held.state != PlanRollout.State.ADOPTED:
        raise ValidationError(_("Only an adopted plan is held against what happened."))
    under_way = queries.at_work(by, queries.LEARN, rollout=held.pk)
    if under_way is not None:
        return under_way
    rows = observed.rows(rollout)
    if not observed.tells_something(rows):
        raise ValidationError(
            _(
                "Nothing has happened yet that could teach: the second term, or the first one that "
                "the plan's ranges do not know yet, has not begun."
            )
        )
    job = jobs.enqueue(
        queries.LEARN, by=by, title=_("Compare the plan with what happened"),
        parameters={"rollout": held.pk, "observed": rows},
    )  # fmt: skip
    audit.record("pace.ask_lesson", by=by, target=held, detail={"rows": len(rows)})
    return job


@transaction.atomic
def keep_lesson(
    rollout: PlanRollout, rows: Sequence[Mapping[str, Any]], outcome: Mapping[str, Any],
    *, job: int, by: Appointment,
) -> PlanLesson:  # fmt: skip
    """Keep what was learned, for people to decide on; done again after a kill it is kept once."""
    known = queries.lesson_of_job(job)
    if known is not None:
        return known
    lesson = PlanLesson.objects.create(
        rollout=rollout, job=job, observed=list(rows), outcome=dict(outcome),
        by=by.label[:300], at=timezone.now(),
    )  # fmt: skip
    audit.record("pace.keep_lesson", by=by, target=lesson)
    return lesson


@transaction.atomic
def accept(
    lesson: PlanLesson, names: Iterable[str], why: str = "", *, by: Appointment, seen: int | None
) -> PlanLesson:
    """Take new ranges over into the study, those named alone; `seen` is the study's version."""
    study = studies.hold(lesson.rollout.result.study, by=by, seen=seen)
    held = _hold(lesson, by)
    rows = {row["name"]: row for row in held.outcome["assumptions"]}
    chosen = sorted(set(names) & set(rows))
    if not chosen:
        raise ValidationError({"names": _("Choose at least one, or leave all as they are.")})
    studies.take_over(study, [rows[name] for name in chosen], by=by)
    held.accepted = chosen
    _decide(held, State.ACCEPTED, why, by)
    audit.record("pace.accept_lesson", by=by, target=held, detail={"assumptions": chosen})
    return held


@transaction.atomic
def leave(lesson: PlanLesson, why: str, *, by: Appointment) -> PlanLesson:
    """Leave the ranges as they are, and say why."""
    held = _hold(lesson, by)
    if not why.strip():
        raise ValidationError({"why": _("Say why, so that the next one need not ask.")})
    _decide(held, State.LEFT, why, by)
    audit.record("pace.leave_lesson", by=by, target=held)
    return held


def _hold(lesson: PlanLesson, by: Appointment) -> PlanLesson:
    if not queries.lessons_visible_to(by).filter(pk=lesson.pk).exists():
        raise PermissionDenied
    held = PlanLesson.objects.select_for_update(of=("self",), no_key=True)
    found = held.select_related("rollout__result__study").get(pk=lesson.pk)
    if found.state != State.PROPOSED:
        raise ValidationError(_("This is decided already; its page says by whom."))
    return found


def _decide(held: PlanLesson, state: str, why: str, by: Appointment) -> None:
    held.state, held.why = state, why.strip()[:500]
    held.decided_by, held.decided_at = by.label[:300], timezone.now()
    held.save()
