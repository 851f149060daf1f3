"""A proposal for Testland, made by hand."""

from typing import Any

from brightspots_web.connectedness import actions, studio_queries
from brightspots_web.connectedness.models import Proposal
from tests.web.test_connectedness import Result, result
from tests.web.world import World

GROUPS = {
    "N1": ["N1", "N2", "N3", "N4"],
    "L1": ["L1", "L2", "L3", "L4"],
    "N5": ["N5", "N6"],
}
"""Leader's school -> members; W1 and the schools of East are not in it."""
SETTINGS = {
    "minimum": 2,
    "maximum": 5,
    "max_km": 80.0,
    "weights": {
        "balance": 1.0, "complement": 8.0, "need": 4.0, "leader_strength": 4.0,
        "partnership": 6.0, "disruption": 2.0,
    },
}  # fmt: skip


def proposed(
    world: World,
    groups: dict[str, list[str]] | None = None,
    *,
    job: int = 7,
    area: str | None = "North",
    **origin: Any,
) -> Proposal:
    """Keep a proposal whose objective is what the yardstick says it is."""
    made: Result = result(groups or GROUPS)
    made.provenance.settings = dict(SETTINGS)
    place = world.areas[area] if area else None
    proposal = actions.keep_proposal(made, job=job, origin=actions.Origin(area=place, **origin))
    proposal.objective = measured(proposal)
    proposal.lower_bound = proposal.objective["total"] * 0.99
    proposal.gap = 1 / 0.99 - 1
    proposal.save()
    return proposal


def measured(proposal: Proposal) -> dict[str, float]:
    """Every partnership of a proposal as it stands, measured from scratch."""
    from brightspots_web.connectedness.analysis import studio

    facts = [studio.SchoolFacts(**row) for row in studio_queries.facts_of(proposal)]
    yardstick = studio.Yardstick(proposal.settings, facts)
    groups = studio_queries.state(proposal).groups.values()
    parts = yardstick.parts(studio.Group(group.lead, group.members) for group in groups)
    return parts | {"total": sum(parts.values())}


def together(proposal: Proposal) -> dict[str, set[str]]:
    """Code of the leader's school -> codes of all schools, as the rows have it."""
    found: dict[str, set[str]] = {}
    rows = proposal.members.values_list("lead_school__code", "school__code")
    for lead, school in rows:
        found.setdefault(lead, set()).add(school)
    return found


def label(proposal: Proposal, school: str) -> str:
    return proposal.members.get(school__code=school).partnership
