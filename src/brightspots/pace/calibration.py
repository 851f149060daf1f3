"""Calibration: whether intervals cover and false discovery rates hold where the truth is known.

Systems are simulated by the twin and go through the real pipeline: pupils' rows, cross products,
effects of schools and school-years, bright spots, needs.
"""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from brightspots.core.errors import InputError
from brightspots.insight import bright_spots, cross_products, needs, school_years, value_added
from brightspots.pace.calibration_scores import THIRDS, Score, ratio, score_systems
from brightspots.pace.calibration_systems import SETTINGS, Setting, make_system

METHOD_VERSION: Final = "1"
BATCH: Final = 10
"""Systems of a kind that are scanned together; what a process takes at a time."""
_DIGITS: Final = 6

Key = tuple[str, int]
Progress = Callable[[float, str], None]


def versions() -> dict[str, str]:
    """Versions of every method that has a say in the figures."""
    return {
        "calibration": METHOD_VERSION,
        "cross products": cross_products.METHOD_VERSION,
        "value added": value_added.METHOD_VERSION,
        "school years": school_years.METHOD_VERSION,
        "bright spots": bright_spots.METHOD_VERSION,
        "needs": needs.METHOD_VERSION,
    }


@dataclass(frozen=True)
class CalibrationParameters:
    """Settings of :func:`calibrate`.

    Parameters
    ----------
    systems : int
        Simulated systems of each setting; at least 2.
    settings : tuple of str
        Names of the settings; all by default.
    workers : int or None
        Processes; None takes one a core. The figures do not depend on it.
    """

    systems: int = 200
    settings: tuple[str, ...] = tuple(each.name for each in SETTINGS)
    workers: int | None = None

    def __post_init__(self) -> None:
        if not 2 <= self.systems <= 100_000:
            raise InputError(
                f"{self.systems} systems cannot be done.",
                mend="Simulate 2 or more; 200 by default.",
            )
        known = [each.name for each in SETTINGS]
        for name in self.settings:
            if name not in known:
                raise InputError(
                    f'There is no setting "{name}".', mend=f"There are: {', '.join(known)}."
                )
        if not self.settings or (self.workers is not None and self.workers < 1):
            raise InputError("At least one setting and one process are needed.")

    @property
    def chosen(self) -> list[Setting]:
        """The settings, in the order of the table."""
        return [each for each in SETTINGS if each.name in self.settings]


