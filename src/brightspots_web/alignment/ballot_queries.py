"""All reads of ballots: who may vote, whether it is open, who has voted; never what anybody voted.

Everybody with an appointment may see a ballot: while it is open its turnout alone, then its count.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.db.models import Count, Q, QuerySet

from brightspots_web.alignment import agreement_queries as calendar
from brightspots_web.alignment.ballot_count import Counted, Papers, Rules, lots, seed_of
from brightspots_web.alignment.ballot_file import counted_of, rules_of
from brightspots_web.alignment.models import (
    Agreement,
    Ballot,
    PriorityProposal,
    Tier,
    Vote,
    Voter,
)
from brightspots_web.alignment.proposal_queries import on_the_table as on_the_table
from brightspots_web.directory import people_queries as people
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Partnership, Person, School
from brightspots_web.shared.permissions import Capability, Role, may

FEWEST_IN_AREA = 3
"""The turnout of an area, or a tier, with fewer voters is not shown."""
SEATS = (2, 3)


def ballots_visible_to(acting: Appointment | None) -> QuerySet[Ballot]:
    """Every ballot, the newest first, for everybody with an appointment."""
    found = Ballot.objects.select_related("agreement__cycle")
    return found if acting is not None else found.none()


def ballot_of(agreement: Agreement) -> Ballot | None:
    return Ballot.objects.select_related("agreement__cycle").filter(agreement=agreement).first()


def ballot_with(key: int) -> Ballot | None:
    return Ballot.objects.select_related("agreement__cycle").filter(pk=key).first()


def ballots_with(keys: Iterable[int]) -> dict[int, Ballot]:
    found = Ballot.objects.select_related("agreement__cycle")
    return {each.pk: each for each in found.filter(pk__in=list(keys))}


def unfinished() -> list[Ballot]:
    """Ballots that were opened and are not counted yet."""
    return list(Ballot.objects.select_related("agreement__cycle").filter(closed_at=None))


def ends_on(ballot: Ballot) -> date:
    """The first day on which nobody can vote: as announced, or when adoption begins."""
    return min(ballot.closes_on, ballot.agreement.adopt_from)


def is_open(ballot: Ballot, on: date | None = None) -> bool:
    """Whether votes can be cast."""
    return ballot.closed_at is None and (on or directory.today()) < ends_on(ballot)


def may_open(acting: Appointment | None, agreement: Agreement) -> bool:
    """Whether this appointment can open the ballot now."""
    return (
        may(acting, Capability.SET_PRIORITIES)
        and calendar.phase_of(agreement) == "ballot"
        and not calendar.has_ballot(agreement)
    )


# What is voted on: the proposals on the table


def seed_for(agreement: Agreement, proposals: Sequence[PriorityProposal]) -> int:
    return seed_of(agreement.cycle.name, [each.pk for each in proposals])


def drawn(agreement: Agreement) -> list[PriorityProposal]:
    """The proposals in the order in which they would stand on the paper."""
    found = {each.pk: each for each in on_the_table(agreement)}
    seed = seed_for(agreement, list(found.values()))
    return [found[key] for key in lots(seed, found, "paper")]


def rules(ballot: Ballot) -> Rules:
    return rules_of(ballot.seats, ballot.choices, ballot.weights, ballot.seed)


# Who votes


@dataclass(frozen=True)
class Held:
    """A vote that an appointment casts: for its school, partnership, district or the ministry."""

    tier: str
    name: str
    voted: bool


def acts_for(acting: Appointment | None, tier: str) -> bool:
    """Whether the appointment speaks for somebody of this tier, be there a ballot or not."""
    if acting is None or not may(acting, Capability.VOTE):
        return False
    if tier == Tier.SCHOOL:
        return directory.heads().filter(pk=acting.pk).exists()
    if tier == Tier.PARTNERSHIP:
        return (
            acting.role == Role.SYSTEM_LEADER
            and directory.live_partnerships().filter(pk=acting.partnership_id or 0).exists()
        )
    if tier == Tier.DISTRICT:
        return acting.role == Role.DISTRICT_OFFICER and acting.area_id is not None
    return tier == Tier.MINISTRY and acting.role == Role.MINISTER


def place_of(acting: Appointment, tier: str) -> dict[str, Any]:
    """For whom the appointment votes in a tier, as the fields of a voter."""
    return {
        "tier": tier,
        "school_id": acting.school_id if tier == Tier.SCHOOL else None,
        "partnership_id": acting.partnership_id if tier == Tier.PARTNERSHIP else None,
        **({"area_id": acting.area_id} if tier == Tier.DISTRICT else {}),
    }


def voters_of(ballot: Ballot, acting: Appointment, tier: str) -> QuerySet[Voter]:
    """The one row, if it is there already, under which this appointment votes."""
    return Voter.objects.filter(ballot=ballot, **place_of(acting, tier))


def votes_held(acting: Appointment | None, ballot: Ballot) -> list[Held]:
    """The votes that this appointment casts in a ballot, its school's first."""
    if acting is None:
        return []
    names = {
        Tier.SCHOOL.value: acting.school,
        Tier.PARTNERSHIP.value: acting.partnership,
        Tier.DISTRICT.value: acting.area,
        Tier.MINISTRY.value: Tier.MINISTRY.label,
    }
    return [
        Held(tier, str(names[tier]), voters_of(ballot, acting, tier).filter(voted=True).exists())
        for tier in Tier.values
        if ballot.weights.get(tier, 0) > 0 and acts_for(acting, tier)
    ]


