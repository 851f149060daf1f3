"""Reads about partnerships across borders, and who answers for schools."""

from collections.abc import Iterable
from datetime import date

from django.db.models import Exists, OuterRef, Q, QuerySet

from brightspots_web.directory.models import Appointment, Area, Membership, Partnership
from brightspots_web.directory.queries import heads, live_memberships, live_partnerships


def straddling_partnerships(area: Area, on: date | None = None) -> QuerySet[Partnership]:
    """Partnerships of a day with a school in the area, and a school or the leader's outside it.

    They are nobody's to change who acts for the area alone.
    """
    members = live_memberships(on).filter(partnership=OuterRef("pk"))
    inside = Q(school__area__path__startswith=area.path)
    return live_partnerships(on).filter(
        Exists(members.filter(inside)),
        Exists(members.exclude(inside))
        | Q(lead_school__isnull=False) & ~Q(lead_school__area__path__startswith=area.path),
    )


def heads_of(schools: Iterable[int]) -> QuerySet[Appointment]:
    """Who answers for these schools today: their heads, and system leaders who head one."""
    return heads().filter(school__in=list(schools)).select_related("person", "school")


def ends_on_record(day: date) -> dict[str, dict[str, str]]:
    """What ends on a day or later of live partnerships: memberships and appointments, by key.

    In JSON types, so that a plan that cuts them short can be called off without a loss.
    """
    live = live_partnerships().values("pk")
    kinds: dict[str, type[Membership] | type[Appointment]] = {
        "memberships": Membership, "appointments": Appointment,
    }  # fmt: skip
    return {
        name: {
            str(pk): ends.isoformat()
            for pk, ends in kind._default_manager.filter(
                partnership__in=live, ends__gte=day
            ).values_list("pk", "ends")
            if ends is not None
        }
        for name, kind in kinds.items()
    }


def area_by_key(key: int | None) -> Area | None:
    """An area, for jobs: whoever asked for the job was checked."""
    return Area.objects.filter(pk=key or 0).first()
