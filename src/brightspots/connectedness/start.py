"""A first partition: halve the map again and again, down to groups of about the target size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brightspots.connectedness.problem import Tables


def bisect(tables: Tables, schools: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Split `schools` into neighbouring groups of about the target size.

    Each cut is across the longer side of what is cut and puts a whole number of target sizes on
    either side. A group may still be too wide or have no leader; the search takes those apart.
    Schools of different phase or language are never cut together.

    Parameters
    ----------
    schools : int array
        Numbers of schools that may share partnerships.

    Returns
    -------
    list of int arrays
        Each of `maximum` schools at most; a remainder may be smaller than `minimum`.
    """
    groups: list[NDArray[np.int64]] = []
    kinds = np.column_stack([tables.phase[schools], tables.language[schools]])
    names, kind = np.unique(kinds, axis=0, return_inverse=True)
    for number in range(len(names)):
        waiting = [schools[kind.ravel() == number]]
        while waiting:
            part = waiting.pop()
            k = max(1, round(len(part) / tables.target), -(-len(part) // tables.maximum))
            if k == 1:
                groups.append(part)
                continue
            points = tables.xyz[part]
            axis = int(np.argmax(np.ptp(points, axis=0)))
            # Stable, and schools stand in the problem's own order: ties never depend on the input.
            order = np.argsort(points[:, axis], kind="stable")
            cut = round(len(part) * (k // 2) / k)
            waiting += [part[order[cut:]], part[order[:cut]]]
    return groups
