"""Which titles are much like each other: a hint for whoever writes, never a verdict."""

import re
from collections.abc import Mapping
from difflib import SequenceMatcher

ENOUGH = 0.5
SHORTEST = 4
"""Shorter words (the, of, in) say little about what a title is about."""


def alike(title: str, others: Mapping[int, str]) -> list[int]:
    """Keys of the titles that are much like this one, the most alike first."""
    measured = [(likeness(title, other), key) for key, other in others.items()]
    near = [each for each in measured if each[0] >= ENOUGH]
    return [key for _how, key in sorted(near, key=lambda each: (-each[0], each[1]))]


def likeness(a: str, b: str) -> float:
    """From 0 (nothing in common) to 1 (the same): by words they share, or letter by letter.

    Words count as the same when they begin alike, so that "reading" is like "reads". Of the
    shorter title's words at least half have to be there for a half.
    """
    words_a, words_b = _words(a), _words(b)
    if not words_a or not words_b:
        return 1.0 if a.strip().casefold() == b.strip().casefold() else 0.0
    shared = len(words_a & words_b)
    by_words = shared / min(len(words_a), len(words_b)) if shared > 1 else 0.0
    by_jaccard = shared / len(words_a | words_b)
    by_letters = SequenceMatcher(None, a.casefold(), b.casefold()).ratio()
    return max(by_words, by_jaccard, by_letters if by_letters > 0.75 else 0.0)


def _words(title: str) -> set[str]:
    """The words that count, by their first letters."""
    found = re.findall(r"[^\W\d_]+", title.casefold())
    return {word[:SHORTEST] for word in found if len(word) >= SHORTEST}
