"""What the source did not compare: prompts in chunks, pools that change with the load, newer accelerators, and weights
and cache in MX formats. Every cluster may draw what 40 H100 machines do."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from jouleproof.evidence.tables import SIMULATED, tidy
from jouleproof.progress import steps
from jouleproof.serving.simulator.capacity import CORRECTED_SETUP, Bench, Setup
from jouleproof.serving.simulator.clusters import FAMILIES, H100, Budget, Family, Prices, best_pools
from jouleproof.serving.simulator.machines import MACHINES, Design
from jouleproof.serving.simulator.service_levels import most_decodes
from jouleproof.studies.phase_split.config import PhaseSplitConfig
from jouleproof.studies.phase_split.experiments.headlines import ANY

POWER = FAMILIES["baseline_h100"].design(40).power
UNPACKED = "16 bits"


@dataclass(frozen=True)
class Case:
    accelerator: str
    form: str
    service: str
    arrivals: Any

    def setup(self) -> Setup:
        model = CORRECTED_SETUP.model
        named = model if self.form == UNPACKED else f"{model}/{self.form}"
        return replace(CORRECTED_SETUP, model=named, arrivals=self.arrivals)


def beyond(config: PhaseSplitConfig, azure_conv: pd.DataFrame, azure_code: pd.DataFrame) -> pd.DataFrame:
    """The most load of each way of serving, corrected rules; price is not compared."""
    bench = Bench({"conv": azure_conv, "code": azure_code}, config.load)
    settings = config.beyond
    cases = list(_cases(config))
    step = steps("phase_split beyond", len(cases))
    pools: dict[Case, Design] = {}
    rows = []
    for case in cases:
        searched = replace(case, arrivals="poisson")
        if searched not in pools:
            pools[searched] = _searched(config, bench, searched)
        for way, design in _ways(config, bench, case, pools[searched]).items():
            about = {
                "accelerator": case.accelerator, "stored_as": case.form, "service": case.service,
                "arrivals": case.arrivals, "way": way, "prompt_machines": design.prompt[1],
                "token_machines": design.token[1], "metric": "most_load", "unit": "requests/s",
            }  # fmt: skip
            seeds = settings.seeds[:2] if case.arrivals == "hour" else settings.seeds
            for seed, found in bench.loads(case.setup(), design, case.service, seeds, settings.precision).items():
                rows.append({**about, "value": found, "seed": seed})
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


def _searched(config: PhaseSplitConfig, bench: Bench, case: Case) -> Design:
    settings = config.capacity

    def load(design: Design, beat: float) -> float:
        return bench.more_load(
            case.setup(), design, case.service, settings.search_seed, settings.search_precision, beat
        )

    family = Family(f"split_{case.accelerator}", case.accelerator, case.accelerator)
    return best_pools(family, Budget(ANY, POWER), Prices(), settings.pool_step, load)[0]


def _ways(config: PhaseSplitConfig, bench: Bench, case: Case, split: Design) -> dict[str, Design]:
    """Whole prompts before decodes, prompts in chunks beside them, split pools, and pools that follow the load."""
    settings = config.beyond
    pool = case.accelerator, int(POWER / MACHINES[case.accelerator].power + 1e-9)
    decodes = most_decodes(MACHINES[case.accelerator], case.setup().model, bench.traces[case.service])
    return {
        "together": Design("together", "together", pool),
        "chunked": Design("chunked", "chunked", pool, batch_tokens=settings.chunk),
        "split": split,
        "balanced": replace(split, name="balanced", balance_s=settings.balance_s, decodes=decodes),
    }
