"""The headline ratios of the published evaluation, with pools that are searched again under each set of rules."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Literal

import pandas as pd

from jouleproof.evidence.tables import SIMULATED, tidy
from jouleproof.progress import steps
from jouleproof.serving.simulator.capacity import CapacitySearch
from jouleproof.serving.simulator.clusters import (
    FAMILIES,
    PUBLISHED_POOLS,
    PUBLISHED_POOLS_AT_PRICE,
    SPLIT,
    UNLIMITED,
    Budget,
    Prices,
)
from jouleproof.serving.simulator.evaluation import CORRECTED_SETUP, PUBLISHED_SETUP, VERSIONS, Setup, Workload
from jouleproof.serving.simulator.machines import Design
from jouleproof.serving.simulator.service_levels import CORRECTED_READING
from jouleproof.serving.simulator.simulate import PUBLISHED
from jouleproof.studies.phase_split.config import PhaseSplitConfig
from jouleproof.studies.phase_split.registry import designs
from jouleproof.studies.phase_split.searches import capacity_search

AA_AT_PRICE = "splitwise_aa, as many as 40 H100 machines cost"
Measure = Literal["load", "power", "price"]


@dataclass(frozen=True)
class Headline:
    """A published comparison of a design with a baseline. measure: what the ratio compares: `load`, at no more than
    `price` and `power` times the baseline's; or `price` or `power`, at the baseline's load. published: name of the
    published pools, if there are any."""

    name: str
    base: str
    families: Sequence[str]
    price: float = UNLIMITED
    power: float = UNLIMITED
    measure: Measure = "load"
    published: str | None = None

    @property
    def baseline(self) -> Design:
        return FAMILIES[self.base].design(BASE_MACHINES[self.base])

    def weight(self, design: Design, prices: Prices) -> float:
        """Return a design's power or price, whichever is compared."""
        return design.power if self.measure == "power" else prices.of_design(design)


BASE_MACHINES = {"baseline_a100": 70, "baseline_h100": 40}
HEADLINES = (
    Headline("same_power_and_cost", "baseline_a100", SPLIT, price=1.0, power=1.0, published="splitwise_aa"),
    Headline("aa_over_a100", "baseline_a100", ["splitwise_aa"], price=1.0, power=1.0, published="splitwise_aa"),
    Headline("lower_cost", "baseline_h100", SPLIT, price=0.82, power=1.0, published="splitwise_aa"),
    Headline("aa_over_h100_same_cost", "baseline_h100", ["splitwise_aa"], price=1.0, published=AA_AT_PRICE),
    Headline("ha_over_h100", "baseline_h100", ["splitwise_ha"], price=1.0, power=1.0, published="splitwise_ha"),
    Headline("lower_power", "baseline_h100", SPLIT, price=1.0, power=0.85),
    Headline("hhcap_power", "baseline_h100", ["splitwise_hhcap"], measure="power", published="splitwise_hhcap"),
    Headline("aa_cost", "baseline_h100", ["splitwise_aa"], measure="price", published=AA_AT_PRICE),
)
MOST_MACHINES = 160  # of a cluster that must sustain the load of 40 H100 machines

LLAMA = replace(PUBLISHED_SETUP, model="llama2-70b")
PUBLISHED_POOLS_ALONE = "published pools"


@dataclass(frozen=True)
class Rules:
    """The rules under which headlines are computed."""

    setup: Setup
    prices: Prices = field(default_factory=Prices)


SWITCHES: Mapping[str, Rules] = {
    PUBLISHED_POOLS_ALONE: Rules(PUBLISHED_SETUP),
    "decode by batch and context": Rules(replace(PUBLISHED_SETUP, semantics=replace(PUBLISHED, by_context=True))),
    "joint lengths": Rules(replace(PUBLISHED_SETUP, joint=True)),
    "gaps and warm-up": Rules(replace(PUBLISHED_SETUP, reading=CORRECTED_READING)),
    "layered transfers": Rules(replace(PUBLISHED_SETUP, semantics=replace(PUBLISHED, layered=True))),
    "arrivals with bursts": Rules(replace(PUBLISHED_SETUP, arrivals="bursts")),
    "price ratio 2.16": Rules(PUBLISHED_SETUP, Prices(2.16)),
    "price ratio 2.35": Rules(PUBLISHED_SETUP, Prices(2.35)),
    "price ratio 2.5": Rules(PUBLISHED_SETUP, Prices(2.5)),
    "Llama2-70B": Rules(LLAMA),
    "Llama2-70B, grouped queries": Rules(replace(LLAMA, semantics=replace(PUBLISHED, shared_heads=True))),
    "all, arrivals with bursts": Rules(replace(CORRECTED_SETUP, arrivals="bursts")),
}


