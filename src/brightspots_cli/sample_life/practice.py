"""Practices in the sample: written up, taken up over several generations, changed, stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

    from brightspots_web.connectedness.models import Practice, PracticeAdoption
    from brightspots_web.directory.models import Appointment, School

INVENTED = "(Invented.)"


@dataclass(frozen=True)
class Story:
    """A practice as its school tells it, and how many schools it reaches."""

    title: str
    summary: str
    do: str
    takes: str
    evidence: str
    subject: str
    reach: int
    changes: Sequence[str] = ()
    stops: Sequence[str] = ()
    comments: Sequence[str] = ()


STORIES = (
    Story(
        "Fours by turns",
        "Whoever is stuck is found in the second week of a topic and taught in groups of four, "
        "while the others practise in pairs.",
        "On Friday two teachers look at the exercise books together and write down who is stuck, "
        "and with what.\nOn Monday the class practises in pairs; four pupils at a time come to the "
        "front table for ten minutes.\nOn Wednesday the same four, with the next step.\nOn Friday "
        "look again: who can do it leaves the table, whoever it is.",
        "An hour of two teachers on Friday. A table at the front. No money. Pairs have to be "
        "practised for a week before it begins.",
        "Two visitors saw it in four classes. The figures below are the school's own; whether this "
        "practice made them nobody can say yet.",
        "reading",
        11,
        (
            "In threes, as our classes are small.",
            "On Tuesdays and Thursdays: Monday is market day.",
            "An older pupil sits with the pairs.",
        ),
        ("With 70 pupils in a room the pairs were too loud. We look for another way.",),
        (
            "How do you find the hour on Friday? We moved our staff meeting for it.",
            "It took four weeks before the pairs worked by themselves. Do not give up in week 3.",
            "Which books do you use for the second step?",
        ),
    ),
    Story(
        "We plan on Thursdays",
        "All teachers of a year plan the next week together, beginning with what pupils got wrong.",
        "Bring three exercise books each.\nLook for one mistake that many made.\nPlan the first "
        "lesson of next week around it.\nWrite the plan on one page; everybody teaches from it.",
        "Ninety minutes a week that are in the timetable, and a head who is there.",
        "Lessons seen on a visit began with the mistake of the week in both classes.",
        "reading",
        6,
        ("Two small schools plan together, by telephone.",),
        (),
        ("We have only one teacher a year and plan with the school across the river.",),
    ),
    Story(
        "Number games from the yard",
        "Stones, seeds and bottle tops become number games for the first fifteen minutes of a day.",
        "Collect with the children.\nTeach one game a week; older pupils teach it to younger ones."
        "\nKeep a box in every class, and a list of what each game is for.",
        "A box for each class. An afternoon to learn the games. Fifteen minutes a day.",
        "Teachers see fewer who count on their fingers. There are no figures of it.",
        "mathematics",
        8,
        ("We play outside, in four corners of the yard.", "With maize instead of bottle tops."),
        ("Boxes were lost in the holidays and nobody collected anew.",),
        ("The game with the two baskets works best in our first year.",),
    ),
    Story(
        "Read to somebody older",
        "Every pupil reads a page a day to an older pupil, who signs for it.",
        "Pair the classes.\nTen minutes after the break.\nThe older pupil asks one question about "
        "the page and signs.\nThe teacher looks at the signatures once a week, and reads with "
        "those who have few.",
        "Ten minutes a day, and books that may be carried about.",
        "The signatures show who reads little, a week earlier than a test would.",
        "reading",
        4,
        ("They read to a grandparent on Sundays too.",),
        (),
        ("Our older pupils read better by it too, as they say themselves.",),
    ),
    Story(
        "Two questions after each lesson seen",
        "The head sits in two lessons a week and leaves two questions, never a mark.",
        "Agree on the day.\nSit among the pupils.\nWrite two questions about what pupils did."
        "\nTalk for ten minutes on the same day.",
        "Two hours of the head a week, kept free by the deputy.",
        "All teachers were seen within a term. What it changed is told, not measured.",
        "",
        3,
    ),
    Story(
        "Lessons on Saturday",
        "Pupils before their exam came on four Saturdays for more lessons.",
        "Four Saturdays, three hours each, before the exam.",
        "Teachers' Saturdays, and food for all.",
        "Results did not differ from those of years without it.",
        "mathematics",
        3,
        (),
        ("Pupils with a long way did not come.", "Teachers were tired on Mondays."),
    ),
    Story(
        "The first day has a partner",
        "A pupil who comes from another school has a partner for two weeks, chosen the day before.",
        "Choose the partner the day before.\nShow both the way.\nAsk both after a week.",
        "Ten minutes of the class teacher.",
        "Told by three class teachers.",
        "",
        0,
    ),
)
DRAFT = Story(
    "Words on the wall",
    "Ten new words a week hang on the wall, with a drawing by a pupil.",
    "Choose ten words on Friday.\nA group draws them.\nUse each in a sentence every day.",
    "Paper, and ten minutes.",
    "We see the words in what pupils write.",
    "reading",
    0,
)
SWAHILI = (
    "(Imebuniwa.) Wanne kwa zamu",
    "Wanaokwama hutambuliwa wiki ya pili na kufundishwa katika vikundi vya wanne.",
    "Ijumaa walimu wawili hutazama madaftari pamoja.\nJumatatu wanafunzi wanne huja mezani mbele "
    "kwa dakika kumi.\nIjumaa tazama tena.",
    "Saa moja ya walimu wawili kila Ijumaa. Hakuna gharama.",
)


def fill(rng: random.Random, cast: Mapping[str, Appointment]) -> None:
    """Write practices up, publish most, and let them travel; every text says it is invented."""
    from django.db import transaction

    life = Life(rng, cast)
    with transaction.atomic():  # one wait for the disk instead of a hundred
        life.go_on()
    life.reckon()


class Life:
    """The practices of the sample, by the same actions as the pages use."""

    def __init__(self, rng: random.Random, cast: Mapping[str, Appointment]) -> None:
        from brightspots_web.directory import partnership_queries, queries

        self.rng, self.cast = rng, cast
        schools = list(queries.open_schools().select_related("area").order_by("code"))
        self.heads: dict[int, Appointment] = {}
        found = partnership_queries.heads_of([school.pk for school in schools])
        for each in found.select_related("person", "school", "partnership").order_by("pk"):
            if each.school_id is not None:
                self.heads.setdefault(each.school_id, each)
        self.schools = [school for school in schools if school.pk in self.heads]
        self.today = queries.today()

    def go_on(self) -> None:
        """Tell every story, and leave a draft waiting for somebody to publish it."""
        sources = self._sources()
        for at, (story, school) in enumerate(zip(STORIES, sources, strict=False)):
            practice = self._written(story, school, spot=at == 0)
            self._travels(practice, story, with_the_head=at in {0, 2})
            self._talked_about(practice, story)
            if at == 0:
                self._translated(practice)
            if story.title == "Lessons on Saturday":
                self._withdrawn(practice)
        own = self.cast["head"].school
        if own is not None:
            self._draft(DRAFT, own)

    def _sources(self) -> list[School]:
        """Give the bright spot that is written up first, then schools by chance."""
        from brightspots_web.insight import bright_spot_queries

        search = bright_spot_queries.Search(state="written_up")
        spots = bright_spot_queries.pairs(self.cast["minister"], search, None)
        first = [key.school for key in bright_spot_queries.keys(spots)][:1]
        cast = {each.school_id for each in self.cast.values()}
        rest = [each for each in self.schools if each.pk not in {*first, *cast}]
        chosen = [each for each in self.schools if each.pk in first]
        return [*chosen, *self.rng.sample(rest, min(len(rest), len(STORIES) - len(chosen)))]

    def _draft(self, story: Story, school: School, *, spot: bool = False) -> Practice:
        from brightspots_web.alignment import queries as alignment
        from brightspots_web.connectedness import practice_actions, practice_pages, practice_queries
        from brightspots_web.insight import bright_spot_queries

        head = self.heads[school.pk]
        found = None
        if spot:
            subjects = [
                step.bright_spot.subject
                for step in bright_spot_queries.steps_at(school)
                if step.to_state == "written_up"
            ]
            if subjects:
                found = practice_queries.spot_to_write_up(head, school.code, subjects[0])
        known = practice_pages.prefilled(school, found)
        live = alignment.live_priorities()
        text = practice_actions.Text(
            title=story.title,
            summary=f"{INVENTED} {story.summary}",
            context=known["context"],
            what_to_do=story.do,
            what_it_takes=story.takes,
            evidence=f"{INVENTED} {story.evidence}\n{known.get('evidence', '')}".strip(),
        )
        subject = found.subject if found else story.subject
        priority = next((each for each in live if each.subject == subject), None)
        return practice_actions.write(
            school, text, by=head, language="en", priority=priority, spot=found
        )

    def _written(self, story: Story, school: School, *, spot: bool) -> Practice:
        from brightspots_web.connectedness import practice_actions

        practice = self._draft(story, school, spot=spot)
        practice_actions.publish(practice, by=self.cast["minister"], seen=practice.version)
        practice.refresh_from_db()
        return practice

    def _travels(self, practice: Practice, story: Story, *, with_the_head: bool) -> None:
        """Schools take it up, from the source or from one of the schools that did before."""
        from brightspots_web.connectedness import practice_adoption_actions as adopting

        head = self.cast["head"]
        others = [each for each in self.schools if each.pk != practice.school_id]
        others = [each for each in others if each.pk != head.school_id]
        reached = self.rng.sample(others, min(len(others), story.reach))
        if with_the_head and head.school is not None and len(reached) > 2:
            reached[2] = head.school
        days = sorted((self.rng.randint(20, 700) for _each in reached), reverse=True)
        changes = list(story.changes)
        done: list[PracticeAdoption] = []
        for at, (school, ago) in enumerate(zip(reached, days, strict=True)):
            # About one in three learns from the source, the others from a school that had it.
            from_source = not done or self.rng.random() < 0.35
            source = None if from_source else self.rng.choice(done[-5:])
            change = changes.pop() if changes and at % 2 else ""
            done.append(
                adopting.adopt(
                    practice,
                    by=self.heads[school.pk],
                    on=self.today - timedelta(days=ago),
                    source=source,
                    adapted=f"{INVENTED} {change}" if change else "",
                )
            )
        for why, adoption in zip(story.stops, done[1::2], strict=False):
            adopting.stop(
                adoption,
                by=self.heads[adoption.school_id],
                on=max(adoption.on, self.today - timedelta(days=self.rng.randint(1, 60))),
                why=f"{INVENTED} {why}",
                seen=None,
            )

    def _talked_about(self, practice: Practice, story: Story) -> None:
        from brightspots_web.connectedness import practice_talk_actions as talk

        voices = [self.cast[who] for who in ("teacher", "leader", "head")]
        for by, words in zip(voices, story.comments, strict=False):
            talk.comment(practice, by=by, words=f"{INVENTED} {words}", names_no_pupil=True)
            talk.follow(practice, by=by)
        if story.title == "Read to somebody older":
            said = talk.comment(
                practice,
                by=self.cast["leader"],
                words=f"{INVENTED} Ask for me at the office, my number is on the door.",
            )
            talk.hide_comment(said, by=self.cast["minister"], why="Not about the practice.")

    def _translated(self, practice: Practice) -> None:
        from brightspots_web.connectedness import practice_actions

        title, summary, do, takes = SWAHILI
        text = practice_actions.Text(title, summary, practice.context, do, takes, "")
        head = self.heads[practice.school_id]
        draft = practice_actions.translate(practice, text, by=head, language="sw")
        practice_actions.publish(draft, by=self.cast["minister"], seen=draft.version)

    def reckon(self) -> None:
        """Reckon how far they spread here and now, as there is no worker yet."""
        from brightspots_web.connectedness import practice_lineage_queries as lineage
        from brightspots_web.shared import jobs

        title = "How far practices spread"
        job = jobs.enqueue(lineage.SPREAD, by=self.cast["minister"], title=title, parameters={})
        jobs.run_here(job)

    def _withdrawn(self, practice: Practice) -> None:
        from brightspots_web.connectedness import practice_actions

        practice_actions.retire(
            practice,
            by=self.cast["minister"],
            why=f"{INVENTED} It takes much and shows little; the schools that tried it stopped.",
            seen=None,
        )
