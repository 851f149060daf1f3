"""Track records and effects of projects, held against dense algebra and known truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from brightspots.connectedness.brokering import BrokerParameters, broker
from brightspots.core.errors import InputError
from brightspots.evidence.project_effects import project_effects
from brightspots.evidence.track_record import (
    ELSEWHERE,
    NO_RECORD,
    NOT_MEASURED,
    RECORD,
    TrackRecordParameters,
    track_record,
)

Floats = NDArray[np.float64]
KNOWN = TrackRecordParameters(
    sd_leader=0.08, sd_leader_priority=0.06, sd_project=0.05, known=True, own_mean_from=1
)


def projects(n: int = 80, leaders: int = 12, seed: int = 1, priorities: int = 3) -> pl.DataFrame:
    """Draw projects from the model, leaders and priorities ragged."""
    rng = np.random.default_rng(seed)
    i = np.minimum(rng.geometric(1.5 / leaders, n) - 1, leaders - 1)
    k = rng.integers(0, priorities, n)
    se = rng.uniform(0.08, 0.25, n)
    effect = (
        np.linspace(0.02, 0.08, priorities)[k]
        + (0.08 * rng.standard_normal(leaders))[i]
        + (0.06 * rng.standard_normal((leaders, priorities)))[i, k]
        + 0.05 * rng.standard_normal(n)
        + se * rng.standard_normal(n)
    )
    return pl.DataFrame(
        {
            "leader": [f"L{at:02}" for at in i],
            "priority": [f"p{at}" for at in k],
            "effect": effect,
            "se": se,
        }
    )


def dense(
    frame: pl.DataFrame, who: list[str], kinds: list[str], v: tuple[float, float, float],
    extra: Floats | None = None, sd: float = 1.0,
) -> tuple[Floats, Floats, float]:  # fmt: skip
    """Predict every leader and priority from the whole covariance matrix; and the criterion.

    `v`: variances of project, leader x priority, leader. `extra`: a covariate by cell, whose
    coefficient is N(0, sd^2).
    """
    i = np.array([who.index(name) for name in frame["leader"]])
    k = np.array([kinds.index(name) for name in frame["priority"]])
    y, s2 = frame["effect"].to_numpy(), frame["se"].to_numpy() ** 2
    cell = i * len(kinds) + k
    Z = np.eye(len(who) * len(kinds))[cell]
    of = np.repeat(np.eye(len(who)), len(kinds), axis=0)
    G = v[1] * np.eye(len(of)) + v[2] * of @ of.T
    at = np.tile(np.eye(len(kinds)), (len(who), 1))
    if extra is not None:
        G = G + sd**2 * np.outer(extra, extra)
    V = Z @ G @ Z.T + np.diag(s2 + v[0])
    X, inverse = at[cell], np.linalg.inv(V)
    cov = np.linalg.inv(X.T @ inverse @ X)
    beta = cov @ X.T @ inverse @ y
    mean = at @ beta + G @ Z.T @ inverse @ (y - X @ beta)
    rest = at - G @ Z.T @ inverse @ X
    variance = np.diag(G - G @ Z.T @ inverse @ Z @ G) + np.einsum("ij,jk,ik->i", rest, cov, rest)
    r = y - X @ beta
    criterion = np.linalg.slogdet(V)[1] - np.linalg.slogdet(cov)[1] + r @ inverse @ r
    return mean, variance, float(criterion)


def test_estimates_and_errors_are_those_of_the_whole_covariance_matrix() -> None:
    frame = projects()
    found = track_record(frame, KNOWN, leaders=["Z99"])
    who = found.frame["leader"].unique().sort().to_list()
    mean, variance, _ = dense(frame, who, ["p0", "p1", "p2"], (0.05**2, 0.06**2, 0.08**2))
    assert who[-1] == "Z99"
    assert found.frame["estimate"].to_numpy() == pytest.approx(mean, abs=1e-12)
    assert found.frame["se"].to_numpy() ** 2 == pytest.approx(variance, abs=1e-12)
    assert found.frame["upper"].to_numpy() - found.frame["lower"].to_numpy() == pytest.approx(
        2 * 1.9599639845 * np.sqrt(variance), rel=1e-8
    )
    assert found.sds == pytest.approx({"project": 0.05, "leader_priority": 0.06, "leader": 0.08})


def test_a_covariate_is_a_coefficient_with_a_belief_and_reaches_who_has_no_record() -> None:
    frame = projects(seed=3)
    who = [*frame["leader"].unique().sort().to_list(), "Z99"]
    told = np.random.default_rng(2).normal(3, 5, 3 * len(who))
    about = pl.DataFrame(
        {"leader": np.repeat(who, 3), "priority": ["p0", "p1", "p2"] * len(who), "own": told}
    )
    p = replace(KNOWN, covariates=("own",), sd_covariate=0.04)
    found = track_record(frame, p, about=about)
    z = (told - told.mean()) / told.std()
    mean, variance, _ = dense(
        frame, who, ["p0", "p1", "p2"], (0.05**2, 0.06**2, 0.08**2), z, sd=0.04
    )
    assert found.frame["estimate"].to_numpy() == pytest.approx(mean, abs=1e-12)
    assert found.frame["se"].to_numpy() ** 2 == pytest.approx(variance, abs=1e-12)


@pytest.mark.parametrize("weight", [0.0, 4.0])
def test_variances_are_at_the_best_of_the_dense_criterion(weight: float) -> None:
    frame = projects(400, 20, seed=7)
    p = replace(KNOWN, known=False, prior_weight=weight)
    found = track_record(frame, p)
    who = found.frame["leader"].unique().sort().to_list()
    before = np.array([0.05, 0.06, 0.08]) ** 2

    def criterion(v: Floats) -> float:
        value = dense(frame, who, ["p0", "p1", "p2"], tuple(v))[2]
        return value + weight * float((np.log(v) + before / v).sum()) if weight else value

    best = np.array([found.sds[name] for name in ("project", "leader_priority", "leader")]) ** 2
    assert (best > 0).all()
    for at in range(3):
        for factor in (0.8, 0.95, 1.05, 1.25):
            other = best.copy()
            other[at] *= factor
            assert criterion(other) > criterion(best)


def test_a_belief_of_great_weight_stays_and_one_of_none_goes() -> None:
    frame = projects(60)
    sure = track_record(frame, replace(KNOWN, known=False, prior_weight=1000))
    assert sure.sds == pytest.approx(
        {"project": 0.05, "leader_priority": 0.06, "leader": 0.08}, rel=0.03
    )
    many = projects(6000, 150, seed=5)
    for weight in (0.0, 4.0):
        p = TrackRecordParameters(
            sd_leader=0.3, sd_leader_priority=0.3, sd_project=0.3, prior_weight=weight
        )
        found = track_record(many, p).sds
        assert found["leader"] == pytest.approx(0.08, abs=0.02)
        assert found["leader_priority"] == pytest.approx(0.06, abs=0.02)


def test_practices_with_one_kind_of_record_shrink_by_the_textbook_factor() -> None:
    # Balanced one-way model: n projects of one error each; factor v / (v + (s^2 + p^2) / n).
    rng = np.random.default_rng(4)
    effect = np.round(rng.normal(0.05, 0.2, (6, 3)), 3)
    frame = pl.DataFrame(
        {
            "practice": np.repeat([f"way {at}" for at in range(6)], 3),
            "effect": effect.ravel(),
            "se": np.full(18, 0.1),
        }
    )
    p = TrackRecordParameters(
        by=None, who="practice", sd_leader=0.03, sd_leader_priority=0.04, sd_project=0.02,
        known=True,
    )  # fmt: skip
    found = track_record(frame, p)
    v, noise = 0.03**2 + 0.04**2, (0.1**2 + 0.02**2) / 3
    factor = v / (v + noise)
    grand = effect.mean()
    expected = grand + factor * (effect.mean(axis=1) - grand)
    assert found.frame["estimate"].to_numpy() == pytest.approx(expected, abs=1e-12)
    variance = factor * noise + (1 - factor) ** 2 * (v + noise) / 6
    assert found.frame["se"].to_numpy() == pytest.approx(np.sqrt(variance), abs=1e-12)
    assert found.frame["reliability"].to_numpy() == pytest.approx(factor, abs=1e-12)
    assert found.frame["raw"].to_numpy() == pytest.approx(effect.mean(axis=1), abs=1e-12)
    assert set(found.frame["record"]) == {RECORD}
    assert found.frame.columns[:2] == ["practice", "priority"]


def test_every_project_counts_and_what_a_record_rests_on_is_said() -> None:
    frame = pl.DataFrame(
        {
            "leader": ["A", "A", "A", "B", "C"],
            "priority": ["reading", "reading", "sums", "reading", "reading"],
            "effect": [0.1, None, 0.2, None, -0.05],
            "se": [0.1, None, 0.1, None, 0.1],
        }
    )
    found = track_record(frame, leaders=["D"]).frame
    cells = {
        (row["leader"], row["priority"]): (row["n_projects"], row["n_measured"], row["record"])
        for row in found.to_dicts()
    }
    assert cells == {
        ("A", "reading"): (2, 1, RECORD),
        ("A", "sums"): (1, 1, RECORD),
        ("B", "reading"): (1, 0, NOT_MEASURED),
        ("B", "sums"): (0, 0, NOT_MEASURED),
        ("C", "reading"): (1, 1, RECORD),
        ("C", "sums"): (0, 0, ELSEWHERE),
        ("D", "reading"): (0, 0, NO_RECORD),
        ("D", "sums"): (0, 0, NO_RECORD),
    }
    assert found["n_projects"].sum() == frame.height
    unknown = found.filter(pl.col("record") == NO_RECORD)
    assert unknown["raw"].null_count() == 2
    assert unknown["reliability"].to_list() == [0, 0]
    known = found.filter(leader="A", priority="sums")
    assert known["se"][0] < unknown["se"].min()
    # C did badly in reading: in sums less is expected of C than of somebody unknown.
    elsewhere = found.filter(leader="C", priority="sums")["estimate"][0]
    assert elsewhere < unknown.filter(priority="sums")["estimate"][0]


def test_with_hardly_any_project_belief_stands() -> None:
    nobody = projects(4).head(0)
    p = TrackRecordParameters(prior_mean=0.03, prior_mean_sd=0.1)
    found = track_record(nobody, p, leaders=["A"], priorities=["x", "y"]).frame
    assert found["estimate"].to_list() == pytest.approx([0.03, 0.03])
    assert found["se"][0] == pytest.approx(np.sqrt(0.1**2 + 2 * 0.07**2))
    one = pl.DataFrame({"leader": ["A"], "priority": ["x"], "effect": [0.4], "se": [0.1]})
    found = track_record(one, p).frame
    v = 0.1**2 + 2 * 0.07**2
    assert found["estimate"][0] == pytest.approx(0.03 + v / (v + 0.05**2 + 0.1**2) * 0.37)


def test_priorities_with_few_projects_share_a_mean() -> None:
    frame = projects(60)
    few = pl.DataFrame({"leader": ["L00"], "priority": ["q"], "effect": [3.0], "se": [0.1]})
    means = track_record(pl.concat([frame, few]), replace(KNOWN, own_mean_from=10)).means
    assert means["shared"].to_list() == [False, False, False, True]
    # One project says nothing of its priority's mean: it is the mean of the others.
    assert means["mean"][3] == pytest.approx(means["mean"][:3].mean())
    all_few = track_record(frame, replace(KNOWN, own_mean_from=1000)).means
    assert all_few["mean"].n_unique() == 1
    assert all_few["shared"].all()


def test_neither_the_order_of_rows_nor_names_matter() -> None:
    frame = projects()
    found = track_record(frame).frame
    shuffled = track_record(frame.sample(fraction=1.0, shuffle=True, seed=3)).frame
    assert shuffled.equals(found)
    names = {f"L{at:02}": f"x{97 - at}" for at in range(12)}
    renamed = track_record(frame.with_columns(pl.col("leader").replace(names))).frame
    back = {new: old for old, new in names.items()}
    again = renamed.with_columns(pl.col("leader").replace(back)).sort("leader", "priority")
    assert again["estimate"].to_numpy() == pytest.approx(found["estimate"].to_numpy(), abs=1e-7)


def test_the_best_by_raw_record_disappoint_and_by_shrunken_record_keep_their_word() -> None:
    rng = np.random.default_rng(11)
    p = TrackRecordParameters(
        by=None, sd_leader=0.06, sd_leader_priority=0.0, sd_project=0.0, known=True
    )
    claims, kept, inside = [], [], []
    for _ in range(5):
        leader = 0.05 + 0.06 * rng.standard_normal(400)
        i = np.repeat(np.arange(400), rng.integers(1, 4, 400))
        effect = leader[i] + 0.15 * rng.standard_normal(len(i))
        frame = pl.DataFrame(
            {"leader": [f"{at:03}" for at in i], "effect": effect, "se": np.full(len(i), 0.15)}
        )
        found = track_record(frame, p).frame
        raw, shrunken = found["raw"].to_numpy(), found["estimate"].to_numpy()
        best_raw, best = np.argsort(-raw)[:40], np.argsort(-shrunken)[:40]
        claims.append(raw[best_raw].mean() - leader[best_raw].mean())
        kept.append(shrunken[best].mean() - leader[best].mean())
        inside.append((found["lower"].to_numpy() <= leader) & (leader <= found["upper"].to_numpy()))
    assert np.mean(claims) > 0.15
    assert abs(np.mean(kept)) < 0.015
    assert 0.93 <= np.mean(inside) <= 0.97


def test_brokering_takes_the_record_as_it_is() -> None:
    found = track_record(projects(), leaders=["new"])
    offers = found.offers()
    assert offers.columns[0] == "leader"
    places = offers.with_columns(
        pl.col("leader").alias("offer"), pl.lit("all").alias("priority"), pl.lit(1).alias("places")
    )
    request = pl.DataFrame({"request": ["r"], "school": ["s"], "priority": ["p1"]})
    made = broker(request, places, BrokerParameters(shrink=False, exploration=0))
    best = found.frame.filter(priority="p1").sort("estimate")["leader"][-1]
    assert made.matches["offer"].to_list() == [best]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda f: f.drop("se"), 'column "se"'),
        (lambda f: f.with_columns(se=pl.lit(0.0)), 'row 2, column "se"'),
        (lambda f: f.with_columns(se=pl.lit(None, pl.Float64)), 'row 2, column "se"'),
        (lambda f: f.with_columns(effect=pl.lit(float("inf"))), 'row 2, column "effect"'),
        (lambda f: f.with_columns(effect=pl.lit("much")), 'column "effect"'),
        (lambda f: f.with_columns(leader=pl.lit(" ")), 'row 2, column "leader"'),
        (lambda f: f.head(0), "There is no project"),
    ],
)
def test_projects_that_cannot_be_used_are_refused_with_the_place(
    change: Callable[[pl.DataFrame], pl.DataFrame], where: str
) -> None:
    with pytest.raises(InputError) as refused:
        track_record(change(projects(5)))
    assert where in str(refused.value)


@pytest.mark.parametrize(
    "settings",
    [
        {"sd_leader": -1}, {"sd_project": float("nan")}, {"prior_weight": -1}, {"sd_leader": 0},
        {"confidence": 1}, {"own_mean_from": 0}, {"sd_covariate": 0}, {"prior_mean": float("inf")},
    ],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(InputError):
        TrackRecordParameters(**settings)  # type: ignore[arg-type]  # numbers all


def test_covariates_without_anything_told_are_refused() -> None:
    p = TrackRecordParameters(covariates=("own",))
    with pytest.raises(InputError):
        track_record(projects(), p)
    with pytest.raises(InputError) as refused:
        track_record(projects(), p, about=pl.DataFrame({"leader": ["L00"]}))
    assert 'about, column "own"' in str(refused.value)


# Effects of projects


def schools(n: int = 4000, gain: float = 0.05, seed: int = 1) -> tuple[pl.DataFrame, Floats]:
    """Support for those who did worst; what they did before returns to their mean by itself."""
    rng = np.random.default_rng(seed)
    lasting = 0.15 * rng.standard_normal(n)
    before = lasting + 0.15 * rng.standard_normal(n)
    supported = before < np.quantile(before, 0.2)
    variance = 0.75**2 / rng.integers(10, 80, n)
    after = 0.3 + lasting + gain * supported + np.sqrt(variance) * rng.standard_normal(n)
    frame = pl.DataFrame(
        {
            "school": np.arange(n), "after": after, "sampling_variance": variance,
            "supported": supported, "before": before,
        }
    )  # fmt: skip
    return frame, before


def test_weak_results_rise_by_themselves_and_that_is_not_taken_for_an_effect() -> None:
    frame, before = schools()
    found = project_effects(frame, ["before"])
    supported = frame["supported"].to_numpy()
    change = frame["after"].to_numpy() - before
    naive = change[supported].mean() - change[~supported].mean()
    assert naive > 0.15  # what a comparison of changes would claim
    assert found.frame["effect"].mean() == pytest.approx(0.05, abs=0.02)
    error = found.frame["effect"].to_numpy() - 0.05
    assert (error / found.frame["se"].to_numpy()).std() == pytest.approx(1, abs=0.07)
    assert found.n_comparison == 3200
    assert found.coefficients["before"] == pytest.approx(0.5, abs=0.05)


def test_effects_are_those_of_weighted_least_squares_over_the_comparison() -> None:
    frame, before = schools(60)
    found = project_effects(frame, ["before"])
    free = ~frame["supported"].to_numpy()
    w = 1 / (frame["sampling_variance"].to_numpy() + found.sd_unexplained**2)
    X = np.column_stack([np.ones(60), before])
    cov = np.linalg.inv((X[free].T * w[free]) @ X[free])
    beta = cov @ (X[free].T * w[free]) @ frame["after"].to_numpy()[free]
    rest = frame["after"].to_numpy()[~free] - X[~free] @ beta
    assert found.frame["effect"].to_numpy() == pytest.approx(rest, abs=1e-9)
    variance = 1 / w[~free] + np.einsum("ij,jk,ik->i", X[~free], cov, X[~free])
    assert found.frame["se"].to_numpy() == pytest.approx(np.sqrt(variance), rel=1e-9)


def test_columns_that_say_nothing_are_left_out_and_unknown_results_passed_over() -> None:
    frame, _ = schools(200)
    more = frame.with_columns(
        never=pl.lit(0.0),
        twice=2 * pl.col("before"),
        after=pl.when(pl.col("school") == 7).then(None).otherwise(pl.col("after")),
    )
    found = project_effects(more, ["before", "never", "twice"])
    assert found.left_out == ("never", "twice")
    assert found.n_comparison + found.frame.height == 199


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.drop("supported"), 'column "supported"'),
        (lambda f: f.head(12), "too few to compare with"),
        (lambda f: f.with_columns(sampling_variance=-1.0), "below 0"),
        (lambda f: f.with_columns(before=pl.lit(None, pl.Float64)), 'column "before"'),
        (lambda f: f.with_columns(before=pl.lit("low")), "Numbers are needed"),
    ],
)
def test_schools_that_cannot_be_compared_are_refused(
    change: Callable[[pl.DataFrame], pl.DataFrame], words: str
) -> None:
    with pytest.raises(InputError) as refused:
        project_effects(change(schools(100)[0]), ["before"])
    assert words in str(refused.value)
