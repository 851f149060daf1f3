"""How a practice travelled: the tree, the same as a list, what it comes to, the file."""

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.connectedness import practice_lineage_queries as lineage
from brightspots_web.connectedness.models import Practice, PracticeAdoption
from brightspots_web.connectedness.practice_lineage_queries import MOST_DRAWN, Step
from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment
from brightspots_web.shared import charts
from brightspots_web.shared.charts.lineage import State
from brightspots_web.shared.components import KeyFigure
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links

Row = dict[str, Any]


def part(practice: Practice, acting: Appointment | None) -> Row:
    """The part of a practice's page that tells how it travelled."""
    steps = lineage.lineage(lineage.adoptions_of(practice))
    drawn = steps[:MOST_DRAWN]
    return {
        "tree": tree(practice, drawn, acting) if steps else None,
        "tree_list": as_list(practice, drawn) if steps else "",
        "tree_more": _more(len(steps) - len(drawn)),
        "journey_figures": figures(practice, steps),
        "through": through(steps),
        "stopped": [stopped_words(each.adoption) for each in steps if each.adoption.stopped_on],
        "changes": [
            (each.adoption.school.name, each.adoption.adapted)
            for each in drawn
            if each.adoption.adapted
        ],
        "journey_exports": export_links("connectedness:practice_schools_export", practice.code)
        if steps
        else [],
    }


def tree(
    practice: Practice, steps: Sequence[Step], acting: Appointment | None
) -> charts.Chart:  # fmt: skip
    """The source, then each school below the one it learned from."""
    keys = [practice.school_id, *(each.adoption.school_id for each in steps)]
    seen = set(
        directory.schools_visible_to(acting).filter(pk__in=keys).values_list("pk", flat=True)
    )
    place = {None: 0} | {each.adoption.pk: at for at, each in enumerate(steps, start=1)}
    source = practice.school
    branches = [
        charts.Branch(
            source.name,
            _("comes from here"),
            "source",
            href=_href(source.code) if source.pk in seen else "",
        )
    ]
    for each in steps:
        adoption = each.adoption
        branches.append(
            charts.Branch(
                adoption.school.name,
                short_words(adoption),
                state_of(adoption),
                place[adoption.source_id],
                _href(adoption.school.code) if adoption.school_id in seen else "",
            )
        )
    return charts.lineage(key="lineage", title=_("How it travelled"), branches=branches)


def _href(code: str) -> str:
    return reverse("home:school", args=[code])


def state_of(adoption: PracticeAdoption) -> State:
    if adoption.stopped_on is not None:
        return "stopped"
    return "changed" if adoption.adapted else "kept"


def short_words(adoption: PracticeAdoption) -> str:
    """`since March 2024, with a change`."""
    since = date_format(adoption.on, "M Y")
    if adoption.stopped_on is not None:
        return _("{since} to {until}").format(
            since=since, until=date_format(adoption.stopped_on, "M Y")
        )
    if adoption.adapted:
        return _("since {since}, changed").format(since=since)
    return _("since {since}").format(since=since)


def as_list(practice: Practice, steps: Sequence[Step]) -> SafeString:
    """The tree as lists inside lists, for who does not see it; without recursion."""
    parts = [format_html("<ul><li>{}", practice.school.name)]
    deep = 0
    for each in steps:
        while deep >= each.generation:
            parts.append(SafeString("</li></ul>"))
            deep -= 1
        parts.append(format_html("<ul><li>{}", told(each)))
        deep += 1
    parts.append(SafeString("</li></ul>" * (deep + 1)))
    return SafeString("".join(parts))


def told(step: Step) -> str:
    """One school in a sentence."""
    adoption = step.adoption
    words = _("{school}, since {day}").format(
        school=adoption.school.name, day=date_format(adoption.on)
    )
    if adoption.adapted:
        words += "; " + _("what it does otherwise: {change}").format(change=adoption.adapted)
    if adoption.stopped_on is not None:
        words += "; " + _("stopped on {day}: {why}").format(
            day=date_format(adoption.stopped_on), why=adoption.stopped_why
        )
    return words


def stopped_words(adoption: PracticeAdoption) -> str:
    assert adoption.stopped_on is not None
    return _("{school}, {day}: {why}").format(
        school=adoption.school.name, day=date_format(adoption.stopped_on), why=adoption.stopped_why
    )


def _more(n: int) -> str:
    if n <= 0:
        return ""
    return ngettext(
        "%(n)s more school is in the file.", "%(n)s more schools are in the file.", n
    ) % {"n": charts.number(n, 0)}  # fmt: skip


def through(steps: Sequence[Step]) -> list[str]:
    """Through whom it went on: every school that others learned from, in the order of the tree."""
    return [
        ngettext(
            "%(school)s passed it on to %(n)s school",
            "%(school)s passed it on to %(n)s schools",
            each.passed_on,
        )
        % {"school": each.adoption.school.name, "n": charts.number(each.passed_on, 0)}
        for each in steps
        if each.passed_on
    ]


def figures(practice: Practice, steps: Sequence[Step]) -> list[KeyFigure]:
    """Schools reached from the one source school, and how many still use it."""
    today = _("as of {day}").format(day=date_format(directory.today()))
    still = sum(each.adoption.stopped_on is None for each in steps)
    first = sum(each.generation == 1 for each in steps)
    return [
        KeyFigure(
            _("Multiplier"),
            charts.number(len(steps), 0),
            _("schools"),
            as_of=today,
            sentence=_(
                "So many were reached from one school: {first} learned from {school} itself, "
                "{others} from schools after it."
            ).format(
                first=charts.number(first, 0),
                school=practice.school.name,
                others=charts.number(len(steps) - first, 0),
            ),
        ),
        KeyFigure(
            _("Still in use"),
            charts.number(still, 0),
            _("schools"),
            n=len(steps),
            n_of=_("schools took it up"),
            as_of=today,
        ),
    ]


def school_columns() -> list[ExportColumn]:
    return [
        ExportColumn("code", _("Code")),
        ExportColumn("school", _("School")),
        ExportColumn("area", _("Area")),
        ExportColumn("source_code", _("Code of the school it learned from")),
        ExportColumn("source", _("Learned from")),
        ExportColumn("generation", _("Steps from the source"), "integer"),
        ExportColumn("on", _("Since"), "date"),
        ExportColumn("adapted", _("What it does otherwise")),
        ExportColumn("passed_on", _("Schools that learned from it"), "integer"),
        ExportColumn("stopped", _("Stopped on"), "date"),
        ExportColumn("why", _("Why it stopped")),
    ]


def school_rows(practice: Practice) -> list[Row]:
    """Every school of the lineage, the drawn ones and the others."""
    rows: list[Row] = []
    for step in lineage.lineage(lineage.adoptions_of(practice)):
        adoption = step.adoption
        source = adoption.source.school if adoption.source else practice.school
        rows.append(
            {
                "code": adoption.school.code,
                "school": adoption.school.name,
                "area": adoption.school.area.name,
                "source_code": source.code,
                "source": source.name,
                "generation": step.generation,
                "on": adoption.on,
                "adapted": adoption.adapted,
                "passed_on": step.passed_on,
                "stopped": adoption.stopped_on,
                "why": adoption.stopped_why,
            }
        )
    return rows
