"""Support in words: states, reasons, days. Asking is a strength; nothing here says otherwise."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.connectedness.models import (
    Deployment,
    SupportMatch,
    SupportOffer,
    SupportRequest,
)
from brightspots_web.connectedness.pages import kilometres
from brightspots_web.connectedness.support_figures_queries import Bounds
from brightspots_web.connectedness.support_lock_actions import in_days as in_days
from brightspots_web.shared import charts
from brightspots_web.shared.components import Badge
from brightspots_web.shared.words import day as day


def request_badge(request: SupportRequest) -> Badge:
    """Where a request stands, in a word or two."""
    if request.state == SupportRequest.State.ASKED and request.agreed_at is None:
        return Badge(_("waits for the school to agree"), "unsure")
    kind = "visit" if request.state == SupportRequest.State.MATCHED else "plain"
    return Badge(request.get_state_display(), "visit" if kind == "visit" else "plain")


def offer_badge(offer: SupportOffer) -> Badge:
    return Badge(offer.get_state_display(), "visit" if offer.state == "open" else "plain")


def deployment_badge(deployment: Deployment) -> Badge:
    running = deployment.state == Deployment.State.RUNNING
    return Badge(deployment.get_state_display(), "visit" if running else "plain")


def match_words(match: SupportMatch) -> str:
    """Who has answered what so far."""
    if match.state != SupportMatch.State.SUGGESTED:
        return str(match.get_state_display())
    if match.put_at is None:
        return _("suggested; the schools do not see it yet")
    if match.asker_accepted_at is not None:
        return _("{school} accepts; {other} has not answered yet").format(
            school=match.request.school.name, other=match.offer.school.name
        )
    if match.giver_accepted_at is not None:
        return _("{school} accepts; {other} has not answered yet").format(
            school=match.offer.school.name, other=match.request.school.name
        )
    return _("lies with both schools")


def number_of_days(days: Any) -> str:
    value = float(days)
    return ngettext("{n} day", "{n} days", 1 if value == 1 else 2).format(n=in_days(value))


def number_of_schools(schools: int) -> str:
    return ngettext("{n} school", "{n} schools", schools).format(n=charts.number(schools, 0))


def count(found: Bounds) -> str:
    """A count as it may be shown: 7, or 5–8 where small numbers are not told."""
    if found.exact:
        return charts.number(found.low, 0)
    low, high = charts.number(found.low, 0), charts.number(found.high, 0)
    return _("{low}–{high}").format(low=low, high=high)


def way(distance: float | None) -> str:
    """How far the two schools are apart."""
    if distance is None:
        return _("The way between the schools is not known.")
    return _("{km} apart, as the crow flies").format(km=kilometres(distance))
