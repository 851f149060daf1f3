"""Consultations of the sample: two counted, one answered and one overdue, and one that is open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from brightspots_web.accountability.models import Consultation
    from brightspots_web.accountability.voice_actions import Draft
    from brightspots_web.accountability.voice_answer_actions import Given
    from brightspots_web.directory.models import Appointment, Area, Person

INVENTED = "(Invented.)"
TEACHERS_DOMAIN = "teachers.sample.invalid"


@dataclass(frozen=True)
class Story:
    """A consultation, and how long ago it closed."""

    title: str
    about: str
    policy: str
    first: str
    """What is agreed or disagreed with."""
    more: str
    choice: str
    options: tuple[str, ...]
    text: str
    weights: tuple[int, ...]
    """How the steps of the first question fall, from disagreement to agreement."""
    words: tuple[str, ...] = ()


READING = Story(
    "The reading hour: how is it going?",
    "implementation",
    "Since the last term every class reads for an hour a day. What can still be changed: when the "
    "hour is, which books there are, and who helps.",
    "The reading hour helps my pupils.",
    "I have what I need for it.",
    "What is missing most?",
    ("Books", "Time", "Training", "Nothing"),
    "What should change first?",
    (1, 2, 3, 6, 4),
    (
        "The hour is good, the books are not enough: three pupils share one.",
        "Put it in the morning. After lunch half of the class sleeps.",
        "Let two teachers plan it together once a week.",
        "Stories from here, not only from far away.",
        "Those who cannot read yet need another half hour with somebody.",
        "Fridays are hard: half of the class is at the market.",
        "Let older pupils read to younger ones.",
    ),
)
REPORTS = Story(
    "Reports that schools write: which can go?",
    "design",
    "Schools send eleven reports a year. The ministry wants to ask for fewer, and asks which of "
    "them help nobody.",
    "The reports I write are read by somebody.",
    "Writing them takes time from teaching.",
    "How many would be enough?",
    ("Two a year", "One a term", "As now"),
    "Which report would you end tomorrow?",
    (6, 5, 3, 2, 1),
    (
        "The monthly list of furniture.",
        "Attendance is asked for twice, by two offices.",
        "None of them, if somebody answered what we write.",
        "The weekly plan of lessons: nobody has ever come back to it.",
        "Everything that is on another form already.",
        "Let us send numbers once, and take them from there.",
    ),
)
VISITS = Story(
    "Time to visit another school",
    "design",
    "From next year each teacher may have two days a year to see lessons in another school. What "
    "can still be changed: how days are shared out, and who stands in.",
    "I would use two days a year.",
    "My school could do without me for these days.",
    "Who should stand in?",
    ("A colleague", "The head", "Classes together", "Somebody paid for it"),
    "What would have to be so that you go?",
    (1, 1, 2, 5, 5),
)


def fill(rng: random.Random, cast: Mapping[str, Appointment]) -> None:
    """Ask, answer, and count what is over; one stays open for the sample's teacher and head."""
    from django.db import transaction

    with transaction.atomic():  # one wait for the disk instead of hundreds
        Voices(rng, cast).speak()


class Voices:
    """The consultations of the invented system, by the actions of the pages."""

    def __init__(self, rng: random.Random, cast: Mapping[str, Appointment]) -> None:
        from brightspots_web.directory import actions, queries

        self.rng, self.cast = rng, cast
        self.today = queries.today()
        self.operator = actions.command_line_operator()

    def speak(self) -> None:
        """Two rounds that are over, one that runs."""
        from brightspots_web.accountability import voice_queries as queries

        minister = self.cast["minister"]
        whole = queries.areas_to_ask(minister)
        if not whole:
            return
        self._teachers(whole[0])
        answered = self._opened(READING, minister, whole[0], minister.person, due=21)
        self._answered(answered, READING, share=0.6)
        self._counted(answered, closed=20, due=-8)
        overdue = self._opened(REPORTS, minister, whole[0], minister.person, due=30)
        self._answered(overdue, REPORTS, share=0.45)
        self._counted(overdue, closed=48, due=9)
        still = self._opened(VISITS, minister, whole[0], minister.person, due=45)
        self._answered(still, VISITS, share=0.3)

    def _teachers(self, area: Area) -> None:
        """Appoint a teacher in every second school, so that teachers are heard beside heads."""
        from brightspots_web.directory import actions, queries

        schools = queries.open_schools().filter(queries.within(area)).order_by("code")[:80:2]
        for school in schools:
            person = actions.register_person(
                f"{school.code}@{TEACHERS_DOMAIN}".lower(), f"A teacher of {school.name}"
            )
            actions.appoint(person, "teacher", by=self.operator, school=school)

    def _draft(self, story: Story, area: Area, stakeholder: Person, due: int) -> Draft:
        from brightspots_web.accountability.voice_actions import Draft, Question

        return Draft(
            title=story.title,
            about=story.about,
            policy=f"{INVENTED} {story.policy}",
            area=area,
            audience="both",
            mode="anonymous",
            slices=["role", "area"],
            closes=self.today + timedelta(days=14),
            answer_due=self.today + timedelta(days=due),
            stakeholder=stakeholder,
            moderator=self.cast["analyst"].person,
            questions=[
                Question("scale", story.first),
                Question("scale", story.more),
                Question("choice", story.choice, story.options),
                Question("text", story.text),
            ],
        )

    def _opened(
        self, story: Story, by: Appointment, area: Area, stakeholder: Person, *, due: int
    ) -> Consultation:
        from brightspots_web.accountability import voice_actions as actions

        draft = self._draft(story, area, stakeholder, due)
        return actions.open_up(actions.write(draft, by=by), by=by, seen=None)

    def _answered(self, consultation: Consultation, story: Story, *, share: float) -> None:
        """Let a part of those who are asked answer; the sample's own cast has still to."""
        from brightspots_web.accountability import voice_answer_actions as actions
        from brightspots_web.accountability import voice_queries as queries

        ours = {each.person_id for each in self.cast.values()}
        words = list(story.words)
        asked = list(queries.asked_rows(consultation))
        self.rng.shuffle(asked)
        for row, by in asked:
            if row.person_id in ours or self.rng.random() > share:
                continue
            token = actions.token_of(row, consultation)
            given = self._given(consultation, story, words)
            actions.answer(consultation, given, token, by=by)

    def _given(self, consultation: Consultation, story: Story, words: list[str]) -> Given:
        from brightspots_web.accountability.voice_answer_actions import Given

        first, more, choice, text = consultation.questions.all()
        steps = ("1", "2", "3", "4", "5")
        options = {first.pk: self.rng.choices(steps, story.weights)[0]}
        if self.rng.random() < 0.95:
            options[more.pk] = self.rng.choices(steps, (3, 4, 3, 3, 2))[0]
            options[choice.pk] = self.rng.choice(story.options)
        said = {text.pk: f"{INVENTED} {words.pop()}"} if words else {}
        return Given(options, said)

    def _counted(self, consultation: Consultation, *, closed: int, due: int) -> None:
        """Close it so many days ago, with the answer due so many days ago (or to come)."""
        from brightspots_web.accountability import voice_time_actions as actions

        actions.date_back(
            consultation,
            opens=self.today - timedelta(days=closed + 21),
            closes=self.today - timedelta(days=closed),
            answer_due=self.today - timedelta(days=due),
            by=self.operator,
        )
        actions.close_when_over(consultation)
