"""Codes that stand where a number would be, and say why there is none.

A suppressed figure, a school too new to have one and an empty cell are three different facts.
Each is kept as its own code beside the (missing) number; none of them becomes 0 and none is
thrown away.
"""

from __future__ import annotations

from collections.abc import Mapping

#: Code -> what it means, as the Department for Education (England) publishes its tables.
NON_VALUES: dict[str, str] = {
    "NA": "not applicable: the figure has no meaning for this school",
    "SUPP": "suppressed: too few pupils to publish the figure without revealing them",
    "NE": "no entries: the school did not enter any pupil",
    "NEW": "a new school: there is no figure for it yet",
    "LOWCOV": "low coverage: too few of the school's pupils are included for a fair figure",
    "NP": "not published",
}

#: Code given to an empty cell.
EMPTY = "EMPTY"


def known_codes(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return code in capitals -> meaning: :data:`NON_VALUES`, the empty cell and `extra`.

    Parameters
    ----------
    extra : mapping, optional
        Further codes with their meaning, from a mapping. They are compared without regard to
        capitals and surrounding spaces.
    """
    codes = dict(NON_VALUES)
    codes[EMPTY] = "empty cell"
    for code, meaning in (extra or {}).items():
        codes[code.strip().upper()] = meaning
    return codes
