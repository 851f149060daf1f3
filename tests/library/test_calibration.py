"""Calibration: coverage and false discovery rates where the truth is known; the stored page."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from brightspots.core.errors import InputError
from brightspots.pace import calibration
from brightspots.pace.calibration import CalibrationParameters, calibrate, figures, scores_of
from brightspots.pace.calibration_scores import ratio, score_systems, thirds
from brightspots.pace.calibration_systems import SETTINGS, Setting, make_system
from brightspots.pace.calibration_table import BEGIN, END, put_tables, tables, write_results
from brightspots_cli.calibrate import KEPT, command

STORED = Path(__file__).resolve().parents[2] / "docs" / "methods"
BY_NAME = {each.name: each for each in SETTINGS}
app = typer.Typer()
app.command()(command)


def small(name: str, **changes: float) -> Setting:
    """Make a setting of the table small enough for a test."""
    each = BY_NAME[name]
    return replace(each, twin=replace(each.twin, n_schools=60, cohort_median=15.0, **changes))  # type: ignore[arg-type]  # counts and spreads are numbers


def test_on_200_small_systems_intervals_cover_and_false_flags_are_as_stated() -> None:
    setting = replace(small("base"), rivals=False)
    found = figures(scores_of(setting, 200, 7, workers=2))
    for kind in ("persistent", "yearly"):
        for part, (covered, _, _) in found["coverage"][kind].items():
            assert 0.93 <= covered <= 0.97, (kind, part)
    bright, visit = found["rules"]["bright"], found["rules"]["visit"]
    assert bright["flagged_a_system"] > 2  # or the rate would rest on nothing
    assert bright["stated"][0] <= 0.10
    # Variances from 60 schools are rough, and are taken as known: allow what their error brings.
    assert bright["false"][1] <= bright["stated"][0] + 0.02
    assert bright["false"][0] == pytest.approx(bright["stated"][0], abs=0.04)
    assert visit["false"][0] == pytest.approx(visit["stated"][0], abs=0.04)
    assert found["needs"]["expected_over_actual"][0] == pytest.approx(1, abs=0.05)


def test_one_year_is_never_a_bright_spot_and_is_wrong_about_what_lasts() -> None:
    found = figures(scores_of(small("years-1"), 40, 7, workers=1))
    assert found["rules"]["bright"]["flagged_a_system"] == 0
    assert found["rules"]["bright"]["false"] is None
    assert "persistent" not in found["coverage"]
    assert found["coverage"]["yearly"]["all"][0] > 0.93
    visit = found["rules"]["visit"]
    assert visit["false"][1] > visit["stated"][0]  # why one year is not enough


def test_the_rules_in_use_are_wrong_more_often() -> None:
    found = figures(scores_of(small("base"), 20, 7, workers=1))
    rules = found["rules"]
    assert rules["top-tenth"]["flagged_a_system"] == pytest.approx(6)  # a tenth of 60
    assert rules["interval"]["false"][0] > 2 * rules["bright"]["false"][0]
    assert rules["top-tenth"]["false"][0] > 2 * rules["bright"]["false"][0]
    assert rules["pooled"]["false"][0] > rules["bright"]["false"][0]
    assert "stated" not in rules["interval"]


def test_systems_scanned_together_know_nothing_of_each_other() -> None:
    setting = small("base")
    systems = [make_system(setting, 3, i) for i in range(3)]
    together = score_systems(setting, systems)
    for system, score in zip(systems, together, strict=True):
        (alone,) = score_systems(setting, [system])
        assert alone == pytest.approx(score, abs=1e-6)


def test_a_system_is_the_same_whatever_else_is_drawn_and_its_truth_is_what_was_put_in() -> None:
    setting = small("heavy")
    first, again, other = (make_system(setting, 3, i) for i in (1, 1, 2))
    assert first.pupils.equals(again.pupils)
    assert not first.pupils.equals(other.pupils)
    assert make_system(setting, 4, 1).persistent.tolist() != first.persistent.tolist()
    # Pupils' means, net of background, follow the truth of their school and year.
    many = replace(setting, twin=replace(setting.twin, cohort_median=400.0))
    system = make_system(many, 3, 1)
    frame = system.pupils.drop_nulls()
    x = np.column_stack(
        [np.ones(frame.height), frame["prior"], frame["poverty"], (frame["sex"] == "F").to_numpy()]
    )
    beta, *_ = np.linalg.lstsq(x, frame["reading"].to_numpy(), rcond=None)
    rest = frame.with_columns(rest=frame["reading"].to_numpy() - x @ beta)
    means = rest.group_by("school", "year").agg(pl.col("rest").mean()).sort("school", "year")
    table = means["rest"].to_numpy().reshape(60, 3)
    got = np.corrcoef((table - table.mean(axis=0)).ravel(), system.yearly.ravel())[0, 1]
    assert got > 0.9


def test_thirds_and_ratios_by_hand() -> None:
    assert [m.tolist() for m in thirds(np.array([30.0, 10, 20]))] == [
        [False, True, False], [False, False, True], [True, False, False],
    ]  # fmt: skip
    scores = [{"a": 1.0, "b": 10.0}, {"a": 3.0, "b": 10.0}]
    value, low, high = ratio(scores, "a", "b") or (0.0, 0.0, 0.0)
    # r = 4 / 20; deviations -1 and 1, times 2 / 1; divided by 20.
    assert value == pytest.approx(0.2)
    assert high - low == pytest.approx(2 * 1.959964 * math.sqrt(2 * 2) / 20, rel=1e-6)
    assert ratio([{"a": 0.0, "b": 0.0}], "a", "b") is None


def test_neither_processes_nor_a_stop_in_between_change_the_figures(tmp_path: Path) -> None:
    parameters = CalibrationParameters(systems=12, settings=("years-1",), workers=1)
    whole = calibrate(parameters, 5)
    kept = tmp_path / "kept.jsonl"
    done: list[float] = []

    def stop(share: float, stage: str) -> None:
        done.append(share)
        if len(done) > 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        calibrate(parameters, 5, kept=kept, progress=stop)
    before = len(kept.read_text().splitlines())
    assert before == 10  # a whole batch
    with kept.open("a") as file:
        file.write('{"torn line')
    two = replace(parameters, workers=2)
    assert calibrate(two, 5, kept=kept) == whole
    kept_lines = kept.read_text().splitlines()
    other = replace(parameters, systems=2)
    assert calibrate(other, 6, kept=kept) == calibrate(other, 6)  # seed 5 is passed over
    assert len(kept.read_text().splitlines()) == len(kept_lines) + 2


@pytest.mark.parametrize(
    "changes", [{"systems": 1}, {"settings": ("none",)}, {"settings": ()}, {"workers": 0}]
)
def test_settings_that_cannot_be_are_refused(changes: dict[str, int]) -> None:
    with pytest.raises(InputError):
        CalibrationParameters(**changes)  # type: ignore[arg-type]  # one case sets a tuple


def test_the_command_writes_a_page_and_leaves_the_words_around_its_tables(tmp_path: Path) -> None:
    arguments = ["--systems", "2", "--settings", "schools-100", "--workers", "1", "--seed", "2"]
    for _ in range(2):
        result = CliRunner().invoke(
            app, [*arguments, "--out", str(tmp_path)], catch_exceptions=False
        )
        assert result.exit_code == 0, result.output
        page = (tmp_path / "calibration.md").read_text()
        assert "100 schools, 3 years" in page
        assert not (tmp_path / KEPT).exists()
        (tmp_path / "calibration.md").write_text(f"Words.\n{page}\nMore words.")
    assert page.startswith("Words.\n# Calibration")
    assert "95 % intervals hold" in result.output
    results = json.loads((tmp_path / "calibration.json").read_text())
    assert results["seed"] == 2
    assert results["versions"] == calibration.versions()


def test_a_page_that_lost_its_marks_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "calibration.md").write_text("Words.")
    results = json.loads((STORED / "calibration.json").read_text())
    with pytest.raises(InputError, match="marks"):
        write_results(results, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["calibration.md"]
    with pytest.raises(InputError, match="marks"):
        put_tables(f"{END}\n{BEGIN}", results, "page")


def test_the_stored_figures_are_of_the_methods_as_they_are_now() -> None:
    """If this fails, a method has changed: brightspots calibrate --out docs/methods."""
    results = json.loads((STORED / "calibration.json").read_text())
    assert results["versions"] == calibration.versions()
    assert results["systems"] >= 200
    assert [each["name"] for each in results["settings"]] == [each.name for each in SETTINGS]
    page = (STORED / "calibration.md").read_text()
    assert page == put_tables(page, results, "calibration.md")
    assert tables(results) in page


@pytest.mark.parametrize("name", ["base", "schools-100", "schools-1000", "years-5", "strong"])
def test_the_stored_figures_keep_the_promises(name: str) -> None:
    """Where pupils follow the model; where they do not, the page says what happens."""
    results = json.loads((STORED / "calibration.json").read_text())
    each = next(each for each in results["settings"] if each["name"] == name)
    for kind in ("persistent", "yearly"):
        for covered, _, _ in each["coverage"][kind].values():
            assert 0.93 <= covered <= 0.97
    false, lower, _ = each["rules"]["bright"]["false"]
    assert lower <= 0.10
    assert false <= 0.11
