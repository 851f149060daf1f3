"""What the real pipeline says of a simulated system, held against the truth, as sums.

A score is a mapping name -> sum over schools (or flags). Sums of systems add up, and ratios of them
have an interval over systems.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.insight.bright_spots import BRIGHT_SPOT, NOT_ENOUGH_EVIDENCE, bright_spots
from brightspots.insight.cross_products import CrossProducts, cross_products
from brightspots.insight.needs import needs, probability_below
from brightspots.insight.pupil_outcomes import one_year_in_pupil_sd
from brightspots.insight.school_years import Drift, school_year_value_added
from brightspots.insight.value_added import Z_95, ValueAdded, value_added
from brightspots.pace.calibration_systems import FORMULA, SUBJECT, Setting, System

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Score = dict[str, float]

DELTA: Final = 0.10
THIRDS: Final = ("small", "middle", "large")
SURE: Final = 0.8
"""From this probability on a school counts as one with a need, for the table."""
_YEAR, _SYSTEM = "year", "system"


def score_systems(setting: Setting, systems: Sequence[System]) -> list[Score]:
    """Run the pipeline from pupils' rows to flags and needs, and count what is right.

    The pupils of all systems are scanned together, which saves most of the time, and taken apart
    by system; from there on no system knows of another.
    """
    several = len(systems[0].years) > 1
    text = f"{FORMULA} + factor({_YEAR})" if several else FORMULA
    parts = _scan(systems, text, (_YEAR,) if several else ())
    found = [
        _several_years(each, cp, setting.drift) if several else _one_year(each, cp)
        for each, cp in zip(systems, parts, strict=True)
    ]
    if setting.rivals:
        latest = [each.of_latest_year() for each in systems]
        for at, (each, cp) in enumerate(zip(systems, _scan(latest, FORMULA, ()), strict=True)):
            found[at] |= _rivals(each, _years_together(parts[at]), cp)
    return found


def _scan(systems: Sequence[System], text: str, by: tuple[str, ...]) -> list[CrossProducts]:
    """Cross products of each system, from one scan."""
    together = pl.concat(
        [each.pupils.with_columns(pl.lit(at).alias(_SYSTEM)) for at, each in enumerate(systems)]
    )
    cp = cross_products(together, text, input_hash="simulated", threads=1, by=(*by, _SYSTEM))
    groups = tuple(name for name in cp.groups if name != _SYSTEM)
    parts = []
    for at in range(len(systems)):
        mine = (cp.cells[_SYSTEM] == str(at)).to_numpy()
        cells, counts = cp.cells.filter(pl.Series(mine)).select(groups), cp.counts[mine]
        n = round(float(counts.sum()))
        part = replace(
            cp, groups=groups, cells=cells, counts=counts, packed=cp.packed[mine], n_rows=n
        )
        parts.append(replace(part, n_dropped=0))
    return parts


def _years_together(cp: CrossProducts) -> CrossProducts:
    """Cells by school and year as cells by school."""
    school = cp.cells[cp.group]
    first = np.flatnonzero((school != school.shift(1)).fill_null(True).to_numpy())
    return replace(
        cp,
        groups=(cp.group,),
        cells=cp.cells[first.tolist()].select(cp.group),
        counts=np.add.reduceat(cp.counts, first),
        packed=np.add.reduceat(cp.packed, first, axis=0),
    )


def _several_years(system: System, cp: CrossProducts, drift: Drift) -> Score:
    fit = school_year_value_added(cp, year=_YEAR, drift=drift)
    score = _coverage("persistent", fit.persistent, _truth_of(system, fit.persistent))
    score |= _coverage("yearly", fit.yearly, _truth_of_years(system, fit.yearly))
    frame = fit.in_pupil_sd(SUBJECT)
    return score | _flags(frame, _truth_of(system, frame) / fit.pupil_sd)


def _one_year(system: System, cp: CrossProducts) -> Score:
    fit = value_added(cp)
    effects = fit.school_effects
    score = _coverage("yearly", effects, _truth_of(system, effects, system.yearly[:, 0]))
    frame, sd = one_year_in_pupil_sd(fit, cp, SUBJECT)
    return score | _flags(frame, _truth_of(system, frame) / sd)


def _truth_of(system: System, frame: pl.DataFrame, values: Floats | None = None) -> Floats:
    place = {school: at for at, school in enumerate(system.schools)}
    rows = [place[school] for school in frame["school"]]
    taken: Floats = (system.persistent if values is None else values)[rows]
    return taken


def _truth_of_years(system: System, frame: pl.DataFrame) -> Floats:
    place = {school: at for at, school in enumerate(system.schools)}
    year = {str(year): at for at, year in enumerate(system.years)}
    rows = [place[school] for school in frame["school"]]
    columns = [year[str(each)] for each in frame[_YEAR]]
    taken: Floats = system.yearly[rows, columns]
    return taken


def thirds(n: Floats) -> list[Booleans]:
    """Masks of the smaller, middle and larger third, by number of pupils; ties by place."""
    rank = np.argsort(np.argsort(n, kind="stable"), kind="stable")
    third = 3 * rank // max(len(n), 1)
    return [third == at for at in range(3)]


def _coverage(kind: str, effects: pl.DataFrame, truth: Floats) -> Score:
    inside = (effects["lower"].to_numpy() <= truth) & (truth <= effects["upper"].to_numpy())
    score: Score = {f"{kind}.covered": float(inside.sum()), f"{kind}.n": float(inside.size)}
    for name, mask in zip(THIRDS, thirds(effects["n"].to_numpy()), strict=True):
        score[f"{kind}.covered.{name}"] = float(inside[mask].sum())
        score[f"{kind}.n.{name}"] = float(mask.sum())
    return score


def _flags(frame: pl.DataFrame, truth: Floats) -> Score:
    """Bright spots, schools worth a visit (bright spots among them), needs; truth in pupil SD."""
    found = bright_spots(frame)
    evidence = found.frame["evidence"].to_numpy()
    p = found.frame["probability"].to_numpy()
    score = _rule("bright", evidence == BRIGHT_SPOT, truth, frame["n"].to_numpy())
    score |= _rule("visit", evidence != NOT_ENOUGH_EVIDENCE, truth, frame["n"].to_numpy())
    small = thirds(frame["n"].to_numpy())[0]
    for name, flagged in (
        ("bright", evidence == BRIGHT_SPOT),
        ("visit", evidence != NOT_ENOUGH_EVIDENCE),
    ):
        score[f"{name}.expected"] = float((1 - p[flagged]).sum())
        score[f"{name}.expected.small"] = float((1 - p[flagged & small]).sum())
    chance = needs(frame).frame["probability"].to_numpy()
    below = truth < -DELTA
    sure = chance >= SURE
    score |= {
        "needs.expected": float(chance.sum()),
        "needs.below": float(below.sum()),
        "needs.sure": float(sure.sum()),
        "needs.sure.expected": float(chance[sure].sum()),
        "needs.sure.below": float(below[sure].sum()),
    }
    return score


def _rule(name: str, flagged: Booleans, truth: Floats, n: Floats) -> Score:
    really = truth > DELTA
    small = thirds(n)[0]
    return {
        f"{name}.flagged": float(flagged.sum()),
        f"{name}.false": float((flagged & ~really).sum()),
        f"{name}.flagged.small": float((flagged & small).sum()),
        f"{name}.false.small": float((flagged & small & ~really).sum()),
        f"{name}.true": float(really.sum()),
        f"{name}.found": float((flagged & really).sum()),
    }


def _rivals(system: System, whole: CrossProducts, latest: CrossProducts) -> Score:
    """Try the rules in use: the latest year's tenth, its interval, all years as if one."""
    last = value_added(latest)
    effects = last.school_effects
    frame, sd = one_year_in_pupil_sd(last, latest, SUBJECT)
    truth = _truth_of(system, effects) / sd
    n = effects["n"].to_numpy().astype(np.float64)
    residual, se = _unshrunken(last)
    score = _rule("top-tenth", residual >= np.quantile(residual, 0.9), truth, n)
    score |= _rule("interval", residual - Z_95 * se > 0, truth, n)
    # The years' means are known, but a school's effect is taken to be the same every year.
    frame, sd = one_year_in_pupil_sd(value_added(whole), whole, SUBJECT)
    estimate, error = frame["estimate"].to_numpy(), frame["se_comparative"].to_numpy()
    p = probability_below(-estimate, error, -DELTA)
    n = frame["n"].to_numpy().astype(np.float64)
    return score | _rule("pooled", p > SURE, _truth_of(system, frame) / sd, n)