def headlines(config: PhaseSplitConfig, azure_conv: pd.DataFrame, azure_code: pd.DataFrame) -> pd.DataFrame:
    """Return all headlines under published and corrected rules, for each service."""
    workload = Workload({"conv": azure_conv, "code": azure_code}, config.load)
    settings = config.capacity
    step = steps("phase_split headlines", len(VERSIONS) * len(settings.services) * len(HEADLINES))
    rows = []
    for version, setup in VERSIONS.items():
        for service in settings.services:
            search = capacity_search(config, workload, setup, service)
            for headline in HEADLINES:
                design = _best_design(search, headline, Prices())
                factors = {"setup": version, "service": service, **_factors(headline, design, Prices())}
                rows += [{**factors, **row} for row in _scores(search, headline, design, Prices(), settings.seeds)]
                step(f"{version}, {service}, {headline.name}")
    return tidy(rows, tier=SIMULATED)


def corrections(config: PhaseSplitConfig, azure_conv: pd.DataFrame, azure_code: pd.DataFrame) -> pd.DataFrame:
    """Return the headlines of the first service with each correction alone, and with all of them under bursts."""
    workload = Workload({"conv": azure_conv, "code": azure_code}, config.load)
    settings = config.capacity
    service = settings.services[0]
    step = steps("phase_split corrections", len(SWITCHES) * len(HEADLINES))
    rows = []

    @cache  # several prices share the results of one search
    def search_under(setup: Setup) -> CapacitySearch:
        return capacity_search(config, workload, setup, service)

    for name, rules in SWITCHES.items():
        search = search_under(rules.setup)
        for headline in HEADLINES:
            if name != PUBLISHED_POOLS_ALONE:
                design = _best_design(search, headline, rules.prices)
            elif headline.published == AA_AT_PRICE:
                design = FAMILIES["splitwise_aa"].design(*PUBLISHED_POOLS_AT_PRICE[service])
            elif headline.published:
                design = FAMILIES[headline.published].design(*PUBLISHED_POOLS[service][headline.published])
            else:
                continue
            factors = {"setup": name, "service": service, **_factors(headline, design, rules.prices)}
            rows += [{**factors, **row} for row in _scores(search, headline, design, rules.prices, settings.seeds[:3])]
            step(f"{name}, {headline.name}")
    return tidy(rows, tier=SIMULATED)


def _best_design(search: CapacitySearch, headline: Headline, prices: Prices) -> Design:
    """Find the best pools of the headline's families, with the search seed."""
    base = headline.baseline
    if headline.measure == "load":
        budget = Budget(prices.of_design(base) * headline.price, base.power * headline.power, prices)
        candidates = [search.best_pools(FAMILIES[name], budget) for name in headline.families]
        return max(candidates, key=lambda candidate: candidate[1])[0]
    (family,) = headline.families
    rate = search.max_load(base, search.search_seed)
    return search.least_pools(FAMILIES[family], MOST_MACHINES, rate, prices if headline.measure == "price" else None)


def _factors(headline: Headline, design: Design, prices: Prices) -> dict[str, Any]:
    return {
        "headline": headline.name,
        "design": design.name,
        "prompt_machines": design.prompt[1],
        "token_machines": design.token[1],
        "price": prices.of_design(design) / prices.of_design(headline.baseline),
        "power": design.power / headline.baseline.power,
    }


def _scores(
    search: CapacitySearch, headline: Headline, design: Design, prices: Prices, seeds: Sequence[int]
) -> Iterator[dict[str, Any]]:
    """Yield the ratio and the design's load under each seed. Price and power are compared per unit of load, since under
    another seed the pools sustain slightly more or less than the baseline's load."""
    for seed in seeds:
        ours, theirs = (search.max_load(side, seed) for side in (design, headline.baseline))
        if headline.measure == "load":
            ratio = ours / theirs if theirs else 0.0
        else:
            weights = [headline.weight(side, prices) for side in (design, headline.baseline)]
            ratio = weights[0] / weights[1] * theirs / ours if ours else UNLIMITED
        yield {"metric": "ratio", "unit": "ratio", "value": ratio, "seed": seed}
        yield {"metric": "most_load", "unit": "requests/s", "value": ours, "seed": seed}


def capacity(config: PhaseSplitConfig, azure_conv: pd.DataFrame, azure_code: pd.DataFrame) -> pd.DataFrame:
    """Return the highest load that each design sustains, built-in ones with their published pools, under published and
    corrected rules."""
    workload = Workload({"conv": azure_conv, "code": azure_code}, config.load)
    settings = config.capacity
    step = steps("phase_split capacity", len(VERSIONS) * len(settings.services))
    rows = []
    for version, setup in VERSIONS.items():
        for service in settings.services:
            search = capacity_search(config, workload, setup, service)
            for name, design in designs(config.designs, service).items():
                factors = {
                    "version": version,
                    "service": service,
                    "design": name,
                    "prompt_machines": design.prompt[1],
                    "token_machines": design.token[1],
                    "price": design.price,
                    "power": design.power,
                    "metric": "most_load",
                    "unit": "requests/s",
                }
                rows += [{**factors, "value": search.max_load(design, seed), "seed": seed} for seed in settings.seeds]
            step(f"{version}, {service}")
    return tidy(rows, tier=SIMULATED)
