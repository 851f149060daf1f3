"""Value added at the size of a nation, beside a plain scan of the same file.

`python -m benchmarks.value_added [--pupils 1000000 10000000] [--statsmodels]`

Pupils are simulated (invented, no real school) into a Parquet file sorted by school. Each repeat
times a plain DuckDB `avg(score) group by school` and ours one after the other in one process, so
that a busy machine slows both; the ratio is the median of the repeats' ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
WORK = HERE / "work"
RESULTS = HERE / "results" / "value_added.json"
COVARIATES = ("prior_reading", "prior_maths", "age", "attendance", "girl", "poverty", "language")
FORMULA = f"score ~ {' + '.join(COVARIATES)} + (1 | school)"
TRUTH = {"between": 0.09, "within": 0.64}
SCHOOLS = {100_000: 1_000, 1_000_000: 10_000, 10_000_000: 50_000, 50_000_000: 100_000}


def n_schools(pupils: int) -> int:
    return SCHOOLS.get(pupils, max(2, pupils // 200))


def simulate(pupils: int) -> Path:
    """Pupils in schools with a known variance between schools, written a block at a time."""
    import numpy as np
    import polars as pl
    import pyarrow.parquet as pq

    path = WORK / f"pupils_{pupils}.parquet"
    if path.exists():
        return path
    WORK.mkdir(exist_ok=True)
    draw = np.random.default_rng(20260101)
    schools = n_schools(pupils)
    sizes = np.sort(draw.multinomial(pupils, draw.dirichlet(np.full(schools, 4.0))))
    draw.shuffle(sizes)
    school = np.repeat(np.arange(schools, dtype=np.int32), sizes)
    effect = draw.normal(0, TRUTH["between"] ** 0.5, schools)
    unfinished = path.with_suffix(".unfinished")
    writer = None
    for start in range(0, pupils, 1_000_000):
        block = school[start : start + 1_000_000]
        n = len(block)
        reading = draw.normal(0, 1, n)
        maths = 0.6 * reading + draw.normal(0, 0.8, n)
        age, attendance = draw.normal(11, 0.3, n), draw.beta(12, 2, n)
        girl, poverty, language = (draw.random(n) < share for share in (0.5, 0.3, 0.2))
        score = 0.3 * reading + 0.4 * maths + 0.05 * age + 0.5 * attendance + effect[block]
        score += 0.1 * girl - 0.2 * poverty - 0.1 * language
        score += draw.normal(0, TRUTH["within"] ** 0.5, n)
        columns = (reading, maths, age, attendance, girl, poverty, language)
        frame = pl.DataFrame(
            {"school": block}
            | {
                name: values.astype(np.int8) if values.dtype == bool else np.round(values, 2)
                for name, values in zip(COVARIATES, columns, strict=True)
            }
            | {"score": np.round(score, 2)}
        ).to_arrow()
        writer = writer or pq.ParquetWriter(unfinished, frame.schema, compression="snappy")
        writer.write_table(frame, row_group_size=122_880)
    if writer is not None:
        writer.close()
    unfinished.replace(path)
    return path


def measure(pupils: int, repeats: int) -> dict[str, Any]:
    """Time a plain scan and ours, in pairs, after one unmeasured round."""
    import duckdb

    from brightspots.insight.value_added import value_added_of

    path = WORK / f"pupils_{pupils}.parquet"
    connection = duckdb.connect()
    plain = f"SELECT school, avg(score) FROM read_parquet('{path}') GROUP BY school"  # noqa: S608
    pairs = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        connection.sql(plain).to_arrow_table()
        scanned = time.perf_counter()
        result = value_added_of(path, FORMULA, input_hash="benchmark")
        pairs.append((scanned - started, time.perf_counter() - scanned, dict(result.seconds)))
    pairs = pairs[1:]
    between, within = result.variance_components["variance"]
    return {
        "pupils": result.n_pupils,
        "schools": result.n_schools,
        "plain_seconds": statistics.median(pair[0] for pair in pairs),
        "ours_seconds": statistics.median(pair[1] for pair in pairs),
        "ratio": statistics.median(pair[1] / pair[0] for pair in pairs),
        "ratios": [round(pair[1] / pair[0], 2) for pair in pairs],
        "scan_seconds": statistics.median(pair[2]["scan"] for pair in pairs),
        "fit_seconds": statistics.median(pair[2]["fit"] for pair in pairs),
        "between": between,
        "within": within,
        "file_mb": path.stat().st_size / 1e6,
    }


def peak_memory(pupils: int) -> float:
    """Peak resident memory, GB, of a process that does nothing but this."""
    code = (
        "import resource\n"
        "from brightspots.insight.value_added import value_added_of\n"
        f"value_added_of({str(WORK / f'pupils_{pupils}.parquet')!r}, {FORMULA!r})\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(HERE.parent / "src")}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    return int(done.stdout) * 1024 / 1e9


def statsmodels_seconds(pupils: int) -> float:
    """Time of statsmodels' MixedLM on the same pupils, the fit alone."""
    import numpy as np
    import polars as pl
    import statsmodels.api as sm

    frame = pl.read_parquet(WORK / f"pupils_{pupils}.parquet")
    X = np.column_stack([np.ones(frame.height), frame.select(COVARIATES).to_numpy()])
    started = time.perf_counter()
    sm.MixedLM(frame["score"].to_numpy(), X, groups=frame["school"].to_numpy()).fit(reml=True)
    return time.perf_counter() - started


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.value_added", description=__doc__)
    parser.add_argument("--pupils", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--statsmodels", action="store_true", help="time statsmodels at 100,000")
    options = parser.parse_args(argv)
    rows = []
    for pupils in options.pupils:
        simulate(pupils)
        row = measure(pupils, options.repeats) | {"peak_gb": peak_memory(pupils)}
        rows.append(row)
        print(
            f"{pupils:,} pupils: plain {row['plain_seconds']:.3f} s, "
            f"ours {row['ours_seconds']:.3f} s, ratio {row['ratio']:.2f}",
            flush=True,
        )
    stored: dict[str, Any] = {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        "repeats": options.repeats,
        "load": round(os.getloadavg()[0], 1),
        "truth": TRUTH,
        "rows": rows,
    }
    if options.statsmodels:
        simulate(100_000)
        stored["statsmodels"] = {
            "pupils": 100_000,
            "seconds": statsmodels_seconds(100_000),
            "ours_seconds": measure(100_000, 3)["ours_seconds"],
        }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(stored, indent=2) + "\n", encoding="utf-8")


