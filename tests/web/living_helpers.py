"""Two live priorities of the invented world, as the actions of the platform set them."""

from dataclasses import replace
from datetime import date, timedelta

from django.utils import timezone

from brightspots_web.alignment import actions as alignment
from brightspots_web.alignment import living_actions as actions
from brightspots_web.alignment import living_sense_actions as senses
from brightspots_web.alignment.actions import Wanted
from brightspots_web.alignment.living_actions import Aim, Baseline
from brightspots_web.alignment.models import LocalSense, Priority, PriorityIndicator
from brightspots_web.directory import indicator_actions
from brightspots_web.directory.indicator_actions import Measure
from brightspots_web.directory.models import Indicator
from brightspots_web.insight.models import AreaFigure, Run, Variance
from tests.web.bright_spot_helpers import a_run
from tests.web.world import World

OUTLINE = "Children read every day\n  Books in every class\n    A box of forty\nLessons"
WORDS = "With us it begins with books: half of our classes have none."
LEARN, ANSWER = Indicator.Purpose.IMPROVEMENT, Indicator.Purpose.ACCOUNTABILITY
BASELINE = Baseline(62.5, 58.0, 66.0, 900, "pupils", date(2025, 11, 3), "Reading survey, table 3")


def today() -> date:
    return timezone.localdate()


def priorities(world: World) -> tuple[Priority, Priority]:
    """Early reading, of which the figures for Reading speak, and number sense, of which none do."""
    reading, number = alignment.set_priorities(
        [
            Wanted("Early reading", "Too few read at ten.", "Reading"),
            Wanted("Number sense", "What is missed is rarely made up."),
        ],
        by=world.cast["minister"],
    )
    return reading, number


def an_aim(world: World, priority: Priority, **changed: object) -> Priority:
    aim = replace(
        Aim("Nine in ten read a page aloud", "every child of ten", today() + timedelta(days=400)),
        **changed,
    )
    return actions.set_aim(priority, aim, by=world.cast["minister"], seen=None)


def drivers(world: World, priority: Priority, text: str = OUTLINE) -> Priority:
    return actions.set_drivers(priority, text, by=world.cast["minister"], seen=None)


def indicator(world: World, name: str = "Pages read aloud", purpose: str = LEARN) -> Indicator:
    measure = Measure(name, purpose, "points")
    return indicator_actions.add(measure, by=world.cast["minister"])


def measured(
    world: World, priority: Priority, baseline: Baseline | None = BASELINE, **named: str
) -> PriorityIndicator:
    """The priority measured by an indicator, with a baseline unless None is given."""
    minister = world.cast["minister"]
    measure = actions.measure_by(priority, indicator(world, **named), by=minister)
    if baseline is not None:
        measure = actions.set_baseline(measure, baseline, by=minister, seen=None)
    return measure


def a_sense(
    world: World, priority: Priority, *, who: str = "system_leader", words: str = WORDS,
    shared: bool = False,
) -> LocalSense:  # fmt: skip
    by = world.cast[who]
    partnership = world.partnerships["East" if who.startswith("other") else "Upper"]
    return senses.write_sense(priority, partnership, words, by=by, seen=None, shared=shared)


def published(world: World) -> Run:
    """An analysis in which 13 pupils a year would gain in each of three areas of Reading."""
    run = a_run(world)
    run.estimates.filter(subject="Reading", year=None).update(
        need_probability=0.25, pupils_touched=5.0
    )
    for name, schools, level in (("Testland", 14, 0), ("North", 10, 1), ("Upper", 6, 2)):
        common = {"run": run, "area": world.areas[name], "subject": "Reading",
                  "n_schools": schools, "n_pupils": 60 * schools}  # fmt: skip
        AreaFigure.objects.create(
            **common, year=None, schools_in_need=0.25 * schools, pupils_touched=5.0 * schools
        )
        AreaFigure.objects.create(**common, year=2023, observed=101.5 - level)
        AreaFigure.objects.create(**common, year=2022, observed=99.0)
    Variance.objects.create(
        run=run, subject="Reading", tier="school", rank=2, units=14, sd=3.2, sd_lower=2.1,
        sd_upper=4.9, share=0.1,
    )  # fmt: skip
    return run
