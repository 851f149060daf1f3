"""From yearly figures and first years to a finding, through the library; nothing here is a row.

What rests on fewer than three schools is taken out before anybody keeps it, and with it what could
be had by subtraction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from brightspots.core.errors import InputError
from brightspots_web.insight.disclosure import FEWEST_SCHOOLS

Progress = Callable[[float, str], None]
NEVER, BEGAN = "never", "began"
"""Names of groups in the raw paths: who never began; all that began, put together."""
BOUNDED = ("eligible", "lottery")
"""Designs in which only schools that could have had it are compared with."""


class CannotEvaluateError(Exception):
    """No estimate can be made; the message says why and what to do, in plain words."""


@dataclass(frozen=True)
class Row:
    """A school in a year."""

    unit: str
    year: int
    value: float
    first: int
    """First year with what is evaluated; 0 for never."""
    cluster: str = ""
    eligible: bool = True
    covariates: tuple[str | float | None, ...] = ()


@dataclass(frozen=True)
class Question:
    """The panel and how it is to be looked at."""

    rows: Sequence[Row]
    covariates: Sequence[str] = ()
    control: str = "notyet"
    design: str = "comparison"
    anticipation: int = 1
    cluster: bool = True
    seed: int = 0


@dataclass(frozen=True)
class Found:
    """What is kept: the finding in JSON types, and where it comes from."""

    finding: dict[str, Any]
    method: str
    method_version: str
    seed: int
    input_hash: str
    settings: dict[str, Any] = field(default_factory=dict)


def estimate(question: Question, progress: Progress = lambda done, stage: None) -> Found:
    """Evaluate; with nobody to compare with there are raw paths, security 0 and no estimate.

    Raises
    ------
    CannotEvaluateError
        Too few years or schools, figures that never vary, nobody left to compare with.
    """
    _check(question)
    progress(0.3, "Comparing schools")
    try:
        found = _before_after(question) if question.control == "none" else _compared(question)
    except InputError as error:
        raise CannotEvaluateError(_in_plain_words(error)) from error
    progress(0.9, "Taking out what rests on too few schools")
    return found


def _check(question: Question) -> None:
    years = sorted({row.year for row in question.rows})
    if len(years) < 2:
        raise CannotEvaluateError(_too_few_years(len(years)))
    treated = {row.unit for row in question.rows if years[0] < row.first <= years[-1]}
    if len(treated) < FEWEST_SCHOOLS:
        raise CannotEvaluateError(_too_few_began(len(treated), years[0], years[-1]))
    if len({row.value for row in question.rows}) == 1:
        raise CannotEvaluateError(
            _(
                "Every school has the same figure in every year, so nothing can be seen to "
                "change. Choose another outcome."
            )
        )


def _compared(question: Question) -> Found:
    from brightspots.evidence.impact import partnership_impact

    impact = partnership_impact(_frame(question), _columns(question), _parameters(question))
    n = impact.counts
    if impact.aggregates and _too_few_others(impact, question):
        raise CannotEvaluateError(_too_few_to_compare())
    sizes = _sizes(impact.paths)
    if sum(size for name, size in sizes.items() if name != NEVER) < FEWEST_SCHOOLS:
        raise CannotEvaluateError(
            _(
                "After schools without a figure in every year were left out, fewer than three "
                "that began remain. Choose another outcome, or wait for fuller results."
            )
        )
    hidden = hidden_groups(sizes)
    simple = impact.simple.as_dict()
    if not impact.trusted:
        simple |= {"att": None, "se": None, "lower": None, "upper": None}
    beside = {
        "imputation": impact.imputation.overall.as_dict() if impact.imputation else None,
        "bracket": impact.bracket.as_dict() if impact.bracket else None,
        "pretrends": impact.pre_trends.as_dict() if impact.pre_trends else None,
    }
    finding = {
        "simple": simple,
        **(beside if impact.trusted else dict.fromkeys(beside)),
        "events": _events(impact) if impact.trusted else [],
        "cells": _cells(impact, hidden) if impact.trusted else [],
        "paths": _paths(impact.paths),
        "balance": impact.balance.to_dicts(),
        "security": impact.security.as_dict(),
        "facts": _facts(impact),
        "size": impact.size.as_dict() if impact.size and impact.trusted else None,
        "counts": _counts(n),
        "hidden_groups": len(hidden),
    }
    source = impact.provenance
    return Found(
        finding, source.method, source.method_version, question.seed, source.input_hash,
        _plain(dict(source.settings)),
    )  # fmt: skip


def _too_few_others(impact: Any, question: Question) -> bool:
    """Whether somewhere fewer than three schools are compared with: their path could be told."""
    never = impact.counts["comparison_units"]
    alone = not question.cluster and impact.simple.comparison_clusters < FEWEST_SCHOOLS
    return 0 < never < FEWEST_SCHOOLS or (impact.simple.att is not None and alone)


def _before_after(question: Question) -> Found:
    """Those that began, before and after: raw paths alone, however they are spread over years."""
    from dataclasses import replace

    from brightspots.core.provenance import hash_frame
    from brightspots.evidence.impact import METHOD, METHOD_VERSION
    from brightspots.evidence.panel import counts_by_reason, read_panel
    from brightspots.evidence.pretrends import raw_paths
    from brightspots.evidence.security import SecurityFacts, evidence_security

    last = max(row.year for row in question.rows)
    only = replace(question, rows=[row for row in question.rows if 0 < row.first <= last])
    frame, columns = _frame(only), _columns(only)
    panel = read_panel(frame, columns, anticipation=question.anticipation)
    paths = raw_paths(panel)
    finding = {
        "simple": None, "imputation": None, "bracket": None, "pretrends": None,
        "events": [], "cells": [], "balance": [], "size": None, "facts": {},
        "paths": _paths(paths),
        "security": evidence_security(SecurityFacts("before_after")).as_dict(),
        "hidden_groups": len(hidden_groups(_sizes(paths))),
        "counts": {
            "units": panel.n, "treated_units": panel.n, "comparison_units": 0,
            "clusters": panel.n_clusters if panel.clustered else None,
            "periods": list(panel.periods.labels),
            "left_out": small_hidden(counts_by_reason(panel.left_out)),
        },
    }  # fmt: skip
    settings = {"control": "none", "anticipation": question.anticipation}
    return Found(
        finding, METHOD, METHOD_VERSION, question.seed, hash_frame(frame.select(columns.names)),
        settings,
    )  # fmt: skip


def _frame(question: Question) -> Any:
    import polars as pl

    rows = sorted(question.rows, key=lambda row: (row.unit, row.year))
    data: dict[str, Any] = {
        "school": [row.unit for row in rows],
        "year": [row.year for row in rows],
        "first": [row.first for row in rows],
        "value": [row.value for row in rows],
    }
    if question.cluster:
        data["partnership"] = [row.cluster for row in rows]
    if question.design in BOUNDED:
        data["eligible"] = ["yes" if row.eligible else "no" for row in rows]
    for at, name in enumerate(question.covariates):
        data[f"about: {name}"] = [_cell(row.covariates[at]) for row in rows]
    return pl.DataFrame(data, strict=False)


def _cell(value: str | float | None) -> str | None:
    return None if value is None or value == "" else str(value)


def _columns(question: Question) -> Any:
    from brightspots.evidence.panel import PanelColumns

    return PanelColumns(
        "school", "year", "first", "value",
        tuple(f"about: {name}" for name in question.covariates),
        "partnership" if question.cluster else None,
        None,
        "eligible" if question.design in BOUNDED else None,
    )  # fmt: skip


def _parameters(question: Question) -> Any:
    from brightspots.evidence.parameters import Control, Design, ImpactParameters

    return ImpactParameters(
        control=cast("Control", question.control),
        anticipation=float(question.anticipation),
        design=cast("Design", question.design),
        seed=question.seed,
        pupil_sd=1.0,
    )


# What is kept


def hidden_groups(sizes: Mapping[str, int]) -> set[str]:
    """Groups that began whose own figures are not kept: too small, or what is left beside them.

    One small group alone could be had from the whole and the others: the next smallest goes too.
    """
    began = {name: size for name, size in sizes.items() if name != NEVER}
    hidden = {name for name, size in began.items() if size < FEWEST_SCHOOLS}
    rest = sorted((size, name) for name, size in began.items() if name not in hidden)
    while hidden and rest and sum(began[name] for name in hidden) < FEWEST_SCHOOLS:
        hidden.add(rest.pop(0)[1])
    return hidden


def _sizes(paths: Any) -> dict[str, int]:
    return {row["group"]: row["n"] for row in paths.to_dicts()}


def _paths(paths: Any) -> list[dict[str, Any]]:
    """The raw means; where a group is too small, those of all that began together.

    A group's path beside the effect over all would give the small one away.
    """
    rows = paths.to_dicts()
    if hidden_groups(_sizes(paths)):
        rows = [*_pooled(rows), *(row for row in rows if row["group"] == NEVER)]
    return [row for row in rows if row["n"] >= FEWEST_SCHOOLS]


def _pooled(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    sums: dict[str, tuple[int, float]] = {}
    for row in rows:
        if row["group"] != NEVER:
            n, total = sums.get(row["time"], (0, 0.0))
            sums[row["time"]] = (n + row["n"], total + row["n"] * row["mean"])
    return [
        {"group": BEGAN, "time": time, "n": n, "mean": total / n, "sd": None}
        for time, (n, total) in sums.items()
    ]


def _cells(impact: Any, hidden: set[str]) -> list[dict[str, Any]]:
    """Effects group by group; none where one is too small.

    An effect by years since the beginning may be of the small group and one other alone: beside the
    other's own it would give the small one away.
    """
    if hidden:
        return []
    keep = ("group", "time", "att", "se", "lower", "upper")
    rows: list[dict[str, Any]] = impact.cells.select(keep).to_dicts()
    return rows


def _events(impact: Any) -> list[dict[str, Any]]:
    """Effects by years since the beginning; those of too few schools, or not sure, are left out."""
    names = ("event_time", "att", "lower", "upper", "band_lower", "band_upper", "treated_units")
    rows = impact.aggregates["dynamic"].parts.select(names).to_dicts()
    return [
        row for row in rows if row["treated_units"] >= FEWEST_SCHOOLS and row["lower"] is not None
    ]


def _facts(impact: Any) -> dict[str, Any]:
    """What the rating rests on, as numbers, so that pages can say it in the reader's language."""
    simple, trends = impact.simple, impact.pre_trends
    gaps = impact.left_out.filter(impact.left_out["periods"] != "").height
    listed = impact.counts["listed"] - (impact.left_out.height - gaps)
    worst = impact.balance["standardised"].abs().max() if impact.balance.height else None
    parts = {part: why for part, _most, why in impact.security.parts}
    return {
        "attrition": round(gaps / listed, 2) if listed else 0.0,  # as told: it counts no school out
        "apart": "apart" in parts.get("attrition", ""),
        "imbalance": float(worst) if worst is not None else None,
        "detectable": float(2.8 * simple.se) if simple.se is not None else None,
        "treated_clusters": simple.treated_clusters,
        "comparison_clusters": simple.comparison_clusters,
        "pre_trend_p": trends.p_value if trends else None,
    }


