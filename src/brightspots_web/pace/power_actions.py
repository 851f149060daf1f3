"""Powers move one by one: offered, accepted or not now, given back, taken back with support.

Every step is in the audit trail: which power, of which place, by whom; never the words.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment
from brightspots_web.pace import power_gate_queries as gates
from brightspots_web.pace import power_queries as queries
from brightspots_web.pace import power_tell as tell
from brightspots_web.pace import stage_place_queries as places
from brightspots_web.pace.models import PowerTransfer
from brightspots_web.pace.power_gate_actions import required
from brightspots_web.pace.power_models import Power
from brightspots_web.pace.stage_place_queries import Place
from brightspots_web.shared import audit
from brightspots_web.shared.overtaken import OvertakenError

State = PowerTransfer.State
LATEST = timedelta(days=730)


@dataclass(frozen=True)
class Offer:
    """A power to hand over: from when, why, and why before the place was found ready."""

    power: str
    starts: date
    why: str
    why_before: str = ""


@transaction.atomic
def offer(place: Place, wanted: Offer, *, by: Appointment) -> PowerTransfer:
    """Offer one power to a place; it is the place's once it accepts. Sent twice, it is one.

    Raises
    ------
    PermissionDenied
        Somebody who does not hand powers to this place.
    ValidationError
        It holds the power, nobody could accept it, or it was not found ready and no reason is
        given why it is handed over nevertheless.
    """
    if not places.hands_to(by, place):
        raise PermissionDenied
    audit.one_at_a_time()
    if wanted.power not in Power.values:
        raise ValidationError({"power": _("Choose one of the powers.")})
    there = queries.live_of(place).get(wanted.power)
    if there is not None and there.state == State.OFFERED:
        return there
    if there is not None:
        raise ValidationError({"power": _("It holds this power already. Choose another.")})
    if not places.answering(place):
        raise ValidationError(
            _(
                "Nobody holds office there who could accept it. Appoint somebody first, then "
                "offer it again."
            )
        )
    today = directory.today()
    if not today <= wanted.starts <= today + LATEST:
        raise ValidationError({"starts": _("Choose a day from today on, within two years.")})
    ready = gates.ready_since(place) is not None
    why_before = wanted.why_before.replace("\0", "").strip()[:500]
    if not ready and not why_before:
        raise ValidationError(
            {
                "why_before": _(
                    "It has not been found ready yet. Say why you hand it over nevertheless: it "
                    "is marked, and everybody there reads it."
                )
            }
        )
    made = PowerTransfer.objects.create(
        **place.fields,
        power=wanted.power,
        starts=wanted.starts,
        why=required(wanted.why, "why", 500),
        before_gate=not ready,
        why_before="" if ready else why_before,
        offered_by=by.label[:300],
        offered_at=timezone.now(),
    )
    _record("offer", made, by)
    tell.answering(made, "offered", by=by)
    return made


@transaction.atomic
def answer(
    transfer: PowerTransfer, *, accepts: bool, words: str, by: Appointment, seen: int | None
) -> PowerTransfer:
    """Take a power on, or say that it is not the time, and why."""
    found = _held(transfer)
    if not places.answers_for(by, places.of(found)):
        raise PermissionDenied
    _check(found, seen, State.OFFERED)
    words = words.replace("\0", "").strip()[:500]
    if not accepts and not words:
        raise ValidationError(
            {"words": _("Say in a few words what would have to be different.")}
        )  # fmt: skip
    found.state = State.HELD if accepts else State.DECLINED
    found.answer, found.answered_by = words, by.label[:300]
    found.answered_at = timezone.now()
    found.starts = max(found.starts, directory.today()) if accepts else found.starts
    _save(found)
    _record("accept" if accepts else "decline", found, by)
    event = "accepted" if accepts else "declined"
    tell.handing(found, event, by=by)
    if accepts:
        tell.everybody(found, event, by=by)
    return found


@transaction.atomic
def withdraw(transfer: PowerTransfer, why: str, *, by: Appointment, seen: int | None
             ) -> PowerTransfer:  # fmt: skip
    """Withdraw an offer that has not been answered, and say why."""
    found = _held(transfer)
    if not places.hands_to(by, places.of(found)):
        raise PermissionDenied
    _check(found, seen, State.OFFERED)
    _end(found, State.WITHDRAWN, required(why, "why", 500), by)
    _record("withdraw", found, by)
    tell.answering(found, "withdrawn", by=by)
    return found


@transaction.atomic
def take_back(
    transfer: PowerTransfer, why: str, support: str, *, by: Appointment, seen: int | None
) -> PowerTransfer:
    """Take a power back, with a reason and an offer of support. It can be handed over again."""
    found = _held(transfer)
    if not places.hands_to(by, places.of(found)):
        raise PermissionDenied
    _check(found, seen, State.HELD)
    found.support = required(support, "support", 500)
    _end(found, State.TAKEN_BACK, required(why, "why", 500), by)
    _record("take_back", found, by)
    tell.everybody(found, "taken_back", by=by)
    tell.handing(found, "taken_back", by=by)
    return found


@transaction.atomic
def give_back(transfer: PowerTransfer, why: str, *, by: Appointment, seen: int | None
              ) -> PowerTransfer:  # fmt: skip
    """The place gives a power back itself, and says why: that is no failing."""
    found = _held(transfer)
    if not places.answers_for(by, places.of(found)):
        raise PermissionDenied
    _check(found, seen, State.HELD)
    _end(found, State.GIVEN_BACK, required(why, "why", 500), by)
    _record("give_back", found, by)
    tell.everybody(found, "given_back", by=by)
    tell.handing(found, "given_back", by=by)
    return found


# What several of them need


def _held(transfer: PowerTransfer) -> PowerTransfer:
    """The row, held until the transaction ends."""
    rows = PowerTransfer.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("area", "partnership__lead_school__area").get(pk=transfer.pk)


def _check(found: PowerTransfer, seen: int | None, state: str) -> None:
    if seen is not None and seen != found.version:
        raise OvertakenError(
            _(
                "Somebody changed this since you opened it. What you wrote is still here and was "
                "not saved: look at how it stands, then send yours if it still holds."
            )
        )
    if found.state != state:
        words = {
            State.OFFERED: _("It is offered and not accepted yet."),
            State.HELD: _("It is accepted and held there already."),
        }
        raise ValidationError(
            words.get(State(found.state), _("This has ended already; its page says how."))
        )


def _end(found: PowerTransfer, state: str, why: str, by: Appointment) -> None:
    found.state, found.ended_why = state, why
    found.ended_on, found.ended_by = directory.today(), by.label[:300]
    _save(found)


def _save(found: PowerTransfer) -> None:
    found.version += 1
    found.save()


def _record(verb: str, found: PowerTransfer, by: Appointment) -> None:
    detail: dict[str, object] = {"power": found.power}
    if found.before_gate:
        detail["before_gate"] = True
    audit.record(f"pace.{verb}_power", by=by, target=found, detail=detail)
