"""`brightspots import` and `brightspots undo`, as a person at a shell meets them."""

import os
import random
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "brightspots_cli.main"]


def environment(home: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DJANGO", "DATABASE"))}
    return {**kept, "BRIGHTSPOTS_HOME": str(home)}


def brightspots(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def rows(home: Path, sql: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(home / "brightspots.sqlite3", timeout=30)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


@pytest.fixture
def home(empty_home: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(empty_home, tmp_path / "home"))


SCHOOLS = "code,name,region,district\n007,Ash,North,Upper\n008,Birch,South,East\n"
MAPPED = (
    "--kind=schools",
    "--set=code=code",
    "--set=name=name",
    "--set=area_path=region",
    "--set=area_path=district",
)


def test_import_again_and_undo_from_the_command_line(home: Path) -> None:
    file = home / "list.csv"
    file.write_text(SCHOOLS)
    done = brightspots(
        home, "import", str(file), *MAPPED, "--system-name=Hillland", "--save-mapping=List"
    )
    assert done.returncode == 0, done.stderr
    assert "2 new" in done.stdout
    assert rows(home, "select code, name from directory_school order by code") == [
        ("007", "Ash"),
        ("008", "Birch"),
    ]
    assert rows(home, "select name from directory_area where parent_id is null") == [("Hillland",)]
    again = brightspots(home, "import", str(file), "--kind=schools", "--mapping=List")
    assert again.returncode == 0, again.stderr
    assert "Nothing to import" in again.stdout
    undone = brightspots(home, "undo", "1")
    assert undone.returncode == 0, undone.stderr
    assert rows(home, "select count(*) from directory_school") == [(0,)]
    assert rows(home, "select count(*) from directory_area") == [(0,)]


def test_refused_rows_end_with_exit_code_two_and_say_where(home: Path) -> None:
    file = home / "list.csv"
    file.write_text(SCHOOLS + "009,Cedar,North,Upper,more\n")
    refused = brightspots(home, "import", str(file), *MAPPED)
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr
    assert "1 rows are refused" in refused.stderr
    assert "too many fields" in " ".join(refused.stdout.split())
    assert rows(home, "select count(*) from directory_school") == [(0,)]
    dry = brightspots(home, "import", str(file), *MAPPED, "--dry-run")
    assert (dry.returncode, "Dry run" in dry.stdout) == (0, True)
    done = brightspots(home, "import", str(file), *MAPPED, "--leave-out-refused")
    assert done.returncode == 0
    assert rows(home, "select count(*) from directory_school") == [(2,)]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--set=code",), "--set"),
        (("--set=code=nothing",), "nothing"),
        (("--mapping=Unknown",), "Unknown"),
        (("--set=code=code", "--match=magic"), "magic"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(
    home: Path, arguments: tuple[str, ...], says: str
) -> None:
    file = home / "list.csv"
    file.write_text(SCHOOLS)
    refused = brightspots(home, "import", str(file), "--kind=schools", *arguments)
    assert refused.returncode == 2
    assert says in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("seed", range(3))
def test_kill_9_in_the_middle_leaves_the_state_before_or_after(home: Path, seed: int) -> None:
    n = 2000
    file = home / "list.csv"
    lines = [f"{i:05},School {i},Region {i % 7},District {i % 90}" for i in range(n)]
    file.write_text("code,name,region,district\n" + "\n".join(lines) + "\n")
    command = [*COMMAND, "import", str(file), *MAPPED]
    draw = random.Random(seed)  # noqa: S311 - not a secret
    process = subprocess.Popen(
        command, env=environment(home), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    at_work = "select count(*) from shared_job where kind = 'imports.confirm'"
    while process.poll() is None and rows(home, at_work) == [(0,)]:
        time.sleep(0.02)
    time.sleep(draw.uniform(0.0, 0.8))
    process.send_signal(signal.SIGKILL)
    process.wait()

    found = rows(home, "select count(*) from directory_school")[0][0]
    live = rows(home, "select count(*) from imports_batch where status = 'confirmed'")[0][0]
    changes = rows(home, "select count(*) from imports_recordchange")[0][0]
    assert (found, live, bool(changes)) in {(0, 0, False), (n, 1, True)}
    again = brightspots(home, "import", str(file), *MAPPED)
    assert again.returncode == 0, again.stderr
    assert rows(home, "select count(*) from directory_school") == [(n,)]


@pytest.mark.real_data
def test_tanzania_goes_in_by_the_commands_of_its_guide(home: Path, real_data: Path) -> None:
    guide = Path(__file__).resolve().parents[2] / "docs" / "examples" / "tanzania.md"
    blocks = guide.read_text().split("```sh\n")[1:5]
    for block in blocks:
        command = block.split("```")[0].strip()
        command = command.replace("../shared/data", str(real_data)).replace(
            "--home var/tanzania", f"--home {home}"
        )
        command = command.replace("brightspots", f"{sys.executable} -m brightspots_cli.main", 1)
        done = subprocess.run(
            shlex.split(command),
            env=environment(home),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert rows(home, "select count(*) from directory_school") == [(17_935,)]
    placed = "select count(*) from directory_school where latitude is not null"
    assert rows(home, placed) == [(16_340,)]
    enrolled = "select count(*) from directory_school where roll is not null and sector <> ''"
    assert rows(home, enrolled) == [(16_269,)]
    shown = "select level, count(*), count(outline) from directory_area group by level"
    assert rows(home, shown) == [(0, 1, 1), (1, 26, 26), (2, 184, 184)]
    (path,) = rows(home, "select data_path from imports_batch where kind = 'school_results'")[0]
    import polars as pl

    results = pl.read_parquet(home / "data" / str(path))
    assert results.height == 17_935
    assert results["mean"].null_count() == 35
    assert {"grade:A", "grade:E", "grade_bands"} <= set(results.columns)
    assert results.filter(pl.col("school") == "PS0101114")["mean"].to_list() == [255.0476]
