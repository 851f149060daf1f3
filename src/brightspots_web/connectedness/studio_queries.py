"""All reads of the studio: a proposal as people change it, its history, and what schools say."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db.models import Max, Q, QuerySet

from brightspots_web.alignment.queries import live_priorities
from brightspots_web.connectedness import record_lead_queries
from brightspots_web.connectedness.models import (
    Pin,
    Proposal,
    ProposalChange,
    ProposedMember,
)
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Area, Partnership, School
from brightspots_web.directory.partnership_queries import (
    area_by_key as area_by_key,
)
from brightspots_web.directory.partnership_queries import (
    heads_of,
    straddling_partnerships,
)
from brightspots_web.insight import queries as insight
from brightspots_web.shared.permissions import Capability, Role, may

EDITS = frozenset({"move", "leader", "pin", "unpin", "tidy"})
"""Kinds of change that can be undone."""
OPEN = frozenset({Proposal.Status.PROPOSED, Proposal.Status.CONSULTING})
"""States in which a proposal may be changed."""


def proposals_visible_to(acting: Appointment | None) -> QuerySet[Proposal]:
    """Ministry and analyst: all. District officer: those for the own area or an area in it."""
    proposals = Proposal.objects.select_related("area", "based_on")
    if acting is None or not may(acting, Capability.FORM_PARTNERSHIPS):
        return proposals.none()
    if acting.role == Role.DISTRICT_OFFICER:
        return proposals.filter(area__in=directory.areas_visible_to(acting))
    return proposals


def schools_to_form(area: Area | None) -> QuerySet[School]:
    """Open schools that a proposal for the area takes in.

    Those of partnerships that reach across the area's border stay where they are.
    """
    schools = directory.open_schools()
    if area is None:
        return schools
    across = straddling_partnerships(area)
    staying = directory.live_memberships().filter(partnership__in=across)
    return schools.filter(directory.within(area)).exclude(pk__in=staying.values("school"))


def schools_of(proposal: Proposal) -> QuerySet[School]:
    """Every school the proposal speaks of, and those that opened in its area since."""
    spoken_of = Q(pk__in=proposal.members.values("school")) | Q(
        pk__in=proposal.isolations.values("school")
    )
    return directory.all_schools().filter(
        spoken_of | Q(pk__in=schools_to_form(proposal.area).values("pk"))
    )


@dataclass(frozen=True)
class Group:
    """A proposed partnership: its label, its leader's school and all its schools, by key."""

    label: str
    lead: int
    members: tuple[int, ...]


@dataclass(frozen=True)
class State:
    """Who is proposed to work with whom."""

    groups: dict[str, Group] = field(default_factory=dict)
    exceptions: dict[int, str] = field(default_factory=dict)

    @cached_property
    def of(self) -> dict[int, str]:
        """School key -> label of its partnership."""
        return {pk: group.label for group in self.groups.values() for pk in group.members}


def state(proposal: Proposal) -> State:
    leads: dict[str, int] = {}
    members: dict[str, list[int]] = {}
    exceptions: dict[int, str] = {}
    rows = proposal.members.order_by("partnership", "pk").values_list(
        "partnership", "lead_school", "school", "exception"
    )
    for label, lead, school, exception in rows:
        leads[label] = lead
        members.setdefault(label, []).append(school)
        if exception:
            exceptions[school] = exception
    groups = {
        label: Group(label, leads[label], tuple(schools)) for label, schools in members.items()
    }
    return State(groups, exceptions)


def present_state() -> State:
    """The partnerships of today, as if they were proposed; without those nobody leads."""
    leads: dict[str, int | None] = {}
    members: dict[str, list[int]] = {}
    rows = (
        directory.live_memberships()
        .order_by("partnership", "pk")
        .values_list("partnership__code", "partnership__lead_school", "school")
    )
    for label, lead, school in rows:
        leads[label] = lead
        members.setdefault(label, []).append(school)
    return State(
        {
            label: Group(label, leads[label] or schools[0], tuple(schools))
            for label, schools in members.items()
        }
    )


def facts_of(proposal: Proposal) -> list[dict[str, Any]]:
    """What cost and rules need to know of each school of the proposal."""
    close_to = proposal.settings.get("close_to", "")
    return facts_of_schools(
        schools_of(proposal), close_to, proposal.based_on, subjects_of(proposal.settings)
    )


def subjects_of(settings: Mapping[str, Any]) -> list[str]:
    """The outcomes of the priorities that a proposal weighs."""
    return [each["subject"] for each in settings.get("priorities", [])]


def priorities_to_weigh() -> list[dict[str, str]]:
    """The live priorities of which the published figures speak, as a proposal keeps them."""
    live = [each for each in live_priorities() if each.subject]
    figures = insight.strength_and_need_in([each.subject for each in live])
    spoken_of = {subject for each in figures.values() for subject in each}
    return [
        {"title": each.title, "subject": each.subject} for each in live if each.subject in spoken_of
    ]


