"""Challenge visits of the sample: at every stage, one overdue, one with support, one set aside."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping
    from datetime import date

    from brightspots_web.accountability.models import ChallengeVisit
    from brightspots_web.directory.models import Appointment, Person, School

INVENTED = "(Invented.)"
OWN_VIEW = (
    "Our reading lessons have become quieter and longer since last year, and the little ones bring "
    "books home. We are not content with the weeks before the harvest: one pupil in four is away, "
    "and we have not found a way. Ask us what we do for those who come back."
)
STRENGTHS = (
    "Every class read for twenty minutes, and no adult had to ask for it. Older pupils listen to "
    "younger ones; they know by name who is stuck. The head teaches every Tuesday."
)
RECORD = (
    "Asked: how do you know who falls behind before the test says so? Shown: the exercise books of "
    "year 3, and a list on the door of the staff room. Asked: who plans for those who were away? "
    "This stayed open; two teachers had different answers. Asked: what have you stopped doing? A "
    "long silence, then the morning assembly, which was given back to reading."
)
OURS = (
    "We see the list differently: it is a month old, because the teacher who keeps it is on leave. "
    "The question about what we stopped was the best we were asked this year."
)
FOLLOWED = (
    "The plan for those who come back is on one page and both teachers use it. The coach came four "
    "times instead of six: the road was closed. The head tells two neighbours about it in May."
)
ROTATION = "No challenge visit here is on record. Every school has its turn."


def fill(rng: random.Random, cast: Mapping[str, Appointment]) -> None:
    """Visits planned, held, agreed, followed up and set aside, in the officer's area and beyond."""
    from django.db import transaction

    with transaction.atomic():  # one wait for the disk instead of a hundred
        Life(rng, cast).visits()


