"""What varies between groups: gradients, sums by level, robust errors, and what cannot be told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from scipy.linalg import block_diag

from brightspots.core.errors import InputError
from brightspots.insight.cross_products import CrossProducts, cross_products
from brightspots.insight.optimise import fit_system
from brightspots.insight.random_terms import make_model
from brightspots.insight.value_added import value_added, value_added_of
from tests.library.test_model_shapes import SHAPES, X, columns_of, covariance_of, pupils

Array = NDArray[np.float64]


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_gradient_equals_difference_quotients(shape: str, reml: bool) -> None:
    """dREML/dLambda = 2 W Lambda for every element of every Lambda, at a place of no symmetry."""
    random, _ = SHAPES[shape]
    model = make_model(cross_products(pupils(6), f"score ~ prior.score + {random}", weights="w"))
    draw = np.random.default_rng(1)
    Lambdas = tuple(np.tril(draw.uniform(0.2, 0.9, (q, q))) for q in model.system.sizes)
    W = model.system.derivatives(model.system.solve(Lambdas, reml=reml))
    step = 1e-5
    for place, Lambda in enumerate(Lambdas):
        for i, j in zip(*np.tril_indices(len(Lambda)), strict=True):
            ends = []
            for sign in (1, -1):
                moved = [each.copy() for each in Lambdas]
                moved[place][i, j] += sign * step
                ends.append(model.system.solve(tuple(moved), reml=reml).criterion)
            slope = (ends[0] - ends[1]) / (2 * step)
            analytic = 2 * (W[place] @ Lambda)[i, j]
            assert analytic == pytest.approx(slope, rel=1e-5, abs=1e-5)


def in_data_units(cp: CrossProducts) -> Array:
    B = np.diag(cp.scale)
    B[0, 1:] = cp.shift[1:]
    summed: Array = B.T @ cp.total() @ B
    return summed


@pytest.mark.parametrize(
    ("fixed", "columns"),
    [
        ("age:sex", ["sexF age", "sexM age"]),
        ("sex / age", ["sexM", "sexF age", "sexM age"]),
        ("age * sex", ["age", "sexM", "sexM age"]),
        (
            "age:sex + prior.score:sex",
            ["sexF age", "sexM age", "sexF prior.score", "sexM prior.score"],
        ),
    ],
)
@pytest.mark.parametrize("weights", [None, "w"])
def test_numbers_by_level_far_from_zero_have_the_sums_they_have(
    fixed: str, columns: list[str], weights: str | None
) -> None:
    """Columns of two levels never meet in a row, but would if each were shifted."""
    frame = pupils(2, offset=300.0).with_columns(pl.col("age") + 1000)
    cp = cross_products(frame, f"score ~ {fixed} + (1 | school)", weights=weights)
    made = [
        np.prod([frame[name].to_numpy() for name in column.split()], axis=0) for column in columns
    ]
    A = np.column_stack([np.ones(frame.height), *made, frame["score"]])
    w = frame["w"].to_numpy() if weights else np.ones(frame.height)
    np.testing.assert_allclose(in_data_units(cp), A.T @ (w[:, None] * A), rtol=1e-10)


@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("shape", ["slope", "uncorrelated", "nested", "nested slopes"])
def test_robust_errors_equal_the_sandwich_of_dense_algebra(shape: str, weights: str | None) -> None:
    frame = pupils(3)
    random, parts = SHAPES[shape]
    formula = f"score ~ prior.score + `free meals` + {random}"
    found = value_added_of(frame, formula, weights=weights, robust=True)
    A = np.column_stack([np.ones(frame.height), frame[X], frame["free meals"]])
    w = frame["w"].to_numpy() if weights else np.ones(frame.height)
    pieces = [columns_of(frame, part) for part in parts]
    Gs = covariance_of(found, parts)
    G = block_diag(*[np.kron(np.eye(len(p[1])), g) for p, g in zip(pieces, Gs, strict=True)])
    Z = np.hstack([piece for piece, _ in pieces])
    V_inverse = np.linalg.inv(Z @ G @ Z.T + np.diag(1 / w))
    bread = np.linalg.inv(A.T @ V_inverse @ A)
    y = frame["score"].to_numpy()
    weighted = V_inverse @ (y - A @ (bread @ A.T @ V_inverse @ y))
    cluster = frame["district" if "nested" in shape else "school"].to_numpy()
    scores = [A[cluster == c].T @ weighted[cluster == c] for c in np.unique(cluster)]
    meat = sum(np.outer(s, s) for s in scores)
    expected = np.sqrt(np.diag(bread @ meat @ bread))
    np.testing.assert_allclose(found.fixed_effects["se_robust"], expected, rtol=1e-8)


def test_robust_errors_need_groups_that_do_not_cross() -> None:
    with pytest.raises(InputError, match="these groupings cross"):
        value_added_of(pupils(1), "score ~ (1 | school) + (1 | primary)", robust=True)


def test_columns_that_tell_cells_apart_change_no_answer() -> None:
    frame = pupils(7)
    formula = "score ~ prior.score + (prior.score | school)"
    plain = value_added(cross_products(frame, formula))
    apart = value_added(cross_products(frame, formula, by=("primary", "sex")))
    assert apart.reml_criterion == pytest.approx(plain.reml_criterion, abs=1e-8)
    np.testing.assert_allclose(apart.effects["estimate"], plain.effects["estimate"], atol=1e-6)


def test_parts_of_several_groupings_merge_into_the_whole() -> None:
    frame = pupils(9)
    formula = "score ~ prior.score + (prior.score | district/school) + (1 | primary)"
    halves = [frame[:70], frame[70:]]
    parts = [cross_products(half, formula, weights="w") for half in halves]
    merged = value_added(parts[0].merge(parts[1]))
    whole = value_added_of(frame, formula, weights="w")
    assert merged.reml_criterion == pytest.approx(whole.reml_criterion, abs=1e-8)
    assert merged.effects["level"].to_list() == whole.effects["level"].to_list()
    np.testing.assert_allclose(merged.effects["estimate"], whole.effects["estimate"], atol=1e-6)


@pytest.mark.real_data
def test_slopes_and_intercepts_of_one_school_vary_together_as_in_lme4(real_data: Path) -> None:
    """Conditional covariances of Inner London's 65 schools, stored at lme4's default stop."""
    folder = real_data / "inner_london"
    cp = cross_products(folder / "exam.csv", "normexam ~ standLRT + (standLRT | school)")
    model = make_model(cp)
    found = model.system.effects(fit_system(model.system), 0)
    term = model.terms[0]
    ours = found.transformed(model.scale[-1] * term.back).conditional
    stored = pl.read_csv(
        folder / "exam_rs_condcov_school.csv", schema_overrides={"grp": pl.String}
    ).sort("grp")
    assert stored["grp"].to_list() == list(term.units.labels)
    for name, (i, j) in {"v11": (0, 0), "v12": (0, 1), "v22": (1, 1)}.items():
        size = np.sqrt(ours[:, i, i] * ours[:, j, j])
        assert np.max(np.abs(ours[:, i, j] - stored[name].to_numpy()) / size) < 1e-4


number = pl.col("school").str.slice(1).cast(pl.Float64)
UNTOLD: dict[str, tuple[dict[str, pl.Expr], str, str]] = {
    "a slope of what is the same in a school": (
        {"size": number},
        "score ~ prior.score + (size | school)",
        '"size" is the same for all pupils of each group of "school"',
    ),
    "the same, uncorrelated": (
        {"size": number},
        "score ~ prior.score + (size || school)",
        '"size" is the same for all pupils of each group of "school"',
    ),
    "a kind of school as a slope": (
        {"kind": pl.when(number < 7).then(pl.lit("a")).otherwise(pl.lit("b"))},
        "score ~ prior.score + (kind | school)",
        '"kindb" is the same for all pupils of each group of "school"',
    ),
    "two slopes that say the same": (
        {"again": 2 * pl.col("prior.score") + 1},
        "score ~ prior.score + (prior.score + again | school)",
        'effect "again" of "school" cannot be identified: prior.score already says the same',
    ),
    "two slopes without an intercept that say the same": (
        {"again": 2 * pl.col("prior.score")},
        "score ~ prior.score + (0 + prior.score + again | school)",
        'effect "again" of "school" cannot be identified: prior.score already says the same',
    ),
    "schools in both parts": (
        {},
        "score ~ prior.score + school + (1 | school)",
        'variance of "school" cannot be told from the rest',
    ),
    "districts in both parts": (
        {},
        "score ~ prior.score + district + (1 | district/school)",
        'variance of "district" cannot be told from the rest',
    ),
    "a slope by district in both parts": (
        {},
        "score ~ prior.score * district + (1 | school) + (0 + prior.score | district)",
        'variance of "prior.score" over "district" cannot be told from the rest',
    ),
    "one group of the inner grouping": (
        {"all": pl.lit("a")},
        "score ~ (1 | all/school)",
        'one group of "all"',
    ),
    "more effects than pupils": (
        {},
        "score ~ (prior.score + `free meals` + age + w + sex | school:primary)",
        "random effects and there are",
    ),
    "schools that explain everything": (
        {"score": number},
        "score ~ prior.score + (1 | school)",
        "grows without end",
    ),
    "groups that cross and explain everything": (
        {"score": number + pl.col("primary").str.slice(1).cast(pl.Float64) ** 2},
        "score ~ prior.score + (1 | school) + (1 | primary)",
        "without end",
    ),
    "a slope that is not known of anybody": (
        {"age": pl.lit(None, dtype=pl.Float64)},
        "score ~ (age | school)",
        "Every row has a missing value",
    ),
    "a slope without end": (
        {"age": pl.when(pl.int_range(pl.len()) == 3).then(float("inf")).otherwise("age")},
        "score ~ (age | school)",
        "age holds a value that is not finite",
    ),
    "dates as numbers": (
        {"age": pl.lit("2013-05-") + (pl.int_range(pl.len()) % 20 + 10).cast(pl.String)},
        "score ~ age + (1 | school)",
        'row 2, column "age": "2013-05-10" is a date',
    ),
    "lists": (
        {"age": pl.concat_list("age", "w")},
        "score ~ age + (1 | school)",
        "Write one value a cell",
    ),
    "lists as groups": (
        {"school": pl.concat_list("age", "w")},
        "score ~ age + (1 | school)",
        "Write one value a cell",
    ),
    "truth as outcome": (
        {"score": pl.col("score") > 2},
        "score ~ age + (1 | school)",
        "Write 0 and 1",
    ),
}


@pytest.mark.parametrize("case", UNTOLD)
def test_what_no_pupils_could_tell_is_said_in_words(case: str) -> None:
    change, formula, words = UNTOLD[case]
    with pytest.raises(InputError) as refused:
        value_added_of(pupils(1).with_columns(**change), formula)
    assert words in str(refused.value)


def test_kinds_of_school_may_differ_each_in_its_own_way() -> None:
    """Without an intercept beside it, what is the same in a school can vary: it is one."""
    kind = pl.when(number < 7).then(pl.lit("a")).otherwise(pl.lit("b"))
    found = value_added_of(
        pupils(1).with_columns(kind=kind), "score ~ prior.score + (0 + kind | school)"
    )
    variances = found.variance_components.filter(pl.col("term2").is_null())["variance"]
    assert (variances > 0).all()
