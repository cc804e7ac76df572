"""Stand-in for the profile of the Splitwise simulator: the median of every measured cell (splitwise_profile_cells.csv).

Reproduced: the cells, how often each was run, and the medians of prompt time, token time and power by cell. A median
over several cells (the simulator's axis, prompt_size x batch_size) comes out within 3 % of the published one, but
for the prompt time of Llama2-70B on four A100 at 2,048 tokens, which is 14 % higher.
The end-to-end column is prompt_time + (tokens_made - 1) x token_time.
Not reproduced: the spread between runs of one cell (0.2-4 % in the real file; more in the end-to-end time of long runs,
which end early).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

CELLS = Path(__file__).with_name("splitwise_profile_cells.csv")
HEADER = (
    "model,hardware,prompt_size,batch_size,token_size,peak_power,average_power,"
    "prompt_time,token_time,e2e_time,tensor_parallel"
)


def profile(seed: int) -> bytes:
    """The profile as a CSV file in the real one's columns; times in ms, power as a fraction of TDP, 0 if unrecorded.

    seed: has no effect, since medians do not vary.
    """
    rows = [line for cell in _cells() for line in [_row(cell)] * int(cell["runs"])]
    return ("\n".join([HEADER, *rows]) + "\n").encode()


def _cells() -> Iterator[Mapping[str, str]]:
    lines = CELLS.read_text(encoding="utf-8").splitlines()
    return csv.DictReader(line for line in lines if not line.startswith("#"))


def _row(cell: Mapping[str, str]) -> str:
    prompt_ms, token_ms = (float(cell["prompt_time_s"]) * 1e3, float(cell["token_time_s"]) * 1e3)
    end_to_end_ms = prompt_ms + (int(cell["tokens_made"]) - 1) * token_ms
    shape = ",".join(cell[key] for key in ("model", "hardware", "prompt_size", "batch_size", "token_size"))
    power = f"{float(cell['peak_power_tdp']):.8f},{float(cell['average_power_tdp']):.8f}"
    times = f"{prompt_ms:.9f},{token_ms:.9f},{end_to_end_ms:.9f}"
    return f"{shape},{power},{times},{cell['tensor_parallel']}"
