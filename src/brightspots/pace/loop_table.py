"""The loop over many settings, as tables of a page, between two marks that stay where they are."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from brightspots.core.errors import InputError
from brightspots.pace.loop import LoopParameters, run_loop, versions
from brightspots.pace.loop_assumptions import LoopAssumptions
from brightspots.pace.loop_figures import GAIN, GOAL_CYCLE, GOAL_SHARE, cycles_frame, verdicts
from brightspots.pace.loop_policies import PolicySettings

__all__ = ["BEGIN", "END", "PAGE", "RESULTS", "SETTINGS", "put_tables", "run_table", "tables",
           "write_results"]  # fmt: skip

PAGE: Final = "loop.md"
RESULTS: Final = "loop.json"
BEGIN: Final = "<!-- loop: begin; written by `brightspots loop --table`, do not edit -->"
END: Final = "<!-- loop: end -->"
Progress = Callable[[float, str], None]
_NUMBERS = re.compile(r"\[[-\d.,e\snul]+\]")
_SHOWN: Final = (
    "mean_true_gain", "gain_when_supported", "lift", "between_school_variance", "requests",
    "supported", "isolated", "cost_days", "mean_km", "harmed", "regret_so_far", "expected_gain",
    "record_covers",
)  # fmt: skip


@dataclass(frozen=True)
class LoopSetting:
    """One kind of system, or one way of learning.

    Parameters
    ----------
    name, words : str
        Short name, and as it stands in the table.
    n_schools : int
    changes : mapping
        Of the assumptions.
    settings : PolicySettings
    """

    name: str
    words: str
    n_schools: int = 300
    changes: Mapping[str, float] = field(default_factory=dict)
    settings: PolicySettings = field(default_factory=PolicySettings)

    @property
    def is_way(self) -> bool:
        """Whether it differs in the way of learning, and not in the system."""
        return self.settings != PolicySettings()


_PLAIN = PolicySettings()
SETTINGS: Final[tuple[LoopSetting, ...]] = (
    LoopSetting("base", "300 schools"),
    LoopSetting("schools-60", "60 schools", 60),
    LoopSetting("schools-100", "100 schools", 100),
    LoopSetting("schools-1000", "1,000 schools", 1000),
    LoopSetting("few-leaders", "few leaders (5 for 100 schools)", changes={"leader_share": 0.05}),
    LoopSetting("alike", "leaders nearly alike (SD .05 in all)",
        changes={"leader_sd": 0.04, "leader_priority_sd": 0.03}),
    LoopSetting("no-difference", "leaders all alike",
        changes={"leader_sd": 0.0, "leader_priority_sd": 0.0}),
    LoopSetting("strong", "leaders far apart (SD .15 in all)",
        changes={"leader_sd": 0.12, "leader_priority_sd": 0.09}),
    LoopSetting("small", "small schools (cohorts of 12)", changes={"cohort_median": 12.0}),
    LoopSetting("large", "large schools (cohorts of 100)", changes={"cohort_median": 100.0}),
    LoopSetting("exact", "results that show nearly what schools do",
        changes={"residual_sd": 0.1, "school_year_sd": 0.02, "project_sd": 0.0, "drift": 1.0}),
    LoopSetting("staying", "heads stay", changes={"leaving": 0.0}),
    LoopSetting("turnover", "a quarter of heads leaves each year", changes={"leaving": 0.25}),
    LoopSetting("own-school", "the own school says nothing of a leader",
        changes={"ability_with_own_school": 0.0}),
    LoopSetting("one-priority", "one priority", changes={"n_priorities": 1}),
    LoopSetting("remote", "far apart (300 square km a school)", changes={"km2_per_school": 300.0}),
    LoopSetting("explore-0", "no exploration", settings=replace(_PLAIN, exploration=0.0)),
    LoopSetting("explore-all", "exploration in all", settings=replace(_PLAIN, exploration=1.0)),
    LoopSetting("km-60", "a gain counts as in brokering's default (60 km an SD)",
        settings=replace(_PLAIN, km_per_sd=60.0)),
)  # fmt: skip


def run_table(
    chosen: Sequence[str],
    n_cycles: int,
    replicates: int,
    seed: int,
    *,
    workers: int | None = None,
    kept: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Run the settings (all where none is chosen), in JSON types.

    Raises
    ------
    InputError
        There is no such setting, or numbers that cannot be.
    """
    known = {each.name: each for each in SETTINGS}
    for name in chosen:
        if name not in known:
            raise InputError(
                f'There is no setting "{name}".', mend=f"There are: {', '.join(known)}."
            )
    if replicates < 2:
        raise InputError("One system has no interval.", mend="Give --replicates 2 or more.")
    settings = [each for each in SETTINGS if not chosen or each.name in chosen]
    found = []
    for at, setting in enumerate(settings):

        def tell(share: float, policy: str, at: int = at, words: str = setting.words) -> None:
            if progress:
                progress((at + share) / len(settings), f"{words}: {policy}")

        parameters = LoopParameters(
            n_schools=setting.n_schools,
            n_cycles=n_cycles,
            replicates=replicates,
            assumptions=LoopAssumptions().changed(setting.changes),
            settings=setting.settings,
            workers=workers,
        )
        runs = run_loop(parameters, seed, kept=kept, progress=tell)
        frame = cycles_frame(runs)
        found.append(
            {
                "name": setting.name,
                "words": setting.words,
                "about": parameters.about(),
                "verdicts": verdicts(runs),
                "policies": {
                    policy: {
                        name: _triples(frame.filter(policy=policy).to_dicts(), name)
                        for name in _SHOWN
                    }
                    for policy in parameters.run
                },
            }
        )
    return {
        "versions": versions(),
        "seed": seed,
        "replicates": replicates,
        "cycles": n_cycles,
        "settings": found,
    }


