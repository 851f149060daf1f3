"""What is said about priorities at work: aims, measures, need and purposes in plain words."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.alignment.living_queries import Published, Said
from brightspots_web.alignment.models import Priority, PriorityIndicator
from brightspots_web.directory.models import Indicator
from brightspots_web.insight import bright_spot_words
from brightspots_web.insight import words as insight_words
from brightspots_web.insight.need_queries import Counted, Need
from brightspots_web.insight.queries import Standing
from brightspots_web.shared.charts import number
from brightspots_web.shared.words import day

Figure = PriorityIndicator.Figure


def aim(priority: Priority) -> str:
    """How good, for whom, by when, in one breath; "" where nobody has said it yet."""
    parts = [priority.how_good, priority.for_whom]
    if priority.by_when:
        parts.append(_("by {day}").format(day=day(priority.by_when)))
    return "; ".join(part.strip(" .;") for part in parts if part)


def purpose(value: str) -> str:
    """What an indicator is for, in full."""
    return {
        Indicator.Purpose.IMPROVEMENT: _(
            "For improvement: people measure it to learn from it. It stays in the partnership that "
            "measures it, and nobody is judged by it."
        ),
        Indicator.Purpose.ACCOUNTABILITY: _(
            "For accountability: it may be published and compared, and people answer for it."
        ),
    }[Indicator.Purpose(value)]


def purpose_short(value: str) -> str:
    return {
        Indicator.Purpose.IMPROVEMENT: _("for improvement"),
        Indicator.Purpose.ACCOUNTABILITY: _("for accountability"),
    }[Indicator.Purpose(value)]


def value(figure: float | None, unit: str = "") -> str:
    """A number as people write it, with its unit: 62.3 points, 23%, 1,240."""
    if figure is None:
        return _("not known yet")
    # Three figures say as much as anybody can know of such a number.
    most = 0 if abs(figure) >= 100 else 1 if abs(figure) >= 10 else 2
    digits = next(n for n in range(most + 1) if round(figure, n) == round(figure, most))
    shown = number(figure, digits)
    if unit == "%":
        return _("{number}%").format(number=shown)
    return f"{shown} {unit}".strip()


def interval(measure: PriorityIndicator) -> str:
    """`58.1 to 66.5`, or that there is none."""
    if measure.baseline is None:
        return ""
    if measure.lower is None or measure.upper is None:
        return _("none given: read it as rough")
    return _("{low} to {high}").format(low=value(measure.lower), high=value(measure.upper))


def published(each: Published) -> str:
    """A published figure offered as a baseline, in one line."""
    label = str(Figure(each.figure).label)
    shown = number(each.value, each.digits)
    if each.figure in {Figure.MEAN, Figure.SPREAD}:
        shown = insight_words.points_of(each.value, each.digits)
    if each.lower is not None and each.upper is not None:
        shown = _("{value}, likely between {low} and {high}").format(
            value=shown, low=number(each.lower, each.digits), high=number(each.upper, each.digits)
        )
    year = f" ({each.year})" if each.year else ""
    return f"{label}{year}: {shown}"


def need(found: Need | None) -> str:
    """How many pupils would gain and how many schools may need help, with how sure that is."""
    if found is None:
        return _("No published analysis speaks of it yet.")
    if found.touched is None or found.in_need is None:
        return _("Too few schools have figures here for a number to be shown.")
    pupils = _("About {n} pupils a year would gain from help between schools").format(
        n=_rough(found.touched.value)
    )
    schools = ngettext(
        "about {n} of {schools} school may need it", "about {n} of {schools} schools may need it",
        found.schools,
    ).format(n=_rough(found.in_need.value), schools=number(found.schools, 0))  # fmt: skip
    return _("{pupils} (likely {p}); {schools} (likely {s}).").format(
        pupils=pupils, p=_between(found.touched), schools=schools, s=_between(found.in_need)
    )


def _between(counted: Counted) -> str:
    return _("{low} to {high}").format(low=_rough(counted.lower), high=_rough(counted.upper))


def _rough(count: float) -> str:
    """Counts of hundreds lose their last digit: it says nothing."""
    return number(round(count, -1) if count >= 200 else round(count), 0)


def stands(standing: Standing | None) -> str:
    """Where a school stands in a priority's outcome, with its interval and what is behind it."""
    if standing is None:
        return _("No published figure of this school speaks of it.")
    now = standing.now
    if now is None:
        return insight_words.sentence(standing)
    difference = bright_spot_words.difference(
        standing.scale, now.estimate, now.lower, now.upper
    )  # fmt: skip
    pupils = ngettext("{n} pupil", "{n} pupils", now.n).format(n=number(now.n, 0))
    return f"{difference[:1].upper()}{difference[1:]}; {pupils}."


def said(counted: Said | None) -> str:
    """How many partnerships have said what a priority means to them."""
    if counted is None:
        return ""
    return ngettext(
        "{n} of {of} partnership has written what it means to it.",
        "{n} of {of} partnerships have written what it means to them.",
        counted.of,
    ).format(n=number(counted.n, 0), of=number(counted.of, 0))
