"""Splitwise-HH with every combination of pool sizes under one load."""

import pandas as pd

from jouleproof.evidence.tables import SIMULATED, tidy
from jouleproof.progress import steps
from jouleproof.serving.simulator.clusters import FAMILIES
from jouleproof.serving.simulator.evaluation import VERSIONS, Workload
from jouleproof.studies.phase_split.config import PhaseSplitConfig


def design_space(config: PhaseSplitConfig, azure_conv: pd.DataFrame, azure_code: pd.DataFrame) -> pd.DataFrame:
    """Return the share of seeds with all nine service levels met, by pools, under published and corrected rules."""
    workload = Workload({"conv": azure_conv, "code": azure_code}, config.load)
    settings = config.design_space
    prompts = range(settings.prompt_machines[0], settings.prompt_machines[1] + 1)
    tokens = range(settings.token_machines[0], settings.token_machines[1] + 1)
    step = steps("phase_split design_space", len(VERSIONS) * len(prompts))
    rows = []
    for version, setup in VERSIONS.items():
        for prompt in prompts:
            for token in tokens:
                design = FAMILIES["splitwise_hh"].design(prompt, token)
                held = [workload.meets(setup, design, settings.service, settings.rate, seed) for seed in settings.seeds]
                factors = {
                    "version": version,
                    "prompt_machines": prompt,
                    "token_machines": token,
                    "price": design.price,
                }
                rows.append({**factors, "metric": "meets", "unit": "1", "value": sum(held) / len(held)})
            step(f"{version}, {prompt} prompt machines")
    return tidy(rows, tier=SIMULATED)
