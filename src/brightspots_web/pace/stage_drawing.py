"""The stages of a place over its rounds: a small drawing for each strand, all on one scale.

A dot is what the group agreed; a pale bar reaches from the lowest to the highest rating where the
ratings may be shown. Nothing is averaged, and no two places stand in one drawing.
"""

from collections.abc import Sequence
from typing import Literal

import svg
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from brightspots_web.pace import stage_words as words
from brightspots_web.pace.stage_models import Stage, Strand
from brightspots_web.pace.stage_queries import Past
from brightspots_web.shared.charts.draw import (
    ACCENT,
    LINE,
    SOFT,
    Chart,
    dot,
    line,
    pct,
    text,
)

TOP, STEP, BOTTOM = 12, 24, 84
HEIGHT = 108


def history(key: str, past: Sequence[Past]) -> Chart:
    """A drawing for each strand, the oldest round on the left."""
    title = _("How the stages moved")
    columns = (_("Strand"), _("Cycle"), _("Agreed"), _("Rated by each alone"))
    body = format_html_join(
        "\n",
        '<li><p class="name">{}</p>{}<span class="unseen">{}</span></li>',
        (
            (words.strand(strand), _panel(strand, past), _said(strand, past))
            for strand in Strand.values
        ),
    )
    drawn = format_html(
        '<ul class="multiples" aria-describedby="{0}-d">{1}</ul>'
        '<p class="unseen" id="{0}-d">{2}</p>',
        key,
        body,
        describe(),
    )
    rows = tuple(
        (words.strand(strand), each.round.cycle.name, _agreed(each, strand), _rated(each, strand))
        for strand in Strand.values
        for each in past
    )
    return Chart(key, drawn, title, describe(), columns, rows, shape="table")


def describe() -> str:
    return _(
        "A drawing for each strand, from beginning at the bottom to leading at the top. A dot is "
        "what the group agreed; a pale bar shows how far apart the ratings lay."
    )


def _panel(strand: str, past: Sequence[Past]) -> SafeString:
    marks: list[svg.Element] = []
    for stage in Stage:
        y = _place(stage.value)
        marks.append(line(0, y, 100, y, stroke=LINE))
    for stage in (Stage.BEGINNING, Stage.LEADING):
        marks.append(text(0, _place(stage.value) - 3, str(stage.label), fill=SOFT, size=12))
    across = _across(len(past))
    ends = {0, len(past) - 1}
    before: tuple[float, float] | None = None
    for index, each in enumerate(past):
        x = across[index]
        if index in ends:
            anchor: Literal["end", "middle"] = "end" if index and x > 60 else "middle"
            name = _short(each.round.cycle.name)
            at = 100.0 if anchor == "end" else x
            marks.append(text(at, HEIGHT - 4, name, anchor=anchor, fill=SOFT, size=12))
        spread = each.spreads.get(strand)
        if spread is not None and spread.differs:
            low, high = min(spread.counts), max(spread.counts)
            bar = line(x, _place(low), x, _place(high), stroke=ACCENT, width=8)
            bar.stroke_opacity, bar.stroke_linecap = 0.25, "round"
            marks.append(bar)
        agreed = each.agreed.get(strand)
        if agreed is None:
            before = None
            continue
        y = _place(agreed)
        if before is not None:
            marks.append(line(*before, x, y, stroke=ACCENT, width=1.5))
        marks.append(dot(x, y, 5))
        before = (x, y)
    root = svg.SVG(
        width=pct(100), height=HEIGHT, class_=["chart"], overflow="visible",
        extra={"aria-hidden": "true", "font-family": "system-ui, 'Noto Sans', sans-serif"},
        elements=marks,
    )  # fmt: skip
    return mark_safe(root.as_str())  # noqa: S308  # numbers and escaped text only


def _place(stage: int) -> float:
    return BOTTOM - STEP * (stage - 1)


def _across(n: int) -> list[float]:
    if n == 1:
        return [56.0]
    start, end = 40.0, 94.0
    return [start + (end - start) * index / (n - 1) for index in range(n)]


def _short(name: str) -> str:
    return name if len(name) <= 10 else f"{name[:9]}…"


def _agreed(each: Past, strand: str) -> str:
    said = words.stage(each.agreed.get(strand))
    if strand in each.differs:
        return _("{stage}, not carried by all").format(stage=said)
    return said


def _rated(each: Past, strand: str) -> str:
    spread = each.spreads.get(strand)
    return words.spread(spread.counts) if spread is not None else _("not shown")


def _said(strand: str, past: Sequence[Past]) -> str:
    return "; ".join(
        _("{cycle}: {stage}").format(cycle=each.round.cycle.name, stage=_agreed(each, strand))
        for each in past
    )
