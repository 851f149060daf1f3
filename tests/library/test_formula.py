"""What a formula means, and what is refused with words."""

from __future__ import annotations

import polars as pl
import pytest

from brightspots.core.errors import InputError
from brightspots.insight.arithmetic import evaluate_arithmetic, parse_arithmetic
from brightspots.insight.cross_products import cross_products
from brightspots.insight.formula import parse_formula


def names(text: str) -> list[str]:
    return [":".join(v.name for v in term) for term in parse_formula(text).terms]


def test_crossing_becomes_main_effects_then_interaction_in_order_of_degree() -> None:
    formula = parse_formula("mAch ~ cses * sx + meanses + (1 | school)")
    assert names(formula.text) == ["", "cses", "sx", "meanses", "cses:sx"]
    assert formula.group == "school"
    assert formula.columns == ("mAch", "cses", "sx", "meanses", "school")


@pytest.mark.parametrize("text", ["y ~ (1 | s)", "y ~ 1 + (1|s)", "y~(1|s)", "y ~ a - a + (1 | s)"])
def test_a_formula_without_covariates_has_the_intercept_alone(text: str) -> None:
    assert names(text) == [""]


def test_names_with_spaces_dots_and_letters_of_any_language_are_columns() -> None:
    formula = parse_formula("`exam score` ~ prior.2019 + élève + `a:b` + (1 | `school code`)")
    assert formula.columns == ("exam score", "prior.2019", "élève", "a:b", "school code")


def test_arithmetic_keeps_the_name_the_user_wrote_and_follows_python() -> None:
    tree, columns = parse_arithmetic("(x - 2)**2 / `a b` + x^3 - -1")
    assert columns == ("x", "a b")
    assert evaluate_arithmetic(tree, {"x": 5.0, "a b": 3.0}.__getitem__) == 9 / 3 + 125 + 1
    assert names("y ~ I(x**2) + (1 | s)") == ["", "I(x**2)"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("y ~ x", "needs a random part"),
        ("y ~ x + (1 | factor(s))", "must be columns"),
        ("y ~ x + (1 | a + b)", "must be columns"),
        ("y ~ x + (1 | a/a)", "stands twice"),
        ("y ~ x + (1 | s) + (x | s)", 'effect "1" of "s" stands twice'),
        ("y ~ x + (0 | s)", "without any effect"),
        ("y ~ x + ( | s)", "Nothing stands before the bar"),
        ("y ~ x + (1 ||| s)", '"|||" has no meaning'),
        ("y ~ x + (y | s)", "both sides"),
        ("y ~ x + (1 | y)", "cannot be a grouping"),
        ("y ~ x - (1 | s)", "only be added"),
        ("y ~ x:(1 | s)", "only be added"),
        ("y ~ 0 + x + (1 | s)", "without an intercept"),
        ("y ~ x - 1 + (1 | s)", "without an intercept"),
        ("y ~ log(x) + (1 | s)", "log() is not done"),
        ("y ~ f(x) + (1 | s)", "f() is not known"),
        ("cbind(y, z) ~ x + (1 | s)", "logit models are not done"),
        ("y ~ ns(x, 3) + (1 | s)", "ns() is a curve"),
        ("y ~ offset(x) + (1 | s)", "Take it off the outcome"),
        ("y ~ x + ar1(x | s)", "structure of covariance"),
        ("y ~ . + (1 | s)", "all other columns"),
        ("y ~ x + (1 | (a/b))", "holds parentheses"),
        ("y ~ x + ((1 | s))", "only be added"),
        ("y ~ x + (1 | a | b)", "needs a random part"),
        ("y ~ x + (1 | s", "needs a random part"),
        ("y ~ I(__import__('os')) + (1 | s)", "not arithmetic"),
        ("y ~ I(x.real) + I(3) + (1 | s)", "not arithmetic"),
        ("y ~ I(x if x else 1) + (1 | s)", "not arithmetic"),
        ("y ~ {x} + (1 | s)", "has no meaning"),
        ("y ~ x + + (1 | s)", "cannot be read"),
        ("y ~ (x + (1 | s)", "cannot be read"),
        ("y ~ I(x + (1 | s)", 'without its ")"'),
        ("a + b ~ x + (1 | s)", "one outcome"),
        ("y ~ y + (1 | s)", "both sides"),
        ("y x", 'one "~"'),
        ("", "empty"),
    ],
)
def test_what_cannot_be_read_or_is_not_done_is_said_in_words(text: str, words: str) -> None:
    with pytest.raises(InputError) as refused:
        parse_formula(text)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("random", "effects"),
    [
        ("(1 | s)", [""]),
        ("(x | s)", ["", "x"]),
        ("(0 + x | s)", ["x"]),
        ("(x - 1 | s)", ["x"]),
        ("(-1 + x | s)", ["x"]),
        ("((x + z)^2 | s)", ["", "x", "z", "x:z"]),
        ("(1 + (x) | s)", ["", "x"]),
        ("(as.factor(x) | s)", ["", "as.factor(x)"]),
        ("(`a b`:x | s)", ["", "a b:x"]),
    ],
)
def test_what_varies_is_read_as_a_formula_of_its_own(random: str, effects: list[str]) -> None:
    (term,) = parse_formula(f"y ~ {random}").random
    assert [":".join(v.name for v in effect) for effect in term.effects] == effects
    assert term.correlated


@pytest.mark.parametrize(
    ("random", "groups"),
    [
        ("(1 | district/school)", ["school:district", "district"]),
        ("(1 | a/b/c)", ["c:b:a", "b:a", "a"]),
        ("(1 | a:b)", ["a:b"]),
        ("(1 | `the a`/b.c)", ["b.c:the a", "the a"]),
        ("(1 | a) + (x || b) + (1 | c:a)", ["a", "b", "c:a"]),
    ],
)
def test_groupings_are_named_as_in_lme4_the_inner_one_first(random: str, groups: list[str]) -> None:
    assert [term.name for term in parse_formula(f"y ~ x + {random}").random] == groups


FRAME = pl.DataFrame(
    {
        "y": [1.0, 2.0, 4.0, 3.0, 5.0, 7.0, 6.0, 9.0],
        "x": [0.0, 1.0, 2.0, 5.0, 1.0, 3.0, 2.0, 8.0],
        "sex": ["M", "F", "M", "F", "F", "M", "F", "M"],
        "type": ["mixed", "mixed", "boys", "girls", "girls", "boys", "boys", "mixed"],
        "s": ["01", "01", "01", "01", "2", "2", "2", "2"],
    }
)


@pytest.mark.parametrize(
    ("fixed", "terms"),
    [
        ("sex + type", ["sexM", "typegirls", "typemixed"]),
        ("x * sex", ["x", "sexM", "x:sexM"]),
        ("x:sex", ["x:sexF", "x:sexM"]),
        ("sex / x", ["sexM", "sexF:x", "sexM:x"]),
        ("factor(x)", [f"factor(x){level}" for level in (1, 2, 3, 5, 8)]),
    ],
)
def test_factors_are_coded_and_named_as_in_r(fixed: str, terms: list[str]) -> None:
    cp = cross_products(FRAME, f"y ~ {fixed} + (1 | s)")
    assert cp.terms == ("(Intercept)", *terms)
