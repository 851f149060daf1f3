"""Parts of a whole as one bar: where differences between results come from."""

from collections.abc import Sequence
from dataclasses import dataclass

import svg
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from brightspots_web.shared.charts.draw import (
    INK,
    STEPS,
    Chart,
    LegendItem,
    drawing,
    known,
    nothing_to_draw,
    number,
    pct,
    swatch,
    text,
)

BAR = 44
LEAST = 0.7  # per cent of the bar: a part that small is still seen
NOISE = "#d8dce4"


@dataclass(frozen=True)
class Share:
    """One part. noise marks what is chance rather than a difference between schools."""

    label: str
    value: float | None
    noise: bool = False


def shares(*, key: str, title: str, parts: Sequence[Share]) -> Chart:
    """Draw parts of a whole; values need not add to 1, they are scaled to it."""
    columns = (_("Part"), _("Share"))
    sizes = [max(known(part.value) or 0.0, 0.0) for part in parts]
    whole = sum(sizes)
    if whole <= 0:
        return nothing_to_draw(key, title, columns)
    colours = _colours(parts)
    marks: list[svg.Element] = []
    at = 0.0
    drawn = [max(100 * size / whole, LEAST) if size else 0.0 for size in sizes]
    for size, room, colour in zip(sizes, drawn, colours, strict=True):
        width = 100 * room / sum(drawn)
        if at > 0 and width > 0:  # a hairline of paper between parts, never over a small one
            marks.append(svg.Rect(x=pct(at - 0.3), y=0, width=pct(0.3), height=BAR, fill="#fff"))
        if width > 0:
            marks.append(svg.Rect(x=pct(at), y=0, width=pct(width), height=BAR, fill=colour))
        if width >= 12:
            dark = colour in (STEPS[3], STEPS[4])
            label = text(at + width / 2, BAR / 2 + 5, _percent(size, whole), anchor="middle",
                         fill="#fff" if dark else INK, bold=True)  # fmt: skip
            marks.append(label)
        at += width
    rows = tuple(
        (part.label, _percent(size, whole)) for part, size in zip(parts, sizes, strict=True)
    )
    description = "; ".join(f"{label}: {share}" for label, share in rows) + "."
    svg_text = drawing(key, title, description, BAR, marks)
    # The words stand in the page, not in the drawing: long names wrap on a phone.
    legend = tuple(
        LegendItem(_box(colour), f"{share} {label}")
        for colour, (label, share) in zip(colours, rows, strict=True)
    )
    return Chart(key, svg_text, title, description, columns, rows, legend)


def _box(colour: str) -> SafeString:
    return swatch(svg.Rect(x=1, y=1, width=16, height=16, fill=colour))


def _percent(size: float, whole: float) -> str:
    share = 100 * size / whole
    if 0 < share < 1:
        return _("under 1%")
    return _("%(share)s%%") % {"share": number(share, 0)}


def _colours(parts: Sequence[Share]) -> list[str]:
    """Dark to light in the order given; chance is grey."""
    ramp = iter((STEPS[4], STEPS[2], STEPS[1], STEPS[3], STEPS[0]) * (1 + len(parts) // 5))
    return [NOISE if part.noise else next(ramp) for part in parts]