def markdown() -> str:
    """The stored results as a section of README.md."""
    if not RESULTS.exists():
        return "## Value added\n\nNot measured yet: `python -m benchmarks value_added`."
    stored = json.loads(RESULTS.read_text(encoding="utf-8"))
    lines = [
        "## Value added",
        "",
        f"`{FORMULA}` on simulated pupils (figures to two decimals), Parquet sorted by school, "
        "reading included; "
        f"{stored['machine']}, shared with other work (load {stored['load']} at the end, "
        "the measurement itself included); "
        f"medians of {stored['repeats']} paired runs. "
        "*Plain* is DuckDB's `avg(score) GROUP BY school` on the same file; it reads 2 columns, "
        "ours reads 9. Hashing the input is not in these times: the caller gives the hash.",
        "",
        "| pupils | schools | plain | ours | ratio | of it scan | of it fit | peak memory | "
        "variance between (true .09) | within (true .64) |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines.extend(
        f"| {row['pupils']:,} | {row['schools']:,} | {row['plain_seconds']:.3f} s "
        f"| {row['ours_seconds']:.3f} s | {row['ratio']:.1f} | {row['scan_seconds']:.3f} s "
        f"| {row['fit_seconds']:.3f} s | {row['peak_gb']:.2f} GB "
        f"| {row['between']:.4f} | {row['within']:.4f} |"
        for row in stored["rows"]
    )
    if usual := stored.get("statsmodels"):
        lines += [
            "",
            f"statsmodels' MixedLM on {usual['pupils']:,} pupils: {usual['seconds']:.1f} s "
            f"for the fit alone; ours {usual['ours_seconds']:.3f} s with reading "
            f"({usual['seconds'] / usual['ours_seconds']:.0f} times faster).",
        ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
