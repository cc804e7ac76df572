"""The measured profile: times and power of prompts and tokens, and the errors of the laws fitted to them."""

from typing import Any

import pandas as pd

from jouleproof.evidence.tables import CITED, SIMULATED, tidy
from jouleproof.serving.simulator import profile
from jouleproof.serving.simulator.machines import MACHINES
from jouleproof.serving.simulator.served_models import SERVED_MODELS

MEMORY_OF = "dgx-h100"
CELL = ("prompt_size", "batch_size", "token_size")
MEASURED = (
    ("prompt_time_s", "s"),
    ("token_time_s", "s"),
    ("e2e_time_s", "s"),
    ("peak_power_tdp", "TDP"),
    ("average_power_tdp", "TDP"),
)


def profile_table(splitwise_profile: pd.DataFrame) -> pd.DataFrame:
    """Return medians by cell, as published. splitwise_profile: jouleproof.inputs.read_profile."""
    cells = profile.cells_of(splitwise_profile)
    whole = splitwise_profile.groupby([*profile.GROUP, *CELL], as_index=False)[["end_to_end_time_s"]].median()
    cells = cells.merge(whole.rename(columns={"end_to_end_time_s": "e2e_time_s"}))
    rows = [
        {
            **{name: cell[name] for name in (*profile.GROUP, *CELL)},
            "metric": metric,
            "unit": unit,
            "value": cell[metric],
        }
        for cell in cells.to_dict("records")
        for metric, unit in MEASURED
        if cell[metric] > 0
    ]
    return tidy(rows, tier=CITED)


def laws(splitwise_profile: pd.DataFrame) -> pd.DataFrame:
    """Return the simulator's laws, fitted to the profile, their mean relative errors over its cells, and the memory of
    a machine and of each model."""
    cells, axis = profile.cells_of(splitwise_profile), profile.axis_of(splitwise_profile)
    rows = []
    for group in profile.groups(cells):
        measured, knots = profile.of(cells, *group), profile.of(axis, *group)
        law = profile.decode_law(measured)
        values = {
            ("decode_error", "1"): profile.decode_error(law, measured),
            ("prompt_error", "1"): profile.prompt_error(knots, measured),
            ("decode_constant", "s"): law.constant,
            ("decode_each", "s"): law.per_sequence,
            ("decode_above", "s"): law.above,
            ("decode_context", "s"): law.context,
        }
        factors = dict(zip(profile.GROUP, group, strict=True))
        rows += [
            {**factors, "metric": metric, "unit": unit, "value": value} for (metric, unit), value in values.items()
        ]
    return tidy([*rows, *_memory()], tier=SIMULATED)


def _memory() -> list[dict[str, Any]]:
    """Return bytes of machine memory, weights, and a token's cache with the model's heads or one per query head."""
    factors = {"hardware": MEMORY_OF, "tensor_parallel": 8, "unit": "bytes"}
    machine = {"metric": "machine_memory", "value": MACHINES[MEMORY_OF].memory_bytes}
    rows = [{**factors, "model": model.name, **machine} for model in SERVED_MODELS.values()]
    for name, model in SERVED_MODELS.items():
        values = {
            "weights": model.weight_bytes,
            "cache_of_token": model.kv_bytes,
            "cache_of_token_every_head": model.without_shared_heads().kv_bytes,
        }
        rows += [{**factors, "model": name, "metric": metric, "value": value} for metric, value in values.items()]
    return rows
