"""Closing the list, drawing on the day, and whoever comes next moving up.

Opening publishes two hashes, of the seed and of the list. The draw adds the last link that the
audit trail had before noon of its day, and discloses the seed. Both are in the audit trail, so
that no later change of a row goes unseen.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.directory.actions import OPERATOR, command_line_operator
from brightspots_web.directory.models import Appointment
from brightspots_web.evidence import choice_draw, choice_seed, choice_tell
from brightspots_web.evidence import choice_lottery_queries as queries
from brightspots_web.evidence.choice_draw import Drawn
from brightspots_web.evidence.choice_lottery_actions import (
    check_day,
    check_state,
    held,
    required,
    save,
)
from brightspots_web.evidence.choice_lottery_queries import Eligible, Pool
from brightspots_web.evidence.models import Lottery, LotteryEntry
from brightspots_web.insight import disclosure
from brightspots_web.shared import audit

State = Lottery.State
AT_ONCE = 2000


@transaction.atomic
def open_list(lottery: Lottery, *, by: Appointment, seen: int | None) -> Lottery:
    """Close the list of schools and commit to a seed; from now on nothing about it changes.

    Raises
    ------
    ValidationError
        The ministry has not agreed, the day is too near, there are no figures, or there are no
        more schools than places: then no lottery is needed.
    """
    if not queries.prepares(by):
        raise PermissionDenied
    found = held(lottery, seen)
    if found.state == State.OPEN:
        return found
    check_state(found, State.AGREED)
    check_day(found.draws_on)
    pool = queries.pool(found, by)
    _check_pool(found, pool)
    key, labels = _labels(pool)
    rows = [_row(found, each, labels[each.school.code], pool.points) for each in pool.found]
    entries = queries.as_drawn(rows)
    assert pool.run is not None
    found.run, published = pool.run.uuid, pool.run.published_at
    found.run_on = timezone.localtime(published).date() if published else None
    found.too_few, found.helped = pool.too_few, pool.helped
    found.labels_key = key
    found.list_hash = choice_draw.list_hash(
        found.places, choice_draw.labels_hash(key), entries
    )  # fmt: skip
    found.seed_hash = choice_seed.make(found.code)
    found.state, found.opened_by, found.opened_at = State.OPEN, by.label[:300], timezone.now()
    save(found)
    LotteryEntry.objects.bulk_create(rows, batch_size=AT_ONCE)
    detail = {
        "seed_hash": found.seed_hash,
        "list_hash": found.list_hash,
        "labels_hash": choice_draw.labels_hash(key),
        "schools": len(rows),
        "places": found.places,
        "draws_at": queries.hour_of(found).isoformat(),
        "run": str(found.run),
    }
    audit.record("evidence.open_lottery", by=by, target=found, detail=detail)
    choice_tell.listed(found, "opened", by=by)
    return found


def _check_pool(lottery: Lottery, pool: Pool) -> None:
    if pool.problem:
        raise ValidationError(pool.problem)
    schools = len(pool.found)
    if schools <= lottery.places:
        raise ValidationError(
            _(
                "There are {schools} schools for {places} places: no lottery is needed. Offer each "
                "of them a place; or ask for fewer places, or widen the band, and let the ministry "
                "agree anew."
            ).format(schools=schools, places=lottery.places)
        )
    if schools < disclosure.FEWEST_SCHOOLS:
        raise ValidationError(
            _(
                "There are {schools} schools in this band. Among so few everybody knows who is "
                "meant: widen the band."
            ).format(schools=schools)
        )


def _labels(pool: Pool) -> tuple[str, Mapping[str, str]]:
    """A key, and the number of every school by it; no two the same."""
    while True:
        key = choice_seed.new_key()
        labels = {e.school.code: choice_draw.label_of(key, e.school.code) for e in pool.found}
        if len(set(labels.values())) == len(labels):
            return key, labels


def _row(lottery: Lottery, each: Eligible, label: str, points: float) -> LotteryEntry:
    row, school = each.row, each.school
    return LotteryEntry(
        lottery=lottery,
        school=school,
        code=school.code,
        name=school.name,
        label=label,
        stratum=each.stratum,
        waited=each.waited,
        value=row.estimate * points if row else None,
        lower=row.lower * points if row else None,
        upper=row.upper * points if row else None,
        n=row.n if row else None,
    )


@transaction.atomic
def draw(lottery: Lottery, *, by: Appointment, now: datetime | None = None) -> Lottery:
    """Draw it. Whoever comes second finds it drawn: there is one result and no other.

    Parameters
    ----------
    now
        Another time than the clock's, for a sample; only whoever has the machine's shell may.

    Raises
    ------
    SeedLostError
        The seed is not there; nothing is changed.
    ValidationError
        The list is not closed, the hour has not come, or the list is no longer what it was.
    """
    if not queries.prepares(by) or (now is not None and by.person.email != OPERATOR):
        raise PermissionDenied
    found = held(lottery, None)
    if found.state == State.DRAWN:
        return found
    check_state(found, State.OPEN)
    hour, now = queries.hour_of(found), now or timezone.now()
    if now < hour:
        raise ValidationError(_("It is drawn at noon of its day, and not before."))
    audit.one_at_a_time()  # whoever acted before the hour is on record now
    link = queries.beacon_at(hour)
    if link is None:
        raise ValidationError(_("The audit trail has no entry before the hour of the draw."))
    seed = choice_seed.read(found.code, found.seed_hash)
    rows = queries.entries_of(found)
    labels = choice_draw.labels_hash(found.labels_key)
    if choice_draw.list_hash(found.places, labels, queries.as_drawn(rows)) != found.list_hash:
        raise ValidationError(
            _(
                "The list of schools is not the one that was closed: somebody changed it in the "
                "database. Nothing is drawn from it. Call this lottery off and say why."
            )
        )
    closed = _pass_over_closed(rows, found)
    found.seed, found.beacon, found.beacon_at = seed, link.entry_hash, link.at
    found.state, found.drawn_at = State.DRAWN, now
    result = choice_draw.draw(found.places, queries.as_drawn(rows), seed, found.beacon)
    _write(rows, result)
    save(found)
    detail = {
        "seed": seed,
        "beacon": found.beacon,
        "places": len(result.drawn),
        "passed_over": closed,
        "labels": sorted(result.drawn) if len(result.drawn) <= AT_ONCE else [],
    }
    audit.record("evidence.draw_lottery", by=by, target=found, detail=detail)
    choice_tell.drawn(found, by=by)
    transaction.on_commit(lambda: choice_seed.forget(found.code))
    return found


def _pass_over_closed(rows: list[LotteryEntry], lottery: Lottery) -> int:
    """Schools that closed since stay on the list, whose hash is published, and get no place."""
    count = 0
    for row in rows:
        school = row.school
        if school is None or (school.closed is not None and school.closed <= lottery.draws_on):
            row.out, row.why = True, _("The school had closed when it was drawn.")
            count += 1
    return count


def _write(rows: list[LotteryEntry], result: Drawn) -> None:
    """Write what the draw says."""
    positions = {
        label: n for labels in result.order.values() for n, label in enumerate(labels, start=1)
    }
    for row in rows:
        row.position, row.chance = positions.get(row.label), result.chances[row.label]
        row.drawn, row.place = row.label in result.drawn, row.label in result.now
    fields = ["position", "chance", "drawn", "place", "out", "why"]
    LotteryEntry.objects.bulk_update(rows, fields, batch_size=500)


@transaction.atomic
def let_go(line: LotteryEntry, why: str, *, by: Appointment) -> LotteryEntry:
    """A school does not take its place, or has closed: whoever comes next in its area moves up.

    That the draw gave it the place stays on record: a fair comparison counts it so.

    Raises
    ------
    ValidationError
        It was not drawn yet, the help has begun, or no reason is given.
    """
    if not queries.may_let_go(by, line):
        raise PermissionDenied
    found = held(line.lottery, None)
    check_state(found, State.DRAWN)
    rows = queries.entries_of(found)
    mine = next(each for each in rows if each.pk == line.pk)
    if mine.gone or mine.out:
        return mine
    if mine.pk in queries.taken_up(found):
        raise ValidationError(_("The help has begun: end it where it is on record."))
    _pass_on(found, rows, [mine], required(why, "why", 500), by)
    return mine


@transaction.atomic
def _let_closed_go(lines: Sequence[LotteryEntry], by: Appointment) -> int:
    """Lines of one lottery whose schools have closed: all of them at once; return how many."""
    found = held(lines[0].lottery, None)
    closed, rows = {each.pk for each in lines}, queries.entries_of(found)
    taken = queries.taken_up(found)
    mine = [
        each for each in rows
        if each.pk in closed and each.pk not in taken and not (each.gone or each.out)
    ]  # fmt: skip
    if mine:
        _pass_on(found, rows, mine, _("The school has closed."), by)
    return len(mine)


def _pass_on(
    lottery: Lottery,
    rows: Sequence[LotteryEntry],
    gone: Sequence[LotteryEntry],
    why: str,
    by: Appointment,
) -> None:
    """Draw again without those that are gone; only lines that change are written."""
    for each in gone:
        each.gone, each.why = True, why
        each.changed_by, each.changed_at = by.label[:300], timezone.now()
    result = choice_draw.draw(
        lottery.places, queries.as_drawn(rows), lottery.seed, lottery.beacon
    )  # fmt: skip
    had = {each.label for each in rows if each.place}
    moved_up = [each for each in rows if each.label in result.now - had]
    for each in rows:
        each.place = each.label in result.now
    changed = [each for each in rows if (each.label in had) != each.place and not each.gone]
    LotteryEntry.objects.bulk_update(
        [*gone, *changed],
        ["place", "gone", "why", "changed_by", "changed_at"],
        batch_size=500,
    )
    save(lottery)
    labels = [each.label for each in moved_up]
    for n, each in enumerate(gone):
        # Of several at once nobody can say who moved up for whom: all stand at the first.
        detail = {"label": each.label, "had": each.drawn, "moved_up": [] if n else labels}
        audit.record("evidence.let_place_go", by=by, target=lottery, detail=detail)
    choice_tell.moved_up(lottery, moved_up, by=by)


def look_after(now: datetime | None = None) -> int:
    """What the worker does: draw what is due, and let whoever comes next move up from the closed.

    A lottery whose seed is lost is told of, and stays as it is.
    """
    by, done = command_line_operator(), 0
    for lottery in queries.due(now):
        try:
            draw(lottery, by=by, now=now)
        except ValidationError:
            choice_tell.evaluators(lottery, "stuck")
        else:
            done += 1
    closed: dict[int, list[LotteryEntry]] = defaultdict(list)
    for line in queries.with_closed_schools():
        closed[line.lottery_id].append(line)
    return done + sum(_let_closed_go(lines, by) for lines in closed.values())
