"""Opening a ballot, keeping its list of voters, closing and counting it. Votes: see
`ballot_vote_actions`.

Order of locks: the ballot's row, then rows of voters. Whoever votes holds the own voter's row alone
and reads the ballot after that; whoever closes holds them all first, so that no vote comes in
between the last look and the count.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from hashlib import sha256
from secrets import SystemRandom, randbits
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.alignment import agreement_queries as calendar
from brightspots_web.alignment import ballot_queries as queries
from brightspots_web.alignment import ballot_words as words
from brightspots_web.alignment.ballot_count import METHOD, VERSION, count
from brightspots_web.alignment.ballot_file import as_data
from brightspots_web.alignment.models import Agreement, Ballot, PriorityProposal, Tier, Vote, Voter
from brightspots_web.directory import actions as register
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment
from brightspots_web.notices import actions as notices
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.permissions import Capability, may
from brightspots_web.shared.words import day

OPENED = "alignment.ballot_opened"
REMINDER = "alignment.ballot_reminder"
COUNTED = "alignment.ballot_counted"
REMINDED_AT = (7, 1)
"""So many days before the end those who have not voted hear of it."""
AT_ONCE = 2000


@transaction.atomic
def open_ballot(
    agreement: Agreement, *, seats: int, closes_on: date, by: Appointment, seen: int | None = None
) -> Ballot:
    """Open the ballot of a cycle: the paper is drawn, weights are frozen, voters are told.

    Parameters
    ----------
    seats
        How many are to be chosen: two or three.
    closes_on
        The first day on which nobody can vote any more; adoption begins then or later.
    seen
        The number from which the order was drawn that the ministry had before it: it is another
        when a proposal came or went meanwhile.

    Raises
    ------
    ValidationError
        It is not the time, there is a ballot already, or there is nothing to choose from.
    OvertakenError
        Another set of proposals is on the table by now.
    """
    if not may(by, Capability.SET_PRIORITIES):
        raise PermissionDenied
    audit.one_at_a_time()
    held = Agreement.objects.select_related("cycle").get(pk=agreement.pk)
    if problem := words.cannot_open(held):
        raise ValidationError(problem)
    if seats not in queries.SEATS:
        raise ValidationError({"seats": _("Two or three are to be chosen.")})
    proposals = queries.drawn(held)
    if len(proposals) <= seats:
        raise ValidationError({"seats": words.too_few(len(proposals), seats)})
    _check_days(held, closes_on)
    seed = queries.seed_for(held, proposals)
    if seen is not None and seen != seed:
        raise OvertakenError(
            _("A proposal came or went since you opened this page. The paper below is as it is "
              "now: look at it again, then open the ballot.")
        )  # fmt: skip
    weights = {tier: weight for tier, weight in calendar.weights_of(held).items() if weight > 0}
    ballot = Ballot.objects.create(
        agreement=held,
        choices=[{"key": each.pk, "title": each.title, "withdrawn": False} for each in proposals],
        seats=seats,
        seed=seed,
        weights=weights,
        method=METHOD[:100],
        method_version=VERSION,
        opened_at=timezone.now(),
        opened_by=by.label[:300],
        closes_on=closes_on,
    )
    list_voters(ballot)
    audit.record(
        "alignment.open_ballot", by=by, target=ballot,
        detail={
            "choices": [each.pk for each in proposals], "seats": seats, "seed": seed,
            "weights": weights, "closes_on": closes_on.isoformat(),
            "voters": ballot.voters.count(),
        },
    )  # fmt: skip
    _tell(ballot, OPENED, queries.people_voting(ballot))
    return ballot


def _check_days(agreement: Agreement, closes_on: date) -> None:
    if closes_on <= directory.today():
        raise ValidationError({"closes_on": _("Give voters a day at least.")})
    if closes_on > agreement.adopt_from:
        raise ValidationError(
            {
                "closes_on": _(
                    "Adoption begins on {day}: the ballot closes by then. Move the calendar for "
                    "more time."
                ).format(day=day(agreement.adopt_from))
            }
        )


@transaction.atomic
def give_more_time(
    ballot: Ballot, closes_on: date, *, by: Appointment, seen: int | None = None
) -> Ballot:
    """Let votes be cast longer than announced. Less time than announced there never is."""
    if not may(by, Capability.SET_PRIORITIES):
        raise PermissionDenied
    held = _held(ballot)
    if not queries.is_open(held):  # one that has ended is not opened again, counted or not
        raise ValidationError(words.closed(held))
    if seen is not None and seen != held.version:
        raise OvertakenError(
            _("Somebody changed the ballot since you opened this page. It is shown as it is now.")
        )
    if held.closes_on == closes_on:
        return held
    if closes_on < held.closes_on:
        raise ValidationError(
            {"closes_on": _("People count on the day that was announced. It can only be later.")}
        )
    _check_days(held.agreement, closes_on)
    before, held.closes_on = held.closes_on, closes_on
    held.version += 1
    held.reminded = []
    held.save()
    audit.record(
        "alignment.give_more_time", by=by, target=held,
        detail={"from": before.isoformat(), "to": closes_on.isoformat()},
    )  # fmt: skip
    return held


@transaction.atomic
def note_withdrawal(proposal: PriorityProposal, *, by: Appointment) -> None:
    """Strike a proposal out that is withdrawn while people vote.

    Papers already cast stay as they are: in the count it is passed over, and the next choice moves
    up. Nothing happens where there is no ballot, where it is counted, or where it is not on it.
    """
    rows = Ballot.objects.select_for_update(no_key=True)
    ballot = rows.filter(agreement=proposal.agreement_id).first()
    if ballot is None or ballot.closed_at is not None:
        return
    struck = [each for each in ballot.choices if each["key"] == proposal.pk]
    if not struck or struck[0]["withdrawn"]:
        return
    struck[0]["withdrawn"] = True
    ballot.version += 1
    ballot.save()
    audit.record(
        "alignment.note_withdrawal", by=by, target=ballot, detail={"proposal": proposal.pk}
    )


@transaction.atomic
def close_ballot(ballot: Ballot, *, by: Appointment) -> Ballot:
    """Close a ballot whose time is over, and count it. Closed already, it is left as it is."""
    if not may(by, Capability.SET_PRIORITIES):
        raise PermissionDenied
    return _close(ballot, by, by.label)


def _close(ballot: Ballot, by: Appointment, who: str) -> Ballot:
    held = _held(ballot)
    if held.closed_at is not None:
        return held
    if queries.is_open(held):
        raise ValidationError(words.not_yet_closed(held))
    count_up(held, by=by, who=who)
    _tell(held, COUNTED, queries.people_voting(held))
    return held


def count_up(held: Ballot, *, by: Appointment, who: str) -> None:
    """Shuffle and count the papers of a ballot whose time is over. The caller holds its row."""
    list_voters(held, until=queries.ends_on(held) - timedelta(days=1))
    list(held.voters.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    _shuffle(held)
    held.closed_at, held.closed_by = timezone.now(), who[:300]
    held.version += 1
    held.result = as_data(count(queries.rules(held), queries.papers(held)))
    held.save()
    audit.record(
        "alignment.close_ballot", by=by, target=held,
        detail={
            "chosen": held.result["chosen"], "papers": held.result["papers"],
            "papers_sha256": _digest(held),
        },
    )  # fmt: skip


def _shuffle(ballot: Ballot) -> None:
    """Write all papers anew in an order drawn by lot: nothing of how they came in is left."""
    given = list(Vote.objects.filter(ballot=ballot).values_list("tier", "ranking"))
    Vote.objects.filter(ballot=ballot).delete()
    SystemRandom().shuffle(given)
    keys = sorted(free_keys(len(given)))
    Vote.objects.bulk_create(
        [
            Vote(id=key, ballot=ballot, tier=tier, ranking=ranking)
            for key, (tier, ranking) in zip(keys, given, strict=True)
        ],
        batch_size=AT_ONCE,
    )


def free_keys(number: int) -> set[int]:
    """So many keys drawn by lot, none of them twice."""
    keys: set[int] = set()
    while len(keys) < number:
        keys.add(randbits(62) + 1)
    return keys


def _digest(ballot: Ballot) -> str:
    """What tells these papers from any others, for the audit trail."""
    lines = [
        f"{each.tier} {','.join(map(str, each.ranking))} {each.count}"
        for each in queries.papers(ballot)
    ]
    return sha256("\n".join(lines).encode()).hexdigest()


# The list of voters


def keep_voters(ballot: Ballot) -> None:
    """Let the list of voters of an open ballot follow what opened and closed since."""
    with transaction.atomic():
        held = _held(ballot)
        if queries.is_open(held):
            list_voters(held)


def list_voters(ballot: Ballot, until: date | None = None) -> None:
    """Add who has a vote by now, strike out who lost it without having voted.

    A school that closes before it votes loses its vote; one that voted keeps it counted; one that
    opens gets one. So do partnerships, and districts with an officer. The caller holds the ballot.
    """
    for tier in Tier.values:
        if ballot.weights.get(tier, 0) > 0:
            _keep_tier(ballot, tier, until)


def _keep_tier(ballot: Ballot, tier: str, until: date | None) -> None:
    voters = Voter.objects.filter(ballot=ballot, tier=tier)
    if tier == Tier.MINISTRY:
        if not voters.exists():
            Voter.objects.create(ballot=ballot, tier=tier)
        return
    place = {Tier.SCHOOL: "school", Tier.PARTNERSHIP: "partnership", Tier.DISTRICT: "area"}[
        Tier(tier)
    ]
    listed = voters.values(place)
    rows: Iterable[dict[str, Any]]
    if tier == Tier.SCHOOL:
        entitled: Any = directory.open_schools(until).values("pk")
        new = directory.open_schools(until).exclude(pk__in=listed).order_by("pk")
        rows = (
            {"school_id": pk, "area_id": area}
            for pk, area in new.values_list("pk", "area").iterator(chunk_size=AT_ONCE)
        )
    elif tier == Tier.PARTNERSHIP:
        entitled = directory.live_partnerships(until).values("pk")
        new_ones = directory.live_partnerships(until).exclude(pk__in=listed).order_by("pk")
        rows = [{"partnership_id": pk} for pk in new_ones.values_list("pk", flat=True)]
    else:
        entitled = queries.entitled_areas()
        areas = queries.entitled_areas().exclude(area__in=listed).order_by("area").distinct()
        rows = [{"area_id": pk} for pk in areas.values_list("area", flat=True)]
    voters.filter(voted=False).exclude(**{f"{place}__in": entitled}).delete()
    Voter.objects.bulk_create(
        [Voter(ballot=ballot, tier=tier, **row) for row in rows], batch_size=AT_ONCE
    )


# What the worker does


def keep_time() -> None:
    """The worker's hourly work: voters kept, reminders sent, what is over closed and counted."""
    for ballot in queries.unfinished():
        keep_voters(ballot)
        remind(ballot)
        close_when_over(ballot)


