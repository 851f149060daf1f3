"""The impact of support in partnerships: every estimate beside its checks, and how far to trust it.

Described in ``docs/methods/evidence.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import norm

from brightspots.core.errors import InputError
from brightspots.core.provenance import Provenance, hash_frame
from brightspots.evidence.aggregates import Aggregate, Kind, aggregate_att
from brightspots.evidence.effect_sizes import EffectSize, effect_size
from brightspots.evidence.group_time import CELLS, GroupTime, att_gt, has_comparison
from brightspots.evidence.imputation import Imputation, imputation_att
from brightspots.evidence.lagged import Bracket, bracket, lagged_outcome_att
from brightspots.evidence.panel import Panel, PanelColumns, counts_by_reason, read_panel
from brightspots.evidence.parameters import Estimate, ImpactParameters
from brightspots.evidence.pretrends import (
    BALANCE,
    PreTrends,
    balance,
    pre_trends,
    raw_paths,
)
from brightspots.evidence.security import Security, SecurityFacts, evidence_security

METHOD = "evidence"
METHOD_VERSION = "1"
KINDS: tuple[Kind, ...] = ("simple", "dynamic", "group", "calendar")
BEFORE_AFTER = (
    "All units are treated at the same time and none is untreated: a change over time is all there"
    " is, and it is no estimate of an effect. Add units that were not supported, or not yet."
)


@dataclass(frozen=True)
class Impact:
    """An evaluation.

    Attributes
    ----------
    cells : DataFrame
        As :attr:`brightspots.evidence.group_time.GroupTime.cells`; empty without a comparison.
    aggregates : mapping of str to Aggregate
        simple, dynamic, group, calendar; empty without a comparison.
    imputation, bracket, pre_trends : Imputation, Bracket, PreTrends or None
    lagged : DataFrame
        Effects adjusted for earlier outcomes, as cells.
    paths, balance : DataFrame
        Raw means; treated and comparison units before treatment.
    left_out : DataFrame
        unit, reason, periods.
    security : Security
    size : EffectSize or None
        The simple average in SD of pupils, where their SD and an interval are known.
    notes : tuple of str
        What to know beside the numbers.
    counts : mapping
        units, treated_units, comparison_units, clusters, periods, left_out by reason.
    provenance : Provenance
    """

    cells: pl.DataFrame
    aggregates: dict[str, Aggregate]
    imputation: Imputation | None
    bracket: Bracket | None
    pre_trends: PreTrends | None
    lagged: pl.DataFrame
    paths: pl.DataFrame
    balance: pl.DataFrame
    left_out: pl.DataFrame
    security: Security
    size: EffectSize | None
    notes: tuple[str, ...]
    counts: dict[str, Any]
    provenance: Provenance

    @property
    def simple(self) -> Estimate:
        """The average effect over treated units and periods."""
        if not self.aggregates:
            return Estimate(None, why=BEFORE_AFTER)
        return self.aggregates["simple"].overall

    @property
    def trusted(self) -> bool:
        """Whether the effect over all has an interval; without one nothing tells it from luck."""
        return self.simple.lower is not None


def partnership_impact(
    frame: pl.DataFrame, columns: PanelColumns, parameters: ImpactParameters | None = None
) -> Impact:
    """Evaluate support from a panel of schools: all estimates, checks and a rating of security.

    Parameters
    ----------
    frame : DataFrame
        One row a unit and period; see :func:`brightspots.evidence.panel.read_panel`.
    columns : PanelColumns
    parameters : ImpactParameters, optional
        With `columns.eligible` and no lottery the design counts as "eligible".

    Raises
    ------
    InputError
        As :func:`brightspots.evidence.panel.read_panel`; or nobody is never treated although that
        is who should be compared with.
    """
    parameters = parameters or ImpactParameters()
    panel = read_panel(frame, columns, anticipation=parameters.anticipation)
    settings = parameters.as_dict() | {"columns": {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in vars(columns).items()
    }}  # fmt: skip
    used = frame.select(columns.names)
    provenance = Provenance(METHOD, METHOD_VERSION, hash_frame(used), parameters.seed, settings)
    if not has_comparison(panel, parameters):
        return _before_after(panel, parameters, provenance)
    found = att_gt(panel, parameters)
    aggregates: dict[str, Aggregate] = {
        kind: aggregate_att(
            found, kind, panel.periods, seed=parameters.seed, draws=parameters.draws
        )
        for kind in KINDS
    }
    simple = aggregates["simple"].overall
    lagged, lags = lagged_outcome_att(panel, found, parameters)
    pair = bracket(simple, lagged, lags)
    trends = pre_trends(found, parameters, panel.n_clusters)
    alike = balance(panel, found, parameters)
    security = evidence_security(_facts(panel, parameters, simple, pair, trends, alike))
    notes = [*panel.notes, *_cautions(panel, found, parameters)]
    return Impact(
        cells=found.cells,
        aggregates=aggregates,
        imputation=imputation_att(panel, parameters),
        bracket=pair,
        pre_trends=trends,
        lagged=lagged.cells,
        paths=raw_paths(panel),
        balance=alike,
        left_out=panel.left_out,
        security=security,
        size=_size(simple, security, parameters),
        notes=tuple(notes),
        counts=_counts(panel),
        provenance=provenance,
    )


def _before_after(panel: Panel, parameters: ImpactParameters, provenance: Provenance) -> Impact:
    """List an evaluation without a comparison: no estimate, security 0, no months."""
    if parameters.control == "never" and len(panel.groups) > 1:
        raise InputError(
            "No unit is never treated, so there is nobody to compare with.",
            mend="Compare with units not treated yet (--control notyet), or add units that were"
            " not supported.",
        )  # fmt: skip
    empty = pl.DataFrame(schema=CELLS)
    return Impact(
        empty, {}, None, None, None, empty, raw_paths(panel), pl.DataFrame(schema=BALANCE),
        panel.left_out, evidence_security(SecurityFacts("before_after")), None,
        (BEFORE_AFTER, *panel.notes), _counts(panel), provenance,
    )  # fmt: skip


def _counts(panel: Panel) -> dict[str, Any]:
    treated = panel.first <= panel.periods.values[-1]
    return {
        "units": panel.n,
        "treated_units": int(treated.sum()),
        "comparison_units": int((~treated).sum()),
        "clusters": panel.n_clusters if panel.clustered else None,
        "periods": list(panel.periods.labels),
        "listed": panel.n_listed,
        "left_out": counts_by_reason(panel.left_out),
    }


def _facts(
    panel: Panel, parameters: ImpactParameters, simple: Estimate, pair: Bracket,
    trends: PreTrends, alike: pl.DataFrame,
) -> SecurityFacts:  # fmt: skip
    design = parameters.design
    if panel.eligibility and design == "comparison":
        design = "eligible"
    lost = panel.left_out.filter(pl.col("periods") != "").height
    gone = set(panel.left_out.filter(pl.col("periods") == "")["unit"])
    treated_used = int((panel.first <= panel.periods.values[-1]).sum())
    treated_gone = panel.treated_left_out - _treated_beyond_use(panel)
    other_used = panel.n - treated_used
    other_gone = lost - treated_gone
    shares = [
        gone_ / (gone_ + used) if gone_ + used else 0.0
        for gone_, used in ((treated_gone, treated_used), (other_gone, other_used))
    ]
    counted = panel.n_listed - len(gone)
    detectable = None
    if parameters.pupil_sd is not None and simple.se is not None:
        detectable = float((norm.ppf(0.975) + norm.ppf(0.8)) * simple.se / parameters.pupil_sd)
    worst = alike["standardised"].abs().max() if alike.height else None
    return SecurityFacts(
        design=design,
        attrition=lost / counted if counted else 0.0,
        attrition_difference=abs(shares[0] - shares[1]) if other_used else 0.0,
        imbalance=float(worst) if isinstance(worst, float) else None,
        detectable=detectable,
        treated_clusters=simple.treated_clusters,
        comparison_clusters=simple.comparison_clusters,
        pre_trend_p=trends.p_value,
        answers_agree=pair.agree,
    )


def _treated_beyond_use(panel: Panel) -> int:
    """Treated units left out for when they were treated, not for a gap."""
    reasons = panel.left_out.filter(pl.col("periods") == "")["reason"]
    return int((reasons.str.starts_with("treated") | reasons.str.starts_with("no period")).sum())


def _size(simple: Estimate, security: Security, parameters: ImpactParameters) -> EffectSize | None:
    sd = parameters.pupil_sd
    if sd is None or simple.att is None or simple.lower is None or simple.upper is None:
        return None
    return effect_size(
        simple.att / sd, simple.lower / sd, simple.upper / sd, months=security.months_allowed
    )


def _cautions(panel: Panel, found: GroupTime, parameters: ImpactParameters) -> list[str]:
    """Say which effects have no interval or no value, and what is missing."""
    notes = []
    post = found.cells.filter(pl.col("event_time") >= 0)
    for why, part in post.filter(pl.col("why") != "").group_by("why", maintain_order=True):
        names = part["group"].unique(maintain_order=True).to_list()
        shown = ", ".join(names[:5]) + (" and more" if len(names) > 5 else "")
        word = "no value" if part["att"].null_count() == part.height else "no interval"
        notes.append(f"Group {shown}: {part.height} effects have {word}: {why[0]}.")
    if panel.clustered and panel.n_clusters < 20:
        notes.append(
            f"There are only {panel.n_clusters} clusters; intervals are wide, and rough even so."
        )
    if parameters.pupil_sd is None:
        notes.append(
            "No months of progress: the SD of pupils is not known (give it; 1 where the outcome is"
            " in SD of pupils)."
        )
    if parameters.anticipation == 0 and parameters.design != "lottery":
        notes.append(
            "If schools were chosen on their latest result, use an anticipation of at least 1:"
            " returning to the mean looks like an effect."
        )
    counted = panel.first[np.isfinite(panel.first)]
    if len(counted) and parameters.control == "notyet" and not np.isinf(panel.first).any():
        notes.append(
            "No unit is never treated: periods from the last group's treatment on have no effect."
        )
    return notes
