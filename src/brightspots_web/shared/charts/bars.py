"""One bar, to stand in a line of text: how much of something there is, and a mark to reach."""

import svg
from django.utils.safestring import SafeString, mark_safe

from brightspots_web.shared.charts.draw import ACCENT, INK, STEPS, line, pct

HEIGHT = 14


def bar(share: float, *, mark: float | None = None, strong: bool = False) -> SafeString:
    """Draw a share (0 to 1) of the room there is; the numbers stand in the text beside it.

    Parameters
    ----------
    mark
        Where to draw a line across: a quota, a target.
    strong
        In the accent; else in a light step of it.
    """
    whole = min(max(share, 0.0), 1.0)
    marks: list[svg.Element] = [
        svg.Rect(x=0, y=3, width=pct(100), height=HEIGHT - 6, fill="#eceef2"),
        svg.Rect(
            x=0, y=3, width=pct(100 * whole), height=HEIGHT - 6, fill=ACCENT if strong else STEPS[2]
        ),
    ]
    if mark is not None:
        at = min(max(100 * mark, 0.3), 99.7)
        marks.append(line(at, 0, at, HEIGHT, stroke=INK, width=2))
    drawing = svg.SVG(
        width=pct(100),
        height=HEIGHT,
        class_=["chart"],
        extra={"aria-hidden": "true"},
        elements=marks,
    )
    return mark_safe(drawing.as_str())  # noqa: S308 - numbers and constants alone
