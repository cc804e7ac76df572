"""ML.ENERGY's measurements: the CSV file that a user brings, from the leaderboard's files or any table of their
values."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jouleproof.errors import system_reason
from jouleproof.inputs.files import InputError

TASKS = ("gpqa", "image-chat", "lm-arena-chat", "sourcegraph-fim", "video-chat")
TEXT = ("task", "model_id", "nickname", "architecture", "weight_precision", "gpu_model")
WHOLE = ("num_gpus", "tensor_parallel", "expert_parallel", "data_parallel", "max_num_seqs")
COLUMNS = (
    *("task", "model_id", "nickname", "total_params_b", "active_params_b", "architecture", "weight_precision"),
    *("gpu_model", *WHOLE, "avg_batch_size", "energy_per_token_joules", "energy_per_request_joules", "avg_output_len"),
    *("avg_power_watts", "output_throughput_tokens_per_sec"),
    *("median_itl_ms", "p90_itl_ms", "p95_itl_ms", "p99_itl_ms"),
)
_PUBLISHED = {"total_params_b": "total_params_billions", "active_params_b": "activated_params_billions"}
_ORDER = ("task", "model_id", "gpu_model", *WHOLE, "energy_per_token_joules")

Row = Mapping[str, str | int | float]


def to_csv(source: Path) -> bytes:
    """Convert the measurements to the CSV file that the catalogue describes: the same bytes for the same values.

    source: a folder with the leaderboard's tasks/*.json at any depth, or a CSV file with COLUMNS, in any order of
    columns and rows and in any notation of the numbers. Raises InputError if it is neither.
    """
    rows = list(_rows_of_csv(source) if source.is_file() else _rows_of_folder(source))
    rows.sort(key=lambda row: [row[name] for name in _ORDER])
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([COLUMNS, *([row[name] for name in COLUMNS] for row in rows)])
    return text.getvalue().encode()


def _rows_of_folder(folder: Path) -> Iterator[Row]:
    for task in TASKS:
        paths = sorted(folder.rglob(f"tasks/{task}.json")) or sorted(folder.glob(f"{task}.json"))
        if not paths:
            raise InputError(f"mlenergy: {folder} holds no tasks/{task}.json")
        try:
            for row in json.loads(paths[0].read_bytes())["configurations"]:
                yield _row({name: row[_PUBLISHED.get(name, name)] for name in COLUMNS[1:]} | {"task": task})
        except OSError as error:
            raise InputError(f"mlenergy: cannot read {paths[0]}: {system_reason(error)}") from error
        except (ValueError, TypeError, LookupError, RecursionError) as error:
            raise InputError(f"mlenergy: {paths[0]} is not a file of the leaderboard: {_short(error)}") from error


def _rows_of_csv(path: Path) -> Iterator[Row]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            if absent := [name for name in COLUMNS if name not in (reader.fieldnames or ())]:
                raise ValueError(f"no column {absent[0]}")
            for row in reader:
                yield _row({name: row[name] for name in COLUMNS})
    except OSError as error:
        raise InputError(f"mlenergy: cannot read {path}: {system_reason(error)}") from error
    except (ValueError, TypeError, LookupError, csv.Error) as error:
        raise InputError(f"mlenergy: {path} is not a table of its measurements: {_short(error)}") from error


def _row(values: Mapping[str, Any]) -> Row:
    """Convert the values of a row. Raises ValueError or TypeError if one is not of its column's type."""
    row: dict[str, str | int | float] = {}
    for name in COLUMNS:
        value = values[name]
        if name in TEXT:
            row[name] = str(value)
        elif name in WHOLE:
            row[name] = int(value)
        else:
            row[name] = float(value)
    return row


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split()):.200}"
