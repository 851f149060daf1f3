"""Compute a run again from what it was made from, and say whether its figures come out the same."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isclose
from typing import Any

from django.db import models

from brightspots_web.insight.actions import Findings
from brightspots_web.insight.models import Run

KEYS: Mapping[str, tuple[str, ...]] = {
    "estimate": ("school_id", "subject", "year"),
    "family": ("school_id",),
    "areafigure": ("area_id", "subject", "year"),
    "variance": ("subject", "year", "tier"),
    "subgroupfigure": ("school_id", "subject", "dimension", "group"),
    "sensitivity": ("school_id", "subject", "variant"),
    "partnershipfigure": ("partnership_id", "subject", "year"),
    "spreadtrend": ("subject", "tier", "area_id", "partnership_id"),
}
TOLERANCE = 1e-9
"""Relative; sums taken by several threads differ in the last digits of a float."""
SHOWN = 5


@dataclass(frozen=True)
class Comparison:
    """How published figures and those computed again agree."""

    rows: int
    figures: int
    same_input: bool
    same_version: bool
    differences: list[str] = field(default_factory=list)
    """At most SHOWN of them in words; `different` counts all."""
    different: int = 0

    @property
    def equal(self) -> bool:
        return self.same_input and self.different == 0 and self.rows > 0


def verify(run: Run, progress: Callable[[float, str], None]) -> Comparison:
    """Recompute a run. Raises CannotError where its inputs are not kept any more."""
    from brightspots_web.insight import analysis  # heavy: the pages do not need it
    from brightspots_web.insight.analysis.compute import METHOD_VERSION

    progress(0.01, "Reading what the run was made from")
    inputs = analysis.kept(run)
    findings = analysis.compute(inputs, analysis.Settings.of(run.settings), progress)
    progress(0.92, "Comparing")
    return compare(run, findings, same_version=run.method_version == METHOD_VERSION)


def compare(run: Run, findings: Findings, *, same_version: bool = True) -> Comparison:
    rows = figures = different = 0
    words: list[str] = []
    for model, again in findings.tables():
        found = _compare_table(model, run, again)
        rows, figures, different = rows + found[0], figures + found[1], different + found[2]
        words += found[3]
    same_input = run.input_hash == findings.input_hash
    return Comparison(rows, figures, same_input, same_version, words[:SHOWN], different)


def _compare_table(
    model: type[models.Model], run: Run, again: Any
) -> tuple[int, int, int, list[str]]:
    keys = KEYS[str(model._meta.model_name)]
    expected = {tuple(row[key] for key in keys): row for row in again}
    columns = [name for name in next(iter(expected.values()), {}) if name not in keys]
    rows = figures = different = 0
    words: list[str] = []
    published = model._default_manager.filter(run=run).values(*keys, *columns)
    for row in published.iterator(chunk_size=5000):
        rows += 1
        key = tuple(row[name] for name in keys)
        other = expected.pop(key, None)
        if other is None:
            different += 1
            words.append(f"{model._meta.verbose_name} {key} is not found again")
            continue
        for name in columns:
            figures += 1
            if not _same(row[name], other[name]):
                different += 1
                words.append(f"{model._meta.verbose_name} {key} {name}: {row[name]} {other[name]}")
    different += len(expected)
    words += [f"{model._meta.verbose_name} {key} is new" for key in list(expected)[:SHOWN]]
    return rows, figures, different, words[:SHOWN]


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return isclose(a, b, rel_tol=TOLERANCE, abs_tol=1e-12) or (a != a and b != b)
    return bool(a == b)
