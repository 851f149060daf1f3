"""Families: by hand, against brute force, and whatever the order of rows."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brightspots.core.errors import InputError
from brightspots.insight.families import FamilyParameters, similar_schools


def brute_force(frame: pl.DataFrame, numeric: list[str], k: int) -> dict[str, list[str]]:
    """Distances of all pairs, sorted by (distance, code)."""
    codes = frame["school"].to_list()
    z = []
    for name in numeric:
        values = frame[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
        known = values[~np.isnan(values)]
        if known.size:
            sd = known.std()
            values = (values - known.mean()) / (sd if sd > 1e-12 else 1.0)
        z.append(values)
    points = np.column_stack(z)
    out = {}
    for i, code in enumerate(codes):
        options = []
        for j, other in enumerate(codes):
            shared = ~np.isnan(points[i]) & ~np.isnan(points[j])
            if i != j and shared.any():
                gap = ((points[i] - points[j])[shared] ** 2).sum()
                one = np.isnan(points[i]) ^ np.isnan(points[j])
                gap += 2 * one.sum() + (np.isnan(points[i]) & np.isnan(points[j])).sum()
                options.append((round(float(np.sqrt(gap)), 9), other))
        out[code] = [other for _, other in sorted(options)[:k]]
    return out


def as_lists(frame: pl.DataFrame) -> dict[str, list[str]]:
    grouped = frame.sort("school", "rank").group_by("school", maintain_order=True)
    return {code: rows["member"].to_list() for (code,), rows in grouped}


def test_nearest_on_one_covariate_by_hand() -> None:
    frame = pl.DataFrame({"school": ["a", "b", "c", "d"], "poverty": [0.0, 1.0, 3.0, 10.0]})
    result = similar_schools(frame, FamilyParameters(("poverty",), k=2))
    assert as_lists(result.frame) == {
        "a": ["b", "c"],
        "b": ["a", "c"],
        "c": ["b", "a"],
        "d": ["c", "b"],
    }
    sd = np.std([0, 1, 3, 10])
    np.testing.assert_allclose(result.distances[0], [1 / sd, 3 / sd])
    balance = result.balance.filter(pl.col("school") == "d")["difference"].item()
    assert balance == pytest.approx((10 - 2) / sd)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 100_000), st.integers(2, 40), st.integers(1, 8), st.booleans())
def test_agrees_with_brute_force_with_ties_and_missing_context(
    seed: int, schools: int, k: int, coarse: bool
) -> None:
    rng = np.random.default_rng(seed)
    # Whole numbers make many exact ties; .3 of the values are missing.
    values = rng.integers(0, 3, (schools, 2)) if coarse else rng.normal(size=(schools, 2))
    values = np.where(rng.uniform(size=values.shape) < 0.3, np.nan, values)
    frame = pl.DataFrame(
        {"school": [f"s{i:02}" for i in range(schools)], "x": values[:, 0], "y": values[:, 1]}
    ).with_columns(pl.col("x", "y").fill_nan(None))
    result = similar_schools(frame, FamilyParameters(("x", "y"), k=k))
    expected = brute_force(frame, ["x", "y"], k)
    assert as_lists(result.frame) == {code: m for code, m in expected.items() if m}
    order = rng.permutation(schools).tolist()
    again = similar_schools(frame[order], FamilyParameters(("x", "y"), k=k))
    assert again.frame.equals(result.frame)
    assert again.balance.equals(result.balance)


def test_fewer_schools_than_a_family_gives_all_others() -> None:
    frame = pl.DataFrame({"school": ["a", "b", "c"], "x": [1.0, 2.0, 4.0]})
    result = similar_schools(frame, FamilyParameters(("x",)))
    assert result.members.shape == (3, 50)
    assert (result.members >= 0).sum(axis=1).tolist() == [2, 2, 2]


def test_a_matched_factor_is_never_crossed_and_a_weighted_one_costs_its_weight() -> None:
    frame = pl.DataFrame(
        {"school": ["a", "b", "c"], "x": [0.0, 0.0, 1.0], "phase": ["p", "s", "p"]}
    )
    matched = similar_schools(frame, FamilyParameters(("x",), k=2, match=("phase",)))
    assert as_lists(matched.frame) == {"a": ["c"], "c": ["a"]}
    weighed = similar_schools(frame, FamilyParameters(("x", "phase"), k=1, factor_weight=1.5))
    assert weighed.frame.filter(pl.col("school") == "a")["member"].item() == "b"
    assert weighed.distances[0, 0] == pytest.approx(1.5)


def test_a_school_given_twice_is_refused() -> None:
    frame = pl.DataFrame({"school": ["a", "a"], "x": [1.0, 2.0]})
    with pytest.raises(InputError, match="occurs twice"):
        similar_schools(frame, FamilyParameters(("x",)))


def test_a_hundred_schools_in_the_same_circumstances_are_taken_by_code() -> None:
    frame = pl.DataFrame({"school": [f"s{i:03}" for i in range(100)], "x": [5.0] * 100})
    result = similar_schools(frame, FamilyParameters(("x",), k=3))
    assert as_lists(result.frame)["s050"] == ["s000", "s001", "s002"]
    assert as_lists(result.frame)["s000"] == ["s001", "s002", "s003"]
