"""What the published profile measured, BLOOM-176B on eight accelerators. Left: time of a prompt against its tokens.
Middle: time of an iteration of decoding against the sequences of its batch; dashed, what the published simulator reads
instead. Right: power of the A100 in the prompt phase (solid) and on average over runs that mostly decode (dashed), over
its limit; the H100's was not recorded."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from jouleproof.drawing.select import of_the_profiled_model
from jouleproof.drawing.style import HEIGHT, MACHINE_STYLES, WIDTH

TITLE = "The measured profile"
SOURCES = ["phase_split/profile"]


def draw(profile: pd.DataFrame) -> Figure:
    figure, (prompt, token, power) = plt.subplots(1, 3, figsize=(WIDTH, 0.95 * HEIGHT))
    rows = of_the_profiled_model(profile)
    for name, (label, colour, marker) in MACHINE_STYLES.items():
        runs = rows[rows["hardware"] == name]
        alone = runs[(runs["batch_size"] == 1) & (runs["token_size"] == 128)]
        prompts = alone[alone["metric"] == "prompt_time_s"].sort_values("prompt_size")
        prompt.plot(prompts["prompt_size"], prompts["value"], color=colour, marker=marker, label=label)
        batches = runs[(runs["prompt_size"] == 512) & (runs["token_size"] == 128)]
        tokens = batches[batches["metric"] == "token_time_s"].sort_values("batch_size")
        token.plot(tokens["batch_size"], 1e3 * tokens["value"], color=colour, marker=marker)
        first = runs[(runs["metric"] == "token_time_s") & (runs["prompt_size"] == 128)]["value"].iloc[0]
        token.plot([1, 64], np.full(2, 1e3 * first), color=colour, ls="--", lw=0.9)
    prompt.set_xscale("log", base=2)
    prompt.set_yscale("log")
    prompt.set_xlabel("prompt (tokens)")
    prompt.set_ylabel("time to first token (s)")
    prompt.legend()
    token.set_xscale("log", base=2)
    token.set_ylim(bottom=0)
    token.set_xlabel("batch (sequences)")
    token.set_ylabel("time per token (ms)")
    a100 = rows[(rows["hardware"] == "a100-80gb") & (rows["token_size"] == 128)]
    for metric, line in (("peak_power_tdp", "-"), ("average_power_tdp", "--")):
        watts = a100[(a100["metric"] == metric) & (a100["batch_size"] == 1)].sort_values("prompt_size")
        power.plot(watts["prompt_size"], watts["value"], color=MACHINE_STYLES["a100-80gb"][1], ls=line, marker="^")
    power.axhline(1, color="#888888", lw=0.7)
    power.set_xscale("log", base=2)
    power.set_ylim(0, 1.15)
    power.set_xlabel("prompt (tokens)")
    power.set_ylabel("power over the limit (1)")
    return figure
