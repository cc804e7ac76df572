"""Energy per token of models that were not measured, predicted as draws from the fitted laws: simulated.

A draw combines one resample of a law, a deviation for each model, as large as the law's error on models left out of the
fit, and a floor for models smaller than any measured one.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from jouleproof.studies.slm_energy.model_cards import Published
from jouleproof.studies.slm_energy.power import stream

GPU = "H100"
DENSE, MIXED = "dense", "all"  # which models a law was fitted on
SMALLEST_B = 8.0  # billions of parameters of the smallest measured model
MIXED_PREDICTORS = "active + total + batch"


@dataclass(frozen=True)
class Laws:
    """The laws of ln(J/token) at one limit of concurrent requests, on one kind of GPU, with resamples as draws.

    dense: (draws, 2), constant and exponent of the parameters. mixed: (draws, 4), constant and exponents of active
    parameters, all parameters and batch. dense_error, mixed_error: standard deviation of ln between models.
    """

    limit: int
    dense: np.ndarray
    mixed: np.ndarray
    dense_error: float
    mixed_error: float

    @property
    def draws(self) -> int:
        return len(self.dense)


def laws_of(table: pd.DataFrame, limit: int) -> Laws | None:
    """Read the laws from the table of the experiment energy_law. Returns None if too few models were measured at that
    limit."""
    on_gpu = table[table["gpu"] == GPU]
    dense = on_gpu[(on_gpu["models"] == DENSE) & (on_gpu["limit"] == limit) & (on_gpu["predictors"] == "active")]
    mixed = on_gpu[(on_gpu["models"] == MIXED) & (on_gpu["limit"] == 0) & (on_gpu["predictors"] == MIXED_PREDICTORS)]
    if dense.empty or mixed.empty:
        return None
    return Laws(
        limit=limit,
        dense=_exponents(dense, ["constant", "active"]),
        mixed=_exponents(mixed, ["constant", "active", "total", "batch"]),
        dense_error=_error(dense),
        mixed_error=_error(mixed),
    )


def joules_per_token(name: str, model: Published, laws: Laws, floor: float, seed: int) -> np.ndarray:
    """Predict J per token, (draws,), of one or more GPU boards, including prompts, as ML.ENERGY counts them.

    floor: upper end of the share of the smallest measured model's energy that a smaller model cannot save; the share is
    uniform from 0. Raises ValueError if the model's parameters are not known.
    """
    if model.total is None or model.active is None:
        raise ValueError(f"{name}: parameters not published")
    deviation = stream(f"law of {name}", seed).standard_normal(laws.draws)
    if model.active < model.total:
        logs = [1.0, math.log(model.active), math.log(model.total), math.log(laws.limit)]
        return np.exp(laws.mixed @ logs + laws.mixed_error * deviation)
    measured = np.exp(laws.dense @ [1.0, math.log(max(model.total, SMALLEST_B))] + laws.dense_error * deviation)
    if model.total >= SMALLEST_B:
        return measured
    flat = floor * stream("floor", seed).random(laws.draws)
    return measured * (flat + (1 - flat) * (model.total / SMALLEST_B) ** laws.dense[:, 1])


def _error(table: pd.DataFrame) -> float:
    return float(table.loc[table["metric"] == "error_ln", "value"].iloc[0])


def _exponents(table: pd.DataFrame, names: list[str]) -> np.ndarray:
    rows = table[table["metric"] == "exponent"]
    return rows.pivot(index="repeat", columns="predictor", values="value")[names].to_numpy()
