"""`brightspots partnerships` with its further files: what it writes, prints and refuses."""

from __future__ import annotations

import csv
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from brightspots.connectedness.difference import PARTNERSHIPS, SCHOOLS
from brightspots.connectedness.frontier import FRONTIER
from brightspots_cli import main

KM = 1 / 111.195


def write(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def schools_file(
    path: Path, *places: float, columns: str = "", cells: list[str] | None = None
) -> Path:
    """Schools A, B ... on the equator at these km, with further columns."""
    further = [""] * len(places) if cells is None else cells
    rows = [
        f"{chr(ord('A') + i)},0.0,{30 + place * KM}{',' if columns else ''}{further[i]}"
        for i, place in enumerate(places)
    ]
    return write(path, "school,latitude,longitude" + (f",{columns}" if columns else ""), *rows)


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Any:
    """Run in this process, into tmp_path/out; gives exit code, standard output and error."""

    def run(*arguments: object, out: str = "out") -> tuple[int, str, str]:
        named = ["--out", str(tmp_path / out)] if out else []
        monkeypatch.setattr(
            sys, "argv", ["brightspots", "partnerships", *map(str, arguments), *named]
        )
        with pytest.raises(SystemExit) as ended:
            main.run()
        said = capsys.readouterr()
        code = ended.value.code
        return (code if isinstance(code, int) else 0), said.out, said.err

    return run


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


SMALL = ("--min", 2, "--max", 4, "--max-km", 20)
EXISTING = (
    "school,partnership,leader_school", "B,X,B", "A,X,B", "C,X,B", "E,Y,E", "D,Y,E", "F,Y,E",
)  # fmt: skip


def test_re_forming_writes_what_changes(command: Any, tmp_path: Path) -> None:
    schools = schools_file(
        tmp_path / "s.csv", 0, 1, 2, 10, 11, 12, 12.5, columns="closed,area",
        cells=["0,n", "1,n", "0,n", "0,s", "0,s", "0,s", ",s"],
    )  # fmt: skip
    existing = write(tmp_path / "e.csv", *EXISTING)
    code, said, _ = command(schools, *SMALL, "--existing", existing, "--price-per-move", 3)
    assert code == 0
    changes = {row["school"]: row for row in rows_of(tmp_path / "out" / "differences.csv")}
    assert list(changes["A"]) == [
        "school", "change", "partnership_before", "partnership_after", "leader_before",
        "leader_after", "why",
    ]  # fmt: skip
    assert {code: row["change"] for code, row in changes.items()} == {
        "A": "stays", "B": "closed", "C": "stays", "D": "stays", "E": "stays", "F": "stays",
        "G": "new",
    }  # fmt: skip
    fates = {
        row["partnership_before"]: row
        for row in rows_of(tmp_path / "out" / "partnership_changes.csv")
    }
    assert fates["X"]["why"] == "the leader's school B has closed"
    assert (fates["X"]["leader"], fates["Y"]["come"]) == ("new", "1")
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert summary["difference"]["moved"] == 0
    assert summary["difference"]["price_per_move"] == 3
    assert summary["settings"]["weights"]["disruption"] == 3
    assert summary["n_schools"] == 6
    assert "1 school has closed or merged" in said
    assert (
        "0 schools move (0.0 %) at a price of 3 each; partnerships: 0 as they are, 2 changed"
        in said
    )
    assert "of the lower bound" in said
    assert {row["school"] for row in rows_of(tmp_path / "out" / "partnerships.csv")} == set(
        "ACDEFG"
    )


def test_without_existing_nothing_is_said_of_changes(command: Any, tmp_path: Path) -> None:
    code, said, _ = command(schools_file(tmp_path / "s.csv", 0, 1, 2), *SMALL)
    assert code == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "partnerships.csv", "summary.json",
    ]  # fmt: skip
    assert "move" not in said
    assert "within 0.00 % of the lower bound" in said


def test_pins_that_contradict_are_named_before_anything_is_written(
    command: Any, tmp_path: Path
) -> None:
    schools = schools_file(
        tmp_path / "s.csv", 0, 1, 2, 3, columns="closed", cells=["", "", "", "1"]
    )
    pins = write(
        tmp_path / "pins.csv", "kind,school_a,school_b", "together,A,B", "apart,B,A",
        "leader,D,", "leader,Z,",
    )  # fmt: skip
    code, _, said = command(schools, *SMALL, "--pins", pins)
    assert code == 2
    assert "pins.csv: 3 contradictions" in said
    assert "A and B are to be apart (row 3), but other pins put them together (row 2)" in said
    assert "the school D (row 4) has closed" in said
    assert "the school Z (row 5) is not among the schools" in said
    assert not (tmp_path / "out").exists()


