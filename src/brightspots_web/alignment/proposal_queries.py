"""All reads of proposals for priorities: who may see, write, answer and wish what.

What was proposed is open to everybody with an appointment; a draft to those who act for its place.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet

from brightspots_web.alignment.agreement_queries import phase_of
from brightspots_web.alignment.models import (
    Agreement,
    MergeWish,
    PriorityProposal,
    ProposalComment,
    Tier,
)
from brightspots_web.alignment.proposal_titles import alike
from brightspots_web.directory import answering_queries as answering
from brightspots_web.directory import queries as directory
from brightspots_web.directory import succession_queries
from brightspots_web.directory.answering_queries import Answering, Place
from brightspots_web.directory.models import Appointment, Person
from brightspots_web.shared.permissions import Capability, Role, may

State = PriorityProposal.State
PUBLIC = (State.OPEN, State.MERGED, State.WITHDRAWN, State.ADOPTED, State.NOT_ADOPTED)
TIERS = {
    Role.MINISTER: Tier.MINISTRY,
    Role.ANALYST: Tier.MINISTRY,
    Role.DISTRICT_OFFICER: Tier.DISTRICT,
    Role.SYSTEM_LEADER: Tier.PARTNERSHIP,
    Role.HEAD: Tier.SCHOOL,
    Role.TEACHER: Tier.SCHOOL,
}
"""With which tier's voice each role speaks in a consultation."""


# For whom somebody proposes


@dataclass(frozen=True)
class Voice:
    """A tier and the place for which an appointment may propose."""

    tier: str
    place: Place

    @property
    def key(self) -> str:
        """What a form calls it."""
        return f"{self.tier}:{self.place.pk if self.place else ''}"

    @property
    def label(self) -> str:
        return str(self.place or Tier.MINISTRY.label)

    @property
    def fields(self) -> dict[str, Any]:
        """The place as the fields of a proposal."""
        name = {Tier.SCHOOL: "school", Tier.PARTNERSHIP: "partnership", Tier.DISTRICT: "area"}
        found = name.get(Tier(self.tier))
        return {"tier": self.tier, **({found: self.place} if found else {})}


def voices_of(acting: Appointment | None) -> list[Voice]:
    """For whom this appointment may propose: a leader's partnership first, then the own school."""
    if acting is None or not may(acting, Capability.PROPOSE_PRIORITIES):
        return []
    if acting.role == Role.MINISTER:
        return [Voice(Tier.MINISTRY, None)]
    if acting.role == Role.DISTRICT_OFFICER:
        return [Voice(Tier.DISTRICT, acting.area)]
    found = []
    live = directory.live_partnerships()
    if acting.partnership and live.filter(pk=acting.partnership.pk).exists():
        found.append(Voice(Tier.PARTNERSHIP, acting.partnership))
    if acting.school and directory.heads().filter(pk=acting.pk).exists():
        found.append(Voice(Tier.SCHOOL, acting.school))
    return found


def tier_of(acting: Appointment) -> str:
    """With which tier's voice this appointment speaks in a consultation."""
    return TIERS[Role(acting.role)]


# Who may see and do what


def visible_to(acting: Appointment | None) -> QuerySet[PriorityProposal]:
    """Proposals this appointment may open."""
    found = PriorityProposal.objects.select_related(
        "agreement__cycle", "school__area", "partnership__lead_school__area", "area",
        "merged_into",
    )  # fmt: skip
    if acting is None:
        return found.none()
    return found.filter(Q(state__in=PUBLIC) | of_places(acting))


def proposal_visible_to(acting: Appointment | None, key: int) -> PriorityProposal | None:
    """One proposal; a draft also for who answers for it because nobody nearer does."""
    everything = visible_to(acting)
    found = everything.filter(pk=key).first()
    if found is not None or acting is None:
        return found
    draft = PriorityProposal.objects.filter(pk=key).select_related(
        "agreement__cycle", "school__area", "partnership__lead_school__area", "area"
    )
    return next((each for each in draft if may_answer(acting, each)), None)


def of_places(acting: Appointment) -> Q:
    """Of the places this appointment acts for, and of schools whose work its own carries on."""
    if not may(acting, Capability.PROPOSE_PRIORITIES):
        return Q(pk__in=[])
    if acting.role == Role.MINISTER:
        return Q(tier=Tier.MINISTRY)
    if acting.role == Role.DISTRICT_OFFICER:
        return Q(tier=Tier.DISTRICT, area=acting.area_id)
    own = Q(pk__in=[])
    if acting.partnership_id:
        own |= Q(tier=Tier.PARTNERSHIP, partnership=acting.partnership_id)
    if acting.school:
        before = succession_queries.predecessors_of(acting.school)
        schools = [acting.school_id, *(each.pk for each in before)]
        own |= Q(tier=Tier.SCHOOL, school__in=schools)
    return own


