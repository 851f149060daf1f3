"""Sharing the school's notes with its partnership, and taking them back."""

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.devolution import note_queries as queries
from brightspots_web.devolution.models import DataNote
from brightspots_web.devolution.note_actions import held
from brightspots_web.directory import people_queries as people
from brightspots_web.directory.actions import hold_school
from brightspots_web.directory.models import Appointment
from brightspots_web.notices import actions as notices
from brightspots_web.shared import audit

SUGGESTED = "devolution.note_suggested"
SHARED = "devolution.note_shared"


@transaction.atomic
def suggest(note: DataNote, *, by: Appointment) -> DataNote:
    """Ask the head to share an own note."""
    note = held(note, None)
    if not queries.may_change(by, note):
        raise PermissionDenied
    if note.shared_at is not None or note.suggested_at is not None:
        return note
    note.suggested_at = timezone.now()
    note.save(update_fields=["suggested_at"])
    audit.record("devolution.suggest_note", by=by, target=note, detail={"note": note.pk})
    heads = [each for each in people.heads_of(note.school) if each.pk != by.person_id]
    notices.notify(heads, SUGGESTED, {"note": note.pk}, key=f"{SUGGESTED}:{note.school_id}")
    return note


@transaction.atomic
def share(note: DataNote, *, by: Appointment, seen: int | None) -> DataNote:
    """Let the partnership the school is in today see a note, as it reads now.

    Raises
    ------
    ValidationError
        The school is in no partnership, or the note is shared with an earlier one.
    OvertakenError
        The note was changed since the person read it.
    """
    note = held(note, seen)
    if not queries.may_share(by, note):
        raise PermissionDenied
    hold_school(note.school)
    partnership = queries.partnership_now(note.school)
    if partnership is None:
        raise ValidationError(
            _("Your school is in no partnership today, so there is nobody to share it with.")
        )
    if note.shared_with is not None:
        if note.shared_with.pk == partnership.pk:
            return note
        raise ValidationError(
            _(
                "This note is shared with {partnership}, where your school was then. Take it back "
                "first, then share it with whom you work with now."
            ).format(partnership=note.shared_with.name)
        )
    note.shared_with, note.shared_at = partnership, timezone.now()
    note.shared_by = by.label[:300]
    note.save(update_fields=["shared_with", "shared_at", "shared_by"])
    audit.record(
        "devolution.share_note",
        by=by,
        target=note,
        detail={"note": note.pk, "partnership": partnership.code},
    )
    if note.author is not None and note.author.pk != by.person_id:
        notices.notify([note.author], SHARED, {"note": note.pk}, key=f"{SHARED}:{note.pk}")
    return note


@transaction.atomic
def take_back(note: DataNote, *, by: Appointment) -> DataNote:
    """Let the school alone see a note again. What a decision wrote down of it stays there."""
    note = held(note, None)
    if not (queries.may_share(by, note) or queries.may_change(by, note)):
        raise PermissionDenied
    if note.shared_with_id is None and note.suggested_at is None:
        return note
    note.shared_with, note.shared_at, note.shared_by = None, None, ""
    note.suggested_at = None
    note.save(update_fields=["shared_with", "shared_at", "shared_by", "suggested_at"])
    audit.record("devolution.take_back_note", by=by, target=note, detail={"note": note.pk})
    return note
