"""Power of every machine of a split cluster that serves an hour of real requests."""

from typing import Any

import pandas as pd

from jouleproof.evidence.tables import COLUMNS, SIMULATED, check
from jouleproof.serving.simulator.clusters import FAMILIES, PUBLISHED_POOLS
from jouleproof.serving.simulator.evaluation import CORRECTED_SETUP, Workload
from jouleproof.serving.simulator.from_files import power_table
from jouleproof.serving.simulator.simulate import simulate
from jouleproof.serving.simulator.workload import superposed
from jouleproof.studies.phase_split.config import PhaseSplitConfig


def power_trace(config: PhaseSplitConfig, azure_conv: pd.DataFrame, azure_code: pd.DataFrame) -> pd.DataFrame:
    """Return mean watts by machine and time bin. phase: the phase that took most of the bin."""
    workload = Workload({"conv": azure_conv, "code": azure_code}, config.load)
    settings = config.power_trace
    design = FAMILIES["splitwise_hh"].design(*PUBLISHED_POOLS[settings.service]["splitwise_hh"])
    seconds = settings.hours * 3600
    requests = superposed(workload.traces[settings.service], settings.rate, seconds, settings.seed)
    run = simulate(design, requests, CORRECTED_SETUP.semantics, power_bin_s=settings.bin_s)
    watts = power_table(run, design, settings.bin_s).rename(columns={"t": "t_s", "W": "value"})
    table = watts[watts["t_s"] < seconds]
    constants: dict[str, Any] = {"metric": "power", "unit": "W", "repeat": 0, "seed": settings.seed, "tier": SIMULATED}
    table = table.assign(**constants)[[*table.columns.drop("value"), *COLUMNS]].astype(COLUMNS)
    check(table)
    return table