def _triples(rows: Sequence[Mapping[str, Any]], name: str) -> list[list[float | None]]:
    """Give a measure with its interval: of every cycle for the gain, else of the last."""
    told = rows if name == GAIN else rows[-1:]
    return [[row[name], row[f"{name}_lower"], row[f"{name}_upper"]] for row in told]


def write_results(results: Mapping[str, Any], folder: Path) -> None:
    """Write ``loop.json``, and the tables into ``loop.md`` (made if needed).

    Raises
    ------
    InputError
        The folder cannot be written to, or the page has lost its marks.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        page = folder / PAGE
        made = f"# The loop that closes\n\n{BEGIN}\n{END}\n"
        text = page.read_text(encoding="utf-8") if page.exists() else made
        with_tables = put_tables(text, results, str(page))
        # A figure and its interval on one line, so that a change is seen in a comparison.
        plain = json.dumps(results, indent=1, ensure_ascii=False)
        _write(folder / RESULTS, _NUMBERS.sub(lambda m: " ".join(m[0].split()), plain) + "\n")
        _write(page, with_tables)
    except OSError as error:
        raise InputError(
            f"The results cannot be written ({error.strerror or error}).",
            file=str(folder),
            mend="Give a folder that you may write to.",
        ) from error


def put_tables(text: str, results: Mapping[str, Any], file: str) -> str:
    """Replace what stands between the marks."""
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(END) < text.index(BEGIN):
        raise InputError(
            "The marks between which the tables stand are not there.",
            file=file,
            mend=f"Put these two lines where they belong: {BEGIN} and {END}",
        )
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{tables(results)}\n{END}{rest.split(END)[1]}"


def _write(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(prefix=".loop-", dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(name).chmod(0o644)
    os.replace(name, path)


def tables(results: Mapping[str, Any]) -> str:
    """Render tables in Markdown: the first setting cycle by cycle, goals by setting, policies."""
    made = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    intro = (
        f"{results['replicates']} systems of each kind, {results['cycles']} cycles, seed"
        f" {results['seed']}. In brackets: 95 % interval over systems. Versions: {made}."
    )
    kinds: Sequence[Mapping[str, Any]] = results["settings"]
    return "\n\n".join([intro, _by_cycle(kinds[0]), _goals(kinds), _policies(kinds)])


def _table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"**{title}**", "", "| " + " | ".join(header) + " |"]
    lines.append("| " + " | ".join(["---"] * len(header)) + " |")
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def _figure(triple: Sequence[float | None], digits: int = 3) -> str:
    """As in .051 [.048, .054]; a dash where there is none."""
    if triple[0] is None:
        return "-"
    value, *ends = (_plain(each, digits) for each in triple)
    return value if triple[1] is None else f"{value} [{', '.join(ends)}]"


def _plain(value: float | None, digits: int) -> str:
    if value is None:
        return "-"
    text = f"{round(value, digits) + 0.0:,.{digits}f}"  # no minus before a zero
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text


def _by_cycle(kind: Mapping[str, Any]) -> str:
    policies = list(kind["policies"])
    rows = []
    for at, share in enumerate(kind["verdicts"]["oracle"]["share"]):
        gains = [kind["policies"][policy]["mean_true_gain"][at] for policy in policies]
        rows.append(
            [
                str(at + 1),
                *(_figure(gain) for gain in gains),
                "-" if not share else _figure(share, 2),
            ]
        )
    title = f"Mean true gain a request, SD of pupils: {kind['words']}"
    return _table(title, ["cycle", *policies, "learning / oracle"], rows)


def _goals(kinds: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for kind in kinds:
        verdict = kind["verdicts"]
        shares = verdict["oracle"]["share"]
        goal = min(GOAL_CYCLE, len(shares)) - 1
        row = [kind["words"]]
        row += [_when(verdict[name]["apart_from"]) for name in ("nearest", "random")]
        row += [
            _when(verdict["never-updated"]["better_from"]),
            "-" if not shares[goal] else _figure(shares[goal], 2),
            _when(verdict["oracle"]["share_reached_from"]),
        ]
        rows.append(row)
    header = ["system", "apart from nearest from cycle", "apart from random from cycle"]
    header += ["better than never-updated from cycle", f"share of the oracle in cycle {GOAL_CYCLE}"]
    header += [f"{GOAL_SHARE:.0%} of the oracle from cycle"]
    return _table("Where learning reaches what it is meant to, and where not", header, rows)


def _when(cycle: int | None) -> str:
    return "**not**" if cycle is None else str(cycle)


def _policies(kinds: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for kind in kinds:
        for policy, found in kind["policies"].items():
            last = {name: found[name][-1] for name in found}
            asked, helped = last["requests"][0], last["supported"][0]
            rows.append(
                [
                    kind["words"],
                    policy,
                    _figure(last["mean_true_gain"]),
                    _figure(last["lift"]),
                    _plain(last["between_school_variance"][0], 4),
                    f"{helped:.0f} of {asked:.0f}",
                    _plain(last["harmed"][0], 2),
                    _figure(last["isolated"], 1),
                    f"{last['cost_days'][0]:,.0f}",
                    _plain(last["mean_km"][0], 1),
                    _plain(last["expected_gain"][0], 3),
                    _plain(last["gain_when_supported"][0], 3),
                    _plain(last["record_covers"][0], 2),
                ]
            )
    header = ["system", "policy", "mean true gain", "lift of the system's mean"]
    header += ["variance between schools", "supported", "by leaders who do harm", "isolated"]
    header += ["days", "km", "expected of a project", "came of it", "records cover"]
    return _table("The last cycle", header, rows)
