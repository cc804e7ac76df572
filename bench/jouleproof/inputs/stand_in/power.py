"""Stand-ins for recorded power and CPU use.

The power of boards and servers: straight lines through the published distribution's quartiles, 99th percentile and ends
(Acme: Hu et al., NSDI 2024, as its data give them). The virtual machines: a day's rhythm that changes from week to
week, so that a week's profile tells little of the next, as in the Bitbrains traces (correlation 0.2); levels are not
theirs.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

MACHINES, SLOT_S, SLOTS, START_MS = 40, 300, 4 * 7 * 288, 1_376_314_546_000
HEADER = "cdf_percent,gpu_power_w_kalos,gpu_power_w_seren,gpu_server_power_w_seren,cpu_server_power_w_seren"
AT = (0.0, 25.0, 50.0, 75.0, 99.0, 100.0)
QUANTILES = (
    (55.7, 66.4, 101.4, 371.8, 470.0, 599.7),
    (15.4, 66.2, 96.45, 290.2, 435.0, 558.0),
    (0.0, 1692.5, 2520.0, 4284.0, 5418.0, 6554.0),
    (468.0, 540.0, 546.0, 648.0, 760.0, 960.0),
)


def acme_power(seed: int) -> bytes:
    """The distributions as a CSV file in the real one's columns. seed: has no effect, since quantiles do not vary."""
    lines = [HEADER]
    for step in range(1001):
        percent = step / 10
        lines.append(",".join([f"{percent:.1f}", *(f"{_line(percent, watts):.1f}" for watts in QUANTILES)]))
    return ("\n".join(lines) + "\n").encode()


def bitbrains_fragments(seed: int) -> bytes:
    """CPU use in MHz every five minutes for four weeks, as a parquet file in the real one's columns."""
    import numpy as np
    import pandas as pd

    use = _use(seed)
    return _parquet(
        pd.DataFrame(
            {
                "id": np.repeat([str(1000 + number) for number in range(MACHINES)], SLOTS),
                "duration": np.full(MACHINES * SLOTS, SLOT_S * 1000, np.int64),
                "cpu_usage": use.reshape(-1),
            }
        )
    )


def bitbrains_tasks(seed: int) -> bytes:
    """The machines of the trace: two processors of 2,926 MHz each. seed: has no effect."""
    import numpy as np
    import pandas as pd

    return _parquet(
        pd.DataFrame(
            {
                "id": [str(1000 + number) for number in range(MACHINES)],
                "submission_time": np.full(MACHINES, START_MS, np.int64),
                "duration": np.full(MACHINES, SLOTS * SLOT_S * 1000, np.int64),
                "cpu_count": np.full(MACHINES, 2, np.int32),
                "cpu_capacity": np.full(MACHINES, 5852.0),
                "mem_capacity": np.full(MACHINES, 8_000_000, np.int64),
            }
        )
    )


def _line(percent: float, watts: tuple[float, ...]) -> float:
    last = next(place for place in range(1, len(AT)) if percent <= AT[place])
    share = (percent - AT[last - 1]) / (AT[last] - AT[last - 1])
    return watts[last - 1] + share * (watts[last] - watts[last - 1])


def _use(seed: int) -> np.ndarray:
    """(machines, slots) MHz, from sums and products alone, so that every machine gives the same bytes."""
    import numpy as np

    rng = np.random.default_rng([seed, 1])
    weeks = SLOTS // (7 * 288)
    hour = np.arange(SLOTS) * SLOT_S / 3600
    peak_h = np.repeat(rng.integers(0, 24, (MACHINES, weeks)), 7 * 288, axis=1)
    away_h = np.abs((hour - peak_h) % 24 - 12)  # 12 at the peak
    rhythm = np.maximum(away_h / 4 - 2, 0.0)
    level = 60 + 1500 * rng.random((MACHINES, 1)) ** 4
    return np.minimum(level * (0.3 + rhythm) * (0.5 + rng.random((MACHINES, SLOTS))), 5852.0)


def _parquet(table: pd.DataFrame) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None), out)
    return out.getvalue()
