"""Schools' figures year by year as they may be shown, for what is reckoned over many schools.

For jobs alone. Only figures that everybody who sees schools may see: whatever is worked out from
these can give no withheld figure away, since none is in it (see `disclosure`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import QuerySet

from brightspots_web.insight import disclosure, queries
from brightspots_web.insight.models import Estimate, Run, Variance


@dataclass(frozen=True)
class YearFigure:
    """What a school's pupils reached in a year beyond what was expected of them; pupil SD.

    Not shrunken: an estimate that leans on the school's other years would mix the time before
    something with the time after it.
    """

    school: int
    code: str
    subject: str
    year: int
    n: int
    value: float
    variance: float
    """Of `value`, by chance among the school's pupils of that year."""


def year_figures(run: Run, subject: str = "") -> list[YearFigure]:
    """Figures of all schools and years, of one outcome or all; by outcome, year and school."""
    scales = queries.scales(run)
    within = _within(run)
    rows = _shown(run).order_by("subject", "year", "school")
    if subject:
        rows = rows.filter(subject=subject)
    found = []
    for school, code, name, year, n, observed, expected in rows.values_list(
        "school", "school__code", "subject", "year", "n", "observed", "expected"
    ):
        scale = scales.get(name)
        if scale is None or scale.pupil_sd <= 0:
            continue
        found.append(
            YearFigure(
                school,
                code,
                name,
                int(year or 0),
                n,
                ((observed or 0.0) - (expected or 0.0)) / scale.pupil_sd,
                within.get(name, 1.0) / n,
            )
        )
    return found


def schools_and_years(run: Run, subject: str) -> tuple[set[int], tuple[int, ...]]:
    """Schools that have figures of an outcome, and the years of them, without the figures."""
    scale = queries.scales(run).get(subject)
    if scale is None or scale.pupil_sd <= 0:
        return set(), ()
    rows = _shown(run).filter(subject=subject).order_by()
    years = {int(year or 0) for year in rows.values_list("year", flat=True).distinct()}
    return set(rows.values_list("school", flat=True).distinct()), tuple(sorted(years))


def _shown(run: Run) -> QuerySet[Estimate]:
    return Estimate.objects.filter(
        disclosure.shown_across(),
        run=run,
        year__isnull=False,
        observed__isnull=False,
        expected__isnull=False,
    )


def _within(run: Run) -> Mapping[str, float]:
    """Outcome -> variance among the pupils of a school, in units of all pupils' variance.

    What the model leaves among pupils where pupils were analysed; else their share of all
    differences, which is a little more than what circumstances leave of it.
    """
    rows = Variance.objects.filter(run=run, year=None, tier="pupil")
    found = {row.subject: row.share for row in rows}
    for subject, about in run.summary.get("outcomes", {}).items():
        parts = about.get("model", {}).get("variances") or []
        left = next((part for part in parts if part.get("component") == "pupil"), None)
        if left is not None and about["pupil_sd"] > 0:
            found[subject] = float(left["variance"]) / about["pupil_sd"] ** 2
    return {subject: min(max(value, 0.01), 1.0) for subject, value in found.items()}
