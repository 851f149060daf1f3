"""How much schools differ and whether it is closing, in plain words; "cannot tell" included."""

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.insight import words
from brightspots_web.insight.models import SpreadTrend, Variance
from brightspots_web.insight.queries import Scale
from brightspots_web.insight.variability_queries import Figure, Spread
from brightspots_web.shared.charts import number

FEWEST_YEARS = 3
"""Of two years nobody can tell a direction from a wobble."""


def spread(each: Spread, place: str) -> str:
    """How far apart the schools of a place truly are."""
    if each.withheld:
        return withheld()
    figure = each.all_years
    if figure is None or figure.spread is None:
        return _("There is no figure of {place} for this outcome in the present analysis.").format(
            place=place
        )
    said = _(
        "A typical difference between a school here and the middle of {place} is {points}, chance "
        "taken out."
    ).format(place=place, points=words.points(each.scale, figure.spread))
    return f"{said} {_range(each.scale, figure)}"


def shares(rows: Sequence[Variance]) -> str:
    """The two tiers that everybody can do something about, with how sure that is."""
    by_tier = {row.tier: row for row in rows}
    school, pupil = by_tier.get("school"), by_tier.get("pupil")
    if school is None or pupil is None:
        return ""
    said = _(
        "{within} of all differences between pupils lie within schools, {between} between schools "
        "of the same area."
    ).format(within=percent(pupil.share), between=percent(school.share))
    if school.lower is None or school.upper is None:
        return said
    likely = _("That which lies between schools is likely between {low} and {high}.").format(
        low=percent(school.lower), high=percent(school.upper)
    )
    return f"{said} {likely}"


def _range(scale: Scale, figure: Figure) -> str:
    if figure.spread_lower is None:
        return _("How sure that is was not worked out.")
    low = words.points(scale, figure.spread_lower)
    if figure.spread_upper is None:
        return _("It is {low} at least; these schools set no upper limit to it.").format(low=low)
    high = words.points(scale, figure.spread_upper)
    if figure.spread_lower * scale.pupil_sd < 0.5 * 10**-scale.digits:
        return _(
            "It may be nothing at all, or as much as {high}: that the schools differ cannot be "
            "told for certain."
        ).format(high=high)
    return _("It is likely between {low} and {high}.").format(
        low=number(scale.points(figure.spread_lower), scale.digits), high=high
    )


def withheld() -> str:
    return _(
        "Too few schools or pupils for a figure to be shown, or a figure beside it that could be "
        "worked out from this one."
    )


def interval(scale: Scale, lower: float | None, upper: float | None) -> str:
    """`1.2 to 3.4`; an open end is said to be open."""
    if lower is None:
        return _("not known")
    low = number(scale.points(lower), scale.digits)
    if upper is None:
        return _("{low} and more").format(low=low)
    return _("{low} to {high}").format(low=low, high=number(scale.points(upper), scale.digits))


def closing(scale: Scale, trend: SpreadTrend | None, years: int, *, withheld: bool = False) -> str:
    """Whether differences are closing, in a sentence that says how sure that is."""
    if trend is None or trend.lower is None or trend.upper is None:
        if withheld:
            return _("Whether it is closing is not shown: too few schools or pupils in a year.")
        if years < FEWEST_YEARS:
            return ngettext(
                "Whether it is closing cannot be told from {n} year: it takes three at least.",
                "Whether it is closing cannot be told from {n} years: it takes three at least.",
                years,
            ).format(n=number(years, 0))
        return _("Whether it is closing has not been worked out.")
    span = {"first": trend.first_year, "last": trend.last_year}
    low, high = (words.points(scale, end) for end in (trend.lower, trend.upper))
    slope = words.points(scale, trend.slope)
    if trend.upper < 0:
        return _(
            "It is closing: from {first} to {last} by about {slope} a year, likely between {a} and "
            "{b}."
        ).format(slope=slope, a=high, b=low, **span)
    if trend.lower > 0:
        return _(
            "It is growing: from {first} to {last} by about {slope} a year, likely between {a} and "
            "{b}."
        ).format(slope=slope, a=low, b=high, **span)
    return _(
        "We cannot tell whether it is closing: from {first} to {last} anything between {a} less "
        "and {b} more a year fits the figures."
    ).format(a=low, b=high, **span)


def closing_short(trend: SpreadTrend | None) -> str:
    """The same in a cell of a table."""
    if trend is None or trend.lower is None or trend.upper is None:
        return _("not known")
    if trend.upper < 0:
        return _("closing")
    return _("growing") if trend.lower > 0 else _("cannot tell")


def percent(share: float | None) -> str | None:
    if share is None:
        return None
    if 0 < share < 0.01:
        return _("under 1%")
    return _("{n}%").format(n=number(100 * share, 0))


def percents(lower: float | None, upper: float | None) -> str:
    if lower is None or upper is None:
        return _("not known")
    return _("{low} to {high}").format(low=percent(lower), high=percent(upper))
