"""All reads of scoring and of the end of a cycle: who scores, who verifies, what is shared.

Scores are read by whoever reads the promise, with one exception: a peer who was asked and has not
scored yet does not see what the other peer said. Two eyes see more when neither looks at the other.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from brightspots_web.accountability import pledge_queries as pledges
from brightspots_web.accountability.pledge_models import (
    Pledge,
    PledgeScore,
    PledgeSettings,
    PledgeWitness,
)
from brightspots_web.directory import people_queries as people
from brightspots_web.directory import queries as directory
from brightspots_web.directory import record_queries
from brightspots_web.directory.models import (
    Appointment,
    Cycle,
    Person,
    School,
)
from brightspots_web.shared.permissions import Capability, Role, may

State = Pledge.State
Outcome = Pledge.Outcome
Peer = PledgeScore.State
SCORED = (State.SCORED, State.VERIFIED)
PATIENCE = timedelta(days=21)
"""After so long without a word somebody else may be asked to verify."""


def may_set(by: Appointment | None) -> bool:
    return may(by, Capability.SET_ACCOUNTABILITY)


def scale_is_fixed() -> bool:
    """Whether a promise was scored: scores on two scales cannot be read beside each other."""
    return Pledge.objects.filter(self_score__isnull=False).exists()


# Scores and who gives them


def scores_of(pledge: Pledge) -> list[PledgeScore]:
    """Every peer who was asked, scored or not, by the school's name."""
    found = PledgeScore.objects.filter(pledge=pledge).select_related("school", "person")
    return list(found.order_by("school__name", "school__code"))


def scores_in(found: Iterable[Pledge]) -> dict[int, list[PledgeScore]]:
    """Promise's key -> the peers who were asked; one statement for all of them."""
    keys = [each.pk for each in found]
    by_pledge: dict[int, list[PledgeScore]] = {key: [] for key in keys}
    rows = PledgeScore.objects.filter(pledge__in=keys).select_related("school")
    for row in rows.order_by("school__name", "school__code"):
        by_pledge[row.pledge_id].append(row)
    return by_pledge


def asked_to_verify(by: Appointment | None, pledge: Pledge) -> PledgeScore | None:
    """The row by which somebody was asked to verify a promise, as head of that school."""
    if by is None or by.school_id is None or not may(by, Capability.PLEDGE):
        return None
    mine = PledgeScore.objects.filter(pledge=pledge, person=by.person_id, school=by.school_id)
    return mine.exclude(state=Peer.LEFT).select_related("school").first()


def is_open(pledge: Pledge) -> bool:
    """Whether peers may still score: until the school says what became of its promise."""
    return pledge.state in SCORED and not pledge.outcome


def is_waited_for(by: Appointment | None, scores: Sequence[PledgeScore]) -> bool:
    """Whether somebody is one of the peers and has not scored yet, in whatever office they look."""
    return by is not None and any(
        each.state == Peer.ASKED and each.person_id == by.person_id for each in scores
    )


def is_blind(by: Appointment | None, pledge: Pledge, scores: Sequence[PledgeScore]) -> bool:
    """Whether what the other peers said is kept from somebody until they have said their own."""
    return is_open(pledge) and is_waited_for(by, scores)


def open_scores(
    by: Appointment | None, pledge: Pledge, scores: Sequence[PledgeScore]
) -> list[PledgeScore]:
    """What peers said that counts and that somebody may read now."""
    if is_blind(by, pledge, scores):
        return []
    return counting(scores)


def counting(scores: Iterable[PledgeScore]) -> list[PledgeScore]:
    """The scores that count: given, and not set aside."""
    return [each for each in scores if each.state == Peer.SCORED]


def is_silent(score: PledgeScore) -> bool:
    """Whether a peer was asked long ago and has said nothing: another may be asked as well."""
    return score.state == Peer.ASKED and score.asked_at <= timezone.now() - PATIENCE


