"""Prompts and decodes of a whole model against the highest rates of this machine."""

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any

import pandas as pd
import torch

from jouleproof.evidence.tables import MEASURED, tidy
from jouleproof.inputs import Problem
from jouleproof.measure.ceilings import flops_per_s, read_bytes_per_s
from jouleproof.measure.threads import cores
from jouleproof.models.decoder import Decoder
from jouleproof.models.runner import Runner
from jouleproof.models.shapes import Shape, flops, one_round, read_bytes
from jouleproof.models.smollm2 import LanguageModel
from jouleproof.progress import steps
from jouleproof.serving.engine.setup import served_decoder
from jouleproof.studies.phase_split.config import PhaseSplitConfig

CEILING_REPEATS = 3
DECODES_PER_ROUND = 7


def roofline(config: PhaseSplitConfig, gsm8k_test: Sequence[Problem], smollm2_135m: LanguageModel) -> pd.DataFrame:
    """Measure both phases of the served model against this machine's ceilings of computing and reading."""
    return rates(config, served_decoder(config.engine, config.roofline.layers, gsm8k_test, smollm2_135m)[0])


def rates(config: PhaseSplitConfig, decoder: Decoder) -> pd.DataFrame:
    """Measure iterations by phase, tokens and threads: seconds, operations, bytes, and rates, also as shares of the
    machine's ceilings. These are the rates of matrix products and of reading memory, on the same number of threads in
    the same round. On two threads only the longest prompt and the smallest batch are measured. phase: prompt
    (tokens of one text), token (texts, one token each), or machine for the ceilings."""
    settings = config.roofline
    prompts = [Shape(prompt=size) for size in settings.prompts]
    decodes = [Shape(decodes=many, context=settings.context) for many in settings.decodes]
    by_threads = {1: [*prompts, *decodes], 2: [prompts[-1], decodes[0]]}
    capacity = max(*settings.prompts, settings.context + 1)
    runner = Runner(decoder, max(settings.decodes) + 1, capacity)
    counts = [threads for threads in by_threads if threads <= cores()]
    step = steps("phase_split roofline", settings.repeats * len(counts))
    before = torch.get_num_threads()
    rows: list[dict[str, Any]] = []
    try:
        for threads in counts:
            torch.set_num_threads(threads)
            one_round(runner, by_threads[threads])
            for repeat in range(settings.repeats):
                compute, memory = flops_per_s(CEILING_REPEATS), read_bytes_per_s(CEILING_REPEATS)
                for name, unit, value in (("flop_rate", "FLOP/s", compute), ("read_rate", "B/s", memory)):
                    factors = {"phase": "machine", "threads": threads, "size": 0, "repeat": repeat}
                    rows.append({**factors, "metric": name, "unit": unit, "value": value})
                for shape, time in zip(by_threads[threads], _round(runner, by_threads[threads]), strict=True):
                    phase, size = ("prompt", shape.prompt) if shape.prompt else ("token", shape.decodes)
                    factors = {"phase": phase, "threads": threads, "size": size, "repeat": repeat}
                    rows += [{**factors, **row} for row in _rates(runner, shape, time, compute, memory)]
                step(f"round {repeat + 1} on {threads} threads")
    finally:
        torch.set_num_threads(before)
    return tidy(rows, tier=MEASURED)


def _round(runner: Runner, shapes: Sequence[Shape]) -> list[float]:
    """Return the seconds of each shape; for decodes, which are short, the median of several."""
    return [median(one_round(runner, [shape] * (1 if shape.prompt else DECODES_PER_ROUND))) for shape in shapes]


def _rates(runner: Runner, shape: Shape, time_s: float, compute: float, memory: float) -> Iterator[dict[str, Any]]:
    operations, size = flops(runner, shape), read_bytes(runner, shape)
    tokens = shape.prompt or shape.decodes
    values = {
        "time_s": ("s", time_s),
        "throughput": ("tokens/s", tokens / time_s),
        "flops": ("FLOP", operations),
        "bytes": ("B", size),
        "intensity": ("FLOP/B", operations / size),
        "flop_rate": ("FLOP/s", operations / time_s),
        "read_rate": ("B/s", size / time_s),
        "over_compute": ("fraction", operations / time_s / compute),
        "over_memory": ("fraction", size / time_s / memory),
    }
    for name, (unit, value) in values.items():
        yield {"metric": name, "unit": unit, "value": value}