def entitled_schools() -> QuerySet[School]:
    return directory.open_schools()


def entitled_partnerships() -> QuerySet[Partnership]:
    return directory.live_partnerships()


def entitled_areas() -> QuerySet[Appointment, Any]:
    """Keys of the districts: areas that somebody is the officer for today."""
    return people.officers().values("area")


def counts_of_entitled(weights: dict[str, int]) -> dict[str, int]:
    """How many voters of each tier there would be today."""
    found = {
        Tier.SCHOOL.value: entitled_schools().count(),
        Tier.PARTNERSHIP.value: entitled_partnerships().count(),
        Tier.DISTRICT.value: entitled_areas().distinct().count(),
        Tier.MINISTRY.value: 1,
    }
    return {tier: number for tier, number in found.items() if weights.get(tier, 0) > 0}


def people_voting(ballot: Ballot, *, still: bool = False) -> list[Person]:
    """Who casts the votes, or (`still`) those not cast yet."""
    voters = Voter.objects.filter(ballot=ballot)
    if still:
        voters = voters.filter(voted=False)
    held: list[Person] = []
    for tier, appointments, place in (
        (Tier.SCHOOL, directory.heads(), "school"),
        (Tier.PARTNERSHIP, directory.live_leaders(), "partnership"),
        (Tier.DISTRICT, people.officers(), "area"),
    ):
        mine = voters.filter(tier=tier).values(place)
        found = appointments.filter(**{f"{place}__in": mine}).select_related("person")
        held += [each.person for each in found]
    if voters.filter(tier=Tier.MINISTRY).exists():
        held += list(people.ministry())
    return list({person.pk: person for person in held if person.is_active}.values())


# Turnout


@dataclass(frozen=True)
class Turnout:
    """How many have voted; None where too few could for it to be shown."""

    label: str
    voters: int
    voted: int | None
    path: str = ""
    inner: bool = False
    """Whether there are areas below it."""

    @property
    def share(self) -> float | None:
        return None if self.voted is None or not self.voters else self.voted / self.voters


_VOTED = Count("pk", filter=Q(voted=True))


def turnout(ballot: Ballot) -> Turnout:
    whole = Voter.objects.filter(ballot=ballot).aggregate(n=Count("pk"), voted=_VOTED)
    return Turnout("", whole["n"], whole["voted"])


def turnouts(ballots: Sequence[Ballot]) -> dict[int, Turnout]:
    """Turnout of several ballots by their keys, in one statement."""
    rows = Voter.objects.filter(ballot__in=ballots).values("ballot").order_by()
    counted = rows.annotate(n=Count("pk"), voted=_VOTED)
    return {row["ballot"]: Turnout("", row["n"], row["voted"]) for row in counted}


def voters_in(ballot: Ballot, tier: str) -> int:
    """How many voters a tier has."""
    return Voter.objects.filter(ballot=ballot, tier=tier).count()


def turnout_by_tier(ballot: Ballot) -> list[Turnout]:
    """Each tier that has a vote; one with fewer than three voters without its turnout.

    The turnout of all is known: so the smallest of the others goes with it, where it would be had
    by subtraction.
    """
    rows = Voter.objects.filter(ballot=ballot).values("tier").order_by()
    found = {each["tier"]: each for each in rows.annotate(n=Count("pk"), voted=_VOTED)}
    return _withheld(
        [
            Turnout(str(tier.label), row["n"], row["voted"], path=tier.value)
            for tier in Tier
            if (row := found.get(tier.value)) is not None
        ]
    )


