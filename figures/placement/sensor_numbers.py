"""Sensors' readings in an hour of one prompt machine and one token machine of the simulated cluster: their number,
delay and error of the mean, and the highest reading over the highest sample of 2 s."""

import pandas as pd

from jouleproof.drawing.cells import fixed
from jouleproof.drawing.select import unique
from jouleproof.drawing.style import SENSOR_STYLES

TITLE = "Sensors"
SOURCES = ["placement/sensed"]


def tabulate(sensed: pd.DataFrame) -> pd.DataFrame:
    values = sensed[sensed["metric"] != "reading"].set_index(["sensor", "pool", "metric"])["value"]
    rows = []
    for sensor in unique(sensed["sensor"]):
        row = {
            "sensor": SENSOR_STYLES.get(sensor, ("", "", sensor))[2],
            "readings an hour": fixed(values[sensor, "prompt", "readings"], 0),
            "delay (s)": fixed(values[sensor, "prompt", "delay"], 0),
        }
        for pool in ("prompt", "token"):
            row[f"{pool}: mean off by (%)"] = f"{100 * values[sensor, pool, 'mean_error']:+z.1f}"
            row[f"{pool}: peak seen"] = fixed(values[sensor, pool, "peak_seen"], 2)
        rows.append(row)
    return pd.DataFrame(rows)
