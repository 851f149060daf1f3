"""The stored measurements of value added as text and as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.value_added import formula

WAYS = ("intercept", "slope", "3 levels", "school-year")
AIM_PUPILS, AIM_SCANS = 10_000_000, 5
DRAWN = {
    "plain": ("plain scan, 2 columns", "#767676", "o"),
    "floor": ("plain sums of our 9 columns", "#a65e00", "s"),
    "intercept": ("random intercept", "#00507d", "o"),
    "slope": ("random slope", "#6b2c91", "^"),
    "3 levels": ("3 levels", "#9a1b1b", "D"),
    "school-year": ("school-years", "#1b6b3a", "v"),
}


def section(stored: dict[str, Any]) -> str:
    """The section of README.md."""
    rows = stored["rows"]
    low, high = stored["load"]
    lines = [
        "## Value added",
        "",
        f"`{formula()}` on simulated pupils (figures to two decimals), Parquet sorted by school, "
        f"reading and fit included; {stored['machine']}, load {low} to {high} (the measurement "
        "itself included). Medians of paired rounds, each way warm, ratios within a round; other "
        "work on the machine interrupts a long way more often than a short one, so that ratios "
        "come out high. *Plain* is DuckDB's `avg(score) GROUP BY school` on the same file, which "
        "reads 2 columns; *floor* its `sum` of each of the 9 columns that ours reads. Hashing the "
        "input is not in these times but in "
        "the whole command's.",
        "",
        "![Seconds and memory over five sizes](results/value_added.svg)",
        "",
        "| pupils | schools | plain | floor | ours | ours / plain | floor / plain "
        "| processor time, ours / plain | with 3 covariates | with 1 | whole command |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        seconds, ratio, processor = row["seconds"], row["ratio"], row["processor_seconds"]
        lines.append(
            f"| {row['pupils']:,} | {row['schools']:,} | {seconds['plain']:.3f} s "
            f"| {seconds['floor']:.3f} s | {seconds['intercept']:.3f} s "
            f"| {ratio['intercept']:.1f} | {ratio['floor']:.1f} "
            f"| {processor['intercept'] / processor['plain']:.1f} "
            f"| {ratio['intercept, 3 covariates']:.1f} | {ratio['intercept, 1 covariate']:.1f} "
            f"| {row['command_seconds']:.1f} s |"
        )
    lines += ["", *_verdicts(rows)]
    lines += [
        "",
        "Every model, seconds (and peak memory of a process that does nothing else):",
        "",
        "| pupils | random intercept | random slope | 3 levels | school-years |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines.extend(
        f"| {row['pupils']:,} | "
        + " | ".join(f"{row['seconds'][way]:.2f} s ({row['peak_gb'][way]:.2f} GB)" for way in WAYS)
        + " |"
        for row in rows
    )
    lines += [
        "",
        "The variances come back: "
        + ", ".join(f"{row['between']:.4f} and {row['within']:.4f}" for row in rows)
        + f" (simulated with {stored['truth']['between']} between and {stored['truth']['within']} "
        "within schools).",
    ]
    for name, title in (("lme4", "lme4's `lmer`"), ("statsmodels", "statsmodels' `MixedLM`")):
        if usual := stored.get(name):
            lines += [
                "",
                f"{title} on the same {usual['pupils']:,} pupils in the same run: "
                f"{usual['fit_seconds']:.1f} s for the fit alone; ours "
                f"{usual['ours_seconds']:.3f} s with reading, "
                f"**{usual['times']:.0f} times faster**. Coefficients differ by "
                f"{usual['estimates_apart']:.0e} at most, relative.",
            ]
    return "\n".join(lines)


def _verdicts(rows: list[dict[str, Any]]) -> list[str]:
    """Say which aims are met."""
    lines = []
    for row in rows:
        if row["pupils"] == AIM_PUPILS:
            ways = {7: "intercept", 3: "intercept, 3 covariates", 1: "intercept, 1 covariate"}
            ratios = {covariates: row["ratio"][way] for covariates, way in ways.items()}
            said = ", ".join(
                f"{ratio:.1f} with {covariates} ({'met' if ratio <= AIM_SCANS else 'not met'})"
                for covariates, ratio in ratios.items()
            )
            lines.append(
                f"The aim at {AIM_PUPILS:,} pupils is {AIM_SCANS} plain scans at most; by number of"
                f" covariates it is {said}."
            )
    return lines


def draw(stored: dict[str, Any], path: Path) -> None:
    """Seconds and memory against pupils, both on logarithmic scales; the same bytes each time."""
    import matplotlib as mpl

    mpl.use("svg")
    import matplotlib.pyplot as plt

    mpl.rcParams.update({"svg.hashsalt": "brightspots", "font.size": 9, "svg.fonttype": "none"})
    rows = stored["rows"]
    pupils = [row["pupils"] for row in rows]
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4.6), layout="constrained")
    for way, (label, colour, marker) in DRAWN.items():
        style: dict[str, Any] = {"color": colour, "marker": marker, "markersize": 4}
        style |= {"label": label, "linestyle": "-" if way in WAYS else "--"}
        left.plot(pupils, [row["seconds"][way] for row in rows], **style)
        if way in WAYS:
            right.plot(pupils, [row["peak_gb"][way] for row in rows], **style)
    for name, marker in (("lme4", "*"), ("statsmodels", "P")):
        if usual := stored.get(name):
            left.plot([usual["pupils"]], [usual["fit_seconds"]], marker=marker, markersize=9,
                      color="black", linestyle="", label=f"{name}, random intercept")  # fmt: skip
    for axes, title in ((left, "seconds"), (right, "peak memory, GB")):
        axes.set(xscale="log", xlabel="pupils", title=title)
        axes.grid(visible=True, which="major", color="#dddddd", linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
    left.set_yscale("log")
    left.set_yticks([0.01, 0.1, 1, 10], ["0.01", "0.1", "1", "10"])
    for axes in (left, right):
        axes.set_xticks([1e5, 1e6, 1e7], ["100,000", "1 million", "10 million"])
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    right.axhline(1, color="#767676", linewidth=0.8, linestyle=":")
    right.set_ylim(bottom=0)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
