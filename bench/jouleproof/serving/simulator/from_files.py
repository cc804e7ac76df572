"""A single simulation of a design and requests from files: it writes a row per request and a table of latencies."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from jouleproof.errors import UserError
from jouleproof.files import atomic
from jouleproof.serving.simulator.admission import RequestError, power_bins
from jouleproof.serving.simulator.machines import Design, read_design
from jouleproof.serving.simulator.performance import measured
from jouleproof.serving.simulator.service_levels import PERCENTILES
from jouleproof.serving.simulator.simulate import CORRECTED, PUBLISHED, Run, Semantics, simulate
from jouleproof.serving.simulator.workload import read_requests

MODEL = "bloom-176b"
PHASES = ("prompt", "token", "idle")
HARDLY_BUSY = 1e-3  # share of the machines' time, below which arrivals are probably not in seconds


def simulate_files(
    designs: Path, design: str, trace: Path, compat: bool, out: Path, power: Path | None, power_step_s: float = 2.0
) -> str:
    """Simulate a design; return its latencies in seconds and its energy as text. compat: follow the published rules,
    and divide by tokens instead of gaps for TBT.

    Raises UserError if a file cannot be read or a request fits no machine.
    """
    described, requests = read_design(designs, design), read_requests(trace)
    semantics = PUBLISHED if compat else CORRECTED
    try:
        run = simulate(described, requests, semantics, MODEL, power_bin_s=power_step_s if power else 0.0)
    except RequestError as error:
        assert requests.places is not None
        place = f"{trace}: {requests.places.name} {requests.places[error.row]}"
        raise UserError(f"{place}: prompt_size, token_size: {error.why}") from error
    except UserError as error:
        raise UserError(f"{trace}: {error}") from error
    table = run.table()
    if compat:
        table["tbt_s"] = (run.e2e_s - run.ttft_s) / run.output
    with atomic(out) as temporary:
        table.to_parquet(temporary, index=False)
    if power:
        with atomic(power) as temporary:
            power_table(run, described, power_step_s).to_parquet(temporary, index=False)
    return "\n".join([_latencies(table, run), *_notes(run, described, semantics)])


def power_table(run: Run, design: Design, bin_s: float) -> pd.DataFrame:
    """Return a row per machine and bin up to the last event: pool, start t (s), mean W, longest phase."""
    watts, seconds = run.watts(bin_s, power_bins(1, run.end_s, bin_s))
    phases = seconds.argmax(axis=2)
    machine, place = np.indices(watts.shape)
    return pd.DataFrame(
        {
            "machine": machine.ravel(),
            "pool": np.where(machine.ravel() < design.prompt[1], "prompt", "token"),
            "t": np.round(place.ravel() * bin_s, 9),  # 3 * 0.1 is 0.3
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
    return text + (
        f"\nmodelled energy, idle machines included: {joules / len(table):.0f} J/request, "
        f"{joules / run.output.sum():.1f} J/token; {joules / run.end_s / 1e3:.1f} kW on average"
    )


def _notes(run: Run, design: Design, semantics: Semantics) -> Iterator[str]:
    """Yield what a reader of the numbers has to know: that they are extrapolated, or that not every request is done."""
    most = measured((machine for machine, _ in design.pools), MODEL, semantics.by_context)
    context = run.prompt.astype(np.int64) + run.output
    if count := int(((run.prompt > most.prompt) | (context > most.context)).sum()):
        yield (
            f"{count} of {len(context)} requests go beyond the profile, which ends at {most.prompt:,.0f} prompt tokens "
            f"and {most.context:,.0f} tokens of context (most: {run.prompt.max():,} and {context.max():,}): times are "
            "extrapolated"
        )
    if semantics.by_context and run.most_decodes > most.decodes:
        yield (
            f"up to {run.most_decodes} decodes ran at once on a machine; the profile ends at {most.decodes:,.0f}: "
            "times are extrapolated"
        )
    if run.busy_s.sum() < HARDLY_BUSY * run.end_s * len(run.busy_s):
        yield "machines were idle for more than 99.9 % of the time: is arrival_timestamp in seconds?"
    if run.unfinished:
        why = "the cluster was deadlocked" if run.deadlock else "they never fitted into memory"
        yield f"{run.unfinished} of {len(context)} requests did not finish: {why}"
