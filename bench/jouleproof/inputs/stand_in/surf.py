"""Stand-ins for a week of jobs on the SURF LISA cluster. Their durations and loads follow straight lines through
quantiles of the recorded week (Versluis et al., 2021, as the file of atlarge-research/opendc gives them). Their arrival
times, and how a job's use rises and falls, are not those of the recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jouleproof.inputs.stand_in.power import _parquet

if TYPE_CHECKING:
    import numpy as np

JOBS, STEP_MS, CAPACITY_MHZ, START_MS, WEEK_MS = 1000, 30_000, 33_600.0, 1_665_093_600_000, 604_800_000
AT = (0.0, 0.25, 0.5, 0.75, 0.96, 1.0)
HOURS = (1 / 120, 1 / 120, 3 / 120, 0.725, 24.0, 120.0)
USE = (0.0, 0.73, 0.76, 0.95, 0.99, 1.0)


def fragments(seed: int) -> bytes:
    """CPU use in MHz every 30 s, job by job, as a parquet file in the real one's columns."""
    import numpy as np
    import pandas as pd

    steps, _, rng = _jobs(seed)
    level = np.repeat(np.interp(rng.random(JOBS), AT, USE), steps)
    share = np.minimum(np.round(level * (0.8 + 0.4 * rng.random(len(level))), 2), 1.0)
    table = {"id": np.repeat(_ids(), steps), "duration": np.full(len(level), STEP_MS, np.int64),
             "cpu_usage": share * CAPACITY_MHZ}  # fmt: skip
    return _parquet(pd.DataFrame(table))


def tasks(seed: int) -> bytes:
    """The jobs: their submission times and durations, on nodes of 16 processors."""
    import numpy as np
    import pandas as pd

    steps, came, _ = _jobs(seed)
    table = {"id": _ids(), "submission_time": START_MS + came, "duration": steps * STEP_MS,
             "cpu_count": np.full(JOBS, 16, np.int32), "cpu_capacity": np.full(JOBS, CAPACITY_MHZ),
             "mem_capacity": np.full(JOBS, 100_000, np.int64)}  # fmt: skip
    return _parquet(pd.DataFrame(table))


def _ids() -> np.ndarray:
    import numpy as np

    return np.arange(2_132_819, 2_132_819 + JOBS, dtype=np.int32)


def _jobs(seed: int) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    """Samples and submission time of each job (ms; the first at the beginning), and the state of the generator after
    that."""
    import numpy as np

    rng = np.random.default_rng([seed, 2])
    steps = np.maximum(np.round(np.interp(rng.random(JOBS), AT, HOURS) * 120), 1).astype(np.int64)
    came = (rng.random(JOBS) * (WEEK_MS // STEP_MS - steps)).astype(np.int64) * STEP_MS
    came[0] = 0
    return steps, came, rng
