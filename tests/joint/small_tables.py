"""Small tables of the studies that the levers rest on, with numbers that can be checked by hand."""

from itertools import product

import numpy as np
import pandas as pd

from jouleproof.evidence.tables import SIMULATED, tidy

BITS = {"16 bits": 16.0, "mxfp8_e4m3": 8.25, "mxfp4": 4.25}
WAYS = {"together": 1.0, "chunked": 1.1, "split": 0.8}
TAKEN = (0.0, 0.8)
LEVELS = (0.5, 1.0)
UNITS = {
    **dict.fromkeys(("prompt_j", "token_j", "idle_j", "host_j"), "J"),
    **dict.fromkeys(("meets", "prompt_machines", "token_machines"), "1"),
    **dict.fromkeys(("row_alike_w", "row_mixed_w"), "W"),
    "provisioned": "kW s",
}


def service_energy(tilt=0.0):
    """Build a table in which joules are proportional to bits and hosts cost 400 J/s. tilt: the share more that a
    request takes in split pools per share of requests taken away."""
    rows = []
    for form, way, taken, level in product(BITS, WAYS, TAKEN, LEVELS):
        share = (BITS[form] / 16) * WAYS[way] * (1 + tilt * taken * (way == "split"))
        values = {"prompt_j": 500.0 * share, "token_j": 1000.0 * share, "idle_j": 10.0 * share}
        values["host_j"] = 400.0 * share / level
        if level == 1.0:
            values |= {"provisioned": 5.0 * share, "meets": 1.0, "prompt_machines": 4.0, "token_machines": 4.0}
            if not taken:
                values |= {"row_alike_w": 6000.0 if way == "split" else 5000.0, "row_mixed_w": 5000.0}
        for which, (metric, value) in product(("any", "short") if taken else ("any",), values.items()):
            case = {"stored_as": form, "way": way, "taken": taken, "which": which, "level": level}
            seeds = (1, 2) if metric == "provisioned" else (0,)
            rows += [{**case, "metric": metric, "unit": UNITS[metric], "value": value, "seed": seed} for seed in seeds]
    return tidy(rows, service="conv", model="llama2-70b", tier=SIMULATED)


def hosting():
    """Build the table of two fleets."""
    cells = {
        ("asynchrony", "slots24", "joules_over_plain"): (-0.02, -0.01),
        ("asynchrony", "slots24", "level_over_nameplate"): (1.03, 1.05),
        ("asynchrony", "nameplate", "level_over_best_fit"): (1.2, 1.3),
    }
    rows = [
        {"rule": rule, "information": information, "metric": metric, "value": value, "seed": seed}
        for (rule, information, metric), values in cells.items()
        for seed, value in enumerate(values)
    ]
    units = {"joules_over_plain": "fraction"}
    rows = [{"unit": units.get(row["metric"], "x"), **row} for row in rows]
    return tidy(rows, arrivals="grouped", row=10, tier=SIMULATED)


def answers():
    """Build the table of two limits; both models' answers have one length, and a small model's token takes a tenth."""
    case = {"model": "Phi-3-mini", "against": "Llama 3 70B", "protocol": "8-shot CoT", "unit": "ratio"}
    metrics = ("token_ratio", "joules_ratio", "joules_ratio_same_length")
    rows = [
        {"limit": limit, "repeat": repeat, "metric": metric, "value": 0.1}
        for limit, repeat, metric in product((8, 64), range(5), metrics)
    ]
    return tidy(rows, **case, tier=SIMULATED)


def cards():
    """Build a table with GSM8K of all three models, and tasks in which the large one has no score."""
    scores = {
        "GSM8K": {"Phi-3-mini": 80.0, "Llama 3 70B": 90.0, "GPT-3.5": 70.0},
        "Trivia": {"Phi-3-mini": 60.0, "GPT-3.5": 80.0},
        "Nobody else": {"Phi-3-mini": 10.0},
    }
    rows = [
        {"model": model, "task": task, "value": score}
        for task, by_model in scores.items()
        for model, score in by_model.items()
    ]
    return tidy(rows, protocol="8-shot CoT", metric="score", unit="%", tier="cited")


def tables(tilt=0.0):
    return {"service_energy": service_energy(tilt), "hosting": hosting(), "answers": answers(), "cards": cards()}


ONE = ("realised", "split_realised", "prompt_power", "token_power", "host_power", "idle_power", "day_level")
ONE += ("neighbours", "packed", "placed_joules", "small_overhead", "capable_most", "length_ratio")
OTHERS = {"stored_bits": 4.25, "overlap": 0.5, "recognised": 0.5, "capable_least": 0.6, "token_ratio": 0.1}
PLACED = {"joules_placed": -0.02, "gain_of_profile": 1.04, "gain_of_rule": 1.25}
PLAIN = dict.fromkeys(ONE, 1.0) | dict.fromkeys(("mistaken", "short", "small_mx", "router"), 0.0) | OTHERS | PLACED


def draws(count=1, **changed):
    """Return draws without uncertainty: every factor is 1, and every effect is as simulated and fully realised."""
    assert set(changed) <= set(PLAIN)
    return {name: np.full(count, value) for name, value in {**PLAIN, **changed}.items()}


def joules(table: pd.DataFrame, **case):
    """Return the joules of a request in one case."""
    rows = table[table["metric"].str.endswith("_j")]
    for column, level in case.items():
        rows = rows[rows[column] == level]
    return float(rows["value"].sum())
