"""What people do with bright spots: every step is added, none is changed or removed.

An analysis notes whom it flags (`note_candidates`); people take the steps (`take_step`).
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, School
from brightspots_web.insight import bright_spot_queries, queries
from brightspots_web.insight.models import BrightSpot, BrightSpotStep, Estimate, Run
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.permissions import Actor

State = BrightSpot.State
AT_ONCE = 1000
"""Rows written in one statement."""
LONGEST_NOTE = 4000
OLDEST = timedelta(days=3660)
"""A date further back than ten years is a slip of the hand."""


class StepOvertakenError(OvertakenError):
    """Somebody else took a step since the person opened the page. Nothing was saved."""

    def __init__(self, message: str, last: BrightSpotStep) -> None:
        super().__init__(message)
        self.last = last


@transaction.atomic
def note_candidates(run: Run, *, by: Actor) -> int:
    """Note the schools that a run flags, as far as nobody has yet; gives how many were new.

    Twice does no more than once. What people noted stays as it is.
    """
    known = BrightSpot.objects.filter(school=OuterRef("school"), subject=OuterRef("subject"))
    new = bright_spot_queries.flagged(run).exclude(Exists(known)).order_by("school", "subject")
    found = _note(run, new.iterator(chunk_size=AT_ONCE), by=by.label)
    if found:
        detail = {"run": str(run.uuid), "candidates": found}
        audit.record("insight.note_candidates", by=by, target=run, detail=detail)
    return found


def _note(run: Run, figures: Iterable[Estimate], *, by: str) -> int:
    """Write a bright spot and its first step for each; whatever exists already is left alone."""
    now = timezone.now()
    count = 0
    for some in bright_spot_queries.in_pieces(figures, AT_ONCE):
        spots = [
            BrightSpot(
                school_id=each.school_id,
                subject=each.subject,
                found_at=run.published_at or now,
                found_by_run=run.uuid,
                changed_at=now,
            )
            for each in some
        ]
        BrightSpot.objects.bulk_create(spots, ignore_conflicts=True)
        count += _first_steps(run, some, by)
    return count


def _first_steps(run: Run, figures: Sequence[Estimate], by: str) -> int:
    """The step by which an analysis found the school; keeps the figure of that day."""
    figure_of = {(each.school_id, each.subject): each for each in figures}
    without = ~Exists(BrightSpotStep.objects.filter(bright_spot=OuterRef("pk")))
    fresh = BrightSpot.objects.filter(
        without, found_by_run=run.uuid, school__in={school for school, _subject in figure_of}
    )
    steps = [
        BrightSpotStep(
            bright_spot=spot,
            to_state=State.CANDIDATE,
            on=timezone.localdate(spot.found_at),
            at=spot.found_at,
            by=(run.published_by or by)[:300],
            figure=figure_now(figure_of[spot.school_id, spot.subject], run),
        )
        for spot in fresh
        if (spot.school_id, spot.subject) in figure_of
    ]
    return len(BrightSpotStep.objects.bulk_create(steps))


def figure_now(figure: Estimate | None, run: Run | None) -> dict[str, Any]:
    """A figure as a step keeps it: enough to show it when the run's rows are long gone."""
    if figure is None or run is None:
        return {}
    scale = queries.scales(run).get(figure.subject)
    return {
        "run": str(run.uuid),
        "input_hash": run.input_hash,
        "published": run.published_at.isoformat() if run.published_at else "",
        "estimate": figure.estimate,
        "lower": figure.lower,
        "upper": figure.upper,
        "probability": figure.probability,
        "label": figure.label,
        "n": figure.n,
        "years": figure.years,
        "pupil_sd": scale.pupil_sd if scale else None,
        "digits": scale.digits if scale else 1,
    }


@transaction.atomic
def take_step(
    school: School,
    subject: str,
    *,
    by: Appointment,
    to: str,
    on: date,
    note: str = "",
    seen: int | None = None,
) -> BrightSpotStep:
    """Record that something happened: a visit, a decision, a write-up, a re-test.

    Parameters
    ----------
    on
        The day it happened.
    note
        What was seen, or why. Every step of a person's has one, but for the re-test, which is its
        figures.
    seen
        Key of the last step the person saw (0 where there was none yet); None to take whatever
        is there.

    Raises
    ------
    PermissionDenied
        The appointment may not take this step at this school.
    StepOvertakenError
        Somebody else was quicker: nothing is saved, so that the person looks at it first. The same
        step sent twice by the same person is saved once.
    ValidationError
        The step cannot follow, the day cannot be, a note is missing, or there is nothing newer to
        test with.
    """
    if not bright_spot_queries.may_take(by, school, to):
        raise PermissionDenied
    spot = _locked(school, subject, by)
    steps = bright_spot_queries.steps_of(spot)
    last = steps[-1] if steps else None
    note = note.strip()
    if last and _is_repeat(last, by, to, on, note):
        return last
    _check_seen(last, seen)
    _check_order(spot, to, steps)
    _check_day(school, to, on, last)
    _check_note(to, note)
    figure = _figure(spot, to, steps)
    now = timezone.now()
    step = BrightSpotStep.objects.create(
        bright_spot=spot,
        from_state=spot.state,
        to_state=to,
        on=on,
        at=now,
        by=by.label[:300],
        appointment=str(by.pk),
        note=note,
        figure=figure,
    )
    spot.state, spot.changed_at = to, now
    spot.save(update_fields=["state", "changed_at"])
    detail = {
        "school": school.code,
        "outcome": subject,
        "from": step.from_state,
        "to": to,
        "on": on.isoformat(),
        "step": step.pk,
        "note_sha256": sha256(note.encode()).hexdigest(),
    }
    audit.record("insight.bright_spot_step", by=by, target=spot, detail=detail)
    return step


