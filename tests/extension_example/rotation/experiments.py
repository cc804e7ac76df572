"""What it gains to spread outliers over their block before a cast."""

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, PositiveInt
from scipy.linalg import hadamard

from jouleproof.evidence.tables import MEASURED, tidy
from jouleproof.formats import fake_quantize
from jouleproof.study import Experiment, Job


class Config(BaseModel):
    """outliers: how many times as large one element of each block is. vectors: of 32 elements, by seed."""

    model_config = ConfigDict(extra="forbid")

    formats: list[str] = ["mxfp8_e4m3", "mxfp4"]
    outliers: list[float] = [1.0, 4.0, 16.0]
    vectors: PositiveInt = 2000
    seeds: list[int] = list(range(10))


def gain(job: Job[Config]) -> pd.DataFrame:
    """Noise of a cast as it is, over its noise on vectors that were rotated before, in dB."""
    rotate = hadamard(32).astype(np.float32) / np.float32(32**0.5)
    rows = []
    for seed in job.config.seeds:
        x = np.random.default_rng(seed).standard_normal((job.config.vectors, 32), dtype=np.float32)
        for size in job.config.outliers:
            y = x * np.where(np.arange(32) == 0, np.float32(size), np.float32(1))
            for fmt in job.config.formats:
                plain = np.square(y - fake_quantize(y, fmt)).sum(dtype=float)
                rotated = np.square(y - fake_quantize(y @ rotate, fmt) @ rotate.T).sum(dtype=float)
                value = 10 * np.log10(plain / rotated)
                rows.append({"format": fmt, "outlier": size, "value": value, "seed": seed})
    return tidy(rows, metric="gain", unit="dB", tier=MEASURED)


EXPERIMENTS = {"gain": Experiment(gain)}
