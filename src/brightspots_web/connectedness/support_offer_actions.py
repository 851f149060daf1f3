"""An offer of support changes: never below what is already agreed under it. The writes."""

from datetime import date
from decimal import Decimal

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from brightspots_web.connectedness import support_ledger_queries as ledger
from brightspots_web.connectedness import support_queries as queries
from brightspots_web.connectedness import support_states as states
from brightspots_web.connectedness.models import SupportOffer as Offer
from brightspots_web.connectedness.support_actions import FEWEST_DAYS, MOST_AT_ONCE, MOST_DAYS
from brightspots_web.connectedness.support_lock_actions import (
    check_open,
    held_offer,
    hold_offers_of,
    in_days,
    required,
    saved,
    tell,
    tell_both,
)
from brightspots_web.directory import people_queries as people
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment
from brightspots_web.shared import audit

MOST_OF_LANGUAGES = 200


@transaction.atomic
def edit_offer(
    offer: Offer,
    *,
    by: Appointment,
    what: str,
    days: Decimal,
    at_once: int,
    languages: str = "",
    until: date | None = None,
    seen: int | None = None,
) -> Offer:
    """Change what is offered. What both sides agreed to stands, and is the least that is offered.

    Parameters
    ----------
    days : Decimal
        Days a year.
    at_once : int
        Schools at a time, at most.
    languages : str
        Several with ";" or ",".
    until : date, optional
        The last day on which new schools are suggested; none for no end.
    seen : int, optional
        The version that the person had in front of them.

    Raises
    ------
    PermissionDenied
        Somebody who does not answer for the school.
    ValidationError
        A value cannot be, or less would be offered than is agreed already; the field is named.
    OvertakenError
        Somebody else changed the offer since.
    """
    if offer.giver_id is not None:
        hold_offers_of(offer.giver_id)
    offer = held_offer(offer.pk, seen)
    if not queries.answers_for(by, offer.school_id):
        raise PermissionDenied
    if offer.state == Offer.State.WITHDRAWN:
        raise ValidationError(_("This offer is withdrawn. Offer anew instead."))
    check_open(offer.school)
    wanted = {
        "what": required(what, "what", _("Say in a sentence what your school could share.")),
        "days": days,
        "at_once": at_once,
        "languages": _languages(languages),
        "until": until,
    }
    _check_new(offer, days, at_once, until)
    before = {name: getattr(offer, name) for name in wanted}
    if before == wanted:
        return offer  # nothing changed, or pressed twice
    for name, value in wanted.items():
        setattr(offer, name, value)
    saved(offer, *wanted)
    numbers = ("days", "at_once", "languages", "until")
    detail = {
        "before": {name: before[name] for name in numbers},
        "after": {name: wanted[name] for name in numbers},
    }
    audit.record("connectedness.edit_offer", by=by, target=offer, detail=detail)
    _tell_changed(offer, by)
    return offer


def _check_new(offer: Offer, days: Decimal, at_once: int, until: date | None) -> None:
    """Each value by itself, then against what is agreed."""
    wrong: dict[str, str] = {}
    agreed, schools = ledger.agreed_under(offer)
    if not FEWEST_DAYS <= days <= MOST_DAYS:
        wrong["days"] = _("Between half a day and 60 days.")
    elif days < min(agreed, offer.days):  # more may be written down than was agreed
        wrong["days"] = _("{days} days are agreed already. Offer at least as many.").format(
            days=in_days(agreed)
        )
    if not 1 <= at_once <= MOST_AT_ONCE:
        wrong["at_once"] = _("Between 1 and 20 schools.")
    elif at_once < min(schools, offer.at_once):
        wrong["at_once"] = _(
            "Under this offer {n} schools are supported or promised now. Offer at least as many."
        ).format(n=schools)
    if until is not None and until != offer.until and until < directory.today():
        wrong["until"] = _("{day} is past. Choose a day to come, or withdraw the offer.").format(
            day=date_format(until)
        )
    if wrong:
        raise ValidationError({field: [words] for field, words in wrong.items()})


def _languages(text: str) -> str:
    """Languages with "; " between, each once, in the order given."""
    given = [each.strip() for each in text.replace(",", ";").split(";")]
    found = "; ".join(dict.fromkeys(each for each in given if each))
    if len(found) > MOST_OF_LANGUAGES:
        raise ValidationError(
            {"languages": _("Keep it under {n} characters.").format(n=MOST_OF_LANGUAGES)}
        )
    return found


def _tell_changed(offer: Offer, by: Appointment) -> None:
    """Officers, and the schools that look at this offer now."""
    told = people.officers_over(offer.school)
    tell(told, "offer_changed", offer, by=by, gives=offer.school.name)
    waiting = offer.matches.filter(
        state__in=states.LIVE_MATCH, put_at__isnull=False, deployment__isnull=True
    )
    for match in waiting.select_related("request__school", "offer__school").order_by("pk"):
        tell_both(match, "match_changed", by=by)
