"""The ratios that the published evaluation is known for, from pools that are searched anew under each set of rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import pandas as pd

from jouleproof.evidence.tables import SIMULATED, tidy
from jouleproof.progress import steps
from jouleproof.serving.simulator.capacity import PUBLISHED_SETUP, VERSIONS, Bench, Setup
from jouleproof.serving.simulator.clusters import (
    FAMILIES,
    PUBLISHED_POOLS,
    PUBLISHED_POOLS_AT_PRICE,
    SPLIT,
    Budget,
    Family,
    Prices,
    best_pools,
    least_pools,
    most_prompt_machines,
)
from jouleproof.serving.simulator.machines import Design
from jouleproof.serving.simulator.service_levels import CORRECTED_READING
from jouleproof.serving.simulator.simulate import PUBLISHED
from jouleproof.studies.phase_split.config import PhaseSplitConfig
from jouleproof.studies.phase_split.registry import designs

AA_AT_PRICE = "splitwise_aa, as many as 40 H100 machines cost"
Measure = Literal["load", "power", "price"]
ANY = 1e12


@dataclass(frozen=True)
class Headline:
    """A design against a baseline. measure: what the ratio is of; `load` under a price and power that are at most so
    much over the baseline's, `price` and `power` at the baseline's load. published: pools that were, if any were."""

    name: str
    base: str
    families: Sequence[str]
    price: float = ANY
    power: float = ANY
    measure: Measure = "load"
    published: str | None = None


HEADLINES = (
    Headline("same_power_and_cost", "baseline_a100", SPLIT, 1.0, 1.0, published="splitwise_aa"),
    Headline("aa_over_a100", "baseline_a100", ["splitwise_aa"], 1.0, 1.0, published="splitwise_aa"),
    Headline("lower_cost", "baseline_h100", SPLIT, 0.82, 1.0, published="splitwise_aa"),
    Headline("aa_over_h100_same_cost", "baseline_h100", ["splitwise_aa"], price=1.0, published=AA_AT_PRICE),
    Headline("ha_over_h100", "baseline_h100", ["splitwise_ha"], 1.0, 1.0, published="splitwise_ha"),
    Headline("lower_power", "baseline_h100", SPLIT, 1.0, 0.85),
    Headline("hhcap_power", "baseline_h100", ["splitwise_hhcap"], measure="power", published="splitwise_hhcap"),
    Headline("aa_cost", "baseline_h100", ["splitwise_aa"], measure="price", published=AA_AT_PRICE),
)
BASE_MACHINES = {"baseline_a100": 70, "baseline_h100": 40}
MOST_MACHINES = 160  # of a cluster that is searched for the load of 40 H100 machines

_published = PUBLISHED_SETUP
LLAMA = replace(_published, model="llama2-70b")
PUBLISHED_POOLS_ALONE = "published pools"
SWITCHES: Mapping[str, Setup] = {
    PUBLISHED_POOLS_ALONE: _published,
    "decode by batch and context": replace(_published, semantics=replace(PUBLISHED, by_context=True)),
    "joint lengths": replace(_published, joint=True),
    "gaps and warm-up": replace(_published, reading=CORRECTED_READING),
    "layered transfers": replace(_published, semantics=replace(PUBLISHED, layered=True)),
    "arrivals with bursts": replace(_published, arrivals="bursts"),
    "price ratio 2.16": replace(_published, prices=Prices(2.16)),
    "price ratio 2.35": replace(_published, prices=Prices(2.35)),
    "price ratio 2.5": replace(_published, prices=Prices(2.5)),
    "Llama2-70B": LLAMA,
    "Llama2-70B, grouped queries": replace(LLAMA, semantics=replace(PUBLISHED, shared_heads=True)),
    "all, arrivals with bursts": replace(VERSIONS["corrected"], arrivals="bursts"),
}


def headlines(config: PhaseSplitConfig, azure_conv: pd.DataFrame, azure_code: pd.DataFrame) -> pd.DataFrame:
    """Every headline as published and corrected, on every service."""
    bench = Bench({"conv": azure_conv, "code": azure_code}, config.load)
    settings = config.capacity
    step = steps("phase_split headlines", len(VERSIONS) * len(settings.services) * len(HEADLINES))
    trials = Trials(config, bench)
    rows = []
    for version, setup in VERSIONS.items():
        for service in settings.services:
            for headline in HEADLINES:
                design = trials.searched(setup, service, headline)
                rows += trials.scored(version, setup, service, headline, design, settings.seeds)
                step(f"{version}, {service}, {headline.name}")
    return tidy(rows, tier=SIMULATED)


def corrections(config: PhaseSplitConfig, azure_conv: pd.DataFrame, azure_code: pd.DataFrame) -> pd.DataFrame:
    """The headlines of the first service with one correction switched on alone, and with all of them under bursts."""
    bench = Bench({"conv": azure_conv, "code": azure_code}, config.load)
    settings = config.capacity
    service = settings.services[0]
    step = steps("phase_split corrections", len(SWITCHES) * len(HEADLINES))
    trials = Trials(config, bench)
    rows = []
    for name, setup in SWITCHES.items():
        for headline in HEADLINES:
            if name != PUBLISHED_POOLS_ALONE:
                design = trials.searched(setup, service, headline)
            elif headline.published == AA_AT_PRICE:
                design = FAMILIES["splitwise_aa"].design(*PUBLISHED_POOLS_AT_PRICE[service])
            elif headline.published:
                design = FAMILIES[headline.published].design(*PUBLISHED_POOLS[service][headline.published])
            else:
                continue
            rows += trials.scored(name, setup, service, headline, design, settings.seeds[:3])
            step(f"{name}, {headline.name}")
    return tidy(rows, tier=SIMULATED)


@dataclass
class Trials:
    """Searches and scores, each done once: many headlines and setups share them."""

    config: PhaseSplitConfig
    bench: Bench
    loads: dict[tuple[Setup, str, Design], dict[int, float]] = field(default_factory=dict)
    pools: dict[Any, tuple[Design, float]] = field(default_factory=dict)

    def load(self, setup: Setup, service: str, design: Design, seed: int) -> float:
        of = self.loads.setdefault((replace(setup, prices=Prices()), service, design), {})
        if seed not in of:
            near = next(iter(of.values()), 0.0)
            of[seed] = self.bench.most_load(setup, design, service, seed, self.config.capacity.precision, near)
        return of[seed]

    def searched(self, setup: Setup, service: str, headline: Headline) -> Design:
        """The best pools of the headline's families, on the seed that is kept for searching."""
        base = FAMILIES[headline.base].design(BASE_MACHINES[headline.base])
        candidates = []
        for name in headline.families:
            key = self._search_key(setup, service, headline, FAMILIES[name], base)
            if key not in self.pools:
                search = self._most_load if headline.measure == "load" else self._least
                self.pools[key] = search(setup, service, headline, FAMILIES[name], base)
            candidates.append(self.pools[key])
        return max(candidates, key=lambda candidate: candidate[1])[0]

    def _search_key(self, setup: Setup, service: str, headline: Headline, family: Family, base: Design) -> Any:
        """What a search depends on: under other prices a budget may buy the same pools."""
        known = replace(setup, prices=Prices()), service, family
        if headline.measure != "load":
            return *known, headline.measure, base, setup.prices if headline.measure == "price" else None
        budget = _budget(setup, headline, base)
        most = most_prompt_machines(family, budget, setup.prices)
        return *known, *(budget.token_machines(family, prompt, setup.prices) for prompt in range(1, most + 1))

    def _most_load(
        self, setup: Setup, service: str, headline: Headline, family: Family, base: Design
    ) -> tuple[Design, float]:
        settings = self.config.capacity
        budget = _budget(setup, headline, base)

        def load(design: Design, beat: float) -> float:
            return self.bench.more_load(setup, design, service, settings.search_seed, settings.search_precision, beat)

        return best_pools(family, budget, setup.prices, settings.pool_step, load)

    def _least(
        self, setup: Setup, service: str, headline: Headline, family: Family, base: Design
    ) -> tuple[Design, float]:
        settings = self.config.capacity
        rate = self.load(setup, service, base, settings.search_seed)

        def weigh(design: Design) -> float:
            return _weight(headline.measure, setup, design)

        def bears(design: Design) -> bool:
            return self.bench.passes(setup, design, service, rate, settings.search_seed)

        return least_pools(family, MOST_MACHINES, settings.pool_step, weigh, bears), 0.0

    def scored(
        self, name: str, setup: Setup, service: str, headline: Headline, design: Design, seeds: Sequence[int]
    ) -> list[dict[str, Any]]:
        """The ratio under each seed. Of price or power it is the ratio of what a unit of load takes, since under
        another seed the pools bear a little more or less than the baseline's load."""
        base = FAMILIES[headline.base].design(BASE_MACHINES[headline.base])
        about = {
            "setup": name, "service": service, "headline": headline.name, "design": design.name,
            "prompt_machines": design.prompt[1], "token_machines": design.token[1],
            "price": setup.prices.of_design(design) / setup.prices.of_design(base), "power": design.power / base.power,
        }  # fmt: skip
        rows = []
        for seed in seeds:
            ours, theirs = (self.load(setup, service, each, seed) for each in (design, base))
            if headline.measure == "load":
                ratio = ours / theirs if theirs else 0.0
            else:
                weights = [_weight(headline.measure, setup, each) for each in (design, base)]
                ratio = weights[0] / weights[1] * theirs / ours if ours else ANY
            rows.append({**about, "metric": "ratio", "unit": "1", "value": ratio, "seed": seed})
            rows.append({**about, "metric": "most_load", "unit": "requests/s", "value": ours, "seed": seed})
        return rows


