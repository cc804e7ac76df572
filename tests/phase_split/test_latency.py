"""Latencies over load, with how far each run goes beyond the profile."""

import numpy as np
import pandas as pd
import pytest

from jouleproof.studies.phase_split.config import PhaseSplitConfig
from jouleproof.studies.phase_split.experiments.latency import latency


def test_a_run_says_how_far_it_goes_beyond_the_profile():
    trace = pd.DataFrame(
        {"arrival_s": np.arange(100.0), "prompt_tokens": [*[128] * 9, 12_288] * 10, "output_tokens": [400] * 100}
    )
    config = PhaseSplitConfig.model_validate(
        {
            "designs": ["baseline_a100"],
            "load": {"seconds": 20.0, "warm_up": 4.0, "drain": 2.0},
            "capacity": {"services": ["conv"]},
            "latency": {"rates": [2.0, 300.0], "seeds": [1]},
        }
    )
    rows = latency(config, trace, trace)
    over = rows[rows["metric"].str.endswith("over_profile")].set_index(["metric", "load"])["value"]
    assert set(rows[rows["metric"].str.endswith("over_profile")]["version"]) == {"corrected"}
    assert over["prompt_over_profile"].tolist() == pytest.approx([1.5, 1.5])
    assert over["decodes_over_profile"][2.0] < 1 < over["decodes_over_profile"][300.0]
