"""Invented names: easy to say, of no language and of no people."""

from __future__ import annotations

import numpy as np

_ONSETS = ("b", "d", "f", "g", "h", "j", "k", "l", "m", "n", "p", "r", "s", "t", "v", "w", "y", "z")
_VOWELS = ("a", "e", "i", "o", "u")
_ENDINGS = ("", "", "", "n", "l", "r", "m", "s")


def invented_names(n: int, rng: np.random.Generator, taken: set[str] | None = None) -> list[str]:
    """Return `n` different names of two or three syllables (more when those run out).

    Parameters
    ----------
    n : int
    rng : Generator
    taken : set of str, optional
        Names not to be used again; the new ones are added to it.
    """
    taken = set() if taken is None else taken
    names: list[str] = []
    misses = 0
    while len(names) < n:
        # After many names in use, one more syllable makes room for ninety times as many.
        n_syllables = int(rng.choice([2, 3], p=[0.4, 0.6])) + misses // 200
        parts = [
            _ONSETS[rng.integers(len(_ONSETS))] + _VOWELS[rng.integers(len(_VOWELS))]
            for _ in range(n_syllables)
        ]
        name = ("".join(parts) + _ENDINGS[rng.integers(len(_ENDINGS))]).capitalize()
        if name in taken:
            misses += 1
            continue
        taken.add(name)
        names.append(name)
    return names
