"""Latencies, service levels and energy of designs over load."""

from typing import Any

import numpy as np
import pandas as pd

from jouleproof.evidence.tables import SIMULATED, tidy
from jouleproof.progress import steps
from jouleproof.serving.simulator.cost_model import Measured
from jouleproof.serving.simulator.evaluation import VERSIONS, Workload
from jouleproof.serving.simulator.performance import measured
from jouleproof.serving.simulator.service_levels import MEASURES, PERCENTILES, latencies, meets, slowdowns
from jouleproof.serving.simulator.simulate import GAP_EDGES, Run
from jouleproof.studies.phase_split.config import PhaseSplitConfig
from jouleproof.studies.phase_split.registry import designs


def latency(config: PhaseSplitConfig, azure_conv: pd.DataFrame, azure_code: pd.DataFrame) -> pd.DataFrame:
    """Return percentiles of TTFT, TBT and E2E (s) and, under corrected rules only, of single gaps between tokens;
    whether all nine service levels are met; energy per request and per output token; and mean power. Runs that do not
    finish have no percentiles. Under corrected rules, prompt_over_profile and decodes_over_profile: longest prompt and
    most decodes at once, over the most that was measured; above 1, their times are extrapolated."""
    workload = Workload({"conv": azure_conv, "code": azure_code}, config.load)
    settings = config.latency
    services = config.capacity.services
    step = steps("phase_split latency", len(VERSIONS) * len(services) * len(config.designs))
    rows: list[dict[str, Any]] = []
    for version, setup in VERSIONS.items():
        for service in services:
            for name, design in designs(config.designs, service).items():
                for rate in settings.rates:
                    for seed in settings.seeds:
                        run = workload.run(setup, design, service, rate, seed)
                        factors = {"version": version, "service": service, "design": name, "load": rate, "seed": seed}
                        ratios = slowdowns(run, setup.semantics, setup.reading, workload.window, setup.model)
                        rows += [
                            {**factors, **row} for row in _percentiles(latencies(run, setup.reading, workload.window))
                        ]
                        if version == "corrected":
                            most = measured(dict.fromkeys(design.machines), setup.model, by_context=True)
                            rows += [{**factors, **row} for row in (*_gaps(run), *_over_profile(run, most))]
                        rows += [{**factors, **row} for row in _energy(run)]
                        rows.append({**factors, "metric": "meets", "unit": "1", "value": float(meets(ratios))})
                step(f"{version}, {service}, {name}")
    return tidy(rows, tier=SIMULATED)


def _percentiles(by_measure: np.ndarray) -> list[dict[str, Any]]:
    rows = []
    for measure, values in zip(MEASURES, by_measure, strict=True):
        values = values[~np.isnan(values)]
        if len(values) and np.isfinite(values).all():
            rows += [
                {"metric": f"{measure}_p{percent}", "unit": "s", "value": value}
                for percent, value in zip(PERCENTILES, np.percentile(values, PERCENTILES), strict=True)
            ]
    return rows


def _gaps(run: Run) -> list[dict[str, Any]]:
    """Return percentiles of single gaps, rounded up to the edge of a bin (0.9 %)."""
    counted = run.gaps.cumsum()
    if run.unfinished or counted[-1] == 0:
        return []
    return [
        {
            "metric": f"gap_p{percent}",
            "unit": "s",
            "value": GAP_EDGES[1 + int(np.searchsorted(counted, percent / 100 * counted[-1]))],
        }
        for percent in PERCENTILES
    ]


def _over_profile(run: Run, most: Measured) -> list[dict[str, Any]]:
    return [
        {"metric": "prompt_over_profile", "unit": "1", "value": float(run.prompt.max()) / most.prompt},
        {"metric": "decodes_over_profile", "unit": "1", "value": run.most_decodes / most.decodes},
    ]


def _energy(run: Run) -> list[dict[str, Any]]:
    joules = run.energy_all_j
    return [
        {"metric": "energy_per_request", "unit": "J", "value": joules / len(run.prompt)},
        {"metric": "energy_per_token", "unit": "J", "value": joules / float(run.output.sum())},
        {"metric": "mean_power", "unit": "W", "value": joules / run.end_s},
    ]
