"""A proposal that the schools of the officer's district are being asked about."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from brightspots.core.errors import InputError

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from brightspots_web.connectedness.models import Proposal
    from brightspots_web.directory.models import Appointment

CONCERNS = (
    "(Invented.) The road to the leading school is closed when the river is high, which is three "
    "months a year.",
    "(Invented.) We have worked with our present partners for years and share a teacher of "
    "mathematics with one of them.",
    "(Invented.) Two of these schools teach in shifts; we would never be free at the same hour.",
    "(Invented.) Our deputy leads the reading group of the partnership we are in now. Can that "
    "go on?",
)
REMARKS = (
    "",
    "",
    "(Invented.) Gladly. We know two of these heads well.",
    "(Invented.) Yes, if meetings go round from school to school.",
    "",
)


def fill(rng: random.Random, cast: Mapping[str, Appointment]) -> None:
    """Propose for the officer's district, change it, ask the schools, and let some answer."""
    from brightspots_web.connectedness import studio_actions, studio_consult_actions
    from brightspots_web.directory import queries as directory

    officer = cast["officer"]
    proposal = _propose(cast)
    if proposal is None:
        return
    if not _visible(proposal, officer):
        officer = cast["minister"]
    _change(proposal, officer, rng)
    until = directory.today() + timedelta(days=14)
    studio_consult_actions.consult(proposal, until, by=officer, version=None)
    _answer(proposal, rng, keep_silent={cast["head"].school_id, cast["leader"].school_id})
    # One more change after some have answered: their answers are out of date.
    _move_one(proposal, officer, note="(Invented.) The river road decides it.")
    studio_actions.rename(proposal, "Fewer schools in each partnership", by=officer, version=None)


def _visible(proposal: Proposal, officer: Appointment) -> bool:
    from brightspots_web.connectedness import studio_queries

    return studio_queries.proposals_visible_to(officer).filter(pk=proposal.pk).exists()


def _propose(cast: Mapping[str, Appointment]) -> Proposal | None:
    """For the officer's district; for the whole system where the district alone gives none."""
    from brightspots_cli.import_ import run_job
    from brightspots_web.connectedness import actions, queries

    settings = {"minimum": 3, "maximum": 6, "max_km": 30.0}
    for who, name in (("officer", "Smaller partnerships"), ("minister", "Smaller partnerships")):
        job = actions.ask_for_proposal(settings, by=cast[who], name=name)
        try:
            run_job(job)
        except InputError:  # the next one asks for more schools
            continue
        job.refresh_from_db()
        found = queries.proposals_visible_to(cast[who]).filter(pk=job.result.get("proposal", 0))
        proposal: Proposal | None = found.first()
        if proposal is not None and proposal.n_partnerships > 1:
            return proposal
    return None


def _change(proposal: Proposal, officer: Appointment, rng: random.Random) -> None:
    """Set a pin, choose another leader, move a school."""
    from brightspots_web.connectedness import studio_actions, studio_queries

    state = studio_queries.state(proposal)
    groups = sorted(state.groups.values(), key=lambda group: group.label)
    schools = studio_queries.schools_by_key(pk for group in groups for pk in group.members)
    first = groups[0]
    studio_actions.add_pin(proposal, "leads", schools[first.lead], by=officer, version=None)
    large = max(groups, key=lambda group: (len(group.members), group.label))
    others = sorted(pk for pk in large.members if pk != large.lead)
    studio_actions.choose_leader(
        proposal,
        large.label,
        schools[rng.choice(others)],
        by=officer,
        version=None,
        note="(Invented.) The head has led such a group before.",
    )
    _move_one(proposal, officer, note="(Invented.) Both villages share one bus.")


def _move_one(proposal: Proposal, officer: Appointment, *, note: str) -> None:
    """Move a school that does not lead to the partnership nearest to it that is not its own."""
    from brightspots_web.connectedness import studio_actions, studio_effects, studio_queries

    state = studio_queries.state(proposal)
    large = max(state.groups.values(), key=lambda group: (len(group.members), group.label))
    moving = sorted(pk for pk in large.members if pk != large.lead)[0]
    school = studio_queries.schools_by_key([moving])[moving]
    near = studio_effects.nearest_partnerships(proposal, school, state)
    to = next((group.label for group, _km in near if group.label != large.label), "")
    if to:
        studio_actions.move(proposal, school, to, by=officer, version=None, note=note)


def _answer(proposal: Proposal, rng: random.Random, *, keep_silent: set[int | None]) -> None:
    """About two thirds of the schools answer; most of them agree."""
    from brightspots_web.connectedness import studio_consult_actions, studio_queries
    from brightspots_web.directory.partnership_queries import heads_of

    state = studio_queries.state(proposal)
    answered: set[int] = set()
    concerns = iter(CONCERNS)
    for head in heads_of(sorted(state.of)).order_by("school__code", "role"):
        school = head.school_id or 0
        if school in answered or school in keep_silent or rng.random() < 0.35:
            continue
        answered.add(school)
        words = next(concerns, "") if rng.random() < 0.2 else ""
        studio_consult_actions.reply(
            proposal,
            by=head,
            answer="concern" if words else "agrees",
            reason=words or rng.choice(REMARKS),
        )