def drafts_of(acting: Appointment | None) -> list[PriorityProposal]:
    """Drafts of the places this appointment acts for, by title."""
    if acting is None:
        return []
    return list(visible_to(acting).filter(of_places(acting), state=State.DRAFT))


def place_of(proposal: PriorityProposal) -> Place:
    """The school, partnership or district that proposed it; None for the ministry."""
    return proposal.school or proposal.partnership or proposal.area


def answering_for(proposal: PriorityProposal) -> Answering:
    """Who answers for a proposal today."""
    return answering.answering_for(place_of(proposal))


def may_answer(acting: Appointment | None, proposal: PriorityProposal) -> bool:
    """Whether this appointment answers for a proposal today: changes it, withdraws it, agrees."""
    if not may(acting, Capability.PROPOSE_PRIORITIES):
        return False
    return answering_for(proposal).includes(acting)


def can_be_changed(proposal: PriorityProposal) -> bool:
    """Whether its state and the calendar let its text be changed today."""
    phase = phase_of(proposal.agreement)
    if proposal.state == State.DRAFT:
        return phase in {"before", "propose"}
    return proposal.state == State.OPEN and phase in {"propose", "consult"}


def can_be_withdrawn(proposal: PriorityProposal) -> bool:
    return proposal.state == State.OPEN


def can_be_merged(proposal: PriorityProposal) -> bool:
    return proposal.state == State.OPEN and phase_of(proposal.agreement) in {"propose", "consult"}


def can_be_talked_about(proposal: PriorityProposal) -> bool:
    return proposal.state == State.OPEN and phase_of(proposal.agreement) == "consult"


# Lists


@dataclass(frozen=True)
class Search:
    """What the list of proposals is narrowed to."""

    words: str = ""
    tier: str = ""
    state: str = ""
    subject: str = ""
    agreement: int | None = None
    mine: bool = False


def search(acting: Appointment | None, asked: Search) -> QuerySet[PriorityProposal]:
    """The proposals that fit, by title, with how much was said to each and is not answered."""
    found = visible_to(acting)
    if asked.agreement is not None:
        found = found.filter(agreement=asked.agreement)
    for name in ("tier", "state", "subject"):
        if value := getattr(asked, name):
            found = found.filter(**{name: value})
    for word in asked.words.split()[:8]:
        found = found.filter(Q(title__icontains=word) | Q(why__icontains=word))
    if asked.mine:
        found = found.filter(of_places(acting)) if acting else found.none()
    said = Q(comments__hidden_at=None)
    return found.annotate(
        said=Count("comments", filter=said, distinct=True),
        unanswered=Count("comments", filter=said & _OPEN_QUESTION, distinct=True),
    ).order_by("title", "pk")


_OPEN_QUESTION = Q(comments__answered_at=None)


def subjects_proposed() -> list[str]:
    """The outcomes of which proposals speak."""
    found = PriorityProposal.objects.exclude(subject="").order_by("subject")
    return list(found.values_list("subject", flat=True).distinct())


def on_the_table(agreement: Agreement) -> list[PriorityProposal]:
    """What is proposed and neither merged nor withdrawn, by title."""
    return list(
        PriorityProposal.objects.filter(agreement=agreement, state=State.OPEN).select_related(
            "agreement__cycle", "school__area", "partnership", "area"
        )
    )


def counts_on_the_table(agreements: Iterable[Agreement]) -> dict[int, int]:
    """Agreement's key -> how many proposals are on the table."""
    found = PriorityProposal.objects.filter(agreement__in=list(agreements), state=State.OPEN)
    return dict(found.order_by().values_list("agreement").annotate(n=Count("pk")))


def similar_to(
    title: str, agreement: Agreement, *, but: PriorityProposal | None = None, most: int = 3
) -> list[PriorityProposal]:
    """Proposals on the table whose titles are much like this one, the most alike first."""
    rows = PriorityProposal.objects.filter(agreement=agreement, state=State.OPEN)
    if but is not None:
        rows = rows.exclude(pk=but.pk)
    near = alike(title, dict(rows.values_list("pk", "title")))[:most]
    kept = rows.select_related("agreement__cycle", "school", "partnership", "area").in_bulk(near)
    return [kept[key] for key in near]


def drafts_in(agreement: Agreement) -> list[PriorityProposal]:
    """Every draft of an agreement, for reminding those who wrote them."""
    return _with_places(PriorityProposal.objects.filter(agreement=agreement, state=State.DRAFT))


def with_unanswered(agreement: Agreement) -> list[PriorityProposal]:
    """Proposals on the table to which something was said and not answered."""
    waiting = ProposalComment.objects.filter(hidden_at=None, answered_at=None)
    rows = PriorityProposal.objects.filter(
        agreement=agreement, state=State.OPEN, pk__in=waiting.values("proposal")
    )
    return _with_places(rows)


def _with_places(rows: QuerySet[PriorityProposal]) -> list[PriorityProposal]:
    return list(
        rows.select_related(
            "agreement__cycle", "school__area", "partnership__lead_school__area", "area"
        )
    )


