"""Answers drawn: the five steps of a scale as one bar a group, choices as one bar an answer."""

from collections.abc import Sequence
from textwrap import shorten

import svg
from django.utils.translation import gettext as _

from brightspots_web.accountability import voice_words as words
from brightspots_web.accountability.voice_queries import QuestionResult, SliceResult
from brightspots_web.shared.charts.draw import (
    INK,
    LINE,
    SOFT,
    STEPS,
    Chart,
    LegendItem,
    drawing,
    line,
    number,
    pct,
    swatch,
    text,
)

ROW, BAR, TOP = 62, 28, 22
GAP = 0.35
WIDEST = 55
"""Per cent of the width: beside the longest bar its number has room on a phone."""
LETTERS = 34
"""As many fit on one line of a phone; the numbers below a drawing have all words."""
ROOM = 9
"""Per cent of the width that a number needs within a bar."""


def of_scale(result: QuestionResult, key: str) -> Chart:
    """From disagreement (light) to agreement (dark): a bar for the whole and for each group."""
    labels = words.scale()
    marks: list[svg.Element] = []
    for index, each in enumerate(result.slices):
        marks += _stacked(each, ROW * index)
    legend = tuple(
        LegendItem(swatch(svg.Rect(x=1, y=1, width=16, height=16, fill=colour)), label)
        for colour, label in zip(STEPS, labels, strict=True)
    )
    title = result.question.words
    said = " ".join(scale_sentence(each) for each in result.slices)
    return Chart(
        key,
        drawing(key, title, said, ROW * len(result.slices), marks),
        title,
        said,
        *_numbers(result, labels),
        legend,
    )


def of_choice(result: QuestionResult, key: str) -> Chart:
    """A bar for each answer of the whole; groups stand in the numbers below."""
    whole = result.slices[0]
    options = [*result.options, _("no answer")]
    counts = [*whole.counts, whole.no_answer]
    marks: list[svg.Element] = []
    most = max(*counts, 1)
    for index, (option, n) in enumerate(zip(options, counts, strict=True)):
        y = ROW * index
        colour = LINE if index == len(options) - 1 else STEPS[4]
        width = WIDEST * n / most
        marks.append(text(0, y + TOP - 6, _short(option), fill=SOFT, size=13))
        if width:
            marks.append(svg.Rect(x=0, y=y + TOP, width=pct(width), height=BAR, fill=colour, rx=2))
        marks.append(text(width + 1.5, y + TOP + 19, _of(n, whole.n)))
    title = result.question.words
    said = "; ".join(
        f"{option}: {_of(n, whole.n)}" for option, n in zip(options, counts, strict=True)
    )
    return Chart(
        key,
        drawing(key, title, said, ROW * len(options), marks),
        title,
        said + ".",
        *_numbers(result, result.options),
    )


def scale_sentence(each: SliceResult) -> str:
    """`All who answered: 34 of 57 (60%) agree, 12 disagree, 8 neither, 3 gave no answer.`"""
    low, below, neither, above, high = each.counts
    return _(
        "{who}: {agree} agree, {disagree} disagree, {neither} neither, {none} gave no answer."
    ).format(
        who=each.label,
        agree=_of(above + high, each.n),
        disagree=_of(low + below, each.n),
        neither=number(neither, 0),
        none=number(each.no_answer, 0),
    )


def _stacked(each: SliceResult, y: float) -> list[svg.Element]:
    label = _("{who} ({n})").format(who=_short(each.label), n=number(each.n, 0))
    marks: list[svg.Element] = [text(0, y + TOP - 6, label, fill=SOFT, size=13)]
    marks.append(line(0, y + TOP + BAR / 2, 100, y + TOP + BAR / 2))
    at = 0.0
    for index, n in enumerate(each.counts):
        width = 100 * n / each.n
        if not n:
            continue
        marks.append(
            svg.Rect(
                x=pct(at), y=y + TOP, width=pct(max(width - GAP, 0.4)), height=BAR,
                fill=STEPS[index],
            )
        )  # fmt: skip
        if width >= ROOM:
            marks.append(
                text(at + width / 2, y + TOP + 19, number(n, 0), anchor="middle",
                     fill="#fff" if index > 2 else INK, size=13)
            )  # fmt: skip
        at += width
    return marks


def _numbers(
    result: QuestionResult, labels: Sequence[str]
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    columns = (_("Who"), *labels, _("no answer"), _("All together"))
    rows = tuple(
        (
            each.label,
            *(number(n, 0) for n in each.counts),
            number(each.no_answer, 0),
            number(each.n, 0),
        )
        for each in result.slices
    )
    return columns, rows


def _of(n: int, whole: int) -> str:
    return _("{n} of {whole} ({share}%)").format(
        n=number(n, 0), whole=number(whole, 0), share=number(100 * n / whole, 0)
    )


def _short(words: str) -> str:
    return shorten(words, LETTERS, placeholder=" …") if len(words) > LETTERS else words
