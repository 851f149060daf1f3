"""Moderating own words, and the answer that a consultation is owed.

No word of a comment goes into the audit trail, only its key and the reason.
"""

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.accountability import response_queries as queries
from brightspots_web.accountability import response_tell as tell
from brightspots_web.accountability import voice_queries as voice
from brightspots_web.accountability.models import (
    Consultation,
    ResponsePoint,
    Suggestion,
    VoiceComment,
)
from brightspots_web.directory.models import Appointment
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError

State = VoiceComment.State
Stage = Consultation.State


@transaction.atomic
def show(comment: VoiceComment, *, by: Appointment, seen: str = "") -> VoiceComment:
    """Let a comment be read by everybody of the area asked.

    Parameters
    ----------
    seen
        How it stood on the page, from :func:`standing`.

    Raises
    ------
    OvertakenError
        Somebody else decided meanwhile.
    """
    return _judge(comment, State.SHOWN, "", "", by, seen)


@transaction.atomic
def withhold(
    comment: VoiceComment, *, by: Appointment, reason: str, words: str = "", seen: str = ""
) -> VoiceComment:
    """Withhold a comment for one of the reasons; the count by reason is public.

    More than one in three withheld: somebody else outside the line is asked to look again.
    """
    check_reason(reason, words)
    return _judge(comment, State.WITHHELD, reason, words.strip(), by, seen)


def check_reason(reason: str, words: str) -> None:
    """Hold that a reason is given, and is one of those there are."""
    if reason not in VoiceComment.Reason.values:
        raise ValidationError({"reason": _("Choose why it is withheld.")})
    if len(words.strip()) > 300:
        raise ValidationError({"reason_words": _("At most {n} characters.").format(n=300)})


def standing(row: VoiceComment | Suggestion) -> str:
    """How something stands, for the page on which somebody decides."""
    return f"{row.state} {row.reason} {'again' if row.challenged else ''}".strip()


def _judge(
    comment: VoiceComment, state: str, reason: str, words: str, by: Appointment, seen: str
) -> VoiceComment:
    consultation = _held(comment.question.consultation)
    row = VoiceComment.objects.select_for_update(no_key=True).get(pk=comment.pk)
    first = queries.moderates(by, consultation)
    if not first and not queries.looks_again(by, consultation):
        raise PermissionDenied
    mine = first or queries.read_again(by, consultation).filter(pk=row.pk).exists()
    if same_again(row, state, reason, words, by, first=first):
        return row
    check_judging(row, state, seen, first=first, mine=mine)
    before = queries.much_withheld(consultation)
    row.state, row.reason, row.reason_words = state, reason, words
    row.moderated_by = by.label[:300]
    row.challenged = row.challenged or not first
    row.save()
    audit.record(
        "accountability.moderate_comment", by=by, target=consultation,
        detail={"comment": row.pk, "state": state, "reason": reason, "again": not first},
    )  # fmt: skip
    if first and not before and queries.much_withheld(consultation):
        tell.much_withheld(consultation)
    return row


def same_again(
    row: VoiceComment | Suggestion,
    state: str,
    reason: str,
    words: str,
    by: Appointment,
    *,
    first: bool,
) -> bool:
    """Whether the same person decided the same before: it was sent twice."""
    same = (row.state, row.reason, row.reason_words) == (state, reason, words)
    return same and (first or (row.challenged and row.moderated_by == by.label[:300]))


def check_judging(
    row: VoiceComment | Suggestion, state: str, seen: str, *, first: bool, mine: bool
) -> None:
    """Hold that somebody decides what is theirs to decide, and knows how it stands."""
    if first and row.challenged:
        raise ValidationError(_("A second moderator has looked at this and decided. It stays so."))
    if not mine:
        raise ValidationError(
            _("It is shown, or nobody has read it yet: nothing to look at again.")
        )
    if seen and seen != standing(row):
        raise OvertakenError(
            _(
                "Somebody else has decided this since you opened the page. What you wrote is still "
                "here and was not saved: look at how it stands now, then send yours if it still "
                "holds."
            )
        )
    if state == State.SHOWN and not row.words:
        raise ValidationError(_("The words are gone after a year: there is nothing to show."))


