"""A school closes, merges or is divided: who carries on, and what ends on that day."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from brightspots_web.directory import queries
from brightspots_web.directory.actions import OPERATOR, hold_school
from brightspots_web.directory.models import Appointment, Membership, School, Succession
from brightspots_web.shared import audit
from brightspots_web.shared.permissions import Capability, may

FARTHEST = timedelta(days=731)
"""A closing further ahead is a slip of the hand."""


@dataclass(frozen=True)
class Link:
    """One row of a file: which school, by code, took over from which, how and when."""

    predecessor: str
    successor: str
    kind: str = Succession.Kind.SUCCESSOR
    on: date | None = None


@transaction.atomic
def close_school(
    school: School, *, on: date, successors: Sequence[School] = (), by: Appointment
) -> School:
    """Close a school on a day: from then on it has no partnership and nobody is appointed there.

    Its history stays where it is. Its successors' people may read it, and what was begun for it
    and needs an answer goes to them. What was planned to end earlier ends as planned.

    Raises
    ------
    PermissionDenied
        For whoever does not appoint within an area that holds the school.
    ValidationError
        It is closed already, the day is far off, or a successor is closed by then or the school
        itself.
    """
    if not may(by, Capability.APPOINT) or not _sees(by, school):
        raise PermissionDenied
    hold_school(school)
    found = School.objects.select_related("area").get(pk=school.pk)
    if found.closed is not None:
        raise ValidationError(_("{school} is down as closed already.").format(school=found.name))
    if abs(on - queries.today()) > FARTHEST:
        raise ValidationError(_("Give a day within two years of today."))
    for each in successors:
        if each.pk == found.pk:
            raise ValidationError(_("A school cannot carry on its own work after it closes."))
        if each.closed is not None and each.closed <= on:
            raise ValidationError(
                _("{school} is closed by then and cannot carry on.").format(school=each.name)
            )
    found.closed = on
    found.full_clean()
    found.save(update_fields=["closed"])
    kind = Succession.Kind.SPLIT if len(successors) > 1 else Succession.Kind.MERGED
    for each in successors:
        Succession.objects.get_or_create(
            predecessor=found, successor=each, defaults={"kind": kind, "on": on}
        )
    ended = _end_what_is_held(found, on)
    audit.record(
        "directory.close_school",
        by=by,
        target=found,
        detail={
            "on": on.isoformat(), "successors": [each.code for each in successors], "ended": ended,
        },
    )  # fmt: skip
    return found


def _sees(by: Appointment, school: School) -> bool:
    return by.person.email == OPERATOR or (
        queries.schools_visible_to(by).filter(pk=school.pk).exists()
    )


def _end_what_is_held(school: School, on: date) -> dict[str, int]:
    """End the school's membership and its people's appointments there on that day.

    A system leader who is head there leads on: whom the partnership takes as its leader is for
    whoever appoints.
    """
    lasting = Q(ends__isnull=True) | Q(ends__gt=on)
    memberships = Membership.objects.filter(lasting, school=school, starts__lt=on)
    held = Appointment.objects.filter(lasting, school=school, starts__lt=on, partnership=None)
    planned = Appointment.objects.filter(school=school, starts__gte=on, partnership=None)
    return {
        "memberships": memberships.update(ends=on),
        "appointments": held.update(ends=on),
        "planned appointments": planned.delete()[0],
    }


@transaction.atomic
def import_links(links: Iterable[Link], *, by: Appointment) -> list[int]:
    """Keep what a file says about who took over from whom; give the keys of those that are new.

    Rows must name registered schools: whoever calls has matched them.
    """
    wanted = {(each.predecessor, each.successor): each for each in links}
    codes = {code for pair in wanted for code in pair}
    keys = {
        code: pk
        for chunk in _chunks(sorted(codes), 500)
        for code, pk in School.objects.filter(code__in=chunk).values_list("code", "pk")
    }
    rows = [
        Succession(
            predecessor_id=keys[each.predecessor],
            successor_id=keys[each.successor],
            kind=each.kind,
            on=each.on,
        )
        for each in missing_links(wanted.values())
    ]
    made = Succession.objects.bulk_create(rows, batch_size=1000)
    audit.record("directory.import_links", by=by, detail={"new": len(made)})
    return [each.pk for each in made]


def missing_links(links: Iterable[Link]) -> list[Link]:
    """Those of a file that are not kept yet, each pair once, in the order of their codes."""
    wanted = {(each.predecessor, each.successor): each for each in links}
    kept = set(Succession.objects.values_list("predecessor__code", "successor__code").iterator())
    return [wanted[pair] for pair in sorted(wanted) if pair not in kept]


@transaction.atomic
def forget_links(keys: Sequence[int], *, by: Appointment) -> int:
    """Take back what an import of links brought."""
    gone = 0
    for chunk in _chunks(keys, 500):
        gone += Succession.objects.filter(pk__in=chunk).delete()[0]
    audit.record("directory.forget_links", by=by, detail={"links": gone})
    return gone


def _chunks(items: Sequence[str] | Sequence[int], size: int) -> Iterable[Sequence[str]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]  # type: ignore[misc] # of one type each time
