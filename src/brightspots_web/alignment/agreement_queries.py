"""All reads of the calendar by which a cycle agrees on its priorities. Everybody may know it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import QuerySet

from brightspots_web.alignment.models import Agreement, Ballot, Tier
from brightspots_web.directory import queries as directory

PHASES = ("propose", "consult", "ballot", "adopt", "work", "review")
"""In the order in which they follow each other."""
WEIGHTS: dict[str, int] = {Tier.SCHOOL: 1, Tier.PARTNERSHIP: 0, Tier.DISTRICT: 0, Tier.MINISTRY: 0}
"""What a vote of each tier weighs where nobody has set it otherwise."""


@dataclass(frozen=True)
class Phase:
    """A phase, its first day, and the first day after it."""

    name: str
    starts: date
    ends: date


def agreements() -> QuerySet[Agreement]:
    """Every agreement there ever was, the newest cycle first."""
    return Agreement.objects.select_related("cycle").order_by("-cycle__starts", "-pk")


def agreement(key: int) -> Agreement | None:
    return agreements().filter(pk=key).first()


def by_keys(keys: Iterable[Any]) -> dict[int, Agreement]:
    """Agreements by key, for the words of notices."""
    return agreements().in_bulk([key for key in keys if isinstance(key, int)])


def phases(agreement: Agreement) -> list[Phase]:
    """The six phases with their days, in order; one without days (adoption may be) has none."""
    starts = [getattr(agreement, f"{name}_from") for name in PHASES]
    ends = [*starts[1:], agreement.cycle.ends]
    return [Phase(*each) for each in zip(PHASES, starts, ends, strict=True)]


def phase_of(agreement: Agreement, on: date | None = None) -> str:
    """The phase of a day: `before`, one of :data:`PHASES`, or `over`."""
    day = on or directory.today()
    if day < agreement.propose_from:
        return "before"
    if day >= agreement.cycle.ends:
        return "over"
    return next(
        (each.name for each in reversed(phases(agreement)) if each.starts <= day < each.ends),
        "over",
    )


def open_agreements(on: date | None = None) -> list[Agreement]:
    """Agreements whose cycle is not over, the soonest first."""
    day = on or directory.today()
    found = Agreement.objects.select_related("cycle").filter(cycle__ends__gt=day)
    return list(found.order_by("cycle__starts", "pk"))


def current_agreement(on: date | None = None) -> Agreement | None:
    """The one whose cycle holds the day, else the next."""
    return next(iter(open_agreements(on)), None)


def being_agreed(on: date | None = None) -> list[Agreement]:
    """Agreements whose priorities are still being found: proposals, consultation, ballot."""
    finding = ("propose", "consult", "ballot", "adopt")
    return [each for each in open_agreements(on) if phase_of(each, on) in finding]


def taking_proposals(on: date | None = None) -> list[Agreement]:
    """Agreements to which something can be proposed on a day."""
    return [each for each in open_agreements(on) if phase_of(each, on) == "propose"]


def weights_of(agreement: Agreement) -> dict[str, int]:
    """What one vote of each tier weighs, every tier named."""
    return {tier.value: int(agreement.weights.get(tier, WEIGHTS[tier])) for tier in Tier}


def has_ballot(agreement: Agreement) -> bool:
    """Whether a ballot was opened for it, be it closed by now: its days and weights are history."""
    return Ballot.objects.filter(agreement=agreement).exists()


def with_ballot(agreements: Sequence[Agreement]) -> set[int]:
    """Keys of those for which a ballot was opened."""
    return set(Ballot.objects.filter(agreement__in=agreements).values_list("agreement", flat=True))
