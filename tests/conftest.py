"""Fixtures for every test."""

import os
from pathlib import Path

import pytest

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
