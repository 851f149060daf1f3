"""Opening rounds, rating alone, closing; and the ministry's own texts of the stages.

The audit trail says that something was done, never what somebody rated or wrote.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment
from brightspots_web.pace import stage_place_queries as places
from brightspots_web.pace import stage_queries as queries
from brightspots_web.pace import stage_tell as tell
from brightspots_web.pace.models import StageRating, StageRound, StageText
from brightspots_web.pace.stage_models import Stage, Strand
from brightspots_web.pace.stage_place_queries import Place
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.permissions import Capability, may

State = StageRound.State
LONGEST_ROUND = timedelta(days=90)
LONGEST = 400


@dataclass(frozen=True)
class Rating:
    """A stage, and what shows it."""

    stage: int
    shows: str


@transaction.atomic
def open_round(place: Place, closes_on: date, *, by: Appointment) -> StageRound:
    """Open this cycle's round: every seat is asked to rate by itself. Sent twice, it is one.

    Raises
    ------
    PermissionDenied
        Somebody who does not answer for the place.
    ValidationError
        No cycle runs today, nobody has a seat, or the day does not fit.
    """
    if not places.answers_for(by, place):
        raise PermissionDenied
    audit.one_at_a_time()
    cycle = queries.cycle_now()
    if cycle is None:
        raise ValidationError(
            _("No cycle runs today. The ministry sets its first and last day; then open a round.")
        )
    same = queries.rounds_of(place).filter(cycle=cycle).first()
    if same is not None:
        return same
    _check_day(closes_on)
    made = StageRound.objects.create(
        **place.fields,
        cycle=cycle,
        texts=queries.edited_texts(),
        closes_on=closes_on,
        by=by.label[:300],
        at=timezone.now(),
    )
    audit.record("pace.open_stages", by=by, target=made)
    tell.seats(made, "opened", by=by)
    return made


@transaction.atomic
def rate(found: StageRound, ratings: Mapping[str, Rating], *, by: Appointment) -> StageRound:
    """Say by oneself where the place is in every strand, and what shows it.

    It may be changed until the ratings are closed: before that nobody sees another's.
    """
    row = held(found)
    place = places.of(row)
    seat = places.seat_of(by, place)
    if seat is None:
        raise PermissionDenied
    if row.state != State.OPEN:
        raise ValidationError(
            _("The ratings are closed. Say what you see differently when the group agrees.")
        )
    for strand in Strand.values:
        _check_rating(ratings.get(strand), strand)
    now = timezone.now()
    for strand in Strand.values:
        StageRating.objects.update_or_create(
            round=row, seat=seat.key, strand=strand,
            defaults={
                "stage": ratings[strand].stage, "shows": _plain(ratings[strand].shows), "at": now
            },
        )  # fmt: skip
    audit.record("pace.rate_stages", by=by, target=row)
    return row


@transaction.atomic
def move_day(found: StageRound, closes_on: date, *, by: Appointment, seen: int | None
             ) -> StageRound:  # fmt: skip
    """Give people more time to rate, or less."""
    row = held(found)
    if not places.answers_for(by, places.of(row)):
        raise PermissionDenied
    check_seen(row.version, seen)
    if row.state != State.OPEN:
        raise ValidationError(_("The ratings are closed already."))
    _check_day(closes_on)
    row.closes_on, row.reminded = closes_on, ""
    row.version += 1
    row.save()
    audit.record("pace.move_stages", by=by, target=row)
    return row


@transaction.atomic
def close(found: StageRound, *, by: Appointment) -> StageRound:
    """Close the ratings: the group now sees them and agrees. Closed already is as good."""
    row = held(found)
    if not places.answers_for(by, places.of(row)):
        raise PermissionDenied
    if row.state == State.OPEN:
        close_held(row, by=by)
    return row


def close_held(row: StageRound, *, by: Appointment) -> None:
    """Close a round whose row is held, for the group or when its day has passed."""
    row.state, row.closed_at = State.CLOSED, timezone.now()
    row.version += 1
    row.save()
    audit.record("pace.close_stages", by=by, target=row)
    tell.seats(row, "closed", by=by)


@transaction.atomic
def set_texts(strand: str, given: Mapping[int, str], *, by: Appointment, seen: Mapping[int, int]
              ) -> int:  # fmt: skip
    """Put the stages of a strand in the ministry's own words; how many changed.

    Rounds that are open keep the words they were opened with.

    Parameters
    ----------
    seen
        Stage -> the version the person saw; 0 where the text was still the assumed one.
    """
    if not may(by, Capability.PLAN_PACE):
        raise PermissionDenied
    if strand not in Strand.values:
        raise ValidationError(_("There is no such strand."))
    audit.one_at_a_time()
    now = {each.stage: each for each in queries.texts(strand)}
    if any(now[stage].version != version for stage, version in seen.items()):
        raise OvertakenError(
            _(
                "Somebody changed these texts since you opened them. Yours are still here and were "
                "not saved: look at both, then save again if yours still make sense."
            )
        )
    changed = 0
    for stage in Stage.values:
        text = _plain(given.get(stage, ""))
        if not text or len(text) > LONGEST:
            raise ValidationError(
                {f"stage_{stage}": _("A few words, at most {n} characters.").format(n=LONGEST)}
            )
        if text == now[stage].text:
            continue
        StageText.objects.update_or_create(
            strand=strand, stage=stage,
            defaults={
                "text": text, "by": by.label[:300], "at": timezone.now(),
                "version": now[stage].version + 1,
            },
        )  # fmt: skip
        changed += 1
    if changed:
        audit.record("pace.set_stage_texts", by=by, detail={"strand": strand, "changed": changed})
    return changed


# What several of them need


def held(found: StageRound) -> StageRound:
    """The row, held until the transaction ends."""
    rows = StageRound.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("cycle", "area", "partnership__lead_school__area").get(pk=found.pk)


def check_seen(version: int, seen: int | None) -> None:
    if seen is not None and seen != version:
        raise OvertakenError(
            _(
                "Somebody changed this since you opened it. What you wrote is still here and was "
                "not saved: look at how it stands, then send yours if it still holds."
            )
        )


def _check_day(closes_on: date) -> None:
    today = directory.today()
    if closes_on < today:
        raise ValidationError({"closes_on": _("This day is past. Choose one to come.")})
    if closes_on > today + LONGEST_ROUND:
        raise ValidationError({"closes_on": _("Within 90 days, so that all rate the same time.")})


def _check_rating(given: Rating | None, strand: str) -> None:
    if given is None or given.stage not in Stage.values:
        raise ValidationError({f"stage_{strand}": _("Choose one of the four.")})
    shows = _plain(given.shows)
    if not shows or len(shows) > LONGEST:
        raise ValidationError(
            {f"shows_{strand}": _("A few words, at most {n} characters.").format(n=LONGEST)}
        )


def _plain(text: str) -> str:
    return text.replace("\0", "").strip()
