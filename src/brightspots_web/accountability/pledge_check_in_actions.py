"""How a promise goes, and what shows it: check-ins and evidence."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.accountability import pledge_queries as queries
from brightspots_web.accountability import pledge_tell as tell
from brightspots_web.accountability import pledge_value_queries as values
from brightspots_web.accountability.pledge_actions import (
    check_names,
    check_state,
    held,
    known_names,
    lock,
    required,
)
from brightspots_web.accountability.pledge_models import Pledge, PledgeCheckIn, PledgeEvidence
from brightspots_web.devolution import note_photos
from brightspots_web.devolution.models import DataNote
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment
from brightspots_web.notices import actions as notices
from brightspots_web.shared import audit

Kind = PledgeEvidence.Kind
LONGEST_WORDS = 1000
LARGEST_FILE = 5 * 1024 * 1024
MOST_EVIDENCE = 60
PDF, JPEG = "application/pdf", "image/jpeg"


@dataclass(frozen=True)
class Shown:
    """Something that shows how a promise goes, as its form takes it."""

    kind: str
    words: str
    on: date
    note: DataNote | None = None
    file_name: str = ""
    content: bytes = b""
    names_no_pupil: bool = False


@transaction.atomic
def check_in(
    pledge: Pledge,
    client_key: UUID,
    *,
    by: Appointment,
    on: date,
    going: str,
    words: str,
    names_no_pupil: bool = False,
) -> PledgeCheckIn:
    """Say how a promise goes; the same form sent twice, from two tabs or late, is one check-in.

    Raises
    ------
    ValidationError
        It does not run, the day cannot be, or a pupil may be named.
    """
    found = held(pledge, by)
    before = PledgeCheckIn.objects.filter(client_key=client_key).first()
    if before is not None:
        if before.pledge_id != found.pk:
            raise PermissionDenied
        return before
    check_state(found, *queries.RUNS)
    _check_day(found, on)
    if going not in PledgeCheckIn.Going.values:
        raise ValidationError({"going": _("Choose one of these.")})
    words = required(words, "words", LONGEST_WORDS)
    check_names(words, _known(found), names_no_pupil)
    made = PledgeCheckIn.objects.create(
        pledge=found, client_key=client_key, on=on, going=going, words=words,
        by=by.label[:300], at=timezone.now(),
    )  # fmt: skip
    if found.reminded == "check_in":
        found.reminded = ""
        found.save(update_fields=["reminded"])
    notices.settle([tell.key("check_in", found)])
    audit.record("accountability.check_in", by=by, target=found, detail={"going": going})
    if going == PledgeCheckIn.Going.STUCK:
        tell.stuck(found, by=by)
    return made


@transaction.atomic
def show(pledge: Pledge, shown: Shown, *, by: Appointment) -> PledgeEvidence:
    """Add something that shows how a promise goes; the same again is taken once.

    Whoever promises adds anything; the other school and a witness what they saw.

    Raises
    ------
    PermissionDenied
        Somebody who has no part in the promise.
    ValidationError
        A word, day or file that cannot be, in words that say how to mend it.
    """
    found = lock(pledge)
    if not queries.may_show(by, found):
        if queries.is_own(by, found):
            check_state(found, *queries.STANDS)
        raise PermissionDenied
    if shown.kind not in {Kind.WORDS, Kind.VISIT, Kind.FILE, Kind.NOTE}:
        raise ValidationError({"kind": _("Choose one of these.")})
    _check_day(found, shown.on)
    words = required(shown.words, "words", LONGEST_WORDS)
    check_names(words, _known(found), shown.names_no_pupil)
    extra: dict[str, Any] = {}
    if shown.kind == Kind.NOTE:
        extra = {"note": _shared(shown.note, by)}
    elif shown.kind == Kind.FILE:
        extra = _as_kept(shown)
    return _added(found, shown.kind, words, shown.on, by, extra)


@transaction.atomic
def draw_value(pledge: Pledge, *, by: Appointment) -> PledgeEvidence:
    """Draw the value that is published today and keep it as it is known now; typed by nobody."""
    found = held(pledge, by)
    check_state(found, *queries.STANDS)
    known = values.published(
        found.other_school or found.set.school, found.priority, found.indicator
    )
    if not known:
        raise ValidationError(
            _("No value is published for this measure and school at present. Show it in words.")
        )
    rows = PledgeEvidence.objects.filter(pledge=found, kind=Kind.VALUE)
    same = next((each for each in rows if each.known.get("run") == known["run"]), None)
    if same is not None:
        return same
    on = date.fromisoformat(str(known["on"]))
    words = _("Drawn from the published analysis.")
    return _added(found, Kind.VALUE, words, on, by, {"known": known})


@transaction.atomic
def remove(evidence: PledgeEvidence, *, by: Appointment) -> Pledge:
    """Take something away that should not be there, a picture of a child above all."""
    found = lock(evidence.pledge)
    row = PledgeEvidence.objects.filter(pk=evidence.pk, pledge=found).first()
    if row is None:
        return found
    row.pledge = found
    if not queries.may_remove(by, row):
        raise PermissionDenied
    audit.record("accountability.remove_evidence", by=by, target=found, detail={"kind": row.kind})
    row.delete()
    return found


def _added(
    pledge: Pledge, kind: str, words: str, on: date, by: Appointment, extra: dict[str, Any]
) -> PledgeEvidence:
    rows = PledgeEvidence.objects.filter(pledge=pledge)
    alike = rows.filter(kind=kind, words=words, on=on, by=by.label[:300], note=extra.get("note"))
    content, known = extra.get("file"), extra.get("known", {})
    for each in alike:
        if (bytes(each.file) if each.file else None) == content and each.known == known:
            return each
    if rows.count() >= MOST_EVIDENCE:
        raise ValidationError(
            _("There is enough here to see by. Take something away before you add more.")
        )
    made = PledgeEvidence.objects.create(
        pledge=pledge, kind=kind, words=words, on=on, by=by.label[:300], at=timezone.now(), **extra
    )
    audit.record("accountability.show_evidence", by=by, target=pledge, detail={"kind": kind})
    if not queries.is_own(by, pledge):
        tell.shown(pledge, by=by)
    return made


def _known(pledge: Pledge) -> Iterable[str]:
    yield from known_names(pledge.set.school, pledge.other_school)
    yield pledge.priority.title
    yield pledge.indicator.name


def _check_day(pledge: Pledge, on: date) -> None:
    if on > directory.today():
        raise ValidationError({"on": _("This day is yet to come. Choose the day it was seen.")})
    if on < pledge.set.cycle.starts and on < timezone.localdate(pledge.at):
        raise ValidationError({"on": _("This day is before the cycle began. Choose a later one.")})


def _shared(note: DataNote | None, by: Appointment) -> DataNote:
    if note is None or note.pk not in {each.pk for each in queries.notes_to_show(by)}:
        raise ValidationError({"note": _("Choose a note that your school has shared.")})
    return note


def _as_kept(shown: Shown) -> dict[str, Any]:
    """A PDF as it is; a picture drawn anew, without what it says of place and camera."""
    if not shown.content:
        raise ValidationError({"file": _("Choose a file: a PDF, or a JPEG, PNG or WebP picture.")})
    if len(shown.content) > LARGEST_FILE:
        raise ValidationError({"file": _("The file is larger than 5 MB. Choose a smaller one.")})
    name = "".join(each for each in shown.file_name.rpartition("/")[2] if each.isprintable())[:190]
    if shown.content.startswith(b"%PDF-"):
        stem = name.rpartition(".")[0] or name or "file"
        return {"file": shown.content, "file_kind": PDF, "file_name": f"{stem}.pdf"}
    try:
        photo = note_photos.made_anew(BytesIO(shown.content))
    except ValidationError as problem:
        raise ValidationError({"file": problem.messages}) from problem
    stem = name.rpartition(".")[0] or "picture"
    return {"file": photo.jpeg, "file_kind": JPEG, "file_name": f"{stem}.jpg"}
