"""Functions that users of R may write in a formula, and what to do instead."""

from __future__ import annotations

from brightspots.core.errors import InputError

_OTHERWISE = "I() for arithmetic and factor() are; add any other column to the file first."
_ONE_NUMBER = "Give the outcome as one number a pupil, a score or 0 and 1."
_CURVE = "Write powers, such as x + I(x**2) + I(x**3), or factor() of bands."
_IN_THE_FILE = "Add the column to the file first; I() knows + - * / ** and numbers."
_COVARIANCE = "Write (x | school) for correlated and (x || school) for uncorrelated effects."
NOT_DONE = {
    "cbind": ("is a count of passes and fails; logit models are not done", _ONE_NUMBER),
    "Surv": ("is a model of durations; it is not done", _ONE_NUMBER),
    "offset": ("is not done", "Take it off the outcome: I(score - x) ~ ..."),
    **dict.fromkeys(("ns", "bs", "s", "te", "poly", "spline"), ("is a curve; not done", _CURVE)),
    **dict.fromkeys(
        ("log", "log2", "log10", "exp", "sqrt", "abs", "scale", "ifelse", "cut", "relevel"),
        ("is not done in a formula", _IN_THE_FILE),
    ),
    **dict.fromkeys(
        ("us", "diag", "cs", "ar1", "hetcs", "hetar1", "toep"),
        ("is a structure of covariance that is not done here", _COVARIANCE),
    ),
}
"""Function -> what to say of it, and what to do instead."""


def not_done(function: str) -> InputError:
    """Return the error for a function in a formula, in words for what it is known to be.

    Parameters
    ----------
    function : str
        Its name, without parentheses.
    """
    what, mend = NOT_DONE.get(function, ("is not known in a formula", _OTHERWISE))
    return InputError(f"{function}() {what}.", mend=mend)
