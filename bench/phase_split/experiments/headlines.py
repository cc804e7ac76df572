"""The ratios that the published evaluation is known for, from pools that are searched anew under each set of rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import pandas as pd

from bench.phase_split.clusters import FAMILIES, SPLIT, Budget, Prices, best_pools
from bench.phase_split.config import PhaseSplitConfig
from bench.phase_split.machines import Design
from bench.phase_split.named import designs
from bench.phase_split.service import CORRECTED_READING
from bench.phase_split.trials import PUBLISHED_SETUP, VERSIONS, Bench, Setup
from bench.progress import steps
from bench.results import SIMULATED, tidy

Measure = Literal["load", "power_per_load", "price_per_load"]
ANY = 1e12


@dataclass(frozen=True)
class Headline:
    """A design against a baseline. price, power: at most, over the baseline's. measure: what the ratio is of."""

    name: str
    base: str
    families: Sequence[str]
    price: float
    power: float
    measure: Measure = "load"


HEADLINES = (
    Headline("same_power_and_cost", "baseline_a100", SPLIT, 1.0, 1.0),
    Headline("aa_over_a100", "baseline_a100", ["splitwise_aa"], 1.0, 1.0),
    Headline("lower_cost", "baseline_h100", SPLIT, 0.82, 1.0),
    Headline("aa_over_h100_same_cost", "baseline_h100", ["splitwise_aa"], 1.0, ANY),
    Headline("ha_over_h100", "baseline_h100", ["splitwise_ha"], 1.0, 1.0),
    Headline("lower_power", "baseline_h100", SPLIT, 1.0, 0.85),
    Headline("hhcap_power", "baseline_h100", ["splitwise_hhcap"], 1.0, ANY, "power_per_load"),
    Headline("aa_cost", "baseline_h100", ["splitwise_aa"], 0.82, ANY, "price_per_load"),
)
BASE_MACHINES = {"baseline_a100": 70, "baseline_h100": 40}

_as_published = PUBLISHED_SETUP
SWITCHES: Mapping[str, Setup] = {
    "decode by batch and context": replace(_as_published, semantics=replace(_as_published.semantics, by_context=True)),
    "joint lengths": replace(_as_published, joint=True),
    "gaps and warm-up": replace(_as_published, reading=CORRECTED_READING),
    "layered transfers": replace(_as_published, semantics=replace(_as_published.semantics, layered=True)),
    "arrivals with bursts": replace(_as_published, bursts=True),
    "price ratio 2.5": replace(_as_published, prices=Prices(2.5)),
}


def headlines(config: PhaseSplitConfig, bench: Bench) -> pd.DataFrame:
    """Every headline as published and corrected, on every service."""
    settings = config.capacity
    step = steps("phase_split headlines", len(VERSIONS) * len(settings.services) * len(HEADLINES))
    rows: list[dict[str, Any]] = []
    for version, setup in VERSIONS.items():
        for service in settings.services:
            rows += _of_setup(config, bench, setup, service, settings.seeds, step, version)
    return tidy(rows, tier=SIMULATED)


def corrections(config: PhaseSplitConfig, bench: Bench) -> pd.DataFrame:
    """The headlines of the first service with one correction switched on alone, and with all of them but that one."""
    settings = config.capacity
    setups = {**SWITCHES, "all, arrivals with bursts": replace(VERSIONS["corrected"], bursts=True)}
    step = steps("phase_split corrections", len(setups) * len(HEADLINES))
    rows: list[dict[str, Any]] = []
    for name, setup in setups.items():
        rows += _of_setup(config, bench, setup, settings.services[0], settings.seeds[:3], step, name)
    return tidy(rows, tier=SIMULATED)


def _of_setup(
    config: PhaseSplitConfig, bench: Bench, setup: Setup, service: str, seeds: Sequence[int], step: Any, name: str
) -> list[dict[str, Any]]:
    precision = config.capacity.precision
    loads: dict[tuple[Design, int], float] = {}

    def load(design: Design, seed: int) -> float:
        if (design, seed) not in loads:
            loads[design, seed] = bench.most_load(setup, design, service, seed, precision)
        return loads[design, seed]

    def worth(headline: Headline, design: Design, seed: int) -> float:
        """Of a design, larger is better."""
        served = load(design, seed)
        if headline.measure == "power_per_load":
            return served / design.power
        return served / setup.prices.of_design(design) if headline.measure == "price_per_load" else served

    searched: dict[tuple[str, Budget], tuple[Design, float]] = {}
    rows = []
    for headline in HEADLINES:
        base = FAMILIES[headline.base].design(BASE_MACHINES[headline.base])
        budget = Budget(setup.prices.of_design(base) * headline.price, base.power * min(headline.power, ANY))
        candidates = []
        for family in headline.families:
            if (family, budget) not in searched:
                searched[family, budget] = best_pools(
                    FAMILIES[family], budget, setup.prices, config.capacity.pool_step,
                    lambda design, beat: bench.most_load(
                        setup, design, service, config.capacity.search_seed, precision, beat
                    ),
                )  # fmt: skip
            candidates.append(searched[family, budget])
        best = max(candidates, key=lambda candidate: candidate[1])[0]
        about = {
            "setup": name, "service": service, "headline": headline.name, "design": best.name,
            "prompt_machines": best.prompt[1], "token_machines": best.token[1],
            "price": setup.prices.of_design(best) / setup.prices.of_design(base), "power": best.power / base.power,
        }  # fmt: skip
        for seed in seeds:
            ratio = worth(headline, best, seed) / worth(headline, base, seed) if worth(headline, base, seed) else 0.0
            if headline.measure != "load":
                ratio = 1 / ratio if ratio else ANY
            rows.append({**about, "metric": "ratio", "unit": "1", "value": ratio, "seed": seed})
            rows.append({**about, "metric": "most_load", "unit": "requests/s", "value": load(best, seed), "seed": seed})
        step(f"{name}, {service}, {headline.name}")
    return rows


def capacity(config: PhaseSplitConfig, bench: Bench) -> pd.DataFrame:
    """The most load that designs bear, built-in ones with their published pools, as published and corrected."""
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
                for seed in settings.seeds:
                    found = bench.most_load(setup, design, service, seed, settings.precision)
                    rows.append({**about, "metric": "most_load", "unit": "requests/s", "value": found, "seed": seed})
            step(f"{version}, {service}")
    return tidy(rows, tier=SIMULATED)
