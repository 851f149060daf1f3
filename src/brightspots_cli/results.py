"""Results of a command into a folder, all or nothing."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brightspots.core.errors import InputError

if TYPE_CHECKING:
    import polars as pl

SUMMARY = "summary.json"


def write_folder(
    out: Path,
    tables: Mapping[str, pl.DataFrame],
    summary: Mapping[str, Any],
    *,
    name: str = SUMMARY,
    texts: Mapping[str, str] | None = None,
) -> None:
    """Write tables (name of the file -> frame) and the summary beside `out`, then move them in.

    `texts` are further files (name -> content), such as pictures.

    The summary goes last, so that a folder whose summary is new is complete. Other files in the
    folder stay as they are.

    Raises
    ------
    InputError
        The folder cannot be made or written to.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".results-", dir=out) as folder:
            staging = Path(folder)
            for file, frame in tables.items():
                frame.write_csv(staging / file)
            for file, content in (texts or {}).items():
                (staging / file).write_text(content, encoding="utf-8")
            text = json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False)
            (staging / name).write_text(text + "\n", encoding="utf-8")
            for file in [*tables, *(texts or {}), name]:
                os.replace(staging / file, out / file)
    except OSError as error:
        raise InputError(
            f"The results cannot be written ({error.strerror or error}).",
            file=str(out),
            mend="Give a folder that you may write to.",
        ) from error


def names(text: str | None) -> tuple[str, ...]:
    """Split "a, b,c" into names."""
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())
