"""Why this number: one figure of a school taken apart, in words first and numbers second."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots_web.directory.models import School
from brightspots_web.insight import pages as runs
from brightspots_web.insight import words
from brightspots_web.insight.models import Estimate, Run
from brightspots_web.insight.queries import Scale, Standing
from brightspots_web.shared import charts
from brightspots_web.shared.components import Cell, Column, Link, Table
from brightspots_web.shared.exports import Column as ExportColumn
from brightspots_web.shared.exports import export_links

Row = dict[str, Any]
NEGLIGIBLE = 0.5
"""Half of the last digit shown: a circumstance that moves less moves nothing."""


def page(school: School, standing: Standing, run: Run) -> Row:
    now = standing.now
    context: Row = {
        "school": school,
        "subject": standing.subject,
        "run": run,
        "headline": words.headline(standing),
        "sentence": words.sentence(standing),
        "breadcrumb": [
            Link(school.name, reverse("home:school", args=[school.code])),
            Link(_("Why this number?")),
        ],
        "made_url": reverse("insight:run", args=[run.uuid]),
        "command": runs.command(run),
        "made": _made(run),
    }
    if now is None:
        return context
    return context | {
        "steps": steps(standing, now),
        "parts": parts_table(school, standing),
        "parts_note": parts_note(standing, run),
        "numbers": numbers(standing, now, run),
        "withheld": words.years_withheld(standing),
    }


def steps(standing: Standing, now: Estimate) -> list[tuple[str, str]]:
    """How the figure comes about, a heading and a paragraph a step."""
    scale = standing.scale
    made: list[tuple[str, str]] = []
    if now.observed is not None and now.expected is not None:
        made.append((_("What pupils reached"), _reached(scale, now, standing.years)))
        made.append((_("What is expected here"), _expected(scale, now)))
        made.append((_("How much of the difference we count"), _shrunk(scale, now)))
    else:
        made.append((_("How much of the difference we count"), words.reliability(now.reliability)))
    made.append((_("How sure it is"), _sure(scale, now)))
    return made


def _reached(scale: Scale, now: Estimate, years: tuple[int, ...]) -> str:
    pupils = ngettext("%(n)s pupil", "%(n)s pupils", now.n) % {"n": charts.number(now.n, 0)}
    return _("%(pupils)s of %(years)s reached %(mean)s on average.") % {
        "pupils": pupils,
        "years": words.years_phrase(years or scale.years[-1:]),
        "mean": charts.number(now.observed, scale.digits),
    }


def _expected(scale: Scale, now: Estimate) -> str:
    assert now.observed is not None
    assert now.expected is not None
    raw = now.observed - now.expected
    names = {
        "expected": charts.number(now.expected, scale.digits),
        "points": words.points_of(raw, scale.digits),
    }
    if abs(raw) < NEGLIGIBLE * 10**-scale.digits:
        return _("Of a school in these circumstances %(expected)s is expected: just that.") % names
    if raw > 0:
        return (
            _(
                "Of a school in these circumstances %(expected)s is expected. The pupils here are "
                "%(points)s above it."
            )
            % names
        )
    return (
        _(
            "Of a school in these circumstances %(expected)s is expected. The pupils here are "
            "%(points)s below it."
        )
        % names
    )


def _shrunk(scale: Scale, now: Estimate) -> str:
    """The raw difference and what is left of it, and why."""
    assert now.observed is not None
    assert now.expected is not None
    raw, kept = now.observed - now.expected, scale.points(now.estimate) or 0.0
    pupils = ngettext("%(n)s pupil", "%(n)s pupils", now.n) % {"n": charts.number(now.n, 0)}
    names = {
        "raw": words.points_of(raw, scale.digits),
        "kept": words.points_of(kept, scale.digits),
        "pupils": pupils,
        "years": words.years_phrase(scale.years[-1:])
        if now.years <= 1
        else ngettext("%(n)s year", "%(n)s years", now.years) % {"n": now.years},
    }
    if raw * kept <= 0 or abs(kept) > abs(raw):
        # Years count by how sure each of them is, so the two need not follow each other.
        return (
            _(
                "The raw difference is %(raw)s. Years and schools of few pupils say less, so each "
                "year counts by how sure it is; that leaves %(kept)s."
            )
            % names
        )
    if names["raw"] == names["kept"]:
        return (
            _(
                "All of it: %(pupils)s over %(years)s say enough. Hardly anything of the "
                "%(raw)s is chance."
            )
            % names
        )
    return (
        _(
            "The raw difference of %(raw)s is drawn to %(kept)s. With %(pupils)s over %(years)s, "
            "part of any difference is chance: who was in these classes, what happened on the day. "
            "The fewer the pupils, the more is set aside."
        )
        % names
    )


def _sure(scale: Scale, now: Estimate) -> str:
    low, high = (scale.points(end) or 0.0 for end in (now.lower, now.upper))
    return _(
        "The truth lies between %(low)s and %(high)s points in 95 of 100 such cases, as far as the "
        "model is right. Reliability is %(reliability)s of 1; %(words)s."
    ) % {
        "low": charts.number(low, scale.digits, signed=True),
        "high": charts.number(high, scale.digits, signed=True),
        "reliability": charts.number(now.reliability, 2),
        "words": words.reliability(now.reliability),
    }


# What moves the expectation


def part_rows(standing: Standing) -> list[Row]:
    """Circumstances by how much they move the expectation, the largest first."""
    now = standing.now
    if now is None:
        return []
    ordered = sorted(now.because.items(), key=lambda part: (-abs(part[1]), part[0]))
    return [
        {
            "subject": standing.subject,
            "circumstance": words.circumstance(name),
            "points": points,
        }
        for name, points in ordered
    ]


def part_columns() -> list[ExportColumn]:
    return [
        ExportColumn("subject", _("Outcome")),
        ExportColumn("circumstance", _("Circumstance")),
        ExportColumn("points", _("Moves what is expected by, points"), "number"),
    ]


def parts_table(school: School, standing: Standing) -> Table | None:
    found = part_rows(standing)
    if not found:
        return None
    digits = standing.scale.digits
    rows: list[list[Cell]] = [
        [row["circumstance"], charts.number(row["points"], digits, signed=True)] for row in found
    ]
    total = sum(row["points"] for row in found)
    rows.append([_("All of them together"), charts.number(total, digits, signed=True)])
    return Table(
        _("What moves the expectation"),
        [
            Column(_("Circumstance")),
            Column(_("Moves what is expected by, points"), numeric=True),
        ],
        rows,
        exports=export_links("home:school_why_export", school.code),
    )


def parts_note(standing: Standing, run: Run) -> str:
    about = run.summary.get("outcomes", {}).get(standing.subject, {}).get("context", {})
    if not about.get("columns"):
        return _(
            "No circumstances were taken into account in this outcome: every school is measured "
            "against the average of all."
        )
    if standing.now is None or not standing.now.because:
        return _("Of this school, no circumstance is known that could be taken into account.")
    return _(
        "In the newest year, beside the schools of the system taken together: + means that more is "
        "expected here than of the average school, − that less is. A circumstance moves "
        "expectations because it goes with results elsewhere; that does not make it their cause."
    )


# The numbers


def numbers(standing: Standing, now: Estimate, run: Run) -> list[tuple[str, Cell]]:
    scale = standing.scale
    about = run.summary.get("outcomes", {}).get(standing.subject, {})
    digits = scale.digits

    def points(value: float | None, *, signed: bool = False) -> Cell:
        return None if value is None else charts.number(value, digits, signed=signed)

    def likely(value: float | None) -> Cell:
        return None if value is None else charts.number(value, 2)

    raw = None if now.observed is None or now.expected is None else now.observed - now.expected
    low, high = (
        charts.number(scale.points(end), digits, signed=True) for end in (now.lower, now.upper)
    )
    delta = scale.points(about.get("delta"))
    far = points(delta) or _("delta")
    return [
        (_("Mean score"), points(now.observed)),
        (_("Expected mean score"), points(now.expected)),
        (_("Raw difference"), points(raw, signed=True)),
        (_("Published difference"), points(scale.points(now.estimate), signed=True)),
        (_("95 % interval"), _("%(lower)s to %(upper)s") % {"lower": low, "upper": high}),
        (_("Standard error (comparative)"), points(scale.points(now.se_comparative))),
        (_("Standard error (diagnostic)"), points(scale.points(now.se_diagnostic))),
        (_("Reliability, 0 to 1"), likely(now.reliability)),
        (
            _("Probability of being %(points)s or more above") % {"points": far},
            likely(now.probability),
        ),
        (
            _("Probability of being %(points)s or more below") % {"points": far},
            likely(now.need_probability),
        ),
        (_("Pupils"), now.n),
        (_("Years"), words.years_phrase(standing.years or scale.years[-1:])),
        (_("Spread among pupils, points"), points(scale.pupil_sd)),
        (
            _("Made from"),
            _("pupils' results") if scale.way == "pupil" else _("school figures"),
        ),
    ]


def _made(run: Run) -> list[tuple[str, Cell]]:
    files = ", ".join(dict.fromkeys(str(each["file"]) for each in run.sources))
    return [
        (_("Published"), words.published_on(run)),
        (_("Run"), str(run.uuid)),
        (_("Method"), f"{run.method} ({_('version')} {run.method_version})"),
        (_("Source files"), files or None),
    ]
