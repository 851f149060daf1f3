"""What moves a school's expectation: each circumstance's part, beside all schools together.

The expectation is a sum, x'beta. A circumstance's part is beta_j (x_j - mean of x_j), summed over
its kinds where it has kinds; the parts of a school add up to how far its expectation lies from
the mean expectation of the schools it was fitted with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Parts = dict[str, dict[str, float]]
"""School -> circumstance -> points."""


def parts_of_pupils(
    schools: Sequence[str],
    means: Floats,
    n: Floats,
    coefficients: Floats,
    terms: Sequence[str],
    names: Mapping[str, str],
) -> Parts:
    """From pupils: `means` (schools x terms) are the schools' means of the design's columns.

    `names` tells which circumstance a column is of; a column of none (the intercept, a year) moves
    nobody apart from the others.
    """
    centred = means - np.average(means, axis=0, weights=n)
    moved = centred * coefficients
    made: Parts = {school: {} for school in schools}
    for place, term in enumerate(terms):
        name = names.get(_bare(term))
        if name is None:
            continue
        for school, points in zip(schools, moved[:, place].tolist(), strict=True):
            made[school][name] = made[school].get(name, 0.0) + points
    return made


def parts_of_schools(
    frame: pl.DataFrame,
    columns: Sequence[str],
    coefficients: Iterable[Mapping[str, Any]],
    used: Mapping[str, str],
) -> Parts:
    """From schools' figures: `frame` has school, year and the circumstances as they were fitted.

    A school is told what moves it in its newest year, by the model it was judged by: `used` names
    the circumstances of that model, as `context_used` does.
    """
    if not columns:
        return {}
    newest = frame.sort("year").unique("school", keep="last", maintain_order=True).sort("school")
    by_model: dict[str, dict[str, float]] = {}
    for row in coefficients:
        by_model.setdefault(str(row["context_used"]), {})[str(row["term"])] = float(row["estimate"])
    made: Parts = {}
    for (year,), rows in newest.group_by("year", maintain_order=True):
        whole = frame.filter(pl.col("year") == year)
        for name in columns:
            for model, terms in by_model.items():
                if name not in model.split(" + "):
                    continue
                judged = [s for s in rows["school"].to_list() if used.get(s) == model]
                points = _moved(whole, name, terms, f"year[{year}]:")
                for school in judged:
                    if (value := points.get(school)) is not None:
                        made.setdefault(school, {})[name] = value
    return made


def _moved(
    whole: pl.DataFrame, name: str, terms: Mapping[str, float], year: str
) -> dict[str, float | None]:
    """School -> points, of one circumstance in one year; the mean over its schools is 0."""
    known = whole.filter(pl.col(name).is_not_null())
    if known.schema[name].is_numeric():
        slope = terms.get(f"{year}{name}", terms.get(name))
        if slope is None:
            return {}
        worth = slope * known[name].cast(pl.Float64)
    else:
        kinds = {
            level: terms.get(f"{year}{name}[{level}]", terms.get(f"{name}[{level}]", 0.0))
            for level in known[name].cast(pl.String).unique().to_list()
        }
        worth = known[name].cast(pl.String).replace_strict(kinds, return_dtype=pl.Float64)
    moved = worth - (worth.mean() or 0.0)
    return dict(zip(known["school"].to_list(), moved.to_list(), strict=True))


def _bare(term: str) -> str:
    """`x0_` of `x0_girl` and `x0_[T.girl]`: the column a term of the pupils' way is of."""
    before, mark, _kind = term.partition("_")
    return before + mark
