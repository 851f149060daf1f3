"""The two questions of the sample: three terms that are counted, and one that is open."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from brightspots_web.accountability.models import Eligible
    from brightspots_web.directory.models import Appointment, Area, Cycle
    from brightspots_web.pace.models import PulseTerm

TERMS = (
    # Days ago that it closed; too little help, too little to decide; share who answered.
    (290, (2, 3, 9, 3, 1), (3, 5, 8, 2, 1), 0.55),
    (180, (2, 4, 9, 2, 1), (3, 5, 8, 2, 1), 0.5),
    (60, (3, 4, 8, 2, 1), (2, 4, 9, 3, 1), 0.55),
)
LEFT_ALONE = (6, 6, 4, 1, 1)
"""How one area answers in the last term: there too much was handed over at once."""
OPEN_FOR = 14


def fill(rng: random.Random, cast: Mapping[str, Appointment]) -> None:
    """Ask, answer, count; the last one waits for the sample's teacher and head."""
    from django.db import transaction

    from brightspots_web.pace import pulse_actions as actions
    from brightspots_web.pace import pulse_queries as queries
    from brightspots_web.pace import stage_queries

    areas, now = queries.areas_seen(cast["minister"]), stage_queries.cycle_now()
    if not areas or now is None:
        return
    with transaction.atomic():  # one wait for the disk instead of hundreds
        actions.set_settings(on=True, level=1, by=cast["minister"], seen=None)
        Pulses(rng, cast, now, areas[0]).ask()


class Pulses:
    """The terms of the invented system, by the actions of the pages."""

    def __init__(
        self, rng: random.Random, cast: Mapping[str, Appointment], now: Cycle, alone: Area
    ) -> None:
        from brightspots_web.directory import actions, queries

        self.rng, self.now, self.alone = rng, now, alone
        self.minister = cast["minister"]
        self.ours = {each.person_id for each in cast.values()}
        self.today = queries.today()
        self.operator = actions.command_line_operator()

    def ask(self) -> None:
        """Each term is opened today, answered, and then dated back."""
        from brightspots_web.pace import pulse_time_actions as timing

        for number, (ago, support, freedom, share) in enumerate(TERMS):
            closes = self.today - timedelta(days=ago)
            term = self._opened(closes, quiet=True)
            last = number == len(TERMS) - 1
            self._answered(term, support, freedom, share, last=last)
            timing.date_back(
                term, opens=closes - timedelta(days=OPEN_FOR), closes=closes, by=self.operator
            )
            timing.close(term, by=self.operator, quiet=True)
        still = self._opened(self.today, quiet=False)
        self._answered(still, TERMS[-1][1], TERMS[-1][2], 0.2, last=False)

    def _opened(self, on: date, *, quiet: bool) -> PulseTerm:
        """Open the next term of the cycle that a day lies in; today's where none was before."""
        from brightspots_web.pace import pulse_time_actions as timing
        from brightspots_web.pace import stage_queries

        cycle = stage_queries.cycle_now(on) or self.now
        made = timing.invented_term(cycle, by=self.operator)
        return timing.open_up(made, by=self.operator, quiet=quiet)

    def _answered(
        self,
        term: PulseTerm,
        support: tuple[int, ...],
        freedom: tuple[int, ...],
        share: float,
        *,
        last: bool,
    ) -> None:
        """Let a part of those who are asked answer; the sample's own cast has still to."""
        from brightspots_web.accountability import voice_answer_actions as actions
        from brightspots_web.accountability import voice_queries as queries

        if term.consultation is None:
            return
        questions = [each.pk for each in term.consultation.questions.all()]
        steps = queries.SCALE
        for row, by in queries.asked_rows(term.consultation):
            if row.person_id in self.ours or self.rng.random() > share:
                continue
            weights = LEFT_ALONE if last and self._is_alone(row) else support
            said = (self.rng.choices(steps, weights)[0], self.rng.choices(steps, freedom)[0])
            given = actions.Given(dict(zip(questions, said, strict=True)))
            token = actions.token_of(row, term.consultation)
            actions.answer(term.consultation, given, token, by=by)

    def _is_alone(self, row: Eligible) -> bool:
        return row.area_id == self.alone.pk