@transaction.atomic
def remind(ballot: Ballot) -> int:
    """Tell those who have not voted, seven days and one day before the end; return how many."""
    held = _held(ballot)
    left = (queries.ends_on(held) - directory.today()).days
    due = [days for days in REMINDED_AT if left <= days and days not in held.reminded]
    if not due or not queries.is_open(held):
        return 0
    held.reminded = sorted({*held.reminded, *due}, reverse=True)
    held.save(update_fields=["reminded"])
    return _tell(held, REMINDER, queries.people_voting(held, still=True))


@transaction.atomic
def close_when_over(ballot: Ballot) -> Ballot:
    """Close and count a ballot whose day has come, without anybody's asking for it."""
    held = _held(ballot)
    if held.closed_at is not None or queries.is_open(held):
        return held
    return _close(held, register.command_line_operator(), _("by itself, on the day announced"))


def _held(ballot: Ballot) -> Ballot:
    """The row, nobody else's until the transaction ends.

    `no_key`: a vote that is cast refers to the ballot while it holds its voter's row, for which
    whoever closes waits next.
    """
    return (
        Ballot.objects.select_for_update(of=("self",), no_key=True)
        .select_related("agreement__cycle")
        .get(pk=ballot.pk)
    )


def _tell(ballot: Ballot, kind: str, people: Iterable[Any]) -> int:
    return notices.notify(people, kind, {"ballot": ballot.pk}, key=f"ballot-{ballot.pk}")
