"""Writing small data notes, changing and deleting them; sharing is in `note_share_actions`.

No word of a note ever goes to the audit trail: which note, and what was done, is all it knows.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.alignment.models import Priority
from brightspots_web.devolution import note_queries as queries
from brightspots_web.devolution import rubric_queries as rubrics
from brightspots_web.devolution import use_actions
from brightspots_web.devolution.models import DataNote, HeldPhoto, NotePhoto, NoteTag, Rubric
from brightspots_web.devolution.note_photos import Photo
from brightspots_web.devolution.note_search import INDEX, parts_of
from brightspots_web.directory import queries as directory
from brightspots_web.directory.actions import hold_school
from brightspots_web.directory.models import Appointment, Indicator
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.pupil_names import MayNamePupilError, may_identify_pupil

LONGEST = 1000
LONGEST_SAYS = 200
MOST_TAGS = 6
LONGEST_TAG = 40
OLDEST = timedelta(days=400)
"""What was seen longer ago is no note of this round."""
Kind = DataNote.Kind


@dataclass(frozen=True)
class Said:
    """What somebody writes down."""

    words: str
    on: date
    kind: str = Kind.SEEN
    tags: Sequence[str] = ()
    priority: Priority | None = None
    indicator: Indicator | None = None
    rubric: Rubric | None = None
    observed: Mapping[str, Any] = field(default_factory=dict)
    says: str = ""
    """What is on the photograph, where there is one."""


@transaction.atomic
def write(
    said: Said,
    *,
    by: Appointment,
    client_key: UUID,
    photo: Photo | None = None,
    names_nobody: bool = False,
) -> DataNote:
    """Keep a note of the own school. The same form sent twice is kept once.

    Parameters
    ----------
    client_key
        Made with the form, so that it is known again.
    photo
        As it came with this form, or was held since it came the first time.
    names_nobody
        The person looked again and says that no pupil can be known by the words.

    Raises
    ------
    PermissionDenied
        The appointment writes no notes, or its school is closed.
    OvertakenError
        Another note was kept from this form.
    MayNamePupilError
        The words look as if they said who a pupil is; nothing is kept.
    """
    if not queries.may_write(by):
        raise PermissionDenied
    assert by.school is not None
    said = _checked(said, by)
    sent = _hash(said, photo)
    hold_school(by.school)
    before = queries.note_with_key(client_key)
    if before is not None:
        return _same(before, sent, by)
    _check_photo(said, photo is not None)
    _look_again(said, by, names_nobody)
    note = DataNote(
        school=by.school, client_key=client_key, sent=sent, by=by.label[:300], author=by.person,
        at=timezone.now(), **_fields(said),
    )  # fmt: skip
    try:
        with transaction.atomic():
            note.save(force_insert=True)
    except IntegrityError as problem:
        raise _kept_before() from problem
    _keep_beside(note, said, photo)
    _forget_held(client_key)
    audit.record("devolution.write_note", by=by, target=note, detail={"note": note.pk})
    use_actions.count(by, use_actions.CONTRIBUTED)
    return note


@transaction.atomic
def change(
    note: DataNote,
    said: Said,
    *,
    by: Appointment,
    seen: int | None,
    client_key: UUID | None = None,
    photo: Photo | None = None,
    without_photo: bool = False,
    names_nobody: bool = False,
) -> DataNote:
    """Change an own note. One that is shared is shared anew only by who may share it.

    A teacher's change takes a shared note back and asks the head again: nothing goes to other
    schools that the head has not seen.
    """
    note = held(note, seen)
    if not queries.may_change(by, note):
        raise PermissionDenied
    said = _checked(said, by, note)
    has_photo = photo is not None or (bool(note.photo_says) and not without_photo)  # type: ignore[attr-defined] # annotated
    _check_photo(said, has_photo)
    _look_again(said, by, names_nobody)
    for name, value in _fields(said).items():
        setattr(note, name, value)
    if note.shared_with_id is not None and not queries.may_share(by, note):
        note.shared_with, note.shared_at, note.shared_by = None, None, ""
        note.suggested_at = timezone.now()
    note.version += 1
    note.save()
    if photo is not None or without_photo:
        NotePhoto.objects.filter(note=note).delete()
    _keep_beside(note, said, photo)
    _forget_held(client_key)
    audit.record("devolution.change_note", by=by, target=note, detail={"note": note.pk})
    return note


@transaction.atomic
def remove(note: DataNote, *, by: Appointment) -> None:
    """Delete a note with its photograph: nothing of it is left but that one was deleted."""
    note = held(note, None)
    if not queries.may_delete(by, note):
        raise PermissionDenied
    audit.record("devolution.delete_note", by=by, target=note, detail={"note": note.pk})
    INDEX.forget(note.pk)
    note.delete()


@transaction.atomic
def hold_photo(photo: Photo, client_key: UUID, *, by: Appointment) -> None:
    """Keep a photograph until the words it came with are in order; for a day at most.

    Whoever is asked to look at the words again need not send the picture again.
    """
    HeldPhoto.objects.update_or_create(
        client_key=client_key,
        defaults={
            "person": by.person, "jpeg": photo.jpeg, "width": photo.width,
            "height": photo.height, "at": timezone.now(),
        },
    )  # fmt: skip
    _forget_held(None)


def rebuild_words() -> int:
    """Make the words by which notes are found anew; gives how many notes there are."""
    rows = queries.all_notes().iterator(chunk_size=500)
    return INDEX.rebuild((note.pk, parts_of(note, note.photo_says or "")) for note in rows)  # type: ignore[attr-defined] # annotated


# What several of them need


def held(note: DataNote, seen: int | None) -> DataNote:
    """The row, held until the transaction ends; refused where it is not the one that was seen."""
    list(DataNote.objects.select_for_update(no_key=True).filter(pk=note.pk))
    rows = DataNote.objects.select_related("school", "priority", "indicator", "rubric")
    found = queries.with_photo(rows).filter(pk=note.pk).first()
    if found is None:
        raise OvertakenError(_("This note was deleted meanwhile."))
    if seen is not None and seen != found.version:
        raise OvertakenError(
            _(
                "This note was changed since you opened it. What you wrote is still here and was "
                "not saved: look at the note, then save yours if it still holds."
            )
        )
    return found


def _same(before: DataNote, sent: str, by: Appointment) -> DataNote:
    """What this very form has kept already; else it is refused."""
    if before.author_id == by.person_id and before.sent == sent:
        return before
    raise _kept_before()


def _kept_before() -> OvertakenError:
    return OvertakenError(
        _(
            "Another note was kept from this form before. What you wrote is still here: save it "
            "once more to keep it as a note of its own."
        )
    )


def _checked(said: Said, by: Appointment, note: DataNote | None = None) -> Said:
    """Each part in order, or every part that is not, by its name in the form."""
    problems: dict[str, Any] = {}
    words = said.words.replace("\0", "").strip()
    says = " ".join(said.says.replace("\0", "").split())
    observation = said.rubric is not None
    if not words and not observation:
        problems["words"] = _("Write a sentence: what did you see or hear?")
    elif len(words) > LONGEST:
        problems["words"] = _("Keep it under {n} characters.").format(n=LONGEST)
    if len(says) > LONGEST_SAYS:
        problems["says"] = _("Keep it under {n} characters.").format(n=LONGEST_SAYS)
    today = directory.today()
    if not today - OLDEST <= said.on <= today:
        problems["on"] = _("Give a day that is past, at most a year ago.")
    kind = Kind.OBSERVATION if observation else said.kind
    if kind not in Kind.values or (kind == Kind.OBSERVATION and not observation):
        problems["kind"] = _("Choose one of the kinds.")
    try:
        tags = tags_of(said.tags)
    except ValidationError as problem:
        tags, problems["tags"] = [], problem
    if said.rubric is not None:
        if not rubrics.may_observe_with(by, said.rubric, note):
            problems["words"] = _("This form is no longer in use. Write a note without it.")
        problems |= rubrics.problems_of(said.rubric, said.observed)
    if problems:
        raise ValidationError(problems)
    return Said(
        words, said.on, kind, tags, said.priority, said.indicator, said.rubric,
        dict(said.observed), says,
    )  # fmt: skip


def tags_of(given: Sequence[str]) -> list[str]:
    """Tags as they are kept: lower case, each once, in the order given."""
    plain = (" ".join(each.replace("\0", "").casefold().split()).strip("# ") for each in given)
    tags = list(dict.fromkeys(each for each in plain if each))
    if len(tags) > MOST_TAGS:
        raise ValidationError(_("At most {n} tags.").format(n=MOST_TAGS))
    if any(len(each) > LONGEST_TAG for each in tags):
        raise ValidationError(_("A tag has at most {n} characters.").format(n=LONGEST_TAG))
    return tags


def _check_photo(said: Said, has_photo: bool) -> None:
    if has_photo and not said.says:
        raise ValidationError(
            {"says": _("Say in a few words what is on the photograph, for who cannot see it.")}
        )


def _look_again(said: Said, by: Appointment, names_nobody: bool) -> None:
    """Ask the person to look again where somebody might know a pupil by the words."""
    school = by.school
    assert school is not None
    known = [school.name, school.area.name, by.label, "PDSA"]
    known += [each.title for each in (said.priority,) if each is not None]
    for text in (said.words, said.says, *said.tags):
        suspect = may_identify_pupil(text, known)
        if suspect and not names_nobody:
            raise MayNamePupilError(
                _(
                    "“{words}” may say who a pupil is. Take it out (“a girl in class 3” is "
                    "enough), or say below that nobody can be known by it."
                ).format(words=suspect)
            )


def _hash(said: Said, photo: Photo | None) -> str:
    """What was sent, in one word: the same words and the same file give the same."""
    parts = _fields(said) | {"says": said.says, "photo": photo.sent if photo else ""}
    plain = {name: getattr(value, "pk", value) for name, value in parts.items()}
    return hashlib.sha256(json.dumps(plain, sort_keys=True, default=str).encode()).hexdigest()


def _fields(said: Said) -> dict[str, Any]:
    return {
        "words": said.words, "on": said.on, "kind": said.kind, "tags": list(said.tags),
        "priority": said.priority, "indicator": said.indicator, "rubric": said.rubric,
        "observed": dict(said.observed),
    }  # fmt: skip


def _keep_beside(note: DataNote, said: Said, photo: Photo | None) -> None:
    """The photograph, the tags and the words by which it is found."""
    if photo is not None:
        NotePhoto.objects.create(
            note=note, jpeg=photo.jpeg, width=photo.width, height=photo.height, says=said.says
        )
    else:
        NotePhoto.objects.filter(note=note).update(says=said.says)
    NoteTag.objects.filter(note=note).delete()
    NoteTag.objects.bulk_create([NoteTag(note=note, word=word) for word in note.tags])
    says = said.says if NotePhoto.objects.filter(note=note).exists() else ""
    INDEX.keep(note.pk, parts_of(note, says))


def _forget_held(client_key: UUID | None) -> None:
    """The photograph held for a form, and all that have waited for their words too long."""
    long_ago = timezone.now() - queries.HELD
    HeldPhoto.objects.filter(Q(client_key=client_key) | Q(at__lt=long_ago)).delete()
