"""The stored measurements of partnerships as text and as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.instances import BEST_KNOWN

AIMS = {
    ("1,000 of Tanzania's", "brightspots"): (10.0, None, None),
    ("10,000 made", "first answer"): (5.0, None, None),
    ("10,000 made", "within 90 s"): (90.0, 0.02, None),
    ("10,000 made", "within 3 min"): (180.0, 0.015, None),
    ("100,000 made", "within 10 min"): (600.0, 0.03, 1024.0),
}
"""Seconds, gap and MB at most, on two cores with nothing else to do."""


def section(results: dict[str, Any]) -> str:
    """The section of README.md."""
    machine = results["machine"]
    loads = [load for row in results["cases"] for load in row.get("load", [])]
    lines = [
        "## Partnerships",
        "",
        "4 to 8 schools, at most 25 km to the leader; every school may lead on real maps unless"
        " said otherwise, 35 % on made ones (invented schools in towns). Cost as one separate"
        " function counts it; gap above our lower bound. k-means-constrained and spopt's"
        " capacitated p-median know neither limit nor leaders, the latter no smallest size: their"
        " groups get their best leader, and schools beyond the limit and groups of a wrong size"
        " are only counted. Each way in a process of its own, compiled before the clock runs."
        f" {machine['cores']} cores, Python {machine['python']}{_load(loads)}.",
        "",
        "![Gap and seconds](results/partnerships.svg)",
        "",
        "| case | way | schools | seconds | processor s | first answer, s | cost, km | gap"
        " | left out | beyond limit | wrong size | peak MB |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in results["cases"]:
        gap = "" if row["gap"] is None else f"{row['gap']:.2%}"
        first = row.get("first_answer_seconds")
        lines.append(
            f"| {row['case']} | {row['way']} | {row['schools']:,} | {row['seconds']:.1f}"
            f" | {row['cpu_seconds']:.1f} | {'' if first is None else f'{first:.1f}'}"
            f" | {row['cost']:,.0f} | {gap} | {row['left_out']} | {row['beyond_limit']}"
            f" | {row['wrong_size']} | {_megabytes(row)} |"
        )
    return "\n".join([*lines, "", *_verdicts(results), *_losses(results), *_instances(results)])


def _megabytes(row: dict[str, Any]) -> str:
    return f"{row['peak_mb']:,.0f}" if "peak_mb" in row else ""


def _load(loads: list[float]) -> str:
    if not loads:
        return ""
    return (
        f", load {min(loads):.1f} to {max(loads):.1f}, the measurement itself included (with more"
        " load than cores, seconds are too high and processor time is what to read)"
    )


def _verdicts(results: dict[str, Any]) -> list[str]:
    lines = ["Aims, on two cores with nothing else to do:", ""]
    rows = {(row["case"], row["way"]): row for row in results["cases"]}
    for key, (seconds, gap, megabytes) in AIMS.items():
        words = [f"{seconds:g} s"]
        words += [f"a gap of {gap:.1%}"] if gap is not None else []
        words += [f"{megabytes:g} MB"] if megabytes is not None else []
        row = rows.get(key)
        if row is None:
            lines.append(f"- {key[0]}, {key[1]}: {', '.join(words)} at most; not measured yet.")
            continue
        met = row["seconds"] <= seconds
        met &= gap is None or (row["gap"] is not None and row["gap"] <= gap)
        met &= megabytes is None or row.get("peak_mb", 0) <= megabytes
        found = [f"{row['seconds']:.1f} s"]
        found += [f"{row['gap']:.2%}"] if row["gap"] is not None else []
        found += [f"{row.get('peak_mb', 0):,.0f} MB"] if megabytes is not None else []
        load = max(row.get("load", [0.0]))
        busy = f" (load {load:.1f})" if load > results["machine"]["cores"] else ""
        lines.append(
            f"- {key[0]}, {key[1]}: {', '.join(words)} at most; {', '.join(found)}{busy}:"
            f" {'met' if met else 'not met'}."
        )
    return [*lines, ""]


def _losses(results: dict[str, Any]) -> list[str]:
    rows = {(row["case"], row["way"]): row for row in results["cases"]}
    lines = []
    for (case, way), row in rows.items():
        whole = rows.get((case, "brightspots"))
        if way.startswith("in parts") and whole:
            loss = row["cost"] / whole["cost"] - 1
            lines.append(
                f"- {case} {way}, borders repaired: {loss:+.2%} of the cost of the whole,"
                f" {row['left_out'] - whole['left_out']:+d} schools left out."
            )
    return ["What forming in parts loses:", "", *lines, ""] if lines else []


def _instances(results: dict[str, Any]) -> list[str]:
    names = ", ".join(BEST_KNOWN)
    lines = [
        "Published instances of the capacitated p-median problem"
        f" ({names}) are not solved here: they fix the number of clusters and limit the *sum of"
        " demands* of a cluster, where ours has a price for each partnership and bounds on the"
        " *number* of schools. A solver for them would be a second one, and its figures would say"
        " nothing about ours. `--instances DIR` reads such files and says what they ask for.",
    ]
    for entry in results.get("instances", []):
        lines.append(
            f"- {entry['name']}: {entry['points']:,} points, {entry['clusters']:,} clusters,"
            f" demands fill {entry['filled']:.0%} of the capacity, best known value"
            f" {entry['best_known']}."
        )
    return lines


def draw(results: dict[str, Any], path: Path) -> None:
    """Seconds of each way against its gap, one line a case."""
    import matplotlib as mpl

    mpl.use("svg")
    import matplotlib.pyplot as plt

    mpl.rcParams.update({"svg.hashsalt": "brightspots", "font.size": 9, "svg.fonttype": "none"})
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4.2), layout="constrained")
    colours = ("#00507d", "#a65e00", "#1b6b3a", "#6b2c91", "#9a1b1b", "#767676")
    markers = ("o", "s", "^", "D", "v", "P")
    rows = [row for row in results["cases"] if row["gap"] is not None]
    for place, case in enumerate(dict.fromkeys(row["case"] for row in rows)):
        own = sorted((row for row in rows if row["case"] == case), key=lambda row: row["seconds"])
        left.plot(
            [row["seconds"] for row in own], [100 * row["gap"] for row in own], label=case,
            color=colours[place % 6], marker=markers[place // 2 % 6], linewidth=1,
            linestyle="-" if place < 6 else "--",
        )  # fmt: skip
    left.set(xscale="log", xlabel="seconds", ylabel="gap above the lower bound, %", ylim=(0, None))
    left.legend(frameon=False, fontsize=7)
    for way, colour, marker in zip(
        ("first answer", "brightspots", "k-means-constrained", "spopt p-median"),
        ("#767676", "#00507d", "#a65e00", "#9a1b1b"), "osD^", strict=True,
    ):  # fmt: skip
        own = sorted(
            (row for row in results["cases"] if row["way"] == way), key=lambda row: row["schools"]
        )
        if own:
            right.plot(
                [row["schools"] for row in own], [row["cpu_seconds"] for row in own], label=way,
                color=colour, marker=marker, linewidth=1,
            )  # fmt: skip
    right.set(xscale="log", yscale="log", xlabel="schools", ylabel="processor seconds")
    right.legend(frameon=False, fontsize=7)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
