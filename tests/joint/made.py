"""Small tables of the studies that the levers rest on, with numbers that can be reckoned by hand."""

from itertools import product

import numpy as np
import pandas as pd

from jouleproof.evidence.tables import SIMULATED, tidy

BITS = {"16 bits": 16.0, "mxfp8_e4m3": 8.25, "mxfp4": 4.25}
WAYS = {"together": 1.0, "chunked": 1.1, "split": 0.8}
TAKEN = (0.0, 0.8)
LEVELS = (0.5, 1.0)


def service_energy(tilt=0.0):
    """Decoding takes as long as its bits, hosts cost 400 J/s, and nothing interferes. tilt: how much more each of few
    requests takes in split pools."""
    rows = []
    for form, way, taken, level in product(BITS, WAYS, TAKEN, LEVELS):
        for which in ("any", "short") if taken else ("any",):
            about = {"stored_as": form, "way": way, "taken": taken, "which": which, "level": level}
            share = (BITS[form] / 16) * WAYS[way] * (1 + tilt * taken * (way == "split"))
            joules = {"prompt_j": 500.0 * share, "token_j": 1000.0 * share, "idle_j": 10.0 * share,
                      "host_j": 400.0 * share / level}  # fmt: skip
            rows += [{**about, "metric": name, "unit": "J", "value": value} for name, value in joules.items()]
            if level == 1.0:
                rows += [{**about, "metric": "provisioned", "unit": "kW s", "value": 5.0 * share, "seed": seed}
                         for seed in (1, 2)]  # fmt: skip
                rows.append({**about, "metric": "meets", "unit": "1", "value": 1.0})
                rows += [{**about, "metric": f"{pool}_machines", "unit": "1", "value": 4.0}
                         for pool in ("prompt", "token")]  # fmt: skip
                if not taken:
                    alike = 6000.0 if way == "split" else 5000.0
                    rows += [{**about, "metric": "row_alike_w", "unit": "W", "value": alike},
                             {**about, "metric": "row_mixed_w", "unit": "W", "value": 5000.0}]  # fmt: skip
    return tidy(rows, service="conv", model="llama2-70b", tier=SIMULATED)


def hosting():
    """Two fleets."""
    cells = {
        ("asynchrony", "slots24", "joules_over_plain"): (-0.02, -0.01),
        ("asynchrony", "slots24", "level_over_nameplate"): (1.03, 1.05),
        ("asynchrony", "nameplate", "level_over_best_fit"): (1.2, 1.3),
    }
    rows = [
        {"rule": rule, "information": told, "metric": metric, "value": value, "seed": seed}
        for (rule, told, metric), values in cells.items()
        for seed, value in enumerate(values)
    ]
    return tidy(rows, arrivals="grouped", row=10, unit="x", tier=SIMULATED)


def answers():
    """Two limits; an answer of the small model is as long as the large one's, and a token takes a tenth."""
    rows = []
    for limit, repeat in product((8, 64), range(5)):
        about = {"model": "Phi-3-mini", "against": "Llama 3 70B", "limit": limit, "protocol": "8-shot CoT",
                 "repeat": repeat}  # fmt: skip
        rows += [{**about, "metric": metric, "value": 0.1}
                 for metric in ("token_ratio", "joules_ratio", "joules_ratio_same_length")]  # fmt: skip
    return tidy(rows, unit="ratio", tier=SIMULATED)


def cards():
    """GSM8K of all three models, and a task that the large one has no score in."""
    scores = [("Phi-3-mini", "GSM8K", 80.0), ("Llama 3 70B", "GSM8K", 90.0), ("GPT-3.5", "GSM8K", 70.0),
              ("Phi-3-mini", "Trivia", 60.0), ("GPT-3.5", "Trivia", 80.0),
              ("Phi-3-mini", "Nobody else", 10.0)]  # fmt: skip
    rows = [{"model": model, "task": task, "value": value} for model, task, value in scores]
    return tidy(rows, protocol="8-shot CoT", metric="score", unit="%", tier="cited")


def tables(tilt=0.0):
    return {"service_energy": service_energy(tilt), "hosting": hosting(), "answers": answers(), "cards": cards()}


def about(count=1, **changed):
    """Draws in which nothing is uncertain: every factor is 1, every effect as simulated, nothing lost on the way."""
    plain = {
        "stored_bits": 4.25, "realised": 1.0, "split_realised": 1.0, "prompt_power": 1.0, "token_power": 1.0,
        "host_power": 1.0, "idle_power": 1.0, "day_level": 1.0, "neighbours": 1.0, "packed": 1.0, "placed_joules": 1.0,
        "overlap": 0.5, "recognised": 0.5, "mistaken": 0.0, "short": 0.0, "small_overhead": 1.0, "small_mx": 0.0,
        "router": 0.0, "capable_least": 0.6, "capable_most": 1.0, "token_ratio": 0.1, "length_ratio": 1.0,
        "joules_placed": -0.02, "gain_of_profile": 1.04, "gain_of_rule": 1.25,
    }  # fmt: skip
    assert set(changed) <= set(plain)
    return {name: np.full(count, value) for name, value in {**plain, **changed}.items()}


def joules(table: pd.DataFrame, **case):
    """Of a request, of one case."""
    rows = table[table["metric"].str.endswith("_j")]
    for column, level in case.items():
        rows = rows[rows[column] == level]
    return float(rows["value"].sum())
