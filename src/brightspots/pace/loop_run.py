"""One policy through the cycles of one simulated system: estimate, flag, broker, support, measure.

Everything that decides is the library's own: effects of schools and school-years, the rule for
bright spots, needs, brokering, effects of projects held against schools without support, track
records. Nothing here sees the truth but the oracle and the final account.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from brightspots.core.errors import InputError
from brightspots.core.geography import chord, unit_vectors
from brightspots.evidence.project_effects import project_effects
from brightspots.evidence.track_record import TrackRecordParameters, track_record
from brightspots.insight.bright_spots import BrightSpotParameters, flag
from brightspots.insight.needs import probability_below
from brightspots.insight.nested_reml import Nest, fit_nested
from brightspots.pace.loop_policies import Belief, Matches, Policy, PolicySettings, match
from brightspots.pace.loop_world import HISTORY, World, hashed

__all__ = ["MEASURES", "Cycle", "begin", "run_policy"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Cycle = dict[str, float | None]
Progress = Callable[[float], None]

DELTA: Final = BrightSpotParameters().delta
ASK_FROM: Final = 0.5
"""A school may ask for support where a gap of at least `DELTA` is more likely than not."""
REFIT_EVERY: Final = 4
HOURS_A_DAY: Final = 8.0
Z_95: Final = 1.959963984540054
MEASURES: Final[dict[str, str]] = {
    "mean_true_gain": "mean true gain a request, SD of pupils; 0 where nobody was found",
    "gain_when_supported": "mean true gain a project",
    "lift": "what support adds to the system's mean, over all schools and priorities",
    "between_school_variance": "variance of schools' true effects, mean over priorities",
    "requests": "schools that asked",
    "supported": "projects",
    "isolated": "schools that asked twice running and found nobody, or have no leader in reach",
    "cost_days": "leaders' days with travel",
    "mean_km": "mean way between the two schools",
    "harmed": "share of projects whose leader truly does harm in that priority",
    "expected_gain": "mean of the gains expected when matches were made",
    "record_covers": "share of leaders' true abilities inside the interval of their record",
    "bright_leaders": "share of leaders whose school is flagged a bright spot or worth a visit",
}


@dataclass
class State:
    """What there is after some years; `y` as measured, `stock` what support has added."""

    y: Floats
    supported: Bools
    stock: Floats
    head_of: Ints
    """By school: which of its heads leads others; -1 for none."""
    unmet: Bools
    own: Floats
    """Estimated effects of leaders' own schools, as last known; (heads, schools, priorities)."""
    variances: Floats
    """Of school-years and of schools, as estimated last; (priorities, 2)."""
    projects: dict[str, list[pl.Series]] = field(default_factory=dict)

    def copy(self) -> State:
        """Return another that can go its own way."""
        return State(
            self.y.copy(), self.supported.copy(), self.stock.copy(), self.head_of.copy(),
            self.unmet.copy(), self.own.copy(), self.variances.copy(),
            {name: list(parts) for name, parts in self.projects.items()},
        )  # fmt: skip


@dataclass(frozen=True)
class Estimates:
    """Lasting effects as estimated, with their PEV; shape (schools, priorities)."""

    mean: Floats
    pev: Floats

    @property
    def below(self) -> Floats:
        """Probability of a gap of at least `DELTA`."""
        return probability_below(self.mean, np.sqrt(self.pev), -DELTA)

    @property
    def above(self) -> Floats:
        """Probability of an effect above `DELTA`."""
        return probability_below(-self.mean, np.sqrt(self.pev), -DELTA)


