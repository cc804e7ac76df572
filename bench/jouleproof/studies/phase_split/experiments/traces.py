"""The two services' requests: lengths, their dependence on each other, and arrivals."""

import numpy as np
import pandas as pd

from jouleproof.evidence.tables import MEASURED, tidy

PERCENTS = (0, 1, 2, 5, *range(10, 91, 5), 95, 98, 99, 100)
RANKS = 10


def traces(azure_conv: pd.DataFrame, azure_code: pd.DataFrame) -> pd.DataFrame:
    """Return percentiles of prompt and output tokens; counts of requests by tenths of both, over those expected if they
    were independent; and requests/s by minute."""
    services = {"conv": azure_conv, "code": azure_code}
    rows = []
    for service, trace in services.items():
        factors = {"service": service, "at": 0.0, "other": 0.0}
        for metric in ("prompt_tokens", "output_tokens"):
            rows += [
                {**factors, "metric": metric, "unit": "tokens", "at": float(percent), "value": value}
                for percent, value in zip(PERCENTS, np.percentile(trace[metric], PERCENTS), strict=True)
            ]
        ranks = [trace[metric].rank(method="first", pct=True) for metric in ("prompt_tokens", "output_tokens")]
        tenths = [np.minimum((rank.to_numpy() * RANKS - 1e-9).astype(int), RANKS - 1) for rank in ranks]
        counts = np.zeros((RANKS, RANKS))
        np.add.at(counts, tuple(tenths), 1)
        ratio = counts / (len(trace) / RANKS**2)
        rows += [
            {**factors, "metric": "dependence", "unit": "1", "at": float(i), "other": float(j), "value": ratio[i, j]}
            for i in range(RANKS)
            for j in range(RANKS)
        ]
        minutes = np.bincount((trace["arrival_s"] // 60).astype(int))
        rows += [
            {**factors, "metric": "arrivals", "unit": "requests/s", "at": float(minute), "value": count / 60}
            for minute, count in enumerate(minutes)
        ]
    return tidy(rows, tier=MEASURED)
