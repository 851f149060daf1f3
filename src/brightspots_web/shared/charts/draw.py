"""What every chart is made of: the result, the palette, text and numbers.

Charts hold positions across in per cent and positions down in pixels, so that one
drawing fits a phone and a desk with its text at reading size; only maps, whose
shapes must keep their proportions, have a viewBox.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import isfinite
from typing import Literal

import svg
from django.utils.formats import number_format
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

ACCENT = "#21409a"
INK = "#1d2433"
SOFT = "#566072"  # secondary text: 6.2 to 1 on white
LINE = "#c9ced8"
DOT = "#a7afbf"  # the family around a school
# Five steps of lightness of the accent, light to dark.
STEPS = ("#dfe6f5", "#b7c6e8", "#8ea3d6", "#5670b8", "#21409a")

TYPE_SIZE = 14


@dataclass(frozen=True)
class LegendItem:
    swatch: SafeString
    label: str


@dataclass(frozen=True)
class Chart:
    """A drawing, what it says in words, and the numbers it was drawn from."""

    key: str
    svg: SafeString
    title: str
    description: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    legend: tuple[LegendItem, ...] = ()
    shape: Literal["wide", "tall", "narrow", "table"] = "wide"
    empty: bool = False


@dataclass(frozen=True)
class Estimate:
    """A value with the interval that says how sure it is. None where unknown."""

    label: str
    value: float | None
    lower: float | None = None
    upper: float | None = None
    n: int | None = None

    @property
    def known(self) -> bool:
        return known(self.value) is not None

    def numbers(self) -> list[float]:
        found = (known(self.value), known(self.lower), known(self.upper))
        return [number for number in found if number is not None] if self.known else []

    def bounds(self) -> tuple[float, float] | None:
        lower, upper = known(self.lower), known(self.upper)
        if not self.known or lower is None or upper is None:
            return None
        return min(lower, upper), max(lower, upper)


def known(value: float | None) -> float | None:
    """The number, or None for what is not one (None, NaN, infinity)."""
    return float(value) if value is not None and isfinite(value) else None


def pct(value: float) -> svg.Length:
    return svg.Length(round(value, 2), "%")


def number(value: float | None, digits: int = 1, *, signed: bool = False) -> str:
    """A number in the reader's format, with a true minus sign."""
    given = known(value)
    if given is None:
        return _("not known")
    rounded = round(given, digits) + 0.0  # + 0.0 turns -0.0 into 0.0
    sign = "−" if rounded < 0 else "+" if signed and rounded > 0 else ""
    return sign + str(number_format(abs(rounded), decimal_pos=digits, force_grouping=True))


def interval_text(estimate: Estimate, digits: int = 1) -> str:
    bounds = estimate.bounds()
    if bounds is None:
        return _("no interval")
    lower, upper = (number(bound, digits, signed=True) for bound in bounds)
    return _("%(lower)s to %(upper)s") % {"lower": lower, "upper": upper}


def text(
    x: float,
    y: float,
    words: str,
    *,
    anchor: Literal["start", "middle", "end"] = "start",
    fill: str = INK,
    size: int = TYPE_SIZE,
    bold: bool = False,
) -> svg.Text:
    """One line of text; x in per cent, y in pixels."""
    return svg.Text(
        x=pct(x),
        y=round(y, 1),
        text=escape(words),
        text_anchor=None if anchor == "start" else anchor,
        fill=None if fill == INK else fill,
        font_size=None if size == TYPE_SIZE else size,
        font_weight="600" if bold else None,
    )


def line(
    x1: float, y1: float, x2: float, y2: float, *, stroke: str = LINE, width: float = 1
) -> svg.Line:
    """A line; x in per cent, y in pixels."""
    return svg.Line(
        x1=pct(x1),
        y1=round(y1, 1),
        x2=pct(x2),
        y2=round(y2, 1),
        stroke=stroke,
        stroke_width=width,
    )


def dot(x: float, y: float, r: float = 4, *, fill: str = ACCENT, ring: bool = True) -> svg.Circle:
    return svg.Circle(
        cx=pct(x),
        cy=round(y, 1),
        r=r,
        fill=fill,
        stroke="#fff" if ring else None,
        stroke_width=1.5 if ring else None,
    )


def drawing(
    key: str,
    title: str,
    description: str,
    height: float,
    marks: Sequence[svg.Element],
    role: str = "img",
) -> SafeString:
    """The outer element of a chart that stretches across whatever room it has.

    With links in it its role is `group`: what is inside an image cannot be reached.
    """
    root = svg.SVG(
        width=pct(100),
        height=round(height),
        class_=["chart"],
        overflow="visible",
        extra=labelled(key, role),
        elements=[
            *words_for(key, title, description),
            svg.G(
                fill=INK,
                extra={
                    "font-size": str(TYPE_SIZE),
                    "font-family": "system-ui, 'Noto Sans', sans-serif",
                },
                elements=list(marks),
            ),
        ],
    )
    # Every text and attribute that came from outside went through escape().
    return mark_safe(root.as_str())  # noqa: S308


def labelled(key: str, role: str = "img") -> dict[str, str]:
    return {"role": role, "aria-labelledby": f"{escape(key)}-t {escape(key)}-d"}


def words_for(key: str, title: str, description: str) -> list[svg.Element]:
    safe = escape(key)
    return [
        svg.Title(id=f"{safe}-t", text=escape(title)),
        svg.Desc(id=f"{safe}-d", text=escape(description)),
    ]


def swatch(mark: svg.Element) -> SafeString:
    """A legend's small drawing; decoration, as the words stand beside it."""
    root = svg.SVG(
        width=18, height=18, class_=["swatch"], extra={"aria-hidden": "true"}, elements=[mark]
    )
    return mark_safe(root.as_str())  # noqa: S308


def nothing_to_draw(key: str, title: str, columns: Sequence[str]) -> Chart:
    """An honest empty chart: it says that there is nothing yet."""
    words = _("There are no figures to draw yet.")
    marks: list[svg.Element] = [line(0, 52, 100, 52), text(0, 32, words, fill=SOFT)]
    return Chart(key, drawing(key, title, words, 60, marks), title, words, tuple(columns), (),
                 empty=True)  # fmt: skip
