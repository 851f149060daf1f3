"""Offering learning, changing and cancelling it, taking part, confirming who was there."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Area, Person
from brightspots_web.leaders import development_learning_queries as queries
from brightspots_web.leaders import development_queries
from brightspots_web.leaders.models import Attendance, Competence, Learning
from brightspots_web.notices import actions as notices
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError

Kind = Learning.Kind
FURTHEST = timedelta(days=731)
MOST_HOURS = Decimal(200)
REMIND_BEFORE = timedelta(days=7)
LONGEST = {"title": 160, "about": 2000, "place": 200}


@dataclass(frozen=True)
class Offer:
    """Learning as it is offered."""

    kind: str
    title: str
    about: str
    on: date | None
    """None for a module that is taken at any time."""
    place: str
    hours: Decimal
    area: Area | None = None
    """For whom; None for everybody, which the ministry alone may say."""
    competences: Sequence[Competence] = ()


@transaction.atomic
def offer(wanted: Offer, *, by: Appointment) -> Learning:
    """Offer a module, or a session of a community of practice. Pressed twice, it is offered once.

    Raises
    ------
    PermissionDenied
        Somebody who may not offer this kind, or not for these people.
    ValidationError
        Something is missing, or the day lies behind us.
    """
    _check_may(wanted, by)
    wanted = _checked(wanted, None)
    audit.one_at_a_time()
    same = Learning.objects.filter(
        offerer=by.person_id, kind=wanted.kind, title=wanted.title, on=wanted.on, cancelled_why=""
    ).first()
    if same is not None:
        return same
    learning = Learning.objects.create(
        offerer=by.person, offered_by=by.label[:300], at=timezone.now(), **_fields(wanted)
    )
    learning.competences.set(wanted.competences)
    audit.record("leaders.offer_learning", by=by, target=learning, detail=_detail(learning))
    return learning


@transaction.atomic
def change(learning: Learning, wanted: Offer, *, by: Appointment, seen: int | None) -> Learning:
    """Change what is offered; who takes part hears of another day, hour or place."""
    learning = _held(learning, by, seen)
    if learning.cancelled_why:
        raise ValidationError(_("It was cancelled. Offer it anew."))
    _check_may(wanted, by, learning)
    wanted = _checked(wanted, learning)
    moved = (learning.on, learning.place) != (wanted.on, wanted.place)
    for name, value in _fields(wanted).items():
        setattr(learning, name, value)
    if moved:
        learning.reminded_at = None
    _save(learning)
    learning.competences.set(wanted.competences)
    audit.record("leaders.change_learning", by=by, target=learning, detail=_detail(learning))
    if moved:
        _tell(learning, "changed", by=by)
    return learning


@transaction.atomic
def cancel(learning: Learning, *, by: Appointment, why: str, seen: int | None) -> Learning:
    """Cancel it and say why; who takes part is told."""
    learning = _held(learning, by, seen)
    why = why.replace("\0", "").strip()
    if not why:
        raise ValidationError({"why": _("Say in a few words why it does not take place.")})
    if len(why) > 300:
        raise ValidationError({"why": _("Keep it under {n} characters.").format(n=300)})
    if learning.attendances.exclude(attended_on=None).exists():
        raise ValidationError(
            _("People were there, as you confirmed: it cannot be cancelled any more.")
        )
    if learning.cancelled_why:
        return learning
    learning.cancelled_why = why
    _save(learning)
    audit.record("leaders.cancel_learning", by=by, target=learning, detail={"why": why})
    _tell(learning, "cancelled", by=by)
    return learning


@transaction.atomic
def take_part(learning: Learning, *, by: Appointment) -> Attendance:
    """Enrol. Twice is once."""
    if not development_queries.may_learn(by):
        raise PermissionDenied
    learning = Learning.objects.select_for_update(no_key=True).get(pk=learning.pk)
    if learning.cancelled_why:
        raise ValidationError(_("It was cancelled. See what else is on offer."))
    if learning.on is not None and learning.on < directory.today():
        raise ValidationError(_("It has taken place already. See what is still to come."))
    found, made = Attendance.objects.get_or_create(
        learning=learning, person=by.person, defaults={"enrolled_at": timezone.now()}
    )
    if made:
        audit.record("leaders.take_part", by=by, target=learning)
    return found


@transaction.atomic
def leave(learning: Learning, *, by: Appointment) -> None:
    """No longer take part; what was attended stays on record."""
    rows = Attendance.objects.filter(learning=learning, person=by.person_id)
    if rows.exclude(attended_on=None).exists():
        raise ValidationError(_("You were there, as was confirmed: it stays on your record."))
    if rows.delete()[0]:
        audit.record("leaders.leave_learning", by=by, target=learning)


@transaction.atomic
def confirm(
    learning: Learning, people: Iterable[int], *, by: Appointment, on: date | None = None
) -> int:
    """Say who of those enrolled was there. A tick taken off later takes the confirmation back.

    Parameters
    ----------
    people : iterable of int
        Keys of everybody who was there.
    on : date, optional
        The day, for a module taken at any time; else the day of the learning.

    Returns
    -------
    int
        How many were there.
    """
    learning = _held(learning, by, None)
    day = learning.on or on
    if learning.cancelled_why:
        raise ValidationError(_("It was cancelled: nobody was there."))
    if day is None:
        raise ValidationError({"on": _("Say on which day it was finished.")})
    if day > directory.today():
        raise ValidationError({"on": _("That day is still to come. Confirm it then.")})
    there = set(people)
    rows = list(
        learning.attendances.select_for_update(of=("self",), no_key=True).select_related("person")
    )
    if not there <= {row.person_id for row in rows}:
        raise PermissionDenied
    new: list[Person] = []
    changed = 0
    for row in rows:
        was, now_there = row.attended_on is not None, row.person_id in there
        if was == now_there:
            continue
        row.attended_on = day if now_there else None
        row.confirmed_by = by.label[:300] if now_there else ""
        row.save(update_fields=["attended_on", "confirmed_by"])
        changed += 1
        if now_there:
            new.append(row.person)
    if changed:
        detail = {"there": len(there), "of": len(rows)}
        audit.record("leaders.confirm_attendance", by=by, target=learning, detail=detail)
    data = {"pk": learning.pk, "title": learning.title}
    others = [person for person in new if person.pk != by.person_id]
    notices.notify(others, "leaders.learning_confirmed", data)
    return len(there)


@transaction.atomic
def remind(on: date | None = None) -> int:
    """Remind who takes part in the week before, once; return how many sessions that were."""
    today = on or directory.today()
    found = queries.to_remind(today, today + REMIND_BEFORE)
    for each in found:
        learning = Learning.objects.select_for_update(no_key=True).get(pk=each.pk)
        if learning.reminded_at is None:
            learning.reminded_at = timezone.now()
            learning.save(update_fields=["reminded_at"])
            _tell(learning, "soon", by=None)
    return len(found)


def _held(learning: Learning, by: Appointment, seen: int | None) -> Learning:
    found = (
        Learning.objects.select_for_update(of=("self",), no_key=True)
        .select_related("area")
        .get(pk=learning.pk)
    )
    if not queries.may_run(by, found):
        raise PermissionDenied
    if seen is not None and seen != found.version:
        raise OvertakenError(
            _(
                "Somebody changed this since you opened it. What you wrote is still here and was "
                "not saved: look at how it stands, then save yours if it still holds."
            )
        )
    return found


def _save(learning: Learning) -> None:
    learning.version += 1
    learning.save()


def _check_may(wanted: Offer, by: Appointment, before: Learning | None = None) -> None:
    if before is not None:  # who runs it may change it, as long as it stays what it is
        if wanted.kind != before.kind:
            raise PermissionDenied
        if wanted.area == before.area:
            return
    if wanted.kind not in queries.kinds_to_offer(by):
        raise PermissionDenied
    if wanted.area is None:
        if not queries.may_offer_to_all(by):
            raise PermissionDenied
    elif wanted.area not in queries.areas_to_offer_in(by):
        raise PermissionDenied


def _checked(wanted: Offer, before: Learning | None) -> Offer:
    texts = {name: getattr(wanted, name).replace("\0", "").strip() for name in LONGEST}
    problems: dict[str, str] = {
        name: _("Keep it under {n} characters.").format(n=LONGEST[name])
        for name, text in texts.items()
        if len(text) > LONGEST[name]
    }
    if not texts["title"]:
        problems["title"] = _("Give it a name people recognise.")
    if not texts["about"]:
        problems["about"] = _("Say what people will be able to do afterwards.")
    if not Decimal("0.5") <= wanted.hours <= MOST_HOURS:
        problems["hours"] = _("Between half an hour and {n} hours.").format(n=MOST_HOURS)
    if wanted.kind == Kind.COMMUNITY and wanted.on is None:
        problems["on"] = _("A community of practice meets on a day: say which.")
    today = directory.today()
    moved = before is None or before.on != wanted.on
    if wanted.on is not None and moved and not today <= wanted.on <= today + FURTHEST:
        problems["on"] = _("Choose a day from today on, within two years.")
    if problems:
        raise ValidationError(problems)
    return Offer(
        wanted.kind, texts["title"], texts["about"], wanted.on, texts["place"], wanted.hours,
        wanted.area, wanted.competences,
    )  # fmt: skip


def _fields(wanted: Offer) -> dict[str, object]:
    return {
        "kind": wanted.kind, "title": wanted.title, "about": wanted.about, "on": wanted.on,
        "place": wanted.place, "hours": wanted.hours, "area": wanted.area,
    }  # fmt: skip


def _detail(learning: Learning) -> dict[str, object]:
    return {
        "kind": learning.kind,
        "on": learning.on,
        "hours": learning.hours,
        "area": str(learning.area or ""),
    }


def _tell(learning: Learning, event: str, *, by: Appointment | None) -> None:
    """A notice for everybody who takes part but the one who acts."""
    rows = learning.attendances.filter(attended_on=None).select_related("person")
    people = [row.person for row in rows if by is None or row.person_id != by.person_id]
    data = {
        "pk": learning.pk,
        "title": learning.title,
        "on": learning.on.isoformat() if learning.on else "",
    }
    kind = f"leaders.learning_{event}"
    notices.notify(people, kind, data, key=f"{kind}:{learning.pk}")
