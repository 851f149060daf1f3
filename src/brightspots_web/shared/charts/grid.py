"""Members of a partnership by priorities: where each stands, and how sure we are.

This one is a real table with a small drawing in each cell, because that is what it is:
a screen reader walks it by row and column, and headings wrap on a phone.
"""

from collections.abc import Mapping, Sequence

import svg
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from brightspots_web.shared.charts.axis import bar_and_dot
from brightspots_web.shared.charts.draw import (
    LINE,
    SOFT,
    Chart,
    Estimate,
    interval_text,
    line,
    nothing_to_draw,
    number,
    pct,
)
from brightspots_web.shared.charts.scale import Scale, fit, mirrored


def strengths_grid(
    *,
    key: str,
    title: str,
    members: Sequence[tuple[str, str]],
    priorities: Sequence[str],
    cells: Mapping[tuple[str, str], Estimate],
    digits: int = 1,
) -> Chart:
    """Draw a small interval for each member (label, link or "") and each priority.

    cells is keyed by (member label, priority label); what is missing is shown as "not
    enough evidence". All cells of a priority share one scale; nothing is sorted by value.
    """
    columns = (_("School"), *priorities)
    if not members or not priorities:
        return nothing_to_draw(key, title, columns)
    scales = {
        priority: fit(
            mirrored(
                [
                    value
                    for member, _link in members
                    for value in cells.get((member, priority), Estimate("", None)).numbers()
                ]
            ),
            6,
            94,
        )
        for priority in priorities
    }
    body = format_html_join(
        "\n",
        "<tr>{}</tr>",
        ((_row(member, link, priorities, cells, scales, digits),) for member, link in members),
    )
    heads = format_html_join("", '<th scope="col">{}</th>', ((name,) for name in priorities))
    table = format_html(
        '<table class="grid" aria-describedby="{}-d"><caption class="unseen">{}</caption>'
        '<thead><tr><th scope="col">{}</th>{}</tr></thead><tbody>{}</tbody></table>',
        key,
        title,
        _("School"),
        heads,
        body,
    )
    description = _(
        "Each dot shows where a school stands and the bar how sure we are. "
        "The upright line is what is expected; further right is higher."
    )
    rows = tuple(
        (member, *(_words(cells.get((member, priority)), digits) for priority in priorities))
        for member, _link in members
    )
    return Chart(key, table, title, description, columns, rows, shape="table")


def _row(
    member: str,
    link: str,
    priorities: Sequence[str],
    cells: Mapping[tuple[str, str], Estimate],
    scales: Mapping[str, Scale],
    digits: int,
) -> SafeString:
    head = format_html('<a href="{}">{}</a>', link, member) if link else member
    drawn = format_html_join(
        "",
        '<td data-label="{}">{}<span class="unseen">{}</span></td>',
        (
            (
                priority,
                _cell(cells.get((member, priority)), scales[priority]),
                _words(cells.get((member, priority)), digits),
            )
            for priority in priorities
        ),
    )
    return format_html('<th scope="row">{}</th>{}', head, drawn)


def _cell(estimate: Estimate | None, scale: Scale) -> SafeString:
    marks: list[svg.Element]
    if estimate is None or not estimate.known:
        marks = [line(42, 17, 58, 17, stroke=SOFT)]
    else:
        zero = scale.place(0.0)
        marks = [
            line(6, 17, 94, 17, stroke=LINE),
            line(zero, 3, zero, 31, stroke=SOFT),
            *bar_and_dot(estimate, scale, 17, r=6),
        ]
    root = svg.SVG(
        width=pct(100), height=34, class_=["chart"], extra={"aria-hidden": "true"}, elements=marks
    )
    return mark_safe(root.as_str())  # noqa: S308  # numbers and our own markup only


def _words(estimate: Estimate | None, digits: int) -> str:
    if estimate is None or not estimate.known:
        return _("not enough evidence")
    return f"{number(estimate.value, digits, signed=True)} ({interval_text(estimate, digits)})"
