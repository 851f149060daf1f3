"""Reads of the end of a cycle: which ceremonies there are, and what somebody may read of one.

Each reads what they may read anyway: a ceremony opens no promise to anybody.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet

from brightspots_web.accountability import pledge_queries as pledges
from brightspots_web.accountability.pledge_models import Pledge, PledgeSet
from brightspots_web.directory import queries as directory
from brightspots_web.directory import record_queries
from brightspots_web.directory.models import Appointment, Cycle, Partnership
from brightspots_web.shared.permissions import Capability, may

State = Pledge.State


def sets_with(by: Appointment | None) -> QuerySet[PledgeSet]:
    """What schools promised, where something is readable that is not a draft."""
    seen = pledges.visible_to(by).exclude(state=State.DRAFT).filter(set=OuterRef("pk"))
    found = PledgeSet.objects.select_related("school__area", "partnership", "cycle")
    return found.filter(Exists(seen))


@dataclass(frozen=True)
class Ceremony:
    """A partnership and a cycle, as the list of ceremonies names them."""

    code: str
    partnership: str
    cycle: int
    cycle_name: str
    starts: date
    ends: date


NAMED = {
    "code": "partnership__code",
    "partnership": "partnership__name",
    "cycle": "cycle",
    "cycle_name": "cycle__name",
    "starts": "cycle__starts",
    "ends": "cycle__ends",
}


def ceremonies(by: Appointment | None) -> QuerySet[PledgeSet, Any]:
    """Partnerships and cycles with something to read, the newest cycle first, then by name.

    Rows of values: `as_ceremony` makes one of each.
    """
    rows = sets_with(by).values_list(*NAMED.values()).distinct()
    return rows.order_by("-cycle__starts", "cycle_id", "partnership__name", "partnership__code")


def as_ceremony(row: Sequence[Any]) -> Ceremony:
    return Ceremony(**dict(zip(NAMED, row, strict=True)))


def cycle_now() -> Cycle | None:
    """The cycle that runs today, the newest where there are several."""
    today = directory.today()
    running = (each for each in record_queries.cycles() if each.starts <= today < each.ends)
    return next(running, None)


def own_partnership(by: Appointment | None) -> Partnership | None:
    """The partnership somebody leads, or their school is in today."""
    if by is None:
        return None
    if by.partnership is not None:
        return by.partnership
    return directory.partnership_of(by.school) if by.school is not None else None


def ceremony_with(
    by: Appointment | None, code: str, cycle: int
) -> tuple[Partnership, Cycle] | None:
    """A partnership and a cycle, for whoever sees one or something that was promised in it."""
    of_cycle = next((each for each in record_queries.cycles() if each.pk == cycle), None)
    if of_cycle is None:
        return None
    row = sets_with(by).filter(partnership__code=code, cycle=of_cycle).first()
    if row is not None:
        return row.partnership, of_cycle
    seen = directory.partnerships_visible_to(by).filter(code=code).first()
    return (seen, of_cycle) if seen is not None else None


def promised_in(by: Appointment | None, partnership: Partnership, cycle: Cycle) -> list[Pledge]:
    """What somebody may read of a ceremony, in the order of the schools' names."""
    here = pledges.visible_to(by).filter(set__partnership=partnership, set__cycle=cycle)
    found = here.exclude(state=State.DRAFT).select_related("carried_from__set__cycle")
    # "own" before "other": the first half first.
    return list(found.order_by("set__school__name", "set__school__code", F("half").desc(), "pk"))


def halves_missing(sets: Iterable[int]) -> dict[int, set[str]]:
    """Set's key -> the halves that are not promised in it, or were taken back."""
    missing: dict[int, set[str]] = {key: set(Pledge.Half.values) for key in sets}
    rows = Pledge.objects.filter(set__in=list(missing), state__in=pledges.STANDS).order_by()
    for key, half in rows.values_list("set", "half"):
        missing[key].discard(half)
    return missing


def readable(by: Appointment | None, keys: Iterable[int | None]) -> set[int]:
    """Of these promises, the keys of those that somebody may open."""
    wanted = [key for key in keys if key]
    return set(pledges.visible_to(by).filter(pk__in=wanted).values_list("pk", flat=True))


def carried_on(by: Appointment | None, found: Iterable[Pledge]) -> dict[int, Pledge]:
    """Promise's key -> the one by which it goes on, where somebody may read that one."""
    keys = [each.pk for each in found]
    later = pledges.visible_to(by).exclude(state=State.DRAFT).filter(carried_from__in=keys)
    return {each.carried_from_id or 0: each for each in later}


def may_tell(by: Appointment | None, of_set: PledgeSet) -> bool:
    """Whether somebody says what a school learned: who answers for it, once it has promised."""
    return (
        by is not None
        and may(by, Capability.PLEDGE)
        and by.school_id is not None
        and by.school_id == of_set.school_id
        and Pledge.objects.filter(set=of_set).exclude(state=State.DRAFT).exists()
    )


def own_set(by: Appointment | None, partnership: Partnership, cycle: Cycle) -> PledgeSet | None:
    """The set of which somebody says what the school learned; None for everybody else."""
    if by is None or by.school_id is None:
        return None
    here = PledgeSet.objects.select_related("school__area", "partnership", "cycle")
    found = here.filter(school=by.school_id, partnership=partnership, cycle=cycle).first()
    return found if found is not None and may_tell(by, found) else None