def _locked(school: School, subject: str, by: Actor) -> BrightSpot:
    """The bright spot, held until the step is written; noted first where nobody had."""
    rows = BrightSpot.objects.select_for_update(no_key=True).filter(school=school, subject=subject)
    found = rows.first()
    if found is not None:
        return found
    run = queries.current_run()
    figures = bright_spot_queries.flagged(run).filter(school=school, subject=subject)
    if run is not None:
        _note(run, figures, by=by.label)
        found = rows.first()
    if found is None:
        raise ValidationError(
            _("The published analysis does not name this school at this outcome.")
        )
    return found


def _is_repeat(last: BrightSpotStep, by: Appointment, to: str, on: date, note: str) -> bool:
    """Whether a press of the button arrived twice."""
    return (last.appointment, last.to_state, last.on, last.note) == (str(by.pk), to, on, note)


def _check_seen(last: BrightSpotStep | None, seen: int | None) -> None:
    if seen is None or last is None or seen == last.pk:
        return
    if seen == 0 and not last.from_state:
        return  # it was flagged, and this first step has just been written down for it
    raise StepOvertakenError(
        _(
            "In the meantime {person} recorded: {state}, {day}. What you wrote is still below and "
            "was not saved. Look at what happened, then save yours if it still holds."
        ).format(person=last.by, state=last.get_to_state_display(), day=date_format(last.on)),
        last,
    )


def _check_order(spot: BrightSpot, to: str, steps: Sequence[BrightSpotStep]) -> None:
    allowed = bright_spot_queries.next_states(spot.state, steps)
    if to in allowed:
        return
    raise ValidationError(
        _("From “{state}” it cannot go to “{to}”. What can follow: {allowed}.").format(
            state=spot.get_state_display(),
            to=State(to).label if to in State.values else to,
            allowed=", ".join(str(State(each).label) for each in allowed),
        )
    )


def _check_day(school: School, to: str, on: date, last: BrightSpotStep | None) -> None:
    today = directory.today()
    if on > today:
        raise ValidationError({"on": _("This day is still to come. Record it when it happened.")})
    if on < today - OLDEST:
        raise ValidationError({"on": _("This is more than ten years ago. Check the year.")})
    if last is not None and last.from_state and on < last.on:
        raise ValidationError(
            {
                "on": _(
                    "The step before it, “{state}”, was on {day}; this cannot be earlier."
                ).format(state=last.get_to_state_display(), day=date_format(last.on))
            }
        )
    if to == State.VISITED and school.closed is not None and on >= school.closed:
        raise ValidationError(
            {"on": _("The school closed on {day}.").format(day=date_format(school.closed))}
        )


def _check_note(to: str, note: str) -> None:
    if len(note) > LONGEST_NOTE:
        raise ValidationError({"note": _("Keep it under {n} characters.").format(n=LONGEST_NOTE)})
    if note or to == State.RE_TESTED:
        return
    why = {
        State.VISITED: _("Say what you saw, so that others can build on it."),
        State.CONFIRMED: _("Say what convinced you."),
        State.WRITTEN_UP: _("Describe the practice, or say where it is written up."),
        State.SET_ASIDE: _("Say why, so that the school and others can understand."),
    }
    raise ValidationError({"note": why.get(State(to), _("Say why."))})


def _figure(spot: BrightSpot, to: str, steps: Sequence[BrightSpotStep]) -> dict[str, Any]:
    """What the newest published figure says today; a re-test needs one that is newer.

    Raises
    ------
    ValidationError
        For a re-test: no analysis is published, it has no figure to show, or it was made from the
        same results as the figure it would be held against.
    """
    run = queries.current_run()
    shown = bright_spot_queries.spot(spot.school, spot.subject, run)
    now = figure_now(shown.now if shown else None, run)
    if to != State.RE_TESTED:
        return now
    if not now:
        raise ValidationError(
            _("The newest analysis has no figure of this school at this outcome to test with.")
        )
    before = bright_spot_queries.figure_to_test_against(steps)
    if before and before.get("input_hash") == now["input_hash"]:
        raise ValidationError(
            _(
                "There is nothing newer to test with: the published analysis was made from the "
                "same results as the figure it would be held against. Re-test once new results "
                "are imported and analysed."
            )
        )
    return now
