"""Slopes, nested and crossed groupings, weights: against lme4's fits and dense linear algebra.

The dense reference writes V out for a few hundred pupils. It shares nothing with the solver but
the formula of the criterion, so agreement at the solver's own optimum, and no lower criterion
found by a general optimiser, hold both the algebra and the search.
"""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.linalg import block_diag
from scipy.optimize import minimize

from brightspots.core.errors import InputError
from brightspots.insight.value_added import ValueAdded, value_added_of

Array = NDArray[np.float64]


def pupils(seed: int, *, J: int = 14, D: int = 4, P: int = 6, offset: float = 0.0) -> pl.DataFrame:
    """Pupils in schools in districts, who came from primary schools that cross both."""
    draw = np.random.default_rng(seed)
    school = np.repeat(np.arange(J), draw.integers(4, 22, J))
    n, district = len(school), np.arange(J) % D
    x, z, primary = draw.normal(size=n), draw.normal(size=n), draw.integers(0, P, n)
    y = 2 + 0.5 * x + draw.normal(0, 0.5, J)[school] + draw.normal(0, 0.3, J)[school] * x
    y += draw.normal(0, 0.4, D)[district[school]] + draw.normal(0, 0.4, P)[primary]
    outcome, weight = y + draw.normal(size=n), draw.uniform(0.5, 2.0, n)
    boy, age = draw.integers(0, 2, n), draw.normal(11, 0.3, n)
    return pl.DataFrame(
        {
            "school": [f"s{j:02d}" for j in school],
            "district": [f"d{district[j]}" for j in school],
            "number": [f"{j // D}" for j in school],
            "primary": [f"p{j}" for j in primary],
            "prior.score": x + offset,
            "free meals": z,
            "score": outcome,
            "w": weight,
            "region": [f"r{district[j] % 2}" for j in school],
            "sex": [("F", "M")[j] for j in boy],
            "sexF": 1.0 - boy,
            "sexM": boy.astype(float),
            "age": age,
        }
    )


@dataclass(frozen=True)
class Part:
    """A random term for the dense reference: names of its effects, grouping columns."""

    effects: tuple[str, ...]
    group: tuple[str, ...]


ONE = "(Intercept)"
X = "prior.score"
SHAPES: dict[str, tuple[str, tuple[Part, ...]]] = {
    "slope": ("(1 + prior.score | school)", (Part((ONE, X), ("school",)),)),
    "slope, short": ("(prior.score | school)", (Part((ONE, X), ("school",)),)),
    "uncorrelated": (
        "(prior.score || school)",
        (Part((ONE,), ("school",)), Part((X,), ("school",))),
    ),
    "slope alone": ("(0 + prior.score | school)", (Part((X,), ("school",)),)),
    "three effects": (
        "(prior.score + `free meals` | school)",
        (Part((ONE, X, "free meals"), ("school",)),),
    ),
    "nested": (
        "(1 | district/school)",
        (Part((ONE,), ("school", "district")), Part((ONE,), ("district",))),
    ),
    "nested by number": (
        "(1 | district/number)",
        (Part((ONE,), ("number", "district")), Part((ONE,), ("district",))),
    ),
    "nested slopes": (
        "(prior.score | district/school)",
        (Part((ONE, X), ("school", "district")), Part((ONE, X), ("district",))),
    ),
    "combination": ("(1 | number:district)", (Part((ONE,), ("number", "district")),)),
    "crossed": (
        "(1 | school) + (1 | primary)",
        (Part((ONE,), ("school",)), Part((ONE,), ("primary",))),
    ),
    "crossed with slope": (
        "(prior.score | school) + (1 | primary)",
        (Part((ONE, X), ("school",)), Part((ONE,), ("primary",))),
    ),
    "three levels of groups": (
        "(1 | region/district/school)",
        (
            Part((ONE,), ("school", "district", "region")),
            Part((ONE,), ("district", "region")),
            Part((ONE,), ("region",)),
        ),
    ),
    "kinds of pupils": ("(sex | school)", (Part((ONE, "sexM"), ("school",)),)),
    "a value for each kind": ("(0 + sex | school)", (Part(("sexF", "sexM"), ("school",)),)),
    "not in the fixed part": (
        "(age | school) + (1 | primary)",
        (Part((ONE, "age"), ("school",)), Part((ONE,), ("primary",))),
    ),
    "crossed and nested": (
        "(1 | district/school) + (`free meals` || primary)",
        (
            Part((ONE,), ("school", "district")),
            Part((ONE,), ("district",)),
            Part((ONE,), ("primary",)),
            Part(("free meals",), ("primary",)),
        ),
    ),
}


