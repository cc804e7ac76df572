"""Strict readers of the inputs' formats, with the line in every error, in the units that the studies use."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jouleproof.errors import UserError
from jouleproof.files import read_parquet
from jouleproof.inputs.files import InputError
from jouleproof.inputs.ml_energy import COLUMNS
from jouleproof.inputs.table_files import csv_table, numbers

if TYPE_CHECKING:
    import pandas as pd

_LONGEST_FINAL = 30  # characters
_LARGEST_WHOLE = 2**53  # floats beyond this skip whole numbers
_FINAL = re.compile(r"(?s).*\n#### (-?\d{1,3}(?:,\d{3})*|-?\d+)")
_TRACE_COLUMNS = ["TIMESTAMP", "ContextTokens", "GeneratedTokens"]
_PROFILE_COLUMNS = {
    "model": "model",
    "hardware": "hardware",
    "tensor_parallel": "tensor_parallel",
    "prompt_size": "prompt_size",
    "batch_size": "batch_size",
    "token_size": "token_size",
    "prompt_time": "prompt_time_s",
    "token_time": "token_time_s",
    "e2e_time": "end_to_end_time_s",
    "peak_power": "peak_power_tdp",
    "average_power": "average_power_tdp",
}
_CDF_COLUMNS = [
    "cdf_percent",
    "gpu_power_w_kalos",
    "gpu_power_w_seren",
    "gpu_server_power_w_seren",
    "cpu_server_power_w_seren",
]
_MEASURED = {  # columns of ML.ENERGY's table that are read: name here, whether required, whether whole
    "total_params_b": ("total_b", True, False),
    "active_params_b": ("active_b", True, False),
    "num_gpus": ("gpus", True, True),
    "max_num_seqs": ("limit", True, True),
    "avg_batch_size": ("batch", True, False),
    "energy_per_token_joules": ("joules_per_token", True, False),
    "energy_per_request_joules": ("joules_per_answer", False, False),
    "avg_output_len": ("tokens_per_answer", False, False),
    "avg_power_watts": ("watts", False, False),
}
_NAMED = {
    "task": "task",
    "nickname": "model",
    "architecture": "architecture",
    "weight_precision": "precision",
    "gpu_model": "gpu",
}
_LEAST_USE, _MOST_USE = 0.01, 2.0  # highest share of the capacity in a record; its clock may boost
_GRID_MS, _MOST_SLOTS = 300_000, 31 * 288  # a gap in a record is no longer than a month


@dataclass(frozen=True)
class Problem:
    """A word problem. answer: the worked solution, with its annotations and final line; final: the number asked for."""

    question: str
    answer: str
    final: int


def read_gsm8k(path: Path) -> list[Problem]:
    """Read problems in GSM8K's format: JSON lines {question, answer}, the answer ending in `#### number`.

    Raises InputError, with the line, on any other content, and on an empty file.
    """
    text = _text(path).removesuffix("\n")
    if not text:
        raise InputError(f"{path} holds no problems")
    return [_problem(line, f"{path}, line {number}") for number, line in enumerate(text.split("\n"), 1)]


def read_trace(path: Path) -> pd.DataFrame:
    """Read the requests of an Azure LLM inference trace, by arrival: arrival_s (float, since the first), prompt_tokens
    and output_tokens (int64, >= 1).

    Raises InputError on other columns, missing values, token counts below 1 and arrivals out of order.
    """
    import pandas as pd

    table = _parquet(path, _TRACE_COLUMNS)
    since_first = table["TIMESTAMP"] - table["TIMESTAMP"].iloc[0]
    if (since_first.diff() < pd.Timedelta(0)).any() or (table[_TRACE_COLUMNS[1:]] < 1).any(axis=None):
        raise InputError(f"{path}: arrivals must be in order, and token counts at least 1")
    return pd.DataFrame(
        {
            "arrival_s": since_first.dt.total_seconds(),
            "prompt_tokens": table["ContextTokens"],
            "output_tokens": table["GeneratedTokens"],
        }
    )


def read_profile(path: Path) -> pd.DataFrame:
    """Read the profiled runs of perf_model.csv, one per row, in file order.

    model, hardware; tensor_parallel, prompt_size, batch_size, token_size (int64, >= 1); prompt_time_s, token_time_s,
    end_to_end_time_s (milliseconds in the file); peak_power_tdp, average_power_tdp (fraction of TDP, NaN if the file
    has the 0 of a run whose power was not recorded).
    Raises InputError on other columns, missing values and negative numbers.
    """
    table = _parquet(path, list(_PROFILE_COLUMNS))
    if (table.select_dtypes("number") < 0).any(axis=None):
        raise InputError(f"{path}: a negative number")
    for column in ("prompt_time", "token_time", "e2e_time"):
        table[column] = table[column] / 1e3
    for column in ("peak_power", "average_power"):
        table[column] = table[column].where(table[column] > 0)
    return table[list(_PROFILE_COLUMNS)].rename(columns=_PROFILE_COLUMNS)


def _problem(line: str, where: str) -> Problem:
    try:
        table: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not JSON: {error}") from error
    if not isinstance(table, dict) or set(table) != {"question", "answer"}:
        raise InputError(f"{where}: not an object with exactly question and answer")
    question, answer = table["question"], table["answer"]
    if not all(isinstance(text, str) and text.strip() for text in (question, answer)):
        raise InputError(f"{where}: question and answer must be texts that are not empty")
    if not (final := _FINAL.fullmatch(answer)):
        raise InputError(f"{where}: the answer does not end in a line `#### number`")
    if len(final[1]) > _LONGEST_FINAL:
        raise InputError(f"{where}: the answer's number has more than {_LONGEST_FINAL} characters")
    return Problem(question, answer, int(final[1].replace(",", "")))


def read_power_cdf(path: Path) -> pd.DataFrame:
    """Read distributions of power: cdf_percent from 0 to 100, and watts of GPU boards and servers, which never decrease
    (Acme).

    Raises InputError on other columns and values.
    """
    table = _parquet(path, _CDF_COLUMNS)[_CDF_COLUMNS]
    for name in _CDF_COLUMNS:
        _at_least(path, table, name, -float("inf"), "per cent" if name == _CDF_COLUMNS[0] else "watts")
    if table["cdf_percent"].max() <= 1:
        raise InputError(f"{path}: cdf_percent ends at {table['cdf_percent'].max():g}; needed: per cent, up to 100")
    if (table.diff() < 0).any(axis=None) or (table < 0).any(axis=None) or table["cdf_percent"].max() > 100:
        raise InputError(f"{path}: a distribution decreases, is negative or goes beyond 100 %")
    return table


def read_energy(path: Path) -> pd.DataFrame:
    """Read the measured GPU energy of language models, one configuration per row (ML.ENERGY).

    task, model, architecture, precision, gpu; total_b, active_b (billions of parameters); gpus; limit (maximum number
    of concurrent requests) and batch (their mean number); joules_per_token, and joules_per_answer, tokens_per_answer,
    watts (of all GPUs) or NaN if the file omits them. Raises InputError, with the line, on absent columns and values
    that are not positive.
    """
    import pandas as pd

    text = _csv(path, list(COLUMNS))
    table = pd.DataFrame({name: text[column] for column, name in _NAMED.items()})
    for column, name in _NAMED.items():
        _refuse(path, table[name] == "", f"{column} is empty")
    for column, (name, required, whole) in _MEASURED.items():
        given = text[column] != "" if not required else pd.Series(True, text.index)
        numbers = _numbers(path, text[column].where(given, "1"), whole=whole, least=0)
        _refuse(path, numbers == 0, f"{column} is 0")
        table[name] = numbers if required else numbers.where(given)
    _refuse(path, table["active_b"] > table["total_b"], "active_params_b is above total_params_b")
    return table.reset_index(drop=True)


def read_cpu_use(fragments: Path, tasks: Path) -> pd.DataFrame:
    """Read CPU use as shares of each virtual machine's capacity, on a grid of five minutes from its start: a column for
    each machine, NaN if nothing was recorded. fragments: id, duration (ms) and cpu_usage (MHz), in order; tasks: id
    and cpu_capacity (MHz) among others.

    Raises InputError if a file is not such a table, a value is negative or not finite, or a machine is not described.
    """
    import numpy as np
    import pandas as pd

    used, described = _parquet(fragments, ["id", "duration", "cpu_usage"]), _parquet(tasks, ["id", "cpu_capacity"])
    if described["id"].duplicated().any():
        raise InputError(f"{tasks} has a duplicate machine")
    _at_least(fragments, used, "duration", 1, "ms")
    _at_least(fragments, used, "cpu_usage", 0, "MHz")
    _at_least(tasks, described, "cpu_capacity", -np.inf, "MHz")
    capacity = described.set_index("id")["cpu_capacity"]
    if not (capacity > 0).all() or set(used["id"]) - set(capacity.index):
        raise InputError(f"{tasks}: a machine has no capacity or is missing")
    _same_units(fragments, used, used["id"].map(capacity))
    columns = {}
    for machine, rows in used.groupby("id", sort=True):
        slots = np.maximum((rows["duration"] // _GRID_MS).to_numpy(int), 1)
        share = np.clip(rows["cpu_usage"].to_numpy(float) / capacity[machine], 0.0, 1.0)
        columns[str(machine)] = pd.Series(np.repeat(share, np.minimum(slots, _MOST_SLOTS)))
    return pd.DataFrame(columns)


def _parquet(path: Path, columns: list[str]) -> pd.DataFrame:
    import pyarrow as pa

    try:
        table = read_parquet(path, columns).replace_schema_metadata(None).to_pandas()
    except FileNotFoundError as error:
        raise InputError(f"cannot read {path}: No such file") from error
    except (OSError, pa.ArrowException, ValueError, KeyError) as error:
        raise InputError(f"{path} cannot be read: {' '.join(str(error).split()):.300}") from error
    if sorted(table.columns) != sorted(columns) or table.empty or table.isna().any(axis=None):
        raise InputError(f"{path} must have a value in every row of {', '.join(columns)}")
    return table


def _at_least(path: Path, table: pd.DataFrame, name: str, least: float, unit: str) -> None:
    """Raise InputError unless a column holds finite numbers of at least `least`; make numbers of text."""
    import numpy as np

    if table[name].dtype.kind not in "iuf":
        try:
            table[name] = numbers(table[name], unit, path)
        except UserError as error:
            raise InputError(str(error)) from error
    if not (np.isfinite(table[name]) & (table[name] >= least)).all():
        raise InputError(f"{path}: {name} is not a number of at least {least} in every row")


def _same_units(path: Path, used: pd.DataFrame, capacity: pd.Series[float]) -> None:
    """Raise InputError where durations or uses can only be in another unit: nothing lasts a second, or the highest use
    is far from the capacity."""
    if (longest := used["duration"].max()) < 1000:
        raise InputError(f"{path}: no duration is above {longest:g} ms; needed: ms")
    highest = (used["cpu_usage"] / capacity).max()
    if not _LEAST_USE <= highest <= _MOST_USE:
        raise InputError(f"{path}: the highest cpu_usage is {highest:.3g} of its cpu_capacity; needed: both in MHz")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8: byte {error.start} cannot be read") from error


def _csv(path: Path, columns: list[str], text: str | None = None) -> pd.DataFrame:
    """Read all values as text; the index is the line of the file. text: its content, if it was read already.

    Raises InputError unless the columns are these, in any order, and there is a row.
    """
    try:
        table = csv_table(path, _text(path) if text is None else text)
    except InputError:
        raise
    except UserError as error:
        raise InputError(str(error)) from error
    if sorted(table.columns) != sorted(columns):
        raise InputError(f"{path} has the columns {', '.join(table.columns):.300}; expected {', '.join(columns)}")
    if table.empty:
        raise InputError(f"{path} has no rows")
    return table


def _numbers(path: Path, text: pd.Series[str], *, whole: bool, least: int) -> pd.Series[Any]:
    import numpy as np
    import pandas as pd

    number = pd.to_numeric(text, errors="coerce")
    bad = ~np.isfinite(number) | (number < least)
    if whole:
        bad |= (number != number.round()) | (number > _LARGEST_WHOLE)
    most = " and at most 2**53" if whole else ""
    _refuse(path, bad, f"{text.name} is not a {'whole ' if whole else ''}number of at least {least}{most}")
    return number.astype("int64") if whole else number.astype("float64")


def _refuse(path: Path, bad: pd.Series[bool], why: str) -> None:
    if bad.any():
        raise InputError(f"{path}, line {bad.index[int(bad.argmax())]}: {why}")
