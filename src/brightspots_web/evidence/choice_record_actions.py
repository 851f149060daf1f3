"""Writing down on what something was chosen, as that was known on the day it was.

Nothing below evidence may tell it what begins, so the worker looks every hour. Late is not wrong:
what is written down is what was published when the choice was made, not what is now.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from itertools import islice

from django.db import transaction
from django.utils import timezone

from brightspots_web.directory.actions import command_line_operator
from brightspots_web.directory.models import Appointment
from brightspots_web.evidence import choice_begun_queries as begun
from brightspots_web.evidence import choice_known_queries as known
from brightspots_web.evidence import choice_lottery_queries as lotteries
from brightspots_web.evidence.choice_begun_queries import Begun
from brightspots_web.evidence.choice_known_queries import Known
from brightspots_web.evidence.models import Choice, LotteryEntry
from brightspots_web.insight.models import Run
from brightspots_web.shared import audit

AT_ONCE = 2000
Band, ScoreOf, Without = Choice.Band, Choice.ScoreOf, Choice.Without


def notice(*, by: Appointment | None = None) -> int:
    """Write down everything that began and is not written down yet; return how much.

    It may run as often as is handy, and twice at once: each is written once.
    """
    by = by or command_line_operator()
    written, waiting = 0, begun.unwritten()
    while chunk := list(islice(waiting, AT_ONCE)):
        written += _write(chunk, by)
    return written


@transaction.atomic
def _write(chunk: Sequence[Begun], by: Appointment) -> int:
    """One of several at once waits here, and leaves out what the other wrote."""
    audit.one_at_a_time()
    chunk = begun.still_unwritten(chunk)
    if not chunk:
        return 0
    figures, now = _figures(chunk, by), timezone.now()
    made = [_made(each, figures.get(n), now) for n, each in enumerate(chunk)]
    _by_lot(made, chunk)
    Choice.objects.bulk_create(made)
    audit.record("evidence.note_choices", by=by, detail={"written": len(made)})
    return len(made)


def _figures(chunk: Sequence[Begun], by: Appointment) -> dict[int, Known]:
    """The place in the chunk -> the published value of the school when it was chosen."""
    runs: dict[datetime, Run | None] = {}
    asked: dict[tuple[int | None, str], list[int]] = defaultdict(list)
    for n, each in enumerate(chunk):
        if each.kind == Choice.Kind.PARTNERSHIP or each.priority is None:
            continue
        if each.chosen_at not in runs:
            runs[each.chosen_at] = known.run_at(each.chosen_at, by)
        run = runs[each.chosen_at]
        asked[(run.pk if run else None, each.priority.subject)].append(n)
    by_key = {run.pk: run for run in runs.values() if run is not None}
    found: dict[int, Known] = {}
    for (key, subject), places in asked.items():
        run = by_key[key] if key is not None else None
        values = known.known_at(run, subject, [chunk[n].school.pk for n in places])
        found |= {n: values[chunk[n].school.pk] for n in places}
    return found


def _made(each: Begun, figure: Known | None, now: datetime) -> Choice:
    choice = Choice(
        kind=each.kind,
        deployment_id=each.deployment,
        adoption_id=each.adoption,
        partnership=each.partnership,
        school=each.school,
        giving=each.giving,
        what=each.what[:200],
        priority=each.priority,
        begins=each.begins,
        chosen_on=timezone.localtime(each.chosen_at).date(),
        way=each.way,
        by=each.by[:300],
        reasons=each.reasons,
        noticed_at=now,
    )
    if each.kind == Choice.Kind.PARTNERSHIP:
        _by_distance(choice, each.distance_km)
    elif figure is None:
        choice.without = Without.NO_PRIORITY
    else:
        _by_value(choice, figure)
    return choice


def _by_distance(choice: Choice, km: float | None) -> None:
    choice.score = km
    choice.score_of = ScoreOf.DISTANCE if km is not None else ScoreOf.NONE
    choice.without = "" if km is not None else Without.NO_DISTANCE


def _by_value(choice: Choice, figure: Known) -> None:
    choice.subject, choice.without, choice.digits = figure.subject, figure.without, figure.digits
    if figure.run is not None:
        choice.run = figure.run.uuid
        published = figure.run.published_at
        choice.run_on = timezone.localtime(published).date() if published else None
    if figure.value is None:
        return
    choice.score_of = ScoreOf.VALUE
    choice.score, choice.lower, choice.upper = figure.value, figure.lower, figure.upper
    choice.n = figure.n
    if figure.band is not None:
        choice.band = Band.GRID
        choice.band_lower, choice.band_upper = figure.band


def _by_lot(made: Sequence[Choice], chunk: Sequence[Begun]) -> None:
    """Say of which the school stood on the list of a lottery for this help; each line once."""
    lines = lotteries.unused_lines_of(each.school.pk for each in chunk)
    for choice, each in zip(made, chunk, strict=True):
        fits = [line for line in lines.get(each.school.pk, []) if _is_for(line, each)]
        if not fits:
            continue
        line = fits[-1]
        lines[each.school.pk].remove(line)
        choice.entry, choice.chance = line, line.chance
        if line.place:
            choice.way, choice.band = Choice.Way.LOTTERY, Band.LOTTERY
            choice.band_lower, choice.band_upper = line.lottery.lower, line.lottery.upper


def _is_for(line: LotteryEntry, each: Begun) -> bool:
    lottery = line.lottery
    if lottery.kind != each.kind or lottery.drawn_at is None or lottery.drawn_at > each.chosen_at:
        return False
    return each.priority is None or lottery.priority_id == each.priority.pk
