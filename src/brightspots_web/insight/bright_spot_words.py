"""What bright-spot pages say about a figure and its chance of being chance. Never a rank."""

from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from brightspots_web.directory import queries as directory
from brightspots_web.insight import school_queries, words
from brightspots_web.insight.bright_spot_queries import Spot
from brightspots_web.insight.models import BrightSpot, Estimate, Sensitivity
from brightspots_web.insight.queries import Scale
from brightspots_web.shared.charts import number
from brightspots_web.shared.components import Badge

State = BrightSpot.State


def badge(spot: Spot) -> Badge:
    """What the newest published figures allow us to call it."""
    if spot.label == Estimate.Label.BRIGHT_SPOT:
        return Badge(_("bright spot (candidate)"), "bright")
    if spot.label == Estimate.Label.WORTH_A_VISIT:
        return Badge(_("worth a visit"), "visit")
    return Badge(_("not named by the newest analysis"), "unsure")


def verb(state: str, *, back: bool = False) -> str:
    """A step as the person who takes it would say it."""
    if back:
        return _("Take it up again, as “{state}”").format(state=State(state).label)
    return {
        State.CANDIDATE: _("Take it up again"),
        State.VISITED: _("The school was visited"),
        State.CONFIRMED: _("Confirm it: people saw what the figures say"),
        State.WRITTEN_UP: _("The practice is written up"),
        State.RE_TESTED: _("Re-test it with the newest figures"),
        State.SET_ASIDE: _("Set it aside"),
    }[State(state)]


def difference(scale: Scale, estimate: float, lower: float, upper: float) -> str:
    """`about 5 points more than expected; likely between 3.1 and 7.4 points more`."""
    if lower > 0:
        return _("about {points} more than expected; likely between {low} and {high} more").format(
            points=words.points(scale, estimate),
            low=number(scale.points(lower), scale.digits),
            high=words.points(scale, upper),
        )
    if upper < 0:
        return _("about {points} less than expected; likely between {low} and {high} less").format(
            points=words.points(scale, estimate),
            low=number(scale.points(-upper), scale.digits),
            high=words.points(scale, lower),
        )
    return _("as expected, as far as we can tell: between {low} less and {high} more").format(
        low=words.points(scale, lower), high=words.points(scale, upper)
    )


def short_difference(scale: Scale, estimate: float, lower: float, upper: float) -> str:
    """The same for a line of a list: `about 26 points more; likely 12 to 39`."""
    if lower <= 0:
        return difference(scale, estimate, lower, upper)
    return _("about {points} more; likely {low} to {high}").format(
        points=words.points(scale, estimate),
        low=number(scale.points(lower), scale.digits),
        high=number(scale.points(upper), scale.digits),
    )


def percent(probability: float | None) -> str:
    """Never 0% or 100%: a model is never that sure."""
    if probability is None:
        return _("not known")
    if probability > 0.99:
        return _("over 99%")
    if probability < 0.01:
        return _("under 1%")
    return _("{n}%").format(n=number(100 * probability, 0))


def probability(spot: Spot) -> str:
    """What the probability of one school means, in whole schools."""
    if spot.now is None or spot.scale is None or spot.now.probability is None or not spot.delta:
        return ""
    return _(
        "Of 100 schools with figures like these, {n} would truly be ahead of what is expected by "
        "{delta} or more. The others would be there by chance."
    ).format(n=_of_100(spot.now.probability), delta=words.points(spot.scale, spot.delta))


def _of_100(probability: float) -> str:
    if probability > 0.99:
        return _("more than 99")
    return _("fewer than 1") if probability < 0.01 else _("about {n}").format(
        n=number(100 * probability, 0)
    )  # fmt: skip


def by_chance(label: str) -> str:
    """How many of those called so are expected to be there by chance: the rule's own promise."""
    return {
        Estimate.Label.BRIGHT_SPOT: _(
            "Of ten schools that are called bright spots, about one is expected to be there by "
            "chance."
        ),
        Estimate.Label.WORTH_A_VISIT: _(
            "Of ten schools that are called worth a visit, about two are expected to be there by "
            "chance."
        ),
    }.get(Estimate.Label(label), "")


def only_a_visit() -> str:
    return _("Only a visit can tell which.")


