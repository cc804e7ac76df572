"""Limits of each phase, after figures 5 to 9 of Splitwise (ISCA 2024): its profile of BLOOM-176B on eight A100 or H100.
Measured, medians of runs: (a) throughput of the prompt phase, filled for one prompt, hollow for batches of prompts of
512 tokens; (b) throughput of decoding, prompts of 512 tokens, 128 generated; (d) power of the A100 over its limit in
the runs of b, the peak (prompt phase) and the average (mostly decoding), not recorded above 16 sequences or for the
H100; (f) end-to-end (E2E) time of one request, prompt of 512 tokens, over the most tokens that it may generate.
Calculated: in f, dashed, the time if it generates them all (from 2048 on, most runs do not); (c) weights and
key-value cache only, up to (cross) a full machine of 640 GiB (dotted; 1 GB is 1e9 bytes). Heads of Llama2-70B share
keys and values in groups; the published simulator counts them for every head. Assumed: (e) the H100's times under the
power cap over those without it, which are exact multiples in the profile."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.palette import GREEN, GREY, INK, RUST
from jouleproof.drawing.select import PROFILED_MODEL, of_the_profiled_model, where
from jouleproof.drawing.style import HEIGHT, MACHINE_STYLES, WIDTH

TITLE = "What bounds each phase"
SOURCES = ["phase_split/profile", "phase_split/laws"]
CELL = ["hardware", "prompt_size", "batch_size", "token_size"]


def draw(profile: pd.DataFrame, laws: pd.DataFrame) -> Figure:
    figure, axes = plt.subplots(2, 3, figsize=(WIDTH, 1.6 * HEIGHT))
    (prompt, decode, memory), (power, cap, request) = axes
    cells = of_the_profiled_model(profile).pivot_table(index=CELL, columns="metric", values="value")
    for name, (label, colour, marker) in MACHINE_STYLES.items():
        runs = cells.loc[name].reset_index()
        batches = where(runs, token_size=128, prompt_size=512)
        for shapes, fill in ((where(runs, token_size=128, batch_size=1), colour), (batches, "white")):
            tokens = shapes["prompt_size"] * shapes["batch_size"]
            prompt.plot(tokens, 1e-3 * tokens / shapes["prompt_time_s"], color=colour, marker=marker, mfc=fill)
        count = batches["batch_size"]
        decode.plot(count, count / batches["token_time_s"], color=colour, marker=marker, label=label)
        alone = where(runs, prompt_size=512, batch_size=1)
        every = alone["prompt_time_s"] + (alone["token_size"] - 1) * alone["token_time_s"]
        request.plot(alone["token_size"], alone["e2e_time_s"], color=colour, marker=marker)
        request.plot(alone["token_size"], every, color=colour, ls="--", lw=0.9)
        power.plot(count, batches["peak_power_tdp"], color=colour, marker=marker)
        power.plot(count, batches["average_power_tdp"], color=colour, marker=marker, ls="--")
    ratios = (cells.loc["h100-80gb-pcap"] / cells.loc["h100-80gb"]).xs((1, 128), level=("batch_size", "token_size"))
    for metric, marker, what in (("prompt_time_s", "s", "prompt time"), ("token_time_s", "o", "time per token")):
        cap.plot(ratios.index, ratios[metric], marker, color=MACHINE_STYLES["h100-80gb"][1], mfc="white")
        cap.text(120, ratios[metric].iloc[0] + 0.06, what, fontsize=7)
    cap.text(120, 0.5, "assumed, not measured", fontsize=7.5, color=RUST)
    power.text(16, 0.69, "average", ha="right", fontsize=7)
    power.text(16, 1.05, "peak", ha="right", fontsize=7)
    power.axhline(1, color=GREY, lw=0.7)
    _memory(memory, laws.pivot_table(index="model", columns="metric", values="value"))
    request.set_yscale("log", base=2)
    for axis, title, across, up, ends in (
        (prompt, "(a) prompt phase", "all prompts of the batch (tokens)", "throughput (1000 tokens/s)", (0, None)),
        (decode, "(b) decoding", "batch (sequences)", "throughput (tokens/s)", (0, None)),
        (memory, "(c) memory", "held in the cache (tokens)", "weights and cache (GB)", (0, None)),
        (power, "(d) power", "batch (sequences)", "power over the limit (1)", (0, 1.2)),
        (cap, "(e) power cap, H100", "prompt (tokens)", "capped over uncapped (1)", (0, 1.6)),
        (request, "(f) one request", "output limit (tokens)", "E2E time (s)", (2, 512)),
    ):
        axis.set_title(title, loc="left")
        axis.set_xscale("log", base=10 if axis is memory else 2)
        axis.set(xlabel=across, ylabel=up, ylim=ends)
        if axis is not memory:
            axis.xaxis.set_major_formatter("{x:g}")
    request.yaxis.set_major_formatter("{x:g}")
    prompt.set_xticks([128, 2048, 32768])
    figure.legend(loc="outside upper left", ncols=5, columnspacing=1.0, handletextpad=0.4)
    return figure


def _memory(axis: Axes, models: pd.DataFrame) -> None:
    """Draw memory up to a full machine."""
    for name, cache, label, colour, line in (
        (PROFILED_MODEL, "cache_of_token", "BLOOM-176B", INK, "-"),
        ("llama2-70b", "cache_of_token", "Llama2-70B", GREEN, "-"),
        ("llama2-70b", "cache_of_token_every_head", "Llama2-70B, every head", GREEN, "--"),
    ):
        model = models.loc[name]
        limit: Any = model["machine_memory"]
        held = np.geomspace(1e3, (limit - model["weights"]) / model[cache], 200)
        gigabytes = 1e-9 * (model["weights"] + model[cache] * held)
        axis.plot(held, gigabytes, color=colour, ls=line, marker="X", markevery=[-1], label=label)
    axis.axhline(1e-9 * limit, color=RUST, lw=0.9, ls=":")
