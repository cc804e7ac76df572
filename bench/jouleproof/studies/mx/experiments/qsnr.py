"""QSNR on generated vectors."""

from itertools import product

import numpy as np
import pandas as pd

from jouleproof.evidence.tables import MEASURED, tidy
from jouleproof.formats import fake_quantize
from jouleproof.progress import steps
from jouleproof.studies.mx import registry
from jouleproof.studies.mx.config import MxConfig, QsnrConfig
from jouleproof.studies.mx.generated_vectors import qsnr_db, sum_of_squares


def qsnr(config: MxConfig) -> pd.DataFrame:
    """Signal to quantisation-noise ratio of every format under every scale rule, in dB."""
    formats, rules = registry.formats(config.formats), registry.scale_rules(config.scales)
    draws = list(product(config.qsnr.distributions, config.qsnr.seeds))
    step = steps("mx qsnr", len(draws))
    rows = []
    for distribution, seed in draws:
        x = vectors(distribution, config.qsnr, seed)
        signal = sum_of_squares(x)
        for (name, fmt), (rule_name, rule) in product(formats.items(), rules.items()):
            value = qsnr_db(x, fake_quantize(x, fmt, scale=rule), signal)
            rows.append(
                {"distribution": distribution, "format": name, "scale": rule_name, "seed": seed, "value": value}
            )
        step(f"{distribution}, seed {seed}")
    return tidy(rows, metric="qsnr", unit="dB", tier=MEASURED)


def vectors(distribution: str, config: QsnrConfig, seed: int) -> np.ndarray:
    """(vectors, length) float32, each vector with a spread of its own, |N(0, 1)|, as in arXiv 2302.08007, section 3."""
    rng = np.random.default_rng(seed)
    shape = (config.vectors, config.length)
    spread = np.abs(rng.standard_normal((config.vectors, 1)))
    unit = {
        "gaussian": lambda: rng.standard_normal(shape),
        "laplace": lambda: rng.laplace(size=shape),
        "student_t": lambda: rng.standard_t(config.degrees_of_freedom, size=shape),
    }[distribution]()
    return (spread * unit).astype(np.float32)
