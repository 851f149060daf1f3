"""Value added at the size of a nation, beside a plain scan of the same file.

`python -m benchmarks value_added` does everything. Pupils are simulated into a Parquet file sorted
by school. Each repeat times a plain DuckDB `avg(score) group by school`, a plain sum of every
column that we read, and ours, one after the other in one process, each warm (the second of two in a
row), so that a busy machine slows all of them; a ratio is the median of the repeats' ratios. lme4
(deploy/install-r.sh installs it) and statsmodels run on the same pupils in the same run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.pupils import COVARIATES, TRUTH, file_of, simulate

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "value_added.json"
PLOT = HERE / "results" / "value_added.svg"
SIZES = (100_000, 1_000_000, 5_000_000, 10_000_000, 50_000_000)
BESIDE = 1_000_000
"""Pupils on which the usual ways are timed."""


def formula(covariates: int = len(COVARIATES), random: str = "(1 | school)") -> str:
    return f"score ~ {' + '.join((*COVARIATES[:covariates], random))}"


def _one_way(pupils: int, text: str) -> Callable[[], Any]:
    def run() -> Any:
        from brightspots.insight.value_added import value_added_of

        return value_added_of(file_of(pupils), text, input_hash="benchmark")

    return run


def _years(pupils: int) -> Callable[[], Any]:
    def run() -> Any:
        from brightspots.insight.cross_products import cross_products
        from brightspots.insight.school_years import school_year_value_added

        text = formula(random="factor(year) + (1 | school)")
        cp = cross_products(file_of(pupils), text, by=("year",), input_hash="benchmark")
        return school_year_value_added(cp, year="year")

    return run


def ways(pupils: int) -> dict[str, Callable[[], Any]]:
    """Every model that is timed, by name."""
    return {
        "intercept": _one_way(pupils, formula()),
        "intercept, 3 covariates": _one_way(pupils, formula(3)),
        "intercept, 1 covariate": _one_way(pupils, formula(1)),
        "slope": _one_way(pupils, formula(random="(1 + prior_reading | school)")),
        "3 levels": _one_way(pupils, formula(random="(1 | district/school)")),
        "school-year": _years(pupils),
    }


def plain_ways(pupils: int) -> dict[str, Callable[[], Any]]:
    """Scans of DuckDB alone: the plain one, and the floor of reading our nine columns."""
    import duckdb

    connection = duckdb.connect()
    file = f"read_parquet('{file_of(pupils)}')"
    sums = ", ".join(f"sum({name})" for name in (*COVARIATES, "score"))
    plain = f"SELECT school, avg(score) FROM {file} GROUP BY school"  # noqa: S608
    floor = f"SELECT school, {sums} FROM {file} GROUP BY school"  # noqa: S608
    return {
        "plain": lambda: connection.sql(plain).to_arrow_table(),
        "floor": lambda: connection.sql(floor).to_arrow_table(),
    }


def measure(pupils: int, repeats: int) -> dict[str, Any]:
    """Time every way once a round, after one round that is not measured."""
    plain = plain_ways(pupils)
    plain_names, every = set(plain), plain | ways(pupils)
    seconds: dict[str, list[float]] = {name: [] for name in every}
    processor: dict[str, list[float]] = {name: [] for name in every}
    stages: list[dict[str, float]] = []
    found = None
    for _ in range(repeats + 1):
        for name, run in every.items():
            if name in plain_names or "intercept" in name:
                run()  # what is compared runs warm: the second of two in a row counts
            started, used = time.perf_counter(), time.process_time()
            answer = run()
            seconds[name].append(time.perf_counter() - started)
            processor[name].append(time.process_time() - used)
            if name == "intercept":
                found = answer
                stages.append(dict(answer.seconds))
    del every, plain
    assert found is not None
    seconds = {name: taken[1:] for name, taken in seconds.items()}
    between, within = found.variance_components["variance"]
    return {
        "pupils": found.n_pupils,
        "schools": found.n_schools,
        "repeats": repeats,
        "file_mb": file_of(pupils).stat().st_size / 1e6,
        "seconds": {name: statistics.median(taken) for name, taken in seconds.items()},
        "processor_seconds": {
            name: statistics.median(taken[1:]) for name, taken in processor.items()
        },
        "ratio": {
            name: statistics.median(
                a / b for a, b in zip(taken, seconds["plain"], strict=True)
            )
            for name, taken in seconds.items()
        },
        "ratios_of_intercept": [
            round(a / b, 2)
            for a, b in zip(seconds["intercept"], seconds["plain"], strict=True)
        ],
        "stages": {
            stage: statistics.median(each[stage] for each in stages[1:]) for stage in stages[0]
        },
        "between": between,
        "within": within,
        "estimates": found.fixed_effects["estimate"].to_list(),
        "criterion": found.reml_criterion,
    }  # fmt: skip


def peak_memory(pupils: int, way: str) -> float:
    """Peak resident memory, GB, of a process that does nothing but this.

    Not `ru_maxrss`, which begins with what the process that started it held.
    """
    code = (
        "from benchmarks.value_added import ways\n"
        f"ways({pupils})[{way!r}]()\n"
        "status = open('/proc/self/status').read()\n"
        "print(status.split('VmHWM:')[1].split()[0])\n"
    )
    paths = [str(HERE.parent), str(HERE.parent / "src")]
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
    )  # fmt: skip
    return int(done.stdout) * 1024 / 1e9


def whole_command(pupils: int) -> float:
    """Seconds of the command as a person runs it: start, hash of the file, results written."""
    command = str(Path(sys.executable).with_name("brightspots"))
    with tempfile.TemporaryDirectory() as out:
        asked = ["value-added", str(file_of(pupils)), "--formula", formula(), "--out", out]
        started = time.perf_counter()
        subprocess.run([command, *asked], capture_output=True, check=True)
        return time.perf_counter() - started


def _repeated(run: Callable[[], Any]) -> list[float]:
    took = []
    for _ in range(5):
        started = time.perf_counter()
        run()
        took.append(time.perf_counter() - started)
    return took


def beside(stored: dict[str, Any], row: dict[str, Any]) -> None:
    """Time the usual ways, and ours again around each of them."""
    from benchmarks.usual_ways import lme4, statsmodels

    run = _one_way(BESIDE, formula())
    for name, usual in (("lme4", lme4), ("statsmodels", statsmodels)):
        took = _repeated(run)
        answer = usual(BESIDE)
        if answer is None:
            continue
        took += _repeated(run)
        ours = statistics.median(took)
        apart = max(
            abs(a - b) / abs(b)
            for a, b in zip(row["estimates"], answer["estimates"], strict=True)
        )  # fmt: skip
        stored[name] = answer | {
            "pupils": BESIDE,
            "ours_seconds": ours,
            "times": answer["fit_seconds"] / ours,
            "estimates_apart": apart,
        }
        print(f"{name}: {answer['fit_seconds']:.1f} s, ours {ours:.3f} s", flush=True)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks value_added", description=__doc__)
    parser.add_argument("--pupils", type=int, nargs="+", default=list(SIZES))
    parser.add_argument(
        "--repeats", type=int, default=7, help="rounds (3 from 10 million pupils on)"
    )
    parser.add_argument("--alone", action="store_true", help="without lme4 and statsmodels")
    parser.add_argument("--keep", action="store_true", help="keep the simulated files")
    options = parser.parse_args(argv)
    loads = [os.getloadavg()[0]]
    stored: dict[str, Any] = {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        "python": platform.python_version(),
        "truth": TRUTH,
        "rows": [],
    }
    for pupils in options.pupils:
        simulate(pupils)
        row = measure(pupils, options.repeats if pupils < 10_000_000 else min(3, options.repeats))
        row["peak_gb"] = {way: peak_memory(pupils, way) for way in ways(pupils)}
        row["command_seconds"] = whole_command(pupils)
        loads.append(os.getloadavg()[0])
        stored["rows"].append(row)
        print(
            f"{pupils:,} pupils: plain {row['seconds']['plain']:.3f} s, ours "
            f"{row['seconds']['intercept']:.3f} s, ratio {row['ratio']['intercept']:.1f}, "
            f"{max(row['peak_gb'].values()):.2f} GB at most",
            flush=True,
        )
        if pupils == BESIDE and not options.alone:
            beside(stored, row)
        if not options.keep:
            file_of(pupils).unlink()
        stored["load"] = [round(min(loads), 1), round(max(loads), 1)]
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(stored, indent=2) + "\n", encoding="utf-8")


def markdown() -> str:
    """The stored results as a section of README.md; draws the plot."""
    from benchmarks.value_added_report import draw, section

    if not RESULTS.exists():
        return "## Value added\n\nNot measured yet: `python -m benchmarks value_added`."
    stored = json.loads(RESULTS.read_text(encoding="utf-8"))
    draw(stored, PLOT)
    return section(stored)


if __name__ == "__main__":
    main()
