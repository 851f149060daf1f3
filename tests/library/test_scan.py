"""Two ways of summing over the pupils, an expression and compiled code: the same sums."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from brightspots.core import engine
from brightspots.core.errors import InputError
from brightspots.insight import scan
from brightspots.insight.cross_products import CrossProducts, cross_products

FORMULA = "score ~ prior * sex + I(prior**2) + late + (1 + prior | school)"


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> Callable[..., CrossProducts]:
    """Scan in compiled code, cut into several parts and many batches."""

    def run(*args: Any, **kwargs: Any) -> CrossProducts:
        used = []
        by_kernel = scan._by_kernel

        def watched(*given: Any) -> scan.Scanned | None:
            used.append(by_kernel(*given))
            return used[-1]

        with monkeypatch.context() as patch:
            patch.setattr(scan, "ONE_THREAD_ROWS", 1)
            patch.setattr(scan, "BATCH_ROWS", 700)
            patch.setattr(engine, "LEAST_PART", 1_000)
            patch.setattr(engine, "_ROW_GROUP", 500)
            patch.setattr(scan, "_by_kernel", watched)
            found = cross_products(*args, **kwargs)
        assert used != [None], "the expression did the work"
        assert used
        return found

    return run


def pupils(n: int = 6_000, schools: int = 40, seed: int = 3) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    prior = np.round(draw.normal(1e4, 3, n), 3)
    frame = pl.DataFrame(
        {
            "school": draw.integers(0, schools, n),
            "year": draw.integers(2021, 2024, n).astype(np.int16),
            "prior": np.where(draw.random(n) < 0.02, np.nan, prior),
            "sex": [("F", "M", None)[int(i)] for i in draw.choice(3, n, p=[0.5, 0.48, 0.02])],
            "late": draw.random(n) < 0.3,
            "size": np.round(draw.uniform(0.5, 3, n), 2),
            "score": np.round(draw.normal(50, 10, n), 1),
        }
    )
    holes = draw.random(n) < 0.03
    return frame.with_columns(
        pl.when(pl.Series(holes)).then(None).otherwise(pl.col("score")).alias("score")
    )


def assert_same(found: CrossProducts, expected: CrossProducts) -> None:
    assert found.cells.equals(expected.cells)
    np.testing.assert_array_equal(found.counts, expected.counts)
    size = np.abs(expected.packed).max(axis=0)
    np.testing.assert_allclose(found.packed / size, expected.packed / size, atol=1e-13)
    assert found.sum_log_w == pytest.approx(expected.sum_log_w, rel=1e-12)
    assert (found.n_rows, found.n_dropped) == (expected.n_rows, expected.n_dropped)
    assert found.provenance == expected.provenance


SCHOOLS: dict[str, pl.Expr] = {
    "numbers": pl.col("school"),
    "negative": pl.col("school").cast(pl.Int8) - 20,
    "beyond 63 bits": pl.col("school").cast(pl.UInt64) + 2**63,
    "texts": pl.format("é {}", "school"),
    "fractions": pl.col("school") / 2,
}


@pytest.mark.parametrize("school", SCHOOLS)
@pytest.mark.parametrize("order", ["sorted", "shuffled"])
@pytest.mark.parametrize("kind", ["frame", "Parquet"])
def test_compiled_code_sums_what_the_expression_says(
    compiled: Callable[..., CrossProducts], tmp_path: Path, school: str, order: str, kind: str
) -> None:
    frame = pupils().with_columns(SCHOOLS[school].alias("school"))
    if order == "sorted":
        frame = frame.sort("school")
    source: Any = frame
    if kind == "Parquet":
        source = tmp_path / "it's.parquet"
        frame.write_parquet(source, row_group_size=500)
    assert_same(compiled(source, FORMULA), cross_products(source, FORMULA))


@pytest.mark.parametrize("weights", [None, "size"])
def test_weights_and_several_groups(
    compiled: Callable[..., CrossProducts], weights: str | None
) -> None:
    frame = pupils(schools=900).with_columns(pl.format("s{}", "school").alias("school"))
    asked: dict[str, Any] = {"weights": weights, "by": ("year",)}
    found, expected = compiled(frame, FORMULA, **asked), cross_products(frame, FORMULA, **asked)
    assert found.cells.height > 2_000  # more cells than there is room for at first
    assert_same(found, expected)


PLAIN = "score ~ `prior reading` + size + whole + x.y + (1 + size | school)"


def plain_pupils() -> pl.DataFrame:
    """Numbers of every kind with holes, and schools that are words with holes."""
    draw = np.random.default_rng(6)
    frame = pupils().rename({"prior": "prior reading"})
    holes = pl.Series(draw.random(frame.height) < 0.02)
    words = pl.Series(draw.choice(["a", " b", "é", "NA", "", " NA\t", "NaN"], frame.height))
    return frame.with_columns(
        pl.Series("whole", draw.integers(0, 9, frame.height).astype(np.int8)),
        pl.when(holes).then(None).otherwise(pl.col("size")).cast(pl.Float32).alias("size"),
        pl.Series("x.y", draw.integers(0, 2**62, frame.height)),
        pl.when(holes).then(None).otherwise(words).alias("school"),
    )


@pytest.mark.parametrize("kind", ["frame", "Parquet", "files"])
@pytest.mark.parametrize("weights", [None, "size"])
@pytest.mark.parametrize("order", ["sorted", "shuffled"])
def test_columns_as_they_lie_are_read_without_the_engine(
    compiled: Callable[..., CrossProducts],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    kind: str,
    weights: str | None,
    order: str,
) -> None:
    frame = plain_pupils().sort("school") if order == "sorted" else plain_pupils()
    source: Any = frame
    if kind == "Parquet":
        source = tmp_path / "pupils.parquet"
        frame.write_parquet(source, row_group_size=500)
    elif kind == "files":
        for part in range(6):
            frame[part * 1000 : (part + 1) * 1000].write_parquet(tmp_path / f"{part}.parquet")
        source = str(tmp_path / "*.parquet")
    asked: dict[str, Any] = {"weights": weights, "by": ("year",)}
    expected = cross_products(source, PLAIN, **asked)
    assert {*expected.cells["school"]} == {"a", " b", "é", "NaN"}

    def never(*_: Any) -> None:
        raise AssertionError("the engine was asked for rows")

    monkeypatch.setattr(engine.Table, "read", never)
    assert_same(compiled(source, PLAIN, **asked), expected)


@pytest.mark.parametrize(
    "column",
    [
        pl.col("size").cast(pl.Decimal(10, 2)),
        pl.col("size").cast(pl.String),
        pl.col("late"),
        pl.col("sex"),
    ],
    ids=["decimal", "text", "truth", "factor"],
)
def test_columns_of_other_kinds_go_through_the_engine(
    compiled: Callable[..., CrossProducts], tmp_path: Path, column: pl.Expr
) -> None:
    path = tmp_path / "pupils.parquet"
    pupils().with_columns(column.alias("other")).write_parquet(path, row_group_size=500)
    formula = "score ~ prior + other + (1 | school)"
    found, expected = compiled(path, formula), cross_products(path, formula)
    assert_same(found, expected)
    assert found.n_pupils > 5_000


def test_a_damaged_file_is_named(compiled: Callable[..., CrossProducts], tmp_path: Path) -> None:
    """The engine looks at the first rows only; what is wrong further on is found by the scan."""
    path = tmp_path / "pupils.parquet"
    pupils(60_000).write_parquet(path, row_group_size=500, compression="snappy")
    held = bytearray(path.read_bytes())
    middle = len(held) * 3 // 4
    held[middle : middle + 4_000] = b"\xff" * 4_000
    path.write_bytes(held)
    with pytest.raises(InputError, match=r"pupils\.parquet.*cannot be read"):
        compiled(path, "score ~ prior + size + (1 | school)")


def test_bytes_do_not_depend_on_threads(
    compiled: Callable[..., CrossProducts], tmp_path: Path
) -> None:
    path = tmp_path / "pupils.parquet"
    pupils().write_parquet(path, row_group_size=500)
    one, two, three = (compiled(path, FORMULA, threads=n) for n in (1, 2, None))
    assert one.packed.tobytes() == two.packed.tobytes() == three.packed.tobytes()


def test_several_files_are_cut_between_files(
    compiled: Callable[..., CrossProducts], tmp_path: Path
) -> None:
    frame = pupils()
    for part in range(5):
        frame[part * 1200 : (part + 1) * 1200].write_parquet(tmp_path / f"{part}.parquet")
    found = compiled(str(tmp_path / "*.parquet"), FORMULA)
    assert_same(found, cross_products(str(tmp_path / "*.parquet"), FORMULA))
    np.testing.assert_allclose(found.packed, cross_products(frame, FORMULA).packed, rtol=1e-9)


def test_a_file_with_a_column_that_the_engine_would_add_is_read_in_one_part(
    compiled: Callable[..., CrossProducts], tmp_path: Path
) -> None:
    path = tmp_path / "pupils.parquet"
    pupils().with_row_index("file_row_number").write_parquet(path)
    assert_same(compiled(path, FORMULA), cross_products(path, FORMULA))


def test_values_that_are_not_finite_are_named(compiled: Callable[..., CrossProducts]) -> None:
    frame = pupils().with_columns(
        pl.when(pl.int_range(pl.len()).is_between(5_000, 5_010))
        .then(float("inf"))
        .otherwise(pl.col("prior"))
        .alias("prior")
    )
    with pytest.raises(InputError, match="prior holds a value that is not finite"):
        compiled(frame, FORMULA)


def test_no_complete_row_is_said(compiled: Callable[..., CrossProducts]) -> None:
    frame = pupils().with_columns(pl.lit(None, dtype=pl.Float64).alias("score"))
    with pytest.raises(InputError, match="Every row has a missing value"):
        compiled(frame, "score ~ prior + (1 | school)")


def test_precision_of_sums_far_from_zero(compiled: Callable[..., CrossProducts]) -> None:
    """Against sums of whole numbers, which Python takes exactly."""
    draw = np.random.default_rng(8)
    whole = draw.integers(10**9, 10**9 + 50, 5_000)
    frame = pl.DataFrame({"school": np.arange(5_000) % 3, "x": whole, "y": whole[::-1]})
    cp = compiled(frame, "y ~ x + (1 | school)")
    k = cp.width
    back = np.diag(cp.scale)
    back[0, 1:] = cp.shift[1:]
    centre = np.eye(k)
    centre[0, 1:] = -(10**9)
    for school, S in enumerate(cp.matrices()):
        x = [int(v) - 10**9 for v in whole[school::3]]
        y = [int(v) - 10**9 for v in whole[::-1][school::3]]

        def product(a: list[int], b: list[int]) -> int:
            return sum(one * other for one, other in zip(a, b, strict=True))

        exact = [
            [len(x), sum(x), sum(y)],
            [sum(x), product(x, x), product(x, y)],
            [sum(y), product(y, x), product(y, y)],
        ]
        moved = (back @ centre).T @ S @ (back @ centre)
        np.testing.assert_allclose(moved, np.array(exact, dtype=float), rtol=1e-8)
