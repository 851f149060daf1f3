"""`brightspots broker` and `brightspots spread`: their files, and what is said of bad input."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

REQUESTS = """request,school,priority,days,latitude,longitude,language,area
007,S1,early reading,5,-1.50,30.00,en,east
008,S2,early reading,5,-1.52,30.01,sw,east
009,S3,maths,5,-1.50,30.02,en,west
010,S4,early reading,5,-3.50,30.02,en,west
"""
OFFERS = """offer,school,priority,places,latitude,longitude,languages,strength_early_reading,\
gain_early_reading,se_early_reading,projects_early_reading
01,T1,early reading,1,-1.50,30.05,en,4,0.1,0.02,3
02,T2,early reading,2,-1.55,30.00,en;sw,2,,,
"""
ADOPTIONS = """practice,school,source_school,date
Paired reading,A,S,2023-01-01
Paired reading,B,A,2023-05-01
Paired reading,C,B,2025-12-01
"""


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from brightspots_cli.main import run; run()",
         *map(str, arguments)],
        capture_output=True, text=True, check=False, timeout=300,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": "200"},
    )  # fmt: skip


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "requests.csv").write_text(REQUESTS, encoding="utf-8")
    (tmp_path / "offers.csv").write_text(OFFERS, encoding="utf-8")
    (tmp_path / "adoptions.csv").write_text(ADOPTIONS, encoding="utf-8")
    return tmp_path


def read(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, infer_schema_length=0)


def test_broker_writes_the_files_of_the_contract(files: Path) -> None:
    out = files / "deep" / "out"
    done = run("broker", files / "requests.csv", files / "offers.csv", "--out", out,
               "--exploration", 0)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "2 of 4 requests matched; 2 without an offer" in done.stdout
    assert sorted(path.name for path in out.iterdir()) == [
        "matches.csv", "shortlists.csv", "summary.json", "unmatched.csv",
    ]  # fmt: skip
    matches = read(out / "matches.csv")
    assert matches.columns == ["request", "offer", "score", "distance_km", "reasons"]
    assert matches.select("request", "offer").rows() == [("007", "01"), ("008", "02")]
    assert matches["reasons"][0] == (
        "strong in early reading; 5.6 km; same language; 3 projects, gains .06 to .13"
    )
    assert matches["reasons"][1].endswith("same language; no record yet")
    assert read(out / "shortlists.csv").columns == [
        "request", "rank", "offer", "score", "more_than_best", "distance_km", "reasons",
    ]  # fmt: skip
    assert read(out / "unmatched.csv").rows() == [
        ("009", "nobody_offers", "nobody offers maths"),
        ("010", "none_near",
         "no offer of early reading within 25 km; the nearest is 217 km away"),
    ]  # fmt: skip
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert (summary["n_requests"], summary["n_matched"], summary["n_unmatched"]) == (4, 2, 2)
    assert summary["by_area"][1] == {
        "area": "west", "requests": 2, "unmatched": 2, "share": 1.0, "limit": 1, "kept": False,
        "note": "cannot be kept: for 2 of its 2 no offer may be matched",
    }  # fmt: skip
    assert summary["gap"] == 0
    assert summary["settings"]["max_km"] == 25
    assert summary["seed"] == 0


def test_settings_and_conflicts_reach_the_library(files: Path) -> None:
    (files / "conflicts.csv").write_text("request,offer_school,reason\n007,T1,related\n")
    done = run("broker", files / "requests.csv", files / "offers.csv", "--out", files / "out",
               "--max-km", 300, "--seed", 3, "--exploration", 0.5, "--fairness", 1,
               "--same-language", "--conflicts", files / "conflicts.csv",
               "--shortlist", 1)  # fmt: skip
    assert done.returncode == 0, done.stderr
    matches = dict(read(files / "out" / "matches.csv").select("request", "offer").rows())
    assert matches == {"007": "02", "008": "02", "010": "01"}
    summary = json.loads((files / "out" / "summary.json").read_text(encoding="utf-8"))
    assert summary["seed"] == 3
    assert summary["settings"]["exploration"] == 0.5


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("requests.csv", "008,S2,early", "008,S2,\n\n,x", "requests.csv, row"),
        ("requests.csv", "-1.52", "-152", 'requests.csv, row 3, column "latitude": "-152" is not'),
        ("requests.csv", "008,", "007,", "the request 007 is already in row 2. Give each request"),
        (
            "offers.csv",
            ",1,-1.50",
            ",one,-1.50",
            'offers.csv, row 2, column "places": "one" is not',
        ),
        ("offers.csv", "priority", "what", 'offers.csv, column "priority": the column priority is'),
    ],
)
def test_bad_input_ends_with_one_line_and_code_2(
    files: Path, name: str, old: str, new: str, message: str
) -> None:
    path = files / name
    path.write_text(path.read_text().replace(old, new))
    done = run("broker", files / "requests.csv", files / "offers.csv", "--out", files / "out")
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (files / "out").exists()


def test_help_names_every_column_and_file() -> None:
    said = run("broker", "--help").stdout
    for word in ("priority", "se_early_reading", "shortlists.csv", "--max-km", "--conflicts"):
        assert word in said


def test_spread_writes_its_files(files: Path) -> None:
    out = files / "spread"
    done = run("spread", files / "adoptions.csv", "--out", out, "--as-of", "2026-01-01")
    assert done.returncode == 0, done.stderr
    assert "1 lineage, 3 adoptions" in done.stdout
    assert "passed it on to 0.50 schools within 365 days" in done.stdout
    practice = read(out / "practices.csv").row(0, named=True)
    assert practice["generations"] == "3"
    assert practice["too_recent"] == "1"
    assert read(out / "ends.csv")["school"].to_list() == ["C"]
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert summary["overall"]["adopters"] == 2
    bad = files / "adoptions.csv"
    bad.write_text(ADOPTIONS.replace("2023-05-01", "2022-05-01"))
    done = run("spread", bad, "--out", out, "--as-of", "2026-01-01")
    assert done.returncode == 2
    assert (
        'adoptions.csv, row 3, column "date": B took it up on 2022-05-01, before A' in done.stderr
    )
    assert run("spread", bad, "--out", out, "--as-of", "soon").returncode == 2
