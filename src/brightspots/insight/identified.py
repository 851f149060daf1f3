"""What a random part asks for that no pupils could tell: said in words, before anything is fitted.

A solver would return numbers all the same, singular ones or whatever its search began with; these
are the cases in which they would mean nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from brightspots.core.errors import InputError
from brightspots.insight.cross_products import CrossProducts, RandomEffects
from brightspots.insight.reml import unidentified

if TYPE_CHECKING:
    from brightspots.insight.random_terms import Units

Array = NDArray[np.float64]

NOTHING = 1e-10
"""Share of a column's variation that is rounding; sums of centred columns carry about 1e-13."""
ALL = 1e-9
"""Share of an effect left by the fixed part that is rounding."""
INTERCEPT = "(Intercept)"


def check_groups(
    cp: CrossProducts, units: Mapping[tuple[str, ...], Units], random: Sequence[RandomEffects]
) -> None:
    """Refuse groupings that cannot be compared, and two that are one.

    Raises
    ------
    InputError
        A grouping has one group, as many groups as pupils, as many effects as pupils, or splits the
        pupils as another does.
    """
    for columns, each in units.items():
        name = ":".join(columns)
        if len(each.labels) < 2:
            raise InputError(
                f'All pupils are in one group of "{name}"; comparing needs two at the least.',
                column=name,
                mend="Leave it out of the formula, or add the pupils of other groups.",
            )
        if len(each.labels) >= cp.n_pupils:
            raise InputError(
                f'Every group of "{name}" has one pupil; a school\'s share cannot be told apart.',
                column=name,
                mend="Is it the pupil's code? Group by the school.",
            )
    for term in random:
        effects = len(units[term.group].labels) * len(term.columns)
        if effects >= cp.n_pupils:
            raise InputError(
                f'"{term.name}" has {effects:,} random effects and there are {cp.n_pupils:,}'
                " pupils; they cannot be told apart.",
                column=term.name,
                mend="Let fewer effects vary.",
            )
    seen: dict[bytes, str] = {}
    for columns, each in units.items():
        _, first = np.unique(each.of, return_index=True)
        rank = np.argsort(np.argsort(first))
        key, name = rank[each.of].tobytes(), ":".join(columns)
        if key in seen:
            raise InputError(
                f'"{seen[key]}" and "{name}" split the pupils in the same way.',
                column=name,
                mend="Keep one of them in the formula.",
            )
        seen[key] = name


def check_slopes(
    random: Sequence[RandomEffects], within: Mapping[tuple[str, ...], tuple[Array, Array]]
) -> None:
    """Refuse slopes of what does not vary within any group, or that say the same within all.

    Parameters
    ----------
    random : sequence of RandomEffects
    within : mapping
        Grouping -> sums of squares and products of A about the means of its groups, and sums of
        squares of A about 0, shapes (k, k) and (k,).
    """
    with_intercept = {each.group for each in random if 0 in each.columns}
    for term in random:
        if term.group not in with_intercept:
            continue
        products, squares = within[term.group]
        for place, name in zip(term.columns, term.terms, strict=True):
            if place and products[place, place] <= NOTHING * squares[place]:
                raise InputError(
                    f'"{name}" is the same for all pupils of each group of "{term.name}":'
                    " no slope can be told from its intercept.",
                    column=name,
                    mend="Let it vary over a wider grouping, or keep it in the fixed part alone.",
                )
        slopes = [place for place in term.columns if place]
        _refuse_same(
            term, products[np.ix_(slopes, slopes)], [n for n in term.terms if n != INTERCEPT]
        )


def check_collinear(term: RandomEffects, products: Array) -> None:
    """Refuse effects without an intercept that say the same; `products` is Z'Z, shape (q, q)."""
    if 0 not in term.columns:
        _refuse_same(term, products, list(term.terms))


def already(causes: Sequence[str]) -> str:
    """Say who says something already."""
    return f"{', '.join(causes)} already {'says' if len(causes) == 1 else 'say'}"


def _refuse_same(term: RandomEffects, products: Array, names: list[str]) -> None:
    if len(names) < 2:
        return
    whole = np.eye(len(names) + 1)
    whole[1:, 1:] = products
    found = unidentified(whole, (INTERCEPT, *names))
    if found:
        name, causes = found[0]
        raise InputError(
            f'The effect "{name}" of "{term.name}" cannot be identified:'
            f" {already(causes)} the same.",
            column=name,
            mend="Leave it out of the random part.",
        )


def check_left(term: RandomEffects, explained: Array) -> None:
    """Refuse effects about which the fixed part says everything.

    Parameters
    ----------
    term : RandomEffects
    explained : ndarray, shape (q,)
        Share of Z'Z that lies in the space of X, effect by effect.
    """
    for name, share in zip(term.terms, explained, strict=True):
        if 1 - share <= ALL:
            what = f'of "{term.name}"' if name == INTERCEPT else f'of "{name}" over "{term.name}"'
            raise InputError(
                f"The variance {what} cannot be told from the rest: the fixed part already has"
                " a value for every group.",
                column=term.name,
                mend="Leave the grouping out of the fixed part, or this random part out.",
            )
