"""QSNR on generated vectors."""

import pandas as pd

from jouleproof.evidence.tables import MEASURED, tidy
from jouleproof.studies.mx import registry
from jouleproof.studies.mx.config import MxConfig
from jouleproof.studies.mx.generated_vectors import draws, qsnr_rows


def qsnr(config: MxConfig) -> pd.DataFrame:
    """Measure the signal to quantisation-noise ratio of every format under every scale rule, in dB."""
    casts = registry.casts(config)
    rows = [{**factors, **row} for factors, x in draws("mx qsnr", config.qsnr) for row in qsnr_rows(x, casts)]
    return tidy(rows, metric="qsnr", unit="dB", tier=MEASURED)
