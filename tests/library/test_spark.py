"""The same expressions on Spark, in local mode: the same numbers, and errors in words."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from brightspots.core.engine import ENGINES, SparkSource, on_engine
from brightspots.core.errors import InputError
from brightspots.insight.cross_products import CrossProducts, cross_products
from brightspots.insight.value_added import value_added
from brightspots_cli.value_added import command
from tests.library.test_scan import FORMULA, pupils


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    if shutil.which("java") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("Java is not installed: sh deploy/system-packages.sh test")
        pytest.skip("Java is not installed: sh deploy/system-packages.sh test")
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]").appName("tests")
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "1g",
        "spark.sql.shuffle.partitions": "2",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.codegen.wholeStage": "false",  # compiling costs more than these few rows
    }
    for key, value in settings.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


def assert_same(found: CrossProducts, expected: CrossProducts) -> None:
    """Within 1e-9 of the size of the sums, in one set of units."""
    assert (found.terms, found.levels) == (expected.terms, expected.levels)
    assert found.cells.equals(expected.cells)
    np.testing.assert_array_equal(found.counts, expected.counts)
    assert (found.n_rows, found.n_dropped) == (expected.n_rows, expected.n_dropped)
    np.testing.assert_allclose(found.sum_log_w, expected.sum_log_w, rtol=1e-9)
    ours, theirs = in_data_units(found), in_data_units(expected)
    size = np.abs(theirs).max(axis=0) + 1e-300  # two levels of one factor: all products are 0
    np.testing.assert_allclose(ours / size, theirs / size, atol=1e-9)


def in_data_units(cp: CrossProducts) -> np.ndarray:
    back = np.diag(cp.scale)
    back[0, 1:] = cp.shift[1:]
    return np.einsum("ai,jab,bl->jil", back, cp.matrices(), back)


def test_parquet_with_factors_weights_and_several_groups(spark: Any, tmp_path: Path) -> None:
    path = tmp_path / "pupils.parquet"
    frame = pupils(3_000).with_columns(pl.format("é {}", "school").alias("school"))
    frame.write_parquet(path)
    asked: dict[str, Any] = {"weights": "size", "by": ("year",)}
    formula = "score ~ prior * sex + I(prior**2) + (1 | school)"
    found = cross_products(SparkSource(path, spark), formula, **asked)
    expected = cross_products(path, formula, **asked)
    assert_same(found, expected)
    assert found.provenance == expected.provenance  # the bytes of the file are hashed
    theirs = value_added(expected).school_effects
    assert value_added(found).school_effects.drop("school", "n").to_numpy() == pytest.approx(
        theirs.drop("school", "n").to_numpy(), rel=1e-6, abs=1e-9
    )


def test_csv_is_read_as_text_as_on_duckdb(spark: Any, tmp_path: Path) -> None:
    path = tmp_path / "pupils.csv"
    frame = pupils(1_000).with_columns(
        pl.format("{}", pl.col("school").cast(pl.String).str.zfill(3)).alias("school"),
        # Java reads "3d" and "4f" as numbers; here they are names of classes.
        pl.Series("class", ["3d", "4f", "5d"])
        .sample(1_000, with_replacement=True, seed=1)
        .alias("class"),
    )
    path.write_text('"school";' + frame.write_csv(separator=";", null_value="NA").split(";", 1)[1])
    formula = "score ~ prior + class + (1 | school)"
    found = cross_products(SparkSource(path, spark), formula)
    assert found.schools[0] == "000"
    assert found.terms == ("(Intercept)", "prior", "class4f", "class5d")
    assert_same(found, cross_products(path, formula))


def test_frame_of_spark_is_hashed_by_its_rows_in_any_order(spark: Any) -> None:
    frame, formula = pupils(500), "score ~ prior + sex + (1 | school)"
    there = spark.createDataFrame(frame.to_arrow())
    before = {key: spark.conf.get(key) for key in ("spark.sql.ansi.enabled",)}
    found = cross_products(SparkSource(there), formula)
    assert_same(found, cross_products(frame, formula))
    turned = cross_products(SparkSource(there.orderBy("score"), spark), formula)
    assert turned.provenance.input_hash == found.provenance.input_hash
    changed = cross_products(SparkSource(there.limit(499), spark), formula)
    assert changed.provenance.input_hash != found.provenance.input_hash
    assert before == {key: spark.conf.get(key) for key in before}
    assert [t.name for t in spark.catalog.listTables() if t.name.startswith("brightspots")] == []


def test_arithmetic_without_an_answer_is_refused_as_on_duckdb(spark: Any) -> None:
    frame = pl.DataFrame({"school": [1, 1, 2, 2], "x": [1.0, 0.0, 2.0, 3.0], "y": [1.0, 2, 3, 5]})
    for source in (frame, SparkSource(frame, spark)):
        with pytest.raises(InputError, match=r"I\(1 / x\) holds a value that is not finite"):
            cross_products(source, "y ~ I(1 / x) + (1 | school)")
    frame = frame.with_columns(x=pl.Series([1.0, 2.0, float("inf"), 4.0]))
    with pytest.raises(InputError, match="x holds a value that is not finite"):
        cross_products(SparkSource(frame, spark), "y ~ x + (1 | school)")


def test_a_wrong_cell_is_named_without_its_row(spark: Any, tmp_path: Path) -> None:
    path = tmp_path / "pupils.csv"
    path.write_text("school,prior,score\n1,2,3\n1,x7,4\n2,3,4\n2,4,6\n")
    with pytest.raises(InputError, match='"x7" is not a number') as refused:
        cross_products(SparkSource(path, spark), "score ~ prior + (1 | school)")
    assert (refused.value.row, refused.value.column) == (None, "prior")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [("none.parquet", None, "no such file"), ("bad.parquet", b"x", "not a Parquet file"),
     ("cut.parquet", b"PAR1 nothing", "Spark cannot read this")],
)  # fmt: skip
def test_files_that_cannot_be_read(
    spark: Any, tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=said):
        cross_products(SparkSource(tmp_path / name, spark), FORMULA)


def test_the_command_takes_an_engine(spark: Any, tmp_path: Path) -> None:
    """In this process, so that it finds the session that runs."""
    path = tmp_path / "pupils.parquet"
    pupils(1_000).write_parquet(path)
    formula = "score ~ prior + (1 | school)"
    for engine in ENGINES:
        command(path, formula, tmp_path / engine, engine=engine)
    one, other = (pl.read_csv(tmp_path / each / "school_effects.csv") for each in ENGINES)
    assert one.drop("school").to_numpy() == pytest.approx(
        other.drop("school").to_numpy(), rel=1e-6, abs=1e-9
    )
    with pytest.raises(InputError, match="no engine"):
        command(path, formula, tmp_path / "x", engine="abacus")


def test_an_engine_is_chosen_by_name() -> None:
    assert on_engine("pupils.csv", "duckdb") == "pupils.csv"
    assert on_engine("pupils.csv", "spark") == SparkSource("pupils.csv")
    with pytest.raises(InputError, match="no engine"):
        on_engine("pupils.csv", "abacus")