class Life:
    """What happens in challenge visits of the sample, by the same actions as the pages use."""

    def __init__(self, rng: random.Random, cast: Mapping[str, Appointment]) -> None:
        from brightspots_web.directory import actions, people_queries, queries

        self.rng, self.cast = rng, cast
        self.today = queries.today()
        self.operator = actions.command_line_operator()
        self.answering = people_queries.answering()

    def visits(self) -> None:
        """Make a visit at every stage, most of them in the officer's area."""
        head, officer, minister = self.cast["head"], self.cast["officer"], self.cast["minister"]
        if head.school is None or officer.area is None:
            return
        inside, beyond = self._schools(head.school, officer)
        if len(inside) < 6 or not beyond:
            return
        self._to_agree(head.school, officer)
        self._planned(inside[0], officer, on=9, who=self.cast["leader"].person)
        self._asked(inside[1])
        self._agreed(inside[2], officer, ago=40)
        self._overdue(inside[3], officer)
        self._followed(inside[4], officer)
        self._set_aside(inside[5], officer)
        ready = self._planned(beyond[0], minister, on=4, who=self.cast["leader"].person)
        if ready is not None:
            self._prepared(ready)

    def _schools(self, ours: School, officer: Appointment) -> tuple[list[School], list[School]]:
        """Find schools of the officer's area, but not of ours, and beyond; by the seed alone."""
        from brightspots_web.directory import queries

        leader, area = self.cast["leader"], officer.area
        if area is None:
            return [], []
        listed = list(queries.open_schools().select_related("area").order_by("code"))
        self.rng.shuffle(listed)
        near = ours.area.path
        others = [each for each in listed if each.pk in self.answering]
        inside = [
            each
            for each in others
            if each.area.path.startswith(area.path)
            and not each.area.path.startswith(near)
            and each.pk != leader.school_id
        ]
        beyond = [each for each in others if not each.area.path.startswith(area.path)]
        return inside, beyond

    # Stages

    def _to_agree(self, school: School, officer: Appointment) -> None:
        """Leave the cast's own school a record, and both sides something to do."""
        visit = self._held(school, officer)
        if visit is None:
            return
        self._step(visit, officer, "system", "A coach for reading, two days a month", "The officer")
        self._step(
            visit, self._head(school), "school",
            "One page on what is done for pupils who come back", "The deputy",
        )  # fmt: skip
        self._back(visit, 6)

    def _asked(self, school: School) -> None:
        from brightspots_web.accountability import challenge_actions

        challenge_actions.ask(
            by=self._head(school), on=self._in(30),
            words=f"{INVENTED} Why do fewer pupils come after the long holiday?",
        )  # fmt: skip

    def _agreed(self, school: School, officer: Appointment, *, ago: int) -> ChallengeVisit | None:
        from brightspots_web.accountability import challenge_visit_actions as later

        visit, head = self._held(school, officer), self._head(school)
        if visit is None:
            return None
        later.add_words(visit, f"{INVENTED} {OURS}", by=head, seen=None)
        self._step(visit, officer, "system", "Two days of cover for planning", "The officer")
        self._step(visit, head, "school", "Look at the list of year 3 every Friday", "The deputy")
        later.agree(visit, self._in(90), by=head, seen=None)
        self._back(visit, ago)
        visit.refresh_from_db()
        later.finish_step(
            visit.steps.filter(side="school").get(), by=head, on=self._in(14 - ago),
            outcome=f"{INVENTED} The list is on the door again, and a week old at most.",
        )  # fmt: skip
        return visit

    def _overdue(self, school: School, officer: Appointment) -> None:
        """Support is offered with a closer look, and taken up; the day to look again is past."""
        from brightspots_web.accountability import challenge_visit_actions as later

        visit = self._agreed(school, officer, ago=97)
        if visit is None:
            return
        offer = later.Offer(
            f"{INVENTED} Two of five posts have been empty since the term began.",
            f"{INVENTED} A specialist for reading for ten days, and help with filling the posts.",
        )
        raised = later.escalate(visit, offer, by=officer, seen=None)
        later.answer(
            raised, by=self._head(school), takes=True,
            words=f"{INVENTED} Gladly; in the weeks after the holiday, please.",
        )  # fmt: skip

    def _followed(self, school: School, officer: Appointment) -> None:
        from brightspots_web.accountability import challenge_visit_actions as later

        visit = self._agreed(school, officer, ago=130)
        if visit is not None:
            later.follow_up(visit, f"{INVENTED} {FOLLOWED}", self._in(-38), by=officer, seen=None)

    def _set_aside(self, school: School, officer: Appointment) -> None:
        from brightspots_web.accountability import challenge_actions

        visit = self._held(school, officer)
        if visit is not None:
            challenge_actions.stand_down(
                visit, f"{INVENTED} The challenger’s brother teaches here.", by=officer, seen=None
            )

    # By the actions

    def _planned(
        self, school: School, by: Appointment, *, on: int, who: Person | None = None
    ) -> ChallengeVisit | None:
        """Plan a visit by this person, or by the first who may go; none where nobody may."""
        from brightspots_web.accountability import challenge_actions as actions
        from brightspots_web.accountability import challenge_people_queries as challengers

        able = [
            each.person
            for each in challengers.candidates(school, self._in(on))
            if each.may_go
            and (who is None or each.person == who)
            # The cast's own leader is kept for the visits that wait for an answer.
            and (who is not None or each.person != self.cast["leader"].person)
        ]
        if not able:
            return None
        plan = actions.Plan("rotation", f"{INVENTED} {ROTATION}", self._in(on), able[0])
        return actions.plan(school, plan, by=by)

    def _prepared(self, visit: ChallengeVisit) -> ChallengeVisit:
        from brightspots_web.accountability import challenge_actions as actions
        from brightspots_web.directory import queries

        goes = [
            each
            for each in queries.live_appointments(visit.challenger)  # type: ignore[arg-type] # planned with one
            if each.role in {"system_leader", "district_officer"}
        ]
        actions.confirm(visit, by=goes[0], seen=None)
        return actions.write_self_view(
            visit, f"{INVENTED} {OWN_VIEW}", by=self._head(visit.school), seen=None
        )

    def _held(self, school: School, officer: Appointment) -> ChallengeVisit | None:
        from brightspots_web.accountability import challenge_visit_actions as later
        from brightspots_web.directory import queries

        visit = self._planned(school, officer, on=0)
        if visit is None or visit.challenger is None:
            return None
        visit = self._prepared(visit)
        goes = queries.live_leaders().filter(person=visit.challenger).select_related("person")
        return later.write_record(
            visit, by=goes[0], strengths=f"{INVENTED} {STRENGTHS}",
            record=f"{INVENTED} {RECORD}", seen=None,
        )  # fmt: skip

    def _step(
        self, visit: ChallengeVisit, by: Appointment, side: str, what: str, owner: str
    ) -> None:
        from brightspots_web.accountability import challenge_visit_actions as later

        step = later.Step(f"{INVENTED} {what}", side, owner, self._in(60))
        later.add_step(visit, step, by=by)

    def _head(self, school: School) -> Appointment:
        mine = self.cast["head"]
        return mine if mine.school_id == school.pk else self.answering[school.pk]

    def _back(self, visit: ChallengeVisit, days: int) -> ChallengeVisit:
        from brightspots_web.accountability import challenge_history_actions

        return challenge_history_actions.date_visit_back(visit, days, by=self.operator)

    def _in(self, days: int) -> date:
        return self.today + timedelta(days=days)
