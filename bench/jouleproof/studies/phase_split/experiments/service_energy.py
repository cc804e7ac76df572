"""Energy of one service by way of serving and stored format, with all and with a part of its requests: joules per
request by use, and provisioned power, with every service level met."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

import numpy as np
import pandas as pd

from jouleproof.errors import UserError
from jouleproof.evidence.tables import SIMULATED, tidy
from jouleproof.progress import steps
from jouleproof.serving.simulator.capacity import CapacitySearch, fewest
from jouleproof.serving.simulator.clusters import FAMILIES, H100, UNLIMITED, Budget
from jouleproof.serving.simulator.evaluation import CORRECTED_SETUP, Setup, Workload
from jouleproof.serving.simulator.machines import MACHINES, Design
from jouleproof.serving.simulator.service_levels import meets, slowdowns
from jouleproof.serving.simulator.simulate import Run, simulate
from jouleproof.serving.simulator.workload import superposed
from jouleproof.studies.phase_split.config import PhaseSplitConfig
from jouleproof.studies.phase_split.registry import UNPACKED, model_in
from jouleproof.studies.phase_split.searches import capacity_search

WAYS = ("together", "chunked", "split")
KW_OF_POWER = 10.2 / MACHINES[H100].power  # kW per unit of power: a DGX H100's datasheet
PEAK_S = 120.0  # length of the hour's busiest stretch, for which machines are provisioned
BIN_S = 10.0
ROW, RISK = 10, 1e-3  # machines per row, share of rows and bins over the budget, as in the placement study
MOST_MACHINES = 256


@dataclass(frozen=True)
class Case:
    """A simulated case. taken: share of the requests that are answered elsewhere. which: `any`, or `short` for those
    with the shortest answers."""

    form: str
    taken: float
    which: str


def service_energy(config: PhaseSplitConfig, azure_conv: pd.DataFrame, azure_code: pd.DataFrame) -> pd.DataFrame:
    """Simulate the service under corrected rules on H100. The number of machines is the fewest that suffice with whole
    prompts first, under Poisson arrivals at the rate of the hour's busiest two minutes; each way of serving gets the
    same number. Then the hour is served at the highest load that they sustain, and at shares of it (level), so that
    rounding to whole machines does not matter.

    By level, J per remaining request: prompt_j and token_j of busy accelerators, idle_j of idle ones, host_j of all
    other parts. meets: whether all service levels are met over the hour. provisioned: nameplate kW per request/s of the
    hour's mean, by seed. prompt_machines, token_machines. For the whole service, row_alike_w and row_mixed_w: W per
    machine that a row of ten needs so that one in a thousand of all rows' 10-s bins exceeds it; rows have machines of
    one pool (alike) or of both in proportion (mixed).
    """
    workload = Workload({"conv": azure_conv, "code": azure_code}, config.load)
    settings = config.service_energy
    cases = list(_cases(config))
    step = steps("phase_split service_energy", len(cases))
    rows: list[dict[str, Any]] = []
    for case in cases:
        rows += _served(config, workload, case)
        step(f"{case.form}, {case.taken:.0%} answered elsewhere, {case.which}")
    return tidy(({"service": settings.service, "model": settings.model, **row} for row in rows), tier=SIMULATED)


def _cases(config: PhaseSplitConfig) -> Iterator[Case]:
    settings = config.service_energy
    for form in (UNPACKED, *settings.formats):
        yield Case(form, 0.0, "any")
        for taken in settings.taken:
            for which in ("any", "short"):
                yield Case(form, taken, which)


def without_the_short(trace: pd.DataFrame, taken: float) -> pd.DataFrame:
    """Return the trace without the share `taken` of requests with the shortest answers; of ties, the earliest go."""
    order = np.argsort(trace["output_tokens"].to_numpy(), kind="stable")
    return trace.iloc[np.sort(order[round(taken * len(trace)) :])]


def peak_over_mean(trace: pd.DataFrame) -> float:
    """Return the most arrivals in two minutes over the mean number; 1 if the trace is shorter than four minutes."""
    at = trace["arrival_s"].to_numpy() - trace["arrival_s"].iloc[0]
    counts = np.bincount((at // PEAK_S).astype(int))[:-1]  # the last stretch is incomplete
    return float(counts.max() / counts.mean()) if len(counts) > 1 else 1.0


def _served(config: PhaseSplitConfig, workload: Workload, case: Case) -> Iterator[dict[str, Any]]:
    settings = config.service_energy
    service, whole = settings.service, workload.traces[settings.service]
    trace = without_the_short(whole, case.taken) if case.which == "short" else whole
    left = replace(workload, traces={service: trace})
    setup = replace(CORRECTED_SETUP, model=model_in(settings.model, case.form))
    peak = peak_over_mean(whole)
    search = capacity_search(config, left, setup, service, settings.precision)
    count = _fewest_machines(search, settings.rate * (1 - case.taken) * peak)
    for way in WAYS:
        design = _design(config, search, way, count)
        factors = {"stored_as": case.form, "way": way, "taken": case.taken, "which": case.which, "level": 1.0}
        for pool, (_, machines) in zip(("prompt", "token"), (design.prompt, design.token), strict=True):
            yield {**factors, "metric": f"{pool}_machines", "unit": "1", "value": machines}
        loads = {seed: search.max_load(design, seed) for seed in settings.seeds}
        for seed, most in loads.items():
            kilowatts = design.power * KW_OF_POWER / (most / peak)
            yield {**factors, "seed": seed, "metric": "provisioned", "unit": "kW s", "value": kilowatts}
        mean = fmean(loads.values()) / peak
        for level in settings.levels:
            requests = superposed(trace, mean * level, workload.load.hour_s, settings.seeds[0])
            run = simulate(design, requests, setup.semantics, setup.model, power_bin_s=BIN_S)
            yield from ({**factors, "level": level, **row} for row in _read_off(run, design, left, setup, case, level))


def _read_off(
    run: Run, design: Design, workload: Workload, setup: Setup, case: Case, level: float
) -> Iterator[dict[str, Any]]:
    for name, joules in joules_by_part(run, design).items():
        yield {"metric": name, "unit": "J", "value": joules / len(run.prompt)}
    if level == 1.0:
        window = workload.window_of(replace(setup, arrivals="hour"))
        ratios = slowdowns(run, setup.semantics, setup.reading, window, setup.model)
        yield {"metric": "meets", "unit": "1", "value": float(meets(ratios))}
    if level == 1.0 and case.taken == 0.0:  # machines for a part of the service may not fill a row
        for name, watts in row_watts(run).items():
            yield {"metric": name, "unit": "W", "value": watts}


def _design(config: PhaseSplitConfig, search: CapacitySearch, way: str, count: int) -> Design:
    """Return a design with this number of machines, split into the pools that sustain most on the seed for searches."""
    if way == "together":
        return _together(count)
    if way == "chunked":
        return Design(way, "chunked", (H100, count), batch_tokens=config.beyond.chunk)
    budget = Budget(UNLIMITED, max(count, 2) * MACHINES[H100].power)
    return search.best_pools(FAMILIES["splitwise_hh"], budget)[0]


def _fewest_machines(search: CapacitySearch, rate: float) -> int:
    """Return the fewest machines that sustain a rate if they serve whole prompts first."""

    def sustains(count: int) -> bool:
        return search.sustains(_together(count), rate)

    too_few, enough = 0, 1
    while not sustains(enough):
        too_few, enough = enough, 2 * enough
        if too_few > MOST_MACHINES:
            raise UserError(
                f"phase_split service_energy: {too_few} machines do not sustain {rate:g} requests/s; lower the rate"
            )
    return fewest(sustains, too_few, enough)


def _together(count: int) -> Design:
    return Design("together", "together", (H100, count))


def joules_by_part(run: Run, design: Design) -> dict[str, float]:
    """Return the J of a whole run: of accelerators by phase, of idle accelerators, and of hosts."""
    host_w = np.array([machine.host_w for machine in design.machines])
    idle_s = run.end_s - run.busy_s.sum(axis=1)
    prompt, token = (run.energy_j - run.busy_s * host_w[:, None]).sum(axis=0)
    return {
        "prompt_j": float(prompt),
        "token_j": float(token),
        "idle_j": float((idle_s * (run.idle_w - host_w)).sum()),
        "host_j": float(host_w.sum() * run.end_s),
    }


def row_watts(run: Run) -> dict[str, float]:
    """Return the W per machine that a row needs, by how rows are filled."""
    watts, _ = run.watts(BIN_S, max(int(run.arrival_s[-1] // BIN_S), 1))
    count = len(watts)
    rows = max(round(count / ROW), 1)
    alike = np.array_split(np.arange(count), rows)
    mixed = [np.arange(row, count, rows) for row in range(rows)]
    return {"row_alike_w": _needed(watts, alike), "row_mixed_w": _needed(watts, mixed)}


def _needed(watts: np.ndarray, rows: Sequence[np.ndarray]) -> float:
    return float(np.quantile([watts[row].mean(axis=0) for row in rows], 1 - RISK))
