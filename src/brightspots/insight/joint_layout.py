"""From a scan of several outcomes to the sums of the solver, and back to data units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brightspots.core.errors import InputError
from brightspots.insight.joint_scan import OutcomeScan
from brightspots.insight.joint_solver import JointFit, JointSums, PatternSums
from brightspots.insight.reml import unidentified
from brightspots.insight.school_year_cells import read_years

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class JointLayout:
    """Standardised sums with what leads back to names and units.

    Parameters
    ----------
    sums : JointSums
    schools : list of str
        In an order given by their figures.
    counts, years : ndarray of int, shape (J, k)
        Pupils of a school with an outcome, and years in which it has some.
    x_shift, x_scale : ndarray, shape (p,)
    y_shift, y_scale : ndarray, shape (k,)
    pupil_sd : ndarray, shape (k,)
        SD of each outcome among all pupils (of a year), in its own units.
    per_outcome : ndarray of int, shape (k,)
        Pupils with each outcome.
    """

    sums: JointSums
    schools: list[str]
    counts: Integers
    years: Integers
    x_shift: Array
    x_scale: Array
    y_shift: Array
    y_scale: Array
    pupil_sd: Array
    per_outcome: Integers

    def criterion(self, fit: JointFit) -> float:
        """Give the criterion in the units of the data."""
        n = self.per_outcome - (self.sums.p if fit.reml else 0)
        moved = fit.criterion + 2 * float(n @ np.log(self.y_scale))
        if fit.reml:
            moved += 2 * self.sums.k * float(np.log(self.x_scale).sum())
        return moved

    def back(self) -> Array:
        """Coefficients of one outcome in data units = back @ standardised, per unit of outcome."""
        p = self.sums.p
        matrix = np.diag(1 / self.x_scale)
        matrix[0, 1:] = -self.x_shift[1:] / self.x_scale[1:]
        return matrix.reshape(p, p)

    def coefficients(self, fit: JointFit) -> tuple[Array, Array]:
        """Coefficients (k, p) and their covariance (k p, k p) in data units."""
        p, k = self.sums.p, self.sums.k
        whole = np.kron(np.diag(self.y_scale), self.back())
        beta = (whole @ fit.beta).reshape(k, p)
        beta[:, 0] += self.y_shift
        return beta, whole @ fit.T_xx_inverse @ whole.T

    def covariance(self, Sigma: Array) -> Array:
        """Put a covariance of outcomes in data units."""
        found: Array = Sigma * np.outer(self.y_scale, self.y_scale)
        return found


def lay_out_outcomes(scan: OutcomeScan) -> JointLayout:
    """Check a scan, standardise it and order it by content.

    Raises
    ------
    InputError
        An outcome or a term cannot be used, or two outcomes cannot be told apart or together.
    """
    p, k = len(scan.terms), len(scan.outcomes)
    schools, school = np.unique(np.array(scan.school).astype(str), return_inverse=True)
    year = np.zeros(len(school), dtype=np.int64)
    if scan.year is not None:
        times = read_years(scan.year, scan.n, scan.year_column)[1]
        year = np.unique([times[label] for label in scan.year], return_inverse=True)[1]
    seen = scan.observed[scan.pattern]
    _check_outcomes(scan, seen, school, year, len(schools))
    rank = _by_content(scan, seen, school, len(schools))
    order = np.lexsort((scan.pattern, year, rank[school]))
    scan, seen, unit, year = scan.taken(order), seen[order], rank[school][order], year[order]
    names = np.empty(len(schools), dtype=object)
    names[rank] = schools
    full = {i: scan.total(scan.pattern == i) for i in range(len(scan.observed))}
    whole = sum(full.values(), np.zeros((p + k, p + k)))
    x_mean, x_spread = _centre(whole[:p, :p])
    y_mean, y_spread = _outcome_units(scan, full)
    mean, spread = np.append(x_mean, y_mean), np.append(x_spread, y_spread)
    cell_key = unit * (int(year.max()) + 1) + year
    cells, cell = np.unique(cell_key, return_inverse=True)
    parts = [
        _pattern(scan, scan.observed[i], np.flatnonzero(scan.pattern == i), cell, S, mean, spread)
        for i, S in full.items()
    ]
    sums = JointSums(
        patterns=tuple(parts),
        p=p,
        k=k,
        cells=len(cells),
        schools=len(schools),
        parent=None if scan.year is None else cells // (int(year.max()) + 1),
    )
    _check_together(scan, sums)
    counts, years = _counts(scan, seen, unit, year, len(schools))
    return JointLayout(
        sums=sums,
        schools=[str(name) for name in names],
        counts=counts,
        years=years,
        x_shift=scan.shift[:p] + scan.scale[:p] * x_mean,
        x_scale=scan.scale[:p] * x_spread,
        y_shift=scan.shift[p:] + scan.scale[p:] * y_mean,
        y_scale=scan.scale[p:] * y_spread,
        pupil_sd=_pupil_sd(scan, seen, year),
        per_outcome=counts.sum(axis=0),
    )


def _centre(total: Array) -> tuple[Array, Array]:
    mean = total[0] / total[0, 0]
    mean[0] = 0.0
    spread = np.sqrt(np.maximum(np.diagonal(total) / total[0, 0] - mean**2, 0.0))
    spread[0] = 1.0
    return mean, spread


def _with(scan: OutcomeScan, full: dict[int, Array], *outcomes: int) -> Array:
    """Cross products of [X | Y] over the pupils who have all of these outcomes."""
    size = len(scan.terms) + len(scan.outcomes)
    found = [S for i, S in full.items() if scan.observed[i][list(outcomes)].all()]
    return sum(found, np.zeros((size, size)))


def _outcome_units(scan: OutcomeScan, full: dict[int, Array]) -> tuple[Array, Array]:
    """Mean and spread of each outcome; refuses an outcome or a term that cannot be used."""
    p = len(scan.terms)
    mean, spread = np.empty(len(scan.outcomes)), np.empty(len(scan.outcomes))
    for place, name in enumerate(scan.outcomes):
        S = _with(scan, full, place)
        at = p + place
        if S[0, 0] <= p:
            raise InputError(
                f"{int(S[0, 0])} pupils are too few for a model with {p} terms.", column=name
            )
        mean[place] = S[0, at] / S[0, 0]
        variance = S[at, at] / S[0, 0] - mean[place] ** 2
        size = S[at, at] / S[0, 0] + (scan.shift[at] / scan.scale[at]) ** 2
        if variance <= 1e-20 * size or variance <= 0:
            raise InputError("The outcome is the same for every pupil.", column=name)
        spread[place] = np.sqrt(variance)
        chosen = [*range(p), at]
        found = unidentified(S[np.ix_(chosen, chosen)], (*scan.terms, name))
        if not found:
            continue
        term, causes = found[0]
        if term == name:
            raise InputError("The terms explain the outcome entirely.", column=name)
        reason = f"{', '.join(causes)} already say the same"
        if causes == [scan.terms[0]]:
            reason = "it is the same for every pupil"
        raise InputError(
            f'The term "{term}" cannot be identified among the pupils with "{name}": {reason}.',
            mend="Leave it out of the fixed part.",
        )
    return mean, spread


def _check_outcomes(
    scan: OutcomeScan, seen: NDArray[np.bool_], school: Integers, year: Integers, schools: int
) -> None:
    if schools < 2:
        raise InputError(
            f'All pupils are in one group of "{scan.school_column}"; comparing needs two.',
            column=scan.school_column,
        )
    place = school * (int(year.max()) + 1) + year
    for at, name in enumerate(scan.outcomes):
        rows = seen[:, at]
        if not rows.any():
            raise InputError("No pupil has this outcome.", column=name)
        units = np.unique(place[rows])
        if len(units) >= scan.n[rows].sum():
            raise InputError(
                "Every school has one pupil with this outcome; its share cannot be told apart.",
                column=name,
            )
        if len(np.unique(school[rows])) < 2:
            raise InputError("Only one school has this outcome.", column=name)
        if scan.year is not None and len(units) == len(np.unique(school[rows])):
            raise InputError(
                "No school has this outcome in two years, so what lasts cannot be told from what "
                "passes.",
                column=name,
                mend="Leave year out, or are schools named in the same way every year?",
            )


def _check_together(scan: OutcomeScan, sums: JointSums) -> None:
    """Refuse pairs of outcomes whose covariance nothing shows, and outcomes that say the same."""
    k, p = sums.k, sums.p
    in_cell = np.zeros((k, sums.cells), dtype=bool)
    parent = np.arange(sums.cells) if sums.parent is None else sums.parent
    for part in sums.patterns:
        in_cell[np.ix_(np.flatnonzero(part.observed), part.cell)] = True
    for i in range(k):
        for j in range(i):
            first, second = scan.outcomes[j], scan.outcomes[i]
            both = [part for part in sums.patterns if part.observed[[i, j]].all()]
            schools = set(parent[in_cell[i]]) & set(parent[in_cell[j]])
            if not schools:
                raise InputError(
                    f'No school has both "{first}" and "{second}"; how they go together in schools '
                    "cannot be told.",
                    mend="Fit them apart.",
                )
            if sum(part.pupils for part in both) <= p + 2:
                raise InputError(
                    f'Too few pupils have both "{first}" and "{second}"; how they go together in a '
                    "pupil cannot be told.",
                    mend="Fit them apart.",
                )
            S = sum((part.S for part in both), np.zeros((p + k, p + k)))
            chosen = [*range(p), p + j, p + i]
            pair = unidentified(S[np.ix_(chosen, chosen)], (*scan.terms, first, second), 1e-9)
            if any(term == second for term, _ in pair):
                raise InputError(
                    f'The outcomes "{first}" and "{second}" say the same, given the terms.',
                    mend="Keep one of them.",
                )
    S = sum((part.S for part in sums.patterns if part.observed.all()), np.zeros((p + k, p + k)))
    if S[0, 0] > p + k:
        found = unidentified(S, (*scan.terms, *scan.outcomes), 1e-9)
        wrong = [(term, causes) for term, causes in found if term in scan.outcomes]
        if wrong:
            raise InputError(
                f'The outcome "{wrong[0][0]}" follows from {", ".join(wrong[0][1])}.',
                mend="Leave one of them out.",
            )


def _by_content(
    scan: OutcomeScan, seen: NDArray[np.bool_], school: Integers, schools: int
) -> Integers:
    """Rank of each school by its figures, so that names decide nothing but ties of equals."""
    keys = [np.bincount(school, scan.n, schools)]
    for at in range(seen.shape[1]):
        values = np.where(seen[:, at], scan.y[:, at], 0.0)
        keys.append(np.bincount(school, np.where(seen[:, at], scan.n, 0.0), schools))
        keys.append(np.bincount(school, values, schools))
    rank = np.empty(schools, dtype=np.int64)
    rank[np.lexsort(keys)] = np.arange(schools)
    return rank


def _pattern(
    scan: OutcomeScan,
    observed: NDArray[np.bool_],
    rows: NDArray[np.intp],
    cell: Integers,
    S: Array,
    mean: Array,
    spread: Array,
) -> PatternSums:
    p = len(scan.terms)
    n = scan.n[rows]
    x = (scan.x[rows] - n[:, None] * mean[:p]) / spread[:p]
    x[:, 0] = n
    y = np.where(observed, (scan.y[rows] - n[:, None] * mean[p:]) / spread[p:], 0.0)
    centre = np.eye(len(mean))
    centre[0, 1:] = -mean[1:]
    moved = centre.T @ S @ centre / np.outer(spread, spread)
    keep = np.append(np.ones(p, dtype=bool), observed)
    moved[~keep, :] = 0.0
    moved[:, ~keep] = 0.0
    return PatternSums(observed, cell[rows].astype(np.intp), n, x, y, moved)


def _counts(
    scan: OutcomeScan, seen: NDArray[np.bool_], unit: Integers, year: Integers, schools: int
) -> tuple[Integers, Integers]:
    k = seen.shape[1]
    counts, years = np.zeros((schools, k), np.int64), np.zeros((schools, k), np.int64)
    size = int(year.max()) + 1
    for at in range(k):
        rows = seen[:, at]
        counts[:, at] = np.rint(np.bincount(unit[rows], scan.n[rows], schools)).astype(np.int64)
        cells = np.unique(unit[rows] * size + year[rows])
        years[:, at] = np.bincount(cells // size, minlength=schools)
    return counts, years


def _pupil_sd(scan: OutcomeScan, seen: NDArray[np.bool_], year: Integers) -> Array:
    """sqrt(sum of squares about the years' means / (pupils - years)) of each outcome."""
    p = len(scan.terms)
    found = np.empty(seen.shape[1])
    for at in range(seen.shape[1]):
        rows = seen[:, at]
        n = np.bincount(year[rows], scan.n[rows])
        there = n > 0
        sums = np.bincount(year[rows], scan.y[rows, at])[there]
        squares = np.bincount(year[rows], scan.squares[rows, at])[there]
        about = float((squares - sums**2 / n[there]).sum())
        found[at] = scan.scale[p + at] * np.sqrt(max(about, 0.0) / (n.sum() - there.sum()))
    return found