@transaction.atomic
def ask_again(consultation: Consultation, *, by: Appointment) -> None:
    """Ask that somebody else outside the line look again at what is shown and what is withheld.

    Who asks is on no record: it may be who wrote it.
    """
    held = _held(consultation)
    if held.look_again and voice.consultation_with(by, held.pk) is not None:
        return
    if not queries.may_ask_again(by, held):
        raise PermissionDenied
    held.look_again = True
    held.save(update_fields=["look_again"])
    tell.asked_again(held)


# The answer


@transaction.atomic
def add_point(
    consultation: Consultation,
    *,
    by: Appointment,
    seen: int | None,
    said: str,
    did: str = "",
    could_not: str = "",
) -> ResponsePoint:
    """You said; we did, or we could not, because. Read by nobody else until it is sent.

    Sent twice, it is one.
    """
    held = _to_answer(consultation, by)
    said, did, could_not = said.strip(), did.strip(), could_not.strip()
    _check_point(said, did, could_not)
    same = queries.points(held).filter(said=said, did=did, could_not=could_not).first()
    if same is not None:
        return same
    _check_seen(held, seen)
    made = ResponsePoint.objects.create(
        consultation=held, said=said, did=did, could_not=could_not,
        by=by.label[:300], at=timezone.now(),
    )  # fmt: skip
    _touch(held)
    audit.record(
        "accountability.add_response", by=by, target=held, detail={"point": made.pk}
    )  # fmt: skip
    return made


@transaction.atomic
def remove_point(point: ResponsePoint, *, by: Appointment) -> None:
    """Take a point out again before the answer is sent; what was sent stays."""
    held = _to_answer(point.consultation, by)
    if held.state == Stage.ANSWERED:
        raise ValidationError(_("The answer was sent: what people have read stays as it was."))
    key = point.pk
    if ResponsePoint.objects.filter(pk=key).delete()[0]:
        _touch(held)
        audit.record(
            "accountability.remove_response", by=by, target=held, detail={"point": key}
        )  # fmt: skip


@transaction.atomic
def send(
    consultation: Consultation, *, by: Appointment, seen: int | None, words: str
) -> Consultation:
    """Send the answer: everybody who was asked is told, not only who wrote."""
    held = _to_answer(consultation, by)
    if held.state == Stage.ANSWERED:
        return held
    _check_seen(held, seen)
    words = words.strip()
    if not words:
        raise ValidationError({"words": _("Write something here.")})
    if len(words) > 3000:
        raise ValidationError({"words": _("At most {n} characters.").format(n=3000)})
    if not queries.points(held).exists():
        raise ValidationError(
            _("Write one point at least: what was said, and what was done or could not be done.")
        )
    held.state, held.answered_at, held.answered_words = Stage.ANSWERED, timezone.now(), words
    _touch(held)
    audit.record("accountability.answer_consultation", by=by, target=held)
    tell.answered(held)
    return held


def _check_point(said: str, did: str, could_not: str) -> None:
    if not said:
        raise ValidationError({"said": _("Write what people said.")})
    if not did and not could_not:
        raise ValidationError({"did": _("Write what was done, or below why it could not be done.")})
    for name, text, most in (
        ("said", said, 300),
        ("did", did, 1000),
        ("could_not", could_not, 1000),
    ):
        if len(text) > most:
            raise ValidationError({name: _("At most {n} characters.").format(n=most)})


def _to_answer(consultation: Consultation, by: Appointment) -> Consultation:
    if not queries.may_answer(by, consultation):
        raise PermissionDenied
    return _held(consultation)


def _held(consultation: Consultation) -> Consultation:
    rows = Consultation.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("area", "stakeholder", "moderator").get(pk=consultation.pk)


def _check_seen(held: Consultation, seen: int | None) -> None:
    if seen is not None and seen != held.version:
        raise OvertakenError(
            _(
                "The answer was changed since you opened the page. What you wrote is still here "
                "and was not saved: look at both, then send yours if it still holds."
            )
        )


def _touch(held: Consultation) -> None:
    held.version += 1
    held.save()
