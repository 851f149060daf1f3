"""The group agrees: a stage is put to it, each seat says its word, and it is settled openly."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment
from brightspots_web.pace import stage_place_queries as places
from brightspots_web.pace import stage_queries as queries
from brightspots_web.pace import stage_tell as tell
from brightspots_web.pace.models import StageAgreement, StageConsent, StageRound
from brightspots_web.pace.stage_actions import check_seen, held
from brightspots_web.pace.stage_models import Stage, Strand
from brightspots_web.pace.stage_place_queries import Seat
from brightspots_web.shared import audit

AGREED, PROPOSED = StageAgreement.State.AGREED, StageAgreement.State.PROPOSED


@dataclass(frozen=True)
class Put:
    """A stage put to the group, and why."""

    stage: int
    words: str = ""


@dataclass(frozen=True)
class Word:
    """Whether a seat carries a stage, and in which other way it sees it."""

    agrees: bool
    words: str = ""


@transaction.atomic
def put(
    found: StageRound, given: Mapping[str, Put], *, by: Appointment, seen: int | None
) -> StageRound:
    """Put stages to the group; the seat that does so carries them. A changed one asks anew.

    Raises
    ------
    ValidationError
        The ratings are still open, or a strand is agreed already.
    """
    row = held(found)
    seat = _seat(row, by)
    check_seen(row.version, seen)
    if row.state != StageRound.State.CLOSED:
        raise ValidationError(_("First everybody rates alone. Close the ratings, then agree."))
    there = {each.strand: each for each in StageAgreement.objects.filter(round=row)}
    changed = False
    for strand in Strand.values:
        wanted = given.get(strand)
        if wanted is not None and wanted.stage:
            changed |= _put_one(row, strand, wanted, there.get(strand), seat, by)
    if not changed:
        return row
    row.version += 1
    row.save(update_fields=["version"])
    audit.record("pace.put_stages", by=by, target=row)
    tell.seats(row, "put", by=by)
    _settle(row, by)
    return row


def _put_one(
    row: StageRound,
    strand: str,
    wanted: Put,
    there: StageAgreement | None,
    seat: Seat,
    by: Appointment,
) -> bool:
    words = wanted.words.replace("\0", "").strip()[:400]
    if wanted.stage not in Stage.values:
        raise ValidationError({f"stage_{strand}": _("Choose one of the four.")})
    same = there is not None and (there.stage, there.words) == (wanted.stage, words)
    if same:
        return False
    if there is not None and there.state == AGREED:
        raise ValidationError(
            {f"stage_{strand}": _("This is agreed. The next round can see it differently.")}
        )
    made = there or StageAgreement(round=row, strand=strand, version=0)
    made.stage, made.words = wanted.stage, words
    made.by, made.at = by.label[:300], timezone.now()
    made.version += 1
    made.save()
    _say(made, seat, Word(agrees=True), by)
    return True


@transaction.atomic
def say(
    found: StageRound, given: Mapping[str, Word], *, by: Appointment, seen: int | None
) -> StageRound:
    """Say for one's seat which stages one carries, and what one sees differently.

    It may be said anew until the stage is agreed. Where every seat carries one, it is agreed.
    """
    row = held(found)
    seat = _seat(row, by)
    check_seen(row.version, seen)
    said = False
    for each in StageAgreement.objects.filter(round=row, state=PROPOSED):
        word = given.get(each.strand)
        if word is None:
            continue
        if not word.agrees and not word.words.strip():
            raise ValidationError(
                {f"words_{each.strand}": _("Say in a few words how you see it.")}
            )  # fmt: skip
        _say(each, seat, word, by)
        said = True
    if not said:
        raise ValidationError(_("Nothing waits for your word here: say it to what is still open."))
    audit.record("pace.say_stages", by=by, target=row)
    _settle(row, by)
    return row


@transaction.atomic
def settle(found: StageRound, why: str, *, by: Appointment, seen: int | None) -> StageRound:
    """Close what is open although not everybody carries it; who sees it differently stays shown."""
    row = held(found)
    if not places.answers_for(by, places.of(row)):
        raise PermissionDenied
    check_seen(row.version, seen)
    why = why.replace("\0", "").strip()
    if not why:
        raise ValidationError({"why": _("Say it in a few words.")})
    there = places.seats(places.of(row))
    open_ones = [each for each in queries.agreements(row, there).values() if not each.agreed]
    if not open_ones:
        raise ValidationError(_("Nothing is open: put a stage to the group first."))
    for each in open_ones:
        _agree(each.row, len(there), why[:500])
    row.version += 1
    row.save(update_fields=["version"])
    audit.record("pace.settle_stages", by=by, target=row, detail={"strands": len(open_ones)})
    _tell_if_done(row, by)
    return row


@transaction.atomic
def settle_carried(found: StageRound, *, by: Appointment) -> int:
    """Agree on what every seat carries since one that had not said its word has left."""
    return _settle(held(found), by)


# What several of them need


def _seat(row: StageRound, by: Appointment) -> Seat:
    seat = places.seat_of(by, places.of(row))
    if seat is None:
        raise PermissionDenied
    return seat


def _say(agreement: StageAgreement, seat: Seat, word: Word, by: Appointment) -> None:
    StageConsent.objects.update_or_create(
        agreement=agreement,
        seat=seat.key,
        defaults={
            "seat_name": seat.name[:300],
            "agrees": word.agrees,
            "words": word.words.replace("\0", "").strip()[:400],
            "by": by.label[:300],
            "at": timezone.now(),
            "agreement_version": agreement.version,
        },
    )


def _settle(row: StageRound, by: Appointment) -> int:
    """Agree on what every seat carries; on how many strands."""
    there = places.seats(places.of(row))
    done = 0
    for each in queries.agreements(row, there).values():
        if not each.agreed and queries.everybody_carries(each, there):
            _agree(each.row, len(there))
            done += 1
    if done:
        audit.record("pace.agree_stages", by=by, target=row, detail={"strands": done})
        _tell_if_done(row, by)
    return done


def _agree(agreement: StageAgreement, asked: int, why: str = "") -> None:
    agreement.state, agreement.agreed_on = AGREED, directory.today()
    agreement.agreed_why, agreement.asked = why, asked
    agreement.save(update_fields=["state", "agreed_on", "agreed_why", "asked"])


def _tell_if_done(row: StageRound, by: Appointment) -> None:
    agreed = StageAgreement.objects.filter(round=row, state=AGREED).count()
    if agreed == len(Strand):
        tell.seats(row, "agreed", by=by)
