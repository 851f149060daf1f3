"""Setting the calendar by which a cycle agrees on its priorities, and telling people of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.alignment import agreement_queries as queries
from brightspots_web.alignment import agreement_words as words
from brightspots_web.alignment import ballot_queries
from brightspots_web.alignment.agreement_queries import PHASES
from brightspots_web.alignment.models import Agreement, Tier
from brightspots_web.directory import cycle_actions
from brightspots_web.directory.models import Appointment
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.permissions import Capability, may
from brightspots_web.shared.words import day

HEAVIEST = 99
"""The most that one vote may weigh."""


@dataclass(frozen=True)
class Calendar:
    """The days of a cycle and of its phases, and what a vote of each tier weighs."""

    name: str
    starts: date
    ends: date
    """The first day after the cycle."""
    propose_from: date
    consult_from: date
    ballot_from: date
    adopt_from: date
    work_from: date
    review_from: date
    weights: Mapping[str, int] = field(default_factory=lambda: {**queries.WEIGHTS})

    @property
    def days(self) -> dict[str, date]:
        return {name: getattr(self, f"{name}_from") for name in PHASES}


class EndsPhaseError(ValidationError):
    """The change ends a phase in which people are at work: the ministry is asked whether it means
    it."""


@transaction.atomic
def make_agreement(wanted: Calendar, *, by: Appointment) -> Agreement:
    """Set the calendar of a cycle that has none. Pressed twice, it is set once.

    Raises
    ------
    ValidationError
        Days are out of order, a weight cannot be, or the cycle has a calendar already.
    """
    if not may(by, Capability.SET_PRIORITIES):
        raise PermissionDenied
    _check(wanted)
    cycle = cycle_actions.make_cycle(wanted.name, wanted.starts, wanted.ends, by=by)
    known = Agreement.objects.select_related("cycle").filter(cycle=cycle).first()
    if known is not None:
        if as_wanted(known) == as_dict(wanted):
            return known
        raise ValidationError(
            {"name": _("The cycle “{name}” has a calendar: change that one.").format(name=cycle)}
        )
    agreement = Agreement(cycle=cycle)
    _keep(agreement, wanted, by)
    audit.record("alignment.make_agreement", by=by, target=agreement, detail=as_dict(wanted))
    return agreement


@transaction.atomic
def change_agreement(
    agreement: Agreement,
    wanted: Calendar,
    *,
    by: Appointment,
    seen: int | None,
    sure: bool = False,
) -> Agreement:
    """Change days and weights.

    Parameters
    ----------
    seen
        The version that the person had before them; None to take whatever is there.
    sure
        Whether the person knows that the phase in which people are at work ends by it.

    Raises
    ------
    OvertakenError
        Somebody else changed it meanwhile.
    EndsPhaseError
        The present phase would end today, and `sure` was not said.
    ValidationError
        Days are out of order, or those of a ballot that was opened would change.
    """
    if not may(by, Capability.SET_PRIORITIES):
        raise PermissionDenied
    _check(wanted)
    audit.one_at_a_time()
    held = (
        Agreement.objects.select_for_update(of=("self",), no_key=True)
        .select_related("cycle")
        .get(pk=agreement.pk)
    )
    if seen is not None and seen != held.version:
        raise OvertakenError(
            _(
                "Somebody changed this calendar since you opened it. What you wrote is still here "
                "and was not saved: look at the calendar as it is now, then save yours if it "
                "still holds."
            )
        )
    before = as_wanted(held)
    if before == as_dict(wanted):
        return held
    _check_ballot(held, wanted)
    phase = queries.phase_of(held)
    cycle = cycle_actions.change_cycle(held.cycle, wanted.name, wanted.starts, wanted.ends, by=by)
    held.cycle = cycle
    _keep(held, wanted, by)
    if phase in PHASES and queries.phase_of(held) != phase and not sure:
        raise EndsPhaseError(words.ends_phase(held, phase))
    audit.record(
        "alignment.change_agreement",
        by=by,
        target=held,
        detail={"before": before, "after": as_dict(wanted)},
    )
    return held


def as_dict(wanted: Calendar) -> dict[str, object]:
    """A calendar in JSON types, for comparing and for the audit trail."""
    days = {f"{name}_from": each.isoformat() for name, each in wanted.days.items()}
    return {
        "name": " ".join(wanted.name.split()),
        "starts": wanted.starts.isoformat(),
        "ends": wanted.ends.isoformat(),
        **days,
        "weights": _weights(wanted),
    }


def as_wanted(agreement: Agreement) -> dict[str, object]:
    """A calendar that is kept, as :func:`as_dict` gives one that is wanted."""
    return as_dict(calendar_of(agreement))


def calendar_of(agreement: Agreement) -> Calendar:
    """A calendar that is kept, as one that is wanted: what a form begins with."""
    cycle = agreement.cycle
    days = {f"{name}_from": getattr(agreement, f"{name}_from") for name in PHASES}
    return Calendar(
        cycle.name, cycle.starts, cycle.ends, **days, weights=queries.weights_of(agreement)
    )


def _weights(wanted: Calendar) -> dict[str, int]:
    return {tier.value: int(wanted.weights.get(tier, queries.WEIGHTS[tier])) for tier in Tier}


def _keep(agreement: Agreement, wanted: Calendar, by: Appointment) -> None:
    for name, each in wanted.days.items():
        setattr(agreement, f"{name}_from", each)
    agreement.weights = _weights(wanted)
    agreement.changed_by, agreement.changed_at = by.label[:300], timezone.now()
    agreement.version = agreement.version + 1 if agreement.pk else 1
    agreement.full_clean()
    agreement.save()


def _check(wanted: Calendar) -> None:
    """Every day that stands out of order, by name, with the day that it has to follow."""
    problems: dict[str, str] = {}
    days = list(wanted.days.items())
    for (earlier, first), (later, second) in pairwise(days):
        together = (earlier, later) == ("adopt", "work")
        if second < first or (second == first and not together):
            problems[f"{later}_from"] = words.out_of_order(earlier, first, later, second)
    if wanted.work_from < wanted.starts and "work_from" not in problems:
        problems["work_from"] = _(
            "Work on the priorities begins with the cycle or later: from {day}."
        ).format(day=day(wanted.starts))
    if wanted.ends <= wanted.starts:
        problems["ends"] = _("A cycle ends after it has begun: give a later day.")
    elif wanted.review_from >= wanted.ends and "review_from" not in problems:
        problems["review_from"] = _(
            "The review begins before the cycle is over: by {day} at the latest."
        ).format(day=day(wanted.ends - timedelta(days=1)))
    for tier, weight in _weights(wanted).items():
        if not 0 <= weight <= HEAVIEST:
            problems[f"weight_{tier}"] = _("Give a whole number from 0 to {most}.").format(
                most=HEAVIEST
            )
    if _weights(wanted)[Tier.SCHOOL] < 1:
        problems["weight_school"] = _("Schools always have a vote: give 1 or more.")
    if problems:
        raise ValidationError(problems)


def _check_ballot(held: Agreement, wanted: Calendar) -> None:
    """What people were told of a ballot holds: its first day, its weights, and time to vote."""
    ballot = ballot_queries.ballot_of(held)
    if ballot is None:
        return
    problems: dict[str, str] = {}
    if wanted.ballot_from != held.ballot_from:
        problems["ballot_from"] = _("The ballot was opened by this day: it stays {day}.").format(
            day=day(held.ballot_from)
        )
    if _weights(wanted) != queries.weights_of(held):
        problems["weight_school"] = _(
            "The ballot was opened with these weights: they stay as they are."
        )
    ends = ballot_queries.ends_on(ballot)
    if ballot.closed_at is None and wanted.adopt_from < ends:
        problems["adopt_from"] = _(
            "People were told that they can vote until {day}: adoption begins after it."
        ).format(day=day(ends - timedelta(days=1)))
    if problems:
        raise ValidationError(problems)