def begin(world: World) -> State:
    """Measure the years before, and let one cycle of support by nearness leave its record."""
    n, k = world.n_schools, world.assumptions.n_priorities
    years = len(world.effect)
    state = State(
        np.full((years, n, k), np.nan), np.zeros((years, n, k), dtype=np.bool_), np.zeros((n, k)),
        np.full(n, -1, dtype=np.int64), np.zeros(n, dtype=np.bool_),
        np.full(world.ability.shape, np.nan), np.zeros((k, 2)),
    )  # fmt: skip
    for year in range(HISTORY):
        state.y[year] = world.effect[year] + world.shock[year] + world.noise[year]
    _cycle("nearest", world, state, HISTORY, PolicySettings(), 0, measure=True)
    return state


def run_policy(
    policy: Policy,
    world: World,
    state: State,
    settings: PolicySettings,
    seed: int,
    progress: Progress | None = None,
) -> list[Cycle]:
    """Go through the cycles after the pilot; `state` is that of :func:`begin`, and stays as it is.

    Returns
    -------
    list of dict
        The figures of `MEASURES` for each cycle; None where there is nothing to take a mean of.
    """
    state = state.copy()
    cycles = []
    years = range(HISTORY + 1, len(world.effect))
    for year in years:
        learns = policy == "learning"
        cycles.append(_cycle(policy, world, state, year, settings, seed, measure=learns))
        if progress:
            progress((year - HISTORY) / len(years))
    return cycles


def _cycle(
    policy: Policy,
    world: World,
    state: State,
    year: int,
    settings: PolicySettings,
    seed: int,
    *,
    measure: bool,
) -> Cycle:
    found = estimate(state, world, year)
    flagged = _appoint(world, state, found, year)
    leaders = np.flatnonzero(state.head_of >= 0)
    state.own[state.head_of[leaders], leaders] = found.mean[leaders]
    below = found.below
    worst = below.argmax(axis=1)
    schools = np.flatnonzero((below.max(axis=1) >= ASK_FROM) & world.asks[year])
    priority = worst[schools]
    belief = _belief(policy, world, state, year, leaders)
    key = int(hashed(seed, world.key, year) * 2**53)
    made = match(policy, world, year, (schools, priority), leaders, belief, settings, key)
    at, by, p = schools[made.request], leaders[made.leader], priority[made.request]
    ability = world.ability_now(year)[leaders]
    gain = ability[made.leader, p] + world.luck[year, at, p]
    state.stock *= world.assumptions.gain_kept
    state.stock[at, p] += gain
    state.supported[year, at, p] = True
    state.y[year] = world.effect[year] + state.stock + world.shock[year] + world.noise[year]
    if measure:
        _learn(world, state, found, year, (at, by, p))
    return {
        "mean_true_gain": float(gain.sum()) / len(schools) if len(schools) else None,
        "gain_when_supported": _mean(gain),
        "lift": float(state.stock.mean()),
        "between_school_variance": float((world.effect[year] + state.stock).var(axis=0).mean()),
        "requests": float(len(schools)),
        "supported": float(len(gain)),
        "isolated": float(_alone(world, state, leaders, schools, made.request)),
        "cost_days": _days(world, made),
        "mean_km": _mean(made.km),
        "harmed": _mean(ability[made.leader, p] < 0),
        **_believed(policy, belief, made, p, ability),
        "bright_leaders": _mean(flagged[leaders]),
    }


def _believed(
    policy: Policy, belief: Belief | None, made: Matches, priority: Ints, ability: Floats
) -> Cycle:
    """Hold what was believed of the leaders against the truth; nothing for who believes nothing."""
    if belief is None or policy == "oracle":
        return {"expected_gain": None, "record_covers": None}
    return {
        "expected_gain": _mean(belief.mean[made.leader, priority]),
        "record_covers": _mean(np.abs(ability - belief.mean) <= Z_95 * belief.sd),
    }


