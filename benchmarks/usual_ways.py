"""The usual answers to value added, timed beside ours on the same pupils: lme4 and statsmodels."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.pupils import COVARIATES, file_of


def lme4(pupils: int) -> dict[str, Any] | None:
    """Run lme4's `lmer` on the pupils; None where R or lme4 is missing."""
    if shutil.which("Rscript") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        frame = pl.read_parquet(file_of(pupils), columns=["score", "school", *COVARIATES])
        for name in frame.columns:
            frame[name].to_numpy().astype("<f8").tofile(Path(folder) / name)
        script = Path(__file__).with_name("lme4.R")
        done = subprocess.run(
            ["Rscript", str(script), folder, *COVARIATES],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    if done.returncode:
        print(f"lme4 is not timed: {done.stderr.strip().splitlines()[-1]}")
        return None
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def statsmodels(pupils: int) -> dict[str, Any] | None:
    """Run statsmodels' MixedLM on the pupils, the fit alone timed; None where it is missing."""
    try:
        import statsmodels.api as sm
    except ImportError as error:
        print(f"statsmodels is not timed: {error}; make bench installs it")
        return None

    frame = pl.read_parquet(file_of(pupils), columns=["score", "school", *COVARIATES])
    X = np.column_stack([np.ones(frame.height), frame.select(COVARIATES).to_numpy()])
    started = time.perf_counter()
    model = sm.MixedLM(frame["score"].to_numpy(), X, groups=frame["school"].to_numpy())
    fit = model.fit(reml=True)
    return {
        "fit_seconds": time.perf_counter() - started,
        "variances": [float(fit.cov_re[0, 0]), float(fit.scale)],
        "estimates": [float(each) for each in fit.fe_params],
    }
