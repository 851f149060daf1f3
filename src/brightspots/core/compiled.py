"""Compile the inner loops, and keep what was compiled where a person's caches belong."""

from __future__ import annotations

import hashlib
import inspect
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numba

Function = Callable[..., Any]


@cache
def cache_folder(sources: Path) -> str | None:
    """Folder for what is compiled from a package's folder, or None where nothing may be written.

    The source folder may be read-only, and belongs to the installer in any case, so compiled code
    goes to the user's cache. The name carries a hash of the package's sources: numba looks only at
    the file of the function itself, and would keep using a kernel whose helper has changed.
    """
    digest = hashlib.sha256(numba.__version__.encode())
    for source in sorted(sources.glob("*.py")):
        digest.update(source.read_bytes())
    try:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = base / "brightspots" / f"numba-{digest.hexdigest()[:16]}"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return str(folder) if os.access(folder, os.W_OK) else None


def compiled_helper(function: Function) -> Function:
    """Compile a function that only compiled functions call: no door from Python, half the time.

    Nothing is cached for it, since its code is part of its callers'.
    """
    helper: Function = numba.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)
    return helper


def compiled_inline(function: Function) -> Function:
    """Put a function's lines where it is called, as for one that only hands its arguments on."""
    inline: Function = numba.njit(inline="always")(function)
    return inline


def compiled(function: Function, *, nogil: bool = False) -> Function:
    """Compile `function` with numba, and keep the result in :func:`cache_folder` if possible.

    Set ``NUMBA_CACHE_DIR`` to choose another place. With `nogil` threads run it side by side.
    """
    chosen = numba.config.CACHE_DIR
    folder = chosen or cache_folder(Path(inspect.getfile(function)).parent)
    if not folder:
        compiled_now: Function = numba.njit(nogil=nogil)(function)
        return compiled_now
    try:
        numba.config.CACHE_DIR = folder
        kept: Function = numba.njit(cache=True, nogil=nogil)(function)
        return kept
    finally:
        # Other users of numba in this process keep their own setting.
        numba.config.CACHE_DIR = chosen
