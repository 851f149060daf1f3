"""What two practices of the sample do in truth: put into the invented results, kept beside them.

The twin knows no practices. So that the sample can show an evaluation that found something and one
that did not, schools that take up the one gain in its outcome from then on, and schools that take
up the other gain nothing. Who takes up what hangs on the school's code alone, never on its results.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from brightspots.pace.twin import Twin

ONE_IN = 5
"""One school in so many takes a practice up."""


@dataclass(frozen=True)
class Truth:
    """A practice and what it does, in SD of pupils."""

    title: str
    subject: str
    effect: float


WORKS = Truth("Books go home on Fridays", "reading", 0.2)
DOES_NOT = Truth("A test every Monday", "mathematics", 0.0)


def first_years(truth: Truth, codes: Sequence[str], years: Sequence[int]) -> dict[str, int]:
    """Return school -> the first results with the practice, for the schools that take it up.

    There are two years before; systems of fewer than three years have none that began.
    """
    ordered = sorted(set(years))
    late = ordered[2:][-2:]
    drawn = {code: _number(truth.title, code) for code in codes}
    return {
        code: late[n // ONE_IN % len(late)] for code, n in drawn.items() if late and n % ONE_IN == 0
    }


def _number(title: str, code: str) -> int:
    return int.from_bytes(sha256(f"{title}, {code}".encode()).digest()[:6])


def with_practices(twin: Twin) -> Twin:
    """Add to the results of schools what a practice does there, and to the truth who that is."""
    import polars as pl

    pupils = twin.pupils
    years = pupils["year"].unique().to_list()
    codes = twin.schools["code"].to_list()
    rows = []
    for truth in (WORKS, DOES_NOT):
        firsts = first_years(truth, codes, years)
        pupils = _gain(pupils, truth, firsts, twin.parameters.score_sd)
        rows += [(truth.title, truth.subject, code, first, truth.effect)
                 for code, first in sorted(firsts.items())]  # fmt: skip
    names = ["practice", "subject", "school", "first_year", "effect"]
    known = pl.DataFrame(rows, schema=names, orient="row")
    return replace(twin, pupils=pupils, truth={**twin.truth, "practice_effects": known})


def _gain(pupils: pl.DataFrame, truth: Truth, firsts: dict[str, int], sd: float) -> pl.DataFrame:
    import polars as pl

    if not truth.effect or not firsts or truth.subject not in pupils.columns:
        return pupils
    first = pl.col("school").replace_strict(firsts, default=None, return_dtype=pl.Int64)
    gained = pl.when(pl.col("year") >= first).then(truth.effect * sd).otherwise(0.0)
    kind = pupils.schema[truth.subject]
    return pupils.with_columns((pl.col(truth.subject) + gained).cast(kind).alias(truth.subject))
