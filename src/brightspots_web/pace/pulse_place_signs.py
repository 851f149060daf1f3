"""Early signs of stages and powers: support that ended before a place was ready, and waiting."""

from collections.abc import Sequence

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Area
from brightspots_web.pace import power_queries as powers
from brightspots_web.pace import pulse_queries as queries
from brightspots_web.pace import stage_queries as stages
from brightspots_web.pace.power_queries import AreaTerm
from brightspots_web.pace.pulse_signs import Sign, register
from brightspots_web.pace.stage_place_queries import AREA
from brightspots_web.shared.charts import number
from brightspots_web.shared.permissions import Capability, may
from brightspots_web.shared.words import day

NAMED = 3
"""So many areas are named on the ministry's page."""


@register
def of_places(acting: Appointment, area: Area | None) -> Sequence[Sign]:
    """The signs of an area, or of all areas together, in the cycle that runs."""
    cycle = stages.cycle_now()
    if cycle is None or not may(acting, Capability.SEE_AREA):
        return []
    whole = area is None or area.parent_id is None
    areas = queries.areas_seen(acting) if area is None or whole else [area]
    if not areas:
        return []
    found = list(zip(areas, powers.area_terms(acting, areas, [cycle], inside=False), strict=True))
    left = [(each, term) for each, term in found if term.abandoned and term.support_ended]
    waits = [(each, term) for each, term in found if term.held_back]
    signs = []
    if left:
        signs.append(_left_alone(left, len(areas), whole=whole))
    if waits:
        signs.append(_held_back(waits, len(areas), whole=whole))
    return signs


def _left_alone(found: list[tuple[Area, AreaTerm]], n: int, *, whole: bool) -> Sign:
    schools = sum(term.support_ended for _area, term in found)
    if whole:
        said = ngettext(
            "In {k} of {n} areas that was not found ready: {names}.",
            "In {k} of {n} areas that were not found ready: {names}.",
            n,
        ).format(k=number(len(found), 0), n=number(n, 0), names=_names(found))
    else:
        said = _("{area} was not found ready yet.").format(area=found[0][0].name)
    many = ngettext(
        "Support of {schools} of {all} schools ended in this cycle, and none goes on ({day}).",
        "Support of {schools} of {all} schools ended in this cycle, and none goes on ({day}).",
        schools,
    ).format(schools=number(schools, 0), all=number(_schools(found), 0), day=day(directory.today()))
    return Sign(
        kind="support_ended_not_ready",
        heading=_("Support ended before places were ready"),
        text=f"{said} {many}",
        step=_("Ask whether support should go on until the area is found ready."),
        url=_url(found, whole=whole),
        link=_("Readiness and powers"),
    )


def _held_back(found: list[tuple[Area, AreaTerm]], n: int, *, whole: bool) -> Sign:
    since = min(term.waiting_since for _area, term in found if term.waiting_since is not None)
    if whole:
        said = _("{k} of {n} areas, the longest since {since} ({day}): {names}.").format(
            k=number(len(found), 0), n=number(n, 0), since=day(since),
            day=day(directory.today()), names=_names(found),
        )  # fmt: skip
    else:
        held = len(found[0][1].powers)
        said = ngettext(
            "{area} is found ready, holds {held} power, and nothing has moved since {since} "
            "({day}).",
            "{area} is found ready, holds {held} powers, and nothing has moved since {since} "
            "({day}).",
            held,
        ).format(
            area=found[0][0].name, held=number(held, 0), since=day(since),
            day=day(directory.today()),
        )  # fmt: skip
    return Sign(
        kind="ready_and_held_back",
        heading=_("Ready, and still waiting for powers"),
        text=said,
        step=_("Offer the next power with a date, or say what is still missing."),
        url=_url(found, whole=whole),
        link=_("Readiness and powers"),
    )


def _names(found: list[tuple[Area, AreaTerm]]) -> str:
    names = [each.name for each, _term in found]
    more = len(names) - NAMED
    shown = ", ".join(names[:NAMED])
    return _("{names} and {n} more").format(names=shown, n=number(more, 0)) if more > 0 else shown


def _schools(found: list[tuple[Area, AreaTerm]]) -> int:
    return sum(
        directory.open_schools().filter(directory.within(each)).count() for each, _term in found
    )


def _url(found: list[tuple[Area, AreaTerm]], *, whole: bool) -> str:
    if whole:
        return reverse("pace:powers")
    return reverse("pace:powers_of", args=[AREA, found[0][0].pk])
