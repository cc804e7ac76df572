"""Models of power sensors: how each of them reads a power that changes every two seconds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jouleproof.errors import UserError
from jouleproof.power.time_grid import SAMPLE_S, whole


@dataclass(frozen=True)
class Sensor:
    """A power sensor. every_s: time between readings. window_s: time over which a reading averages the power. delay_s:
    time until a reading is available. duty: share of the window in which the sensor measures. step_w: resolution. gain:
    largest gain error, a share, constant for each sensor. lost: share of readings that are lost. words: what it stands
    for, and its source."""

    every_s: int
    window_s: int
    words: str
    delay_s: int = 0
    duty: float = 1.0
    step_w: float = 0.0
    gain: float = 0.0
    lost: float = 0.0

    def __post_init__(self) -> None:
        times = (self.every_s, self.window_s)
        if min(times) <= 0 or not all(whole(time / SAMPLE_S) for time in times):
            raise UserError(f"sensor: every_s and window_s must be whole numbers of {SAMPLE_S} s, got {times}")


SENSORS: Mapping[str, Sensor] = {
    "ideal": Sensor(every_s=2, window_s=2, words="ideal sensor on the die"),
    "nvml": Sensor(every_s=2, window_s=2, words="NVML, mean of 1 s, here of 2", duty=1.0, step_w=1.0, gain=0.05),
    "nvml_part_time": Sensor(
        every_s=2, window_s=2, words="NVML that measures a quarter of the time", duty=0.25, step_w=1.0, gain=0.05
    ),
    "rapl": Sensor(every_s=2, window_s=2, words="RAPL counter, differences", step_w=0.1, gain=0.03),
    "redfish": Sensor(
        every_s=60, window_s=60, words="BMC over Redfish, once a minute", delay_s=60, step_w=10.0, gain=0.02, lost=0.01
    ),
    "ipmi": Sensor(
        every_s=20, window_s=2, words="IPMI, every 20 s, in steps of 20 W", delay_s=5, step_w=20.0, gain=0.02, lost=0.02
    ),
    "five_minutes": Sensor(
        every_s=300, window_s=300, words="means of five minutes", delay_s=300, step_w=10.0, gain=0.02
    ),
}


def read(sensor: Sensor, watts: np.ndarray, seed: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the times at which readings become available (s from the first sample), and their values (W).

    watts: (samples,) 2 s apart. A part-time sensor measures the first part of its window, or, where that is less than a
    sample, a share of one, whose power may differ from the sample's by up to 10 %. Lost readings are left out.
    """
    rng = np.random.default_rng([*seed, 7])
    step, window = round(sensor.every_s / SAMPLE_S), round(sensor.window_s / SAMPLE_S)
    ends = np.arange(window, len(watts) + 1, step)
    measured = max(round(window * sensor.duty), 1)
    sums = np.concatenate([[0.0], np.cumsum(watts)])
    begin = ends - window
    values = (sums[begin + measured] - sums[begin]) / measured
    if sensor.duty * window < 1:
        values = values * (1 + 0.1 * (1 - sensor.duty) * rng.uniform(-1, 1, len(values)))
    values = values * (1 + sensor.gain * rng.uniform(-1, 1))
    if sensor.step_w:
        values = np.round(values / sensor.step_w) * sensor.step_w
    kept = rng.random(len(ends)) >= sensor.lost
    return ends[kept] * SAMPLE_S + sensor.delay_s, values[kept]