def _holding(prefix: str = "") -> Q:
    """Who holds a place: peers whose score counts, and those asked not long ago."""
    asked = {f"{prefix}state": Peer.ASKED, f"{prefix}asked_at__gt": timezone.now() - PATIENCE}
    return Q(**{f"{prefix}state": Peer.SCORED}) | Q(**asked)


def places_free(pledge: Pledge, rule: PledgeSettings) -> int:
    """How many peers more may be asked."""
    held = PledgeScore.objects.filter(_holding(), pledge=pledge).count()
    return max(rule.verifiers - held, 0)


def may_verify(pledge: Pledge) -> list[Appointment]:
    """Heads and leaders of other schools, in the partnership and around, by school's name.

    One step up where nobody there is left to ask. Nobody who works at the school that promises or
    answers for it, nobody twice, no school twice but one whose peer has left. The school whose
    pupils the second half counts may be one of two, and not the only one.
    """
    area = pledge.set.school.area
    members = directory.live_memberships().filter(partnership=pledge.set.partnership_id)
    near = [Q(school__in=members.values("school")) | Q(school__area=area)]
    if area.parent_id is not None:
        near.append(Q(school__area__parent=area.parent_id))
    for condition in near:
        found = _able(pledge, condition)
        if found:
            return found
    return []


def _able(pledge: Pledge, near: Q) -> list[Appointment]:
    asked = PledgeScore.objects.filter(pledge=pledge).exclude(state=Peer.LEFT)
    held = (
        directory.heads()
        .filter(near)
        .exclude(school=pledge.set.school)
        .exclude(person__in=people.people_of([pledge.set.school]).order_by().values("pk"))
        .exclude(school__in=asked.values("school"))
        .exclude(person__in=asked.filter(person__isnull=False).values("person"))
    )
    if pledge.other_school_id is not None and pledges.settings().verifiers < 2:
        held = held.exclude(school=pledge.other_school_id)
    rows = held.select_related("person", "school__area", "partnership")
    found: dict[int, Appointment] = {}
    for each in rows.order_by("school__name", "school__code", "role", "pk"):
        found.setdefault(each.person_id, each)
    return list(found.values())


def still_answers(score: PledgeScore) -> bool:
    """Whether a peer answers for that school today."""
    person = score.person_id
    return person is not None and people.heads_there(score.school_id, person).exists()


def is_of_school(person: int | None, school: School) -> bool:
    """Whether somebody works at a school today, or answers for it."""
    return person is not None and people.people_of([school]).filter(pk=person).exists()


def may_weigh(by: Appointment | None, pledge: Pledge, scores: Sequence[PledgeScore]) -> bool:
    """Who sets aside a score for a conflict of interest: the leader, a witness who stands by it.

    Never somebody of the school that promises, for whom the score may be unwelcome, nor a peer,
    whose own score stands beside it.
    """
    if by is None or not may(by, Capability.PLEDGE):
        return False
    leads = by.role == Role.SYSTEM_LEADER and by.partnership_id == pledge.set.partnership_id
    witness = pledges.witness_asked(by, pledge)
    stands = witness is not None and witness.state == PledgeWitness.State.ACCEPTED
    if not (leads or stands) or is_of_school(by.person_id, pledge.set.school):
        return False
    return not any(
        each.person_id == by.person_id and each.state in {Peer.ASKED, Peer.SCORED, Peer.ASIDE}
        for each in scores
    )


def to_weigh(
    by: Appointment | None, pledge: Pledge, scores: Sequence[PledgeScore]
) -> list[PledgeScore]:
    """The scores that somebody may set aside, or let count again; one's own among them."""
    if by is None or pledge.state not in SCORED:
        return []
    given = [each for each in scores if each.score is not None]
    if may_weigh(by, pledge, scores):
        return given
    mine = [each for each in given if each.person_id == by.person_id and by.school_id]
    return [each for each in mine if each.state == Peer.SCORED or each.why_by == by.label[:300]]


def enough(pledge: Pledge, rule: PledgeSettings) -> bool:
    """Whether as many peers scored it as the settings ask for."""
    said = PledgeScore.objects.filter(pledge=pledge, state=Peer.SCORED).count()
    return said >= rule.verifiers


