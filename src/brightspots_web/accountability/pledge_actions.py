"""Promising: a draft, the vow, a wider audience, taking a promise back.

The audit trail is read outside the partnership: it says that something was done, never its words.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.accountability import pledge_queries as queries
from brightspots_web.accountability import pledge_tell as tell
from brightspots_web.accountability import pledge_value_queries as values
from brightspots_web.accountability.pledge_models import Pledge, PledgeSet
from brightspots_web.alignment import living_queries as living
from brightspots_web.alignment.models import Priority
from brightspots_web.directory import queries as directory
from brightspots_web.directory.actions import hold_school
from brightspots_web.directory.models import Appointment, Cycle, Indicator, School
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.pupil_names import look_again

State = Pledge.State
LONGEST = {"promise": 300, "will_do": 2000, "needs": 1000}
MOST_OF_A_HALF = 3
FARTHEST = timedelta(days=3 * 366)


@dataclass(frozen=True)
class Words:
    """What is promised, as its form takes it."""

    half: str
    priority: Priority
    indicator: Indicator
    target: float
    due: date
    promise: str
    will_do: str
    needs: str = ""
    other_school: School | None = None
    audience: str = Pledge.Audience.PARTNERSHIP
    names_no_pupil: bool = False
    """The person looked again and says that no pupil is named."""


@transaction.atomic
def write(words: Words, cycle: Cycle, *, by: Appointment) -> Pledge:
    """Begin a promise as a draft, which the school alone reads; sent twice, it is one.

    Raises
    ------
    PermissionDenied
        Somebody who does not promise for a school in a partnership today.
    ValidationError
        Something is missing, too long, or stands already.
    """
    if not queries.may_write(by) or by.school is None:
        raise PermissionDenied
    school = by.school
    hold_school(school)
    if cycle.ends <= directory.today():
        raise ValidationError({"cycle": _("This cycle is over. Choose one that is not.")})
    partnership = directory.partnership_of(school)
    if partnership is None:
        raise PermissionDenied
    checked = _checked(words, school)
    now = timezone.now()
    of_set = PledgeSet.objects.filter(school=school, cycle=cycle).first()
    if of_set is None:
        of_set = PledgeSet.objects.create(
            school=school,
            partnership=partnership,
            cycle=cycle,
            by=by.label[:300],
            at=now,
        )
    same = _same(of_set, checked)
    if same is not None:
        return same
    made = Pledge.objects.create(
        set=of_set,
        baseline=values.published(_counted(checked, school), words.priority, words.indicator),
        by=by.label[:300],
        at=now,
        changed_at=now,
        **checked,
    )
    audit.record("accountability.write_pledge", by=by, target=made)
    return made


@transaction.atomic
def change(pledge: Pledge, words: Words, *, by: Appointment, seen: int | None) -> Pledge:
    """Change a draft. What is promised is not changed: it is kept, or taken back with a reason.

    Raises
    ------
    OvertakenError
        Somebody else was quicker; nothing is saved.
    """
    found = held(pledge, by)
    check_state(found, State.DRAFT)
    check_seen(found, seen)
    checked = _checked(words, found.set.school)
    if _same(found.set, checked, but=found) is not None:
        raise ValidationError(_standing_already())
    for name, value in checked.items():
        setattr(found, name, value)
    counted = _counted(checked, found.set.school)
    found.baseline = values.published(counted, words.priority, words.indicator)
    save(found)
    audit.record("accountability.change_pledge", by=by, target=found)
    return found


@transaction.atomic
def discard(pledge: Pledge, *, by: Appointment, seen: int | None) -> None:
    """Throw a draft away; nothing was promised."""
    found = held(pledge, by)
    check_state(found, State.DRAFT)
    check_seen(found, seen)
    audit.record("accountability.discard_pledge", by=by, target=found)
    of_set = found.set
    found.delete()
    if not of_set.pledges.exists():
        of_set.delete()


@transaction.atomic
def vow(pledge: Pledge, *, by: Appointment, seen: int | None) -> Pledge:
    """Promise what was drafted: it is told to the partnership, and its baseline is frozen.

    Sent twice, it is promised once. Warnings refuse nothing: they stand on its page.
    """
    found = held(pledge, by)
    if found.state in queries.RUNS:
        return found
    check_state(found, State.DRAFT)
    check_seen(found, seen)
    if not queries.may_write(by):
        raise PermissionDenied
    if found.due < directory.today():
        raise ValidationError(_("Its day is past. Choose a day to come, then promise."))
    found.baseline = values.published(
        found.other_school or found.set.school, found.priority, found.indicator
    )
    found.state, found.vowed_at, found.vowed_by = State.VOWED, timezone.now(), by.label[:300]
    save(found)
    audit.record("accountability.vow", by=by, target=found, detail={"half": found.half})
    tell.vowed(found, by=by)
    return found


@transaction.atomic
def tell_wider(pledge: Pledge, audience: str, *, by: Appointment, seen: int | None) -> Pledge:
    """Let more people read a promise, or fewer; those it was given to always do."""
    found = held(pledge, by)
    check_state(found, State.DRAFT, *queries.STANDS)
    check_seen(found, seen)
    if audience not in Pledge.Audience.values:
        raise ValidationError({"audience": _("Choose one of these.")})
    if found.audience != audience:
        found.audience = audience
        save(found)
        audit.record(
            "accountability.tell_wider", by=by, target=found, detail={"audience": audience}
        )
    return found


@transaction.atomic
def withdraw(pledge: Pledge, why: str, *, by: Appointment, seen: int | None) -> Pledge:
    """Take a promise back, and say why; its page stays, with all that was said and scored.

    Once its school has said what became of it there is nothing to take back.
    """
    found = held(pledge, by)
    if found.state == State.WITHDRAWN:
        raise ValidationError(_("It is withdrawn already; its page says why."))
    if found.state == State.DRAFT:
        raise ValidationError(_("Nothing is promised yet: throw the draft away instead."))
    check_state(found, *queries.STANDS)
    if found.outcome:
        raise ValidationError(
            _("Your school has said what became of it: that stays, and so do its scores.")
        )
    check_seen(found, seen)
    found.withdrawn_why = required(why, "why", 500)
    found.state, found.withdrawn_at = State.WITHDRAWN, timezone.now()
    save(found)
    audit.record("accountability.withdraw_pledge", by=by, target=found)
    tell.withdrawn(found, by=by)
    return found


# What the actions of promises share


def held(pledge: Pledge, by: Appointment) -> Pledge:
    """The row, held until the transaction ends; for whoever promises alone."""
    found = lock(pledge)
    if not queries.is_own(by, found):
        raise PermissionDenied
    return found


def lock(pledge: Pledge) -> Pledge:
    rows = Pledge.objects.select_for_update(of=("self",), no_key=True).select_related(
        "set__school__area", "set__partnership", "set__cycle", "other_school", "priority",
        "indicator",
    )  # fmt: skip
    return rows.get(pk=pledge.pk)


def save(pledge: Pledge) -> None:
    pledge.version += 1
    pledge.changed_at = timezone.now()
    pledge.save()


def check_state(pledge: Pledge, *states: str) -> None:
    if pledge.state in states:
        return
    said = {
        State.DRAFT: _("It is a draft: nothing is promised yet."),
        State.VOWED: _("It is promised, and stays as it was said."),
        State.WITNESSED: _("It is promised before witnesses, and stays as it was said."),
        State.SCORED: _("Its school has scored it: it is closed for this."),
        State.VERIFIED: _("Peers have verified it: it is closed for this."),
        State.WITHDRAWN: _("It is withdrawn; its page says why."),
    }
    raise ValidationError(said[State(pledge.state)])


def check_seen(pledge: Pledge, seen: int | None) -> None:
    if seen is not None and seen != pledge.version:
        raise OvertakenError(
            _(
                "Somebody changed this promise since you opened it. What you wrote is still here "
                "and was not saved: look at how it stands, then send yours if it still holds."
            )
        )


def plain(text: str) -> str:
    return text.replace("\0", "").replace("\r\n", "\n").strip()


def required(text: str, field: str, most: int) -> str:
    text = plain(text)
    if not text:
        raise ValidationError({field: _("Write something here: others read it.")})
    if len(text) > most:
        raise ValidationError({field: too_long(most)})
    return text


def too_long(most: int) -> str:
    return _("Too long: at most {most} characters.").format(most=most)


def known_names(pledge_school: School, *others: School | None) -> Iterable[str]:
    """Names that are no pupils': of schools and their areas."""
    for each in (pledge_school, *others):
        if each is not None:
            yield each.name
            yield each.area.name


