"""Simulated pupils for the benchmarks: invented, no real school."""

from __future__ import annotations

from pathlib import Path

WORK = Path(__file__).parent / "work"
COVARIATES = ("prior_reading", "prior_maths", "age", "attendance", "girl", "poverty", "language")
TRUTH = {"between": 0.09, "within": 0.64}
SCHOOLS = {100_000: 1_000, 1_000_000: 10_000, 5_000_000: 25_000, 10_000_000: 50_000,
           50_000_000: 100_000}  # fmt: skip
SCHOOLS_A_DISTRICT = 50
YEARS = (2021, 2022, 2023)


def file_of(pupils: int) -> Path:
    """Where the pupils lie."""
    return WORK / f"pupils_{pupils}.parquet"


def n_schools(pupils: int) -> int:
    return SCHOOLS.get(pupils, max(2, pupils // 200))


def simulate(pupils: int) -> Path:
    """Pupils in schools with a known variance between schools, written a block at a time.

    Districts and years are columns of the file without an effect of their own.
    """
    import numpy as np
    import polars as pl
    import pyarrow.parquet as pq

    path = file_of(pupils)
    if path.exists() and "district" in pq.read_schema(path).names:
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
            | {"district": block // SCHOOLS_A_DISTRICT}
            | {"year": draw.choice(np.array(YEARS, dtype=np.int16), n)}
        ).to_arrow()
        writer = writer or pq.ParquetWriter(unfinished, frame.schema, compression="snappy")
        writer.write_table(frame, row_group_size=122_880)
    if writer is not None:
        writer.close()
    unfinished.replace(path)
    return path
