"""Days of varying load as one stream of requests to a split cluster."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from jouleproof.evidence.tables import SIMULATED, tidy
from jouleproof.progress import steps
from jouleproof.serving.simulator.clusters import FAMILIES
from jouleproof.serving.simulator.evaluation import CORRECTED_SETUP, Workload
from jouleproof.serving.simulator.service_levels import PERCENTILES
from jouleproof.serving.simulator.simulate import stream
from jouleproof.serving.simulator.workload import Requests, by_day
from jouleproof.studies.phase_split.config import PhaseSplitConfig


def week(config: PhaseSplitConfig, azure_conv: pd.DataFrame, azure_code: pd.DataFrame) -> pd.DataFrame:
    """Return requests/s and percentiles of TTFT and of a request's mean TBT (s) of Splitwise-HH by hour."""
    workload = Workload({"conv": azure_conv, "code": azure_code}, config.load)
    settings = config.week
    design = FAMILIES["splitwise_hh"].design(*settings.pools)
    batches = by_day(
        workload.traces[settings.service], settings.rate, settings.valley, settings.hours, settings.seed, settings.batch
    )
    step = steps("phase_split week", settings.hours)
    served = stream(design, batches, CORRECTED_SETUP.semantics, CORRECTED_SETUP.model)
    rows: list[dict[str, Any]] = []
    for hour, (_, ttft, tbt) in enumerate(_hours(served)):
        factors = {"hour": float(hour), "seed": settings.seed}
        rows.append({**factors, "metric": "arrivals", "unit": "requests/s", "value": len(ttft) / 3600})
        for name, values in (("ttft", ttft), ("tbt", tbt)):
            percentiles = np.nanpercentile(values, PERCENTILES)
            rows += [
                {**factors, "metric": f"{name}_p{percent}", "unit": "s", "value": value}
                for percent, value in zip(PERCENTILES, percentiles, strict=True)
            ]
        step(f"hour {hour}")
    return tidy(rows, tier=SIMULATED)


def _hours(served: Iterable[tuple[Requests, np.ndarray, np.ndarray]]) -> Iterator[np.ndarray]:
    """Yield (3, n) seconds of arrival, TTFT and TBT of each hour's requests."""
    held, end = np.empty((3, 0)), 3600.0
    for batch, ttft, e2e in served:
        gaps = np.where(batch.output > 1, batch.output - 1, np.nan)
        held = np.concatenate([held, [batch.arrival_s, ttft, (e2e - ttft) / gaps]], axis=1)
        while held[0, -1] >= end:
            last = int(np.searchsorted(held[0], end))
            yield held[:, :last]
            held, end = held[:, last:], end + 3600.0
    yield held