def _unshrunken(fit: ValueAdded) -> tuple[Floats, Floats]:
    """Return a school's mean residual and its standard error, as official tables have them."""
    effects = fit.school_effects
    if fit.singular:
        nothing = np.zeros(effects.height)
        return nothing, np.ones(effects.height)
    between, within = fit.variance_components["variance"].to_list()
    noise = within / effects["n"].to_numpy()
    residual: Floats = effects["estimate"].to_numpy() * (between + noise) / between
    return residual, np.sqrt(noise)


def ratio(scores: Sequence[Score], above: str, below: str) -> tuple[float, float, float] | None:
    """Ratio of sums over systems with its 95 % interval; None where the lower sum is 0.

    Notes
    -----
    r = sum a_i / sum b_i; se^2 = m / (m - 1) sum (a_i - r b_i)^2 / (sum b_i)^2 over m systems
    (Cochran 1977, Sampling Techniques, 6.3): schools of one system share its estimated variances.
    """
    a = np.array([each.get(above, 0.0) for each in scores])
    b = np.array([each.get(below, 0.0) for each in scores])
    total = float(b.sum())
    if total == 0:
        return None
    r = float(a.sum()) / total
    m = len(scores)
    se = float(np.sqrt(((a - r * b) ** 2).sum() * m / (m - 1))) / total if m > 1 else float("nan")
    return r, r - Z_95 * se, r + Z_95 * se
