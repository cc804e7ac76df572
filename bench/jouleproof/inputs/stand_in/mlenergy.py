"""Stand-in for ML.ENERGY's measurements: the published selection mlenergy_points.csv in the file's columns.

Nothing is generated: 113 measured configurations of the chat task out of 838, at batch limits of 8 and 64 and at the
best. Left empty: all that the selection does not hold (energy of a request, lengths, power, times).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

from jouleproof.inputs.ml_energy import COLUMNS

POINTS = Path(__file__).with_name("mlenergy_points.csv")
HYBRIDS = "NVIDIA Nemotron Nano"  # attention and state space layers


def measurements(seed: int) -> bytes:
    """A CSV file in the real one's columns. seed: has no effect, since nothing is drawn."""
    rows = [",".join(_row(point).get(name, "") for name in COLUMNS) for point in _points()]
    return "\n".join([",".join(COLUMNS), *dict.fromkeys(rows), ""]).encode()


def _points() -> Iterator[Mapping[str, str]]:
    lines = POINTS.read_text(encoding="utf-8").splitlines()
    return csv.DictReader(line for line in lines if not line.startswith("#"))


def _row(point: Mapping[str, str]) -> Mapping[str, str]:
    dense = point["total_params_b"] == point["active_params_b"]
    kind = "Mamba-Transformer Hybrid" if point["model"].startswith(HYBRIDS) else "Dense Transformer"
    return {
        "task": "lm-arena-chat",
        "nickname": point["model"],
        "total_params_b": point["total_params_b"],
        "active_params_b": point["active_params_b"],
        "architecture": kind if dense else "MoE",
        "weight_precision": point["weight_precision"],
        "gpu_model": point["gpu"],
        "num_gpus": point["num_gpus"],
        "max_num_seqs": point["max_num_seqs"],
        "avg_batch_size": point["avg_batch"],
        "energy_per_token_joules": point["joules_per_output_token"],
    }
