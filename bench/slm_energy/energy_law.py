"""Power laws of energy: ln(J/token) linear in the logarithms of parameters and batch, by least squares.

Configurations of one model are no independent evidence, so that models, not rows, are resampled and left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

COLUMNS = {"active": "active_b", "total": "total_b", "batch": "batch"}


@dataclass(frozen=True)
class Law:
    """predictors: names in COLUMNS. coefficients: (1 + predictors,), ln of J/token at one billion and a batch of one,
    then exponents. r2: share of the variance of ln(J/token) explained."""

    predictors: tuple[str, ...]
    coefficients: np.ndarray
    r2: float

    def ln_joules(self, table: pd.DataFrame) -> np.ndarray:
        """(rows,) of the prediction."""
        return _design(table, self.predictors) @ self.coefficients


def fit(table: pd.DataFrame, predictors: Sequence[str]) -> Law:
    """table: rows with joules_per_token and the columns of the predictors, all positive."""
    design, target = _design(table, predictors), np.log(table["joules_per_token"].to_numpy())
    coefficients = np.linalg.lstsq(design, target, rcond=None)[0]
    left, whole = target - design @ coefficients, target - target.mean()
    return Law(tuple(predictors), coefficients, float(1 - left @ left / (whole @ whole)))


def resampled(table: pd.DataFrame, predictors: Sequence[str], resamples: int, seed: int) -> list[Law]:
    """Laws of tables in which models were drawn with replacement. A draw that leaves exponents open, because too few
    models are in it, is drawn again. Raises ValueError where the table has fewer models than a law needs."""
    groups = [group for _, group in table.groupby("model", sort=True)]
    rng, found = np.random.default_rng(seed), list[Law]()
    if _rank(table, predictors) <= len(predictors):
        raise ValueError(f"{len(groups)} models cannot tell {', '.join(predictors)} apart")
    while len(found) < resamples:
        drawn = pd.concat([groups[place] for place in rng.integers(len(groups), size=len(groups))])
        if _rank(drawn, predictors) > len(predictors):
            found.append(fit(drawn, predictors))
    return found


def left_out(table: pd.DataFrame, predictors: Sequence[str]) -> pd.DataFrame:
    """ln of measured over predicted J/token of every row, by the law of the other models: model, error."""
    parts = []
    for model, own in table.groupby("model", sort=True):
        law = fit(table[table["model"] != model], predictors)
        error = np.log(own["joules_per_token"].to_numpy()) - law.ln_joules(own)
        parts.append(pd.DataFrame({"model": model, "error": error}))
    return pd.concat(parts, ignore_index=True)


def _design(table: pd.DataFrame, predictors: Sequence[str]) -> np.ndarray:
    logs = [np.log(table[COLUMNS[name]].to_numpy()) for name in predictors]
    return np.column_stack([np.ones(len(table)), *logs])


def _rank(table: pd.DataFrame, predictors: Sequence[str]) -> int:
    return int(np.linalg.matrix_rank(_design(table, predictors)))
