"""No withheld cell can be had by subtraction; an attacker with a linear programme tries."""

import math
import time

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from brightspots.core.complementary import protect_tree
from brightspots.core.errors import InputError

M = 10
Tree = list[tuple[str, str | None, float]]


def guarded(cells: Tree, **more: object) -> pl.DataFrame:
    frame = pl.DataFrame(cells, schema=["node", "parent", "count"], orient="row")
    return protect_tree(frame, **more)  # type: ignore[arg-type] # passed on as given


def withheld(frame: pl.DataFrame) -> set[str]:
    return set(frame.filter("suppressed")["node"].to_list())


def attack(frame: pl.DataFrame, *, told: bool) -> dict[str, tuple[float, float]]:
    """Least and most each withheld cell can be, for a reader of all that is shown.

    `told` knows which cells are small (1 to m - 1) and which are not (m and more).
    """
    rows = {row["node"]: row for row in frame.to_dicts()}
    unknown = [name for name, row in rows.items() if row["suppressed"]]
    at = {name: place for place, name in enumerate(unknown)}
    equations, sides = [], []
    for name in rows:
        parts = [p for p, row in rows.items() if row["parent"] == name]
        if not parts:
            continue
        line = np.zeros(len(unknown))
        # Part of the total that is no listed cell: the attacker is taken to know it.
        side = rows[name]["count"] - sum(rows[p]["count"] for p in parts)
        for cell, sign in [(name, 1.0), *((p, -1.0) for p in parts)]:
            if cell in at:
                line[at[cell]] += sign
            else:
                side -= sign * rows[cell]["count"]
        equations.append(line)
        sides.append(side)
    bounds: list[tuple[float, float | None]] = []
    for name in unknown:
        small = 0 < rows[name]["count"] < M
        bounds.append((1, M - 1) if told and small else (M if told else 1, None))
    found = {}
    for name in unknown:
        ends = []
        for sign in (1.0, -1.0):
            target = np.zeros(len(unknown))
            target[at[name]] = sign
            answer = linprog(target, A_eq=equations, b_eq=sides, bounds=bounds, method="highs")
            ends.append(sign * answer.fun if answer.status == 0 else math.inf)
        found[name] = (ends[0], ends[1])
    return found


def leaves(frame: pl.DataFrame, name: str) -> int:
    parts = frame.filter(pl.col("parent") == name)["node"].to_list()
    return sum(leaves(frame, part) for part in parts) if parts else 1


def assert_safe(frame: pl.DataFrame, *, told: bool) -> int:
    """Every small cell may be anything from the number of its parts to m - 1."""
    ranges = attack(frame, told=told)
    small = frame.filter((pl.col("count") < M) & (pl.col("count") > 0))
    for row in small.to_dicts():
        low, high = ranges[row["node"]]
        # A part of a small total can be no more than the total allows.
        inside = row["parent"] is not None and row["parent"] in set(small["node"])
        assert low <= leaves(frame, row["node"]) + 1e-6, (row, low, high)
        assert high >= (row["count"] if inside else M - 1) - 1e-6, (row, low, high)
    return small.height


