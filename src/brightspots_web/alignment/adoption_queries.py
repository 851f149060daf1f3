"""All reads of adoptions. Everybody may know what was adopted, and why."""

import hashlib
import json

from django.utils.translation import gettext as _

from brightspots_web.alignment import agreement_queries as calendar
from brightspots_web.alignment import ballot_queries as ballots
from brightspots_web.alignment import queries
from brightspots_web.alignment.models import Adoption, Agreement
from brightspots_web.directory.models import Appointment
from brightspots_web.shared.permissions import Capability, may
from brightspots_web.shared.words import day


def adoption_of(agreement: Agreement) -> Adoption | None:
    return Adoption.objects.filter(agreement=agreement).first()


def latest() -> Adoption | None:
    """The newest adoption, whose priorities are the live ones unless they were changed since."""
    return Adoption.objects.select_related("agreement__cycle").order_by("-at").first()


def cannot_adopt(agreement: Agreement) -> str:
    """Why nothing can be adopted today; "" where it can."""
    done = adoption_of(agreement)
    if done is not None:
        return _("The priorities of “{cycle}” were adopted on {day}.").format(
            cycle=agreement.cycle.name, day=day(done.at)
        )
    phase = calendar.phase_of(agreement)
    if phase in {"review", "over"}:
        return _("The work on “{cycle}” is over: adopt in the next cycle.").format(
            cycle=agreement.cycle.name
        )
    if phase not in {"adopt", "work"}:
        return _(
            "Priorities of “{cycle}” can be adopted from {day}, as the calendar has it."
        ).format(cycle=agreement.cycle.name, day=day(agreement.adopt_from))
    ballot = ballots.ballot_of(agreement)
    if ballot is not None and ballot.closed_at is None:
        return _("The votes are not counted yet. Count them first.")
    return ""


def may_adopt(acting: Appointment | None, agreement: Agreement) -> bool:
    return may(acting, Capability.SET_PRIORITIES) and not cannot_adopt(agreement)


def mark_of(agreement: Agreement) -> str:
    """What tells what is on the table, and what is live, from any other; short, for a form."""
    said = [
        sorted((each.pk, each.version) for each in ballots.on_the_table(agreement)),
        queries.mark_of(queries.live_priorities()),
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]
