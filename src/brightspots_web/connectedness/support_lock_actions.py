"""Holding the rows of support while they change: two people never overwrite each other.

Rows are held in one order, so that nobody waits in a circle: request, match, deployment, then all
offers of the giver. Whoever promises days holds every offer of the person who gives them: two
officers at once promise them one after the other, and the second sees what the first promised.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from brightspots_web.connectedness import support_ledger_queries as ledger
from brightspots_web.connectedness.models import (
    Deployment,
    SupportMatch,
    SupportOffer,
    SupportRequest,
)
from brightspots_web.directory import people_queries as people
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Person, School
from brightspots_web.notices import actions as notices
from brightspots_web.shared import charts
from brightspots_web.shared.overtaken import OvertakenError

LONGEST = {"what": 1000, "aim": 1000, "note": 2000, "why": 500, "report": 4000, "words": 2000}
"""Characters a text may have."""


def held_request(pk: int, seen: int | None = None) -> SupportRequest:
    found = SupportRequest.objects.select_for_update(no_key=True).get(pk=pk)
    _check_seen(found.version, seen, found.get_state_display())
    return found


def held_match(pk: int, seen: int | None = None) -> SupportMatch:
    """A match, its request held before it."""
    request = SupportMatch.objects.filter(pk=pk).values_list("request", flat=True).first()
    SupportRequest.objects.select_for_update(no_key=True).filter(pk=request or 0).first()
    found = SupportMatch.objects.select_for_update(no_key=True).filter(pk=pk).first()
    if found is None:
        raise OvertakenError(
            _("In the meantime somebody made a new list of suggestions; this one is not on it.")
        )
    _check_seen(found.version, seen, found.get_state_display())
    return found


def held_deployment(pk: int, seen: int | None = None) -> Deployment:
    """A deployment, its request and match held before it."""
    held_match(Deployment.objects.values_list("match", flat=True).get(pk=pk))
    found = Deployment.objects.select_for_update(no_key=True).get(pk=pk)
    _check_seen(found.version, seen, found.get_state_display())
    return found


def held_offer(pk: int, seen: int | None = None) -> SupportOffer:
    found = SupportOffer.objects.select_for_update(no_key=True).get(pk=pk)
    _check_seen(found.version, seen, found.get_state_display())
    return found


def hold_offers_of(giver: int) -> None:
    """Hold every offer of a person: whoever promises of their days waits for the others."""
    list(SupportOffer.objects.select_for_update(no_key=True).filter(giver=giver).order_by("pk"))


def _check_seen(version: int, seen: int | None, state: str) -> None:
    if seen is not None and seen != version:
        raise OvertakenError(
            _(
                "In the meantime somebody else changed this; it is now “{state}”. What you wrote "
                "was not saved. Look at what happened, then send yours again if it still holds."
            ).format(state=state)
        )


def saved(row: Any, *fields: str) -> None:
    """Write the fields named, and count the version up."""
    row.version += 1
    row.save(update_fields=[*fields, "version"])


def check_room(offer: SupportOffer, days: Decimal, *, year: int, but: int | None = None) -> None:
    """Refuse what would promise a leader's days, or the leader, twice.

    Parameters
    ----------
    offer : SupportOffer
        Its giver's offers are held until the transaction ends.
    days : Decimal
        To be promised, in `year`.
    but : int, optional
        A match whose days are counted in `days` already.

    Raises
    ------
    ValidationError
        The leader supports as many schools as may be, or has too few days left; says which.
    """
    if offer.giver_id is None:
        raise ValidationError(_("The leader who offered this is not registered any longer."))
    if not people.heads_there(offer.school_id, offer.giver_id).exists():
        raise ValidationError(
            _("{who} does not answer for {school} any longer. Choose another offer.").format(
                who=offer.giver_name, school=offer.school.name
            )
        )
    hold_offers_of(offer.giver_id)
    settings = ledger.present_settings()
    nothing = (ledger.NOTHING, ledger.NOTHING, 0)
    agreed, _used, schools = ledger.promised([offer.giver_id], year=year, but=but).get(
        offer.giver_id, nothing
    )
    mine, _used, here = ledger.promised(
        [offer.giver_id], offer=offer.pk, year=year, but=but
    ).get(offer.giver_id, nothing)  # fmt: skip
    who = offer.giver_name
    if schools + 1 > settings.caseload_cap:
        raise ValidationError(
            _(
                "{who} supports {n} schools at this time, and {cap} is the most that one leader "
                "supports. Wait until one of them is done, or choose another offer."
            ).format(who=who, n=schools, cap=settings.caseload_cap)
        )
    if here + 1 > offer.at_once:
        raise ValidationError(
            _(
                "Under this offer {who} supports {n} schools at a time, and that many are "
                "supported now. Wait until one of them is done, or choose another offer."
            ).format(who=who, n=offer.at_once)
        )
    left = min(Decimal(settings.leader_days) - agreed, offer.days - mine)
    if days > left:
        raise ValidationError(
            _(
                "{who} has {left} days left this year and this takes {days}. Agree on fewer days, "
                "or choose another offer."
            ).format(who=who, left=in_days(max(left, ledger.NOTHING)), days=in_days(days))
        )


def check_more_days(deployment: Deployment, days: Decimal) -> None:
    """Refuse more days for support under way than its leader and its offer have left.

    Days count in the year in which support started, as everywhere in the ledger, and what is
    written down already counts where it is more than was agreed.

    Raises
    ------
    ValidationError
        Says how many days there may be at most.
    """
    used = sum((each.days for each in deployment.logs.all()), ledger.NOTHING)
    more = max(days, used) - max(deployment.days, used)
    if more <= 0:
        return
    giver, offer, year = deployment.giver_id, deployment.match.offer, deployment.starts.year
    if giver is None:
        raise ValidationError(
            {"days": _("Who comes is not registered any longer: days cannot become more.")}
        )
    hold_offers_of(giver)
    offer.refresh_from_db(fields=["days"])  # it is held now
    nothing = (ledger.NOTHING, ledger.NOTHING, 0)
    mine = ledger.promised([giver], year=year).get(giver, nothing)[0]
    here = ledger.promised([giver], offer=offer.pk, year=year).get(giver, nothing)[0]
    left = min(Decimal(ledger.present_settings().leader_days) - mine, offer.days - here)
    if more > left:
        most = max(deployment.days, used) + max(left, ledger.NOTHING)
        raise ValidationError(
            {
                "days": _("{who} has days left for {most} in all here. Name no more than that.")
                .format(who=deployment.giver_name, most=in_days(most))
            }
        )  # fmt: skip


def in_days(days: Decimal | float) -> str:
    """A number of days as people write it: 5, 2.5, 0.25."""
    value = float(days)
    digits = 0 if value == int(value) else (1 if (value * 10) == int(value * 10) else 2)
    return charts.number(value, digits)


def required(text: str, field: str, message: str, longest: str = "") -> str:
    """The text without space around it; refused where it is empty or too long."""
    text = text.strip()
    if not text:
        raise ValidationError({field: message})
    return no_longer(text, field, longest)


def no_longer(text: str, field: str, longest: str = "") -> str:
    text, most = text.strip(), LONGEST[longest or field]
    if len(text) > most:
        raise ValidationError({field: _("Keep it under {n} characters.").format(n=most)})
    return text


def when(at: datetime | None) -> datetime:
    """The time something happened: now, or the earlier time that is written down later."""
    now = timezone.now()
    if at is None:
        return now
    if at > now:
        raise ValidationError(_("This time is still to come."))
    return at


def check_open(school: School) -> None:
    if school.closed is not None and school.closed <= directory.today():
        raise ValidationError(
            _("{school} closed. Nothing more can be agreed with it.").format(school=school.name)
        )


def tell(persons: Iterable[Person], event: str, row: Any, *, by: Appointment, **data: Any) -> None:
    """One notice for each of the people but the one who acts."""
    others = [person for person in persons if person.pk != by.person_id]
    kind = f"connectedness.support_{event}"
    notices.notify(others, kind, {"pk": row.pk, **data}, key=f"{kind}:{row.pk}")


def tell_both(match: SupportMatch, event: str, *, by: Appointment, **data: Any) -> None:
    """Tell both schools of a match: each hears it in the same words."""
    request = match.request
    told = [*people.heads_of(request.school), *people.heads_of(match.offer.school)]
    tell(told, event, request, by=by, **names_of(match), **data)


def tell_officers(request: SupportRequest, event: str, *, by: Appointment, **data: Any) -> None:
    told = people.officers_over(request.school)
    tell(told, event, request, by=by, asks=request.school.name, **data)


def names_of(match: SupportMatch) -> dict[str, str]:
    return {"asks": match.request.school.name, "gives": match.offer.school.name}
