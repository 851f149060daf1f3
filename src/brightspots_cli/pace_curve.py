"""The trade-off curve of rollout plans as a picture."""

from __future__ import annotations

from string import ascii_lowercase
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from brightspots.pace.rollout import Rollout

WIDTH, HEIGHT = 720, 520
LEFT, RIGHT, TOP, BOTTOM = 90, 20, 70, 70
INK, SOFT, CURVE, USUAL = "#1b2a33", "#c9d3d8", "#0b6e75", "#7a5c00"


def curve_svg(rollout: Rollout, chosen: str) -> str:
    """Draw every plan: held back across, abandoned upwards, medians with 80 % intervals."""
    spans = {name: [_span(rollout, name, m) for m in ("held_back", "abandoned")]
             for name in rollout.measured}  # fmt: skip
    most_x, most_y = (_round_up(max(span[axis][2] for span in spans.values())) for axis in (0, 1))

    def x(value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * value / most_x

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / most_y

    height = HEIGHT + 40 + 20 * -(-(len(spans) - len(rollout.curve)) // 3)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"'
        ' font-family="system-ui, sans-serif" font-size="13">',
        "<title>Rollout plans: school-terms abandoned and held back</title>",
        f"<desc>{escape(_described(rollout, spans, chosen))}</desc>",
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        _text(LEFT, 24, "Too fast against too slow", size=17, weight=600),
        _text(LEFT, 46, "Medians over what is assumed; crosses: 80 % intervals."
              " Nearer to the lower left is better."),
    ]  # fmt: skip
    for step in range(5):
        across, up = most_x * step / 4, most_y * step / 4
        parts.append(_line(x(across), y(0), x(across), y(most_y), SOFT))
        parts.append(_line(x(0), y(up), x(most_x), y(up), SOFT))
        parts.append(_text(x(across), y(0) + 20, f"{across:,.0f}", anchor="middle"))
        parts.append(_text(LEFT - 8, y(up) + 4, f"{up:,.0f}", anchor="end"))
    parts.append(_text(x(most_x / 2), HEIGHT - 22, "school-terms held back (too slow)",
                       anchor="middle"))  # fmt: skip
    parts.append(
        f'<text transform="translate(20 {y(most_y / 2):.1f}) rotate(-90)" text-anchor="middle"'
        f' fill="{INK}">school-terms abandoned (too fast)</text>'
    )
    line = " ".join(f"{x(spans[n][0][1]):.1f},{y(spans[n][1][1]):.1f}" for n in rollout.curve)
    parts.append(f'<polyline points="{line}" fill="none" stroke="{CURVE}" stroke-width="2"/>')
    letters = dict(zip((n for n in spans if n not in rollout.curve), ascii_lowercase, strict=False))
    for name, ((x_low, x_mid, x_high), (y_low, y_mid, y_high)) in spans.items():
        on_curve = name in rollout.curve
        colour = CURVE if on_curve else USUAL
        if on_curve:
            parts.append(_line(x(x_low), y(y_mid), x(x_high), y(y_mid), colour, 0.5))
            parts.append(_line(x(x_mid), y(y_low), x(x_mid), y(y_high), colour, 0.5))
        parts.append(
            f'<circle cx="{x(x_mid):.1f}" cy="{y(y_mid):.1f}" r="{8 if name == chosen else 5}"'
            f' fill="{colour if on_curve else "#fff"}" stroke="{colour}" stroke-width="2">'
            f"<title>{escape(name)}</title></circle>"
        )
        words = letters.get(name, "")
        if name == chosen or name in (rollout.curve[0], rollout.curve[-1]):
            words = name
        if words:
            parts.append(_text(x(x_mid) + 9, y(y_mid) - 8, words, fill=colour, size=12))
    parts.append(_text(LEFT, HEIGHT + 6, "Filled: plans on the curve. Rings: the usual plans.",
                       weight=600))  # fmt: skip
    for place, (name, letter) in enumerate(letters.items()):
        across, down = LEFT + 200 * (place % 3), HEIGHT + 28 + 20 * (place // 3)
        parts.append(_text(across, down, f"{letter}  {name}", fill=USUAL))
    return "\n".join([*parts, "</svg>", ""])


def _span(rollout: Rollout, name: str, measure: str) -> tuple[float, float, float]:
    import numpy as np

    low, middle, high = np.quantile(
        rollout.measured[name].values[measure, "total"], [0.1, 0.5, 0.9]
    )
    return float(low), float(middle), float(high)


def _round_up(value: float) -> float:
    """Return a round number above, so that a quarter of it is round too."""
    if value <= 0:
        return 1.0
    scale = 10.0 ** (len(str(int(value))) - 1)
    return next(step * scale for step in (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10, 12)
                if step * scale >= value)  # fmt: skip


def _described(
    rollout: Rollout, spans: dict[str, list[tuple[float, float, float]]], chosen: str
) -> str:
    words = [
        f"{name}: {held[1]:,.0f} held back, {alone[1]:,.0f} abandoned"
        for name, (held, alone) in spans.items()
        if name in rollout.curve
    ]
    return f"Plans on the curve, medians. {'; '.join(words)}. Chosen: {chosen}."


def _text(
    x: float, y: float, words: str, *, size: int = 13, weight: int = 400, anchor: str = "start",
    fill: str = INK,
) -> str:  # fmt: skip
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}"'
        f' text-anchor="{anchor}" fill="{fill}">{escape(words)}</text>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, strength: float = 1) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"'
        f' stroke-opacity="{strength:g}"/>'
    )
