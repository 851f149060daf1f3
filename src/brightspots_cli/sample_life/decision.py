"""Decisions and small tests of the sample: carried, waiting, overdue; adopted and abandoned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from brightspots_cli.sample_life.decision_stories import (
    BOOKS,
    CARDS,
    CIRCLE,
    CLIMB,
    EARLIER,
    ELSEWHERE,
    FEWER,
    FOURS,
    QUIET,
    RUNNING,
    SATURDAY,
    SHIFT,
    VISITS,
    Story,
    Trial,
)

if TYPE_CHECKING:
    import random
    from datetime import date

    from brightspots_web.alignment.models import Priority
    from brightspots_web.devolution.models import Decision, DecisionAction, Pdsa
    from brightspots_web.devolution.pdsa_actions import Plan
    from brightspots_web.directory.models import Appointment, Partnership, Person, School

INVENTED = "(Invented.)"
BASIS = 24
"""So many days ago the decision was made that rests on data."""


def fill(rng: random.Random, cast: Mapping[str, Appointment]) -> None:
    """Decide and try things out in the cast's partnership, and in about half of the others."""
    from django.db import transaction

    with transaction.atomic():  # one wait for the disk instead of a thousand
        life = Life(rng, cast)
        life.ours()
        life.elsewhere()


class Life:
    """What is decided and tried in the sample, by the same actions as the pages use."""

    def __init__(self, rng: random.Random, cast: Mapping[str, Appointment]) -> None:
        from brightspots_web.alignment import queries as alignment
        from brightspots_web.directory import actions, people_queries, queries

        self.rng, self.cast = rng, cast
        self.operator = actions.command_line_operator()
        self.today = queries.today()
        self.live = alignment.live_priorities()
        self.answering = people_queries.answering()

    # The partnership of the cast

    def ours(self) -> None:
        """Decide, ask the head, and try four things out."""
        leader, head = self.cast["leader"], self.cast["head"]
        partnership = leader.partnership
        if partnership is None or head.school is None:
            return
        voices = self._voices(partnership)
        if head.school.pk not in {each.school_id for each in voices}:
            return
        owners = [each.person for each in voices]
        made = self._decided(BOOKS, partnership, voices, owners[-1], days=BASIS, basis=True)
        done = self._promised(made, head, leader, owners)
        self._back(made, BASIS)
        self._kept(done, leader)
        waiting = self._proposed(VISITS, partnership, leader, owners[0], days=35)
        for each in voices:
            if each.pk not in {leader.pk, head.pk}:
                self._say(waiting, each, objects=each is voices[-1])
        self._back(waiting, 4)
        earlier = self._decided(EARLIER, partnership, voices, head.person, days=80)
        self._back(earlier, 95)
        self._tried(head, partnership, made)

    def _promised(
        self, decision: Decision, head: Appointment, leader: Appointment, owners: Sequence[Person]
    ) -> list[tuple[DecisionAction, int, str]]:
        """Promise things: to be done, overdue, due soon, later; dated back after."""
        from brightspots_web.devolution import decision_follow_actions as follow

        done = []
        for what, owner, due, ago, outcome in (
            ("Find an hour on Fridays that two teachers share", head.person, 10, 15,
             "Friday, the last lesson: the younger classes go home, two teachers stay."),
            ("Write down how we look at a book, on one page", leader.person, 12, 13,
             "One page with three questions. All schools have it."),
            ("Count how many pupils were found in the first two weeks", head.person, 18, 0, ""),
            ("Tell the others what the first Fridays were like", head.person, 26, 0, ""),
            ("Bring three books to the next conversation", owners[-1], 40, 0, ""),
        ):  # fmt: skip
            action = follow.add_action(
                decision, by=leader, what=f"{INVENTED} {what}", owner=owner, due=self._in(due)
            )
            if outcome:
                done.append((action, ago, outcome))
        return done

    def _kept(self, done: Sequence[tuple[DecisionAction, int, str]], leader: Appointment) -> None:
        from brightspots_web.devolution import decision_follow_actions as follow

        for action, ago, outcome in done:
            follow.finish_action(
                action, by=leader, on=self._in(-ago), outcome=f"{INVENTED} {outcome}", seen=None
            )

    def _tried(self, head: Appointment, partnership: Partnership, decision: Decision) -> None:
        """One adopted after a shift, one that runs, one abandoned, and a ramp of two."""
        from brightspots_web.devolution import pdsa_actions

        adopted = self._begun(FOURS, head, partnership, starts=62, study=2, decision=decision)
        notes = {6: "the pairs were loud", 7: "half of the class was ill", 8: "books for all"}
        self._measured(adopted, head, SHIFT, first=82, every=5, n=12, notes=notes)
        self._studied(adopted, FOURS, head, planned=64, finished=2)
        running = self._begun(QUIET, head, partnership, starts=25, study=-17)
        self._measured(running, head, RUNNING, first=29, every=4)
        self._dated(running, planned=27)
        abandoned = self._begun(SATURDAY, head, partnership, starts=75, study=39)
        self._measured(abandoned, head, FEWER, first=74, every=7, n=24)
        self._studied(abandoned, SATURDAY, head, planned=77, finished=37)
        first = self._begun(CARDS, head, partnership, starts=98, study=55)
        self._measured(first, head, CLIMB, first=96, every=7, n=25)
        self._studied(first, CARDS, head, planned=100, finished=53)
        plan = self._plan(CIRCLE, starts=20, study=-22)
        second = pdsa_actions.begin(
            partnership, plan, by=head, school=head.school, follows=self._fresh(first)
        )
        self._measured(second, head, (9, 10, 12), first=18, every=6, n=25)
        self._dated(second, planned=21)

    # The others, so that there is something to count

    def elsewhere(self) -> None:
        """Let most of the others decide a thing or two, and finish some small tests."""
        from brightspots_web.connectedness import queries

        ours = self.cast["leader"].partnership_id
        for partnership in queries.partnerships_in(self.operator).order_by("pk"):
            voices = self._voices(partnership)
            if partnership.pk == ours or len(voices) < 2 or self.rng.random() < 0.25:
                continue
            for story in self.rng.sample(ELSEWHERE, self.rng.choice((1, 2, 2, 3))):
                owner = self.rng.choice(voices).person
                decision = self._decided(story, partnership, voices, owner, days=70)
                self._back(decision, self.rng.randrange(35, 240))
            for trial in self.rng.sample((FOURS, SATURDAY, CARDS), self.rng.choice((1, 2, 3, 3))):
                self._finished(trial, self.rng.choice(voices), partnership)

    def _finished(self, trial: Trial, head: Appointment, partnership: Partnership) -> None:
        ended = self.rng.randrange(35, 240)
        cycle = self._begun(trial, head, partnership, starts=ended + 42, study=ended)
        values = [self.rng.randrange(3, 12) for _each in range(4)]
        self._measured(cycle, head, values, first=ended + 40, every=9)
        self._studied(cycle, trial, head, planned=ended + 44, finished=ended)

    # By the actions

    def _voices(self, partnership: Partnership) -> list[Appointment]:
        """Who speaks for each school of a partnership, by the school's name."""
        from brightspots_web.directory import queries

        members = queries.memberships_of(partnership)
        found = [self.answering.get(each.school_id) for each in members]
        ours = {
            each.school_id: each
            for each in (self.cast["leader"], self.cast["head"])
            if each.school_id is not None
        }
        return [ours.get(each.school_id or 0, each) for each in found if each is not None]

    def _priority(self, subject: str = "reading") -> Priority | None:
        return next((each for each in self.live if each.subject == subject), None)

    def _proposed(
        self,
        story: Story,
        partnership: Partnership,
        by: Appointment,
        owner: Person,
        *,
        days: int,
        basis: bool = False,
    ) -> Decision:
        from brightspots_web.devolution import conversation_pages, decision_actions

        priority = self._priority("mathematics" if story is EARLIER else "reading")
        said = {}
        if basis and priority is not None:
            said = self._as_of(
                conversation_pages.frozen_view(partnership, [priority], by), partnership, BASIS
            )
        text = decision_actions.Text(
            question=story.question,
            decision=f"{INVENTED} {story.decision}",
            would_change=f"{INVENTED} {story.would_change}",
            options=story.options,
            owner=owner,
            by_when=self._in(days),
        )
        return decision_actions.propose(
            partnership, text, by=by,
            basis=decision_actions.Basis(priority=priority, data_said=said),
        )  # fmt: skip

    def _as_of(self, said: dict[str, Any], partnership: Partnership, ago: int) -> dict[str, Any]:
        """Leave out what was seen and heard after the day to which the decision is dated back."""
        from brightspots_web.devolution import note_queries

        by_then = {
            note.pk: note.priority_id
            for note in note_queries.shared_with(partnership)
            if note.on <= self._in(-ago)
        }
        for part in said.get("priorities", []):
            part["notes"] = [each for each in part["notes"] if each["key"] in by_then]
            about = next((each.pk for each in self.live if each.code == part["code"]), None)
            part["notes_in_all"] = sum(each == about for each in by_then.values())
        return said

    def _decided(
        self,
        story: Story,
        partnership: Partnership,
        voices: Sequence[Appointment],
        owner: Person,
        *,
        days: int,
        basis: bool = False,
    ) -> Decision:
        """Proposed by the first, carried by all others."""
        decision = self._proposed(story, partnership, voices[0], owner, days=days, basis=basis)
        for each in voices[1:]:
            self._say(decision, each)
        return decision

    def _say(self, decision: Decision, by: Appointment, *, objects: bool = False) -> None:
        from brightspots_web.devolution import decision_actions

        words = "Our road is closed until the rains end: we could visit nobody." if objects else ""
        decision_actions.say(
            decision, by=by, agrees=not objects, seen=None,
            words=f"{INVENTED} {words}" if words else "",
        )  # fmt: skip

    def _back(self, decision: Decision, days: int) -> None:
        from brightspots_web.devolution import decision_history_actions

        decision_history_actions.date_decision_back(decision, days, by=self.operator)

    def _plan(self, trial: Trial, *, starts: int, study: int) -> Plan:
        from brightspots_web.devolution import pdsa_actions

        return pdsa_actions.Plan(
            title=trial.title,
            test=f"{INVENTED} {trial.test}",
            prediction=f"{INVENTED} {trial.prediction}",
            measure=trial.measure,
            unit=trial.unit,
            up_is_better=trial.up,
            starts=self._in(-starts),
            study_on=self._in(-study),
            priority=self._priority(),
        )

    def _begun(
        self,
        trial: Trial,
        by: Appointment,
        partnership: Partnership,
        *,
        starts: int,
        study: int,
        decision: Decision | None = None,
    ) -> Pdsa:
        from brightspots_web.devolution import pdsa_actions

        plan = self._plan(trial, starts=starts, study=study)
        school: School | None = by.school
        return pdsa_actions.begin(partnership, plan, by=by, school=school, decision=decision)

    def _measured(
        self,
        cycle: Pdsa,
        by: Appointment,
        values: Sequence[float],
        *,
        first: int,
        every: int,
        n: int | None = None,
        notes: Mapping[int, str] | None = None,
    ) -> None:
        """One value every few days, the first so many days ago."""
        from brightspots_web.devolution import pdsa_actions

        for at, value in enumerate(values):
            note = (notes or {}).get(at, "")
            point = pdsa_actions.Value(
                self._in(every * at - first), value, n, f"{INVENTED} {note}" if note else ""
            )
            pdsa_actions.add_point(cycle, point, by=by)

    def _studied(
        self, cycle: Pdsa, trial: Trial, by: Appointment, *, planned: int, finished: int
    ) -> None:
        from brightspots_web.devolution import decision_history_actions, pdsa_actions

        pdsa_actions.study(
            cycle, by=by, found=f"{INVENTED} {trial.found}", act=trial.act,
            next_step=f"{INVENTED} {trial.next_step}", seen=None,
        )  # fmt: skip
        decision_history_actions.date_cycle(
            cycle, self._in(-planned), by=self.operator, finished=self._in(-finished)
        )

    def _dated(self, cycle: Pdsa, *, planned: int) -> None:
        from brightspots_web.devolution import decision_history_actions

        decision_history_actions.date_cycle(cycle, self._in(-planned), by=self.operator)

    def _fresh(self, cycle: Pdsa) -> Pdsa:
        cycle.refresh_from_db()
        return cycle

    def _in(self, days: int) -> date:
        return self.today + timedelta(days=days)