def estimate(state: State, world: World, year: int) -> Estimates:
    """Estimate lasting effects from the years before: schools and school-years, REML.

    The variances are estimated before the pilot and every `REFIT_EVERY` years from then on; in
    between those of the last time stand, as in a system that reviews its model now and then.
    """
    n, k = world.n_schools, world.assumptions.n_priorities
    window = np.arange(year - HISTORY, year)
    s2 = world.sampling_variance[window]
    if (year - HISTORY) % REFIT_EVERY == 0:
        X = np.tile(np.eye(HISTORY), (n, 1))
        school = np.repeat(np.arange(n), HISTORY)
        for p in range(k):
            y = state.y[window, :, p].T.ravel()
            nest = Nest(np.column_stack([X, y]), s2.T.ravel(), (school,))
            # One that was 0 last time would stay there if the search began at it.
            near = np.maximum(state.variances[p], 0.01 * state.variances[p].sum())
            start = near if near.all() else None
            state.variances[p] = fit_nested(nest, start).variances
    return effects_given(state.y[window], s2, state.variances)


def effects_given(y: Floats, s2: Floats, variances: Floats) -> Estimates:
    """Predict schools' effects in every priority at given variances.

    The formulas of :mod:`brightspots.insight.nested_reml` for schools that all have the same years,
    with a mean for each year, for all priorities at once.

    Parameters
    ----------
    y : array (years, schools, priorities)
    s2 : array (years, schools)
        Sampling variances.
    variances : array (priorities, 2)
        Of school-years and of schools.
    """
    mean, pev = np.empty(y.shape[1:]), np.empty(y.shape[1:])
    for p, (yearly, lasting) in enumerate(variances):
        w = 1 / (s2 + yearly)
        wy = w * y[:, :, p]
        d = 1 + lasting * w.sum(axis=0)
        T = np.diag(w.sum(axis=1)) - lasting * (w / d) @ w.T
        score = wy.sum(axis=1) - lasting * (w / d) @ wy.sum(axis=0)
        V_beta = np.linalg.inv(T)
        beta = V_beta @ score
        H = w / d
        mean[:, p] = lasting * (wy.sum(axis=0) / d - beta @ H)
        pev[:, p] = lasting / d + lasting**2 * ((V_beta @ H) * H).sum(axis=0)
    return Estimates(mean, np.minimum(pev, variances[:, 1]))


def _appoint(world: World, state: State, found: Estimates, year: int) -> Bools:
    """Let leaders go whose head has left; fill their places from the schools that stand out.

    Flagged schools come first: the rule flags the most probable. Returns which schools are flagged.
    """
    a = world.assumptions
    state.head_of[state.head_of != world.head[year]] = -1
    above = found.above
    flagged: Bools = flag(above.ravel(), BrightSpotParameters().fdr_visit).reshape(above.shape)
    vacant = round(a.leader_share * world.n_schools) - int((state.head_of >= 0).sum())
    free = np.flatnonzero((state.head_of < 0) & (world.days_now(year) > 0))
    order = np.argsort(-above[free].max(axis=1), kind="stable")
    new = free[order[: max(vacant, 0)]]
    state.head_of[new] = world.head[year][new]
    return np.asarray(flagged.any(axis=1), dtype=np.bool_)


def _leader_names(schools: Ints, heads: Ints) -> list[str]:
    return [f"{school:06d}-{head:02d}" for school, head in zip(schools, heads, strict=True)]


def _belief(policy: Policy, world: World, state: State, year: int, leaders: Ints) -> Belief | None:
    """Expect gains of the leaders: the truth, the record so far, or that of the pilot alone."""
    k = world.assumptions.n_priorities
    if policy == "oracle":
        ability = world.ability_now(year)[leaders]
        return Belief(ability, np.zeros_like(ability))
    if policy in ("nearest", "random") or not len(leaders):
        return None
    names = _leader_names(leaders, state.head_of[leaders])
    columns = {name: pl.concat(parts) for name, parts in state.projects.items()}
    record = track_record(
        pl.DataFrame(columns),
        TrackRecordParameters(covariates=("own_school",)),
        leaders=names,
        priorities=[f"p{p}" for p in range(k)],
        about=_own_schools(state),
    ).frame
    every = record["leader"].to_numpy()[::k]
    place = np.searchsorted(every, np.array(names, dtype=object))
    mean = record["estimate"].to_numpy().reshape(-1, k)[place]
    return Belief(mean, record["se"].to_numpy().reshape(-1, k)[place])


