"""The live priorities of the sample: aims, drivers, measures, what they mean in partnerships."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence

    from brightspots_web.alignment.models import Priority
    from brightspots_web.directory.models import Appointment, Indicator, Partnership

INVENTED = "(Invented.)"
IMPROVEMENT, ACCOUNTABILITY = "improvement", "accountability"


@dataclass(frozen=True)
class Named:
    """An indicator, and from where its baseline: a published figure, a number by hand, or none."""

    name: str
    purpose: str
    unit: str = ""
    figure: str = ""
    by_hand: tuple[float, float, float, int, str, str] | None = None
    """Value, likely from and to, how many, of what, source."""


@dataclass(frozen=True)
class Story:
    """A priority as the ministry fills it in, and what partnerships make of it."""

    how_good: str
    for_whom: str
    years: int
    drivers: str
    measures: Sequence[Named]
    senses: Sequence[str]


READING = Story(
    "Nine in ten read a page aloud and say what it tells",
    "every child in its fifth year of school",
    2,
    """Teachers know how each child reads
  A short check of reading every month
    One page a child, kept by the class teacher
    Two teachers check each other's class
  What the check says is used on Monday
    Groups of four by what is missing, not by level
Children read every day
  Books that a child of eight can read by itself
    A box of forty books for each class
    Older pupils write little books
  Twenty minutes that nobody takes away
    Reading first, before the assembly
Lessons in reading build on each other
  Teachers plan together every week
    Thursday, ninety minutes, in the timetable
  The head sits in two reading lessons a week
    Two questions left behind, never a mark
Families read too
  A book goes home every Friday""",
    (
        Named("Results in reading", ACCOUNTABILITY, "points", figure="mean"),
        Named("Difference between schools in reading", ACCOUNTABILITY, "points", figure="spread"),
        Named("Children who read a page aloud by ten", IMPROVEMENT, "%",
              by_hand=(61.0, 57.0, 65.0, 640, "pupils", "Survey of reading aloud, spring")),
        Named("Books read in a month, as pupils count them", IMPROVEMENT, "books"),
    ),
    (
        "With us it begins with books: half of our classes have none that a child of eight can "
        "read alone. We collect them first, then we look at lessons.",
        "Our children read aloud well and cannot say what they read. For us the priority means: "
        "after every page somebody asks what it told.",
        "Most of our pupils speak another language at home. We read with them in theirs for a year "
        "before we ask for pages in English.",
        "Two of our schools are strong at this and three are not. It means that the two open their "
        "Thursdays to the others.",
        "In our small schools one teacher has three years in a room. Reading every day means older "
        "pupils read with younger ones, and we practise that.",
    ),
)  # fmt: skip
NUMBER = Story(
    "Eight in ten solve a problem of everyday life in two steps and say how",
    "every child in its third year of school",
    3,
    """Numbers are things before they are signs
  Something to count with in every hand
    Stones, seeds and bottle tops in a box for each class
    Fifteen minutes of games before the first lesson
Children say how they found it
  A wrong answer is worth a talk
    One mistake of the week on the board, whose it is stays unsaid
  Pairs explain to each other
