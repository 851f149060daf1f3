"""The ballot behind the sample's priorities: held, counted, and adopted from, in the last cycle."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence

    from brightspots_web.alignment.adoption_actions import Taken
    from brightspots_web.alignment.models import Agreement, PriorityProposal
    from brightspots_web.directory.models import Appointment

READING, NUMBER = "Every child reads by ten", "Sense of number in the early years"
WANTED = {READING: 5.0, NUMBER: 3.5}
"""How much more often than others these stand high on a paper."""
TURNOUT, ABSTAIN = 0.85, 0.04


def fill(rng: random.Random, cast: Mapping[str, Appointment]) -> None:
    """Let schools have voted on the proposals of the last cycle, and the ministry have adopted."""
    from brightspots_web.alignment import adoption_actions, ballot_history_actions
    from brightspots_web.alignment import ballot_queries as queries
    from brightspots_web.directory import actions as register

    operator, minister = register.command_line_operator(), cast["minister"]
    agreement = _last()
    proposals = queries.on_the_table(agreement)
    ballot = ballot_history_actions.write_down(
        agreement, _papers(rng, proposals), by=operator, seats=2, opened_by=minister.label
    )
    chosen = set(queries.chosen(ballot))
    taken = [_taken(each) for each in proposals if each.title in WANTED]
    adoption = adoption_actions.adopt(
        agreement,
        taken,
        by=minister,
        why="" if chosen == {each.proposal.pk for each in taken} else REASON,
    )
    ballot_history_actions.date_back(
        adoption, agreement.adopt_from + timedelta(days=2), by=operator
    )  # fmt: skip


REASON = (
    "(Invented.) Reading and number carry everything else that pupils learn; what was chosen "
    "besides will be proposed again."
)
"""Said only where another seed's schools chose otherwise."""


def _last() -> Agreement:
    """Find the cycle in which people work now: its proposals are those that were voted on."""
    from brightspots_web.alignment import agreement_queries as calendar
    from brightspots_web.alignment import ballot_queries as queries

    for agreement in calendar.agreements():
        titles = {each.title for each in queries.on_the_table(agreement)}
        if calendar.phase_of(agreement) == "work" and set(WANTED) <= titles:
            return agreement
    raise LookupError("the sample has no cycle at work whose proposals it could vote on")


def _papers(
    rng: random.Random, proposals: Sequence[PriorityProposal]
) -> dict[int, list[int]]:  # fmt: skip
    """Draw what each school that votes puts on its paper."""
    from brightspots_web.directory import queries as directory

    papers = {}
    for school in directory.open_schools().order_by("code").values_list("pk", flat=True):
        if rng.random() < TURNOUT:
            papers[school] = [] if rng.random() < ABSTAIN else _ranking(rng, proposals)
    return papers


def _ranking(rng: random.Random, proposals: Sequence[PriorityProposal]) -> list[int]:
    """Draw one after the other, the more wanted more often; most stop after two to four."""
    left = sorted(proposals, key=lambda each: each.title)
    ranking = []
    for _place in range(min(rng.choice((1, 2, 2, 3, 3, 4)), len(left))):
        each = rng.choices(left, weights=[WANTED.get(one.title, 1.0) for one in left])[0]
        left.remove(each)
        ranking.append(each.pk)
    return ranking


def _taken(proposal: PriorityProposal) -> Taken:
    """Give a proposal the aim that the ministry names; `living` fills in the rest."""
    from brightspots_cli.sample_life import living
    from brightspots_web.alignment.adoption_actions import Measured, Taken
    from brightspots_web.alignment.adoption_forms import shortened
    from brightspots_web.alignment.living_actions import Aim
    from brightspots_web.directory import queries as directory

    story = living.READING if proposal.title == READING else living.NUMBER
    by_when = date(directory.today().year + story.years, 6, 30)
    return Taken(
        proposal,
        shortened(proposal.why),
        Aim(f"{living.INVENTED} {story.how_good}", story.for_whom, by_when),
        [Measured(each) for each in proposal.indicators.all()],
    )