def _own_schools(state: State) -> pl.DataFrame:
    """Estimated effect of the own school of everybody who leads or has led."""
    head, school = np.nonzero(~np.isnan(state.own[:, :, 0]))
    k = state.own.shape[2]
    return pl.DataFrame(
        {
            "leader": np.repeat(np.array(_leader_names(school, head), dtype=object), k),
            "priority": [f"p{p}" for p in range(k)] * len(head),
            "own_school": state.own[head, school].ravel(),
        },
        schema={"leader": pl.String, "priority": pl.String, "own_school": pl.Float64},
    )


def _learn(
    world: World, state: State, found: Estimates, year: int, made: tuple[Ints, Ints, Ints]
) -> None:
    """Estimate the effect of each project of the year, and add it to the record."""
    n, k = world.n_schools, world.assumptions.n_priorities
    at, by, p = made
    effect, se = np.full(len(at), np.nan), np.full(len(at), np.nan)
    before = {f"effect_{q}": found.mean[:, q] for q in range(k)}
    for q in range(k):
        mine = np.flatnonzero(p == q)
        if not len(mine):
            continue
        lags = {
            f"supported_{lag}": state.supported[year - lag, :, q].astype(np.float64)
            for lag in range(1, HISTORY + 1)
        }
        frame = pl.DataFrame(
            {
                "school": np.arange(n),
                "after": state.y[year, :, q],
                # What is not known of the past is an error too, and known in size.
                "sampling_variance": world.sampling_variance[year] + found.pev[:, q],
                "supported": state.supported[year, :, q],
                **before,
                **lags,
            }
        )
        try:
            measured = project_effects(frame, [*before, *lags])
        except InputError:  # too few schools to compare with: counted, not measured
            continue
        place = np.searchsorted(measured.frame["school"].to_numpy(), at[mine])
        effect[mine] = measured.frame["effect"].to_numpy()[place]
        se[mine] = measured.frame["se"].to_numpy()[place]
    for name, values in {
        "leader": pl.Series(_leader_names(by, state.head_of[by]), dtype=pl.String),
        "priority": pl.Series([f"p{q}" for q in p], dtype=pl.String),
        "effect": pl.Series(effect, dtype=pl.Float64).fill_nan(None),
        "se": pl.Series(se, dtype=pl.Float64).fill_nan(None),
    }.items():
        state.projects.setdefault(name, []).append(values)


def _alone(world: World, state: State, leaders: Ints, schools: Ints, served: Ints) -> int:
    """Count schools that asked twice running and found nobody, or have no leader in reach."""
    unmet = np.zeros(world.n_schools, dtype=np.bool_)
    unmet[np.delete(schools, served)] = True
    alone = unmet & state.unmet
    # Who got support has been helped; who did not ask still waits.
    asked = np.zeros(world.n_schools, dtype=np.bool_)
    asked[schools] = True
    state.unmet = np.where(asked, unmet, state.unmet)
    if not len(leaders):
        return world.n_schools
    tree = cKDTree(unit_vectors(world.latitude[leaders], world.longitude[leaders]))
    here = unit_vectors(world.latitude, world.longitude)
    distance, _ = tree.query(here, k=1)
    return int((alone | (distance > chord(world.assumptions.max_km))).sum())


def _days(world: World, made: Matches) -> float:
    a = world.assumptions
    travel = 2 * a.visits * float(made.km.sum()) / a.km_per_hour / HOURS_A_DAY
    return a.project_days * len(made.km) + travel


def _mean(values: NDArray[np.float64] | Bools) -> float | None:
    return float(values.mean()) if len(values) else None
