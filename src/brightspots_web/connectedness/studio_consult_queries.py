"""All reads of what schools say to a proposal."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from brightspots_web.connectedness.models import ConsultationReply, Proposal, ProposedMember
from brightspots_web.connectedness.studio_queries import State, schools_by_key, state
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, School
from brightspots_web.directory.partnership_queries import heads_of
from brightspots_web.shared.permissions import Role


def consultations_open_to(acting: Appointment | None) -> QuerySet[Proposal]:
    """Proposals on which the acting person's own school is, or was, asked, and adopted ones."""
    told = Q(consult_until__isnull=False) | Q(status=Proposal.Status.ADOPTED)
    proposals = Proposal.objects.select_related("area").filter(told)
    if (
        acting is None
        or acting.school_id is None
        or acting.role not in {Role.HEAD, Role.SYSTEM_LEADER}
    ):
        return proposals.none()
    asked = Q(members__school=acting.school_id) | Q(isolations__school=acting.school_id)
    return proposals.filter(asked).distinct()


def waiting_for(acting: Appointment | None) -> Proposal | None:
    """The newest proposal on which this person's school may answer now, for its front page."""
    return (
        consultations_open_to(acting)
        .filter(status=Proposal.Status.CONSULTING, consult_until__gte=directory.today())
        .order_by("-pk")
        .first()
    )


def is_asking(key: int) -> bool:
    """Whether schools can still answer."""
    asking = Proposal.objects.filter(pk=key, status=Proposal.Status.CONSULTING)
    return asking.filter(consult_until__gte=directory.today()).exists()


def is_adopted(key: int) -> bool:
    return Proposal.objects.filter(pk=key, status=Proposal.Status.ADOPTED).exists()


def partners_of(proposal: Proposal, school: int) -> list[ProposedMember]:
    """The schools proposed together with one, itself included: the leader's first, then by way."""
    own = proposal.members.filter(school=school).values("partnership")[:1]
    rows = proposal.members.filter(partnership__in=own).select_related(
        "school__area", "lead_school"
    )
    return sorted(
        rows, key=lambda m: (m.school_id != m.lead_school_id, m.distance_km or 0.0, m.school.name)
    )


def why_alone(proposal: Proposal, school: int) -> str:
    """Why a proposal puts a school into no partnership."""
    found = proposal.isolations.filter(school=school).first()
    return found.reason if found else ""


def reply_of(proposal: Proposal, school: int) -> ConsultationReply | None:
    return proposal.replies.filter(school=school).first()


def about(found: State, school: int, codes: Mapping[int, str]) -> list[str]:
    """What a school is asked about: codes of those proposed together, the leader's first."""
    group = found.groups.get(found.of.get(school, ""))
    if group is None:
        return []
    rest = sorted(codes[pk] for pk in group.members if pk != group.lead)
    return [codes[group.lead], *rest]


def about_school(proposal: Proposal, school: int) -> list[str]:
    """As :func:`about`, read for one school alone."""
    own = proposal.members.filter(school=school).values("partnership")[:1]
    rows = proposal.members.filter(partnership__in=own).values_list(
        "school__code", "lead_school__code"
    )
    return sorted({code for code, _lead in rows}, key=lambda code: (code != rows[0][1], code))


@dataclass(frozen=True)
class Answer:
    """What a school said, and whether what it was asked about has changed since."""

    school: School
    lead: str
    reply: ConsultationReply | None
    out_of_date: bool = False


def answers(proposal: Proposal) -> list[Answer]:
    """One for each school that is asked, by name."""
    found = state(proposal)
    of = found.of
    asked = set(of) | set(proposal.isolations.values_list("school", flat=True))
    schools = schools_by_key(asked)
    codes = {pk: school.code for pk, school in schools.items()}
    replies = {reply.school_id: reply for reply in proposal.replies.all()}
    rows = []
    for pk, school in schools.items():
        reply = replies.get(pk)
        label = of.get(pk)
        lead = schools[found.groups[label].lead].name if label else ""
        old = reply is not None and reply.about != about(found, pk, codes)
        rows.append(Answer(school, lead, reply, old))
    return sorted(rows, key=lambda row: (row.school.name, row.school.code))


@dataclass(frozen=True)
class Tally:
    """How many schools agree, have a concern, have not answered; how many answers are old."""

    agree: int
    concern: int
    silent: int
    out_of_date: int


def tally(rows: Iterable[Answer]) -> Tally:
    counts: Counter[str] = Counter()
    for row in rows:
        counts[row.reply.answer if row.reply else "silent"] += 1
        counts["old"] += row.out_of_date
    return Tally(counts["agrees"], counts["concern"], counts["silent"], counts["old"])


def without_head(proposal: Proposal) -> list[School]:
    """Schools that are asked, yet nobody is appointed who could answer for them."""
    asked = Q(pk__in=proposal.members.values("school")) | Q(
        pk__in=proposal.isolations.values("school")
    )
    schools = directory.all_schools().filter(asked)
    answering = heads_of(schools.values_list("pk", flat=True)).values_list("school", flat=True)
    return list(schools.exclude(pk__in=set(answering)).order_by("name", "code"))
