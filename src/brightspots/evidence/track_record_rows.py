"""Projects and settings of a track record, read and checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from brightspots.core.errors import InputError

__all__ = ["ProjectRows", "TrackRecordParameters", "read_projects"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class TrackRecordParameters:
    """Settings of :func:`track_record`.

    Parameters
    ----------
    by : str or None
        Column of the priority; None for records that are not told apart.
    who : str
        Column of the leader; "practice" for the records of practices.
    sd_leader, sd_leader_priority, sd_project : float
        What is believed, before any data, of how far leaders lie apart, a leader's priorities,
        and a leader's projects in one priority; SD of pupils.
    prior_weight : float
        How many groups' worth of evidence that belief counts for; 0 is plain REML. With few
        projects REML often finds no differences at all, and nothing would ever be learnt.
    known : bool
        Take the three SDs as known, and estimate none of them.
    prior_mean, prior_mean_sd : float
        Of the mean, where there are fewer than 2 measured projects.
    own_mean_from : int
        Measured projects a priority needs for a mean of its own; those with fewer share one.
    covariates : tuple of str
        Columns of `about`, see :func:`track_record`, by which a leader's gain may be expected
        before there is any record, such as the effect of the own school.
    sd_covariate : float
        What is believed, before any data, of the change in gain for one SD of a covariate, around
        0; SD of pupils.
    confidence : float
        Of the intervals.

    Raises
    ------
    InputError
        A setting outside its range.
    """

    by: str | None = "priority"
    who: str = "leader"
    sd_leader: float = 0.07
    sd_leader_priority: float = 0.07
    sd_project: float = 0.05
    prior_weight: float = 4.0
    known: bool = False
    prior_mean: float = 0.0
    prior_mean_sd: float = 0.1
    own_mean_from: int = 10
    covariates: tuple[str, ...] = ()
    sd_covariate: float = 0.05
    confidence: float = 0.95

    def __post_init__(self) -> None:
        sds = ("sd_leader", "sd_leader_priority", "sd_project", "prior_mean_sd", "sd_covariate")
        for name in sds:
            value = getattr(self, name)
            if not (np.isfinite(value) and 0 <= value <= 5):
                raise InputError(
                    f"{name} is {value}; it must be from 0 to 5.", mend="Its unit is SD of pupils."
                )
        if not (np.isfinite(self.prior_weight) and 0 <= self.prior_weight <= 1000):
            raise InputError(f"prior_weight is {self.prior_weight}; it must be from 0 to 1000.")
        if self.prior_weight > 0 and not self.known and min(self.sds) == 0:
            raise InputError(
                "A belief that there are no differences at all cannot be weighed against data.",
                mend="Give SDs above 0, prior_weight 0 for plain REML, or known=True.",
            )
        if not 0 < self.confidence < 1:
            raise InputError(f"confidence is {self.confidence}; it must lie between 0 and 1.")
        if self.sd_covariate == 0:
            raise InputError("sd_covariate is 0.", mend="Leave the covariates out instead.")
        if not np.isfinite(self.prior_mean) or self.own_mean_from < 1:
            raise InputError("prior_mean has to be a number, own_mean_from at least 1.")

    @property
    def sds(self) -> tuple[float, float, float]:
        """SDs in the order of `PARTS`."""
        return self.sd_project, self.sd_leader_priority, self.sd_leader


@dataclass(frozen=True)
class ProjectRows:
    """Projects in an order that only their figures decide within a leader and priority."""

    leaders: list[str]
    priorities: list[str]
    leader: Ints
    priority: Ints
    effect: Floats
    se: Floats
    n_all: Ints
    """Projects by leader and priority, measured or not; shape (leaders, priorities)."""
    covariates: Floats
    """Shape (leaders, priorities, covariates); mean 0 and SD 1 over those that are known."""


def read_projects(
    projects: pl.DataFrame,
    p: TrackRecordParameters,
    leaders: Sequence[str],
    more: Sequence[str],
    about: pl.DataFrame | None,
) -> ProjectRows:
    """Read and check the projects; `leaders` and `more` priorities may have none."""
    for name in (p.who, "effect", "se", *([] if p.by is None else [p.by])):
        if name not in projects.columns:
            found = ", ".join(projects.columns) or "none"
            raise InputError(
                "This column is needed and not there.", column=name, mend=f"Columns: {found}."
            )
    who = _names(projects, p.who)
    by = ["all"] * projects.height if p.by is None else _names(projects, p.by)
    effect, se = (_numbers(projects, name) for name in ("effect", "se"))
    lone = np.flatnonzero(np.isnan(effect) != np.isnan(se))
    if len(lone):
        raise InputError(
            "An effect and its standard error have to stand together.", row=int(lone[0]) + 2,
            column="se", mend="Give both, or leave both empty if it could not be measured.",
        )  # fmt: skip
    bad = np.flatnonzero(se <= 0)
    if len(bad):
        raise InputError(
            f"A standard error of {se[bad[0]]:g}.", row=int(bad[0]) + 2, column="se",
            mend="It has to be above 0: no project is measured without error.",
        )  # fmt: skip
    if p.covariates and about is None:
        raise InputError("Covariates are named, but nothing is told about anybody.")
    known = _about(about, p) if about is not None and p.covariates else []
    codes = sorted({*who, *leaders, *(name for name, _, _ in known)})
    kinds = sorted({*by, *more, *(kind for _, kind, _ in known)})
    if not codes or not kinds:
        raise InputError(
            f"There is no project and no {p.who}.", mend="Give projects, or who could lead them."
        )
    place = {code: at for at, code in enumerate(codes)}
    kind = {name: at for at, name in enumerate(kinds)}
    i = np.array([place[name] for name in who], dtype=np.int64)
    k = np.array([kind[name] for name in by], dtype=np.int64)
    n_all = np.bincount(i * len(kinds) + k, minlength=len(codes) * len(kinds))
    told = np.full((len(codes), len(kinds), len(p.covariates)), np.nan)
    for name, each, values in known:
        told[place[name], kind[each]] = values
    seen = np.flatnonzero(~np.isnan(effect))
    order = seen[np.lexsort((se[seen], effect[seen], k[seen], i[seen]))]
    return ProjectRows(codes, kinds, i[order], k[order], effect[order], se[order],
                 n_all.reshape(len(codes), len(kinds)).astype(np.int64),
                 _standardised(told))  # fmt: skip


def _about(about: pl.DataFrame, p: TrackRecordParameters) -> list[tuple[str, str, list[float]]]:
    """Read who, which priority, and the covariates."""
    for name in (p.who, *p.covariates, *([] if p.by is None else [p.by])):
        if name not in about.columns:
            raise InputError(
                "This column is needed and not there.", file="about", column=name,
                mend=f"Give one row for each {p.who}{'' if p.by is None else ' and ' + p.by}.",
            )  # fmt: skip
    by = ["all"] * about.height if p.by is None else _names(about, p.by)
    values = np.column_stack([_numbers(about, name) for name in p.covariates])
    return list(zip(_names(about, p.who), by, values.tolist(), strict=True))


def _standardised(told: Floats) -> Floats:
    """Mean 0 and SD 1 over what is known; what is not known is taken to be average."""
    out = np.zeros_like(told)
    for at in range(told.shape[2]):
        known = ~np.isnan(told[:, :, at])
        values = told[:, :, at][known]
        if len(values) > 1 and values.std() > 0:
            out[:, :, at][known] = (values - values.mean()) / values.std()
    return out


def _names(frame: pl.DataFrame, column: str) -> list[str]:
    values = frame[column].cast(pl.String).str.strip_chars().fill_null("").to_list()
    if "" in values:
        raise InputError(
            "This is empty.", row=values.index("") + 2, column=column, mend="Give a name or code."
        )
    return values


def _numbers(frame: pl.DataFrame, column: str) -> Floats:
    try:
        values = frame[column].cast(pl.Float64, strict=True).to_numpy().astype(np.float64)
    except pl.exceptions.InvalidOperationError as error:
        raise InputError(
            "There is something that is not a number.", column=column, mend="Leave it empty."
        ) from error
    wrong = np.flatnonzero(np.isinf(values))
    if len(wrong):
        raise InputError("This is no finite number.", row=int(wrong[0]) + 2, column=column)
    return values
