"""How leaders of the sample grow: ratings, learning, coaching, and where their time goes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random

    from brightspots_web.directory.models import Appointment, Area
    from brightspots_web.leaders.models import Competence

INVENTED = "(Invented.)"
SHOWS = {
    "diagnosing": (
        "At a partner school we read the figures of three years, sat in four lessons, and only "
        "then talked. The head named the need before I did.",
        "I asked two heads what lies behind their results. One of them had never been asked.",
    ),
    "coaching": (
        "A deputy tried her own idea for group work after our third talk, and showed me the books.",
        "I still catch myself giving advice. In two of four talks the other spoke more than I did.",
    ),
    "brokering": (
        "Two schools that did not know each other work on reading together; both extended it.",
        "I told a head whom to ring. They have met once so far.",
    ),
    "reviewing": (
        "I led a review with two colleagues. The school began one thing we found within a month.",
        "I took part in one review and wrote down what I saw in three lessons.",
    ),
    "using-data": (
        "Our group stopped an idea after ten weeks, as we had said we would if nothing changed.",
        "I explained the interval of our school’s figure at the meeting, and was asked twice.",
    ),
}
"""What shows a competence: of somebody further on, of somebody who begins."""
SEEN = (
    "She asked questions until I saw it myself, and came back two weeks later as agreed.",
    "In the meeting everybody spoke, and at the end we had a decision and a date.",
    "He told us what he did not know, and whom he would ask.",
)
PAST: tuple[tuple[str, str, str, float, str, tuple[str, ...]], ...] = (
    ("module", "Asking, not telling", "Lead a colleague to a next step of their own.", 6, "Hall of "
     "the district office", ("coaching",)),
    ("module", "From figures to a conversation", "Say what a figure means and how sure it is, and "
     "let a group decide with it.", 6, "Online", ("using-data", "diagnosing")),
    ("community", "How we lead reviews", "Bring one question from a review you led or were in.",
     2.5, "At the school of the leader who invites", ("reviewing",)),
)  # fmt: skip
COMING: tuple[tuple[str, str, str, float, str, tuple[str, ...], int | None], ...] = (
    ("module", "Coaching on a walk through the school", "Coach within twenty minutes, where "
     "teaching happens.", 4, "Hall of the district office", ("coaching",), 6),
    ("module", "Two schools, one aim", "Bring two schools together with an aim, days and an end.",
     3, "Online", ("brokering",), 20),
    ("module", "What a figure can and cannot say", "Read intervals, small numbers and missing "
     "pupils; with exercises.", 2, "To read and do at any time", ("using-data",), None),
    ("community", "Leaders’ Thursday", "Bring one thing that did not work.", 2, "At the leader’s "
     "school", ("diagnosing", "coaching"), 12),
    ("module", "Leading a review for the first time", "Plan a day of review around the school’s "
     "own question.", 5, "Hall of the district office", ("reviewing",), 34),
)  # fmt: skip


def fill(rng: random.Random, cast: Mapping[str, Appointment]) -> None:
    """Let a third of the leaders rate themselves, most learn, and nearly all write down hours."""
    from django.db import transaction

    with transaction.atomic():  # one wait for the disk instead of hundreds
        Life(rng, cast).go_on()


class Life:
    """A few months of leaders' development, by the same actions as the pages use."""

    def __init__(self, rng: random.Random, cast: Mapping[str, Appointment]) -> None:
        from brightspots_web.directory import actions, colleague_queries, queries
        from brightspots_web.leaders import development_framework_actions

        self.rng, self.cast = rng, cast
        self.by = actions.command_line_operator()
        self.today = queries.today()
        held = colleague_queries.holders(["system_leader"], cast["minister"])
        self.leaders = list({each.person_id: each for each in held}.values())
        officers = colleague_queries.holders(["district_officer"], cast["minister"])
        self.officers = list({each.person_id: each for each in officers}.values())
        made = development_framework_actions.begin(by=cast["minister"])
        self.competences: dict[str, Competence] = {each.code: each for each in made}

    def go_on(self) -> None:
        """Tell it all, the cast's system leader among those who rate."""
        self._rate()
        self._learn()
        self._coach()
        self._spend()

    def _rate(self) -> None:
        shown = self.cast["leader"]
        others = [each for each in self.leaders if each.person_id != shown.person_id]
        third = self.rng.sample(others, min(len(others), max(6, len(self.leaders) // 3)))
        for acting in [shown, *third]:
            self._rates_self(acting)
        for acting in [shown, *third[:4]]:
            self._asks(acting)

    def _rates_self(self, acting: Appointment) -> None:
        from brightspots_web.leaders import development_history_actions as history
        from brightspots_web.leaders import development_rating_actions as rating

        given = []
        for code, competence in self.competences.items():
            level = self.rng.choices((1, 2, 3, 4), (2, 4, 3, 1))[0]
            further, begins = SHOWS[code]
            words = f"{INVENTED} {further if level > 2 else begins}"
            given.append(rating.rate_self(competence, rating.Said(level, words), by=acting))
        ago = self.today.replace(day=1) - timedelta(days=self.rng.randint(5, 80))
        history.date_back(given, ago, by=self.by)

    def _asks(self, acting: Appointment) -> None:
        """Ask two colleagues; the first answers. The cast's leader has one to answer, too."""
        from brightspots_web.directory import colleague_queries
        from brightspots_web.leaders import development_rating_actions as rating

        near = {each.person_id: each for each in colleague_queries.near(acting)}
        cast = {each.person_id for each in self.cast.values()}
        chosen = [each for each in near.values() if each.person_id not in cast][:2]
        if not chosen:
            return
        wanted = [self.competences["coaching"], self.competences["using-data"]]
        rating.ask([each.person for each in chosen], wanted, by=acting)
        said = {
            each.pk: rating.Said(
                self.rng.choices((1, 2, 3, 4), (1, 2, 3, 3))[0],
                f"{INVENTED} {self.rng.choice(SEEN)}",
            )
            for each in wanted
        }
        rating.answer(acting.person_id, said, by=chosen[0])
        shown = self.cast["leader"]
        if acting.person_id != shown.person_id and shown.person_id in near:
            rating.ask([shown.person], [self.competences["diagnosing"]], by=acting)

    def _learn(self) -> None:
        from brightspots_web.leaders import development_history_actions as history
        from brightspots_web.leaders import development_learning_actions as learning

        people = [each.person for each in self.leaders]
        for at, (kind, title, about, hours, place, codes) in enumerate(PAST):
            there = self.rng.sample(people, (2 * len(people)) // 3)
            if self.cast["leader"].person not in there:
                there.append(self.cast["leader"].person)
            history.learning_took_place(
                self._offer(kind, title, about, hours, place, codes, None),
                self.today - timedelta(days=35 + 60 * at),
                there,
                by=self.by,
                offered_by=self.cast["minister"],
            )
        for kind, title, about, hours, place, codes, days in COMING:
            by = self.cast["leader"] if kind == "community" else self.cast["minister"]
            area = self._area_of(by) if kind == "community" else None
            on = self.today + timedelta(days=days) if days is not None else None
            offered = learning.offer(
                self._offer(kind, title, about, hours, place, codes, on, area), by=by
            )
            for acting in self.rng.sample(self.leaders, len(self.leaders) // 4):
                if acting.person_id != self.cast["leader"].person_id:
                    learning.take_part(offered, by=acting)
        self._cancelled()

    def _cancelled(self) -> None:
        from brightspots_web.leaders import development_learning_actions as learning

        wanted = self._offer(
            "module", "Reading a building plan", "Plan rooms for more pupils.", 3, "Online", (),
            self.today + timedelta(days=9),
        )  # fmt: skip
        offered = learning.offer(wanted, by=self.cast["minister"])
        why = f"{INVENTED} Three people took part: it is offered again next year."
        learning.cancel(offered, by=self.cast["minister"], why=why, seen=None)

    def _area_of(self, by: Appointment) -> Area | None:
        from brightspots_web.leaders import development_learning_queries as queries

        areas = queries.areas_to_offer_in(by)
        return areas[min(1, len(areas) - 1)] if areas else None

    def _offer(
        self, kind: str, title: str, about: str, hours: float, place: str,
        codes: tuple[str, ...], on: date | None, area: Area | None = None,
    ) -> Any:  # fmt: skip
        from brightspots_web.leaders.development_learning_actions import Offer

        return Offer(
            kind=kind, title=title, about=f"{INVENTED} {about}", on=on, place=place,
            hours=Decimal(str(hours)), area=area,
            competences=[self.competences[code] for code in codes],
        )  # fmt: skip

    def _coach(self) -> None:
        """Let another leader coach the cast's leader, and the cast's head ask that leader."""
        from brightspots_web.directory import colleague_queries
        from brightspots_web.leaders import coaching_actions as coaching

        shown = self.cast["leader"]
        near = list(colleague_queries.near(shown).filter(role="system_leader"))
        others = near or [each for each in self.leaders if each.person_id != shown.person_id]
        if not others:
            return
        coach = others[0]
        pair = coaching.accept(
            coaching.ask(coach.person, by=shown, as_coach=False), by=coach
        )  # fmt: skip
        coaching.write_note(
            pair,
            f"{INVENTED} I give answers too soon. In the meeting I will count to ten.",
            by=shown,
            on=self.today - timedelta(days=21),
            next_step="Tell what happened.",
        )
        coaching.write_note(
            pair,
            f"{INVENTED} It was hard, and somebody else answered. What made it possible?",
            by=coach,
            on=self.today - timedelta(days=7),
        )
        head = self.cast["head"]
        if colleague_queries.is_colleague(head, shown.person_id):
            coaching.ask(shown.person, by=head, as_coach=False)

    def _spend(self) -> None:
        from brightspots_web.leaders import development_history_actions as history
        from brightspots_web.leaders import time_queries

        last = time_queries.monday_of(self.today) - timedelta(weeks=1)
        for acting in [*self.leaders, *self.officers]:
            if acting.person_id != self.cast["leader"].person_id and self.rng.random() < 0.15:
                continue  # not everybody writes
            leaning = [self.rng.uniform(1, 3) for _on in time_queries.On.values]
            weeks = {
                last - timedelta(weeks=i): self._hours(leaning)
                for i in range(10)
                if self.rng.random() < 0.85
            }
            history.hours_were(acting.person, weeks, by=self.by)

    def _hours(self, leaning: list[float]) -> dict[str, Decimal]:
        """Draw a week's hours, to the half hour."""
        from brightspots_web.leaders.time_queries import On

        return {
            on: Decimal(round(2 * self.rng.gauss(mean, 1))) / 2
            for on, mean in zip(On.values, leaning, strict=True)
        }
