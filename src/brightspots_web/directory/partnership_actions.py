"""Partnerships begin and end on a day, for the whole system or for one area."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import formats
from django.utils.translation import gettext as _

from brightspots_web.directory import queries
from brightspots_web.directory.models import (
    Appointment,
    Area,
    Membership,
    Partnership,
    School,
    System,
)
from brightspots_web.directory.partnership_queries import straddling_partnerships
from brightspots_web.shared import audit

NAMED = 5
"""So many schools are named in a message."""


@dataclass(frozen=True)
class Group:
    """A partnership to be formed: members are school keys with their distance to the leader, km."""

    code: str
    name: str
    lead_school: int
    members: Mapping[int, float | None]


@transaction.atomic
def form_partnerships(
    groups: Sequence[Group],
    *,
    by: Appointment,
    starts: date | None = None,
    area: Area | None = None,
) -> list[Partnership]:
    """Make these the partnerships from a day on, and end all others on that day.

    A partnership with the same leader's school and the same members stays as it is: code, history,
    appointments. The appointments of leaders of partnerships that end, end with them.

    Parameters
    ----------
    starts
        The first day of the new partnerships, today when None. Until then the old ones hold.
    area
        End only partnerships that lie wholly within this area; None for the whole system.
        Partnerships that reach across its border stay as they are.

    Returns
    -------
    list of Partnership
        The new ones.

    Raises
    ------
    ValidationError
        When the day is past, other partnerships are to begin that day or later, or a school is in
        a partnership that does not end, or leads one.
    """
    today = queries.today()
    day = starts or today
    if day < today:
        raise ValidationError(_("Partnerships cannot begin on a day that is past."))
    list(
        System.objects.select_for_update(no_key=True)
    )  # two at once would take the same schools twice
    _end_where_closed(today, area)
    _check_nothing_is_planned(day, area)
    scope = _in_scope(day, area)
    present: dict[tuple[int | None, frozenset[int]], int] = {}
    members: dict[int, set[int]] = {}
    live = queries.live_memberships(day).filter(partnership__in=scope)
    for partnership, school in live.values_list("partnership", "school"):
        members.setdefault(partnership, set()).add(school)
    for pk, lead in scope.values_list("pk", "lead_school"):
        present[(lead, frozenset(members.get(pk, ())))] = pk
    new = [g for g in groups if (g.lead_school, frozenset(g.members)) not in present]
    kept = {
        present[key] for g in groups if (key := (g.lead_school, frozenset(g.members))) in present
    }
    ending = Partnership.objects.filter(pk__in=[pk for pk in present.values() if pk not in kept])
    others = queries.live_partnerships(day).exclude(pk__in=list(present.values()))
    _check_free(new, others, day)

    # A membership that began today would end on the day it began: it never was.
    unended = Q(ends__isnull=True) | Q(ends__gt=day)
    Membership.objects.filter(unended, partnership__in=ending, starts__gte=day).delete()
    Membership.objects.filter(unended, partnership__in=ending).update(ends=day)
    Appointment.objects.filter(unended, partnership__in=ending).update(ends=day)
    ended = ending.update(closed=day)
    formed = Partnership.objects.bulk_create(
        [
            Partnership(code=g.code, name=g.name[:200], lead_school_id=g.lead_school, formed=day)
            for g in new
        ],
        batch_size=2000,
    )
    Membership.objects.bulk_create(
        [
            Membership(partnership=p, school_id=school, distance_km=km, starts=day)
            for p, g in zip(formed, new, strict=True)
            for school, km in g.members.items()
        ],
        batch_size=2000,
    )
    detail: dict[str, Any] = {"formed": len(formed), "kept": len(kept), "ended": ended}
    if day > today:
        detail["starts"] = day.isoformat()
    if area is not None:
        detail["area"] = area.name
    audit.record("directory.form_partnerships", by=by, detail=detail)
    return formed


def _end_where_closed(today: date, area: Area | None) -> None:
    """A school that closed has left its partnership."""
    gone = Membership.objects.filter(ends__isnull=True, school__closed__lte=today)
    if area is not None:
        gone = gone.filter(school__area__path__startswith=area.path)
    gone.update(ends=today)


def _in_scope(day: date, area: Area | None) -> QuerySet[Partnership]:
    """Partnerships of the day that may be ended: all, or those wholly within the area."""
    found = queries.live_partnerships(day)
    if area is None:
        return found
    touched = queries.live_memberships(day).filter(
        partnership=OuterRef("pk"), school__area__path__startswith=area.path
    )
    led_here = Q(lead_school__area__path__startswith=area.path)
    return found.filter(Exists(touched) | led_here).exclude(
        pk__in=straddling_partnerships(area, day).values("pk")
    )


def _check_nothing_is_planned(day: date, area: Area | None) -> None:
    """A plan upon a plan would leave nobody sure of what holds when: the first is called off."""
    planned = Partnership.objects.filter(formed__gte=day, formed__gt=queries.today())
    planned = planned.filter(closed__isnull=True)
    if area is not None:
        inside = Membership.objects.filter(
            partnership=OuterRef("pk"), school__area__path__startswith=area.path
        )
        planned = planned.filter(Exists(inside))
    first = planned.order_by("formed").first()
    if first is not None:
        raise ValidationError(
            _(
                "Other partnerships are to begin here on {day}. Call those off first, or choose "
                "a later day."
            ).format(day=formats.date_format(first.formed, "DATE_FORMAT"))
        )


def _check_free(new: Sequence[Group], others: QuerySet[Partnership], day: date) -> None:
    """Nobody is taken out of a partnership that stays, and nobody leads two."""
    schools = {school for group in new for school in group.members}
    unended = Q(ends__isnull=True) | Q(ends__gt=day)
    taken = Membership.objects.filter(unended, partnership__in=others, school__in=schools)
    names = sorted({f"{m.school.name} ({m.partnership.name})" for m in taken.select_related(
        "school", "partnership")})  # fmt: skip
    if names:
        raise ValidationError(
            _("These schools are in partnerships that stay as they are: {names}.").format(
                names=_some(names)
            )
        )
    leads = others.filter(lead_school__in={group.lead_school for group in new})
    names = sorted(f"{p.lead_school} ({p.name})" for p in leads.select_related("lead_school"))
    if names:
        raise ValidationError(
            _("These schools lead another partnership already: {names}.").format(names=_some(names))
        )


def _some(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    listed = "; ".join(names[:NAMED])
    return _("{names}; and {more} more").format(names=listed, more=more) if more > 0 else listed


@transaction.atomic
def call_off(
    codes: Sequence[str],
    *,
    by: Appointment,
    starts: date,
    area: Area | None,
    ends: Mapping[str, Mapping[str, str]] | None = None,
) -> int:
    """Undo :func:`form_partnerships` of a day that has not come: the old ones go on.

    Parameters
    ----------
    codes
        Of the partnerships that were to begin.
    starts
        The day on which they were to.
    ends
        What had an end of its own before, as
        :func:`~brightspots_web.directory.partnership_queries.ends_on_record` said on the day of
        the plan: it ends then as before. All else goes on without an end.

    Returns
    -------
    int
        How many partnerships go on that were to end.

    Raises
    ------
    ValidationError
        When the day has come, or another plan has been built upon this one.
    """
    if starts <= queries.today():
        raise ValidationError(_("These partnerships have begun; they cannot be called off."))
    planned = Partnership.objects.filter(code__in=codes, formed=starts)
    if planned.filter(closed__isnull=False).exists():
        raise ValidationError(
            _("Other partnerships are to follow these on a later day. Call those off first.")
        )
    ending = Partnership.objects.filter(closed=starts)
    if area is not None:
        inside = School.objects.filter(area__path__startswith=area.path)
        members = Membership.objects.filter(partnership=OuterRef("pk"), school__in=inside)
        ending = ending.filter(Exists(members) | Q(lead_school__in=inside))
        outside = Membership.objects.filter(partnership=OuterRef("pk"), ends=starts)
        ending = ending.exclude(Exists(outside.exclude(school__in=inside)))
    going_on = list(ending.values_list("pk", flat=True))
    Membership.objects.filter(partnership__in=planned).delete()
    Appointment.objects.filter(partnership__in=planned).delete()
    planned.delete()
    for name, kind in (("memberships", Membership), ("appointments", Appointment)):
        cut = kind._default_manager.filter(partnership__in=going_on, ends=starts)
        own = {int(pk): date.fromisoformat(day) for pk, day in (ends or {}).get(name, {}).items()}
        cut.exclude(pk__in=own).update(ends=None)
        for pk in list(cut.filter(pk__in=own).values_list("pk", flat=True)):
            kind._default_manager.filter(pk=pk).update(ends=own[pk])
    Partnership.objects.filter(pk__in=going_on).update(closed=None)
    audit.record(
        "directory.call_off",
        by=by,
        detail={"starts": starts.isoformat(), "called_off": len(codes), "go_on": len(going_on)},
    )
    return len(going_on)
