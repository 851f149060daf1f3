"""Run the benchmarks and rewrite their tables: `python -m benchmarks [NAME] [options]`.

Without a name every benchmark runs with its defaults. A module named in MODULES has `main(argv)`,
which measures and stores its results, and `markdown()`, which renders what is stored. Its section
of README.md stands between `<!-- name:start -->` and `<!-- name:end -->`.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

MODULES = ("value_added", "partnerships", "brokering", "rollout", "lme4_shapes")
README = Path(__file__).with_name("README.md")


def rewrite(name: str, section: str) -> None:
    """Put a section between its markers; add the markers at the end where they are missing."""
    start, end = f"<!-- {name}:start -->", f"<!-- {name}:end -->"
    text = README.read_text(encoding="utf-8") if README.exists() else "# Benchmarks\n"
    if start not in text:
        text = f"{text.rstrip()}\n\n{start}\n{end}\n"
    before, rest = text.split(start, 1)
    after = rest.split(end, 1)[1]
    README.write_text(f"{before}{start}\n{section.strip()}\n{end}{after}", encoding="utf-8")


def main(argv: list[str]) -> None:
    """Run one benchmark, or all."""
    chosen = MODULES
    if argv and not argv[0].startswith("-"):
        name = argv[0].replace("-", "_")
        if name not in MODULES:
            sys.exit(f"no benchmark {argv[0]!r}; there are: {', '.join(MODULES)}")
        chosen, argv = (name,), argv[1:]
    for name in chosen:
        module = importlib.import_module(f"benchmarks.{name}")
        module.main(argv)
        rewrite(name, module.markdown())


if __name__ == "__main__":
    main(sys.argv[1:])
