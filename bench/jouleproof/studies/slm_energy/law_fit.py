"""Power laws of energy: ln(J/token) linear in the logarithms of parameters and batch, by least squares.

Configurations of one model are not independent evidence, so models, not rows, are resampled and left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

COLUMNS = {"active": "active_b", "total": "total_b", "batch": "batch"}


@dataclass(frozen=True)
class Law:
    """A fitted power law.

    predictors: names in COLUMNS. coefficients: (1 + predictors,), ln(J/token) at one billion parameters and a batch of
    one, then the exponents. r2: explained share of the variance of ln(J/token).
    """

    predictors: tuple[str, ...]
    coefficients: np.ndarray
    r2: float

    def ln_joules(self, table: pd.DataFrame) -> np.ndarray:
        """Predict ln(J/token), (rows,)."""
        return _design(table, self.predictors) @ self.coefficients


def fit(table: pd.DataFrame, predictors: Sequence[str]) -> Law:
    """Fit a law. table: rows with joules_per_token and the columns of the predictors, all positive."""
    design, target = _design(table, predictors), np.log(table["joules_per_token"].to_numpy())
    coefficients = np.linalg.lstsq(design, target, rcond=None)[0]
    left, whole = target - design @ coefficients, target - target.mean()
    return Law(tuple(predictors), coefficients, float(1 - left @ left / (whole @ whole)))


def resampled(
    table: pd.DataFrame, predictors: Sequence[str], resamples: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return coefficients (resamples, 1 + predictors) and r2 (resamples,) of models drawn with replacement.

    A model enters through the sums of its rows' products, so a draw costs no more than its normal equations. A draw
    with too few models to determine all exponents is repeated. Raises ValueError if the table has fewer models than a
    law needs.
    """
    sums = np.stack([_sums(rows, predictors) for _, rows in table.groupby("model", sort=True)])
    if not _determined(sums.sum(axis=0)):
        raise ValueError(f"{len(sums)} models are too few to separate {', '.join(predictors)}")
    rng = np.random.default_rng(seed)
    accepted = np.empty((0, *sums.shape[1:]))
    while len(accepted) < resamples:
        counts = rng.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=resamples)
        candidates = np.tensordot(counts, sums, axes=1)
        accepted = np.concatenate([accepted, candidates[_determined(candidates)]])
    return _solved(accepted[:resamples])


def left_out(table: pd.DataFrame, predictors: Sequence[str]) -> pd.DataFrame:
    """Return ln of measured over predicted J/token of every row under the law of the other models: model, error."""
    errors = []
    for model, rows in table.groupby("model", sort=True):
        law = fit(table[table["model"] != model], predictors)
        error = np.log(rows["joules_per_token"].to_numpy()) - law.ln_joules(rows)
        errors.append(pd.DataFrame({"model": model, "error": error}))
    return pd.concat(errors, ignore_index=True)


def _design(table: pd.DataFrame, predictors: Sequence[str]) -> np.ndarray:
    logs = [np.log(table[COLUMNS[name]].to_numpy()) for name in predictors]
    return np.column_stack([np.ones(len(table)), *logs])


def _sums(table: pd.DataFrame, predictors: Sequence[str]) -> np.ndarray:
    """Sum the products of the columns of the design and, last, ln(J/token): (2 + predictors, 2 + predictors)."""
    columns = np.column_stack([_design(table, predictors), np.log(table["joules_per_token"].to_numpy())])
    return columns.T @ columns


def _determined(sums: np.ndarray) -> np.ndarray:
    """Return (…,) bool, whether the normal equations have a unique solution."""
    return np.linalg.matrix_rank(sums[..., :-1, :-1], rtol=1e-10, hermitian=True) == sums.shape[-1] - 1


def _solved(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the coefficients and r2 of each resample."""
    products, target = sums[:, :-1, :-1], sums[:, :-1, -1]
    coefficients = np.linalg.solve(products, target[..., None])[..., 0]
    left = sums[:, -1, -1] - (coefficients * target).sum(axis=1)
    whole = sums[:, -1, -1] - target[:, 0] ** 2 / products[:, 0, 0]
    return coefficients, 1 - left / whole
