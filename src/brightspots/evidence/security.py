"""How far an evaluation can be trusted: 0 to 5, with the reasons.

Ours; in the spirit of the padlocks of the Education Endowment Foundation, and not the same. Each
part sets the most the whole can have; the rating is the least of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from brightspots.core.errors import InputError

AllocatedBy = Literal["lottery", "eligible", "comparison", "before_after"]

DESIGNS: dict[str, tuple[int, str]] = {
    "lottery": (5, "a lottery decided who was supported first"),
    "eligible": (4, "compared with schools that were eligible and not yet supported"),
    "comparison": (3, "compared with other schools, without a lottery"),
    "before_after": (0, "nothing to compare with: a change over time is not an effect"),
}


@dataclass(frozen=True)
class SecurityFacts:
    """What the rating is made from.

    Parameters
    ----------
    design : {"lottery", "eligible", "comparison", "before_after"}
    attrition, attrition_difference : float
        Share, 0 to 1, of units lost for a missing value or row; how far treated and other units
        differ in it.
    imbalance : float or None
        Largest standardised difference, without sign, before treatment.
    detectable : float or None
        Smallest effect found with 80 % power, SD of pupils; None where pupils' SD is not known.
    treated_clusters, comparison_clusters : int
    pre_trend_p : float or None
        Probability of the test of equal trends; None where it could not be made.
    answers_agree : bool or None
        Whether difference-in-differences and adjustment for earlier outcomes agree.

    Raises
    ------
    InputError
        A value outside its range.
    """

    design: AllocatedBy
    attrition: float = 0.0
    attrition_difference: float = 0.0
    imbalance: float | None = None
    detectable: float | None = None
    treated_clusters: int = 0
    comparison_clusters: int = 0
    pre_trend_p: float | None = None
    answers_agree: bool | None = None

    def __post_init__(self) -> None:
        if self.design not in DESIGNS:
            raise InputError(
                f'The design is "{self.design}"; it must be one of {", ".join(DESIGNS)}.'
            )
        for name in ("attrition", "attrition_difference", "pre_trend_p"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise InputError(f"{name} is {value}; it must be from 0 to 1.")


@dataclass(frozen=True)
class Security:
    """A rating and what made it.

    Attributes
    ----------
    rating : int
        0 to 5.
    parts : tuple of (str, int, str)
        Part, the most it allows, and the reason in words.
    months_allowed : bool
        Whether months of progress may be told.
    """

    rating: int
    parts: tuple[tuple[str, int, str], ...]
    months_allowed: bool

    @property
    def reasons(self) -> tuple[str, ...]:
        """Reasons of the parts that hold the rating where it is."""
        return tuple(why for _, most, why in self.parts if most == self.rating)

    def as_dict(self) -> dict[str, Any]:
        """Return the same in JSON types."""
        parts = [{"part": part, "most": most, "reason": why} for part, most, why in self.parts]
        return {
            "rating": self.rating, "reasons": list(self.reasons), "parts": parts,
            "months_allowed": self.months_allowed,
        }  # fmt: skip


def evidence_security(facts: SecurityFacts) -> Security:
    """Rate how far an evaluation can be trusted, 0 (not at all) to 5.

    Parameters
    ----------
    facts : SecurityFacts

    Returns
    -------
    Security
        An uncontrolled before-and-after has 0 and no months, whatever else is known of it.
    """
    most, why = DESIGNS[facts.design]
    parts: list[tuple[str, int, str]] = [("design", most, why)]
    if facts.design != "before_after":
        parts += [_attrition(facts), _balance(facts), *_size(facts), *_trends(facts)]
    rating = min(most for _, most, _ in parts)
    return Security(rating, tuple(parts), rating > 0)


def _step(value: float, ends: tuple[float, ...]) -> int:
    """5 up to the first end, 4 up to the second, and so on; 0 above the last."""
    return max(5 - sum(value > end + 1e-12 for end in ends), 0)


def _attrition(facts: SecurityFacts) -> tuple[str, int, str]:
    most = _step(facts.attrition, (0.1, 0.2, 0.3, 0.4, 0.5))
    words = f"{facts.attrition:.0%} of the schools were lost"
    if facts.attrition_difference > 0.1:
        most = max(most - 1, 0)
        words += f", supported and other schools {facts.attrition_difference:.0%} apart"
    return "attrition", most, words


def _balance(facts: SecurityFacts) -> tuple[str, int, str]:
    if facts.imbalance is None:
        return "balance", 2, "it is not known how alike the schools were before"
    most = max(_step(abs(facts.imbalance), (0.1, 0.25, 0.5, 0.8)), 1)
    return "balance", most, f"the schools were {abs(facts.imbalance):.2f} SD apart before"


def _size(facts: SecurityFacts) -> list[tuple[str, int, str]]:
    fewest = min(facts.treated_clusters, facts.comparison_clusters)
    # As many independent pieces of evidence as there are clusters on the smaller side.
    most = 0 if fewest < 2 else 1 if fewest < 5 else 3 if fewest < 10 else 4 if fewest < 20 else 5
    parts = [("size", most,
              f"{facts.treated_clusters} supported and {facts.comparison_clusters} other schools or"
              " clusters")]  # fmt: skip
    if facts.detectable is not None:
        most = max(_step(facts.detectable, (0.2, 0.3, 0.4, 0.5)), 1)
        words = f"it could find an effect of {facts.detectable:.2f} SD of pupils or more"
        parts.append(("precision", most, words))
    return parts


def _trends(facts: SecurityFacts) -> list[tuple[str, int, str]]:
    lottery = facts.design == "lottery"
    p = facts.pre_trend_p
    if p is None:
        most, words = (5 if lottery else 2), "trends before could not be compared"
    elif p < 0.05:
        most, words = (3 if lottery else 1), f"trends differed before the support (p = {p:.3f})"
    else:
        most, words = 5, f"no difference of trends was seen before (p = {p:.2f})"
    parts = [("pre-trends", most, words)]
    if facts.answers_agree is False:
        parts.append((
            "second answer", 4 if lottery else 2,
            "adjusting for earlier results gives another answer",
        ))  # fmt: skip
    return parts
