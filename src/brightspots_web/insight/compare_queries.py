"""How the figures of two analyses differ: read once, worked out here, shown in `compare_pages`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import sqrt

from brightspots_web.insight.models import Estimate, Run

LARGEST = 15
"""Schools listed with the largest shifts of an outcome."""


@dataclass(frozen=True)
class Moved:
    """One school in both analyses: what lasts, pupil SD."""

    code: str
    name: str
    n: int
    before: float
    after: float
    se: float
    """Comparative standard error in the analysis after."""
    label_before: str
    label_after: str

    @property
    def shift(self) -> float:
        return self.after - self.before

    @property
    def in_errors(self) -> float:
        """The shift in standard errors: how much it is against what nobody can tell anyway."""
        return abs(self.shift) / self.se if self.se > 0 else 0.0


@dataclass(frozen=True)
class Outcome:
    """One outcome in both analyses."""

    subject: str
    schools: int
    only_before: int
    only_after: int
    correlation: float | None
    mean_shift: float
    typical_shift: float
    """Root mean square, pupil SD."""
    beyond: int
    """Schools whose figure moved by more than its standard error."""
    moved: tuple[Moved, ...] = field(repr=False, default=())

    @property
    def largest(self) -> list[Moved]:
        return sorted(self.moved, key=lambda m: (-abs(m.shift), m.code))[:LARGEST]

    @property
    def gained(self) -> list[Moved]:
        """Schools that the analysis after flags and the one before does not."""
        return [m for m in self.moved if m.label_after and not m.label_before]

    @property
    def lost(self) -> list[Moved]:
        return [m for m in self.moved if m.label_before and not m.label_after]


def compare(before: Run, after: Run) -> list[Outcome]:
    """Outcomes that both analyses have, in the order of the one after."""
    known = before.summary.get("outcomes", {})
    both = [name for name in after.summary.get("outcomes", {}) if name in known]
    return [_outcome(name, _lasting(before, name), _lasting(after, name)) for name in both]


def _lasting(run: Run, subject: str) -> dict[str, Estimate]:
    rows = Estimate.objects.filter(run=run, subject=subject, year=None).select_related("school")
    return {row.school.code: row for row in rows}


def _outcome(subject: str, before: dict[str, Estimate], after: dict[str, Estimate]) -> Outcome:
    shared = sorted(before.keys() & after.keys())
    moved = tuple(
        Moved(
            code=code,
            name=after[code].school.name,
            n=after[code].n,
            before=before[code].estimate,
            after=after[code].estimate,
            se=after[code].se_comparative,
            label_before=before[code].label,
            label_after=after[code].label,
        )
        for code in shared
    )
    shifts = [m.shift for m in moved]
    count = max(len(shifts), 1)
    return Outcome(
        subject=subject,
        schools=len(moved),
        only_before=len(before) - len(moved),
        only_after=len(after) - len(moved),
        correlation=correlation([m.before for m in moved], [m.after for m in moved]),
        mean_shift=sum(shifts) / count,
        typical_shift=sqrt(sum(shift * shift for shift in shifts) / count),
        beyond=sum(m.in_errors > 1 for m in moved),
        moved=moved,
    )


def correlation(x: Sequence[float], y: Sequence[float]) -> float | None:
    """Pearson's; None where fewer than three pairs or one side is constant."""
    n = len(x)
    if n < 3:
        return None
    mean_x, mean_y = sum(x) / n, sum(y) / n
    xx = sum((a - mean_x) ** 2 for a in x)
    yy = sum((b - mean_y) ** 2 for b in y)
    if xx <= 0 or yy <= 0:
        return None
    return sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / sqrt(xx * yy)