def test_a_pin_that_cannot_be_kept_beside_the_schools_served_is_named(
    command: Any, tmp_path: Path
) -> None:
    # Serving comes first: four schools that are all to be apart cannot be served apart.
    schools = schools_file(tmp_path / "s.csv", 0, 1, 15, 16)
    pins = write(
        tmp_path / "pins.csv", "kind,school_a,school_b", "apart,A,B", "apart,C,D", "apart,A,C",
        "apart,B,D", "apart,A,D", "apart,B,C",
    )  # fmt: skip
    code, said, _ = command(schools, *SMALL, "--pins", pins)
    assert code == 0
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert summary["n_served"] == 4
    assert {pin["kind"] for pin in summary["broken_pins"]} == {"apart"}
    assert said.count("Not kept: apart") == len(summary["broken_pins"])


def test_travel_and_barriers_are_kept_to(command: Any, tmp_path: Path) -> None:
    schools = schools_file(
        tmp_path / "s.csv", 0, 1, 2, 3, columns="area", cells=["n", "n", "s", "s"]
    )
    ways = write(
        tmp_path / "t.csv", "from_school,to_school,minutes", "A,C,10", "B,D,12", "A,B,90", "C,D,4",
    )  # fmt: skip
    code, said, errors = command(schools, *SMALL, "--travel", ways)
    assert code == 0
    assert "4 pairs are listed in one direction only" in errors
    assert "minutes, within" in said
    rows = rows_of(tmp_path / "out" / "partnerships.csv")
    assert list(rows[0])[:4] == ["school", "partnership", "leader_school", "distance_km"]
    together = {frozenset(r["school"] for r in rows if r["partnership"] == p) for p in
                {row["partnership"] for row in rows}}  # fmt: skip
    assert together == {frozenset("AC"), frozenset("BD")}
    assert {float(row["travel"]) for row in rows} == {0, 10, 12}
    river = write(tmp_path / "b.csv", "area_a,area_b", "n,s")
    code, said, _ = command(schools, *SMALL, "--barriers", river, out="again")
    rows = rows_of(tmp_path / "again" / "partnerships.csv")
    leaders = {row["school"]: row["leader_school"] for row in rows}
    assert code == 0
    assert {leaders["A"], leaders["B"]} <= set("AB")
    assert {leaders["C"], leaders["D"]} <= set("CD")


def test_serve_all_leaves_nobody_out_and_says_why(command: Any, tmp_path: Path) -> None:
    schools = schools_file(tmp_path / "s.csv", 0, 1, 2, 200)
    code, said, _ = command(schools, *SMALL, "--serve-all")
    assert code == 0
    assert "4 of 4 schools, 0 isolated" in said
    rows = {row["school"]: row for row in rows_of(tmp_path / "out" / "partnerships.csv")}
    assert rows["D"]["exception"]
    assert rows["A"]["exception"] == ""


@pytest.mark.parametrize(("option", "value"), [("--gap", 0.9), ("--target", 1e9)])
def test_a_search_that_is_good_enough_stops(
    command: Any, tmp_path: Path, option: str, value: float
) -> None:
    schools = write(
        tmp_path / "s.csv", "school,latitude,longitude",
        *(f"{i},{(i * 7919 % 1000) / 5000},{30 + (i * 104729 % 1000) / 5000}" for i in range(300)),
    )  # fmt: skip
    assert command(schools, option, value)[0] == 0
    assert command(schools, out="whole")[0] == 0
    cost = [
        json.loads((tmp_path / name / "summary.json").read_text(encoding="utf-8"))
        for name in ("out", "whole")
    ]
    assert cost[0]["objective"] > cost[1]["objective"]
    assert cost[0]["gap"] <= 0.9
    assert cost[0]["settings"][{"--gap": "gap", "--target": "target_cost"}[option]] == value


def test_only_the_leaders_of_the_list_lead(command: Any, tmp_path: Path) -> None:
    schools = schools_file(tmp_path / "s.csv", 0, 1, 2, 3, 4, 5)
    leaders = write(tmp_path / "l.csv", "leader_school,capacity,maths", "A,3,1", "F,3,0")
    code, _, _ = command(schools, *SMALL, "--leaders", leaders)
    assert code == 0
    rows = rows_of(tmp_path / "out" / "partnerships.csv")
    assert {row["leader_school"] for row in rows} == {"A", "F"}


def test_more_schools_than_room_is_said_before_and_after(command: Any, tmp_path: Path) -> None:
    schools = schools_file(
        tmp_path / "s.csv", 0, 1, 2, 3, 4, columns="area", cells=["n", "n", "n", "n", "n"]
    )
    leaders = write(tmp_path / "l.csv", "leader_school,capacity", "C,3")
    code, said, errors = command(schools, *SMALL, "--leaders", leaders)
    assert code == 0
    assert "1 leaders have room for 3, and 2 schools at least must be left out" in errors
    assert "Left out by area: n 2 of 5." in said
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert summary["capacity"]["short"] == 2
    assert summary["isolated_by_area"] == [{"area": "n", "schools": 5, "left_out": 2}]