def _budget(setup: Setup, headline: Headline, base: Design) -> Budget:
    return Budget(setup.prices.of_design(base) * headline.price, base.power * headline.power)


def _weight(measure: Measure, setup: Setup, design: Design) -> float:
    return design.power if measure == "power" else setup.prices.of_design(design)


def capacity(config: PhaseSplitConfig, azure_conv: pd.DataFrame, azure_code: pd.DataFrame) -> pd.DataFrame:
    """The most load that designs bear, built-in ones with their published pools, as published and corrected."""
    bench = Bench({"conv": azure_conv, "code": azure_code}, config.load)
    settings = config.capacity
    step = steps("phase_split capacity", len(VERSIONS) * len(settings.services))
    rows = []
    for version, setup in VERSIONS.items():
        for service in settings.services:
            for name, design in designs(config.designs, service).items():
                about = {
                    "version": version, "service": service, "design": name, "prompt_machines": design.prompt[1],
                    "token_machines": design.token[1], "price": design.price, "power": design.power,
                }  # fmt: skip
                for seed, found in bench.loads(setup, design, service, settings.seeds, settings.precision).items():
                    rows.append({**about, "metric": "most_load", "unit": "requests/s", "value": found, "seed": seed})
            step(f"{version}, {service}")
    return tidy(rows, tier=SIMULATED)
