"""The worker as a process of its own: it does jobs, and a job that is killed with it is not lost.

On SQLite in a home of its own, and on PostgreSQL in a database of its own where DATABASE_URL names
a server.
"""

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.conftest import made_once

PATIENCE = 180
"""Seconds after which a test gives up waiting; none is expected to come near."""

PREPARE = """
import random
from brightspots_web.directory.models import Area, School
from brightspots_web.directory import actions as directory
directory.name_system("Testland")
nation = Area.objects.create(name="Testland", path="1/")
chance = random.Random(4)
School.objects.bulk_create(
    School(code=f"{i:05}", name=f"School {i}", area=nation,
           latitude=chance.uniform(0, 2.5), longitude=chance.uniform(30, 32.5))
    for i in range(800)
)
"""

ASK = """
from brightspots_web.connectedness import actions
from brightspots_web.directory.actions import command_line_operator
settings = {"minimum": 4, "maximum": 8, "max_km": 25}
print(actions.ask_for_proposal(settings, by=command_line_operator()).pk)
"""

STATE = """
select (select status from shared_job), (select attempts from shared_job),
    (select problem from shared_job), (select count(*) from connectedness_proposal),
    (select count(*) from connectedness_proposedmember)
"""


@dataclass
class Installation:
    environment: dict[str, str]
    said: Path
    """What the worker writes to its terminal."""

    def run(self, code: str) -> str:
        """Run a few lines with the platform started, in a process of its own."""
        start = "from brightspots_cli import platform; platform.start()\n"
        done = subprocess.run(
            [sys.executable, "-c", start + code],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def sql(self, statement: str) -> list[Any]:
        """Ask the database itself: to start the platform each time would slow the worker."""
        if url := self.environment.get("DATABASE_URL"):
            import psycopg

            with psycopg.connect(url) as server:
                done = server.execute(statement)
                return done.fetchall() if done.description else []
        file = Path(self.environment["BRIGHTSPOTS_HOME"]) / "brightspots.sqlite3"
        with contextlib.closing(sqlite3.connect(file, timeout=20)) as own, own:
            return own.execute(statement).fetchall()

    def state(self) -> dict[str, Any]:
        [row] = self.sql(STATE)
        names = ("status", "attempts", "problem", "proposals", "members")
        return dict(zip(names, row, strict=True))

    def wait(self, until: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            state = self.state()
            if until(state):
                return state
            time.sleep(0.05)
        pytest.fail(f"still {state}")

    @contextlib.contextmanager
    def worker(self) -> Iterator[subprocess.Popen[bytes]]:
        """A worker, with all it starts in one group of processes."""
        with self.said.open("w") as terminal:
            process = subprocess.Popen(
                [sys.executable, "-m", "brightspots_cli.worker"],
                env=self.environment,
                stdout=terminal,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """kill -9, the worker and everything it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def environment_of(home: Path, **more: str) -> dict[str, str]:
    foreign = ("DJANGO", "DATABASE")
    ours = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return {
        **ours,
        "BRIGHTSPOTS_HOME": str(home),
        "BRIGHTSPOTS_JOB_HEARTBEAT": "0.2",
        "BRIGHTSPOTS_JOB_STALE": "2",
        **more,
    }


@pytest.fixture(scope="session")
def asked_home(empty_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose people have asked for a proposal, and no worker has seen it: to be copied."""

    def make(home: Path) -> None:
        shutil.copytree(empty_home, home)
        Installation(environment_of(home), home / "said").run(PREPARE + ASK)

    return made_once(tmp_path_factory, "asked-home", make)


@pytest.fixture(scope="session")
def asked_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """As `asked_home`, with a database on PostgreSQL to be the template of others: its name."""
    url = os.environ.get("DATABASE_URL", "")
    if not url:
        pytest.skip("DATABASE_URL names no PostgreSQL server")
    home = tmp_path_factory.mktemp("asked")
    with database_of_its_own(url) as own:
        Installation(environment_of(home, DATABASE_URL=own), home / "said").run(PREPARE + ASK)
        yield home, urlsplit(own).path[1:]


@pytest.fixture(params=["sqlite", "postgresql"])
def installation(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Installation]:
    """Eight hundred schools, and a job that waits for a worker."""
    if request.param == "sqlite":
        shutil.copytree(request.getfixturevalue("asked_home"), tmp_path, dirs_exist_ok=True)
        yield Installation(environment_of(tmp_path), tmp_path / "said")
        return
    home, template = request.getfixturevalue("asked_database")
    shutil.copytree(home, tmp_path, dirs_exist_ok=True)  # the key that signed what waits
    with database_of_its_own(os.environ["DATABASE_URL"], template) as own:
        yield Installation(environment_of(tmp_path, DATABASE_URL=own), tmp_path / "said")


@contextlib.contextmanager
def database_of_its_own(url: str, template: str = "template1") -> Iterator[str]:
    import psycopg
    from psycopg import sql

    name = f"worker_{os.getpid()}_{time.monotonic_ns()}"
    with psycopg.connect(url, autocommit=True) as server:
        made = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        server.execute(made.format(sql.Identifier(name), sql.Identifier(template)))
    try:
        yield urlsplit(url)._replace(path=f"/{name}").geturl()
    finally:
        with psycopg.connect(url, autocommit=True) as server:
            drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            server.execute(drop)


def test_a_job_killed_half_way_is_taken_up_again_and_done_exactly_once(
    installation: Installation,
) -> None:
    with installation.worker() as first:
        installation.wait(lambda state: state["status"] == "running")
        kill(first)
    left = installation.state()
    assert (left["status"], left["proposals"], left["members"]) == ("running", 0, 0)
    time.sleep(2.5)  # until its heart has been silent for long enough
    with installation.worker():
        done = installation.wait(lambda state: state["status"] not in {"running", "queued"})
        assert (done["status"], done["problem"]) == ("done", "")
        assert (done["attempts"], done["proposals"]) == (2, 1)
        assert 0 < done["members"] <= 800


def test_a_job_that_dies_for_the_third_time_fails_cleanly(installation: Installation) -> None:
    installation.sql("update shared_job set attempts = 2")
    with installation.worker() as third:
        installation.wait(lambda state: state["status"] == "running")
        kill(third)
    time.sleep(2.5)
    with installation.worker():
        over = installation.wait(lambda state: state["status"] not in {"running", "queued"})
    assert (over["status"], over["attempts"], over["proposals"]) == ("failed", 3, 0)
    assert "three times" in over["problem"]


def test_an_idle_worker_says_nothing_and_ends_when_told(installation: Installation) -> None:
    with installation.worker() as process:
        installation.wait(lambda state: state["status"] == "done")
        process.terminate()
        process.wait(timeout=60)
    assert installation.said.read_text() == ""
    assert process.returncode == 0


def test_web_and_worker_write_at_the_same_time_without_a_locked_database(
    installation: Installation,
) -> None:
    write = """
from brightspots_web.directory.actions import command_line_operator
from brightspots_web.shared import audit
by = command_line_operator()
for i in range(200):
    audit.record("test.write", by=by)
"""
    with installation.worker():
        start = "from brightspots_cli import platform; platform.start()\n"
        writers = [
            subprocess.Popen(
                [sys.executable, "-c", start + write],
                env=installation.environment,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(2)
        ]
        problems = [writer.communicate(timeout=PATIENCE)[1] for writer in writers]
        assert problems == ["", ""]
        state = installation.wait(lambda state: state["status"] not in {"running", "queued"})
    assert state["status"] == "done", state["problem"]
    check = "from brightspots_web.shared import audit; print(audit.first_broken_link())"
    assert installation.run(check) == "None"