def turnout_by_area(ballot: Ballot, within: str = "") -> list[Turnout]:
    """Schools' turnout in the areas one step below an area (its path; "" for the whole system).

    An area with fewer than three schools shows none, and another beside it neither where its own
    could be had by subtraction; nor is it shown by its parts. A single root is the system itself:
    its parts are shown.
    """
    rows = (
        Voter.objects.filter(ballot=ballot, tier=Tier.SCHOOL)
        .values_list("area__path")
        .annotate(n=Count("pk"), voted=_VOTED)
        .order_by()
    )
    known = [(str(path), int(n), int(voted)) for path, n, voted in rows]
    names = directory.area_names()
    found = _shown_below(known, within, names)
    if not within and len(found) == 1 and found[0].inner:
        within = found[0].path
        found = _shown_below(known, within, names)
    steps = within.split("/")[:-1]
    above = ["".join(f"{step}/" for step in steps[:n]) for n in range(len(steps))]
    hidden = any(
        each.voted is None and within.startswith(each.path)
        for path in above
        for each in _shown_below(known, path, names)
    )
    return [replace(each, voted=None) for each in found] if hidden else found


def _shown_below(
    rows: Sequence[tuple[str, int, int]], within: str, names: Mapping[int, tuple[str, ...]]
) -> list[Turnout]:
    """The areas one step below another, by name, as far as that one's turnout is known."""
    named = [
        replace(each, label=names[_key(each.path)][-1]) for each in _one_step_below(rows, within)
    ]
    itself = sum(n for path, n, _voted in rows if path == within)
    return _withheld(sorted(named, key=lambda each: (each.label.casefold(), each.path)), itself)


def _key(path: str) -> int:
    return int(path.strip("/").rpartition("/")[2])


def _one_step_below(rows: Iterable[tuple[str, int, int]], within: str) -> list[Turnout]:
    sums: dict[str, tuple[int, int, bool]] = {}
    for path, n, voted in rows:
        if not path.startswith(within):
            continue
        rest = path.removeprefix(within)
        if not rest:
            continue  # schools that stand in the area itself
        first, _slash, below = rest.partition("/")
        at = f"{within}{first}/"
        before = sums.get(at, (0, 0, False))
        sums[at] = (before[0] + n, before[1] + voted, before[2] or bool(below))
    return [Turnout("", n, voted, path, inner) for path, (n, voted, inner) in sums.items()]


def _withheld(areas: list[Turnout], beside: int = 0) -> list[Turnout]:
    """Those with few voters, and as many others as it takes, without their turnout.

    `beside`: voters who are in the sum but in none of these.
    """
    hidden = {each.path for each in areas if each.voters < FEWEST_IN_AREA}
    shown = sorted(
        (each for each in areas if each.path not in hidden), key=lambda each: each.voters
    )
    while shown and 0 < beside + _together(areas, hidden) < FEWEST_IN_AREA:
        hidden.add(shown.pop(0).path)
    return [replace(each, voted=None) if each.path in hidden else each for each in areas]


def _together(areas: list[Turnout], hidden: set[str]) -> int:
    return sum(each.voters for each in areas if each.path in hidden)


# The count


def papers(ballot: Ballot) -> list[Papers]:
    """The papers of a closed ballot, those alike together; none while it is open."""
    if ballot.closed_at is None:
        return []
    counted: dict[tuple[str, tuple[int, ...]], int] = {}
    for tier, ranking in Vote.objects.filter(ballot=ballot).values_list("tier", "ranking"):
        alike = (tier, tuple(ranking))
        counted[alike] = counted.get(alike, 0) + 1
    order = {tier: place for place, tier in enumerate(Tier.values)}
    return [
        Papers(tier, ranking, number)
        for (tier, ranking), number in sorted(
            counted.items(), key=lambda each: (order[each[0][0]], -each[1], each[0][1])
        )
    ]


def counted(ballot: Ballot) -> Counted | None:
    """The count as it was kept; None until the ballot is closed."""
    return counted_of(ballot.result) if ballot.closed_at and ballot.result else None


def chosen(ballot: Ballot | None) -> list[int]:
    """Keys of the proposals that were chosen, the first one first."""
    return list(ballot.result.get("chosen", [])) if ballot and ballot.closed_at else []
