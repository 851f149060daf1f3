"""Requests, offers and support of the invented world, by the same actions as the pages use."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from brightspots_web.alignment.models import Priority
from brightspots_web.connectedness import support_actions as asking
from brightspots_web.connectedness import support_deployment_actions as under_way
from brightspots_web.connectedness import support_match_actions as matching
from brightspots_web.connectedness.models import (
    Deployment,
    SupportMatch,
    SupportOffer,
    SupportRequest,
)
from brightspots_web.directory.models import Appointment, Person
from brightspots_web.shared.permissions import Role
from tests.web.world import FORMED, World


@dataclass(frozen=True)
class Suggestion:
    """What brokering would say of an offer."""

    offer: int
    score: float = 1.0
    distance_km: float | None = 4.0
    reasons: Sequence[dict[str, Any]] = field(
        default_factory=lambda: [{"kind": "near", "values": {"distance_km": 4.0}}]
    )


def today() -> date:
    return timezone.localdate()


def a_priority(code: str = "reading", subject: str = "Reading") -> Priority:
    found, _made = Priority.objects.get_or_create(
        code=code,
        defaults={
            "title": f"Every child masters {subject.lower()}",
            "subject": subject,
            "starts": today() - timedelta(days=200),
        },
    )
    return found


def a_head(world: World, code: str) -> Appointment:
    """The head of a school of the world, appointed when there is none."""
    school = world.schools[code]
    found = Appointment.objects.filter(
        school=school, role__in=[Role.HEAD, Role.SYSTEM_LEADER], ends=None
    ).first()
    if found is not None:
        return found
    person = Person.objects.create_user(f"{code}@test.invalid".lower(), name=f"Head {code}")
    return Appointment.objects.create(person=person, role=Role.HEAD, school=school, starts=FORMED)


def a_request(world: World, code: str = "N2", **more: Any) -> SupportRequest:
    asked: dict[str, Any] = {"priority": a_priority(), "what": "(Invented.) Reading in year 3."}
    return asking.ask(world.schools[code], by=a_head(world, code), **asked | more)


def an_offer(world: World, code: str = "N1", **more: Any) -> SupportOffer:
    offered: dict[str, Any] = {
        "priority": a_priority(),
        "what": "(Invented.) How we plan reading together.",
        "days": Decimal(20),
    }
    return asking.offer(world.schools[code], by=a_head(world, code), **offered | more)


def ready(world: World, code: str = "N2", **more: Any) -> SupportRequest:
    """A request that an officer has looked at."""
    return asking.triage(
        a_request(world, code, **more), by=world.cast["minister"], urgency="term", note=""
    )


def shortlisted(request: SupportRequest, offers: Sequence[SupportOffer], world: World) -> None:
    found = [Suggestion(offer.pk, float(-n)) for n, offer in enumerate(offers)]
    matching.keep_shortlist(request, found, by=world.cast["minister"])


def put(
    world: World, code: str = "N2", giver: str = "N1", *others: str, **more: Any
) -> SupportMatch:
    """A match that lies with both schools; `others` stand after it on the shortlist."""
    request = ready(world, code, **more)
    offers = [an_offer(world, each, priority=request.priority) for each in (giver, *others)]
    shortlisted(request, offers, world)
    first = SupportMatch.objects.get(request=request, rank=1)
    return matching.put(first, by=world.cast["minister"])


def accepted(world: World, code: str = "N2", giver: str = "N1", **more: Any) -> SupportMatch:
    match = put(world, code, giver, **more)
    matching.accept(match, by=a_head(world, code))
    return matching.accept(match, by=a_head(world, giver))


def begun(world: World, code: str = "N2", giver: str = "N1", **more: Any) -> Deployment:
    terms: dict[str, Any] = {
        "aim": "(Invented.) Each class reads aloud each day.",
        "days": Decimal(4),
        "starts": today() - timedelta(days=30),
        "exit_on": today() + timedelta(days=60),
    }
    match = accepted(world, code, giver)
    return under_way.begin(match, by=a_head(world, giver), **terms | more)


def logged(deployment: Deployment, by: Appointment, **more: Any) -> None:
    entry: dict[str, Any] = {"kind": "visit", "on": today(), "days": Decimal(1), "note": "SECRET"}
    under_way.log(deployment, by=by, **entry | more)


def finished(world: World, code: str = "N2", giver: str = "N1") -> Deployment:
    deployment = begun(world, code, giver)
    logged(deployment, a_head(world, giver))
    return under_way.finish(deployment, by=a_head(world, giver), report="(Invented.) REPORT.")
