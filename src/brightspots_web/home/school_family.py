"""The schools like this one: who they are, how alike, and no results of anybody."""

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from brightspots_web.directory import queries as directory
from brightspots_web.directory.models import Appointment, School
from brightspots_web.insight import words
from brightspots_web.insight.models import Run
from brightspots_web.insight.school_queries import FamilyTable, Likeness, family_table
from brightspots_web.shared import charts
from brightspots_web.shared.components import Cell, Column, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links

FAR = 0.25
"""Standard deviations from its family's mean at which a school is no longer quite like it."""
MOST = 0.5
"""Share of a family of another kind at which a school is not like it in that."""
Row = dict[str, Any]


def page(school: School, acting: Appointment | None, run: Run | None) -> Row:
    """The page of a school's family; the caller has checked that the school may be opened."""
    found = family_table(school, run)
    seen: set[str] = set()
    if found is not None:
        keys = [each.school.pk for each in found.kin]
        visible = directory.schools_visible_to(acting).filter(pk__in=keys)
        seen = set(visible.values_list("code", flat=True))
    return {
        "school": school,
        "ours": acting is not None and acting.school_id == school.pk,
        "run": run,
        "breadcrumb": [
            Link(school.name, reverse("home:school", args=[school.code])),
            Link(_("Schools like this one")),
        ],
        "as_of": words.as_of(run) if run else "",
        "made_url": reverse("insight:run", args=[run.uuid]) if run else "",
        "likeness": _likeness_table(found) if found else None,
        "likeness_sentence": likeness_sentence(found.likeness) if found else "",
        "table": _members_table(school, found, seen) if found else None,
        "count": len(found.kin) if found else 0,
    }


def likeness_sentence(likeness: Sequence[Likeness]) -> str:
    """Where the school is not like its family, said plainly."""
    far = [each for each in likeness if abs(each.difference or 0.0) > (MOST if each.kinds else FAR)]
    if not likeness:
        return ""
    if not far:
        return _("In every circumstance the family is close: a fair group to learn from.")
    names = ", ".join(words.circumstance(each.name) for each in far)
    return _(
        "Few schools are quite like this one in: %(names)s. There the family differs by more than "
        "a quarter of a standard deviation, or most of it is of another kind; keep that in mind "
        "beside every comparison."
    ) % {"names": names}


def _likeness_table(found: FamilyTable) -> Table:
    rows: list[list[Cell]] = [
        [
            words.circumstance(each.name),
            _shown(each.ours),
            _("mostly %(kind)s") % {"kind": each.family}
            if each.kinds and each.family is not None
            else _shown(each.family),
            _apart(each),
        ]
        for each in found.likeness
    ]
    return Table(
        _("How alike they are"),
        [
            Column(_("Circumstance")),
            Column(_("This school"), numeric=True),
            Column(_("Its family"), numeric=True),
            Column(_("Apart, in standard deviations of all schools"), numeric=True),
        ],
        rows,
        empty=_("No circumstances are on record."),
    )


def _apart(each: Likeness) -> Cell:
    if each.difference is None:
        return None
    if each.kinds:
        return _("%(share)s%% of them are of another kind") % {
            "share": charts.number(100 * each.difference, 0)
        }
    return charts.number(each.difference, 2, signed=True)


def _members_table(school: School, found: FamilyTable, seen: set[str]) -> Table:
    rows: list[list[Cell]] = [
        [
            Link(each.school.name, reverse("home:school", args=[each.school.code]))
            if each.school.code in seen
            else each.school.name,
            each.school.area.name,
            *[_shown(value) for value in each.circumstances],
            None if each.km is None else charts.number(each.km, 0),
        ]
        for each in found.kin
    ]
    numeric = [not each.kinds for each in found.likeness]
    return Table(
        _("The schools, by name"),
        [
            Column(_("School")),
            Column(_("Area")),
            *[
                Column(_capital(words.circumstance(name)), numeric=number)
                for name, number in zip(found.columns, numeric, strict=True)
            ],
            Column(_("Away, km"), numeric=True),
        ],
        rows,
        exports=export_links("home:school_family_export", school.code),
        empty=_("No school is like this one yet."),
    )


def columns(found: FamilyTable | None) -> list[ExportColumn]:
    names = found.columns if found else ()
    return [
        ExportColumn("code", _("Code")),
        ExportColumn("school", _("School")),
        ExportColumn("area", _("Area")),
        *[ExportColumn(name, _capital(words.circumstance(name))) for name in names],
        ExportColumn("km", _("Away, km"), "number"),
    ]


def rows(school: School, found: FamilyTable | None) -> list[Row]:
    """The school itself first, then its family by name."""
    if found is None:
        return []
    own: Row = {
        "code": school.code,
        "school": school.name,
        "area": school.area.name,
        **dict(zip(found.columns, found.ours, strict=True)),
    }
    return [
        own,
        *(
            {
                "code": each.school.code,
                "school": each.school.name,
                "area": each.school.area.name,
                **dict(zip(found.columns, each.circumstances, strict=True)),
                "km": None if each.km is None else round(each.km, 1),
            }
            for each in found.kin
        ),
    ]


def _shown(value: Any) -> Cell:
    if isinstance(value, float):
        return charts.number(value, 0 if value.is_integer() or abs(value) >= 100 else 1)
    return value if isinstance(value, str | int) else None


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
