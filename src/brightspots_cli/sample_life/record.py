"""Track records in the sample: support of earlier years, what came of it, words beside it.

In the invented results support changes nothing: most records lie around 0, with wide intervals, and
the pages say so. Years that are still to be examined leave projects that are not measured yet.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from brightspots_cli.sample_life.support import Life
    from brightspots_web.connectedness.models import SupportOffer
    from brightspots_web.directory.models import Appointment, School

PROJECTS = (4, 3, 3, 2, 1)
"""Of each leader with earlier projects, the one of the sign-in page first."""
MOST_DAYS = 6
"""That a school of the sample asks for."""
WORDS = (
    "The deputy who carried it left in the second month. What stayed is the weekly plan.",
    "They did most of it themselves; we came for three days and listened.",
)


def fill(rng: random.Random, cast: Mapping[str, Appointment]) -> None:
    """Support in the first years of results, then the records."""
    from brightspots_cli.sample_life.support import Life
    from brightspots_web.alignment import queries as alignment
    from brightspots_web.connectedness import support_queries as support
    from brightspots_web.insight import queries as insight

    priorities = [each for each in alignment.live_priorities() if each.subject]
    scales = insight.scales(insight.current_run())
    years = sorted({year for scale in scales.values() for year in scale.years})
    if not priorities or len(years) < 3:
        return
    life = Life(rng, cast, priorities)
    asked = support.requests_visible_to(cast["minister"])
    life.asked |= {each.school_id for each in asked}  # one open request at a priority
    own = cast["leader"].school
    _more_room(life, own)
    offers = _offers(life, own)
    askers = [
        each
        for each in life.schools
        if each.pk not in life.asked and each not in (own, cast["head"].school)
    ]
    for offer, number in zip(offers, PROJECTS, strict=False):
        near = sorted(askers, key=lambda each: _apart(each, offer.school))
        for turn, asker in enumerate(near[:number]):
            askers.remove(asker)
            _project(life, offer, asker, year=years[1 + turn % (len(years) - 2)], turn=turn)
    _words(cast["leader"])
    _reckon(cast["minister"])


def _more_room(life: Life, own: School | None) -> None:
    """Let the leader of the sign-in page offer more, whose days of this year may all be given."""
    from brightspots_web.connectedness import support_offer_actions as actions
    from brightspots_web.connectedness import support_queries as queries

    for priority in life.priorities:
        for offer in queries.open_offers(priority, but=None):
            if offer.school == own:
                actions.edit_offer(
                    offer, by=life.head_of(own), what=offer.what, days=offer.days + MOST_DAYS,
                    at_once=offer.at_once + 1, languages=offer.languages, until=offer.until,
                )  # fmt: skip


def _offers(life: Life, own: School | None) -> list[SupportOffer]:
    """Choose offers with room for one more school, that of the cast's leader first."""
    from brightspots_web.connectedness import support_ledger_queries as ledger
    from brightspots_web.connectedness import support_queries as queries

    found: dict[int, SupportOffer] = {}
    for priority in life.priorities:
        for offer in queries.open_offers(priority, but=None):
            life.asked.add(offer.school_id)  # who gives does not ask here
            places, days = ledger.room_left(offer)
            if places > 0 and days >= MOST_DAYS:
                found.setdefault(offer.school_id, offer)
    listed = [each for _key, each in sorted(found.items())]
    listed.sort(key=lambda each: each.school != own)
    return listed[: len(PROJECTS)]


def _apart(one: School, other: School) -> float:
    """How far apart two schools lie, to tell nearer from farther; the unplaced come last."""
    ways = ((one.latitude, other.latitude), (one.longitude, other.longitude))
    return sum((a - b) ** 2 if a is not None and b is not None else 1e6 for a, b in ways)


def _project(life: Life, offer: SupportOffer, asker: School, *, year: int, turn: int) -> None:
    """One project as it would have been in an earlier year: asked, matched, done, dated back."""
    from brightspots_cli.sample_life import support as sample
    from brightspots_web.connectedness import support_deployment_actions as actions
    from brightspots_web.connectedness import support_history_actions as history
    from brightspots_web.connectedness import support_match_actions as matching
    from brightspots_web.connectedness.analysis import brokering
    from brightspots_web.directory.actions import command_line_operator

    request = life.ask(asker, offer.priority)
    sample.looked_at(life, request)
    # The officer knows the two, and puts this offer whatever else would be suggested.
    match = matching.put_offer(
        request, brokering.why_not(request, offer), by=life.officer_of(request)
    )
    for school in (asker, offer.school):
        match = matching.accept(match, by=life.head_of(school))
    by = life.head_of(offer.school)
    starts = life.today - timedelta(days=80)
    deployment = actions.begin(
        match, by=by, aim=sample.invented(life.rng.choice(sample.AIMS)), days=request.days,
        starts=starts, exit_on=life.today,
    )  # fmt: skip
    for number, on in enumerate((starts, starts + timedelta(days=30))):
        actions.log(
            deployment, by=by, kind="visit", on=on, days=Decimal(1),
            note=sample.invented(sample.NOTES[number]),
        )  # fmt: skip
    if turn == 1:  # ended early counts as much as what went well
        actions.end_early(
            deployment, by=life.head_of(asker),
            why=sample.invented("Two of our teachers left at once."), still_wanted=False,
        )  # fmt: skip
    else:
        actions.finish(deployment, by=by, report=sample.invented(sample.REPORT))
    back = (life.today - life.today.replace(year=year, month=9, day=1)).days
    history.date_support_back(deployment.pk, back, by=command_line_operator())


def _words(leader: Appointment) -> None:
    """Let the leader of the sign-in page say something beside two projects."""
    from brightspots_web.connectedness import support_record_queries as support
    from brightspots_web.evidence import record_actions as actions

    for project, words in zip(support.support_by([leader.person_id]), WORDS, strict=False):
        actions.say(project, f"(Invented.) {words}", by=leader)


def _reckon(minister: Appointment) -> None:
    from brightspots_web.evidence import record_actions as actions
    from brightspots_web.shared import jobs

    jobs.run_here(actions.ask(by=minister))
