"""Practices a school gave and took, for the school's own page."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.connectedness import practice_lineage_queries as lineage
from brightspots_web.connectedness import practice_pages as pages
from brightspots_web.connectedness import practice_queries as queries
from brightspots_web.connectedness.models import PracticeAdoption
from brightspots_web.directory.models import Appointment, School
from brightspots_web.shared import charts
from brightspots_web.shared.components import Link


@dataclass(frozen=True)
class Line:
    """A practice with its page, and what is said of it."""

    practice: Link
    words: str


@dataclass(frozen=True)
class OfSchool:
    """What a school gave and took; giving and taking count the same."""

    given: list[Line]
    taken: list[Line]
    library_url: str
    write_url: str
    """Where one is written up; "" for those who may not write for this school."""


def of_school(school: School, acting: Appointment | None) -> OfSchool:
    """The caller has checked that the school may be opened."""
    library, write = reverse("connectedness:practices"), reverse("connectedness:practice_write")
    query = urlencode({"school": school.code})
    return OfSchool(
        [
            Line(Link(each.practice.title, pages.url(each.practice)), _given(each.schools))
            for each in lineage.given_by(school)
        ],
        [
            Line(Link(each.practice.title, pages.url(each.practice)), _taken(each))
            for each in lineage.taken_by(school)
        ],
        library,
        f"{write}?{query}" if queries.may_write_for(acting, school) else "",
    )


def _given(schools: int) -> str:
    if not schools:
        return _("taken up by no school yet")
    return ngettext(
        "reached %(n)s school", "reached %(n)s schools", schools
    ) % {"n": charts.number(schools, 0)}  # fmt: skip


def _taken(adoption: PracticeAdoption) -> str:
    source = adoption.source.school if adoption.source else adoption.practice.school
    return _("from {school}, since {day}").format(
        school=source.name, day=date_format(adoption.on, "M Y")
    )
