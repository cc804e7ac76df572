"""The two phases of a median request alone on each accelerator, next to the values stated by the source."""

import numpy as np
import pandas as pd

from jouleproof.evidence.tables import CITED, SIMULATED, tidy
from jouleproof.serving.simulator.machines import MACHINES
from jouleproof.serving.simulator.performance import performance

MODEL = "llama2-70b"
MACHINE_OF = {"A100": "dgx-a100", "H100": "dgx-h100"}
# Splitwise (ISCA 2024), table 4: P50 without batching, Llama2-70B; seconds.
STATED = {
    ("code", "A100"): {"ttft": 0.185, "tbt": 0.052, "e2e": 0.856},
    ("code", "H100"): {"ttft": 0.095, "tbt": 0.031, "e2e": 0.493},
    ("conv", "A100"): {"ttft": 0.155, "tbt": 0.040, "e2e": 4.957},
    ("conv", "H100"): {"ttft": 0.084, "tbt": 0.028, "e2e": 3.387},
}


def phases(azure_conv: pd.DataFrame, azure_code: pd.DataFrame) -> pd.DataFrame:
    """Return TTFT, TBT and E2E (s) of a request with the service's median lengths, from laws fitted to the profile
    (simulated) and from the source (cited)."""
    traces = {"conv": azure_conv, "code": azure_code}
    rows = []
    for (service, accelerator), stated in STATED.items():
        simulated = _alone(MACHINE_OF[accelerator], traces[service])
        factors = {"service": service, "accelerator": accelerator, "unit": "s"}
        for tier, values in ((SIMULATED, simulated), (CITED, stated)):
            rows += [{**factors, "metric": metric, "value": value, "tier": tier} for metric, value in values.items()]
    return tidy(rows)


def _alone(machine: str, trace: pd.DataFrame) -> dict[str, float]:
    prompt, output = (np.array([float(trace[name].median())]) for name in ("prompt_tokens", "output_tokens"))
    law = performance(MACHINES[machine], MODEL, by_context=True)
    ttft, tbt = float(law.unloaded_prompt_s(prompt)[0]), float(law.unloaded_token_s(prompt + output / 2)[0])
    return {"ttft": ttft, "tbt": tbt, "e2e": ttft + tbt * (float(output[0]) - 1)}
