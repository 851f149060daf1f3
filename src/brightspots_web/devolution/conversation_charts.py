"""What is drawn on the page of a data conversation, in points of the test itself."""

from collections.abc import Sequence

from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.devolution.conversation_queries import Said
from brightspots_web.directory.models import School
from brightspots_web.insight.models import Estimate
from brightspots_web.insight.partnership_queries import Figures
from brightspots_web.insight.queries import Scale
from brightspots_web.shared import charts


def names_of(schools: Sequence[School]) -> dict[int, str]:
    """School's key -> name, with the code where two share a name."""
    names = [school.name for school in schools]
    return {
        each.pk: each.name if names.count(each.name) == 1 else f"{each.name} ({each.code})"
        for each in schools
    }


def _drawn(scale: Scale, row: Estimate | None, label: str) -> charts.Estimate:
    if row is None:
        return charts.Estimate(label, None)
    return charts.Estimate(
        label, scale.points(row.estimate), scale.points(row.lower), scale.points(row.upper), row.n
    )


def strengths(figures: Figures, key: str) -> charts.Chart:
    """Each school's lasting figure with how sure it is, by name."""
    names = names_of(figures.members)
    rows = [
        _drawn(figures.scale, figures.now.get(each.pk), names[each.pk]) for each in figures.members
    ]
    return charts.intervals(
        key=key,
        title=_("Strengths and needs of our schools"),
        rows=rows,
        unit=_("points"),
        digits=figures.scale.digits,
    )


def years(figures: Figures, key: str) -> charts.Chart | None:
    """How each school went from year to year; None where there is one year only."""
    if len({row.year for rows in figures.by_year.values() for row in rows}) < 2:
        return None
    names = names_of(figures.members)
    panels = [
        charts.Series(
            names[each.pk],
            tuple(_drawn(figures.scale, row, str(row.year)) for row in figures.by_year[each.pk]),
        )
        for each in figures.members
        if each.pk in figures.by_year
    ]
    return charts.multiples(
        key=key,
        title=_("From year to year"),
        panels=panels,
        unit=_("points"),
        digits=figures.scale.digits,
    )


def together(said: Sequence[Said], seen: set[int]) -> charts.Chart | None:
    """The grid of all schools by all priorities that figures speak of; None for one alone."""
    with_figures = [each for each in said if each.figures is not None and each.figures.now]
    if len(with_figures) < 2:
        return None
    members = with_figures[0].figures.members if with_figures[0].figures else ()
    names = names_of(members)
    cells = {
        (names[key], each.priority.title): _drawn(each.figures.scale, row, each.priority.title)
        for each in with_figures
        if each.figures is not None
        for key, row in each.figures.now.items()
    }
    return charts.strengths_grid(
        key="together",
        title=_("All our priorities side by side"),
        members=[
            (names[s.pk], reverse("home:school", args=[s.code]) if s.pk in seen else "")
            for s in members
        ],
        priorities=[each.priority.title for each in with_figures],
        cells=cells,
        digits=max(each.figures.scale.digits for each in with_figures if each.figures),
    )