def calibrate(
    parameters: CalibrationParameters,
    seed: int,
    *,
    kept: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Simulate, estimate, count.

    Parameters
    ----------
    parameters : CalibrationParameters
    seed : int
        System i of a setting depends on the seed, the setting and i alone.
    kept : Path, optional
        File of finished systems, added to as they finish. What is in it is not done again, so a
        run that was stopped goes on; systems of another seed or version in it are passed over.
    progress : callable, optional

    Returns
    -------
    dict
        In JSON types: versions, seed, systems, and for each setting its figures, see
        :func:`figures`. The same whatever was kept and however many processes worked.
    """
    words = {each.name: each.words for each in parameters.chosen}
    want = [(each.name, i) for each in parameters.chosen for i in range(parameters.systems)]
    done = _read_kept(kept, seed) if kept else {}
    # Whole batches, always cut in the same places: sums of a scan do not depend on what was kept.
    batches = [
        (each, batch)
        for each in parameters.chosen
        for batch in _batches(parameters.systems)
        if any((each.name, i) not in done for i in batch)
    ]
    for key, score in _scores(batches, seed, parameters.workers, kept):
        done[key] = score
        if progress:
            progress(sum(k in done for k in want) / len(want), words[key[0]])
    return {
        "versions": versions(),
        "seed": seed,
        "systems": parameters.systems,
        "settings": [
            {
                "name": each.name,
                "words": each.words,
                "n_schools": each.twin.n_schools,
                "n_years": each.twin.n_years,
                **figures([done[each.name, i] for i in range(parameters.systems)]),
            }
            for each in parameters.chosen
        ],
    }


def scores_of(
    setting: Setting, systems: int, seed: int, *, workers: int | None = None
) -> list[Score]:
    """Score systems of one setting, also of one that is not in the table; in their order."""
    batches = [(setting, batch) for batch in _batches(systems)]
    found = dict(_scores(batches, seed, workers, None))
    return [found[setting.name, i] for i in range(systems)]


def _batches(systems: int) -> list[range]:
    return [range(start, min(start + BATCH, systems)) for start in range(0, systems, BATCH)]


def _scores(
    batches: Sequence[tuple[Setting, range]], seed: int, workers: int | None, kept: Path | None
) -> Iterator[tuple[Key, Score]]:
    """Score systems in batches, and keep each batch when it is there."""
    count = min(workers or os.cpu_count() or 1, len(batches))
    if count <= 1:
        for setting, batch in batches:
            yield from _keep(score_batch(setting, batch, seed), seed, kept)
        return
    with _one_thread_each():
        # Threads of DuckDB and polars do not survive a fork: fresh processes.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(count, mp_context=context) as pool:
            waiting = [pool.submit(score_batch, setting, batch, seed) for setting, batch in batches]
            try:
                for finished in as_completed(waiting):
                    yield from _keep(finished.result(), seed, kept)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Let processes share the cores in place of every one's threads fighting for all of them."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def score_batch(setting: Setting, batch: Sequence[int], seed: int) -> list[tuple[Key, Score]]:
    """Simulate and score systems of one kind; top-level, so that a process can be given it."""
    scores = score_systems(setting, [make_system(setting, seed, i) for i in batch])
    return [((setting.name, i), score) for i, score in zip(batch, scores, strict=True)]


def _keep(
    scored: list[tuple[Key, Score]], seed: int, kept: Path | None
) -> Iterator[tuple[Key, Score]]:
    if kept is not None:
        with kept.open("a", encoding="utf-8") as file:
            for (name, i), score in scored:
                line = {"versions": versions(), "seed": seed, "setting": name, "system": i}
                file.write(json.dumps(line | {"score": score}) + "\n")
    yield from scored


def _read_kept(kept: Path, seed: int) -> dict[Key, Score]:
    """Read finished systems of this seed and these versions; a torn last line is passed over."""
    found: dict[Key, Score] = {}
    if not kept.exists():
        return found
    for line in kept.read_text(encoding="utf-8").splitlines():
        try:
            each = json.loads(line)
        except json.JSONDecodeError:
            continue
        if each["versions"] == versions() and each["seed"] == seed:
            found[each["setting"], each["system"]] = each["score"]
    return found


def figures(scores: Sequence[Score]) -> dict[str, Any]:
    """Ratios over the systems of a setting, each as [value, lower, upper] (95 % over systems).

    Returns
    -------
    dict
        coverage: persistent, yearly, each with all, small, middle, large (thirds by pupils);
        rules: flagged a system, achieved and stated share of false flags, the same among the
        smaller third, sensitivity; needs: see ``docs/methods/calibration.md``.
    """
    names = {name.split(".")[0] for name in scores[0]}
    rules = ("bright", "visit", "top-tenth", "interval", "pooled")
    out: dict[str, Any] = {"coverage": {}, "rules": {}}
    for kind in ("persistent", "yearly"):
        if kind in names:
            parts = {"all": "", **{third: f".{third}" for third in THIRDS}}
            out["coverage"][kind] = {
                name: _triple(scores, f"{kind}.covered{tail}", f"{kind}.n{tail}")
                for name, tail in parts.items()
            }
    for rule in rules:
        if rule in names:
            out["rules"][rule] = {
                "flagged_a_system": _mean(scores, f"{rule}.flagged"),
                "false": _triple(scores, f"{rule}.false", f"{rule}.flagged"),
                "false_among_small": _triple(
                    scores, f"{rule}.false.small", f"{rule}.flagged.small"
                ),
                "sensitivity": _triple(scores, f"{rule}.found", f"{rule}.true"),
            }
            if f"{rule}.expected" in scores[0]:
                out["rules"][rule] |= {
                    "stated": _triple(scores, f"{rule}.expected", f"{rule}.flagged"),
                    "stated_among_small": _triple(
                        scores, f"{rule}.expected.small", f"{rule}.flagged.small"
                    ),
                }
    out["needs"] = {
        "expected_over_actual": _triple(scores, "needs.expected", "needs.below"),
        "sure_a_system": _mean(scores, "needs.sure"),
        "stated_when_sure": _triple(scores, "needs.sure.expected", "needs.sure"),
        "below_when_sure": _triple(scores, "needs.sure.below", "needs.sure"),
    }
    return out


def _triple(scores: Sequence[Score], above: str, below: str) -> list[float] | None:
    found = ratio(scores, above, below)
    return None if found is None else [round(value, _DIGITS) for value in found]


def _mean(scores: Sequence[Mapping[str, float]], name: str) -> float:
    return round(sum(each[name] for each in scores) / len(scores), _DIGITS)