def columns_of(frame: pl.DataFrame, part: Part) -> tuple[Array, list[str]]:
    """Z of one term, effects within groups, and the names of the groups in order."""
    label = frame.select(pl.concat_str(list(part.group), separator=":"))[part.group[0]]
    names = sorted(label.unique().to_list())
    Z = np.zeros((frame.height, len(names) * len(part.effects)))
    for place, effect in enumerate(part.effects):
        value = np.ones(frame.height) if effect == ONE else frame[effect].to_numpy()
        at = np.array([names.index(each) for each in label]) * len(part.effects) + place
        Z[np.arange(frame.height), at] = value
    return Z, names


def dense_criterion(
    X: Array, y: Array, Z: Array, G: Array, w: Array, reml: bool
) -> tuple[float, float, Array]:
    """-2 log-likelihood at G in units of sigma^2, with sigma^2 and V^-1."""
    V = Z @ G @ Z.T + np.diag(1 / w)
    inverse = np.linalg.inv(V)
    T = X.T @ inverse @ X
    beta = np.linalg.solve(T, X.T @ inverse @ y)
    r = y - X @ beta
    degrees = len(y) - X.shape[1] if reml else len(y)
    sigma2 = float(r @ inverse @ r) / degrees
    criterion = float(np.linalg.slogdet(V)[1]) + degrees * (1 + math.log(2 * math.pi * sigma2))
    if reml:
        criterion += float(np.linalg.slogdet(T)[1])
    return criterion, sigma2, np.asarray(inverse, dtype=np.float64)


def covariance_of(found: ValueAdded, parts: tuple[Part, ...]) -> list[Array]:
    """G of every term from the table of variances, whose order is that of the formula."""
    rows = iter(found.variance_components.iter_rows(named=True))
    result = []
    for part in parts:
        q = len(part.effects)
        G = np.zeros((q, q))
        for i in range(q):
            row = next(rows)
            assert (row["group"], row["term1"], row["term2"]) == (
                ":".join(part.group),
                part.effects[i],
                None,
            )
            G[i, i] = row["variance"]
        for i, j in itertools.combinations(range(q), 2):
            row = next(rows)
            assert (row["term1"], row["term2"]) == (part.effects[i], part.effects[j])
            G[i, j] = G[j, i] = row["variance"]
        result.append(G)
    last = next(rows)
    assert last["group"] == "Residual"
    return [G / last["variance"] for G in result]


