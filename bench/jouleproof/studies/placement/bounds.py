"""Exact optima of small cases, which no policy can beat (HiGHS through SciPy)."""

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from jouleproof.studies.placement.kernels import NOWHERE


def least_peak(watts: np.ndarray, rows: int, seconds: float) -> tuple[float, float]:
    """Divide a given set of workloads over rows so that the highest peak of a row is lowest; return that peak, and its
    distance from a lower bound, as a share.

    watts: (workloads, slots). All given workloads are placed: a search for the largest number would favour light ones.
    """
    count, slots = watts.shape
    variables = count * rows + 1
    cost = np.zeros(variables)
    cost[-1] = 1.0
    once = csr_array(np.hstack([np.repeat(np.eye(count), rows, axis=1), np.zeros((count, 1))]))
    blocks = []
    for row in range(rows):
        block = np.zeros((slots, variables))
        block[:, row : count * rows : rows] = watts.T
        block[:, -1] = -1.0
        blocks.append(block)
    integral = np.append(np.ones(count * rows), 0)
    limits = Bounds(np.zeros(variables), np.append(np.ones(count * rows), np.inf))
    best = milp(
        cost,
        integrality=integral,
        bounds=limits,
        constraints=[LinearConstraint(once, 1, 1), LinearConstraint(csr_array(np.vstack(blocks)), -np.inf, 0)],
        options={"time_limit": seconds, "mip_rel_gap": 1e-3},
    )
    if best.x is None:
        raise ValueError(f"no division of {count} workloads into {rows} rows found: {best.message}")
    return float(best.fun), float(best.mip_gap)


def peak_of(watts: np.ndarray, home: np.ndarray, rows: int) -> float:
    """Return the highest peak of a row. home: (workloads,) rows, from 0. Raises ValueError where a workload has
    none."""
    if (home == NOWHERE).any():
        raise ValueError("every workload must have a row")
    return max(float(watts[home == row].sum(axis=0).max(initial=0.0)) for row in range(rows))
