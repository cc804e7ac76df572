"""A single simulation of a design and requests from files: it writes a row per request and a table of latencies."""

from pathlib import Path

import numpy as np
import pandas as pd

from jouleproof.errors import UserError
from jouleproof.files import atomic
from jouleproof.serving.simulator.machines import Design, read_design
from jouleproof.serving.simulator.service_levels import PERCENTILES
from jouleproof.serving.simulator.simulate import CORRECTED, PUBLISHED, RequestError, Run, simulate
from jouleproof.serving.simulator.workload import FIRST_ROW, read_requests

POWER_BIN_S = 2.0
PHASES = ("prompt", "token", "idle")


def simulate_files(designs: Path, design: str, trace: Path, compat: bool, out: Path, power: Path | None) -> str:
    """Simulate a design; return its latencies in seconds and its energy as text. compat: follow the published rules,
    and divide by tokens instead of gaps for TBT.

    Raises UserError if a file cannot be read or a request fits no machine.
    """
    described, requests = read_design(designs, design), read_requests(trace)
    try:
        run = simulate(
            described, requests, PUBLISHED if compat else CORRECTED, power_bin_s=POWER_BIN_S if power else 0.0
        )
    except RequestError as error:
        raise UserError(f"{trace}: row {error.row + FIRST_ROW}: prompt_size, token_size: {error.why}") from error
    except UserError as error:
        raise UserError(f"{trace}: {error}") from error
    table = run.table()
    if compat:
        table["tbt_s"] = (run.e2e_s - run.ttft_s) / run.output
    with atomic(out) as temporary:
        table.to_parquet(temporary, index=False)
    if power:
        with atomic(power) as temporary:
            power_table(run, described, POWER_BIN_S).to_parquet(temporary, index=False)
    return _latencies(table, run)


def power_table(run: Run, design: Design, bin_s: float) -> pd.DataFrame:
    """Return a row per machine and bin up to the last event: pool, start t (s), mean W, longest phase."""
    watts, seconds = run.watts(bin_s, int(np.ceil(run.end_s / bin_s)))
    phases = seconds.argmax(axis=2)
    machine, place = np.indices(watts.shape)
    return pd.DataFrame(
        {
            "machine": machine.ravel(),
            "pool": np.where(machine.ravel() < design.prompt[1], "prompt", "token"),
            "t": place.ravel() * bin_s,
            "W": watts.ravel(),
            "phase": np.array(PHASES)[phases.ravel()],
        }
    )


def _latencies(table: pd.DataFrame, run: Run) -> str:
    done = table.dropna(subset=["e2e_s"])
    rows = {}
    for name, label in (("ttft_s", "TTFT"), ("tbt_s", "TBT"), ("e2e_s", "E2E")):
        values = done[name].dropna()
        rows[label] = {f"P{percent} (s)": np.percentile(values, percent) for percent in PERCENTILES if len(values)}
    text = pd.DataFrame(rows).T.to_string(float_format=lambda value: f"{value:.6f}")
    joules = run.energy_all_j
    text += (
        f"\nmodelled energy, idle machines included: {joules / len(table):.0f} J/request, "
        f"{joules / run.output.sum():.1f} J/token; {joules / run.end_s / 1e3:.1f} kW on average"
    )
    if run.unfinished:
        why = "the cluster was deadlocked" if run.deadlock else "they never fitted into memory"
        text += f"\n{run.unfinished} of {len(table)} requests did not finish: {why}"
    return text
