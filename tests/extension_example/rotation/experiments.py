"""The gain from spreading outliers over their block before a cast."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.linalg import hadamard

from jouleproof.evidence.tables import MEASURED, tidy
from jouleproof.formats import fake_quantize

if TYPE_CHECKING:
    from tests.extension_example.rotation import Config


def gain(config: "Config") -> pd.DataFrame:
    """Compute the noise of a cast over its noise on vectors that were rotated before, in dB."""
    rotate = hadamard(32).astype(np.float32) / np.float32(32**0.5)
    rows = []
    for seed in config.seeds:
        x = np.random.default_rng(seed).standard_normal((config.vectors, 32), dtype=np.float32)
        for size in config.outliers:
            y = x * np.where(np.arange(32) == 0, np.float32(size), np.float32(1))
            for fmt in config.formats:
                plain = np.square(y - fake_quantize(y, fmt)).sum(dtype=float)
                rotated = np.square(y - fake_quantize(y @ rotate, fmt) @ rotate.T).sum(dtype=float)
                value = 10 * np.log10(plain / rotated)
                rows.append({"format": fmt, "outlier": size, "value": value, "seed": seed})
    return tidy(rows, metric="gain", unit="dB", tier=MEASURED)
