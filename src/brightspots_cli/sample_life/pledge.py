"""Promises of the sample: drafted, vowed, witnessed, checked on, shown, taken back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence
    from datetime import date

    from brightspots_web.accountability.models import Pledge
    from brightspots_web.alignment.models import PriorityIndicator
    from brightspots_web.directory.models import Appointment, Cycle, Partnership, School

INVENTED = "(Invented.)"
OWN = (
    (
        "By summer our pupils read a page aloud and say what it tells.",
        "Every class reads for twenty minutes before the assembly. I sit in two reading lessons a "
        "week and leave two questions behind.",
        "Somebody who shows our two new teachers how to listen to a child reading.",
    ),
    (
        "Children who are stuck in reading are found in the week it happens.",
        "Two teachers look at ten exercise books every Friday and say on Monday who reads with "
        "whom.",
        "An hour on Fridays in which a neighbour looks after our youngest.",
    ),
    (
        "Our youngest learn to read in the language they speak at home first.",
        "We begin with forty little books that our older pupils wrote.",
        "Paper, and a binding machine for one week.",
    ),
    (
        "Nobody in our fifth year leaves reading out because it is hard.",
        "Pairs read every morning; each pair has an older reader once a week.",
        "",
    ),
)
OTHER = (
    (
        "Their third year reads as ours does: we lend our reading teacher every Thursday.",
        "Our reading teacher spends Thursdays there and theirs comes to us on Mondays.",
        "A seat in the district's car on Thursdays.",
    ),
    (
        "The two of us plan reading together, so that their pupils gain what ours have gained.",
        "Ninety minutes of planning every second week, at theirs and ours by turns.",
        "",
    ),
)
BOOKS = (
    "Every child reads three books a month and tells the class about one.",
    "A box of forty books for each class, changed between our schools every month.",
    "Boxes, and somebody with a cart.",
)
CHECKS = (
    (70, "well", "All classes read before the assembly. The bell was moved by ten minutes for it."),
    (40, "hard", "Half of a class was ill for two weeks. Those who came read to each other."),
    (12, "well", "A visitor from next door sat in and asked the children, not us."),
)


def fill(rng: random.Random, cast: Mapping[str, Appointment]) -> None:
    """Promise in the cast's partnership, and in some of the others."""
    from django.db import transaction

    with transaction.atomic():  # one wait for the disk instead of a hundred
        life = Life(rng, cast)
        if life.cycle is not None and life.measures:
            life.ours()
            life.elsewhere()


