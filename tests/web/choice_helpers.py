"""Lotteries and choices of the invented world, made by the same actions as the pages use."""

from datetime import date, datetime, timedelta
from typing import Any

from django.utils import timezone

from brightspots_web.directory.actions import command_line_operator
from brightspots_web.evidence import choice_draw_actions as drawing
from brightspots_web.evidence import choice_lottery_actions as actions
from brightspots_web.evidence import choice_record_actions as recording
from brightspots_web.evidence.choice_lottery_actions import Terms
from brightspots_web.evidence.models import Choice, Lottery, LotteryEntry
from brightspots_web.insight.models import Estimate, Run
from tests.web import support_helpers
from tests.web.world import World

State = Lottery.State
CODES = ("N1", "N2", "N3", "N4", "N5", "N6", "L1", "L2", "L3", "L4", "E1", "E2", "E3", "W1")
SD = 10.0
"""Points a standard deviation of pupils."""


def in_days(days: int) -> date:
    return timezone.localdate() + timedelta(days=days)


def a_run(
    world: World, *, days_ago: int = 40, shift: float = 0.0, few: tuple[str, ...] = ()
) -> Run:
    """Published figures in Reading, by hand: N1 at −7 points, one more each, W1 at 6 points."""
    when = timezone.now() - timedelta(days=days_ago)
    run = Run.objects.create(
        method="by hand", method_version="1", input_hash="0" * 64, started_at=when,
        finished_at=when, published_at=when, published_by="Analyst",
        summary={
            "outcomes": {
                "Reading": {
                    "pupil_sd": SD, "mean": 100.0, "digits": 1, "years": [2023], "way": "pupil",
                }
            }
        },
    )  # fmt: skip
    for n, code in enumerate(CODES):
        value = (n - 7) / SD + shift
        Estimate.objects.create(
            run=run, school=world.schools[code], subject="Reading", n=7 if code in few else 60,
            estimate=value, lower=value - 0.1, upper=value + 0.1, se_comparative=0.05,
            se_diagnostic=0.05, cond_sd=0.05, reliability=0.8,
            need_probability=max(0.0, min(1.0, 0.5 - value)),
        )  # fmt: skip
    return run


def terms(world: World, **more: Any) -> Terms:
    given: dict[str, Any] = {
        "title": "Reading support in spring",
        "words": "(Invented.) Ten days of support by another school.",
        "kind": Lottery.What.DEPLOYMENT,
        "priority": support_helpers.a_priority(),
        "places": 2,
        "draws_on": in_days(10),
        "upper": 0.0,
    }
    return Terms(**given | more)


def prepared(world: World, **more: Any) -> Lottery:
    """Below 0 points: N1 to N6 and L1, seven schools, for two places."""
    if not Run.objects.exists():
        a_run(world)
    return actions.prepare(terms(world, **more), by=world.cast["analyst"])


def agreed(world: World, **more: Any) -> Lottery:
    return actions.answer(
        prepared(world, **more), agrees=True, words="", by=world.cast["minister"], seen=None
    )


def opened(world: World, **more: Any) -> Lottery:
    return drawing.open_list(agreed(world, **more), by=world.cast["analyst"], seen=None)


def noon(lottery: Lottery) -> datetime:
    """A minute past the hour of the draw."""
    at = datetime.combine(lottery.draws_on, datetime.min.time())
    return timezone.make_aware(at) + timedelta(hours=12, minutes=1)


def draw(lottery: Lottery) -> Lottery:
    return drawing.draw(lottery, by=command_line_operator(), now=noon(lottery))


def drawn(world: World, **more: Any) -> Lottery:
    """Drawn, and dated back so that what begins now begins after it."""
    found = draw(opened(world, **more))
    moment = timezone.now() - timedelta(minutes=1)
    Lottery.objects.filter(pk=found.pk).update(
        drawn_at=moment, draws_on=timezone.localdate(moment)
    )  # fmt: skip
    found.refresh_from_db()
    return found


def line(lottery: Lottery, *, place: bool = True, position: int | None = None) -> LotteryEntry:
    found = LotteryEntry.objects.filter(lottery=lottery, place=place).order_by("position")
    return found[0] if position is None else found.get(position=position)


def entry_of(lottery: Lottery, code: str) -> LotteryEntry:
    return LotteryEntry.objects.get(lottery=lottery, code=code)


def a_choice(world: World, code: str = "N2", giver: str = "N1") -> Choice:
    """Support of N2 by N1 that began, written down by the worker."""
    if not Run.objects.exists():
        a_run(world)
    deployment = support_helpers.begun(world, code, giver)
    recording.notice()
    return Choice.objects.get(deployment=deployment)
