"""One scan of several outcomes with holes: cross products per school (and year) and pattern.

A pupil's pattern says which outcomes are there. Within a pattern everything is complete, so the
ordinary scan does the work with the pattern as one more grouping column; an outcome that is missing
holds a constant there, and its sums are never looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import ibis
import ibis.expr.types as ir
import numpy as np
from numpy.typing import NDArray

from brightspots.core.engine import Source, Table, open_table
from brightspots.core.errors import InputError
from brightspots.insight.column_kinds import check_columns, column_kinds
from brightspots.insight.cross_products import CrossProducts, cross_products_of, unpack
from brightspots.insight.design import INTERCEPT, SAMPLE_ROWS
from brightspots.insight.formula import Formula, parse_formula

Array = NDArray[np.float64]

MOST_OUTCOMES = 8
_OUTCOME = "brightspots outcome {}"
_PATTERN = "brightspots pattern"


@dataclass(frozen=True)
class OutcomeScan:
    """Sums per school (and year) and pattern, in shifted and scaled units.

    Parameters
    ----------
    terms, outcomes : tuple of str
        p terms, the intercept first; k outcomes.
    school_column, year_column : str
    school, year : list of str
        One a row; `year` is None where there is none.
    pattern : ndarray of int, shape (m,)
        Row of `observed`.
    observed : ndarray of bool, shape (patterns, k)
    n : ndarray, shape (m,)
    x : ndarray, shape (m, p)
    y, squares : ndarray, shape (m, k)
        Sums of outcomes and of their squares; without meaning where the pattern lacks them.
    shift, scale : ndarray, shape (p + k,)
    n_rows, n_dropped : int
        Rows read; rows left out for a missing term or because no outcome is there.
    """

    terms: tuple[str, ...]
    outcomes: tuple[str, ...]
    school_column: str
    year_column: str
    school: list[str]
    year: list[str] | None
    pattern: NDArray[np.intp]
    observed: NDArray[np.bool_]
    n: Array
    x: Array
    y: Array
    squares: Array
    packed: Array
    places: NDArray[np.intp]
    shift: Array
    scale: Array
    n_rows: int
    n_dropped: int
    input_hash: str
    levels: Mapping[str, tuple[str, ...]]
    seconds: Mapping[str, float]

    def total(self, rows: NDArray[np.bool_]) -> Array:
        """Cross products of [X | Y] summed over some rows, shape (p + k, p + k)."""
        summed = self.packed[rows].sum(axis=0)[None, :]
        whole: Array = unpack(summed, len(self.places))[0][np.ix_(self.places, self.places)]
        return whole

    def taken(self, rows: NDArray[np.intp]) -> OutcomeScan:
        """Give these rows, in this order."""
        return replace(
            self,
            school=[self.school[row] for row in rows],
            year=None if self.year is None else [self.year[row] for row in rows],
            pattern=self.pattern[rows],
            n=self.n[rows],
            x=self.x[rows],
            y=self.y[rows],
            squares=self.squares[rows],
            packed=self.packed[rows],
        )


def scan_outcomes(
    source: Source,
    outcomes: Sequence[str],
    fixed: str,
    *,
    school: str,
    year: str | None = None,
    levels: Mapping[str, tuple[str, ...]] | None = None,
    input_hash: str | None = None,
    threads: int | None = None,
) -> OutcomeScan:
    """Scan pupils once for several outcomes.

    Raises
    ------
    InputError
        A column is missing or unusable, an outcome is no number or stands twice, or the fixed part
        cannot be read.
    """
    parsed = [_parsed(name, fixed, school) for name in _checked(outcomes)]
    with open_table(source) as table:
        used = dict.fromkeys([name for each in parsed for name in each.columns])
        used |= dict.fromkeys([year] if year else [])
        check_columns(table, tuple(used))
        numbers = [_numbers(table, each) for each in parsed]
        digest = input_hash or table.input_hash(tuple(used))
        joined = " + ".join(f"`{_OUTCOME.format(place)}`" for place in range(1, len(outcomes)))
        formula = parse_formula(
            f"`{_OUTCOME.format(0)}` ~ {fixed} + {joined} + (1 | {_quoted(school)})"
        )
        try:
            cp = cross_products_of(
                _filled(table, numbers),
                formula,
                levels,
                input_hash=digest,
                threads=threads,
                by=[*([year] if year else []), _PATTERN],
            )
        except InputError as error:
            for place, name in enumerate(outcomes):  # people know their own names only
                error.what = error.what.replace(_OUTCOME.format(place), f'"{name}"')
            raise
    return _arranged(cp, tuple(outcomes), school, year)


def _checked(outcomes: Sequence[str]) -> Sequence[str]:
    if isinstance(outcomes, str) or len(outcomes) < 2:
        raise InputError(
            "Several outcomes are two at the least.", mend="Fit one outcome with value_added."
        )
    if len(set(outcomes)) < len(outcomes):
        twice = next(name for name in outcomes if list(outcomes).count(name) > 1)
        raise InputError("The outcome is named twice.", column=twice)
    if len(outcomes) > MOST_OUTCOMES:
        raise InputError(f"{len(outcomes)} outcomes at once; {MOST_OUTCOMES} is the limit.")
    return outcomes


def _quoted(name: str) -> str:
    if "`" in name or not name.strip():
        raise InputError("A column's name cannot be empty or hold a back-quote.", column=name)
    return f"`{name}`"


def _parsed(outcome: str, fixed: str, school: str) -> Formula:
    if "~" in fixed or "|" in fixed:
        raise InputError(
            f'"{fixed}" is more than the fixed part.',
            mend='Write terms alone, such as "prior + sex", or "1" for none.',
        )
    return parse_formula(f"{_quoted(outcome)} ~ {fixed} + (1 | {_quoted(school)})")


def _numbers(table: Table, parsed: Formula) -> ir.NumericValue:
    """Write an outcome as a number, null where it is missing; words are refused by their row."""
    name = parsed.outcome.columns[0]
    column_kinds(table, parsed)
    column = table.rows[name]
    number = (column.try_cast if column.type().is_string() else column.cast)("float64")
    number = ibis.ifelse(number.isnan(), ibis.null("float64"), number)
    found: ir.NumericValue = number
    return found


def _filled(table: Table, numbers: Sequence[ir.NumericValue]) -> Table:
    """Add the outcomes with their holes filled, and the pattern of the holes."""
    sample = table.rows.select(**{f"o{i}": number for i, number in enumerate(numbers)})
    sample = sample.limit(SAMPLE_ROWS)
    try:
        means = table.ask(
            sample.aggregate(**{f"o{i}": sample[f"o{i}"].mean() for i in range(len(numbers))}),
            threads=1,
        ).row(0)
    except InputError:  # an infinite value; the scan names its place
        means = (None,) * len(numbers)
    # Any constant does; one near the mean keeps the digits of the sums.
    constants = [0.0 if mean is None or not np.isfinite(mean) else mean for mean in means]
    pattern = ibis.literal(0)
    added = {}
    for place, (number, constant) in enumerate(zip(numbers, constants, strict=True)):
        added[_OUTCOME.format(place)] = ibis.coalesce(number, float(constant))
        pattern = pattern + ibis.ifelse(number.notnull(), 1 << place, 0)
    return replace(table, rows=table.rows.mutate(**added, **{_PATTERN: pattern}))


def _arranged(
    cp: CrossProducts, outcomes: tuple[str, ...], school: str, year: str | None
) -> OutcomeScan:
    """Put the outcomes last and in order, and leave out the pupils without any."""
    later = [_OUTCOME.format(place) for place in range(1, len(outcomes))]
    terms = [name for name in cp.terms if name not in later]
    of_x = [cp.terms.index(name) for name in terms]
    of_y = [cp.width - 1, *(cp.terms.index(name) for name in later)]
    places = np.array([*of_x, *of_y], dtype=np.intp)
    bits = cp.cells[_PATTERN].cast(int).to_numpy()
    kept = np.flatnonzero(bits > 0)
    if kept.size == 0:
        raise InputError("No pupil has any of these outcomes.", column=outcomes[0])
    values, pattern = np.unique(bits[kept], return_inverse=True)
    first = cp.rows((0,))[kept, 0, :]
    diagonal = np.stack([cp.rows((place,))[kept, 0, place] for place in of_y], axis=1)
    cells = cp.cells[kept]
    n = cp.counts[kept]
    return OutcomeScan(
        terms=(INTERCEPT, *terms[1:]),
        outcomes=outcomes,
        school_column=school,
        year_column=year or "",
        school=cells[school].to_list(),
        year=None if year is None else cells[year].to_list(),
        pattern=pattern.astype(np.intp),
        observed=(values[:, None] >> np.arange(len(outcomes))) % 2 == 1,
        n=n,
        x=first[:, of_x],
        y=first[:, of_y],
        squares=diagonal,
        packed=cp.packed[kept],
        places=places,
        shift=cp.shift[places],
        scale=cp.scale[places],
        n_rows=cp.n_rows,
        n_dropped=cp.n_rows - round(float(n.sum())),
        input_hash=cp.provenance.input_hash,
        levels=cp.levels,
        seconds=cp.seconds,
    )
