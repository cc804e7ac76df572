"""Measurements of the published profile, BLOOM-176B on eight accelerators. Left: time of a prompt over its tokens.
Middle: time of a decode iteration over the sequences of its batch; dashed: the value that the published simulator uses
instead. Right: power of the A100 over its limit, in the prompt phase (solid) and on average over runs that mostly
decode (dashed); the H100's was not recorded."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.palette import GREY
from jouleproof.drawing.select import of_the_profiled_model, where
from jouleproof.drawing.style import HEIGHT, MACHINE_STYLES, WIDTH, Look

TITLE = "The measured profile"
SOURCES = ["phase_split/profile"]


def draw(profile: pd.DataFrame) -> Figure:
    figure, (prompt, token, power) = plt.subplots(1, 3, figsize=(WIDTH, 0.95 * HEIGHT))
    rows = where(of_the_profiled_model(profile), hardware=MACHINE_STYLES)
    for hardware, (label, colour, marker) in MACHINE_STYLES.items():
        runs = where(rows, hardware=hardware)
        look: Look = {"color": colour, "marker": marker, "label": label}
        prompts = where(runs, metric="prompt_time_s", batch_size=1, token_size=128)
        _line(prompt, prompts, "prompt_size", **look)
        batches = where(runs, metric="token_time_s", prompt_size=512, token_size=128)
        _line(token, batches, "batch_size", 1e3, **look)
        first = 1e3 * where(runs, metric="token_time_s", prompt_size=128)["value"].iloc[0]
        token.plot([1, 64], [first, first], color=colour, ls="--", lw=0.9)
    label, colour, marker = MACHINE_STYLES["a100-80gb"]
    for metric, line in (("peak_power_tdp", "-"), ("average_power_tdp", "--")):
        watts = where(rows, hardware="a100-80gb", metric=metric, batch_size=1, token_size=128)
        _line(power, watts, "prompt_size", color=colour, ls=line, marker=marker)
    power.axhline(1, color=GREY, lw=0.7)
    for axis in (prompt, token, power):
        axis.set_xscale("log", base=2)
    prompt.set(yscale="log", xlabel="prompt (tokens)", ylabel="time to first token (s)")
    prompt.legend()
    token.set(ylim=(0, None), xlabel="batch (sequences)", ylabel="time per token (ms)")
    power.set(ylim=(0, 1.15), xlabel="prompt (tokens)", ylabel="power over the limit (1)")
    return figure


def _line(axis: Axes, rows: pd.DataFrame, across: str, factor: float = 1.0, **look: str) -> None:
    rows = rows.sort_values(across)
    axis.plot(rows[across], factor * rows["value"], **look)  # type: ignore[arg-type]
