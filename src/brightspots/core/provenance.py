"""Where a figure comes from: method, version, seed, input and settings."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import polars as pl


@dataclass(frozen=True)
class Provenance:
    """What is needed to trace a result to its source and to compute it again.

    Parameters
    ----------
    method : str
        Name of the method, as in ``docs/methods``.
    method_version : str
        Changes whenever the same input could give another figure.
    input_hash : str
        SHA-256 over the input, from :func:`hash_file` or :func:`hash_frame`.
    seed : int or None
        None where nothing is drawn at random.
    settings : mapping
        Every setting that had a say, in JSON types.
    """

    method: str
    method_version: str
    input_hash: str
    seed: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the same in JSON types."""
        return asdict(self)


def hash_file(path: str | Path) -> str:
    """SHA-256 of a file's bytes, read in blocks of 1 MiB."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def hash_frame(frame: pl.DataFrame) -> str:
    """SHA-256 of a frame's column names, types and values; the order of rows does not matter.

    Columns are taken in sorted order and rows are sorted by all of them, so that shuffled input
    gives the same hash.
    """
    columns = sorted(frame.columns)
    ordered = frame.select(columns).sort(columns, nulls_last=True)
    digest = hashlib.sha256()
    header = [(name, str(ordered.schema[name])) for name in columns]
    digest.update(json.dumps(header).encode())
    digest.update(ordered.write_csv(float_precision=None).encode())
    return digest.hexdigest()
