"""Cross products: exact sums, whatever the file looks like."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from brightspots.core.errors import InputError
from brightspots.insight.cross_products import CrossProducts, cross_products
from brightspots.insight.value_added import value_added

FORMULA = "score ~ prior * sex + (1 | school)"


def pupils(n: int = 60, offset: float = 0.0) -> pl.DataFrame:
    draw = np.random.default_rng(5)
    return pl.DataFrame(
        {
            "school": [f"{i % 7:03d}" for i in range(n)],
            "prior": np.round(draw.normal(offset, 3, n), 3),
            "sex": [("M", "F")[int(i)] for i in draw.integers(0, 2, n)],
            "score": np.round(draw.normal(50, 10, n), 2),
        }
    )


def in_data_units(cp: CrossProducts) -> np.ndarray:
    k = len(cp.terms) + 1
    B = np.diag(cp.scale)
    B[0, 1:] = cp.shift[1:]
    return np.array([B.T @ S @ B for S in cp.matrices()]).reshape(-1, k, k)


def by_hand(frame: pl.DataFrame) -> np.ndarray:
    out = []
    for school in sorted(frame["school"].unique()):
        rows = frame.filter(pl.col("school") == school)
        boys = (rows["sex"] == "M").to_numpy().astype(float)
        x, y = rows["prior"].to_numpy(), rows["score"].to_numpy()
        A = np.column_stack([np.ones(rows.height), x, boys, x * boys, y])
        out.append(A.T @ A)
    return np.array(out)


def test_sums_equal_the_sums_by_hand_and_codes_keep_their_zeros() -> None:
    frame = pupils()
    cp = cross_products(frame, FORMULA)
    assert cp.schools == tuple(f"{i:03d}" for i in range(7))
    assert cp.terms == ("(Intercept)", "prior", "sexM", "prior:sexM")
    np.testing.assert_allclose(in_data_units(cp), by_hand(frame), rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize(
    ("encoding", "separator"),
    [("utf-8", ","), ("utf-8-sig", ";"), ("utf-16", "\t"), ("cp1252", "|"), ("gzip", ",")],
)
def test_every_way_of_writing_the_file_gives_the_same_sums(
    tmp_path: Path, encoding: str, separator: str
) -> None:
    frame = pupils().with_columns(pl.concat_str(pl.col("school"), pl.lit(" é")).alias("school"))
    text = frame.write_csv(separator=separator)
    path = tmp_path / "pupils.csv"
    path.write_bytes(gzip.compress(text.encode()) if encoding == "gzip" else text.encode(encoding))
    parquet = tmp_path / "pupils.parquet"
    frame.write_parquet(parquet)
    from_text, from_parquet = cross_products(path, FORMULA), cross_products(parquet, FORMULA)
    assert from_text.schools == from_parquet.schools
    assert from_text.schools[0] == "000 é"
    np.testing.assert_allclose(
        in_data_units(from_text), in_data_units(from_parquet), rtol=1e-12, atol=1e-9
    )


def test_rows_with_a_missing_value_in_a_used_column_are_dropped_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "pupils.csv"
    path.write_text(
        "school,prior,score,note\n1,2,3,\n1,NA,3,a\n2,4,,b\n,5,6,c\n2,NaN,4,d\n2,7,9,e\n1, ,2,f\n"
    )
    cp = cross_products(path, "score ~ prior + (1 | school)")
    assert (cp.n_rows, cp.n_dropped, cp.n_pupils) == (7, 5, 2)
    assert cp.n.tolist() == [1.0, 1.0]


def test_missing_numbers_in_a_frame_or_parquet_are_dropped_too(tmp_path: Path) -> None:
    frame = pupils().with_columns(
        pl.when(pl.int_range(pl.len()) == 3).then(float("nan")).otherwise("prior").alias("prior"),
        pl.when(pl.int_range(pl.len()) == 4).then(None).otherwise("score").alias("score"),
    )
    assert cross_products(frame, FORMULA).n_dropped == 2
    # The statistics that other software writes into Parquet do not count NaN.
    frame.write_parquet(tmp_path / "pupils.parquet")
    assert cross_products(tmp_path / "pupils.parquet", FORMULA).n_dropped == 2


def test_parts_merged_equal_the_whole_though_they_were_shifted_differently() -> None:
    frame = pupils(90, offset=1e5)
    levels = {"sex": ("F", "M")}
    parts = [
        cross_products(frame[:40], FORMULA, levels=levels),
        cross_products(frame[40:], FORMULA, levels=levels),
    ]
    whole = cross_products(frame, FORMULA)
    merged = parts[0].merge(parts[1])
    assert merged.schools == whole.schools
    assert merged.n_pupils == 90
    np.testing.assert_allclose(in_data_units(merged), in_data_units(whole), rtol=1e-10)


def test_a_level_that_was_not_given_is_refused_and_not_taken_for_the_reference() -> None:
    with pytest.raises(InputError, match='"M" is not among those given'):
        cross_products(pupils(), FORMULA, levels={"sex": ("D", "F")})


@pytest.mark.parametrize("weights", [None, "size"])
def test_districts_send_their_sums_alone(tmp_path: Path, weights: str | None) -> None:
    """Scanned apart, saved, loaded and merged: the sums and the fit of the whole."""
    frame = pupils(400, offset=1e3).with_columns(
        pl.Series("size", np.random.default_rng(2).uniform(0.5, 2, 400)),
        pl.Series("year", [2021 + i % 3 for i in range(400)]),
    )
    formula = "score ~ prior * sex + (1 + prior | school)"
    asked = {"levels": {"sex": ("F", "M")}, "weights": weights, "by": ("year",)}
    for place, rows in enumerate((frame[:150], frame[150:290], frame[290:])):
        cross_products(rows, formula, **asked).save(tmp_path / str(place))
    loaded = [CrossProducts.load(tmp_path / str(place)) for place in range(3)]
    first = cross_products(frame[:150], formula, **asked)
    assert loaded[0].packed.tobytes() == first.packed.tobytes()
    assert loaded[0].provenance == first.provenance
    assert (loaded[0].random, loaded[0].levels, loaded[0].groups) == (
        first.random,
        first.levels,
        first.groups,
    )
    merged = loaded[0].merge(loaded[1]).merge(loaded[2])
    whole = cross_products(frame, formula, **asked)
    assert merged.cells.equals(whole.cells)
    ours, theirs = in_data_units(merged), in_data_units(whole)
    size = np.abs(theirs).max(axis=0)
    np.testing.assert_allclose(ours / size, theirs / size, atol=1e-9)
    assert merged.sum_log_w == pytest.approx(whole.sum_log_w, rel=1e-9)
    ours, theirs = value_added(merged), value_added(whole)
    np.testing.assert_allclose(
        ours.fixed_effects["estimate"], theirs.fixed_effects["estimate"], rtol=1e-6
    )
    assert ours.reml_criterion == pytest.approx(theirs.reml_criterion, rel=1e-9)


@pytest.mark.parametrize("damage", ["no folder", "no JSON", "cut", "other version", "no cells"])
def test_what_was_saved_and_damaged_is_refused(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "sums"
    if damage != "no folder":
        cross_products(pupils(), FORMULA).save(folder)
    about = folder / "about.json"
    if damage == "no JSON":
        about.write_text("[1]")
    elif damage == "cut":
        (folder / "cells.parquet").write_bytes((folder / "cells.parquet").read_bytes()[:100])
    elif damage == "other version":
        about.write_text(about.read_text().replace('"format": 1', '"format": 99'))
    elif damage == "no cells":
        (folder / "cells.parquet").unlink()
    with pytest.raises(InputError, match="sums"):
        CrossProducts.load(folder)


def test_parts_with_other_levels_are_not_merged() -> None:
    frame = pupils()
    other = frame.with_columns(pl.col("sex").replace("F", "D"))
    with pytest.raises(InputError, match="levels of a factor differ"):
        cross_products(frame, FORMULA).merge(cross_products(other, FORMULA))


def test_a_list_of_parquet_files_and_a_glob_read_as_one(tmp_path: Path) -> None:
    frame = pupils()
    frame[:25].write_parquet(tmp_path / "a.parquet")
    frame[25:].write_parquet(tmp_path / "b.parquet")
    listed = cross_products([tmp_path / "a.parquet", tmp_path / "b.parquet"], FORMULA)
    globbed = cross_products(str(tmp_path / "*.parquet"), FORMULA)
    np.testing.assert_array_equal(listed.packed, globbed.packed)
    np.testing.assert_allclose(in_data_units(listed), by_hand(frame), rtol=1e-12, atol=1e-9)
    assert listed.provenance.input_hash == globbed.provenance.input_hash


def test_same_input_gives_the_same_bytes() -> None:
    many = pupils(300_000)  # more than one thread would take at a time
    first, second = cross_products(many, FORMULA), cross_products(many, FORMULA)
    assert first.packed.tobytes() == second.packed.tobytes()
    assert first.provenance == second.provenance