@pytest.mark.parametrize(
    ("option", "rows", "words"),
    [
        ("--leaders", ["leader_school,capacity", "A,0"], 'row 2, column "capacity"'),
        ("--leaders", ["leader_school", "Q"], 'row 2, column "leader_school"'),
        ("--existing", ["school,partnership", "A,X", "A,Y"], 'row 3, column "school"'),
        ("--pins", ["kind,school_a,school_b", "near,A,B"], 'row 2, column "kind"'),
        ("--travel", ["from_school,to_school,km", "A,B,-3"], 'row 2, column "km"'),
        ("--barriers", ["area_a,area_b", "n,s"], "no column area"),
    ],
)
def test_a_file_that_cannot_be_used_ends_with_code_2_and_its_place(
    command: Any, tmp_path: Path, option: str, rows: list[str], words: str
) -> None:
    schools = schools_file(tmp_path / "s.csv", 0, 1, 2, 3)
    code, _, said = command(schools, *SMALL, option, write(tmp_path / "bad.csv", *rows))
    assert code == 2
    assert "bad.csv" in said
    assert words in said
    assert not (tmp_path / "out").exists()


def test_rows_are_those_of_the_file_also_when_closed_schools_stand_above(
    command: Any, tmp_path: Path
) -> None:
    schools = write(
        tmp_path / "s.csv", "school,latitude,longitude,closed", "A,0,30,1", "", "B,0,30,",
        "C,95,30,",
    )  # fmt: skip
    code, _, said = command(schools, *SMALL)
    assert code == 2
    assert 's.csv, row 5, column "latitude"' in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--gap", 1.5), "Say 0.01 for one per cent"),
        (("--gap", -0.1), "the gap to stop at"),
        (("--target", -1), "the target cost to stop at"),
        (("--time-limit", "inf"), "the time limit is inf s"),
        (("--time-limit", "nan"), "the time limit is nan s"),
        (("--price-per-move", 2), "Say --existing FILE"),
        (("--frontier", "0,1"), "Say --existing FILE"),
        (("--adopt",), "--adopt: only without a file of schools"),
        (("--home", "x"), "--home: only without a file of schools"),
    ],
)
def test_settings_that_cannot_be_end_with_code_2(
    command: Any, tmp_path: Path, arguments: tuple[object, ...], words: str
) -> None:
    code, _, said = command(schools_file(tmp_path / "s.csv", 0, 1, 2), *SMALL, *arguments)
    assert code == 2
    assert words in said


@pytest.mark.parametrize("prices", [",", "0,-1", "0,inf", "nan", "0;1"])
def test_prices_that_cannot_be_are_named_as_they_were_typed(
    command: Any, tmp_path: Path, prices: str
) -> None:
    schools = schools_file(tmp_path / "s.csv", 0, 1, 2)
    existing = write(tmp_path / "e.csv", "school,partnership", "A,X", "B,X")
    code, _, said = command(schools, *SMALL, "--existing", existing, f"--frontier={prices}")
    assert code == 2
    assert f'"{prices}" is not a list of prices' in said
    assert "s.csv" not in said


@pytest.mark.parametrize(
    ("schools", "existing", "words"),
    [
        ("A,0,30,", "A,X,", 's.csv, row 5, column "merged_into": the school C is merged into Q'),
        ("A,0,30,", "D,X,A", 's.csv, row 5, column "merged_into": the school C is merged into Q'),
        ("C,0,30,", "D,X,Q", 'e.csv, row 2, column "merged_into": the school D is merged into Q'),
    ],
)
def test_a_merger_into_nothing_is_found_in_the_file_that_says_so(
    command: Any, tmp_path: Path, schools: str, existing: str, words: str
) -> None:
    last = "B,0,30," if schools.startswith("C") else "C,0,30,Q"
    file = write(
        tmp_path / "s.csv", "school,latitude,longitude,merged_into", schools, "", "E,0,30,", last
    )
    present = write(tmp_path / "e.csv", "school,partnership,merged_into", existing)
    code, _, said = command(file, *SMALL, "--existing", present)
    assert code == 2
    assert words in said


def test_a_school_that_leads_two_present_partnerships_is_named(
    command: Any, tmp_path: Path
) -> None:
    schools = schools_file(tmp_path / "s.csv", 0, 1, 2, 3)
    rows = ["A,X,A", "B,X,A", "C,Y,A", "D,Y,A"]
    existing = write(tmp_path / "e.csv", "school,partnership,leader_school", *rows)
    code, _, said = command(schools, *SMALL, "--existing", existing)
    assert code == 0
    assert "The school A leads 2 of the present partnerships (X, Y)" in said
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert "The school A leads 2" in summary["notes"][0]
    formed = rows_of(tmp_path / "out" / "partnerships.csv")
    led = {(row["leader_school"], row["partnership"]) for row in formed}
    assert len(led) == len({leader for leader, _ in led})