def by_keys(keys: Iterable[Any]) -> dict[int, PriorityProposal]:
    """Proposals by key, for the words of notices; drafts among them go to their writers alone."""
    rows = PriorityProposal.objects.select_related("agreement__cycle", "merged_into")
    return rows.in_bulk([key for key in keys if isinstance(key, int)])


# Merging


def merged_into(proposal: PriorityProposal) -> list[PriorityProposal]:
    """What became part of a proposal, and of those in turn, by title."""
    found: dict[int, PriorityProposal] = {}
    front = [proposal.pk]
    while front:
        rows = PriorityProposal.objects.filter(merged_into__in=front).exclude(pk__in=found)
        fresh = {each.pk: each for each in rows.select_related("school", "partnership", "area")}
        found |= fresh
        front = list(fresh)
    return sorted(found.values(), key=lambda each: (each.title, each.pk))


def wishes_of(proposal: PriorityProposal) -> list[MergeWish]:
    """Wishes that wait, with this proposal on either side."""
    return list(
        _wishes().filter(Q(proposal=proposal) | Q(into=proposal), state=MergeWish.State.OPEN)
    )


def wish(key: int) -> MergeWish | None:
    return _wishes().filter(pk=key).first()


def wishes_by_keys(keys: Iterable[Any]) -> dict[int, MergeWish]:
    return _wishes().in_bulk([key for key in keys if isinstance(key, int)])


def _wishes() -> QuerySet[MergeWish]:
    return MergeWish.objects.select_related(
        *(
            f"{side}__{path}"
            for side in ("proposal", "into")
            for path in (
                "agreement__cycle", "school__area", "partnership__lead_school__area", "area",
            )
        )
    )  # fmt: skip


def may_wish(acting: Appointment | None, proposal: PriorityProposal) -> bool:
    """Whether this appointment may wish that a proposal become one with another."""
    if not can_be_merged(proposal):
        return False
    return may(acting, Capability.SET_PRIORITIES) or may_answer(acting, proposal)


# The consultation


def comments_on(
    proposals: Sequence[PriorityProposal], acting: Appointment | None
) -> QuerySet[ProposalComment]:
    """What was said to these proposals, in order; what was hidden only for those who may hide."""
    found = ProposalComment.objects.filter(proposal__in=[each.pk for each in proposals])
    found = found.select_related("proposal__agreement__cycle").order_by("pk")
    return found if may_hide(acting) else found.filter(hidden_at=None)


def comment_visible_to(
    acting: Appointment | None, proposal: PriorityProposal, key: int
) -> ProposalComment | None:
    return comments_on([proposal], acting).filter(pk=key).first()


def may_hide(acting: Appointment | None) -> bool:
    """The ministry hides comments, with a reason; whoever wrote one takes it back."""
    return may(acting, Capability.SET_PRIORITIES)


def people_of_appointment(key: str) -> list[Person]:
    """The person who wrote under an appointment, ended since or not, if they can still sign in."""
    if not key.isdecimal():
        return []
    return list(directory.people_with_appointments().filter(appointments__pk=int(key)))


def comments_by_keys(keys: Iterable[Any]) -> dict[int, ProposalComment]:
    rows = ProposalComment.objects.select_related("proposal__agreement__cycle")
    return rows.in_bulk([key for key in keys if isinstance(key, int)])


def unanswered_counts(keys: Iterable[Any]) -> dict[int, int]:
    """Proposal's key -> how many comments on it are not answered."""
    rows = ProposalComment.objects.filter(
        proposal__in=[key for key in keys if isinstance(key, int)],
        hidden_at=None, answered_at=None,
    )  # fmt: skip
    return dict(rows.order_by().values_list("proposal").annotate(n=Count("pk")))


@dataclass(frozen=True)
class Heard:
    """How many comments and amendments came from a tier, and what became of them."""

    tier: str
    comments: int
    amendments: int
    taken_up: int
    unanswered: int


def heard(proposal: PriorityProposal) -> list[Heard]:
    """What each tier said to a proposal, in numbers; every tier is named, be it silent."""
    Kind = ProposalComment.Kind
    rows = ProposalComment.objects.filter(proposal=proposal, hidden_at=None).values("tier")
    found = {
        row["tier"]: row
        for row in rows.order_by().annotate(
            comments=Count("pk", filter=Q(kind=Kind.COMMENT)),
            amendments=Count("pk", filter=Q(kind=Kind.AMENDMENT)),
            taken_up=Count("pk", filter=Q(taken_up=True)),
            unanswered=Count("pk", filter=Q(answered_at=None)),
        )
    }
    nothing = {"comments": 0, "amendments": 0, "taken_up": 0, "unanswered": 0}
    return [Heard(**({"tier": tier.value} | found.get(tier.value, nothing))) for tier in Tier]
