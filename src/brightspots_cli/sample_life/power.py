"""Readiness and powers of the sample: asked and answered, held, taken back with help, offered."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from brightspots_web.directory.models import Appointment

INVENTED = "(Invented.)"


def fill(rng: random.Random, cast: Mapping[str, Appointment]) -> None:
    """Let the leader's partnership ask, and powers go to it and to the officer's area."""
    from django.db import transaction

    leader, officer = cast["leader"], cast["officer"]
    if leader.partnership is None or officer.area is None:
        return
    with transaction.atomic():  # one wait for the disk instead of a few dozen
        _partnership(leader, officer, cast["minister"])
        _area(officer, cast["minister"])


def _partnership(leader: Appointment, officer: Appointment, minister: Appointment) -> None:
    from brightspots_web.directory import queries as directory
    from brightspots_web.directory.actions import command_line_operator
    from brightspots_web.pace import power_actions as actions
    from brightspots_web.pace import power_gate_actions as gates
    from brightspots_web.pace import power_history_actions as history
    from brightspots_web.pace import stage_place_queries as places

    operator, today = command_line_operator(), directory.today()
    place = places.Place(leader.partnership)  # type: ignore[arg-type] # fill looked
    by = officer if places.hands_to(officer, place) else minister
    check = gates.ask(
        place,
        f"{INVENTED} We have chosen our own Friday work and kept to it. We would like to choose "
        "our training; for money of our own it is early.",
        by=leader,
    )
    gates.answer(
        check,
        ready=False,
        said=f"{INVENTED} You are close. Finish the open steps or drop them openly, and ask again "
        "after the next meeting: I come and help with the first.",
        by=by,
        seen=None,
    )
    history.date_check_back(check, 60, by=operator)
    budget = actions.offer(
        place,
        actions.Offer(
            "budget", today, f"{INVENTED} So that help need not wait for us.",
            f"{INVENTED} The grant had to be given before the year ended.",
        ),
        by=by,
    )  # fmt: skip
    actions.answer(budget, accepts=True, words=f"{INVENTED} We try.", by=leader, seen=None)
    actions.take_back(
        budget,
        f"{INVENTED} The accounts took the evenings that were meant for visits.",
        f"{INVENTED} A clerk of the district keeps the books with you for a term; then we try "
        "again.",
        by=by,
        seen=None,
    )
    history.date_transfer_back(budget, 120, by=operator, end=40)
    training = actions.offer(
        place,
        actions.Offer(
            "training", today, f"{INVENTED} You know best what you need to learn.",
            f"{INVENTED} The courses are booked in this month.",
        ),
        by=by,
    )  # fmt: skip
    actions.answer(
        training, accepts=True, words=f"{INVENTED} Gladly: reading first.", by=leader, seen=None
    )
    history.date_transfer_back(training, 30, by=operator)
    gates.ask(
        place, f"{INVENTED} The steps are finished; two were dropped openly.", by=leader
    )  # fmt: skip


def _area(officer: Appointment, minister: Appointment) -> None:
    """One power waits for the officer's answer."""
    from brightspots_web.directory import queries as directory
    from brightspots_web.pace import power_actions as actions
    from brightspots_web.pace import stage_place_queries as places

    place = places.Place(officer.area)  # type: ignore[arg-type] # fill looked
    actions.offer(
        place,
        actions.Offer(
            "review", directory.today(), f"{INVENTED} The area knows its own work.",
            f"{INVENTED} We try it in two areas first.",
        ),
        by=minister,
    )  # fmt: skip
