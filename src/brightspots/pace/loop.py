"""The loop that closes: brokering that learns from its results, beside brokering that does not.

Simulated systems of known truth go through cycles of estimating, flagging, brokering, support,
measuring and updating, once with each policy, on the same systems with the same luck.
See ``docs/methods/loop.md``.
"""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from brightspots.connectedness import broker_parameters
from brightspots.core.errors import InputError
from brightspots.evidence import project_effects, track_record
from brightspots.insight import bright_spots, needs
from brightspots.pace.loop_assumptions import LoopAssumptions
from brightspots.pace.loop_policies import POLICIES, Policy, PolicySettings
from brightspots.pace.loop_run import Cycle, State, begin, run_policy
from brightspots.pace.loop_world import World, make_world

__all__ = ["METHOD", "METHOD_VERSION", "LoopParameters", "LoopRuns", "run_loop", "versions"]

METHOD: Final = "loop"
METHOD_VERSION: Final = "1"
Progress = Callable[[float, str], None]
Key = tuple[int, Policy]


def versions() -> dict[str, str]:
    """Versions of every method that has a say in the figures."""
    return {
        "loop": METHOD_VERSION,
        "bright spots": bright_spots.METHOD_VERSION,
        "needs": needs.METHOD_VERSION,
        "brokering": broker_parameters.METHOD_VERSION,
        "project effects": project_effects.METHOD_VERSION,
        "track record": track_record.METHOD_VERSION,
    }


@dataclass(frozen=True)
class LoopParameters:
    """Settings of :func:`run_loop`.

    Parameters
    ----------
    n_schools, n_cycles : int
    replicates : int
        Systems; each policy meets every one.
    policies : tuple of str
        Of `POLICIES`. The oracle is always run too: regret is reckoned against it.
    assumptions : LoopAssumptions
        What the system is like.
    settings : PolicySettings
        What a ministry may choose.
    workers : int or None
        Processes; None takes one a core. The figures do not depend on it.
    """

    n_schools: int = 300
    n_cycles: int = 8
    replicates: int = 30
    policies: tuple[Policy, ...] = POLICIES
    assumptions: LoopAssumptions = field(default_factory=LoopAssumptions)
    settings: PolicySettings = field(default_factory=PolicySettings)
    workers: int | None = None

    def __post_init__(self) -> None:
        for name, low, high in (
            ("n_schools", 30, 50_000), ("n_cycles", 1, 30), ("replicates", 1, 10_000),
        ):  # fmt: skip
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(
                    f"{value:,} {name.removeprefix('n_')} cannot be done.",
                    mend=f"Give {low} to {high:,}.",
                )
        for name in self.policies:
            if name not in POLICIES:
                raise InputError(
                    f'There is no policy "{name}".', mend=f"There are: {', '.join(POLICIES)}, all."
                )
        if not self.policies or (self.workers is not None and self.workers < 1):
            raise InputError("At least one policy and one process are needed.")

    @property
    def run(self) -> tuple[Policy, ...]:
        """The policies that are run, in the order of the table."""
        return tuple(each for each in POLICIES if each in {*self.policies, "oracle"})

    def about(self) -> dict[str, Any]:
        """Whatever decides a run of one policy on one system, in JSON types."""
        return {
            "n_schools": self.n_schools,
            "n_cycles": self.n_cycles,
            "assumptions": asdict(self.assumptions),
            "settings": asdict(self.settings),
        }


@dataclass(frozen=True)
class LoopRuns:
    """Result of :func:`run_loop`: the figures of every cycle, by system and policy."""

    parameters: LoopParameters
    seed: int
    cycles: dict[Key, list[Cycle]]

    def of(self, policy: Policy, measure: str) -> list[list[float | None]]:
        """One measure of one policy: a list of cycles for each system."""
        return [
            [cycle[measure] for cycle in self.cycles[at, policy]]
            for at in range(self.parameters.replicates)
        ]


