"""One school's interval beside schools like it."""

from collections import Counter
from collections.abc import Sequence

import svg
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.shared.charts.axis import bar_and_dot, unit_row, value_axis, verdict
from brightspots_web.shared.charts.draw import (
    DOT,
    LINE,
    SOFT,
    Chart,
    Estimate,
    drawing,
    interval_text,
    known,
    nothing_to_draw,
    number,
    text,
)
from brightspots_web.shared.charts.scale import Scale, fit

# A dot every 2.2 % of the width: dots of neighbours just touch on a phone and the
# stack of fifty schools stays lower than the drawing is wide.
SLOT = 2.2


def family_strip(
    *,
    key: str,
    title: str,
    estimate: Estimate,
    family: Sequence[float | None],
    unit: str = "",
    digits: int = 1,
) -> Chart:
    """Draw the family as light dots and our school as a dot with its interval.

    key is unique on the page. unit is the plain name of the scale ("marks").
    """
    columns = (_("School"), _("Value"), _("95% interval"))
    others = sorted(value for value in map(known, family) if value is not None)
    if not estimate.known and not others:
        return nothing_to_draw(key, title, columns)
    scale = _scale(estimate, others)
    stacks, height = _stack(others, scale)
    floor = 44 + height
    own = floor + 46
    lanes = ((18, 24), (46, floor + 10), (own - 8, own + 22))
    count = ngettext("%(n)s school like ours", "%(n)s schools like ours", len(others)) % {
        "n": len(others)
    }
    marks: list[svg.Element] = [*value_axis(scale, own + 22, lanes, unit=unit)]
    marks.append(text(0, 40, count, fill=SOFT))
    marks.append(
        svg.G(
            fill=DOT,
            elements=[
                svg.Circle(cx=svg.Length(round(x, 1), "%"), cy=floor - 8 * level, r=3.6)
                for x, level in stacks
            ],
        )
    )
    marks.append(svg.Line(x1=0, x2=svg.Length(100, "%"), y1=floor + 10, y2=floor + 10,
                          stroke=LINE, stroke_width=1, stroke_dasharray=[2, 3]))  # fmt: skip
    shown = number(estimate.value, digits, signed=True)
    marks.append(text(0, own - 14, estimate.label, bold=True))
    marks.append(text(100, own - 14, shown, anchor="end", bold=True))
    marks.extend(bar_and_dot(estimate, scale, own))
    description = _describe(estimate, others, digits)
    rows = [(estimate.label, shown, interval_text(estimate, digits))]
    rows += [(_("A school like ours"), number(value, digits, signed=True), "") for value in others]
    svg_text = drawing(key, title, description, own + 26 + unit_row(unit), marks)
    return Chart(key, svg_text, title, description, columns, tuple(rows))


def _scale(estimate: Estimate, others: Sequence[float]) -> Scale:
    core = [*others, *([estimate.value] if estimate.known and estimate.value is not None else [])]
    scale = fit([*core, *estimate.numbers()], 2, 98)
    tight = fit(core, 2, 98)
    # A huge interval would press the family into one spot: let it run off the edge.
    return tight if scale.high - scale.low > 6 * (tight.high - tight.low) else scale


def _stack(others: Sequence[float], scale: Scale) -> tuple[list[tuple[float, int]], float]:
    """Places across and levels up, so that no dot hides another."""
    levels: Counter[int] = Counter()
    placed = []
    for value in others:
        slot = round(scale.place(value) / SLOT)
        placed.append((slot * SLOT, levels[slot]))
        levels[slot] += 1
    return placed, 8.0 * max(levels.values(), default=1)


def _describe(estimate: Estimate, others: Sequence[float], digits: int) -> str:
    parts = [verdict(estimate, digits)]
    if others:
        parts.append(
            _("Schools like ours lie between %(low)s and %(high)s.")
            % {
                "low": number(others[0], digits, signed=True),
                "high": number(others[-1], digits, signed=True),
            }
        )
    return " ".join(parts)
