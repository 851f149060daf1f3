"""What a school's page says of where the school came from and who carries it on."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.directory import queries as directory
from brightspots_web.directory import succession_queries as successions
from brightspots_web.directory.models import Appointment, School
from brightspots_web.shared.components import Link
from brightspots_web.shared.permissions import Capability, may
from brightspots_web.shared.words import day


@dataclass(frozen=True)
class History:
    """Where a school came from and where it went; links only where they may be opened."""

    closing: str
    """One sentence; "" for a school that stays."""
    after: tuple[Link, ...]
    before: tuple[Link, ...]
    close_url: str
    """Where it is written down that the school closes; "" for who may not."""


def sentence(school: School) -> str:
    """When the school closes or closed, and who carries on."""
    assert school.closed is not None
    past = school.closed <= directory.today()
    names = ", ".join(each.name for each in successions.successors_of(school, school.closed))
    if names and past:
        text = _("{school} closed on {day}. Its work is carried on by {names}.")
    elif names:
        text = _("{school} closes on {day}. Its work will be carried on by {names}.")
    elif past:
        text = _("{school} closed on {day}.")
    else:
        text = _("{school} closes on {day}.")
    return text.format(school=school.name, day=day(school.closed), names=names)


def history_of(school: School, acting: Appointment | None) -> History:
    """What is on record; the caller has checked that the school may be opened."""
    links = list(successions.links_of([school]))
    others = {
        each.pk: each
        for link in links
        for each in (link.predecessor, link.successor)
        if each.pk != school.pk
    }
    seen = (
        set(directory.schools_visible_to(acting).filter(pk__in=others).values_list("pk", flat=True))
        if others
        else set()
    )

    def link(other: School) -> Link:
        url = reverse("home:school", args=[other.code]) if other.pk in seen else ""
        return Link(other.name, url)

    return History(
        closing=sentence(school) if school.closed else "",
        after=tuple(link(each.successor) for each in links if each.predecessor_id == school.pk),
        before=tuple(link(each.predecessor) for each in links if each.successor_id == school.pk),
        close_url=reverse("connectedness:close_school", args=[school.code])
        if school.closed is None and may(acting, Capability.APPOINT)
        else "",
    )