def run_loop(
    parameters: LoopParameters,
    seed: int,
    *,
    kept: Path | None = None,
    progress: Progress | None = None,
) -> LoopRuns:
    """Run every policy on every system.

    Parameters
    ----------
    parameters : LoopParameters
    seed : int
        System i depends on the seed, i and the assumptions alone.
    kept : Path, optional
        File of finished runs, added to as they finish. What is in it is not done again, so a run
        that was stopped goes on; runs with other settings in it are passed over.
    progress : callable, optional
        Called with the share done and the stage; what it raises stops the run.
    """
    want: list[Key] = [
        (at, policy) for at in range(parameters.replicates) for policy in parameters.run
    ]
    done = _read_kept(kept, parameters, seed) if kept else {}
    left: dict[int, list[Policy]] = {}
    for at, policy in want:
        if (at, policy) not in done:
            left.setdefault(at, []).append(policy)

    def tell(part: float, policy: str) -> None:
        if progress:
            finished = sum(key in done for key in want)
            progress(min(1.0, (finished + part) / len(want)), policy)

    for key, cycles in _runs(parameters, seed, left, tell):
        if kept is not None:
            line = _label(parameters, seed) | {"replicate": key[0], "policy": key[1]}
            with kept.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line | {"cycles": cycles}) + "\n")
        done[key] = cycles
        tell(0.0, key[1])
    return LoopRuns(parameters, seed, {key: done[key] for key in want})


def _runs(
    parameters: LoopParameters, seed: int, left: dict[int, list[Policy]],
    tell: Callable[[float, str], None],
) -> Iterator[tuple[Key, list[Cycle]]]:  # fmt: skip
    count = min(parameters.workers or os.cpu_count() or 1, len(left))
    if count <= 1:
        for at, policies in left.items():
            for policy in policies:
                yield (at, policy), _run_one(parameters, seed, at, policy, tell)
        return
    with _one_thread_each():
        # Threads of polars do not survive a fork: fresh processes.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(count, mp_context=context) as pool:
            waiting = [
                pool.submit(run_replicate, parameters, seed, at, tuple(policies))
                for at, policies in left.items()
            ]
            try:
                for finished in as_completed(waiting):
                    yield from finished.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise


def run_replicate(
    parameters: LoopParameters, seed: int, at: int, policies: tuple[Policy, ...]
) -> list[tuple[Key, list[Cycle]]]:
    """Run policies on one system; top-level, so that a process can be given it."""
    return [((at, policy), _run_one(parameters, seed, at, policy, None)) for policy in policies]


def _run_one(
    parameters: LoopParameters, seed: int, at: int, policy: Policy,
    tell: Callable[[float, str], None] | None,
) -> list[Cycle]:  # fmt: skip
    p = parameters
    world, state = _system(p.assumptions, p.n_schools, p.n_cycles, seed, at)
    return run_policy(
        policy, world, state, p.settings, seed, (lambda part: tell(part, policy)) if tell else None
    )


@lru_cache(maxsize=1)
def _system(
    assumptions: LoopAssumptions, n_schools: int, n_cycles: int, seed: int, at: int
) -> tuple[World, State]:
    """One system and its pilot, for all the policies that meet it."""
    world = make_world(assumptions, n_schools, n_cycles, seed, at)
    return world, begin(world)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Let processes share the cores in place of every one's threads fighting for all of them."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS")
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


def _label(parameters: LoopParameters, seed: int) -> dict[str, Any]:
    """Say what a kept run has to agree in, to be taken for one of these."""
    return {"versions": versions(), "seed": seed, "about": parameters.about()}


def _read_kept(kept: Path, parameters: LoopParameters, seed: int) -> dict[Key, list[Cycle]]:
    """Read finished runs of these settings; a torn last line is passed over."""
    found: dict[Key, list[Cycle]] = {}
    if not kept.exists():
        return found
    label = _label(parameters, seed)
    text = kept.read_text(encoding="utf-8")
    if text and not text.endswith("\n"):  # what is added must not be torn with it
        with kept.open("a", encoding="utf-8") as file:
            file.write("\n")
    for line in text.splitlines():
        try:
            each = json.loads(line)
        except json.JSONDecodeError:
            continue
        if {name: each.get(name) for name in label} == label:
            found[each["replicate"], each["policy"]] = each["cycles"]
    return found