def still(spot: Spot) -> str:
    """Where it stands in the newest analysis, and whether the school is still open."""
    parts = []
    closed = spot.school.closed
    if closed is not None and closed <= directory.today():
        parts.append(_("The school closed on {day}.").format(day=date_format(closed)))
    if spot.run is None:
        parts.append(_("No analysis is published at present; what people noted is kept."))
    elif spot.now is None:
        parts.append(_("The newest analysis has no figure to show of this school at this outcome."))
    elif not spot.label:
        parts.append(
            _(
                "It no longer stands out in the newest analysis. That takes nothing back of what "
                "people saw there: one year can hide what lasts, and practice can change."
            )
        )
    return " ".join(parts)


def circumstances(spot: Spot, most: int = 6) -> str:
    """`primary · public · 240 pupils on roll · poverty 31`: size, and what it is compared on."""
    school = spot.school
    parts = [each for each in (school.phase, school.sector) if each]
    if school.roll:
        parts.append(_("{n} pupils on roll").format(n=number(school.roll, 0)))
    parts += [f"{name} {value}" for name, value in _compared_on(spot)]
    return " · ".join(parts[:most])


def _compared_on(spot: Spot) -> list[tuple[str, str]]:
    """Circumstances that the analysis took into account, as the register has them."""
    about = spot.run.summary.get("outcomes", {}).get(spot.subject, {}) if spot.run else {}
    names = [
        name for name in about.get("context", {}).get("columns", []) if name.startswith("context:")
    ]
    values = school_queries.circumstances(spot.school, names)
    return [
        (words.circumstance(name), plain(value))
        for name, value in zip(names, values, strict=True)
        if value is not None
    ]


def plain(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return number(value, 0 if float(value).is_integer() else 1)


# Does the answer change?


def ahead(row: Sensitivity, delta: float) -> float | None:
    """P(effect > delta) when the figure is reckoned this way: normal, as in the rule itself."""
    if row.se_comparative <= 0:
        return None
    return 1 - NormalDist(row.estimate, row.se_comparative).cdf(delta)


def lost(rows: Sequence[Sensitivity], now: Estimate, delta: float) -> list[Sensitivity]:
    """Ways in which the lead is lost: no longer more likely than not that it is far ahead.

    Fewer years draw every figure towards what is expected. So where years are set apart, the lead
    is lost only if the published figure lies outside what these years allow.
    """
    apart = {Sensitivity.Variant.LATEST_YEAR, Sensitivity.Variant.WITHOUT_LATEST}
    return [
        row
        for row in rows
        if (chance := ahead(row, delta)) is not None
        and chance <= 0.5
        and (row.variant not in apart or row.upper < now.estimate)
    ]


def sensitivity(rows: Sequence[Sensitivity], now: Estimate, delta: float) -> str:
    """In which other ways it would still more likely than not be markedly ahead."""
    if not rows:
        return ""
    less = lost(rows, now, delta)
    if not less:
        return _("However we reckon, the school stays ahead; fewer years make us less sure of it.")
    ways = "; ".join(str(Sensitivity.Variant(row.variant).label) for row in less)
    return _(
        "Its lead depends on how we reckon. It is no longer more likely than not: {ways}. Ask "
        "about this on the visit."
    ).format(ways=ways)


# Then and now


def kept_figure(figure: Mapping[str, Any]) -> str:
    """A figure that a step kept, in points and words."""
    if not figure or figure.get("pupil_sd") is None:
        return _("no figure")
    return difference(scale_of(figure), figure["estimate"], figure["lower"], figure["upper"])


def scale_of(figure: Mapping[str, Any]) -> Scale:
    """The scale on which a kept figure was published."""
    return Scale("", float(figure["pupil_sd"]), 0.0, int(figure["digits"]), (), "school")


def day_of(figure: Mapping[str, Any]) -> str:
    published = parse_datetime(figure.get("published") or "") if figure else None
    return date_format(published.date()) if published else ""


def re_test(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """What a re-test found, with both days."""
    days = {"then": day_of(before), "now": day_of(now)}
    if now.get("label"):
        return _(
            "It stood out in the figures of {then}, and stands out again in those of {now}."
        ).format(**days)
    if now.get("lower", 0) > 0:
        return _(
            "It stood out in the figures of {then}. In those of {now} it is still above what is "
            "expected, but no longer so clearly that it is named."
        ).format(**days)
    return _(
        "It stood out in the figures of {then}, and not in those of {now}. Either it was chance "
        "from the start, or what people did has changed: ask which."
    ).format(**days)
