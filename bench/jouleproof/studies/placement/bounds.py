"""The most that any policy could host, solved exactly for small cases (HiGHS through SciPy)."""

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from jouleproof.studies.placement.kernels import NOWHERE


def least_peak(watts: np.ndarray, rows: int, seconds: float) -> tuple[float, float]:
    """Divide a given set of workloads over rows so that the highest peak of a row is least; return that peak, and how
    far above a lower bound it is, a share.

    watts: (workloads, slots). All given workloads are placed: a count that picks its workloads would pick the light
    ones.
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
        raise ValueError(f"no division of {count} workloads into {rows} rows was found: {best.message}")
    return float(best.fun), float(best.mip_gap)


def peak_of(watts: np.ndarray, home: np.ndarray, rows: int) -> float:
    """Return the highest peak of the rows; home: (workloads,) rows from 0; every workload has one."""
    if (home == NOWHERE).any():
        raise ValueError("a workload is nowhere")
    return max(float(watts[home == row].sum(axis=0).max(initial=0.0)) for row in range(rows))
