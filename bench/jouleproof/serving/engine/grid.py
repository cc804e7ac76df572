"""Measurements over a grid of iteration shapes, with the other workers as busy as under load."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from jouleproof.models.shapes import Shape
from jouleproof.serving.config import EngineConfig
from jouleproof.serving.engine.fleet import Fleet
from jouleproof.serving.simulator.cost_model import extrapolated

PROMPTS = (8, 16, 32, 48, 64, 96, 128, 192, 256, 384, 512)
DECODES = (1, 2, 3, 4, 6, 8, 12, 16, 24)
CONTEXTS = (32, 256)
# TOGETHER: (prompt tokens, decodes). CHUNKS: (prompt tokens, tokens already read, decodes).
TOGETHER = ((32, 2), (64, 4), (64, 16), (128, 2), (128, 8), (192, 4), (192, 16), (256, 8), (320, 12))
CHUNKS = ((48, 64, 4), (48, 192, 4), (32, 128, 16), (56, 256, 8), (48, 320, 12))
BEFORE = 64  # tokens of context of each decode that runs with a prompt


def measured_shapes(engine: EngineConfig) -> list[Shape]:
    """Return the shapes of the grid that fit into the cache."""
    shapes = [Shape(prompt=size) for size in PROMPTS]
    shapes += [Shape(decodes=many, context=context) for context in CONTEXTS for many in DECODES]
    shapes += [Shape(prompt=size, decodes=many, context=BEFORE) for size, many in TOGETHER]
    shapes += [Shape(prompt=size, read=read, decodes=many, context=BEFORE) for size, read, many in CHUNKS]
    return [
        shape
        for shape in shapes
        if max(shape.prompt + shape.read, shape.context + 1) <= engine.capacity and shape.decodes < engine.slots
    ]


def probes(shapes: Sequence[Shape]) -> list[Shape]:
    """Return a prompt and a batch of decodes, both of medium size."""
    prompts = [shape for shape in shapes if not shape.decodes]
    decodes = [shape for shape in shapes if not shape.prompt]
    return [prompts[len(prompts) // 2], decodes[len(decodes) // 4]]


def measured(fleet: Fleet, shapes: Sequence[Shape], background: Sequence[Shape], repeats: int) -> np.ndarray:
    """Measure shapes on every worker and return (workers, repeats, shapes) seconds. The other workers read prompts
    while decodes alone are measured, and decode while shapes with a prompt are measured.

    background: the prompt and the batch of decodes that the other workers run.
    """
    prompt, decodes = background
    seconds = np.zeros((fleet.plan.workers, repeats, len(shapes)))
    reads = np.array([shape.prompt > 0 for shape in shapes])
    for other, chosen in ((decodes, reads), (prompt, ~reads)):
        chosen_shapes = [shape for shape, is_chosen in zip(shapes, chosen, strict=True) if is_chosen]
        seconds[:, :, chosen] = fleet.measured(chosen_shapes, repeats, other)
    return seconds


def prompt_capacity(fleet: Fleet, engine: EngineConfig, lengths: pd.DataFrame) -> float:
    """Measure the capacity of the prompt workers in requests/s."""
    every = measured_shapes(engine)
    shapes = [shape for shape in every if not shape.decodes]
    seconds = np.median(fleet.measured(shapes, 2, background=probes(every)[1]), axis=(0, 1))
    sizes = np.array([shape.prompt for shape in shapes], dtype=float)
    return engine.prompt_workers / float(
        extrapolated(lengths["prompt_tokens"].to_numpy(dtype=float), sizes, seconds).mean()
    )
