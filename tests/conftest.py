"""Fixtures for every test."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).with_name("brightspots")

# As the command line has it; before numpy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

REAL_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of public data sets beside the project.

    Skips, visibly, where the folder is not there; in CI that is a failure.
    """
    if not REAL_DATA.is_dir():
        reason = f"no public data sets at {REAL_DATA}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return REAL_DATA


def environment() -> dict[str, str]:
    """Ours without what belongs to the tests or to somebody's own installation."""
    foreign = {"DJANGO_SETTINGS_MODULE", "DATABASE_URL", "BRIGHTSPOTS_HOME"}
    return {name: value for name, value in os.environ.items() if name not in foreign}


def made_once(
    factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None], *, minutes: int = 10
) -> Path:
    """A folder that the first test process makes and all of this run's copy from."""
    base = factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    folder, ready, failed = shared / name, shared / f"{name}-ready", shared / f"{name}-failed"
    try:
        (shared / f"{name}-lock").mkdir()
    except FileExistsError:
        until = time.monotonic() + 60 * minutes
        while not ready.exists():
            assert time.monotonic() < until, f"{name} was not made in {minutes} minutes"
            assert not failed.exists(), f"{name} could not be made: see the first test of it"
            time.sleep(0.5)
        return folder
    try:
        make(folder)
    except BaseException:
        failed.touch()
        raise
    ready.touch()
    return folder


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of an installation with its tables made, and nothing in them: to be copied."""

    def make(home: Path) -> None:
        home.mkdir()
        command = [COMMAND, "rebuild-search", "--home", home]
        done = subprocess.run(
            command, env=environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    return made_once(tmp_path_factory, "empty-home", make)
