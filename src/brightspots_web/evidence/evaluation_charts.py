"""Charts of a finding: effects by years since the beginning, and the raw paths."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.shared import charts
from brightspots_web.shared.charts import number

MOST_LINES = 4
NEVER, BEGAN = "never", "began"


def charts_of(finding: Mapping[str, Any]) -> list[tuple[charts.Chart, str]]:
    """Each chart with the words below it."""
    drawn = []
    if finding.get("events"):
        drawn.append((
            events(finding),
            _(
                "Left of 0 each value is the change since the year before, beside that of the "
                "others: it should lie around the line. Bars are intervals that hold together."
            ),
        ))  # fmt: skip
    if finding.get("paths"):
        drawn.append((
            paths(finding),
            _("Means of schools as they are, before any model. 0 is what is expected of them."),
        ))  # fmt: skip
    return drawn


def events(finding: Mapping[str, Any]) -> charts.Chart:
    """Before and after, beside the schools compared with."""
    points = tuple(
        charts.Estimate(
            number(row["event_time"], 0, signed=True),
            row["att"],
            row["band_lower"] if row["band_lower"] is not None else row["lower"],
            row["band_upper"] if row["band_upper"] is not None else row["upper"],
            row["treated_units"],
        )
        for row in finding["events"]
    )
    return charts.trend(
        key="events",
        title=_("Difference to the schools compared with, by years since it began"),
        series=[charts.Series(_("Difference"), points)],
        unit=_("SD of pupils; 0 is the first year with it"),
        digits=2,
        signed=False,
    )


def paths(finding: Mapping[str, Any]) -> charts.Chart:
    """The raw means of the schools that began in each year, and of those that never did."""
    by_group: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in finding["paths"]:
        by_group[row["group"]].append(row)
    # The largest groups; the others stand in the file.
    began = sorted((name for name in by_group if name != NEVER), key=lambda g: -by_group[g][0]["n"])
    chosen = sorted(began[: MOST_LINES - 1]) + [name for name in by_group if name == NEVER]
    return charts.trend(
        key="paths",
        title=_("What the schools reached, year by year"),
        series=[
            charts.Series(
                _group(name, by_group[name][0]["n"]),
                tuple(
                    charts.Estimate(str(row["time"]), row["mean"], *_likely(row), row["n"])
                    for row in by_group[name]
                ),
            )
            for name in chosen
        ],
        unit=_("SD of pupils"),
        digits=2,
        signed=False,
    )


def _likely(row: Mapping[str, Any]) -> tuple[float | None, float | None]:
    if row["sd"] is None or not row["n"]:
        return None, None
    reach = 1.96 * row["sd"] / row["n"] ** 0.5
    return row["mean"] - reach, row["mean"] + reach


def _group(name: str, n: int) -> str:
    schools = ngettext("%(n)s school", "%(n)s schools", n) % {"n": number(n, 0)}
    if name == NEVER:
        return _("did not begin ({schools})").format(schools=schools)
    if name == BEGAN:
        return _("began, in whatever year ({schools})").format(schools=schools)
    return _("began with the results of {year} ({schools})").format(year=name, schools=schools)
