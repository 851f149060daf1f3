"""Reads across days: memberships and leaders' appointments that were, are and will be; cycles."""

from django.db.models import QuerySet

from brightspots_web.directory.models import Appointment, Area, Cycle, Membership
from brightspots_web.shared.permissions import Role


def memberships() -> QuerySet[Membership]:
    """Every membership of any day; for rows that were found by who may see them."""
    return Membership.objects.all()


def leader_appointments() -> QuerySet[Appointment]:
    """Every system leader's appointment, ended and to come included."""
    return Appointment.objects.filter(role=Role.SYSTEM_LEADER)


def cycles() -> list[Cycle]:
    """The rounds of improvement, the newest first."""
    return list(Cycle.objects.order_by("-starts"))


def areas() -> QuerySet[Area]:
    """Every area, the highest first; for sums over the whole system."""
    return Area.objects.order_by("level", "name", "pk")