class Life:
    """What is promised in the sample, by the same actions as the pages use."""

    def __init__(self, rng: random.Random, cast: Mapping[str, Appointment]) -> None:
        from brightspots_web.accountability import pledge_queries
        from brightspots_web.directory import actions, people_queries, queries

        self.rng, self.cast = rng, cast
        self.operator = actions.command_line_operator()
        self.today = queries.today()
        self.measures = pledge_queries.measures_to_choose()
        self.answering = people_queries.answering()
        begun = [c for c in pledge_queries.cycles_to_promise_in() if c.starts <= self.today]
        self.cycle: Cycle | None = begun[0] if begun else None

    def ours(self) -> None:
        """Complete the leader's set; leave the head's without its second half, others underway."""
        leader, head = self.cast["leader"], self.cast["head"]
        if leader.partnership is None or leader.school is None or head.school is None:
            return
        others = self._others(leader.partnership)
        self._kept_on(self._promised(OWN[0], leader, [head, *others[:1]], back=88), leader, head)
        second = self._promised(
            OTHER[0], leader, others[:1], other=head.school, back=80, audience="area"
        )
        if second is not None:
            self._shown(second, leader, 20, "visit", "Four lessons on two Thursdays. In two of "
                        "them the children read, in two they listened.")  # fmt: skip
        mine = self._promised(OWN[1], head, others[:1], back=60, beyond=-1.0)
        if mine is not None:
            self._check(mine, head, 18, "well", "Nine children were found on two Fridays.")
        if others:
            # Asked of the head, who has not answered yet; it counts books instead of learning.
            asked = self._promised(BOOKS, others[0], counts=True, back=9, audience="system")
            if asked is not None:
                self._ask(asked, others[0], [head, leader])
        if len(others) > 1:
            stuck = self._promised(OWN[2], others[1], [leader], back=50, beyond=2.0)
            if stuck is not None:
                self._check(stuck, others[1], 5, "stuck", "The paper has not come since March.")
            self._promised(OTHER[1], others[1], other=leader.school, back=45)
        if others:
            gone = self._promised(OWN[3], others[0], back=70)
            if gone is not None:
                self._withdrawn(gone, others[0])
        self._drafted(OTHER[1], head, other=self._neighbour(head))

    def elsewhere(self) -> None:
        """Promise in a few partnerships more, some for the area or the system to read."""
        from brightspots_web.connectedness import queries

        ours = self.cast["leader"].partnership_id
        for partnership in queries.partnerships_in(self.operator).order_by("pk"):
            heads = self._others(partnership)
            if partnership.pk == ours or len(heads) < 2 or self.rng.random() < 0.4:
                continue
            by, witness = heads[0], heads[1]
            audience = self.rng.choice(("partnership", "area", "system"))
            back = self.rng.randrange(20, 90)
            self._promised(self.rng.choice(OWN), by, [witness], back=back, audience=audience)
            if self.rng.random() < 0.6:
                other = self._promised(
                    OTHER[1], by, other=witness.school, back=back, audience=audience
                )
                if other is not None:
                    self._ask(other, by, heads[1:3])

    # By the actions

    def _others(self, partnership: Partnership) -> list[Appointment]:
        """Who answers for the schools of a partnership, the cast left out, by school's name."""
        from brightspots_web.directory import queries

        cast = {each.pk for each in self.cast.values()}
        schools = {each.school_id for each in self.cast.values()}
        members = queries.memberships_of(partnership)
        found = [self.answering.get(each.school_id) for each in members]
        return [
            each
            for each in found
            if each is not None and each.pk not in cast and each.school_id not in schools
        ]

    def _neighbour(self, by: Appointment) -> School | None:
        from brightspots_web.accountability import pledge_queries

        around = pledge_queries.schools_to_count(by.school) if by.school else []
        return around[-1] if around else None

    def _measure(self, *, counts: bool) -> PriorityIndicator | None:
        from brightspots_web.accountability import pledge_value_queries as values

        fits = [
            each
            for each in self.measures
            if each.priority.subject == "reading"
            and values.counts_things(each.priority, each.indicator) == counts
        ]
        return fits[0] if fits else None

    def _drafted(
        self,
        story: Sequence[str],
        by: Appointment,
        *,
        other: School | None = None,
        counts: bool = False,
        audience: str = "partnership",
        beyond: float = 1.0,
    ) -> Pledge | None:
        """Write a draft whose target lies so far beyond what the baseline may be by chance."""
        from dataclasses import replace

        from brightspots_web.accountability import pledge_actions, pledge_queries

        measure = self._measure(counts=counts)
        if measure is None or self.cycle is None or not pledge_queries.may_write(by):
            return None
        around = pledge_queries.schools_to_count(by.school) if by.school else []
        if other is not None and other not in around:
            other = self._neighbour(by)
            if other is None:
                return None
        words = pledge_actions.Words(
            half="other" if other else "own",
            priority=measure.priority,
            indicator=measure.indicator,
            target=3.0,
            due=max(self.cycle.ends - timedelta(days=30), self._in(60)),
            promise=f"{INVENTED} {story[0]}",
            will_do=f"{INVENTED} {story[1]}",
            needs=f"{INVENTED} {story[2]}" if story[2] else "",
            other_school=other,
            audience=audience,
            names_no_pupil=True,
        )
        made = pledge_actions.write(words, self.cycle, by=by)
        if made.baseline:
            aim = replace(words, target=round(made.baseline["high"] + beyond, 1))
            made = pledge_actions.change(made, aim, by=by, seen=None)
        return made

    def _promised(
        self,
        story: Sequence[str],
        by: Appointment,
        people: Sequence[Appointment] = (),
        *,
        back: int,
        other: School | None = None,
        counts: bool = False,
        audience: str = "partnership",
        beyond: float = 1.0,
    ) -> Pledge | None:
        from brightspots_web.accountability import pledge_actions, pledge_history_actions

        made = self._drafted(
            story, by, other=other, counts=counts, audience=audience, beyond=beyond
        )
        if made is None:
            return None
        made = pledge_actions.vow(made, by=by, seen=None)
        self._stand_by(made, by, people)
        return pledge_history_actions.date_pledge_back(made, back, by=self.operator)

    def _ask(self, pledge: Pledge, by: Appointment, people: Sequence[Appointment]) -> list[int]:
        """Ask those of them who may witness it; their keys."""
        from brightspots_web.accountability import pledge_queries
        from brightspots_web.accountability import pledge_witness_actions as witnesses

        able = {each.person_id for each in pledge_queries.may_witness(pledge)}
        chosen = [each.person for each in people if each.person_id in able]
        witnesses.ask(pledge, chosen, by=by)
        return [each.pk for each in chosen]

    def _stand_by(self, pledge: Pledge, by: Appointment, people: Sequence[Appointment]) -> None:
        from brightspots_web.accountability import pledge_witness_actions as witnesses

        asked = self._ask(pledge, by, people)
        for each in people:
            if each.person_id in asked:
                words = f"{INVENTED} I come on a Thursday in each term and ask the children."
                witnesses.answer(pledge, by=each, accepts=True, words=words)

    def _kept_on(self, pledge: Pledge | None, by: Appointment, witness: Appointment) -> None:
        """Let a promise go its way: three check-ins, a visit, what was seen, a value."""
        from brightspots_web.accountability import pledge_check_in_actions as actions

        if pledge is None:
            return
        for ago, going, words in CHECKS:
            self._check(pledge, by, ago, going, words)
        self._shown(pledge, by, 30, "words", "In six of eight lessons every child read aloud.")
        if pledge.witnesses.filter(person=witness.person_id, state="accepted").exists():
            self._shown(pledge, witness, 12, "visit", "I heard eleven children read. Nine told me "
                        "what the page said, two read well and could not say it.")  # fmt: skip
        if pledge.baseline:
            actions.draw_value(pledge, by=by)

    def _check(self, pledge: Pledge, by: Appointment, ago: int, going: str, words: str) -> None:
        from uuid import UUID

        from brightspots_web.accountability import pledge_check_in_actions as actions

        key = UUID(int=self.rng.getrandbits(128), version=4)
        actions.check_in(
            pledge, key, by=by, on=self._in(-ago), going=going, words=f"{INVENTED} {words}",
            names_no_pupil=True,
        )  # fmt: skip

    def _shown(self, pledge: Pledge, by: Appointment, ago: int, kind: str, words: str) -> None:
        from brightspots_web.accountability import pledge_check_in_actions as actions

        shown = actions.Shown(
            kind=kind, words=f"{INVENTED} {words}", on=self._in(-ago), names_no_pupil=True
        )
        actions.show(pledge, shown, by=by)

    def _withdrawn(self, pledge: Pledge, by: Appointment) -> None:
        from brightspots_web.accountability import pledge_actions

        why = f"{INVENTED} Our school is rebuilt: two classes are taught in the church until May."
        pledge_actions.withdraw(pledge, why, by=by, seen=None)

    def _in(self, days: int) -> date:
        return self.today + timedelta(days=days)
