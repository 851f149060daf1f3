"""Standard errors of coefficients that hold where the model's variances do not.

The cluster sandwich (Liang and Zeger 1986, Biometrika 73:13) asks only that the groups of the
outermost grouping are independent of each other. With X_c, V_c of one such group (a cluster)

    s_c = X_c' V_c^-1 (y_c - X_c beta),   cov = (X'V^-1 X)^-1 (sum s_c s_c') (X'V^-1 X)^-1

which is CR0 in the terms of the R package clubSandwich: no correction for few clusters, so that
with fewer than about 40 it is too small. It needs no pupils: ``s_c`` is a sum of cross products.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brightspots.core.errors import InputError
from brightspots.insight.cross_products import CrossProducts
from brightspots.insight.random_terms import Model
from brightspots.insight.reml import Fit, Level, Problem
from brightspots.insight.scan import places

Array = NDArray[np.float64]


def robust_covariance(cp: CrossProducts, model: Model, fit: Fit) -> Array:
    """Cluster sandwich of the coefficients, clusters being the groups of the outermost grouping.

    Parameters
    ----------
    cp : CrossProducts
    model : Model
        Laid out from `cp`.
    fit : Fit
        Of `model`.

    Returns
    -------
    ndarray, shape (p, p)
        In the model's centred and scaled units, outcome included.

    Raises
    ------
    InputError
        The groupings cross each other, so that no clusters are independent.
    """
    system = model.system
    if not isinstance(system, Problem):
        raise InputError(
            "Robust standard errors need groups that are independent; these groupings cross.",
            mend="Use groupings that lie within each other, or leave the robust errors out.",
        )
    p, width = system.p, model.transform.shape[1]
    c = np.zeros(width)
    c[:p], c[-1] = -fit.beta, 1.0
    clusters = model.terms[-1].units
    scores = np.zeros((len(clusters.labels), p))
    np.add.at(scores, clusters.of, _products(cp, model.transform @ c) @ model.transform[:, :p])
    for place, gone in enumerate(fit.eliminated):
        less = gone.F[:, :, :p].transpose(0, 2, 1) @ (gone.P @ (gone.F @ c)[:, :, None])
        np.add.at(scores, _cluster_of(system.levels[place:]), -less[:, :, 0])
    meat = scores.T @ scores
    found: Array = fit.T_xx_inverse @ meat @ fit.T_xx_inverse
    return found


def _cluster_of(levels: tuple[Level, ...]) -> NDArray[np.intp]:
    """Find the unit of the last level to which each unit of the first belongs."""
    cluster = np.arange(levels[0].n_units)
    for level in levels[:-1]:
        if level.parent is not None:
            cluster = level.parent[cluster]
    return cluster


def _products(cp: CrossProducts, direction: Array) -> Array:
    """A'A times one vector, cell by cell, shape (J, k)."""
    found = np.empty((len(cp.packed), cp.width))
    for row, where in enumerate(places(cp.width)):
        found[:, row] = cp.packed[:, where] @ direction
    return found