def verified_by_now(rule: PledgeSettings) -> QuerySet[Pledge]:
    """Self-scored promises that enough peers have scored, once fewer of them are asked for."""
    said = Count("scores", filter=Q(scores__state=Peer.SCORED))
    found = Pledge.objects.filter(state=State.SCORED).annotate(said=said)
    return found.filter(said__gte=rule.verifiers)


def peers_in(pledge: Pledge, states: Iterable[str]) -> list[Person]:
    """Peers in one of these states who answer for their school today."""
    wanted = set(states)
    found = [e for e in scores_of(pledge) if e.state in wanted and still_answers(e)]
    return [each.person for each in found if each.person is not None]


def people_around(pledge: Pledge) -> list[Person]:
    """Witnesses who stand by it, peers who scored it, and the head of the school it counts."""
    stood = pledges.witnesses_in(pledge, [PledgeWitness.State.ACCEPTED])
    peers = peers_in(pledge, [Peer.SCORED])
    counted = list(people.heads_of(pledge.other_school)) if pledge.other_school else []
    return [*stood, *peers, *counted]


# What became of it


def may_end(pledge: Pledge) -> bool:
    """Whether its school may say what became of it: once verified, or once the cycle is over."""
    if pledge.state == State.VERIFIED:
        return True
    return pledge.state == State.SCORED and pledge.set.cycle.ends <= directory.today()


def next_cycle(cycle: Cycle) -> Cycle | None:
    """The cycle that follows, as long as it is not over itself."""
    today = directory.today()
    later = [e for e in record_queries.cycles() if e.starts >= cycle.ends and e.ends > today]
    return min(later, key=lambda each: each.starts, default=None)


def promised_alike(pledge: Pledge, cycle: Cycle) -> Pledge | None:
    """What its school has written for another cycle on the same measure and for the same school."""
    found = Pledge.objects.filter(
        set__school=pledge.set.school_id,
        set__cycle=cycle,
        half=pledge.half,
        indicator=pledge.indicator_id,
        other_school=pledge.other_school_id,
    )
    return found.exclude(state=State.WITHDRAWN).select_related("set__school").first()


def carried_to(pledge: Pledge) -> Pledge | None:
    """The promise by which this one goes on in the next cycle."""
    found = Pledge.objects.filter(carried_from=pledge)
    return found.select_related("set__school", "set__cycle").first()


# What waits, and what the daily job looks for


def waiting_for(by: Appointment | None) -> list[PledgeScore]:
    """Promises somebody was asked to verify and has not scored, the oldest question first."""
    if by is None or by.school_id is None or not may(by, Capability.PLEDGE):
        return []
    mine = PledgeScore.objects.filter(
        person=by.person_id,
        school=by.school_id,
        state=Peer.ASKED,
        pledge__state__in=SCORED,
        pledge__outcome="",
    )
    return list(mine.select_related("pledge__set__school").order_by("asked_at")[:5])


def to_finish(by: Appointment | None) -> Sequence[Pledge]:
    """Own promises that are scored and wait for peers to be asked, or for what became of them."""
    if by is None or by.school_id is None or not may(by, Capability.PLEDGE):
        return []
    found = Pledge.objects.filter(set__school=by.school_id, state__in=SCORED, outcome="")
    found = found.select_related("set__school", "set__cycle").order_by("due", "pk")
    rows = list(found.annotate(held=Count("scores", filter=_holding("scores__")))[:20])
    if not rows:
        return []
    verifiers = pledges.settings().verifiers
    return [each for each in rows if may_end(each) or each.held < verifiers][:5]


def peers_who_left() -> list[PledgeScore]:
    """Peers who were asked, have not scored and answer for their school no longer."""
    holds = people.heads_there(OuterRef("school"), OuterRef("person"))
    found = PledgeScore.objects.filter(~Exists(holds), state=Peer.ASKED, pledge__state__in=SCORED)
    return list(found.select_related("pledge__set__school", "school", "person"))