def facts_of_schools(
    schools: QuerySet[School],
    close_to: str = "",
    based_on: Proposal | None = None,
    subjects: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """As :func:`facts_of`; where changing partnership has a price, with the present one."""
    figures = insight.strength_and_need()
    by_subject = insight.strength_and_need_in(subjects) if subjects else {}
    leads = record_lead_queries.lead_strengths(figures, subjects) if subjects else {}
    present = {code: label for code, label, _lead in to_stay_close_to(close_to, based_on)}
    today = directory.today()
    return [
        {
            **row,
            "strength": leads.get(row["pk"], figures.get(row["pk"], (None, None))[0]),
            "need": figures.get(row["pk"], (None, None))[1],
            "closed": row["closed"] is not None and row["closed"] <= today,
            "present": present.get(row["code"], ""),
            "by_priority": tuple(
                by_subject.get(row["pk"], {}).get(subject, (None, None)) for subject in subjects
            ),
        }
        for row in schools.order_by("code").values(
            "pk", "code", "name", "latitude", "longitude", "phase", "language", "closed"
        )
    ]


def to_stay_close_to(close_to: str, based_on: Proposal | None) -> list[tuple[str, str, str]]:
    """(school's code, partnership, its leader's code) of what changing from has a price."""
    if close_to == "present":
        rows = directory.live_memberships().values_list(
            "school__code", "partnership__code", "partnership__lead_school__code"
        )
        return [(code, label, lead or "") for code, label, lead in rows]
    if close_to == "proposal" and based_on is not None:
        return list(
            based_on.members.values_list("school__code", "partnership", "lead_school__code")
        )
    return []


def kept_partnerships(
    based_on: Proposal | None, labels: Iterable[str], still_there: set[str]
) -> list[tuple[str, tuple[str, ...]]]:
    """(leader's code, codes of its schools) of some partnerships of a proposal.

    Schools that are gone are left out; without its leader a partnership is not kept.
    """
    if based_on is None:
        return []
    found: dict[tuple[str, str], list[str]] = {}
    rows = based_on.members.filter(partnership__in=list(labels)).order_by("pk")
    for label, lead, code in rows.values_list("partnership", "lead_school__code", "school__code"):
        if code in still_there and lead in still_there:
            found.setdefault((label, lead), []).append(code)
    return [(lead, tuple(codes)) for (_label, lead), codes in found.items()]


def proposal_by_key(key: int | None) -> Proposal | None:
    """For jobs: whoever asked was checked."""
    return Proposal.objects.filter(pk=key or 0).first()


def pins_of(proposal: Proposal) -> QuerySet[Pin]:
    return proposal.pins.select_related("school", "other").order_by("pk")


def changes_of(proposal: Proposal, *, since: int = 0) -> QuerySet[ProposalChange]:
    """The newest first; after a version where one is given."""
    return proposal.changes.filter(version__gt=since)


def undoable(proposal: Proposal) -> ProposalChange | None:
    """The last change that stands and can be undone."""
    standing: list[ProposalChange] = []
    for change in proposal.changes.order_by("version", "pk"):
        if change.kind in EDITS:
            standing.append(change)
        elif change.kind == "undo" and standing:
            standing.pop()
    return standing[-1] if standing else None


@dataclass(frozen=True)
class Stale:
    """What happened to schools since the proposal was made."""

    closed: list[ProposedMember]
    new: list[School]

    def __bool__(self) -> bool:
        return bool(self.closed or self.new)


def stale(proposal: Proposal) -> Stale:
    """Schools of the proposal that have closed since, and open ones that it knows nothing of."""
    today = directory.today()
    closed = proposal.members.filter(school__closed__lte=today).select_related(
        "school", "lead_school"
    )
    known = Q(pk__in=proposal.members.values("school")) | Q(
        pk__in=proposal.isolations.values("school")
    )
    new = schools_to_form(proposal.area).exclude(known).order_by("name", "code")
    return Stale(list(closed.order_by("school__name")), list(new[:200]))


def across_border(proposal: Proposal) -> list[Partnership]:
    """Partnerships across the border of the proposal's area, which stay as they are."""
    if proposal.area is None:
        return []
    return list(straddling_partnerships(proposal.area).order_by("name"))


def lead_elsewhere(proposal: Proposal) -> list[tuple[School, Partnership]]:
    """Schools proposed to lead that lead a partnership which stays as well."""
    across = across_border(proposal)
    leads = {p.lead_school_id: p for p in across if p.lead_school_id}
    found = directory.all_schools().filter(
        pk__in=[pk for pk in leads if pk], code__in=proposal.members.values("lead_school__code")
    )
    return [(school, leads[school.pk]) for school in found]


def heads_of_two(proposal: Proposal) -> list[tuple[str, list[str]]]:
    """People who answer for two schools that are both proposed to lead: (person, schools)."""
    leads = set(proposal.members.values_list("lead_school", flat=True))
    schools: dict[int, set[str]] = {}
    names: dict[int, str] = {}
    for each in heads_of(leads):
        if each.school is not None:
            schools.setdefault(each.person_id, set()).add(each.school.name)
            names[each.person_id] = str(each.person)
    return [(names[pk], sorted(found)) for pk, found in schools.items() if len(found) > 1]


def board(proposal: Proposal, words: str = "") -> QuerySet[ProposedMember, Any]:
    """One row a proposed partnership, by its leader's school; those that hold the words."""
    members = proposal.members.order_by()
    if words:
        hit = Q(school__name__icontains=words) | Q(school__code__iexact=words)
        members = members.filter(partnership__in=proposal.members.filter(hit).values("partnership"))
    return (
        members.values("partnership", "lead_school__name", "lead_school__area__name")
        .distinct()
        .order_by("lead_school__area__name", "lead_school__name", "partnership")
    )


def members_in(proposal: Proposal, labels: Iterable[str]) -> list[ProposedMember]:
    """The schools of some proposed partnerships, the leader's first, then by way."""
    rows = proposal.members.filter(partnership__in=list(labels)).select_related(
        "school__area", "lead_school"
    )
    return sorted(
        rows,
        key=lambda m: (m.partnership, m.school_id != m.lead_school_id, m.distance_km or 0.0,
                       m.school.name),
    )  # fmt: skip


def isolated_in(proposal: Proposal) -> list[tuple[School, str]]:
    """Schools that the proposal puts into no partnership, each with the reason."""
    rows = proposal.isolations.select_related("school__area").order_by("school__name")
    return [(row.school, row.reason) for row in rows]


def schools_by_key(keys: Iterable[int]) -> dict[int, School]:
    return directory.all_schools().select_related("area").in_bulk(list(keys))


def school_of(proposal: Proposal, code: str) -> School | None:
    """A school the proposal speaks of, or that opened in its area since."""
    return schools_of(proposal).filter(code=code).first()


@dataclass(frozen=True)
class Place:
    """A school on the map of a proposal."""

    pk: int
    name: str
    latitude: float
    longitude: float


def places_of(proposal: Proposal) -> list[Place]:
    """The schools of a proposal whose place is known."""
    rows = schools_of(proposal).filter(latitude__isnull=False, longitude__isnull=False)
    return [
        Place(pk, name, latitude, longitude)
        for pk, name, latitude, longitude in rows.values_list("pk", "name", "latitude", "longitude")
        if latitude is not None and longitude is not None
    ]


def begins_later(proposal: Proposal) -> bool:
    """Whether it is adopted for a day that has not come."""
    adopted = proposal.status == Proposal.Status.ADOPTED
    return adopted and proposal.adopt_on is not None and proposal.adopt_on > directory.today()


def version_of(proposal: Proposal) -> int:
    """The version as it is now."""
    return Proposal.objects.values_list("version", flat=True).get(pk=proposal.pk)


def longest_way(proposal: Proposal) -> float | None:
    """The longest way to a leader's school, km."""
    longest: float | None = proposal.members.aggregate(km=Max("distance_km"))["km"]
    return longest


def schools_named(proposal: Proposal, words: str) -> list[School]:
    """The schools of a proposal with this code, or else with this very name."""
    schools = schools_of(proposal)
    by_code = list(schools.filter(code__iexact=words)[:1])
    return by_code or list(schools.filter(name__iexact=words).order_by("code")[:10])


def changed_from_present(found: State, present: State | None = None) -> set[int]:
    """Schools that would leave their present partnership, or join one coming from none."""
    return differing(present or present_state(), found, within=set(found.of))


def differing(one: State, other: State, *, within: set[int] | None = None) -> set[int]:
    """Schools that are with another partnership in `other` than in `one`.

    A partnership of the one is the same as that of the other with which it shares most schools,
    each taken once, the largest overlap first; names and leaders do not matter.
    """
    of_one, of_other = one.of, other.of
    overlaps = Counter((label, of_other[pk]) for pk, label in of_one.items() if pk in of_other)
    same: dict[str, str] = {}
    taken: set[str] = set()
    for (label, their), _n in sorted(overlaps.items(), key=lambda item: (-item[1], item[0])):
        if label not in same and their not in taken:
            same[label] = their
            taken.add(their)
    keys = set(of_one) | set(of_other)
    if within is not None:
        keys &= within
    return {
        pk
        for pk in keys
        if (same.get(of_one[pk], "-") if pk in of_one else "") != of_other.get(pk, "")
    }
