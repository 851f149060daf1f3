"""Power before the fact: what could be detected with so many schools, from what is published."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _

from brightspots_web.evidence import evaluation_treated_queries as treated
from brightspots_web.evidence import evaluation_words as words
from brightspots_web.evidence.evaluation_actions import Plan
from brightspots_web.evidence.evaluation_models import Evaluation
from brightspots_web.insight import queries as insight
from brightspots_web.shared.charts import number
from brightspots_web.shared.components import Cell, Column, Table

AROUND = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Other numbers of schools beside the one asked for."""


def known() -> dict[str, int]:
    """What the published analysis says, for the form: how much of the differences is schools'."""
    shares = [row.share for row in insight.variability() if row.tier != "pupil" and not row.year]
    subjects = {row.subject for row in insight.variability() if not row.year}
    if not shares or not subjects:
        return {}
    return {"icc": max(1, min(99, round(100 * sum(shares) / len(subjects))))}


def page(form: forms.Form) -> dict[str, Any]:
    """The answer for the schools asked for, and for more and fewer; or why there is none."""
    from brightspots_web.evidence.analysis import evaluation as analysis  # the library: only here

    if not form.is_bound or not form.is_valid():
        return {"sentence": "", "problem": "", "table": None}
    asked = form.cleaned_data
    plan = analysis.Plan(
        schools=asked["schools"],
        share=asked["share"] / 100,
        pupils=float(asked["pupils"]),
        icc=asked["icc"] / 100,
        pre_years=asked["pre_years"],
        post_years=asked["post_years"],
    )
    try:
        found = analysis.detectable(plan)
    except analysis.CannotEvaluateError as why:
        return {"sentence": "", "problem": str(why), "table": None}
    return {"sentence": words.power(found), "problem": "", "table": _around(plan)}


def _around(plan: Any) -> Table:
    from dataclasses import replace

    from brightspots_web.evidence.analysis import evaluation as analysis

    rows: list[list[Cell]] = []
    for schools in sorted({max(4, round(plan.schools * times)) for times in AROUND}):
        try:
            found = analysis.detectable(replace(plan, schools=schools))
        except analysis.CannotEvaluateError:
            continue
        rows.append([number(schools, 0), number(found["detectable"], 2), found["months"]])
    return Table(
        _("With more schools, or fewer"),
        [
            Column(_("Schools in all")),
            Column(_("Smallest effect found, SD of pupils"), numeric=True),
            Column(_("Months of progress"), numeric=True),
        ],
        rows,
    )


def of_plan(asked: Plan) -> dict[str, Any]:
    """What a plan could detect with the schools on record so far; {} where nothing can be said."""
    from brightspots_web.evidence.analysis import evaluation as analysis

    run = treated.run_to_use()
    if run is None:
        return {}
    trial = Evaluation(
        kind=asked.kind, priority=asked.priority, practice=asked.practice, subject=asked.subject,
        design=asked.design, lottery=asked.lottery, control=asked.control,
        results_month=asked.results_month, least_days=asked.least_days,
        covariates=list(asked.covariates),
    )  # fmt: skip
    sizes = treated.sizes(trial, run)
    if not sizes.began or not sizes.others or asked.control == Evaluation.Control.NONE:
        return {}
    schools = sizes.began + sizes.others
    try:
        return analysis.detectable(
            analysis.Plan(
                schools=schools,
                share=sizes.began / schools,
                icc=known().get("icc", 15) / 100,
                pre_years=max(0, sizes.years_before - asked.anticipation),
                post_years=sizes.years_after,
                covariates=sizes.covariates,
            )
        )
    except analysis.CannotEvaluateError:
        return {}
