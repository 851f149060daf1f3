"""Scores of the sample's promises: by their schools, by peers beside them, and what became of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brightspots_cli.sample_life.pledge import INVENTED, Life

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence

    from brightspots_web.accountability.models import Pledge
    from brightspots_web.directory.models import Appointment

OWN = (
    "Reading goes on in every class, and on most days. We said every day, and have not asked "
    "what the slowest say of a page.",
    "Most of what we promised was done. In the rains nobody came for three weeks.",
)
PEERS = (
    "I sat in four lessons. In three the children read; in one the teacher read to them.",
    "What I heard was better than in spring: most say in their own words what a page tells.",
)
DOUBT = (
    "On the two days we came nobody read with the youngest. What is written down is more than "
    "what we saw."
)
STORIES = (
    (
        8,
        (8, 8),
        "kept",
        "It took a quiet hour that nobody could take away. We keep the hour.",
        "An hour that stands in the timetable is read in. One that does not is not.",
    ),
    (
        4,
        (5, 3),
        "carried",
        "We began late: two teachers came in March. It is worth another year.",
        "",
    ),
    (
        7,
        (3, 4),
        "not_kept",
        "Our peers are right: we counted lessons held, and not what the children could do.",
        "Count what children can do. We counted what we did.",
    ),
    (6, (7, 4), "", "", ""),
    (5, (6,), "", "", ""),
)
"""The own score, those of peers, what became of it and why, what the school learned."""


def fill(rng: random.Random, cast: Mapping[str, Appointment]) -> None:
    """Let some of what was promised be scored, verified, and come to its end."""
    from django.db import transaction

    with transaction.atomic():  # one wait for the disk instead of a hundred
        life = Ceremonies(rng, cast)
        if life.cycle is not None:
            life.ours()
            life.elsewhere()


class Ceremonies(Life):
    """What is scored in the sample, by the same actions as the pages use."""

    def ours(self) -> None:
        """One waits for the head of the cast, one ends though its peers do not see it alike."""
        leader, head = self.cast["leader"], self.cast["head"]
        if leader.partnership is None:
            return
        others = self._others(leader.partnership)
        for each in self._running(leader, half="other"):
            # For the school of the head, who is asked and has not scored yet.
            self._score(each, leader, 7, OWN[0])
            self._ask_peers(each, leader, [head, *others[:1]])
            if others:
                self._verify(each, others[0], 6, PEERS[0])
        for by in others[1:2]:
            for each in self._running(by, half="other"):
                self._score(each, by, 9, OWN[1])
                self._ask_peers(each, by, [leader, others[0]])
                self._verify(each, others[0], 8, PEERS[1])
                self._verify(each, leader, 4, DOUBT)
                words = "We planned together four times of nine. It helped us; did it help them?"
                self._end(each, by, "partly", words, "Ask the other school first what it needs.")

    def elsewhere(self) -> None:
        """In other partnerships: kept, carried over, not kept, and two on their way."""
        from brightspots_web.connectedness import queries

        ours, stories = self.cast["leader"].partnership_id, iter(STORIES)
        for partnership in queries.partnerships_in(self.operator).order_by("pk"):
            heads = self._others(partnership)
            if partnership.pk == ours or not heads:
                continue
            for each in self._running(heads[0], half="own")[:1]:
                peers = self._peers(each)
                if len(peers) < 2:
                    continue
                story = next(stories, None)
                if story is None:
                    return
                own, given, outcome, words, learned = story
                self._score(each, heads[0], own, self.rng.choice(OWN))
                self._ask_peers(each, heads[0], peers)
                for peer, points in zip(peers, given, strict=False):
                    said = DOUBT if points < own - 1 else self.rng.choice(PEERS)
                    self._verify(each, peer, points, said)
                if outcome:
                    self._end(each, heads[0], outcome, words, learned)

    # By the actions

    def _running(self, by: Appointment, *, half: str) -> list[Pledge]:
        from brightspots_web.accountability import pledge_queries as queries

        return [e for e in queries.running_of(by) if e.state in queries.RUNS and e.half == half]

    def _peers(self, pledge: Pledge) -> list[Appointment]:
        """Two who may verify it, the cast left out: its pages begin without more to do."""
        from brightspots_web.accountability import ceremony_queries as queries

        cast = {each.person_id for each in self.cast.values()}
        return [each for each in queries.may_verify(pledge) if each.person_id not in cast][:2]

    def _score(self, pledge: Pledge, by: Appointment, points: int, reason: str) -> None:
        from brightspots_web.accountability import ceremony_actions as actions

        reason = f"{INVENTED} {reason}"
        actions.score(pledge, points, reason, by=by, seen=None, names_no_pupil=True)

    def _ask_peers(self, pledge: Pledge, by: Appointment, people: Sequence[Appointment]) -> None:
        """Ask those of them who may verify it."""
        from brightspots_web.accountability import ceremony_actions as actions
        from brightspots_web.accountability import ceremony_queries as queries

        able = {each.person_id for each in queries.may_verify(pledge)}
        chosen = [each.person for each in people if each.person_id in able]
        actions.ask(pledge, chosen, by=by)

    def _verify(self, pledge: Pledge, by: Appointment, points: int, reason: str) -> None:
        from brightspots_web.accountability import ceremony_actions as actions
        from brightspots_web.accountability import ceremony_queries as queries

        if queries.asked_to_verify(by, pledge) is not None:
            reason = f"{INVENTED} {reason}"
            actions.verify(pledge, points, reason, by=by, names_no_pupil=True)

    def _end(self, pledge: Pledge, by: Appointment, outcome: str, words: str, learned: str) -> None:
        """Say what became of it, where enough peers were found; and what the school learned."""
        from brightspots_web.accountability import ceremony_outcome_actions as outcomes
        from brightspots_web.accountability import ceremony_page_actions as ceremonies
        from brightspots_web.accountability import ceremony_queries as queries

        pledge.refresh_from_db()
        if not queries.may_end(pledge):
            return
        if outcome == "carried" and queries.next_cycle(pledge.set.cycle) is None:
            outcome = "partly"
        words = f"{INVENTED} {words}"
        outcomes.say_outcome(pledge, outcome, words, by=by, seen=None, names_no_pupil=True)
        if learned:
            learned = f"{INVENTED} {learned}"
            ceremonies.tell_learned(pledge.set, learned, by=by, seen=None, names_no_pupil=True)
