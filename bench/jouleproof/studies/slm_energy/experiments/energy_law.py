"""Published energy per token, and power laws in parameters and batch that are fitted to it."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from jouleproof.evidence.tables import CITED, SIMULATED, tidy
from jouleproof.progress import steps
from jouleproof.studies.slm_energy.config import SlmEnergyConfig
from jouleproof.studies.slm_energy.law_fit import fit, left_out, resampled

CHAT, ANSWERS = "lm-arena-chat", "gpqa"
DENSE = "Dense Transformer"
UNITS = {"joules_per_token": "J", "joules_per_answer": "J", "tokens_per_answer": "tokens", "watts": "W"}
POOLED = (("active",), ("active", "batch"), ("active", "total", "batch"))
FEWEST = 5  # fewest models for a law at one limit


def energy_points(mlenergy: pd.DataFrame) -> pd.DataFrame:
    """Tabulate every measured configuration of the text tasks: model, GPUs, batch, joules, lengths and watts."""
    text = mlenergy[mlenergy["task"].isin([CHAT, ANSWERS])]
    factors = [name for name in text.columns if name not in UNITS]
    rows = text.melt(factors, list(UNITS), "metric").dropna(subset="value")
    rows["unit"] = rows["metric"].map(UNITS)
    return tidy(({str(name): value for name, value in row.items()} for row in rows.to_dict("records")), tier=CITED)


def energy_law(config: SlmEnergyConfig, energy_points: pd.DataFrame) -> pd.DataFrame:
    """Fit power laws to the published energy per token.

    exponent: of a predictor, including `constant`, in every resample of the models (repeat). exponent_fit: the same
    fitted to all models. r2, r2_fit: share of the variance explained. models, configurations: their numbers. left_out:
    median error on a model's rows (share of the measured value) under the law of the other models. error_ln: root mean
    square over models of their mean error in ln. length_spread: standard deviation over models of ln of the mean length
    of an answer. limit 0: all limits. gpu "both": H100 and B200.
    """
    table = measured_chat(energy_points)
    cases = list(_cases(table))
    step = steps("slm_energy energy_law", len(cases))
    rows: list[dict[str, Any]] = []
    for factors, measured, predictors in cases:
        rows += [{**factors, **row} for row in _law(config, measured, predictors)]
        requests = f"{factors['limit'] or 'all'} requests at once"
        step(f"{factors['models']} models, {factors['gpu']}, {requests}, {factors['predictors']}")
    lengths = energy_points[(energy_points["task"] == CHAT) & (energy_points["metric"] == "tokens_per_answer")]
    if len(lengths):
        by_model = np.log(lengths.groupby("model")["value"].mean())
        whole = {"models": "all", "gpu": "both", "limit": 0, "predictors": "none"}
        rows.append({**whole, "metric": "length_spread", "value": by_model.std()})
    return tidy(rows, predictor="none", model="all", unit="1", tier=SIMULATED)


def measured_chat(points: pd.DataFrame) -> pd.DataFrame:
    """Return the configurations of the chat task, with the column joules_per_token."""
    chat = points[(points["task"] == CHAT) & (points["metric"] == "joules_per_token")]
    return chat.rename(columns={"value": "joules_per_token"}).reset_index(drop=True)


def is_dense(table: pd.DataFrame) -> "pd.Series[bool]":
    """Mark dense decoders in bfloat16, which use every parameter for every token."""
    return (table["architecture"] == DENSE) & (table["precision"] == "bfloat16")


def _cases(table: pd.DataFrame) -> Iterator[tuple[dict[str, Any], pd.DataFrame, tuple[str, ...]]]:
    for models, group in (("dense", table[is_dense(table)]), ("all", table)):
        for gpu in ("both", *sorted(set(table["gpu"]))):
            on_gpu = group if gpu == "both" else group[group["gpu"] == gpu]
            for predictors in POOLED[:2] if models == "dense" else POOLED:
                yield _named(models, gpu, 0, predictors), on_gpu, predictors
            if models == "dense" and gpu != "both":
                for limit in sorted(set(on_gpu["limit"])):
                    at_limit = on_gpu[on_gpu["limit"] == limit]
                    if at_limit["model"].nunique() >= FEWEST:
                        yield _named(models, gpu, limit, ("active",)), at_limit, ("active",)


def _named(models: str, gpu: str, limit: int, predictors: tuple[str, ...]) -> dict[str, Any]:
    return {"models": models, "gpu": gpu, "limit": limit, "predictors": " + ".join(predictors)}


def _law(config: SlmEnergyConfig, table: pd.DataFrame, predictors: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    names, law = ("constant", *predictors), fit(table, predictors)
    for name, value in zip(names, law.coefficients, strict=True):
        yield {"predictor": name, "metric": "exponent_fit", "value": value}
    yield {"metric": "r2_fit", "value": law.r2}
    yield {"metric": "models", "value": table["model"].nunique()}
    yield {"metric": "configurations", "value": len(table)}
    settings = config.energy_law
    exponents, r2 = resampled(table, predictors, settings.resamples, settings.seed)
    for repeat in range(settings.resamples):
        yield {"metric": "r2", "repeat": repeat, "value": r2[repeat]}
        for name, value in zip(names, exponents[repeat], strict=True):
            yield {"predictor": name, "metric": "exponent", "repeat": repeat, "value": value}
    errors = left_out(table, predictors)
    for model, of_model in errors.groupby("model")["error"]:
        yield {"model": str(model), "metric": "left_out", "value": np.median(np.abs(np.expm1(-of_model)))}
    means = errors.groupby("model")["error"].mean()
    yield {"metric": "error_ln", "value": np.sqrt(np.mean(np.square(means)))}
