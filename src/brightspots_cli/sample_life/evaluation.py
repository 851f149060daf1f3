"""Evaluations in the sample: a practice that worked, one that did not, and a plan."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from brightspots_cli.sample_life import practice_truth
from brightspots_cli.sample_life.practice_truth import Truth

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from brightspots_web.connectedness.models import Practice
    from brightspots_web.directory.models import Appointment, School

INVENTED = "(Invented.)"
TEXTS: dict[str, dict[str, str]] = {
    practice_truth.WORKS.title: {
        "summary": "Every pupil takes a book home on Friday and tells of it on Monday.",
        "do": "A box of books in each class.\nOn Friday each pupil chooses one and signs for it.\n"
        "On Monday pupils tell their neighbour what it was about; the teacher listens to three.",
        "takes": "Forty books a class, half an hour a week, and a list of who has which.",
        "question": "Do pupils read better where schools let books go home on Fridays?",
        "mind": "The same comparison with two more years of results that finds nothing; or schools "
        "that were drawn by lot and gained nothing.",
    },
    practice_truth.DOES_NOT.title: {
        "summary": "Every week begins with a test in mathematics, marked by the teacher.",
        "do": "Ten questions on Monday.\nMark them in the evening.\nHand them back on Tuesday.",
        "takes": "Twenty minutes of each class, and two hours of each teacher a week.",
        "question": "Do pupils do better at mathematics where each week begins with a test?",
        "mind": "A lottery among twice as many schools whose interval lies above nought.",
    },
}


def fill(rng: random.Random, cast: Mapping[str, Appointment]) -> None:
    """Let schools take two practices up, evaluate both, publish both; plan a third."""
    from django.db import transaction

    from brightspots_web.evidence import choice_record_actions
    from brightspots_web.insight import queries as insight

    scales = insight.scales(insight.current_run())
    life = _Life(rng, cast)
    for truth in (practice_truth.WORKS, practice_truth.DOES_NOT):
        scale = scales.get(truth.subject)
        if scale is None:
            continue
        with transaction.atomic():  # one wait for the disk instead of a hundred
            practice = life.taken_up(truth, scale.years)
        if practice is not None:
            life.evaluated(practice, truth)
    life.planned()
    choice_record_actions.notice()


class _Life:
    def __init__(self, rng: random.Random, cast: Mapping[str, Appointment]) -> None:
        from brightspots_web.directory import people_queries, queries

        self.rng, self.cast = rng, cast
        self.heads = people_queries.answering()
        schools = queries.open_schools().select_related("area").order_by("code")
        self.schools: list[School] = [each for each in schools if each.pk in self.heads]

    def taken_up(self, truth: Truth, years: tuple[int, ...]) -> Practice | None:
        """Write the practice up and let those schools take it up whose results gained by it."""
        from brightspots_web.connectedness import practice_adoption_actions as adopting

        firsts = practice_truth.first_years(truth, [each.code for each in self.schools], years)
        cast = {each.school_id for each in self.cast.values()}
        source = next(
            (each for each in self.schools if each.code not in firsts and each.pk not in cast), None
        )
        if not firsts or source is None:
            return None
        practice = self._written(truth, source)
        for school in self.schools:
            if school.code in firsts:
                # In the first weeks of the year: its results, in November, are the first with it.
                on = date(firsts[school.code], 2, self.rng.randint(1, 26))
                adopting.adopt(practice, by=self.heads[school.pk], on=on)
        return practice

    def _written(self, truth: Truth, school: School) -> Practice:
        from brightspots_web.alignment import queries as alignment
        from brightspots_web.connectedness import practice_actions, practice_pages

        told = TEXTS[truth.title]
        known = practice_pages.prefilled(school, None)
        live = alignment.live_priorities()
        priority = next((each for each in live if each.subject == truth.subject), None)
        text = practice_actions.Text(
            title=truth.title,
            summary=f"{INVENTED} {told['summary']}",
            context=known["context"],
            what_to_do=told["do"],
            what_it_takes=told["takes"],
            evidence=f"{INVENTED} See what it did at other schools, below.",
        )
        head = self.heads[school.pk]
        practice = practice_actions.write(
            school, text, by=head, language="en", priority=priority, spot=None
        )
        practice_actions.publish(practice, by=self.cast["minister"], seen=practice.version)
        practice.refresh_from_db()
        return practice

    def evaluated(self, practice: Practice, truth: Truth) -> None:
        """Plan, run as the worker does, and publish whatever was found."""
        from brightspots_web.evidence import evaluation_actions as actions
        from brightspots_web.evidence import evaluation_power as power
        from brightspots_web.shared import jobs

        told, analyst = TEXTS[truth.title], self.cast["analyst"]
        asked = _plan(
            title=f"{truth.title}: what it did at other schools",
            question=told["question"],
            kind="practice",
            subject=truth.subject,
            practice=practice,
            priority=practice.priority,
            design_words=f"{INVENTED} Schools took it up as they heard of it. Nobody chose them, "
            "and no lottery decided: who takes something up may differ from who does not.",
            change_our_mind=f"{INVENTED} {told['mind']}",
            cluster=False,
            cost_amount=Decimal(self.rng.choice((4000, 6000, 9000))),
            cost_currency="KES",
            cost_per="school",
            cost_includes=f"{INVENTED} {told['takes']} The time of teachers is not counted.",
        )
        made = actions.plan(asked, by=analyst, power=power.of_plan(asked))
        job = jobs.run_here(actions.start(made, by=analyst, seen=None))
        if job.status == "done":
            actions.publish(made, by=self.cast["minister"], seen=None)

    def planned(self) -> None:
        """Plan an evaluation of support that has only begun, and do not run it."""
        from brightspots_web.alignment import queries as alignment
        from brightspots_web.evidence import evaluation_actions as actions

        priority = next((each for each in alignment.live_priorities() if each.subject), None)
        if priority is None:
            return
        asked = _plan(
            title=f"Support by other schools: {priority.title}",
            question="Do pupils do better where another school comes to help?",
            kind="support",
            subject=priority.subject,
            priority=priority,
            design="eligible",
            design_words=f"{INVENTED} Schools asked; there were not leaders enough for all at "
            "once. Those still waiting are compared with.",
            change_our_mind=f"{INVENTED} Three years of results in which those who waited did as "
            "well.",
        )
        actions.plan(asked, by=self.cast["analyst"])


def _plan(**asked: Any) -> Any:
    from brightspots_web.evidence import evaluation_actions as actions

    return actions.Plan(**asked)
