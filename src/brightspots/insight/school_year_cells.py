"""From cross products by school and year to the arrays of the solver, and back to data units."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brightspots.core.errors import InputError
from brightspots.insight.cross_products import CrossProducts
from brightspots.insight.design import INTERCEPT
from brightspots.insight.formula import parse_formula
from brightspots.insight.reml import unidentified
from brightspots.insight.school_year_solver import Cells, YearFit
from brightspots.insight.year_labels import check_years

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

MOST_YEARS = 100
_YEAR = re.compile(r"^(\d{1,4})(\.0)?$")
_SPAN = re.compile(r"^(\d{4})\s*[/_\-–]\s*(\d{2}|\d{4})$")
_LEAVE_OUT = "Leave it out of the formula."


@dataclass(frozen=True)
class Layout:
    """Cells in the solver's order with what leads back to names and units.

    Parameters
    ----------
    cells : Cells
        Standardised: (raw - shift) / scale.
    schools : list of str
        In an order given by their figures.
    years : tuple
        Labels, in order of time: whole numbers, or spans as written.
    counts : ndarray of int, shape (T, J)
        Pupils.
    shift, scale : ndarray, shape (k,)
    pupil_sd : float
        SD of the outcome among all pupils of a year, in its own units.
    year_in_formula : bool
    """

    cells: Cells
    schools: list[str]
    years: tuple[int, ...] | tuple[str, ...]
    counts: Integers
    shift: Array
    scale: Array
    pupil_sd: float
    year_in_formula: bool
    sum_log_w: float = 0.0

    @property
    def unit(self) -> float:
        """One standardised unit of the outcome."""
        return float(self.scale[-1])

    def means(self) -> Array:
        """Means of A per cell in data units, shape (T, J, k); without meaning where n = 0."""
        d = np.where(self.cells.root_n > 0, self.cells.root_n, 1.0)
        found: Array = self.cells.F / d[..., None] * self.scale + self.shift
        found[..., 0] = 1.0
        return found

    def in_data_units(self, fit: YearFit) -> tuple[Array, Array, float]:
        """Coefficients, standard errors and criterion in the units of the data."""
        p = self.cells.p
        # beta_raw = back @ beta + (shift of the outcome, 0, ...)
        back = np.diag(self.scale[-1] / self.scale[:p])
        back[0, 1:] = -back.diagonal()[1:] * self.shift[1:p]
        beta = back @ fit.beta
        beta[0] += self.shift[-1]
        covariance = fit.sigma2 * back @ fit.T_xx_inverse @ back.T
        degrees = self.cells.n - p if fit.reml else self.cells.n
        criterion = fit.criterion + 2 * degrees * float(np.log(self.scale[-1])) - self.sum_log_w
        if fit.reml:
            criterion += 2 * float(np.log(self.scale[:p]).sum())
        return beta, np.sqrt(np.diagonal(covariance)), criterion


def year_number(label: str) -> float | None:
    """Read 2024, 2024.0, 2023/24 or 3 as a point in time; None for anything else."""
    text = label.strip()
    found = _YEAR.match(text) or _SPAN.match(text)
    return float(found.group(1)) if found else None


def lay_out(cp: CrossProducts, year: str) -> Layout:
    """Check cross products by school and year and put them in the solver's order.

    Raises
    ------
    InputError
        They were not scanned by year, the formula has more than one random intercept, the years
        are none, or the model cannot be identified.
    """
    school = _school_column(cp, year)
    names = cp.cells[school].to_list()
    written = cp.cells[year].to_list()
    labels, times = read_years(written, cp.counts, year)
    at_year = np.array([times[label] for label in written])
    order_of_time = np.unique(at_year)
    t = np.searchsorted(order_of_time, at_year)
    schools, j = np.unique(np.array(names, dtype=object).astype(str), return_inverse=True)
    _check_size(cp, len(schools), school)
    k = len(cp.terms) + 1
    first = cp.rows((0,))[:, 0, :]
    rank = _by_content(first, t, j, len(schools), len(order_of_time))
    by_cell = np.lexsort((t, rank[j]))
    total = _unpacked_sum(cp.packed[by_cell], k)
    _check_terms(cp, total)
    mean, spread = _centre(total)
    F = (first - first[:, :1] * mean) / spread
    F[:, 0] = first[:, 0]
    root = np.sqrt(first[:, 0])
    shape = (len(order_of_time), len(schools))
    root_n, counts, filled = np.zeros(shape), np.zeros(shape, dtype=np.int64), np.zeros((*shape, k))
    place = (t, rank[j])
    root_n[place] = root
    counts[place] = np.rint(cp.counts).astype(np.int64)
    filled[place] = F / root[:, None]
    flat = filled.transpose(1, 0, 2).reshape(-1, k)
    centre = np.eye(k)
    centre[0, 1:] = -mean[1:]
    whole = centre.T @ total @ centre / np.outer(spread, spread)
    cells = Cells(root_n, filled, whole - flat.T @ flat, order_of_time, int(counts.sum()))
    ordered = np.empty(len(schools), dtype=object)
    ordered[rank] = schools
    return Layout(
        cells=cells,
        schools=[str(name) for name in ordered],
        years=_shown(labels, order_of_time),
        counts=counts,
        shift=cp.shift + cp.scale * mean,
        scale=cp.scale * spread,
        pupil_sd=_pupil_sd(cp, first, t, by_cell),
        year_in_formula=_reads(cp.formula, year),
        sum_log_w=cp.sum_log_w,
    )


def _school_column(cp: CrossProducts, year: str) -> str:
    """Name the one column of schools, or say what is wrong with the cross products."""
    if year not in cp.groups:
        raise InputError(
            f'The pupils were not scanned by "{year}".',
            column=year,
            mend=f'Scan them with cross_products(..., by=("{year}",)).',
        )
    others = [name for name in cp.groups if name != year]
    known = {tuple(others[:1]), (*others[:1], year), (year, *others[:1])}
    plain = all(part.terms == (INTERCEPT,) and part.group in known for part in cp.random)
    if len(others) != 1 or not plain or not any(part.group == (others[0],) for part in cp.random):
        raise InputError(
            "School and school-year effects go with one random intercept.",
            mend='Write one, such as "(1 | school)"; the years come by themselves.',
        )
    return others[0]


def read_years(
    written: list[str], counts: Array, column: str
) -> tuple[dict[float, str], dict[str, float]]:
    """Time -> label and label -> time of the distinct labels.

    Raises
    ------
    InputError
        A label is no year, or two labels are the same.
    """
    weight: dict[str, float] = {}
    for label, n in zip(written, counts, strict=True):
        weight[label] = weight.get(label, 0.0) + float(n)
    labels = sorted(weight, key=lambda label: (-weight[label], label))
    fault = check_years(labels, MOST_YEARS)
    if fault is not None:
        raise InputError(fault.what, column=column, mend=fault.mend)
    back: dict[float, str] = {}
    times: dict[str, float] = {}
    for label in labels:
        when = year_number(label)
        if when is None:
            raise InputError(
                f'"{label}" is not a year.', column=column, mend="Write 2024, 2023/24 or 1, 2, 3."
            )
        if when in back:
            raise InputError(
                f'"{back[when]}" and "{label}" are the same year.',
                column=column,
                mend="Write each year in one way.",
            )
        back[when] = label
        times[label] = when
    return back, times


def _shown(labels: dict[float, str], times: Array) -> tuple[int, ...] | tuple[str, ...]:
    if all(_YEAR.match(label.strip()) for label in labels.values()):
        return tuple(int(when) for when in times)
    return tuple(labels[float(when)] for when in times)


def _check_size(cp: CrossProducts, schools: int, column: str) -> None:
    n, p = cp.n_pupils, len(cp.terms)
    if schools < 2:
        raise InputError(
            f'All pupils are in one group of "{column}"; comparing needs two at the least.',
            column=column,
        )
    if n <= p:
        raise InputError(f"{n} pupils are too few for a model with {p} terms.")
    if len(cp.packed) >= n:
        raise InputError(
            "Every school has one pupil a year; its share cannot be told from the pupil's.",
            column=column,
        )


def _by_content(first: Array, t: NDArray[np.intp], j: NDArray[np.intp], J: int, T: int) -> Integers:
    """Rank of each school by its figures, so that names decide nothing but ties of equals."""
    keys = np.zeros((2 * T, J))
    keys[t, j] = first[:, 0]
    keys[T + t, j] = first[:, -1]
    rank = np.empty(J, dtype=np.int64)
    rank[np.lexsort(keys)] = np.arange(J)
    return rank


def _unpacked_sum(packed: Array, k: int) -> Array:
    whole = np.zeros((k, k))
    upper = np.triu_indices(k)
    whole[upper] = packed.sum(axis=0)
    whole.T[upper] = whole[upper]
    return whole


def _check_terms(cp: CrossProducts, total: Array) -> None:
    left = total[-1, -1] - total[0, -1] ** 2 / total[0, 0]
    # The raw size of the outcome says what its rounding is: 1e9 everywhere is constant.
    size = total[-1, -1] + total[0, 0] * (cp.shift[-1] / cp.scale[-1]) ** 2
    if left <= 1e-20 * size or left <= 0:
        raise InputError("The outcome is the same for every pupil.", column=cp.outcome)
    found = unidentified(total, (*cp.terms, cp.outcome))
    if not found:
        return
    term, causes = found[0]
    if term == cp.outcome:
        raise InputError("The terms explain the outcome entirely.", column=cp.outcome)
    if causes == [cp.terms[0]]:
        raise InputError(f'The term "{term}" is the same for every pupil.', mend=_LEAVE_OUT)
    raise InputError(
        f'The term "{term}" cannot be identified: {", ".join(causes)} already say the same.',
        mend=_LEAVE_OUT,
    )


def _centre(total: Array) -> tuple[Array, Array]:
    """Mean and spread of each column of A; 0 and 1 for the intercept."""
    mean = total[0] / total[0, 0]
    mean[0] = 0.0
    spread = np.sqrt(np.maximum(np.diagonal(total) / total[0, 0] - mean**2, 0.0))
    spread[0] = 1.0
    return mean, spread


def _pupil_sd(
    cp: CrossProducts, first: Array, t: NDArray[np.intp], by_cell: NDArray[np.intp]
) -> float:
    """sqrt(sum of squares about the years' means / (pupils - years)); weights scaled to pupils."""
    t = t[by_cell]
    squares, sums, weight = (
        np.bincount(t, values[by_cell]) for values in (cp.packed[:, -1], first[:, -1], first[:, 0])
    )
    about = float((squares - sums**2 / weight).sum())
    pupils = float(cp.n_pupils)
    about *= pupils / float(weight.sum())
    return float(cp.scale[-1]) * float(np.sqrt(max(about, 0.0) / (pupils - len(weight))))


def _reads(formula: str, column: str) -> bool:
    """Tell whether the fixed part of a formula reads a column."""
    return any(
        column in variable.columns for term in parse_formula(formula).terms for variable in term
    )