def check_names(text: str, known: Iterable[str], names_no_pupil: bool) -> None:
    look_again(text, known, names_no_pupil)


def _checked(words: Words, school: School) -> dict[str, Any]:
    if words.half not in Pledge.Half.values:
        raise ValidationError({"half": _("Choose one of these.")})
    other = words.other_school if words.half == Pledge.Half.OTHER else None
    if words.half == Pledge.Half.OTHER:
        if other is None:
            raise ValidationError(
                {"other_school": _("Choose the school whose pupils you promise this for.")}
            )
        if other.pk not in {each.pk for each in queries.schools_to_count(school)}:
            raise ValidationError(
                {"other_school": _("Choose an open school of your area, and not your own.")}
            )
    priority, indicator = words.priority, words.indicator
    measured = {each.indicator_id for each in living.measures_of(priority)}
    if not living.is_live(priority) or indicator.pk not in measured:
        raise ValidationError({"measure": _("Choose a measure of a priority that is live.")})
    today = directory.today()
    if words.due <= today:
        raise ValidationError({"due": _("This day is not to come. Choose a later one.")})
    if words.due > today + FARTHEST:
        raise ValidationError({"due": _("Choose a day within the next three years.")})
    if not abs(words.target) < 1e9:
        raise ValidationError({"target": _("Write a number.")})
    if words.audience not in Pledge.Audience.values:
        raise ValidationError({"audience": _("Choose one of these.")})
    text = {
        "promise": required(words.promise, "promise", LONGEST["promise"]),
        "will_do": required(words.will_do, "will_do", LONGEST["will_do"]),
        "needs": plain(words.needs),
    }
    if len(text["needs"]) > LONGEST["needs"]:
        raise ValidationError({"needs": too_long(LONGEST["needs"])})
    known = [*known_names(school, other), priority.title, indicator.name]
    check_names("\n".join(text.values()), known, words.names_no_pupil)
    return {
        "half": words.half, "other_school": other, "priority": priority, "indicator": indicator,
        "target": words.target, "due": words.due, "audience": words.audience, **text,
    }  # fmt: skip


def _counted(checked: dict[str, Any], school: School) -> School:
    other = checked["other_school"]
    return other if isinstance(other, School) else school


def _same(of_set: PledgeSet, checked: dict[str, Any], but: Pledge | None = None) -> Pledge | None:
    """The promise that is in the set already, where the form was sent twice.

    Raises
    ------
    ValidationError
        Another one stands on the same measure, or there are enough of this half.
    """
    rows = Pledge.objects.filter(set=of_set, half=checked["half"]).exclude(state=State.WITHDRAWN)
    if but is not None:
        rows = rows.exclude(pk=but.pk)
    there = rows.filter(indicator=checked["indicator"], other_school=checked["other_school"])
    found = there.select_related("set__school").first()
    if found is not None:
        if found.promise != checked["promise"]:
            raise ValidationError(_standing_already())
        return found
    if but is None and rows.count() >= MOST_OF_A_HALF:
        raise ValidationError(
            _("Three promises of one half are enough for a cycle: few are kept better than many.")
        )
    return None


def _standing_already() -> str:
    return _(
        "Your school has a promise on this measure for this school in this cycle already. "
        "Change that one, or choose another measure."
    )
