"""Speed of casts in this library and others, compared with a plain copy."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from jouleproof.errors import UserError
from jouleproof.evidence.tables import MEASURED, tidy
from jouleproof.formats import FORMATS
from jouleproof.measure.threads import cores, placed_threads, unpin
from jouleproof.progress import steps
from jouleproof.studies.mx.config import MxConfig
from jouleproof.studies.mx.micro import first_calls

MICRO = "jouleproof.studies.mx.micro.casts"  # run by pytest in a separate process
CASE = ("operation", "library", "format", "out", "elements", "threads")


def throughput(config: MxConfig) -> pd.DataFrame:
    """Measure the speed of each cast, in GB/s of float32 input and over a copy in the same pass, and time first calls.

    A speed is the median of the rounds of a pass. The first calls of a process are timed with and without compiled code
    on disk.
    """
    counts = thread_counts(config)
    unpin()
    step = steps("mx throughput", len(counts) + 1)
    rows: list[dict[str, Any]] = []
    for count in counts:
        times = pd.DataFrame(list(_timed(config, count)))
        rows += _rates(times)
        step(f"{count} thread{'s' if count > 1 else ''}")
    rows += _first_calls(config)
    step("first calls")
    return tidy(rows, tier=MEASURED)


def thread_counts(config: MxConfig) -> list[int]:
    """Return the numbers of threads that are timed: those of the config, but none above the number of cores."""
    return sorted({min(count, cores()) for count in config.throughput.threads})


def ratios(table: pd.DataFrame) -> pd.DataFrame:
    """Return medians over the passes of the speed over a copy's and over torchao's, by threads, operation, format, and
    whether the output memory was given."""
    rows = table[table["metric"].isin(["of_copy", "over_torchao"])]
    keys = ["threads", "operation", "format"]
    medians = rows.pivot_table(index=keys, columns=["metric", "out"], values="value", aggfunc="median", sort=False)
    return medians.round(2)


def _timed(config: MxConfig, threads: int) -> Iterator[dict[str, Any]]:
    """Yield one row per case and pass, from the report of pytest-benchmark."""
    timed = {"formats": config.formats, "threads": threads, "counts": thread_counts(config)}
    settings = {**config.throughput.model_dump(), **timed}
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "benchmark.json"
        options = ["-q", "-o", "addopts=", "-p", "no:cacheprovider", f"--rootdir={folder}"]
        command = [sys.executable, "-m", "pytest", "--pyargs", MICRO, *options, f"--benchmark-json={report}"]
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        environment = {**inherited, **placed_threads(threads), "JOULEPROOF_CASTS": json.dumps(settings)}
        done = subprocess.run(
            command, env=environment, capture_output=True, encoding="utf-8", errors="replace", check=False
        )
        if done.returncode or not report.is_file():
            raise UserError(f"mx throughput: pytest-benchmark failed: {' '.join(done.stdout.split())[-300:]}")
        for benchmark in json.loads(report.read_text(encoding="utf-8"))["benchmarks"]:
            yield {**benchmark["extra_info"], "seconds": benchmark["stats"]["median"]}


def _rates(times: pd.DataFrame) -> list[dict[str, Any]]:
    rows = []
    copies = times[times["operation"] == "copy"].set_index(["out", "pass"])["seconds"]
    peers = times[times["library"] == "torchao"].set_index(["operation", "format", "pass"])["seconds"]
    for time in times.to_dict("records"):
        factors = {name: time[name] for name in CASE} | {"repeat": time["pass"]}
        per_element = time["seconds"] / time["elements"]
        rows.append({**factors, "metric": "throughput", "unit": "GB/s", "value": 4e-9 / per_element})
        if time["library"] == "jouleproof":
            copy = copies[time["out"], time["pass"]] / times["elements"].max()
            rows.append({**factors, "metric": "of_copy", "unit": "1", "value": copy / per_element})
            peer = peers.get((time["operation"], time["format"], time["pass"]))
            if peer is not None:
                rows.append({**factors, "metric": "over_torchao", "unit": "x", "value": peer / time["seconds"]})
    return rows


def _first_calls(config: MxConfig) -> list[dict[str, Any]]:
    """Time the first three casts of a process in a built-in format, with an empty and then a filled numba cache."""
    name = next((name for name in config.formats if name in FORMATS), None)
    if name is None:
        return []
    rows = []
    case = ("first calls", "jouleproof", name, "new", first_calls.ELEMENTS, 0)
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "NUMBA_CACHE_DIR": folder}
        command = [sys.executable, "-m", first_calls.__name__, name]
        for code in ("compiled", "from_disk"):
            done = subprocess.run(
                command, env=environment, capture_output=True, encoding="utf-8", errors="replace", check=True
            )
            factors = dict(zip(CASE, case, strict=True))
            rows.append({**factors, "metric": f"first_call_{code}", "unit": "s", "value": float(done.stdout)})
    return rows
