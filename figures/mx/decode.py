"""SmolLM2-135M decoding one token at a time with its linear layers in MX, beside float32 in the same engine, against
the bytes of weights that a token reads (the output head stays float32). The line is what reading those bytes alone
would allow at the rate of a sum over a large matrix with all threads. Bars are 95 % intervals over the rounds."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from bench.stats import mean_interval
from figures.style import HEIGHT, WIDTH, format_label, format_style

TITLE = "A language model decoding with packed weights"
SOURCES = ["mx/decode", "mx/matvec"]


def draw(decode: pd.DataFrame, matvec: pd.DataFrame) -> Figure:
    figure, axis = plt.subplots(figsize=(WIDTH, HEIGHT))
    read = decode[decode["metric"] == "bytes_per_token"].groupby("format")["value"].first() / 1e6
    speed = decode[decode["metric"] == "tokens_per_s"]
    styles = format_style(name for name in read.index if name != "float32")
    grey = {"float32": {"color": "#7F7F7F", "marker": "o"}}
    looks: dict[str, Any] = {**styles, **grey}
    for name, look in looks.items():
        if name not in read:
            continue
        found = mean_interval(speed[speed["format"] == name]["value"].to_numpy())
        ends = [[found.value - found.low], [found.high - found.value]]
        axis.errorbar(read[name], found.value, yerr=ends, elinewidth=1.1, lw=0, label=format_label(name), **look)
    rate = _read_rate(matvec)
    megabytes = np.linspace(0.8 * read.min(), 1.1 * read.max(), 100)
    axis.plot(megabytes, rate / 1e6 / megabytes, color="#444444", ls="--", lw=0.9, label="reading alone")
    axis.set_ylim(bottom=0)
    axis.set_xlabel("weights read per token (MB)")
    axis.set_ylabel("speed (tokens/s)")
    figure.legend(loc="outside right upper")
    return figure


def _read_rate(matvec: pd.DataFrame) -> float:
    """Bytes per second of a sum over the largest matrix."""
    reading = matvec[matvec["format"] == "read"]
    size = reading["rows"] * reading["columns"]
    here = reading[size == size.max()].groupby("metric")["value"].median()
    return float(here["weight_bytes"] / here["time"])