def _counts(counts: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = _plain(counts)
    kept.pop("listed", None)
    kept["left_out"] = small_hidden(kept["left_out"])
    return kept


def small_hidden(counts: Mapping[str, int]) -> dict[str, int | None]:
    """Counts of schools, None where they are few; what is nobody is left away."""
    return {key: n if n >= FEWEST_SCHOOLS else None for key, n in counts.items() if n}


def _plain(value: Any) -> Any:
    import json

    return json.loads(json.dumps(value, default=str))


def _too_few_years(n: int) -> str:
    said = ngettext(
        "The published analysis has figures of one year at this outcome.",
        "The published analysis has figures of %(n)s years at this outcome.",
        n,
    ) % {"n": n}
    return f"{said} " + _(
        "At least two are needed: one before and one after. Import earlier results, or wait for "
        "new ones."
    )


def _too_few_began(n: int, first: int, last: int) -> str:
    said = ngettext(
        "Only one school with figures began between the first and the last results "
        "(%(first)s to %(last)s).",
        "Only %(n)s schools with figures began between the first and the last results "
        "(%(first)s to %(last)s).",
        n,
    ) % {"n": n, "first": first, "last": last}
    return f"{said} " + _(
        "An effect of fewer than {least} schools is not reckoned: nothing tells it from luck, and "
        "it would name them. Wait for more schools or newer results."
    ).format(least=FEWEST_SCHOOLS)


def _too_few_to_compare() -> str:
    return _(
        "Fewer than three schools are left to compare with. Compare with schools that began "
        "later as well, or choose an outcome that more schools have."
    )


def _in_plain_words(error: InputError) -> str:
    """What the library refuses, without the words of files and commands."""
    known = {
        "The outcome is the same": _(
            "Every school that can be used has the same figure in every year, so nothing can be "
            "seen to change. Choose another outcome."
        ),
        "No unit is left": _(
            "No school has a figure in every year and a year before it began. Choose another "
            "outcome, fewer circumstances to adjust for, or a shorter time that it may show before."
        ),
        "No unit is first treated": _(
            "No school that began has figures of every year, with a year before. Choose another "
            "outcome, or a shorter time that it may show before."
        ),
        "No unit is never treated": _(
            "Every school had it at some time, so there is nobody who never did. Compare with "
            "schools that did not have it yet."
        ),
        "All units are treated": _(
            "All schools began in the same year: there is nobody to compare with. A change over "
            "time is not an effect."
        ),
    }
    for begins, words in known.items():
        if error.what.startswith(begins):
            return words
    return f"{error.what} {error.mend or ''}".strip()


# Before the fact


@dataclass(frozen=True)
class Plan:
    """So many schools, of which a share begins; the rest waits."""

    schools: int
    share: float = 0.5
    pupils: float = 30.0
    icc: float = 0.15
    pre_years: int = 2
    post_years: int = 1
    stability: float = 0.7
    covariates: int = 0


def detectable(plan: Plan) -> dict[str, Any]:
    """The smallest effect that a plan finds four times out of five, in SD of pupils; closed form.

    Raises
    ------
    CannotEvaluateError
        Too few schools for any comparison, or a number outside its range.
    """
    from brightspots.evidence.effect_sizes import months_of_progress
    from brightspots.evidence.power import PowerDesign, detectable_effect

    try:
        found = detectable_effect(
            PowerDesign(
                schools=plan.schools, share=plan.share, pupils=plan.pupils, icc=plan.icc,
                pre_periods=plan.pre_years, post_periods=plan.post_years,
                stability=plan.stability, covariates=plan.covariates,
            )
        )  # fmt: skip
    except InputError as error:
        raise CannotEvaluateError(
            _(
                "{n} schools, {share} in a hundred of them with it, are too few for a comparison: "
                "at least two on each side and some to spare are needed. Plan with more schools."
            ).format(n=plan.schools, share=round(100 * plan.share))
        ) from error
    return {
        **vars(plan),
        "detectable": found.detectable,
        "se": found.se,
        "months": months_of_progress(found.detectable),
    }
