"""Drawings of help between schools and of counts on their way to a target, to be tested."""

import random
from collections.abc import Callable
from datetime import date, timedelta

from brightspots_web.shared import charts
from brightspots_web.shared.charts import Arrow, Chart, Count, Counted, Helper

START = date(2026, 1, 5)


def counts(values: list[int], *, gap: int = 7, n: int = 300) -> tuple[Count, ...]:
    return tuple(Count(START + timedelta(days=gap * i), v, n) for i, v in enumerate(values))


def to_target(*values: int, gap: int = 7) -> Chart:
    near = [value + 3 for value in values]
    return charts.to_target(
        key="k",
        title="Isolated schools",
        lines=[
            Counted("isolated", counts([*values], gap=gap)),
            Counted("one step from it", counts(near, gap=gap)),
        ],
        target_label="target: none",
    )


def schools(n: int, *, placed: bool = True) -> list[Helper]:
    draw = random.Random(3)  # noqa: S311 - a drawing, not a secret
    return [
        Helper(
            f"S{i}",
            f"School {i} & <co>",
            1 + draw.random() if placed else None,
            30 + draw.random() if placed else None,
            f"/schools/{i}/",
        )
        for i in range(n)
    ]


def arrows(n: int, among: int) -> list[Arrow]:
    draw = random.Random(4)  # noqa: S311 - as above
    found = []
    for i in range(n):
        giving, receiving = draw.sample(range(among), 2)
        found.append(Arrow(f"S{giving}", f"S{receiving}", ("support", "practice")[i % 2]))
    return found


def help_map(n: int, among: int = 20, *, placed: bool = True) -> Chart:
    return charts.help_map(
        key="k", title="Help", schools=schools(among, placed=placed), arrows=arrows(n, among)
    )


def helping(n: int, among: int = 20) -> Chart:
    return charts.helping(key="k", title="Help", schools=schools(among), arrows=arrows(n, among))


TYPICAL: dict[str, tuple[Callable[[], Chart], int]] = {
    "to_target": (lambda: to_target(30, 22, 15, 9, 4), 6_000),
    "help_map": (lambda: help_map(15), 9_000),
    "helping": (lambda: helping(15), 9_000),
}
EXTREMES: dict[str, Callable[[], Chart]] = {
    "to_target, nothing counted": lambda: to_target(),
    "to_target, one day": lambda: to_target(7),
    "to_target, always none": lambda: to_target(0, 0, 0),
    "to_target, years of days": lambda: to_target(*range(900, 0, -1), gap=1),
    "help_map, none": lambda: help_map(0),
    "help_map, one": lambda: help_map(1, 2),
    "help_map, no places": lambda: help_map(5, placed=False),
    "help_map, merged": lambda: help_map(3000, 900),
    "helping, none": lambda: helping(0),
    "helping, one": lambda: helping(1, 2),
    "helping, many": lambda: helping(200, 55),
    "helping, a long name": lambda: charts.helping(
        key="k",
        title="t",
        schools=[Helper("a", "A very long name of a school & more " * 4), Helper("b", "B")],
        arrows=[Arrow("a", "b"), Arrow("b", "a")],
    ),
}
