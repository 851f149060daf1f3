"""What stands behind an outcome on the school's page: groups of pupils, other ways, needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import hypot
from statistics import NormalDist
from typing import Any

from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.directory.models import School
from brightspots_web.insight import words
from brightspots_web.insight.models import Estimate, Run, Sensitivity, SubgroupFigure
from brightspots_web.insight.queries import Scale, Standing
from brightspots_web.insight.school_queries import Depth
from brightspots_web.shared import charts
from brightspots_web.shared.components import Cell, Column, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links

LONGEST = 24
"""Letters of a label that stand beside its figure on a phone."""
Row = dict[str, Any]


@dataclass(frozen=True)
class Drawn:
    """A picture and what it says."""

    chart: charts.Chart
    sentence: str


@dataclass(frozen=True)
class Behind:
    """What can be opened under one outcome."""

    sensitivity: Drawn | None
    groups: Sequence[Drawn]


def behind(place: int, standing: Standing, depth: Depth | None) -> Behind:
    if depth is None or standing.now is None:
        return Behind(None, ())
    return Behind(
        sensitivity(place, standing, depth.variants),
        [
            groups(f"groups-{place}-{at}", standing.scale, name, rows)
            for at, (name, rows) in enumerate(depth.groups)
        ],
    )


# Does the answer change?


def sensitivity(place: int, standing: Standing, variants: Sequence[Sensitivity]) -> Drawn | None:
    """The published figure first, then the same figure under other reasonable ways."""
    now, scale = standing.now, standing.scale
    if now is None or not variants:
        return None
    rows = [_row(_("as published"), now, scale)]
    rows += [_row(short(each), each, scale) for each in variants]
    chart = charts.intervals(
        key=f"sensitivity-{place}",
        title=_("Does the answer change if we reckon otherwise?"),
        rows=rows,
        unit=_("points"),
        digits=scale.digits,
    )
    return Drawn(chart, sensitivity_sentence(now, variants))


def sensitivity_sentence(now: Estimate, variants: Sequence[Sensitivity]) -> str:
    """In how many ways the answer stays, and which way changes it to what."""
    said = verdict(now)
    other = [each for each in variants if verdict(each) != said]
    stays = ngettext(
        "The answer stays the same in %(same)s of %(n)s other way of reckoning.",
        "The answer stays the same in %(same)s of %(n)s other ways of reckoning.",
        len(variants),
    ) % {"same": len(variants) - len(other), "n": len(variants)}
    changes = [
        {
            "above": _("It would be “higher than expected” %(way)s."),
            "below": _("It would be “lower than expected” %(way)s."),
            "unclear": _("Nobody could tell %(way)s."),
        }[verdict(each)]
        % {"way": way(each)}
        for each in other
    ]
    return " ".join([stays, *changes])


def verdict(row: Estimate | Sensitivity | SubgroupFigure) -> str:
    if row.lower > 0:
        return "above"
    return "below" if row.upper < 0 else "unclear"


def way(row: Sensitivity) -> str:
    return str(Sensitivity.Variant(row.variant).label)


def short(row: Sensitivity) -> str:
    """The same for a label beside a figure, on a phone."""
    variant = Sensitivity.Variant
    return {
        variant.NO_BACKGROUND.value: _("without background"),
        variant.PRIOR_ONLY.value: _("earlier results only"),
        variant.SCHOOL_MEAN.value: _("whole school's intake"),
        variant.HEAVY_TAILS.value: _("some very unusual"),
        variant.MISSING_PRIOR.value: _("missing results too"),
        variant.LATEST_YEAR.value: _("latest year alone"),
        variant.WITHOUT_LATEST.value: _("without latest year"),
    }.get(row.variant, way(row))


def _row(
    label: str, row: Estimate | Sensitivity | SubgroupFigure, scale: Scale, n: int | None = None
) -> charts.Estimate:
    # How many pupils another way counts would tell how many lack what it needs: not shown.
    value, lower, upper = (scale.points(each) for each in (row.estimate, row.lower, row.upper))
    return charts.Estimate(label, value, lower, upper, n)


# Groups of pupils


def groups(key: str, scale: Scale, dimension: str, rows: Sequence[SubgroupFigure]) -> Drawn:
    chart = charts.intervals(
        key=key,
        title=_("By %(circumstance)s") % {"circumstance": words.circumstance(dimension)},
        rows=[_row(Truncator(row.group).chars(LONGEST), row, scale, row.n) for row in rows],
        unit=_("points"),
        digits=scale.digits,
    )
    return Drawn(chart, groups_sentence(scale, rows))


def groups_sentence(scale: Scale, rows: Sequence[SubgroupFigure]) -> str:
    """Which groups differ for certain, allowing for all the pairs that could be looked at.

    Bonferroni: with k groups, each of the k (k - 1) / 2 pairs is asked at 5 % over that number.
    """
    if len(rows) < 2:
        return _("Only this group is large enough to be shown.")
    pairs = list(combinations(rows, 2))
    z = NormalDist().inv_cdf(1 - 0.025 / len(pairs))
    clear = []
    for one, other in pairs:
        more, less = sorted((one, other), key=lambda row: -row.estimate)
        apart = more.estimate - less.estimate
        half = z * hypot(more.se_comparative, less.se_comparative)
        if apart > half:
            clear.append(
                _(
                    "Here “%(more)s” gain more than “%(less)s”, each beside pupils like them "
                    "elsewhere: by %(low)s to %(high)s."
                )
                % {
                    "more": more.group,
                    "less": less.group,
                    "low": charts.number(scale.points(apart - half), scale.digits),
                    "high": words.points(scale, apart + half),
                }
            )
    if clear:
        return " ".join(clear)
    return _("These groups cannot be told apart: nobody should read a difference into the picture.")


def group_columns() -> list[ExportColumn]:
    return [
        ExportColumn("subject", _("Outcome")),
        ExportColumn("dimension", _("Told apart by")),
        ExportColumn("group", _("Group")),
        ExportColumn("estimate", _("Difference from pupils like them, points"), "number"),
        ExportColumn("lower", _("Lower end of the 95 % interval"), "number"),
        ExportColumn("upper", _("Upper end of the 95 % interval"), "number"),
        ExportColumn("observed", _("Mean score"), "number"),
        ExportColumn("n", _("Pupils"), "integer"),
    ]


def group_rows(standings: Sequence[Standing], depth: dict[str, Depth]) -> list[Row]:
    return [
        {
            "subject": each.subject,
            "dimension": words.circumstance(row.dimension),
            "group": row.group,
            **{name: each.scale.points(getattr(row, name)) for name in ENDS},
            "observed": row.observed,
            "n": row.n,
        }
        for each in standings
        if each.subject in depth
        for row in depth[each.subject].group_rows
    ]


ENDS = ("estimate", "lower", "upper")


def sensitivity_columns() -> list[ExportColumn]:
    return [
        ExportColumn("subject", _("Outcome")),
        ExportColumn("way", _("Way of reckoning")),
        ExportColumn("estimate", _("Difference from what is expected, points"), "number"),
        ExportColumn("lower", _("Lower end of the 95 % interval"), "number"),
        ExportColumn("upper", _("Upper end of the 95 % interval"), "number"),
    ]


def sensitivity_rows(standings: Sequence[Standing], depth: dict[str, Depth]) -> list[Row]:
    rows: list[Row] = []
    for each in standings:
        if each.now is None or each.subject not in depth:
            continue
        ways: list[tuple[str, Estimate | Sensitivity]] = [(_("as published"), each.now)]
        ways += [(way(row), row) for row in depth[each.subject].variants]
        rows += [
            {
                "subject": each.subject,
                "way": label,
                **{name: each.scale.points(getattr(row, name)) for name in ENDS},
            }
            for label, row in ways
        ]
    return rows


# Where help would be well spent


def need_columns() -> list[ExportColumn]:
    return [
        ExportColumn("subject", _("Outcome")),
        ExportColumn("probability", _("Chance that help is needed, 0 to 1"), "number"),
        ExportColumn("delta", _("That is: this many points or more below"), "number"),
        ExportColumn("gap", _("Below what is expected, points"), "number"),
        ExportColumn("pupils", _("Pupils a year who would gain"), "integer"),
    ]


def need_rows(standings: Sequence[Standing], run: Run | None) -> list[Row]:
    outcomes = run.summary.get("outcomes", {}) if run else {}
    return [
        {
            "subject": each.subject,
            "probability": each.now.need_probability,
            "delta": each.scale.points(outcomes.get(each.subject, {}).get("delta")),
            "gap": each.scale.points(each.now.gap),
            "pupils": None if each.now.pupils_touched is None else round(each.now.pupils_touched),
            "digits": each.scale.digits,
        }
        for each in standings
        if each.now is not None and each.now.need_probability is not None
    ]


def needs_table(school: School, standings: Sequence[Standing], run: Run | None) -> Table | None:
    """Outcome by outcome, in the pages' order: never by how large a need is."""
    found = need_rows(standings, run)
    if not found:
        return None
    rows: list[list[Cell]] = [
        [
            row["subject"],
            words.chance(row["probability"]),
            words.points_of(row["gap"], row["digits"]) if row["gap"] else _("none"),
            row["pupils"],
        ]
        for row in found
    ]
    labels = (
        _("Outcome"), _("Chance that help is needed"), _("Below what is expected"),
        _("Pupils a year who would gain"),
    )  # fmt: skip
    return Table(
        _("Where help would be well spent"),
        [Column(label, numeric=place > 1) for place, label in enumerate(labels)],
        rows,
        exports=export_links("home:school_needs", school.code),
    )


def needs_note(standings: Sequence[Standing], run: Run | None) -> str:
    """What counts as a need, in points of each outcome."""
    parts = [
        _("%(subject)s %(points)s")
        % {"subject": row["subject"], "points": words.points_of(row["delta"], row["digits"])}
        for row in need_rows(standings, run)
        if row["delta"] is not None
    ]
    if not parts:
        return ""
    return _(
        "Help is needed where pupils reach this much less than is expected of a school in these "
        "circumstances, or lower still: %(points)s. It says where a neighbour's help would be well "
        "spent, and nothing about how hard people here work."
    ) % {"points": ", ".join(parts)}
