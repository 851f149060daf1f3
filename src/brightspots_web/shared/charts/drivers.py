"""A driver diagram: the aim at the left, what drives it, what drives that, ideas at the right.

Read from right to left it says "this drives that". Boxes hold text of any length, so the drawing
has a fixed width and shrinks a little on paper; on a phone `driver_list` says the same as a list.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from unicodedata import east_asian_width

import svg
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.shared.charts.draw import (
    ACCENT,
    DOT,
    INK,
    SOFT,
    STEPS,
    Chart,
    labelled,
    words_for,
)

PAD_X, PAD_Y = 12, 10
GAP = 10
"""Between boxes that drive the same; `APART` between those that do not."""
APART = 20
HEADING = 34
SIZE, LINE = 14, 18
WIDTHS = {2: (300, 330), 3: (220, 260, 260), 4: (190, 200, 200, 200)}
"""Of the boxes of each column, by how many columns there are."""
BETWEEN = 36
NARROW, WIDE, BROAD = "iljtfr.,;:'|!I()[]’‘-", "mwMW@%—&", "ABCDEFGHJKLNOPQRSTUVXYZ#?<>=+~"


@dataclass(frozen=True)
class Driver:
    """A driver, or at the end of a branch an idea to try, with what drives it in turn."""

    label: str
    children: tuple["Driver", ...] = ()


@dataclass(frozen=True)
class _Box:
    """A driver where it stands."""

    level: int
    x: float
    y: float
    width: float
    lines: tuple[str, ...]
    height: float
    children: tuple["_Box", ...] = ()

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


def driver_diagram(
    *, key: str, title: str, aim: str, drivers: Sequence[Driver], aim_words: str = ""
) -> Chart:
    """Draw what drives an aim.

    Parameters
    ----------
    aim
        The priority's title.
    aim_words
        How good, for whom, by when; below the title, in its box.
    drivers
        Primary drivers with their own, three levels at most.
    """
    deep = _depth(drivers)
    if deep > 3:
        raise ValueError("an aim, primary drivers, secondary drivers and ideas: no deeper")
    widths = WIDTHS[max(deep, 1) + 1]
    top = _placed(Driver(aim, tuple(drivers)), 0, widths, HEADING, aim_words)
    width = sum(widths) + BETWEEN * (len(widths) - 1)
    height = max(box.y + box.height for box in _all(top)) + 4
    marks = [*_headings(widths, deep), *_lines(top)]
    for box in _all(top):
        marks += _drawn(box, len(_wrapped(aim, widths[0], bold=True)) if box is top else 0)
    words = _described(drivers)
    rows = tuple(_rows(drivers))
    columns = (_("Primary driver"), _("Secondary driver"), _("Idea to try"))
    return Chart(
        key,
        _drawing(key, title, words, width, height, marks),
        title,
        words,
        columns[: max(deep, 1)],
        tuple(row[: max(deep, 1)] for row in rows),
        empty=not drivers,
    )


def driver_list(drivers: Sequence[Driver]) -> SafeString:
    """The drivers as a nested list: what the drawing says, for ears and for narrow screens."""
    if not drivers:
        return SafeString("")
    items = format_html_join(
        "", "<li>{}{}</li>", ((each.label, driver_list(each.children)) for each in drivers)
    )
    return format_html("<ul>{}</ul>", items)


def _depth(drivers: Sequence[Driver]) -> int:
    return max((1 + _depth(each.children) for each in drivers), default=0)


def _placed(driver: Driver, level: int, widths: Sequence[int], top: float, more: str = "") -> _Box:
    """The box of a driver and of all that drive it, the first of them at `top`."""
    x = sum(widths[:level]) + BETWEEN * level
    lines = _wrapped(driver.label, widths[level], bold=level < 2)
    if more:
        lines += _wrapped(more, widths[level])
    own = len(lines) * LINE + 2 * PAD_Y + (6 if more else 0)
    children: list[_Box] = []
    y = top
    for each in driver.children:
        child = _placed(each, level + 1, widths, y)
        children.append(child)
        y = max(box.y + box.height for box in _all(child)) + (GAP if not each.children else APART)
    block = max((box.y + box.height for child in children for box in _all(child)), default=top)
    if own > block - top:  # a box taller than what drives it: these move down beside its middle
        shift = (own - (block - top)) / 2 if children else 0.0
        children = [_moved(child, shift) for child in children]
        at = top
    else:
        at = (children[0].middle + children[-1].middle) / 2 - own / 2
        at = min(max(at, top), block - own)
    return _Box(level, x, at, widths[level], tuple(lines), own, tuple(children))


def _moved(box: _Box, down: float) -> _Box:
    children = tuple(_moved(each, down) for each in box.children)
    return _Box(box.level, box.x, box.y + down, box.width, box.lines, box.height, children)


def _all(box: _Box) -> Iterator[_Box]:
    yield box
    for each in box.children:
        yield from _all(each)


def _wrapped(text: str, width: float, *, bold: bool = False) -> list[str]:
    """The text in lines that fit a box; a word longer than a line is cut."""
    room = (width - 2 * PAD_X) / SIZE / (1.06 if bold else 1.0)
    lines = [""]
    for word in text.split():
        together = f"{lines[-1]} {word}".strip()
        if _ems(together) <= room:
            lines[-1] = together
            continue
        pieces = list(_pieces(word, room))
        lines += pieces if lines[-1] else [lines.pop() + pieces[0], *pieces[1:]]
    return [line for line in lines if line] or [""]


def _pieces(word: str, room: float) -> Iterator[str]:
    piece = ""
    for each in word:
        if piece and _ems(piece + each) > room:
            yield piece
            piece = ""
        piece += each
    yield piece


def _ems(text: str) -> float:
    """About how wide a text is, in heights of its letters; rather too wide than too narrow."""
    return sum(map(_em, text))


def _em(letter: str) -> float:
    if letter in NARROW or letter == " ":
        return 0.35
    if east_asian_width(letter) in "WF":
        return 1.02
    return 0.9 if letter in WIDE else 0.7 if letter in BROAD else 0.57


def _headings(widths: Sequence[int], deep: int) -> list[svg.Element]:
    names = (_("Aim"), _("Primary drivers"), _("Secondary drivers"), _("Ideas to try"))
    places = [sum(widths[:at]) + BETWEEN * at for at in range(len(widths))]
    return [
        svg.Text(x=x, y=15, text=escape(name), fill=SOFT, font_size=13, font_weight="600")
        for x, name in zip(places, names[: max(deep, 1) + 1], strict=True)
    ]


def _lines(box: _Box) -> Iterator[svg.Element]:
    """From each driver to what it drives, with a tip where it arrives."""
    for each in box.children:
        x1, x2 = box.x + box.width + 7, each.x
        half = (x1 + x2) / 2
        path = (
            f"M{x1:g} {box.middle:.1f}C{half:g} {box.middle:.1f} {half:g} {each.middle:.1f} "
            f"{x2:g} {each.middle:.1f}"
        )
        yield svg.Path(extra={"d": path}, fill="none", stroke=STEPS[2], stroke_width=1.5)
        yield from _lines(each)
    if box.children:
        x, y = box.x + box.width + 1, box.middle
        tip = f"M{x:g} {y:.1f}l8 -4.5v9z"
        yield svg.Path(extra={"d": tip}, fill=STEPS[3])


def _drawn(box: _Box, bold_lines: int) -> list[svg.Element]:
    """Told apart by lightness, weight and outline: aim, primary, secondary, idea."""
    fill, stroke = ((ACCENT, None), (STEPS[0], None), ("#fff", STEPS[2]), ("#fff", DOT))[box.level]
    frame = svg.Rect(
        x=box.x,
        y=round(box.y, 1),
        width=box.width,
        height=box.height,
        rx=6,
        fill=fill,
        stroke=stroke,
        stroke_width=1.2 if stroke else None,
        stroke_dasharray=[4, 3] if box.level == 3 else None,
    )
    heavy = bold_lines or (len(box.lines) if box.level == 1 else 0)
    words: list[svg.Element] = []
    for at, line in enumerate(box.lines):
        drop = 6 if bold_lines and at >= bold_lines else 0
        words.append(
            svg.Text(
                x=box.x + PAD_X,
                y=round(box.y + PAD_Y + 13.5 + at * LINE + drop, 1),
                text=escape(line),
                fill="#fff" if box.level == 0 else INK,
                font_weight="600" if at < heavy else None,
            )
        )
    return [frame, *words]


def _drawing(
    key: str, title: str, words: str, width: float, height: float, marks: Sequence[svg.Element]
) -> SafeString:
    root = svg.SVG(
        viewBox=svg.ViewBoxSpec(-1, 0, width + 2, round(height)),
        width=round(width * 1.15),
        class_=["chart", "drivers"],
        extra=labelled(key),
        elements=[
            *words_for(key, title, words),
            svg.G(
                extra={
                    "font-size": str(SIZE),
                    "font-family": "system-ui, 'Noto Sans', sans-serif",
                },
                elements=list(marks),
            ),
        ],
    )
    # Every text and attribute that came from outside went through escape().
    return mark_safe(root.as_str())  # noqa: S308


def _described(drivers: Sequence[Driver]) -> str:
    """How many there are at each level, and the primary ones by name."""
    if not drivers:
        return _("Nobody has written down yet what drives it.")
    second = [each for driver in drivers for each in driver.children]
    ideas = [each for driver in second for each in driver.children]
    counts = [
        ngettext("{n} primary driver", "{n} primary drivers", len(drivers)).format(n=len(drivers))
    ]
    if second:
        counts.append(
            ngettext("{n} secondary driver", "{n} secondary drivers", len(second)).format(
                n=len(second)
            )
        )
    if ideas:
        counts.append(
            ngettext("{n} idea to try", "{n} ideas to try", len(ideas)).format(n=len(ideas))
        )
    return _("{counts}. What stands further right drives what its line leads to: {names}.").format(
        counts=", ".join(counts), names="; ".join(each.label for each in drivers)
    )


def _rows(drivers: Sequence[Driver], before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """A row for each end of a branch."""
    for each in drivers:
        path = (*before, each.label)
        if each.children:
            yield from _rows(each.children, path)
        else:
            yield (*path, *("",) * (3 - len(path)))
