"""Asking whether a place is ready, answering with what is missing, and what is asked for."""

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment
from brightspots_web.pace import power_gate_queries as queries
from brightspots_web.pace import power_tell as tell
from brightspots_web.pace import power_words as words
from brightspots_web.pace import stage_place_queries as places
from brightspots_web.pace.models import GateCheck, GateSettings
from brightspots_web.pace.stage_place_queries import Place
from brightspots_web.shared import audit
from brightspots_web.shared import settings_actions as settings
from brightspots_web.shared.overtaken import OvertakenError
from brightspots_web.shared.permissions import Capability, may

State = GateCheck.State


@transaction.atomic
def ask(place: Place, said: str, *, by: Appointment) -> GateCheck:
    """Ask whether a place is ready; what the system knows of it is drawn and kept beside its words.

    Sent twice, it is asked once.

    Raises
    ------
    PermissionDenied
        Somebody who does not answer for the place.
    ValidationError
        It says nothing of itself.
    """
    if not places.answers_for(by, place):
        raise PermissionDenied
    audit.one_at_a_time()
    there = queries.open_check(place)
    if there is not None:
        return there
    made = GateCheck.objects.create(
        **place.fields,
        words=required(said, "words", 2000),
        conditions=[each.as_json() for each in queries.conditions(place)],
        asked_by=by.label[:300],
        asked_at=timezone.now(),
    )
    audit.record("pace.ask_gate", by=by, target=made)
    tell.handing(made, "asked", by=by)
    return made


@transaction.atomic
def answer(
    check: GateCheck, *, ready: bool, said: str, by: Appointment, seen: int | None
) -> GateCheck:
    """Say that a place is ready, or not yet and what would help; what is known is drawn anew.

    Raises
    ------
    ValidationError
        Something is still missing: then it is not ready. A power may be handed over all the same,
        with a reason, and is marked.
    """
    found = _held(check)
    place = places.of(found)
    if not places.hands_to(by, place):
        raise PermissionDenied
    if seen is not None and seen != found.version:
        raise OvertakenError(
            _(
                "Somebody has answered in the meantime. What you wrote is still here and was not "
                "saved: look at their answer first."
            )
        )
    if found.state != State.ASKED:
        raise ValidationError(_("This is answered already. The place may ask again."))
    known = queries.conditions(place)
    missing = queries.missing(known)
    if ready and missing:
        raise ValidationError(
            {
                "ready": [
                    _(
                        "Something is still missing, so it is not yet ready. Say what would help; "
                        "a power can still be handed over, with a reason."
                    ),
                    *(words.condition(each, inside=False) for each in missing),
                ]
            }
        )
    found.answer = required(said, "answer", 1000)
    found.state = State.READY if ready else State.NOT_YET
    found.conditions = [each.as_json() for each in known]
    found.answered_by, found.answered_on = by.label[:300], directory.today()
    found.reminded_at = None  # from now on: when it was told that the place waits long
    found.version += 1
    found.save()
    audit.record(
        "pace.answer_gate", by=by, target=found,
        detail={"ready": ready, "missing": [each.key for each in missing]},
    )  # fmt: skip
    tell.everybody(found, "ready" if ready else "not_yet", by=by)
    return found


@transaction.atomic
def set_settings(given: dict[str, int], *, by: Appointment, seen: int | None) -> GateSettings:
    """Set what readiness asks for, and how long is too long to wait after it."""
    if not may(by, Capability.PLAN_PACE):
        raise PermissionDenied
    found = settings.held(GateSettings, seen=seen)
    settings.set_in(found, given, event="pace.set_gate", by=by)
    return found


def required(text: str, name: str, most: int) -> str:
    text = text.replace("\0", "").strip()
    if not text:
        raise ValidationError({name: _("Say it in a few words.")})
    if len(text) > most:
        raise ValidationError({name: _("Keep it under {n} characters.").format(n=most)})
    return text


def _held(check: GateCheck) -> GateCheck:
    """The row, held until the transaction ends."""
    rows = GateCheck.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("area", "partnership__lead_school__area").get(pk=check.pk)