class TestOneTotal:
    def test_where_everything_is_large_nothing_is_withheld(self) -> None:
        out = guarded([("all", None, 90), ("a", "all", 40), ("b", "all", 50)])
        assert withheld(out) == set()

    def test_one_small_part_takes_the_first_other_that_hides_it(self) -> None:
        cells: Tree = [("all", None, 107), ("a", "all", 7), ("b", "all", 40), ("c", "all", 60)]
        out = guarded(cells)
        assert withheld(out) == {"a", "b"}
        assert out.filter("complementary")["node"].to_list() == ["b"]
        assert attack(out, told=True)["a"] == pytest.approx((1, 9))

    def test_a_part_too_near_the_minimum_to_hide_it_is_passed_over(self) -> None:
        # 7 + 12 = 19: with b at least 10, a could be no more than 9; 2 + 12 leaves 1 to 4.
        cells: Tree = [("all", None, 74), ("a", "all", 2), ("b", "all", 12), ("c", "all", 60)]
        assert withheld(guarded(cells)) == {"a", "c"}

    def test_the_choice_follows_the_order_given_and_not_the_size(self) -> None:
        cells = [
            ("all", None, 107, 0),
            ("a", "all", 7, 1),
            ("b", "all", 40, 3),
            ("c", "all", 60, 2),
        ]
        frame = pl.DataFrame(cells, schema=["node", "parent", "count", "rank"], orient="row")
        assert withheld(protect_tree(frame, order="rank")) == {"a", "c"}

    def test_two_small_parts_alone_would_say_too_much(self) -> None:
        # 9 + 8 = 17: a reader who is told that both are small knows 8 or 9.
        cells: Tree = [("all", None, 77), ("a", "all", 9), ("b", "all", 8), ("c", "all", 60)]
        assert withheld(guarded(cells)) == {"a", "b", "c"}

    def test_small_parts_alone_keep_their_total_where_it_does_not_tell_them(self) -> None:
        out = guarded([("all", None, 18), ("a", "all", 9), ("b", "all", 9)])
        assert withheld(out) == {"a", "b"}
        assert attack(out, told=False)["a"] == pytest.approx((1, 17))

    def test_a_small_part_alone_takes_its_total_along(self) -> None:
        assert withheld(guarded([("all", None, 7), ("a", "all", 7)])) == {"all", "a"}

    def test_a_part_of_nobody_is_shown_and_hides_nobody(self) -> None:
        out = guarded([("all", None, 67), ("a", "all", 7), ("b", "all", 0), ("c", "all", 60)])
        assert withheld(out) == {"a", "c"}

    def test_what_is_withheld_for_few_schools_stays_uncertain_by_a_tenth(self) -> None:
        cells = [
            ("all", None, 1120, False), ("a", "all", 500, True), ("b", "all", 20, False),
            ("c", "all", 600, False),
        ]  # fmt: skip
        frame = pl.DataFrame(cells, schema=["node", "parent", "count", "few"], orient="row")
        out = protect_tree(frame, primary="few")
        assert withheld(out) == {"a", "c"}
        low, high = attack(out, told=True)["a"]
        assert low <= 10
        assert high >= 550


class TestTrees:
    def test_a_total_that_hides_another_withholds_a_part_of_its_own(self) -> None:
        cells: Tree = [
            ("all", None, 127), ("A", "all", 7), ("B", "all", 120), ("a", "A", 7), ("b", "B", 50),
            ("c", "B", 70),
        ]  # fmt: skip
        out = guarded(cells)
        assert withheld(out) == {"A", "a", "B", "b"}
        assert_safe(out, told=True)

    def test_a_total_that_would_tell_its_only_part_is_withheld_and_so_is_a_neighbour(self) -> None:
        cells: Tree = [
            ("all", None, 180), ("A", "all", 20), ("B", "all", 160), ("a", "A", 5), ("x", "A", 15),
            ("b", "B", 80), ("c", "B", 80),
        ]  # fmt: skip
        out = guarded(cells)
        assert {"a", "x"} <= withheld(out)
        assert_safe(out, told=False)

    def test_parts_of_what_is_withheld_are_withheld(self) -> None:
        cells: Tree = [("all", None, 207), ("A", "all", 7), ("b", "all", 200), ("a", "A", 3),
                       ("c", "A", 4)]  # fmt: skip
        assert withheld(guarded(cells)) == {"A", "a", "c", "b"}

    def test_the_order_of_rows_changes_nothing(self) -> None:
        cells = grown(np.random.default_rng(3), depth=3, width=5)
        once = guarded(cells).sort("node")
        again = guarded(list(reversed(cells))).sort("node")
        assert once.equals(again)


