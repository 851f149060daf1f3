"""What `brightspots pace` reads and writes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from brightspots.pace.rollout_measures import TOTAL
from brightspots.pace.rollout_plan import Plan
from brightspots.pace.rollout_search import Found

if TYPE_CHECKING:
    from brightspots.pace.rollout import Change, Rollout
    from brightspots.pace.rollout_areas import Areas
    from brightspots.pace.rollout_learning import Learned

SCHEDULES = "schedules.csv"
SUMMARY = "summary.json"


@dataclass(frozen=True)
class Known:
    """An earlier run of the same input, settings and seed in the same folder."""

    plans: tuple[Plan, ...]
    found: Found


def known_run(out: Path, areas: Areas, made_from: dict[str, Any]) -> Known | None:
    """Return what is there from an earlier run, or None if it was made from something else."""
    try:
        summary = json.loads((out / SUMMARY).read_text(encoding="utf-8"))
        if same_run(summary) != made_from:
            return None
        schedules = pl.read_csv(out / SCHEDULES, schema_overrides={"area": pl.String})
        plans = []
        for (name,), rows in schedules.group_by("plan", maintain_order=True):
            ordered = rows.sort("area")
            if tuple(ordered["area"]) != areas.codes:
                return None
            if str(name).startswith("curve-"):
                start, speed = (ordered[each].to_numpy() for each in ("start", "speed"))
                plans.append(Plan(str(name), "searched", start.copy(), speed.copy()))
        search = summary["search"]
        found = Found(
            plans, search["weighed"], search["looked_at"], search["choices_tried"],
            search["complete"], search["stopped_early"],
        )  # fmt: skip
        return Known(tuple(plans), found)
    except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError):
        return None


def same_run(made: dict[str, Any]) -> dict[str, Any]:
    """Return what two runs must have in common to find the same plans."""
    settings = {key: value for key, value in made["settings"].items() if key != "time_limit"}
    names = ("method", "method_version", "input_hash", "seed")
    return {name: made[name] for name in names} | {"settings": settings}


def tables(
    rollout: Rollout, chosen: str, sensitivity: pl.DataFrame,
    change: Change | None, learned: Learned | None,
) -> dict[str, pl.DataFrame]:  # fmt: skip
    """Return every table to write, by the name of its file."""
    from brightspots.pace.rollout_assumptions import assumptions_frame

    found = {
        "plans.csv": rollout.plans_frame(),
        "waves.csv": rollout.waves_frame(chosen),
        SCHEDULES: rollout.schedules_frame(),
        "measures.csv": rollout.measures_frame(),
        "sensitivity.csv": sensitivity,
        "assumptions.csv": assumptions_frame(rollout.assumptions),
    }
    if change is not None:
        found["changes.csv"] = change.difference
    if learned is not None:
        found["compared.csv"] = learned.compared
        found["learned.csv"] = learned.changes
        found["assumptions_updated.csv"] = assumptions_frame(learned.assumptions)
    return found


def summary(
    rollout: Rollout, chosen: str, change: Change | None, learned: Learned | None
) -> dict[str, Any]:
    """Return the content of summary.json."""
    more: dict[str, Any] = {}
    if change is not None:
        more["changed_areas"] = change.areas.to_dicts()
    if learned is not None:
        more["learned"] = {
            "draws": learned.draws,
            "effective": learned.effective,
            "power": learned.power,
            "notes": list(learned.notes),
        }
    found = rollout.found
    return {
        "n_areas": len(rollout.areas),
        "n_schools": float(rollout.areas.schools.sum()),
        "chosen": chosen,
        "curve": list(rollout.curve),
        "usual_plans": [name for name in rollout.measured if name not in rollout.curve],
        "search": {
            "weighed": found.weighed,
            "looked_at": found.looked_at,
            "choices_tried": found.choices_tried,
            "complete": found.complete,
            "stopped_early": found.stopped_early,
        },
        "assumed_only": [a.name for a in rollout.assumptions if a.source == "assumed"],
        **more,
        "seconds": round(rollout.seconds, 3),
        **rollout.provenance.as_dict(),
    }


def in_words(rollout: Rollout, chosen: str) -> list[str]:
    """Say in a few lines what came of it."""
    found = rollout.found
    each = rollout.plan(chosen)
    lines = [f"{len(rollout.curve)} plans on the curve:"]
    for name in rollout.curve:
        mark = "  <- chosen" if name == chosen else ""
        lines.append(f"  {name}: {_spans(rollout, name)}{mark}")
    best = min(
        (n for n in rollout.measured if n not in rollout.curve),
        default=None,
        key=lambda n: sum(rollout.measured[n].mean(m) for m in ("abandoned", "held_back")),
    )
    if best is not None:
        lines.append(f"  beside it, of the usual plans, {best}: {_spans(rollout, best)}")
    if each.not_covered:
        lines.append(
            f"{chosen}: {rollout.parameters.covered:.0%} of schools are not ready and responsible"
            f" within {rollout.parameters.horizon} terms in {each.not_covered:.0%} of draws."
        )
    low, middle, high = np.quantile(each.values["covered_at_end", TOTAL], (0.1, 0.5, 0.9))
    lines.append(
        f"{chosen}: every area holds full responsibility from term {each.plan.handed_over}; in term"
        f" {rollout.parameters.horizon} {middle:.0f}% of schools are ready and responsible"
        f" ({low:.0f} to {high:.0f}%)."
    )
    gaps = [row["gap"] for row in found.weighed]
    if found.complete:
        lines.append(f"Every plan there is was looked at: {found.looked_at:,}.")
    else:
        lines.append(
            f"{found.looked_at:,} plans were looked at whole. No plan at all can do better than"
            f" these by more than {min(gaps):.0%} to {max(gaps):.0%}, by way of weighing; the bound"
            " is loose where support is short."
        )
    if found.stopped_early:
        lines.append("Stopped early; the same command goes on from these plans.")
    return lines


def _spans(rollout: Rollout, name: str) -> str:
    import numpy as np

    words = []
    for measure, label in (("abandoned", "abandoned"), ("held_back", "held back")):
        values = rollout.measured[name].values[measure, "total"]
        low, middle, high = np.quantile(values, [0.1, 0.5, 0.9])
        words.append(f"{middle:,.0f} school-terms {label} ({low:,.0f} to {high:,.0f})")
    return ", ".join(words)
