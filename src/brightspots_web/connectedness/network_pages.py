"""What the page of who helps whom shows: the map, the drawing by name, the list, the files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.paginator import Page
from django.urls import reverse
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.connectedness import network_queries as queries
from brightspots_web.connectedness.network_queries import Help
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, Area, School
from brightspots_web.shared import charts
from brightspots_web.shared.exports import Column as ExportColumn

Row = dict[str, Any]


@dataclass
class Side:
    """A school in the list: what it gives and what it receives, side by side."""

    school: School
    url: str
    gives: list[str] = field(default_factory=list)
    receives: list[str] = field(default_factory=list)


def drawings(found: Sequence[Help], acting: Appointment | None, area: Area | None) -> Row:
    """The map and the drawing by name; the drawing is None where too many names would stand."""
    schools = {s.pk: s for each in found for s in (each.giving, each.receiving)}
    seen = queries.seen_among(acting, schools)
    helpers = [
        charts.Helper(
            key=school.code,
            label=school.name,
            latitude=school.latitude,
            longitude=school.longitude,
            href=_url(school, seen),
        )
        for school in schools.values()
    ]
    arrows = [
        charts.Arrow(each.giving.code, each.receiving.code, each.kind, each.what) for each in found
    ]
    title = _("Who helps whom")
    fits = charts.helping_fits(arrows)
    return {
        "map": charts.help_map(
            key="help-map",
            title=_("Who helps whom, on the map"),
            schools=helpers,
            arrows=arrows,
            outlines=_outlines(acting, area),
        ),
        "drawing": charts.helping(key="help", title=title, schools=helpers, arrows=arrows)
        if fits and arrows
        else None,
        "too_many": not fits,
    }


def _url(school: School, seen: set[int]) -> str:
    return reverse("home:school", args=[school.code]) if school.pk in seen else ""


def _outlines(acting: Appointment | None, area: Area | None) -> list[charts.Area]:
    place = area or (acting.area if acting else None)
    inner = directory.inner_areas(acting, place) or ([place] if place else [])
    return [
        charts.Area(label=each.name, rings=charts.rings_of(each.outline))
        for each in inner
        if each.outline
    ]


def schools_in(found: Sequence[Help]) -> list[School]:
    """The schools of the picture, by name."""
    schools = {s.pk: s for each in found for s in (each.giving, each.receiving)}
    return sorted(schools.values(), key=lambda school: (school.name, school.code))


def sides(page: Page[School], found: Sequence[Help], acting: Appointment | None) -> list[Side]:
    """Each school of the page with what it gives and what it receives, by name."""
    seen = queries.seen_among(acting, [school.pk for school in page])
    listed = {school.pk: Side(school, _url(school, seen)) for school in page}
    for each in found:
        words = _("{school}: {what}")
        if each.giving.pk in listed:
            listed[each.giving.pk].gives.append(
                words.format(school=each.receiving.name, what=_what(each))
            )
        if each.receiving.pk in listed:
            listed[each.receiving.pk].receives.append(
                words.format(school=each.giving.name, what=_what(each))
            )
    return list(listed.values())


def _what(each: Help) -> str:
    kind = charts.kind_label(each.kind)
    return _("{what} ({kind}, from {date})").format(
        what=each.what, kind=kind, date=formats.date_format(each.starts, "DATE_FORMAT")
    )


def summary(found: Sequence[Help]) -> str:
    """How much there is, giving and receiving named alike."""
    if not found:
        return ""
    giving = len({each.giving.pk for each in found})
    receiving = len({each.receiving.pk for each in found})
    both = len({each.giving.pk for each in found} & {each.receiving.pk for each in found})
    parts = [
        ngettext("{n} school gives.", "{n} schools give.", giving),
        ngettext("{n} school receives.", "{n} schools receive.", receiving),
        ngettext("{n} of them does both.", "{n} of them do both.", both),
    ]
    numbers = (giving, receiving, both)
    shown = [
        words.format(n=charts.number(n, 0)) for words, n in zip(parts, numbers, strict=True) if n
    ]
    arrow = _("An arrow leads from the school that gives to the one that receives.")
    return " ".join([*shown, arrow])


def columns() -> list[ExportColumn]:
    return [
        ExportColumn("giving_code", _("Code of the school that gives")),
        ExportColumn("giving", _("Gives")),
        ExportColumn("receiving_code", _("Code of the school that receives")),
        ExportColumn("receiving", _("Receives")),
        ExportColumn("kind", _("Kind")),
        ExportColumn("what", _("What")),
        ExportColumn("starts", _("From"), "date"),
        ExportColumn("ends", _("Until"), "date"),
    ]


def rows(found: Sequence[Help]) -> Iterator[Row]:
    for each in found:
        yield {
            "giving_code": each.giving.code,
            "giving": each.giving.name,
            "receiving_code": each.receiving.code,
            "receiving": each.receiving.name,
            "kind": charts.kind_label(each.kind),
            "what": each.what,
            "starts": each.starts,
            "ends": each.ends,
        }
