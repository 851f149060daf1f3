"""What was chosen on what in the sample; lotteries: drawn, to be drawn, not agreed yet."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping
    from datetime import date

    from brightspots_web.alignment.models import Priority
    from brightspots_web.directory.models import Appointment
    from brightspots_web.evidence.choice_lottery_actions import Terms
    from brightspots_web.evidence.models import Lottery

INVENTED = "(Invented.)"
WORDS = (
    "Ten days of support in reading by a teacher of another school, spread over two terms, and a "
    "box of books that stays. There are fewer teachers who can come than schools that could gain."
)
LATER = "Five days of support in the summer term. It goes on with what the first one began."
DRAWN_AGO = 45


def fill(rng: random.Random, cast: Mapping[str, Appointment]) -> None:
    """Write down what began so far, then draw one lottery and prepare two."""
    from django.db import transaction

    from brightspots_web.evidence import choice_lottery_queries, choice_record_actions

    with transaction.atomic():  # one wait for the disk instead of a hundred
        choice_record_actions.notice()
        priorities = choice_lottery_queries.priorities_to_draw_for()
        if priorities:
            Life(rng, cast, priorities[0]).lotteries()


class Life:
    """What happens in lotteries of the sample, by the same actions as the pages use."""

    def __init__(
        self, rng: random.Random, cast: Mapping[str, Appointment], priority: Priority
    ) -> None:
        from brightspots_web.directory import actions, queries

        self.rng, self.cast, self.priority = rng, cast, priority
        self.today = queries.today()
        self.operator = actions.command_line_operator()

    def lotteries(self) -> None:
        """Draw one a while ago; close the list of another; put a third to the ministry."""
        first = self._drawn()
        if first is None:
            return
        self._open("Reading support in the summer term", follows=first, draws_on=self._in(12))
        self._prepared("Books and a visit for small schools", draws_on=self._in(40), upper=None)

    def _drawn(self) -> Lottery | None:
        from datetime import datetime, time

        from django.utils import timezone

        from brightspots_web.evidence import choice_draw_actions, choice_history_actions

        lottery = self._open("Reading support in spring", draws_on=self._in(1))
        if lottery is None:
            return None
        noon = timezone.make_aware(datetime.combine(lottery.draws_on, time(12, 1)))
        lottery = choice_draw_actions.draw(lottery, by=self.operator, now=noon)
        choice_history_actions.date_back(lottery, DRAWN_AGO, by=self.operator)
        lottery.refresh_from_db()
        return lottery

    def _open(self, title: str, **more: Any) -> Lottery | None:
        """Close the list, where there are more schools than places."""
        from brightspots_web.evidence import choice_draw_actions, choice_lottery_actions
        from brightspots_web.evidence import choice_lottery_queries as queries

        analyst, minister = self.cast["analyst"], self.cast["minister"]
        lottery = self._prepared(title, **more)
        schools = len(queries.pool(lottery, analyst).found)
        if schools < 6:
            return None
        terms = self._terms(title, places=schools // 2, **more)
        lottery = choice_lottery_actions.change(lottery, terms, by=analyst, seen=None)
        choice_lottery_actions.answer(
            lottery, agrees=True, words=f"{INVENTED} Fair, and we learn from it.", by=minister,
            seen=None,
        )  # fmt: skip
        return choice_draw_actions.open_list(lottery, by=analyst, seen=None)

    def _prepared(self, title: str, **more: Any) -> Lottery:
        from brightspots_web.evidence import choice_lottery_actions

        return choice_lottery_actions.prepare(self._terms(title, **more), by=self.cast["analyst"])

    def _terms(self, title: str, **more: Any) -> Terms:
        from brightspots_web.evidence.choice_lottery_actions import Terms

        words = LATER if "follows" in more else WORDS
        given: dict[str, Any] = {
            "title": title, "words": f"{INVENTED} {words}", "kind": "deployment",
            "priority": self.priority, "places": 5, "upper": 0.0, "by_area": True,
        }  # fmt: skip
        return Terms(**given | more)

    def _in(self, days: int) -> date:
        return self.today + timedelta(days=days)