@pytest.mark.parametrize(("reml", "weights"), [(True, None), (False, "w")])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_equals_dense_algebra_at_its_optimum(
    shape: str, reml: bool, weights: str | None
) -> None:
    frame = pupils(3)
    random, parts = SHAPES[shape]
    found = value_added_of(
        frame, f"score ~ prior.score + `free meals` + {random}", reml=reml, weights=weights
    )
    A = np.column_stack([np.ones(frame.height), frame[X], frame["free meals"]])
    y = frame["score"].to_numpy()
    w = frame["w"].to_numpy() if weights else np.ones(frame.height)
    pieces = [columns_of(frame, part) for part in parts]
    Z = np.hstack([piece for piece, _ in pieces])
    Gs = covariance_of(found, parts)
    G = block_diag(*[np.kron(np.eye(len(p[1])), g) for p, g in zip(pieces, Gs, strict=True)])
    criterion, sigma2, inverse = dense_criterion(A, y, Z, G, w, reml)
    assert found.reml_criterion == pytest.approx(criterion, abs=1e-6)
    assert found.variance_components["variance"][-1] == pytest.approx(sigma2, rel=1e-8)
    T_inverse = np.linalg.inv(A.T @ inverse @ A)
    beta = T_inverse @ A.T @ inverse @ y
    np.testing.assert_allclose(found.fixed_effects["estimate"], beta, rtol=1e-7, atol=1e-9)
    se = np.sqrt(sigma2 * np.diag(T_inverse))
    np.testing.assert_allclose(found.fixed_effects["se"], se, rtol=1e-7)
    u = G @ Z.T @ inverse @ (y - A @ beta)
    P = inverse - inverse @ A @ T_inverse @ A.T @ inverse
    pev = np.diag(sigma2 * (G - G @ Z.T @ P @ Z @ G))
    conditional = np.diag(sigma2 * (G - G @ Z.T @ inverse @ Z @ G))
    place = 0
    for part, (piece, names) in zip(parts, pieces, strict=True):
        rows = found.effects.filter(
            pl.col("group") == ":".join(part.group), pl.col("term").is_in(part.effects)
        )
        order = {name: i for i, name in enumerate(names)}
        rows = rows.sort(
            pl.col("level").replace_strict(order), pl.col("term").replace_strict(
                {effect: i for i, effect in enumerate(part.effects)}
            ),
        )  # fmt: skip
        own = slice(place, place + piece.shape[1])
        place += piece.shape[1]
        np.testing.assert_allclose(rows["estimate"], u[own], rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(rows["se_comparative"] ** 2, pev[own], rtol=1e-5, atol=1e-9)
        np.testing.assert_allclose(rows["cond_sd"] ** 2, conditional[own], rtol=1e-5, atol=1e-9)


@settings(deadline=None, max_examples=8)
@given(seed=st.integers(0, 10_000), shape=st.sampled_from(sorted(SHAPES)), reml=st.booleans())
def test_a_general_optimiser_finds_no_lower_criterion(seed: int, shape: str, reml: bool) -> None:
    frame = pupils(seed, J=9, D=3, P=4)
    random, parts = SHAPES[shape]
    found = value_added_of(frame, f"score ~ prior.score + {random}", reml=reml)
    A = np.column_stack([np.ones(frame.height), frame[X]])
    y, w = frame["score"].to_numpy(), np.ones(frame.height)
    pieces = [columns_of(frame, part) for part in parts]
    Z = np.hstack([piece for piece, _ in pieces])

    def criterion(theta: Array) -> float:
        blocks, start = [], 0
        for part, (_, names) in zip(parts, pieces, strict=True):
            q = len(part.effects)
            L = np.zeros((q, q))
            L[np.tril_indices(q)] = theta[start : start + q * (q + 1) // 2]
            start += q * (q + 1) // 2
            blocks.append(np.kron(np.eye(len(names)), L @ L.T))
        return dense_criterion(A, y, Z, block_diag(*blocks), w, reml)[0]

    size = sum(len(part.effects) * (len(part.effects) + 1) // 2 for part in parts)
    draw = np.random.default_rng(seed)
    best = min(
        float(minimize(criterion, draw.normal(0, scale, size), method="BFGS").fun)
        for scale in (0.3, 1.0)
    )
    assert found.reml_criterion <= best + 1e-6 * (1 + abs(best))


@pytest.mark.parametrize("shape", ["slope", "uncorrelated", "crossed with slope", "nested slopes"])
def test_a_far_away_zero_costs_no_precision(shape: str) -> None:
    """Prior scores near 500: the same model where an intercept varies too, else another one."""
    random, parts = SHAPES[shape]
    near, far = pupils(5), pupils(5, offset=500.0)
    there = value_added_of(far, f"score ~ prior.score + {random}")
    here = value_added_of(near, f"score ~ prior.score + {random}")
    if len(parts[0].effects) == 2:  # correlated with an intercept: the zero does not matter
        assert there.reml_criterion == pytest.approx(here.reml_criterion, abs=1e-7)
        slopes = [each.effects.filter(pl.col("term") == X)["estimate"] for each in (here, there)]
        np.testing.assert_allclose(slopes[0], slopes[1], rtol=1e-4, atol=1e-7)
    else:
        A = np.column_stack([np.ones(far.height), far[X] - 500.0])
        pieces = [columns_of(far, part) for part in parts]
        Gs = covariance_of(there, parts)
        G = block_diag(*[np.kron(np.eye(len(p[1])), g) for p, g in zip(pieces, Gs, strict=True)])
        Z = np.hstack([piece for piece, _ in pieces])
        dense, _, _ = dense_criterion(A, far["score"].to_numpy(), Z, G, np.ones(far.height), True)
        assert there.reml_criterion == pytest.approx(dense, abs=1e-5)


def test_order_of_rows_and_names_of_groups_change_nothing() -> None:
    frame = pupils(8)
    formula = "score ~ prior.score + (prior.score | district/school) + (1 | primary)"
    one = value_added_of(frame, formula)
    renamed = frame.with_columns(
        pl.col("school").str.replace("s", "z").str.reverse(),
        pl.col("primary").str.replace("p", "q"),
    )
    other = value_added_of(renamed.sample(fraction=1.0, shuffle=True, seed=1), formula)
    assert other.reml_criterion == pytest.approx(one.reml_criterion, abs=1e-8)
    np.testing.assert_allclose(
        np.sort(other.effects["estimate"]), np.sort(one.effects["estimate"]), atol=1e-6
    )


def test_schools_are_the_column_of_that_name_and_keep_their_plain_names() -> None:
    frame = pupils(3)
    nested = value_added_of(frame, "score ~ prior.score + (1 | district/school)")
    assert nested.school_effects["school"].to_list() == sorted(frame["school"].unique())
    assert nested.effects["level"][0] == "s00:d0"
    crossed = value_added_of(frame, "score ~ prior.score + (1 | primary) + (1 | school)")
    assert crossed.school_effects["school"].to_list() == sorted(frame["school"].unique())
    numbered = value_added_of(frame, "score ~ prior.score + (1 | district/number)")
    assert numbered.school_effects["school"].to_list() == sorted(
        set(frame.select(pl.concat_str("number", "district", separator=":"))["number"])
    )


def test_a_variance_that_is_zero_is_said_to_be_and_its_effects_are_zero() -> None:
    draw = np.random.default_rng(4)
    frame = pupils(4).with_columns(score=pl.Series(draw.normal(size=pupils(4).height)))
    frame = frame.with_columns(
        pl.col("score") - pl.col("score").mean().over("primary") + 1e-3 * pl.col("prior.score")
    )
    found = value_added_of(frame, "score ~ prior.score + (1 | school) + (1 | primary)")
    rows = found.effects.filter(pl.col("group") == "primary")
    assert found.singular
    assert rows["estimate"].to_list() == [0.0] * 6
    assert rows["se_comparative"].to_list() == [0.0] * 6


def test_a_small_variance_beside_a_large_one_is_not_taken_for_zero() -> None:
    """The criterion is even in Lambda: a search that starts or lands at zero would stay there."""
    draw = np.random.default_rng(9)
    school = np.repeat(np.arange(60), 40)
    x = draw.normal(size=2400)
    slope = draw.normal(0, 0.12, 60)
    y = 2 * draw.normal(size=60)[school] + slope[school] * x + draw.normal(size=2400)
    frame = pl.DataFrame({"school": school, "x": x, "y": y})
    found = value_added_of(frame, "y ~ x + (x || school)")
    assert found.variance_components["variance"][1] == pytest.approx(0.12**2, rel=0.6)
    assert not found.singular


def test_weights_count_as_pupils_do() -> None:
    """A pupil of weight 4 tells as much of a mean as four: sigma^2 / 4."""
    frame = pupils(2).with_columns(w=pl.lit(4.0))
    plain = value_added_of(frame, "score ~ prior.score + (prior.score | school)")
    weighted = value_added_of(frame, "score ~ prior.score + (prior.score | school)", weights="w")
    assert weighted.reml_criterion == pytest.approx(plain.reml_criterion, abs=1e-7)
    ours, theirs = (each.variance_components["variance"].to_numpy() for each in (weighted, plain))
    np.testing.assert_allclose(ours[:-1], theirs[:-1], rtol=1e-6)
    assert ours[-1] == pytest.approx(4 * theirs[-1], rel=1e-8)


@pytest.mark.parametrize(
    ("change", "formula", "words"),
    [
        ({}, "score ~ prior.score + (1 | nowhere/school)", "no such column"),
        ({"same": pl.col("school")}, "score ~ (1 | school) + (1 | same)", "in the same way"),
        ({"one": pl.lit("a")}, "score ~ (1 | one/school)", 'one group of "one"'),
        ({"id": pl.int_range(pl.len())}, "score ~ (1 | school/id)", "has one pupil"),
        ({"flat": pl.lit(3.0)}, "score ~ prior.score + (flat | school)", "same for every pupil"),
        ({"sex": pl.Series(["F", "M"] * 500).head(1)}, "score ~ (sex || school)", "uncorrelated"),
    ],
)
def test_what_cannot_be_fitted_is_said_in_words(
    change: dict[str, pl.Expr], formula: str, words: str
) -> None:
    frame = pupils(1)
    if "sex" in change:
        frame = frame.with_columns(sex=pl.Series(["F", "M"] * frame.height).head(frame.height))
    else:
        frame = frame.with_columns(**change)
    with pytest.raises(InputError) as refused:
        value_added_of(frame, formula)
    assert words in str(refused.value)


@pytest.mark.parametrize("value", ["0", "-1", "inf"])
def test_a_weight_that_is_no_precision_is_named_with_its_row(value: str, tmp_path: Path) -> None:
    frame = pupils(1)
    frame = frame.with_columns(
        w=pl.when(pl.int_range(pl.len()) == 5).then(pl.lit(value)).otherwise(pl.lit("1.5"))
    )
    frame.write_csv(tmp_path / "pupils.csv")
    with pytest.raises(InputError) as refused:
        value_added_of(tmp_path / "pupils.csv", "score ~ (1 | school)", weights="w")
    assert refused.value.column == "w"
    assert refused.value.row == 7


STORED = {
    "slopes": (
        "inner_london",
        "exam.csv",
        "exam_rs",
        "normexam ~ standLRT + (standLRT | school)",
    ),
    "three levels": (
        "england",
        "ks2_maths_panel_long.csv",
        "ks2_maths_progress_panel",
        "MATPROG ~ year + PTFSM6CLA1A + TKS1AVERAGE + (1 | LEA/URN)",
    ),
}


@pytest.mark.real_data
@pytest.mark.parametrize("case", STORED)
def test_published_data_give_the_fits_of_lme4(real_data: Path, case: str) -> None:
    """Held to 1e-6 of lme4's closer optimum; its effects were stored at the default stop: 1e-4."""
    folder, file, stored, formula = STORED[case]
    found = value_added_of(real_data / folder / file, formula)
    reference = json.loads((real_data / folder / f"{stored}.json").read_text())
    tight = reference["tight"]
    assert found.n_pupils == reference["n_obs"]
    assert found.groups == reference["n_groups"]
    assert found.reml_criterion == pytest.approx(tight["REML_criterion"], abs=1e-5)
    variances = [part["vcov"] for part in tight["variance_components"]]
    assert found.variance_components["variance"].to_list() == pytest.approx(variances, rel=1e-4)
    assert found.fixed_effects["estimate"].to_list() == pytest.approx(
        [part["estimate"] for part in tight["fixed_effects"]], rel=1e-5, abs=1e-7
    )
    assert found.fixed_effects["se"].to_list() == pytest.approx(
        [part["se"] for part in tight["fixed_effects"]], rel=1e-4
    )
    blups = pl.read_csv(
        real_data / folder / f"{stored}_blups.csv", schema_overrides={"grp": pl.String}
    )
    both = found.effects.join(
        blups, left_on=["group", "term", "level"], right_on=["grpvar", "term", "grp"]
    )
    assert both.height == blups.height == found.effects.height
    np.testing.assert_allclose(both["estimate"], both["condval"], rtol=1e-4, atol=2e-4)
    np.testing.assert_allclose(both["cond_sd"], both["condsd"], rtol=2e-4)
