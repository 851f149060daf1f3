"""Write the planner's assumptions into docs/methods/pace.md: `python docs/rollout_tables.py`."""

from __future__ import annotations

from pathlib import Path

from brightspots.pace.rollout_assumptions import DEFAULTS

PAGE = Path(__file__).parent / "methods" / "pace.md"
BEGIN = "<!-- rollout: begin; written by `python docs/rollout_tables.py`, do not edit -->"
END = "<!-- rollout: end -->"


def table() -> str:
    """Every assumption with its range and its source."""
    lines = ["| assumption | low, value, high | unit | what it is | source |"]
    lines.append("| --- | --- | --- | --- | --- |")
    for each in DEFAULTS:
        numbers = ", ".join(f"{value:g}" for value in (each.low, each.value, each.high))
        lines.append(
            f"| `{each.name}` | {numbers} | {each.unit} | {each.words} | {each.source} |"
        )  # fmt: skip
    return "\n".join(lines)


def with_table(text: str) -> str:
    """Put the table between its marks."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
