"""Ctrl-C as a wish: stop, and keep what there is."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def asked_to_stop(words: str) -> Iterator[Callable[[], bool]]:
    """Hold the first Ctrl-C back; what it yields tells whether one has come.

    Parameters
    ----------
    words : str
        What is said then. A second Ctrl-C ends the command at once, as usual.
    """
    asked: list[int] = []
    before = signal.getsignal(signal.SIGINT)

    def ask(number: int, _frame: FrameType | None) -> None:
        asked.append(number)
        signal.signal(signal.SIGINT, before)
        print(f"\n{words}", file=sys.stderr, flush=True)

    signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: bool(asked)
    finally:
        signal.signal(signal.SIGINT, before)