def grown(random: np.random.Generator, depth: int, width: int, scale: float = 2.6) -> Tree:
    """A tree with counts from 0 to some hundreds."""
    cells: Tree = []

    def grow(name: str, parent: str | None, left: int) -> float:
        if left == 0:
            size = float(np.floor(np.exp(random.normal(scale, 1.1))))
        else:
            parts = int(random.integers(1, width + 1))
            size = sum(grow(f"{name}.{part}", name, left - 1) for part in range(parts))
        cells.append((name, parent, size))
        return size

    grow("r", None, depth)
    return cells


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), depth=st.integers(1, 3), width=st.integers(2, 5))
def test_no_linear_programme_recovers_a_small_cell_of_a_random_tree(
    seed: int, depth: int, width: int
) -> None:
    out = guarded(grown(np.random.default_rng(seed), depth, width))
    assert_safe(out, told=False)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_nor_does_it_for_a_reader_who_is_told_which_cells_are_small(seed: int) -> None:
    random = np.random.default_rng(seed)
    cells = grown(random, depth=2, width=4, scale=2.0)
    # Beside every leaf stands a large sibling, so that nothing falls back on not being told.
    big = [(f"{name}.big", name, 100.0) for name, _p, _n in cells if name.count(".") < 2]
    more = {name: sum(1 for b, _p, _n in big if b.startswith(name + ".")) for name, *_ in cells}
    out = guarded([(n, p, c + 100.0 * more[n]) for n, p, c in cells] + big)
    assert_safe(out, told=True)
    # What is large enough is never withheld without need.
    if not out.filter((pl.col("count") > 0) & (pl.col("count") < M)).height:
        assert withheld(out) == set()


def test_without_protection_the_attacker_wins() -> None:
    """The attack works: it finds the cell that primary suppression alone leaves to be had."""
    frame = pl.DataFrame(
        {"node": ["all", "a", "b"], "parent": [None, "all", "all"], "count": [67.0, 7.0, 60.0]}
    ).with_columns(suppressed=pl.col("count") < M)
    assert attack(frame, told=False)["a"] == pytest.approx((7, 7))
    with pytest.raises(AssertionError):
        assert_safe(frame, told=False)


def test_a_hundred_thousand_schools_in_a_deep_tree_take_seconds() -> None:
    random = np.random.default_rng(1)
    n = 100_000
    counts = np.floor(np.exp(random.normal(3.4, 0.9, n)))
    levels = [np.arange(n)]
    rows: list[tuple[str, str | None, float]] = []
    for step, fan in enumerate((10, 10, 10, 10, 10)):
        above = levels[-1] // fan
        width = int(above.max()) + 1
        rows += [
            (f"{step}:{i}", f"{step + 1}:{a}", c)
            for i, a, c in zip(range(len(counts)), above, counts, strict=True)
        ]
        counts = np.bincount(above, counts, width)
        levels.append(np.arange(width))
    rows += [(f"5:{i}", None, c) for i, c in enumerate(counts)]
    started = time.process_time()
    out = guarded(rows)
    assert time.process_time() - started < 30  # seconds here; quadratic time would be hours
    small = out.filter((pl.col("count") > 0) & (pl.col("count") < M))
    assert small.height > 5_000
    assert small["suppressed"].all()
    assert 0 < out["complementary"].sum() < out.height / 2


class TestBadInput:
    @pytest.mark.parametrize(
        ("cells", "said"),
        [
            ([("a", None, 5), ("a", None, 6)], "occurs twice"),
            ([(None, None, 5)], "has no name"),
            ([("a", "b", 5)], "is not listed"),
            ([("a", "b", 5), ("b", "a", 5)], "part of itself"),
            ([("a", None, -1)], "below 0"),
            ([("a", None, None)], "unknown"),
            ([("a", None, 5), ("b", "a", 6)], "The parts count 6, their total 5"),
        ],
    )
    def test_says_what_is_wrong(self, cells: Tree, said: str) -> None:
        frame = pl.DataFrame(
            cells,
            schema={"node": pl.String, "parent": pl.String, "count": pl.Float64},
            orient="row",
        )
        with pytest.raises(InputError, match=said):
            protect_tree(frame)

    def test_a_missing_column_is_named(self) -> None:
        with pytest.raises(InputError, match='column "count"'):
            protect_tree(pl.DataFrame({"node": ["a"], "parent": [None]}))

    @pytest.mark.parametrize("bad", [{"minimum": 1}, {"share": 1.0}])
    def test_settings_that_protect_nothing_are_refused(self, bad: dict[str, float]) -> None:
        with pytest.raises(InputError):
            guarded([("a", None, 5)], **bad)
