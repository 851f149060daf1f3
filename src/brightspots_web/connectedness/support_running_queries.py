"""Support under way within what somebody sees. Who sees which is decided in `support_queries`."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Exists, OuterRef, QuerySet, Sum

from brightspots_web.alignment import queries as alignment
from brightspots_web.alignment.models import Priority
from brightspots_web.connectedness.models import Deployment, DeploymentExtension
from brightspots_web.connectedness.support_queries import deployments_visible_to
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Area
from brightspots_web.shared.permissions import Capability, may

ENDS_SOON = 14
"""Days before its end on which a page reminds of it."""
SOON, PASSED = "soon", "passed"


@dataclass(frozen=True)
class Narrowed:
    """What the list is narrowed to."""

    area: Area | None = None
    """Of the school that receives."""
    priority: Priority | None = None
    end: str = ""
    """`soon`, `passed`, or "" for every end."""


def may_list(acting: Appointment | None) -> bool:
    """Officers and the ministry, and whoever answers for a school."""
    return may(acting, Capability.BROKER) or may(acting, Capability.ASK_SUPPORT)


def under_way(acting: Appointment | None, narrowed: Narrowed | None = None) -> QuerySet[Deployment]:
    """Support under way in sight, the nearest end first.

    Each row carries `logged` (days written down, None for none) and `later_proposed`.
    """
    narrowed = narrowed or Narrowed()
    found = deployments_visible_to(acting).filter(state=Deployment.State.RUNNING)
    if narrowed.area is not None:
        found = found.filter(receiving__area__path__startswith=narrowed.area.path)
    if narrowed.priority is not None:
        found = found.filter(priority=narrowed.priority)
    today = directory.today()
    if narrowed.end == PASSED:
        found = found.filter(exit_on__lt=today)
    elif narrowed.end == SOON:
        found = found.filter(exit_on__range=(today, today + timedelta(days=ENDS_SOON)))
    waits = DeploymentExtension.objects.filter(
        deployment=OuterRef("pk"), state=DeploymentExtension.State.PROPOSED
    )
    return found.annotate(logged=Sum("logs__days"), later_proposed=Exists(waits)).order_by(
        "exit_on", "receiving__name", "pk"
    )


def priorities(acting: Appointment | None) -> list[Priority]:
    """Priorities at which support in sight is under way, by title; over or not."""
    rows = deployments_visible_to(acting).filter(state=Deployment.State.RUNNING)
    return alignment.priorities_among(rows.order_by().values("priority"))
