"""Comparisons that are not in the source: prompts in chunks, pools that change with the load, newer accelerators, and
weights and cache in MX formats. Every cluster has the power of 40 H100 machines."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from jouleproof.evidence.tables import SIMULATED, tidy
from jouleproof.progress import steps
from jouleproof.serving.simulator.clusters import FAMILIES, H100, UNLIMITED, Budget, Family
from jouleproof.serving.simulator.evaluation import CORRECTED_SETUP, Setup, Workload
from jouleproof.serving.simulator.machines import MACHINES, Design
from jouleproof.serving.simulator.service_levels import most_decodes
from jouleproof.studies.phase_split.config import PhaseSplitConfig
from jouleproof.studies.phase_split.registry import UNPACKED, model_in
from jouleproof.studies.phase_split.searches import capacity_search

POWER = FAMILIES["baseline_h100"].design(40).power


@dataclass(frozen=True)
class Case:
    accelerator: str
    form: str
    service: str
    arrivals: Any

    def setup(self) -> Setup:
        return replace(CORRECTED_SETUP, model=model_in(CORRECTED_SETUP.model, self.form), arrivals=self.arrivals)


def beyond(config: PhaseSplitConfig, azure_conv: pd.DataFrame, azure_code: pd.DataFrame) -> pd.DataFrame:
    """Return the highest load (requests/s) of each way of serving under corrected rules, whatever its price."""
    workload = Workload({"conv": azure_conv, "code": azure_code}, config.load)
    settings = config.beyond
    cases = list(_cases(config))
    step = steps("phase_split beyond", len(cases))
    pools: dict[Case, Design] = {}
    rows = []
    for case in cases:
        searched = replace(case, arrivals="poisson")
        if searched not in pools:
            pools[searched] = _split_pools(config, workload, searched)
        search = capacity_search(config, workload, case.setup(), case.service, settings.precision)
        for way, design in _ways(config, workload, case, pools[searched]).items():
            factors = {
                "accelerator": case.accelerator,
                "stored_as": case.form,
                "service": case.service,
                "arrivals": case.arrivals,
                "way": way,
                "prompt_machines": design.prompt[1],
                "token_machines": design.token[1],
                "metric": "most_load",
                "unit": "requests/s",
            }
            for seed in settings.seeds[:2] if case.arrivals == "hour" else settings.seeds:
                rows.append({**factors, "value": search.max_load(design, seed), "seed": seed})
        step(f"{case.accelerator}, {case.form}, {case.service}, {case.arrivals}")
    return tidy(rows, tier=SIMULATED)


def _cases(config: PhaseSplitConfig) -> Iterator[Case]:
    settings = config.beyond
    first = settings.services[0]
    for service in settings.services:
        for arrivals in ("poisson", "hour"):
            yield Case(H100, UNPACKED, service, arrivals)
    for accelerator in settings.accelerators:
        if accelerator != H100:
            yield Case(accelerator, UNPACKED, first, "poisson")
    for form in settings.formats:
        yield Case(H100, form, first, "poisson")


def _split_pools(config: PhaseSplitConfig, workload: Workload, case: Case) -> Design:
    family = Family(f"split_{case.accelerator}", case.accelerator, case.accelerator)
    return capacity_search(config, workload, case.setup(), case.service).best_pools(family, Budget(UNLIMITED, POWER))[0]


def _ways(config: PhaseSplitConfig, workload: Workload, case: Case, split: Design) -> dict[str, Design]:
    """Return the designs: whole prompts before decodes, prompts in chunks with decodes, split pools, and pools that
    follow the load."""
    settings = config.beyond
    pool = case.accelerator, int(POWER / MACHINES[case.accelerator].power + 1e-9)
    decodes = most_decodes(MACHINES[case.accelerator], case.setup().model, workload.traces[case.service])
    return {
        "together": Design("together", "together", pool),
        "chunked": Design("chunked", "chunked", pool, batch_tokens=settings.chunk),
        "split": split,
        "balanced": replace(split, name="balanced", balance_s=settings.balance_s, decodes=decodes),
    }
