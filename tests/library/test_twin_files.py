"""The twin's files: what a ministry would have, always the same bytes, the truth apart."""

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from brightspots.core.nonvalues import NON_VALUES
from brightspots.insight.value_added import value_added_of
from brightspots.pace.twin import TwinParameters, files, simulate, write_twin

SMALL = TwinParameters(n_schools=40, n_years=3, n_remote=1, n_planted=2)
DATA = {
    "README.txt",
    "boundaries.geojson",
    "leaders.csv",
    "pupils.parquet",
    "results_by_school.csv",
    "schools.csv",
}


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("twin")
    simulate(SMALL, seed=7).write(out)
    return out


def test_all_files_are_there_and_the_truth_lies_in_its_own_folder(folder: Path) -> None:
    found = contents(folder)
    assert {name for name in found if "/" not in name} == DATA
    assert {name for name in found if name.startswith("truth/")} == {
        "truth/area_effects.csv",
        "truth/leader_effects.csv",
        "truth/parameters.csv",
        "truth/poverty.csv",
        "truth/school_effects.csv",
        "truth/school_year_effects.csv",
    }


def test_the_readme_says_that_the_data_are_invented_and_gives_the_seed(folder: Path) -> None:
    text = (folder / "README.txt").read_text(encoding="utf-8")
    assert text.startswith("INVENTED DATA")
    assert "Seed: 7" in text


def test_the_same_seed_writes_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    simulate(SMALL, seed=7).write(tmp_path)
    assert contents(tmp_path) == contents(folder)


def test_writing_block_by_block_gives_the_bytes_of_writing_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_ROWS_A_GROUP", 1000)  # many row groups across the blocks
    parameters = TwinParameters(n_schools=700, n_years=1, cohort_median=10, n_remote=0)
    simulate(parameters, seed=1).write(tmp_path / "at_once")
    write_twin(parameters, 1, tmp_path / "by_block")
    assert contents(tmp_path / "at_once") == contents(tmp_path / "by_block")


def test_no_file_but_the_truth_holds_the_truth(folder: Path) -> None:
    frames = [
        pl.read_csv(folder / name, infer_schema=False)
        for name in sorted(DATA)
        if name.endswith(".csv")
    ]
    frames.append(pl.read_parquet(folder / "pupils.parquet"))
    for frame in frames:
        assert not {"effect", "effect_with_area", "planted", "share"} & set(frame.columns)
    text = "".join(frame.write_csv() for frame in frames)
    text += (folder / "boundaries.geojson").read_text(encoding="utf-8")
    for name in ("school_effects", "school_year_effects", "area_effects", "leader_effects"):
        values = pl.read_csv(folder / "truth" / f"{name}.csv", infer_schema=False)["effect"]
        assert values.len() > 0
        assert not any(value in text for value in values)


def test_codes_where_a_figure_is_missing_are_those_that_the_import_knows(folder: Path) -> None:
    results = pl.read_csv(folder / "results_by_school.csv", infer_schema=False)
    codes = set(results["mean"].str.extract(r"^([A-Z]+)$").drop_nulls())
    assert "NEW" in codes
    assert codes <= set(NON_VALUES)


def test_the_register_names_each_area_of_the_boundaries_in_a_column_of_its_own(
    folder: Path,
) -> None:
    schools = pl.read_csv(folder / "schools.csv", infer_schema=False)
    features = json.loads((folder / "boundaries.geojson").read_text(encoding="utf-8"))["features"]
    names = {
        level: {
            each["properties"]["name"] for each in features if each["properties"]["level"] == level
        }
        for level in (1, 2)
    }
    assert set(schools["county"]) <= names[1]
    assert set(schools["sub_county"]) <= names[2]
    assert schools["code"].str.starts_with("0").all()


def test_value_added_of_the_pupil_file_finds_the_spread_that_was_put_in(tmp_path: Path) -> None:
    """One year: schools differ by persistent, yearly and area effects together.

    Variance .15^2 + .10^2 + .06^2 = .0361, in points .0361 x 100^2 = 361. With n = 800 schools
    the standard error is 361 sqrt(2 / n) / reliability, the reliability about .8 at 60 pupils
    (.0361 / (.0361 + .5625 / 60)); four of them are 90.
    """
    parameters = TwinParameters(
        n_schools=800,
        n_years=1,
        sub_counties=(20, 20),
        cohort_median=60,
        cohort_spread=0.0,
        tiny_share=0.0,
        n_remote=0,
        n_planted=0,
    )
    write_twin(parameters, 9, tmp_path)
    found = value_added_of(
        tmp_path / "pupils.parquet", "reading ~ prior + poverty + sex + (1 | school)"
    )
    variance = dict(found.variance_components.select("group", "variance").iter_rows())
    assert variance["school"] == pytest.approx(361, abs=90)
    assert variance["Residual"] == pytest.approx(0.75**2 * 100**2, rel=0.04)


def test_the_command_writes_what_the_library_writes(tmp_path: Path) -> None:
    out = tmp_path / "by_command"
    command = [sys.executable, "-m", "brightspots_cli.main", "twin", "--schools", "40"]
    options = ["--years", "2", "--seed", "3", "--out", str(out)]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    parameters = TwinParameters(n_schools=40, n_years=2, n_remote=2, n_planted=2)
    write_twin(parameters, 3, tmp_path / "by_library")
    assert contents(out) == contents(tmp_path / "by_library")


def test_a_size_that_cannot_be_ends_with_one_line_and_code_2(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "brightspots_cli.main", "twin", "--schools", "3"]
    done = subprocess.run(
        [*command, "--out", str(tmp_path / "out")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "n_schools" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()
