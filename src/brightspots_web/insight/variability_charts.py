"""How different results are, and at which tier of the system the differences lie."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.insight import queries
from brightspots_web.insight.models import Run, Variance
from brightspots_web.shared import charts

TELLING = 5
"""Fewer areas cannot tell how much lies between them: their interval runs from nothing to all."""


def shares_chart(subject: str, run: Run | None) -> charts.Chart | None:
    """Where the differences between pupils' results lie: areas, schools, within schools."""
    rows = [row for row in queries.variability(subject, run) if row.year is None]
    if not rows:
        rows = queries.variability(subject, run)
        newest = max((row.year or 0 for row in rows), default=0)
        rows = [row for row in rows if (row.year or 0) == newest]
    rows = [row for row in rows if tells(row)]
    if not rows:
        return None
    parts = [charts.Share(tier_label(row.tier), row.share) for row in rows]
    return charts.shares(key="shares", title=_("Where the differences lie"), parts=parts)


def trend_chart(subject: str, run: Run | None) -> charts.Chart | None:
    """How large the differences are from year to year, at each tier above the pupil."""
    by_tier: dict[str, list[charts.Estimate]] = {}
    for row in queries.variability(subject, run):
        if row.year is None or row.tier == "pupil" or not tells(row):
            continue
        by_tier.setdefault(row.tier, []).append(
            charts.Estimate(
                label=str(row.year),
                value=100 * row.share,
                lower=100 * row.lower if row.lower is not None else None,
                upper=100 * row.upper if row.upper is not None else None,
            )
        )
    series = [
        charts.Series(tier_label(tier), tuple(sorted(points, key=lambda p: p.label)))
        for tier, points in list(by_tier.items())[:4]
    ]
    if not series or len(series[0].points) < 2:
        return None
    return charts.trend(
        key="variability",
        title=_("Differences from year to year"),
        series=series,
        unit=_("% of all differences"),
        signed=False,
        baseline=0.0,
        digits=0,
    )


def trend_caption(subject: str, run: Run | None) -> str:
    """What the trend shows, and which tier it leaves out because too few areas cannot tell."""
    words = _("The share of all differences at each tier. Bars show where it very likely lies.")
    few = {row.tier: row.units for row in queries.variability(subject, run) if not tells(row)}
    left_out = [
        ngettext(
            "How much lies {where} is not shown: {n} area cannot tell.",
            "How much lies {where} is not shown: {n} areas are too few to tell.",
            units,
        ).format(where=tier_label(tier), n=charts.number(units, 0))
        for tier, units in few.items()
    ]
    return " ".join([words, *left_out])


def tells(row: Variance) -> bool:
    """Whether the tier has enough areas; a tier whose number is not on record is believed."""
    return not row.tier.startswith("area") or not 0 < row.units < TELLING


def tier_column(tier: str) -> str:
    """The tier at the head of a column."""
    if tier == "pupil":
        return _("Within schools")
    if tier == "school":
        return _("Schools of an area")
    level = tier.partition(":")[2]
    return _("Largest areas") if level in {"", "1"} else _("Smaller areas")


def tier_label(tier: str) -> str:
    if tier == "pupil":
        return _("between pupils of the same school")
    if tier == "school":
        return _("between schools of the same area")
    level = tier.partition(":")[2]
    if level in {"", "1"}:
        return _("between the largest areas")
    return _("between smaller areas")
