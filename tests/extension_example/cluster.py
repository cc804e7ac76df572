"""A custom cluster design: an accelerator with its performance model, and a scheduler."""

import numpy as np

from jouleproof.serving.simulator.cost_model import Performance
from jouleproof.serving.simulator.machines import MACHINES, Design, Load, Machine
from jouleproof.serving.simulator.served_models import ServedModel

EFFICIENCY = 0.5  # of both peak rates; made up


def roofline(machine: Machine, model: ServedModel) -> Performance:
    """Model times from datasheet numbers alone: a prompt is bound by arithmetic, a decode by reading weights and
    cache."""
    tokens = np.array([1.0, 512.0, 8192.0])
    reading_s = model.weight_bytes / (EFFICIENCY * machine.memory_bytes_per_s)
    prompt_s = np.maximum(model.weight_bytes * tokens / (EFFICIENCY * 8 * 148e12), reading_s)
    cache_s = model.kv_bytes / (EFFICIENCY * machine.memory_bytes_per_s)  # of a token of context
    return Performance(
        tokens, prompt_s, np.full(3, reading_s), np.array([0.0, 0.0, cache_s]),
        prompt_w=np.full(3, machine.host_w + 0.8 * machine.tdp_w), decode_w=machine.host_w + 0.6 * machine.tdp_w,
    )  # fmt: skip


# Eight H20 of 96 GB and 4 TB/s each, much bandwidth and little arithmetic; the price and all power are made up.
H20 = Machine("h20", roofline, 8 * 96 * 10**9, 2.5, 27.0, 3200.0, 400e9, 8 * 4.0e12, assumed="all times; price; power")


def short_stays(prompt: int, output: int, load: Load) -> tuple[int, int]:
    """Schedule requests: those with few tokens to generate stay on the prompt machine, so that no cache moves."""
    reader = int(np.argmin(load.pending[: load.prompt_pool]))
    if output <= 16:
        return reader, reader
    return reader, load.prompt_pool + int(np.argmin(load.reserved[load.prompt_pool :]))


DESIGN = Design("h100_h20", short_stays, (MACHINES["dgx-h100"], 20), (H20, 32))