Teachers see where a child is stuck
  Three tasks every second Friday
    The same three in all schools of a partnership
  Time to go back
    Two lessons a week without anything new""",
    (
        Named("Results in mathematics", ACCOUNTABILITY, "points", figure="mean"),
        Named("Schools that may need help in mathematics", ACCOUNTABILITY, "schools",
              figure="in_need"),
        Named("Children who say how they found it", IMPROVEMENT, "%",
              by_hand=(38.0, 32.0, 44.0, 210, "pupils", "Lessons seen in the third year")),
    ),
    (
        "Our pupils learn procedures by heart and forget them over the holidays. It means: every "
        "child counts with its hands until the second year ends.",
        "Market day is our best teacher. We bring its prices into the lesson, and look together at "
        "what the children make of them.",
        "We do not know yet where they are stuck. We begin with three tasks in all our schools.",
        "Teachers told us that they are unsure themselves. For us it means planning together, and "
        "nobody is looked down on for asking.",
    ),
)  # fmt: skip
STORIES = {"reading": READING, "mathematics": NUMBER}
OTHERS = (
    Named("Days a pupil was at school", ACCOUNTABILITY, "days a year"),
    Named("Lessons in which every pupil spoke", IMPROVEMENT, "%"),
    Named("Teachers who planned with a colleague this week", IMPROVEMENT, "%"),
)
"""Indicators of the directory by which no priority is measured at present."""


def fill(rng: random.Random, cast: Mapping[str, Appointment]) -> None:
    """Fill the live priorities in, and let half of the partnerships say what they mean there."""
    from django.db import transaction

    from brightspots_web.alignment import queries

    with transaction.atomic():
        for named in OTHERS:
            indicator(named, cast["minister"])
        for at, priority in enumerate(queries.live_priorities()):
            story = STORIES.get(priority.subject)
            if story is not None:
                fill_in(priority, story, cast["minister"])
                senses(priority, story.senses, rng, cast, first=at == 0)


def fill_in(priority: Priority, story: Story, minister: Appointment) -> None:
    """Say the aim where nobody has yet; work out the proposal's drivers; name the measures."""
    from brightspots_web.alignment import living_actions as actions
    from brightspots_web.alignment import living_queries as queries
    from brightspots_web.directory.queries import today

    if not priority.how_good:
        june = date(today().year + story.years, 6, 30)
        aim = actions.Aim(f"{INVENTED} {story.how_good}", story.for_whom, june)
        actions.set_aim(priority, aim, by=minister, seen=None)
    if priority.drivers != story.drivers:
        actions.set_drivers(priority, story.drivers, by=minister, seen=None)
    offered = {each.figure for each in queries.published_figures(priority.subject)}
    for named in story.measures:
        measure = actions.measure_by(priority, indicator(named, minister), by=minister)
        if named.figure in offered:
            actions.take_published(measure, named.figure, by=minister, seen=None)
        elif named.by_hand is not None:
            value, low, high, n, n_of, source = named.by_hand
            spring = date(today().year - 1, 5, 20)
            baseline = actions.Baseline(value, low, high, n, n_of, spring, f"{INVENTED} {source}")
            actions.set_baseline(measure, baseline, by=minister, seen=None)


def indicator(named: Named, minister: Appointment) -> Indicator:
    """Find the indicator of this name, or add it to the directory."""
    from brightspots_web.directory import indicator_actions, indicator_queries

    there = indicator_queries.search(minister, named.name).filter(name=named.name).first()
    return there or indicator_actions.add(
        indicator_actions.Measure(named.name, named.purpose, named.unit), by=minister
    )


def senses(
    priority: Priority,
    words: Sequence[str],
    rng: random.Random,
    cast: Mapping[str, Appointment],
    *,
    first: bool,
) -> None:
    """About half of the partnerships have said what it means to them, and half of those share it.

    The cast's own has for the first priority and not yet for the second.
    """
    own = cast["leader"].partnership_id
    leaders = leading()
    others = [each for each in sorted(leaders) if each != own]
    chosen = rng.sample(others, len(others) // 2)
    if first and own in leaders:
        chosen.insert(0, own)
    for at, key in enumerate(chosen):
        partnership, leader = leaders[key]
        write(
            priority, partnership, words[at % len(words)], leader, rng,
            shared=key == own or rng.random() < 0.5,
        )  # fmt: skip


def leading() -> dict[int, tuple[Partnership, Appointment]]:
    """Partnership's key -> the partnership and who leads it today."""
    from brightspots_web.directory import queries

    held = queries.live_leaders().select_related("person", "partnership", "school")
    return {
        each.partnership.pk: (each.partnership, each)
        for each in held.order_by("-pk")
        if each.partnership is not None
    }


def write(
    priority: Priority,
    partnership: Partnership,
    words: str,
    leader: Appointment,
    rng: random.Random,
    *,
    shared: bool,
) -> None:
    """Write a local sense on some day since the priority began."""
    from django.utils import timezone

    from brightspots_web.alignment import living_history_actions as history
    from brightspots_web.alignment import living_sense_actions as actions
    from brightspots_web.directory import queries
    from brightspots_web.directory.actions import command_line_operator

    sense = actions.write_sense(
        priority, partnership, f"{INVENTED} {words}", by=leader, seen=None, shared=shared,
        names_no_pupil=True,
    )  # fmt: skip
    days = (queries.today() - priority.starts).days
    ago = rng.randint(0, min(days, 60)) if days > 0 else 0
    if ago:
        at = timezone.now() - timedelta(days=ago)
        history.date_back_sense(sense, at, by=command_line_operator())
