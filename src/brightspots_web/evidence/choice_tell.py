"""Whom the events of a lottery are told to: the ministry, analysts, heads of the schools listed."""

from collections.abc import Iterable

from django.db.models import Q

from brightspots_web.directory import people_queries as people
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Person
from brightspots_web.evidence.models import Lottery, LotteryEntry
from brightspots_web.notices import actions as notices
from brightspots_web.shared.permissions import Role


def ministry(lottery: Lottery, event: str, *, by: Appointment | None = None) -> None:
    _tell(people.ministry(), event, lottery, by=by)


def evaluators(lottery: Lottery, event: str, *, by: Appointment | None = None) -> None:
    """Those who prepare and draw lotteries: the ministry and the analysts."""
    today = directory.today()
    live = Q(appointments__ends__isnull=True) | Q(appointments__ends__gt=today)
    analysts = directory.people_with_appointments().filter(
        live, appointments__role=Role.ANALYST, appointments__starts__lte=today
    )
    _tell([*people.ministry(), *analysts], event, lottery, by=by)


def listed(lottery: Lottery, event: str, *, by: Appointment | None = None) -> None:
    """Whoever answers for a school on the list."""
    _tell(_heads(lottery.entries.all()), event, lottery, by=by)


def drawn(lottery: Lottery, *, by: Appointment | None = None) -> None:
    """Schools with a place are told so; the others, that they come first next time."""
    rows = list(lottery.entries.filter(out=False))
    _tell(_heads(each for each in rows if each.place), "place", lottery, by=by)
    _tell(_heads(each for each in rows if not each.place), "next", lottery, by=by)
    evaluators(lottery, "drawn", by=by)


def moved_up(
    lottery: Lottery, rows: Iterable[LotteryEntry], *, by: Appointment | None = None
) -> None:
    _tell(_heads(rows), "moved_up", lottery, by=by)


def _heads(rows: Iterable[LotteryEntry]) -> list[Person]:
    keys = {each.school_id for each in rows}
    return [by.person for key, by in people.answering().items() if key in keys] if keys else []


def _tell(
    told: Iterable[Person], event: str, lottery: Lottery, *, by: Appointment | None = None
) -> None:
    """One notice for each of the people but the one who acts; a newer one replaces an unseen."""
    data = {
        "lottery": lottery.pk, "title": lottery.title, "on": lottery.draws_on.isoformat(),
    }  # fmt: skip
    others = [each for each in told if by is None or each.pk != by.person_id]
    key = f"lottery:{event}:{lottery.pk}"
    notices.notify(others, f"evidence.lottery_{event}", data, key=key)
