"""`brightspots evaluate` and `brightspots power`: their files, and what is said of bad input."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from brightspots.core.errors import InputError
from brightspots_cli import evaluate as evaluate_command
from brightspots_cli import power as power_command
from tests.library.evidence_panels import staggered

CONTRACT = ("--unit", "school", "--time", "year", "--first-treated", "first", "--outcome", "score")


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from brightspots_cli.main import run; run()",
         *map(str, arguments)],
        capture_output=True, text=True, check=False, timeout=300,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": "200"},
    )  # fmt: skip


def evaluate(panel: Path, out: Path, *more: object) -> subprocess.CompletedProcess[str]:
    return run("evaluate", panel, *CONTRACT, "--out", out, *more)


def inside(module: Any, *arguments: object) -> Any:
    """Run a command in this process: the start of a new one takes a second."""
    app = typer.Typer()
    app.command()(module.command)
    return CliRunner().invoke(app, [*map(str, arguments)])


@pytest.fixture
def panel(tmp_path: Path) -> Path:
    path = tmp_path / "panel.csv"
    staggered(31, n=90, per_cluster=3).write_csv(path)
    return path


def test_evaluate_writes_the_files_of_the_contract(panel: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    options = ("--covariates", "x", "--cluster", "partnership", "--weights", "pupils",
               "--control", "notyet", "--pupil-sd", 1, "--seed", 4)  # fmt: skip
    done = evaluate(panel, out, *options)
    assert done.returncode == 0, done.stderr
    assert "Months of progress" in done.stdout
    assert "Security of the evidence: 3 of 5" in done.stdout
    assert sorted(path.name for path in out.iterdir()) == [
        "aggregates.json", "att_gt.csv", "att_gt_details.csv", "balance.csv", "event_times.csv",
        "imputation.csv", "lagged_outcome.csv", "left_out.csv", "paths.csv", "pretrends.csv",
    ]  # fmt: skip
    cells = pl.read_csv(out / "att_gt.csv")
    assert cells.columns == ["group", "time", "att", "se", "lower", "upper"]
    assert (cells["lower"] < cells["att"]).all()
    found = json.loads((out / "aggregates.json").read_text())
    for each in (
        found["simple"], found["dynamic"]["overall"], found["group"]["overall"],
        found["calendar"]["overall"], found["imputation"]["overall"],
        found["dynamic"]["event_times"][0],
    ):  # fmt: skip
        assert each["lower"] < each["att"] < each["upper"]
        assert each["se"] > 0
    assert found["security"]["rating"] == 3
    assert found["effect_size"]["months"] is not None
    assert found["settings"]["control"] == "notyet"
    assert found["seed"] == 4
    assert len(found["input_hash"]) == 64
    again = tmp_path / "again"
    done_again = inside(evaluate_command, panel, *CONTRACT, "--out", again, *options)
    assert done_again.exit_code == 0
    for path in out.iterdir():
        assert path.read_bytes() == (again / path.name).read_bytes()


def test_nobody_untreated_gives_no_estimate_and_security_0(panel: Path, tmp_path: Path) -> None:
    frame = pl.read_csv(panel).with_columns(first=pl.lit(4))
    frame.write_csv(panel)
    out = tmp_path / "out"
    done = inside(evaluate_command, panel, *CONTRACT, "--out", out, "--pupil-sd", 1)
    assert done.exit_code == 0, done.output
    assert "No estimate." in done.stdout
    assert "Security of the evidence: 0 of 5" in done.stdout
    assert "Months" not in done.stdout
    found = json.loads((out / "aggregates.json").read_text())
    assert found["simple"]["att"] is None
    assert found["effect_size"] is None
    assert (out / "att_gt.csv").read_text() == "group,time,att,se,lower,upper\n"
    assert pl.read_csv(out / "paths.csv").height == 6


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--outcome", "skore"), 'column "skore": There is no such column. Did you mean "score"?'),
        (("--control", "all"), 'The control is "all"'),
        (("--covariates", "x,y"), 'column "y"'),
        (("--anticipation", "-1"), "anticipation"),
    ],
)
def test_bad_options_are_refused_before_anything_is_written(
    panel: Path, tmp_path: Path, more: tuple[str, ...], message: str
) -> None:
    done = inside(evaluate_command, panel, *CONTRACT, "--out", tmp_path / "out", *more)
    assert isinstance(done.exception, InputError)
    assert message in str(done.exception)
    assert not (tmp_path / "out").exists()


def test_bad_input_ends_with_one_line_and_the_row_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "panel.csv"
    lines = staggered(31, n=10, T=4).write_csv().splitlines()
    lines[6] = lines[6].replace(lines[6].split(",")[3], "good")
    path.write_text("\n".join(["Results of the district,,,,,,", "", *lines]) + "\n")
    done = evaluate(path, tmp_path / "out")
    assert done.returncode == 2
    assert 'panel.csv, row 9, column "score": "good" is not a number' in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02", b"school\n", b"a,b\n1,2,3\n"])
def test_files_that_are_none_are_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "panel.csv"
    path.write_bytes(content)
    done = inside(evaluate_command, path, *CONTRACT, "--out", tmp_path / "out")
    assert isinstance(done.exception, InputError)
    assert "panel.csv" in str(done.exception)


def test_power_says_what_forty_schools_can_show() -> None:
    done = run("power", "--schools", 40, "--effect", 0.2)
    assert done.returncode == 0, done.stderr
    assert "40 schools (50% supported) can detect an effect of 0.384 SD of pupils" in done.stdout
    assert "A true effect of 0.2 SD would be found with a chance of" in done.stdout
    told = inside(power_command, "--schools", 40, "--pre-periods", 3, "--json")
    found = json.loads(told.output)
    assert found["unit"] == "SD of pupils"
    assert found["detectable"] < 0.384
    refused = inside(power_command, "--schools", 2)
    assert isinstance(refused.exception, InputError)
    assert "too few" in str(refused.exception)


def test_where_an_estimate_cannot_be_trusted_none_is_given(panel: Path, tmp_path: Path) -> None:
    frame = pl.read_csv(panel)
    some = frame.filter(pl.col("first") > 0)["partnership"][0]
    alone = pl.when(pl.col("partnership") == some).then(pl.lit(4)).otherwise(pl.lit(0))
    frame.with_columns(first=alone).write_csv(panel)
    out = tmp_path / "out"
    done = inside(
        evaluate_command, panel, *CONTRACT, "--cluster", "partnership", "--pupil-sd", 1,
        "--out", out,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "No estimate. There is one treated cluster alone" in done.output
    assert "Adjusted" not in done.output
    assert "Months" not in done.output
    for name in ("att_gt", "att_gt_details", "pretrends", "lagged_outcome", "event_times",
                 "imputation"):  # fmt: skip
        table = pl.read_csv(out / f"{name}.csv", infer_schema_length=None)
        assert table.height
        for column in {"att", "se", "lower", "upper"} & set(table.columns):
            assert table[column].null_count() == table.height, name
    assert pl.read_csv(out / "paths.csv")["mean"].null_count() == 0
    kept = json.loads((out / "aggregates.json").read_text())
    assert kept["simple"]["att"] is None
    assert "one treated cluster" in kept["simple"]["why"]
    assert {each["att"] for each in kept["dynamic"]["event_times"]} == {None}
    assert (kept["bracket"], kept["imputation"], kept["pretrends"]) == (None, None, None)
    assert kept["security"]["rating"] == 0
