"""A school takes a practice up, changes it, stops, takes it up again: its lineage grows.

A circle cannot come about: a school stands in a lineage once, and what it learned from stood there
before and never changes.
"""

from datetime import date, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from brightspots_web.connectedness import practice_lineage_queries as lineage
from brightspots_web.connectedness import practice_queries as queries
from brightspots_web.connectedness.models import Practice, PracticeAdoption
from brightspots_web.connectedness.practice_actions import required, tell
from brightspots_web.directory import people_queries as people
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment
from brightspots_web.shared import audit, jobs
from brightspots_web.shared import queries as shared
from brightspots_web.shared.overtaken import OvertakenError

OLDEST = timedelta(days=3660)
"""A date further back than ten years is a slip of the hand."""
LONGEST_CHANGE = 2000


@transaction.atomic
def adopt(
    practice: Practice,
    *,
    by: Appointment,
    on: date,
    source: PracticeAdoption | None = None,
    adapted: str = "",
) -> PracticeAdoption:
    """Take a practice up for one's own school, from its source or from a school that did.

    Parameters
    ----------
    on
        The day the school began.
    source
        The adoption it was learned from; None for the source school itself.
    adapted
        What the school does otherwise; "" as it is written.

    Raises
    ------
    PermissionDenied
        No head or leader of a school other than the source, or the practice is not published.
    ValidationError
        The day cannot be, the source is of another practice, or the school has it already. Pressed
        twice, it is taken up once.
    """
    practice = Practice.objects.select_for_update(no_key=True).get(pk=practice.pk)
    if not lineage.may_adopt(by, practice) or practice.translation_of_id is not None:
        raise PermissionDenied
    assert by.school is not None
    adapted = _change_checked(adapted)
    before = lineage.own_adoption(by, practice)
    if before is not None:
        same = (before.on, before.source_id, before.adapted)
        if same == (on, source.pk if source else None, adapted):
            return before
        raise ValidationError(_("Your school has taken this practice up already."))
    if by.school.closed is not None and by.school.closed <= directory.today():
        raise ValidationError(_("Your school is closed."))
    if source is not None and source.practice_id != practice.pk:
        raise ValidationError({"source": _("Choose a school that took up this practice.")})
    _check_day(on)
    if source is not None and on < source.on:
        raise ValidationError(
            {
                "on": _("{school} itself began on {day}: choose that day or a later one.").format(
                    school=source.school.name, day=date_format(source.on)
                )
            }
        )
    adoption = PracticeAdoption.objects.create(
        practice=practice, school=by.school, source=source, on=on, adapted=adapted,
        by=by.label[:300], at=timezone.now(),
    )  # fmt: skip
    _record("adopt_practice", adoption, by)
    _tell(adoption, "adopted", by)
    return adoption


@transaction.atomic
def adapt(
    adoption: PracticeAdoption, *, by: Appointment, adapted: str, seen: int | None
) -> PracticeAdoption:
    """Write down what one's school does otherwise by now."""
    adoption = _held(adoption, by, seen)
    adapted = _change_checked(adapted)
    if adapted == adoption.adapted:
        return adoption
    adoption.adapted = adapted
    _save(adoption)
    _record("adapt_practice", adoption, by)
    _tell(adoption, "adapted", by)
    return adoption


@transaction.atomic
def stop(
    adoption: PracticeAdoption, *, by: Appointment, on: date, why: str, seen: int | None
) -> PracticeAdoption:
    """One's school no longer uses the practice; why helps the others."""
    adoption = _held(adoption, by, seen)
    why = required(why, "why", 500)
    if adoption.stopped_on is not None:
        if (adoption.stopped_on, adoption.stopped_why) == (on, why):
            return adoption
        raise ValidationError(_("Your school has stopped already."))
    _check_day(on)
    if on < adoption.on:
        raise ValidationError(
            {
                "on": _("Your school began on {day}: choose that day or a later one.").format(
                    day=date_format(adoption.on)
                )
            }
        )
    adoption.stopped_on, adoption.stopped_why = on, why
    _save(adoption)
    _record("stop_practice", adoption, by)
    _tell(adoption, "stopped", by)
    return adoption


@transaction.atomic
def resume(adoption: PracticeAdoption, *, by: Appointment, seen: int | None) -> PracticeAdoption:
    """Take it up again: the day and the reason of stopping stand in the audit trail."""
    adoption = _held(adoption, by, seen)
    if adoption.stopped_on is None:
        return adoption
    if adoption.practice.state != Practice.State.PUBLISHED:
        raise ValidationError(_("This practice is no longer recommended."))
    stopped = {"stopped_on": adoption.stopped_on.isoformat(), "stopped_why": adoption.stopped_why}
    adoption.stopped_on, adoption.stopped_why = None, ""
    _save(adoption)
    _record("resume_practice", adoption, by, **stopped)
    _tell(adoption, "resumed", by)
    return adoption


def _held(adoption: PracticeAdoption, by: Appointment, seen: int | None) -> PracticeAdoption:
    found = (
        PracticeAdoption.objects.select_for_update(of=("self",), no_key=True)
        .select_related("practice__school__area", "school", "source__school__area")
        .get(pk=adoption.pk)
    )
    if not lineage.answers_for(by, found):
        raise PermissionDenied
    if seen is not None and seen != found.version:
        raise OvertakenError(
            _(
                "Somebody at your school changed this since you opened it. What you wrote is still "
                "here and was not saved."
            )
        )
    return found


def _save(adoption: PracticeAdoption) -> None:
    adoption.version += 1
    adoption.save(update_fields=["adapted", "stopped_on", "stopped_why", "version"])


def _check_day(on: date) -> None:
    today = directory.today()
    if on > today:
        raise ValidationError({"on": _("This day is still to come. Write it down when it is.")})
    if on < today - OLDEST:
        raise ValidationError({"on": _("This is more than ten years ago. Check the year.")})


def _change_checked(text: str) -> str:
    text = text.replace("\0", "").strip()
    if len(text) > LONGEST_CHANGE:
        raise ValidationError(
            {"adapted": _("Keep it under {n} characters.").format(n=LONGEST_CHANGE)}
        )
    return text


def _record(verb: str, adoption: PracticeAdoption, by: Appointment, **more: object) -> None:
    detail = {
        "practice": adoption.practice.code,
        "school": adoption.school.code,
        "source": adoption.source.school.code if adoption.source else "",
        "on": adoption.on.isoformat(),
        "changed": bool(adoption.adapted),
        "stopped_on": adoption.stopped_on.isoformat() if adoption.stopped_on else "",
        "version": adoption.version,
    }
    audit.record(f"connectedness.{verb}", by=by, target=adoption, detail=detail | more)
    if not shared.is_queued(lineage.SPREAD):  # one that waits will see this too
        title = _("How far practices spread")
        jobs.enqueue(lineage.SPREAD, by=by, title=title, parameters={})


def _tell(adoption: PracticeAdoption, event: str, by: Appointment) -> None:
    """The heads of the source school and of the school it was learned from, and followers."""
    practice = adoption.practice
    told = [*people.heads_of(practice.school), *queries.followers_of(practice)]
    if adoption.source is not None:
        told += people.heads_of(adoption.source.school)
    tell(told, event, practice, by=by, school=adoption.school)