def test_files_without_schools_are_refused_and_not_forgotten(command: Any, tmp_path: Path) -> None:
    pins = write(tmp_path / "pins.csv", "kind,school_a,school_b")
    code, _, said = command("--pins", pins, out="")
    assert code == 2
    assert "--pins: only for a file of schools" in said
    code, _, said = command()
    assert code == 2
    assert "--out: only for a file of schools" in said


def test_a_frontier_is_written_and_gone_on_with(command: Any, tmp_path: Path) -> None:
    schools = schools_file(tmp_path / "s.csv", 0, 1, 2, 10, 11, 12, 6, 7)
    existing = write(tmp_path / "e.csv", *EXISTING, "G,X,B", "H,Y,E")
    arguments = (schools, *SMALL, "--existing", existing, "--frontier")
    code, said, _ = command(*arguments, "0, 50")
    assert code == 0
    first = rows_of(tmp_path / "out" / "frontier.csv")
    assert list(first[0])[:4] == ["price", "moved", "cost", "gap"]
    assert [float(row["price"]) for row in first] == [0, 50]
    assert int(first[0]["moved"]) >= int(first[1]["moved"])
    assert float(first[0]["cost"]) <= float(first[1]["cost"])
    assert "2 of 2 prices" in said
    assert not (tmp_path / "out" / "partnerships.csv").exists()
    code, said, errors = command(*arguments, "0,1,50")
    assert code == 0
    assert "2 of 3 prices were done before and are kept" in errors
    again = rows_of(tmp_path / "out" / "frontier.csv")
    assert [row for row in again if row["price"] != "1.0"] == first
    # Another seed is another run: nothing of the old one is kept.
    code, said, errors = command(*arguments, "0,1,50", "--seed", 1)
    assert "done before" not in errors
    code, _, errors = command(*arguments, "0,cheap")
    assert code == 2
    assert "not a list of prices" in errors


def press_ctrl_c_at(share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Press Ctrl-C once, when the bar has come this far."""
    pressed: list[float] = []

    @contextmanager
    def bar() -> Iterator[Callable[[float, str], None]]:
        def show(done: float, _stage: str) -> None:
            if done >= share and not pressed:
                pressed.append(done)
                os.kill(os.getpid(), signal.SIGINT)

        yield show

    monkeypatch.setattr("brightspots_cli.progress.progress_bar", bar)
    monkeypatch.setattr("brightspots_cli.partnership_frontier.progress_bar", bar)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.9])
def test_ctrl_c_writes_the_best_answer_so_far(
    command: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    """Before the search, in it, and after it, when only the bound is missing."""
    press_ctrl_c_at(share, monkeypatch)
    before = signal.getsignal(signal.SIGINT)
    schools = write(
        tmp_path / "s.csv", "school,latitude,longitude",
        *(f"{i},{(i * 7919 % 1000) / 5000},{30 + (i * 104729 % 1000) / 5000}" for i in range(300)),
    )  # fmt: skip
    code, said, errors = command(schools)
    assert code == 0
    assert "the best answer so far is kept" in errors
    assert ("Stopped early" in said) == (share < 0.85)
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert summary["stopped_early"] == (share < 0.85)
    assert summary["n_served"] + summary["n_isolated"] == 300
    assert len(rows_of(tmp_path / "out" / "partnerships.csv")) == summary["n_served"] > 0
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_keeps_the_prices_that_are_done(
    command: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schools = schools_file(tmp_path / "s.csv", 0, 1, 2, 10, 11, 12)
    existing = write(tmp_path / "e.csv", *EXISTING)
    arguments = (schools, *SMALL, "--existing", existing, "--frontier", "0,1,50")
    with monkeypatch.context() as context:
        press_ctrl_c_at(0.4, context)
        code, said, _ = command(*arguments)
    assert code == 0
    assert "1 of 3 prices" in said
    assert "2 prices are left: the same command goes on" in said
    assert [row["price"] for row in rows_of(tmp_path / "out" / "frontier.csv")] == ["0.0"]
    code, said, errors = command(*arguments)
    assert "1 of 3 prices were done before" in errors
    assert "3 of 3 prices" in said


def test_help_names_every_column_that_is_read_and_written(command: Any) -> None:
    code, said, _ = command("--help", out="")
    assert code == 0
    words = ("closed", "merged_into", "area", "strength_P", "strong_P", "need_P", "kind",
             "school_a", "leader_school", "from_school", "minutes", "area_a", *FRONTIER,
             *SCHOOLS, *PARTNERSHIPS)  # fmt: skip
    assert [word for word in words if word not in said] == []
