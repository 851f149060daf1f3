"""`brightspots partnerships`: the files it writes and what it says about bad input."""

from __future__ import annotations

import csv
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

HEADER = "school,latitude,longitude"
ROWS = [f"00{i},-3.0{i},36.0" for i in range(1, 7)]


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from brightspots_cli.main import run; run()", "partnerships",
         *map(str, arguments)],
        capture_output=True, text=True, check=False, timeout=300,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": "200"} | environment,
    )  # fmt: skip


def write(path: Path, rows: list[str], header: str = HEADER) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_both_files_follow_the_contract(tmp_path: Path) -> None:
    schools = write(tmp_path / "schools.csv", [*ROWS, "007,,", "008,10,36"])
    done = run(schools, "--min", 4, "--max", 8, "--max-km", 25, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    with (tmp_path / "out" / "partnerships.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["school", "partnership", "leader_school", "distance_km"]
    assert [row["school"] for row in rows] == [f"00{i}" for i in range(1, 7)]
    assert {row["partnership"] for row in rows} == {"P0001"}
    assert float(rows[0]["distance_km"]) == pytest.approx(2.224, abs=1e-3)
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert summary["n_schools"] == 8
    assert summary["n_partnerships"] == 1
    assert summary["isolated"] == [
        {"school": "007", "reason": "no coordinates"},
        {"school": "008", "reason": "no other school within 25 km"},
    ]
    assert summary["objective"] == pytest.approx(sum(summary["objective_parts"].values()))
    assert summary["lower_bound"] == pytest.approx(summary["objective"])
    assert summary["gap"] == pytest.approx(0)
    assert summary["seconds"] > 0
    assert summary["settings"]["maximum"] == 8
    assert summary["seed"] == 0


def test_gzip_parquet_and_a_byte_order_mark_give_the_same_file(tmp_path: Path) -> None:
    text = "\ufeff" + "\n".join([HEADER, *ROWS]) + "\n"
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(text.encode()))
    cells = [row.split(",") for row in ROWS]
    pl.DataFrame(
        {
            "school": [cell[0] for cell in cells],
            "latitude": [float(cell[1]) for cell in cells],
            "longitude": [float(cell[2]) for cell in cells],
        }
    ).write_parquet(tmp_path / "b.parquet")
    written = []
    for name in ("a.csv.gz", "b.parquet"):
        done = run(tmp_path / name, "--out", tmp_path / name[0])
        assert done.returncode == 0, done.stderr
        written.append((tmp_path / name[0] / "partnerships.csv").read_bytes())
    assert written[0] == written[1]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("001,-3,36", 'row 8, column "school"'),
        ("007,-93,36", 'row 8, column "latitude"'),
        ("007,-3,east", 'row 8, column "longitude"'),
        ("007,-3", "row 8"),
    ],
)
def test_bad_row_ends_with_code_2_and_its_place(tmp_path: Path, row: str, words: str) -> None:
    done = run(write(tmp_path / "schools.csv", [*ROWS, row]), "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "schools.csv" in done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("header", "rows", "words"),
    [
        ("school,latitude", ["1,2"], 'column "longitude"'),
        (HEADER, [], "schools.csv"),
        ("", [], "schools.csv"),
    ],
)
def test_file_without_schools_or_columns_ends_with_code_2(
    tmp_path: Path, header: str, rows: list[str], words: str
) -> None:
    done = run(write(tmp_path / "schools.csv", rows, header), "--out", tmp_path / "out")
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("capacity", ["inf", "1e999", "-1", "2.5"])
def test_a_capacity_that_is_no_whole_number_ends_with_code_2(tmp_path: Path, capacity: str) -> None:
    rows = [f"{row},8" for row in ROWS[:-1]] + [f"{ROWS[-1]},{capacity}"]
    schools = write(tmp_path / "schools.csv", rows, HEADER + ",capacity")
    done = run(schools, "--out", tmp_path / "out")
    assert done.returncode == 2, done.stderr
    assert f'row 7, column "capacity": "{capacity}" is not a whole number' in done.stderr
    assert not (tmp_path / "out").exists()


def test_sizes_the_wrong_way_round_end_with_code_2(tmp_path: Path) -> None:
    schools = write(tmp_path / "schools.csv", ROWS)
    done = run(schools, "--min", 8, "--max", 4, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "above the largest size" in done.stderr


def test_file_that_is_not_there_ends_with_code_2(tmp_path: Path) -> None:
    done = run(tmp_path / "none.csv", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "none.csv" in done.stderr


def test_help_documents_every_column() -> None:
    done = run("--help")
    assert done.returncode == 0
    for column in ("school", "latitude", "longitude", "strength", "need", "phase", "language",
                   "leader", "capacity", "its own included"):  # fmt: skip
        assert column in done.stdout


def test_kernels_work_where_no_cache_can_be_written(tmp_path: Path) -> None:
    """Compiled code is kept in the user's cache if there is one, and nowhere else."""
    (tmp_path / "file").write_text("not a folder")
    script = (
        "from brightspots.core import compiled; from brightspots.connectedness import costs;"
        "from pathlib import Path; print(compiled.cache_folder(Path(costs.__file__).parent));"
        "from brightspots.connectedness.costs import distance_km; import numpy as np;"
        "print(distance_km(np.eye(3), 0, 1))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        capture_output=True, text=True, check=False, timeout=300,
        env={key: value for key, value in os.environ.items() if key != "NUMBA_CACHE_DIR"}
        | {"PYTHONPATH": os.pathsep.join(sys.path), "XDG_CACHE_HOME": str(tmp_path / "file")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    folder, distance = done.stdout.split()
    assert folder == "None"
    assert float(distance) == pytest.approx(10007.557, abs=1e-2)
