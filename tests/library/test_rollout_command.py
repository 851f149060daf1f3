"""`brightspots pace`: its files, choosing again, changes by hand, what happened, interruption."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from brightspots.core.errors import InputError
from brightspots_cli import pace
from tests.library.rollout_worlds import some_areas

OPTIONS = ("--support-days", 90, "--terms", 7, "--speeds", "2,4", "--draws", 30, "--points", 4)


def run(*arguments: object) -> tuple[int, str, str]:
    """Run the command here: code, what it says, errors."""
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(pace.command)
    done = CliRunner().invoke(app, [str(each) for each in arguments])
    if isinstance(done.exception, InputError):
        return 2, done.stdout, str(done.exception)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pace")
    some_areas(6).write_csv(folder / "areas.csv")
    code, said, errors = run(folder / "areas.csv", "--out", folder / "out", *OPTIONS)
    assert code == 0, errors
    (folder / "said.txt").write_text(said, encoding="utf-8")
    return folder


@pytest.fixture
def again(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "again"))


def read(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, schema_overrides={"area": pl.String})


def summary(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "out/summary.json").read_text(encoding="utf-8"))
    return found


def test_it_writes_the_files_of_the_contract(made: Path) -> None:
    out = made / "out"
    assert sorted(path.name for path in out.iterdir()) == [
        "assumptions.csv", "curve.svg", "measures.csv", "plans.csv", "schedules.csv",
        "sensitivity.csv", "summary.json", "waves.csv",
    ]  # fmt: skip
    plans = read(out / "plans.csv")
    about = summary(made)
    assert plans.filter("on_curve")["plan"].to_list() == about["curve"]
    assert {"all-at-once-2", "one-per-term-4", "by-readiness-2"} <= {*plans["plan"]}
    waves = read(out / "waves.csv")
    assert waves.columns[:6] == ["area", "name", "region", "schools", "start", "speed"]
    assert sorted(waves["area"]) == [f"D00{i}" for i in range(6)]
    schedule = read(out / "schedules.csv").filter(plan=about["chosen"])
    assert (
        waves.select("area", "start").sort("area").rows() == schedule.select("area", "start").rows()
    )
    assert {*read(out / "assumptions.csv")["source"]} > {"assumed"}
    measures = read(out / "measures.csv")
    spread = measures.select("low95", "low80", "median", "high80", "high95").rows()
    assert all(list(row) == sorted(row) for row in spread)
    assert about["seed"] == 0
    assert about["method"] == "rollout plans"
    assert about["settings"]["speeds"] == [2, 4]
    assert len(about["input_hash"]) == 64


def test_it_says_what_was_searched_and_that_it_is_no_forecast(made: Path) -> None:
    said = (made / "said.txt").read_text(encoding="utf-8")
    assert "plans on the curve" in said
    assert "plans were looked at whole" in said
    assert "<- chosen" in said
    assert "Nothing here is a forecast" in pace.HELP


def test_the_curve_is_a_picture_with_words(made: Path) -> None:
    picture = ElementTree.parse(made / "out/curve.svg").getroot()  # noqa: S314 - our own file
    texts = "".join(picture.itertext())
    assert "school-terms abandoned (too fast)" in texts
    assert f"Chosen: {summary(made)['chosen']}" in texts
    circles = picture.findall(".//{http://www.w3.org/2000/svg}circle")
    assert len(circles) == read(made / "out/plans.csv").height


def test_the_same_command_gives_the_same_bytes(made: Path, tmp_path: Path) -> None:
    code, _, errors = run(made / "areas.csv", "--out", tmp_path / "b", *OPTIONS)
    assert code == 0, errors
    for path in sorted((made / "out").iterdir()):
        if path.name == "summary.json":
            first, second = (
                {k: v for k, v in json.loads(each.read_text()).items() if k != "seconds"}
                for each in (path, tmp_path / "b" / path.name)
            )
            assert first == second
        else:
            assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


def test_another_plan_is_chosen_without_a_new_search(again: Path) -> None:
    plans = (again / "out/plans.csv").read_bytes()
    code, _, errors = run(
        again / "areas.csv", "--out", again / "out", *OPTIONS, "--plan", "all-at-once-2"
    )
    assert code == 0, errors
    assert "nothing is searched again" in errors
    assert {*read(again / "out/waves.csv")["start"]} == {1}
    assert (again / "out/plans.csv").read_bytes() == plans
    assert summary(again)["chosen"] == "all-at-once-2"
    assert summary(again)["search"]["looked_at"] > 10
    other = ("--seed", 1, "--plan", "all-at-once-2")
    code, _, errors = run(again / "areas.csv", "--out", again / "out", *OPTIONS, *other)
    assert code == 0
    assert "nothing is searched again" not in errors


def test_changes_by_hand_and_what_happened_are_written(again: Path) -> None:
    (again / "change.csv").write_text("area,start\nD001,4\n", encoding="utf-8")
    (again / "seen.csv").write_text(
        "area,term,started,leaders,abandoned,held_back,answers\n"
        "D000,1,no,5,0.1,0.3,20\nD001,1,1,3,0.2,0.1,30\n",
        encoding="utf-8",
    )
    code, said, errors = run(
        again / "areas.csv", "--out", again / "out", *OPTIONS, "--plan", "all-at-once-2",
        "--change", again / "change.csv", "--observed", again / "seen.csv",
    )  # fmt: skip
    assert code == 0, errors
    assert "With the changes by hand" in said
    assert "draws are left, in effect" in said
    difference = read(again / "out/changes.csv")
    assert {"measure", "part", "median", "low80", "high95", "lower"} <= {*difference.columns}
    assert summary(again)["changed_areas"] == [
        {"area": "D001", "start_before": 1, "start_after": 4, "speed_before": 2, "speed_after": 2}
    ]
    assert 0 < summary(again)["learned"]["effective"] <= 2000
    assert read(again / "out/compared.csv").height == 3
    updated = again / "out/assumptions_updated.csv"
    code, _, errors = run(
        again / "areas.csv", "--out", again / "next", *OPTIONS, "--assumptions", updated
    )
    assert code == 0, errors
    assert "updated by what was seen" in (again / "next/assumptions.csv").read_text()


def test_what_is_fixed_stays(again: Path) -> None:
    (again / "fix.csv").write_text("area,start,speed\nD002,3,2\n", encoding="utf-8")
    code, _, errors = run(
        again / "areas.csv", "--out", again / "fixed", *OPTIONS, "--fix", again / "fix.csv"
    )
    assert code == 0, errors
    rows = read(again / "fixed/schedules.csv").filter(area="D002")
    assert {*rows.select("start", "speed").rows()} == {(3, 2)}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--support-days", -1), "the days of support a term are -1.0; they cannot be below 0."),
        (("--support-days", 9, "--speeds", "quick"), '"quick" is not a list of numbers of terms.'),
        (("--support-days", 9, "--speeds", "40"), "a speed of 40 terms of support does not fit"),
        (("--support-days", 9, "--terms", 0), "terms is 0"),
        (("--support-days", 9, "--draws", 1), "draws is 1"),
        ((*OPTIONS, "--plan", "best"), 'there is no plan "best". There are: '),
        ((*OPTIONS, "--fix", "bad.csv"), "bad.csv, row 2: there is no area X. Give a code"),
        ((*OPTIONS, "--assumptions", "bad.csv"), "bad.csv, column \"name\": the column name is"),
        ((*OPTIONS, "--observed", "bad.csv"), "bad.csv, column \"term\": the column term is"),
        ((*OPTIONS, "--change", "none.csv"), "none.csv"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_and_leaves_what_was_there(
    again: Path, options: tuple[object, ...], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (again / "bad.csv").write_text("area,start\nX,1\n", encoding="utf-8")
    monkeypatch.chdir(again)
    before = {path.name: path.read_bytes() for path in (again / "out").iterdir()}
    code, _, errors = run(again / "areas.csv", "--out", again / "out", *options)
    assert code == 2
    assert message in errors
    assert {path.name: path.read_bytes() for path in (again / "out").iterdir()} == before


def test_a_fault_in_the_areas_ends_with_one_line_and_code_2(tmp_path: Path) -> None:
    (tmp_path / "areas.csv").write_text(
        "area,schools,leaders,readiness\nA,10,1,0.5\nA,x,1,0.5\n", encoding="utf-8"
    )
    done = subprocess.run(
        [sys.executable, "-c", "from brightspots_cli.main import run; run()", "pace",
         str(tmp_path / "areas.csv"), "--out", str(tmp_path / "out"), "--support-days", "10"],
        capture_output=True, text=True, check=False, timeout=300,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": "200"},
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.strip().splitlines() == [
        'brightspots: areas.csv, row 3, column "area": the area A is already in row 2. Give each'
        ' area one row. Also wrong: row 3, column "schools".'
    ]
    assert not (tmp_path / "out").exists()


def test_an_area_that_can_never_begin_names_the_file(tmp_path: Path) -> None:
    some_areas(3).with_columns(earliest=pl.lit(9)).write_csv(tmp_path / "late.csv")
    code, _, errors = run(tmp_path / "late.csv", "--out", tmp_path / "out", *OPTIONS)
    assert code == 2
    assert errors.startswith('late.csv, column "earliest": the area D000 may begin in term 9')


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_ctrl_c_writes_the_best_plans_so_far_and_the_same_command_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    """Before the search, in it, and when the plans found are measured."""
    pressed: list[float] = []

    @contextmanager
    def bar() -> Iterator[Callable[[float, str], None]]:
        def show(done: float, _stage: str) -> None:
            if done >= share and not pressed:
                pressed.append(done)
                os.kill(os.getpid(), signal.SIGINT)

        yield show

    monkeypatch.setattr("brightspots_cli.progress.progress_bar", bar)
    before = signal.getsignal(signal.SIGINT)
    some_areas(9).write_csv(tmp_path / "areas.csv")
    arguments = (tmp_path / "areas.csv", "--out", tmp_path / "out", *OPTIONS)
    code, said, errors = run(*arguments)
    assert code == 0, errors
    assert pressed
    assert "the best plans so far are kept" in errors
    stopped = share < 0.7
    assert summary(tmp_path)["search"]["stopped_early"] == stopped
    assert ("goes on from these plans" in said) == stopped
    assert read(tmp_path / "out/waves.csv").height == 9
    assert signal.getsignal(signal.SIGINT) is before
    code, said, errors = run(*arguments)
    assert code == 0
    assert ("Going on from the plans found before" in errors) == stopped
    assert not summary(tmp_path)["search"]["stopped_early"]
