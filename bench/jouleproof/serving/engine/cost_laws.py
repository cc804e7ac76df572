"""Performance models for the simulator, fitted to measured iterations."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.optimize import isotonic_regression, nnls

from jouleproof.models.shapes import Shape
from jouleproof.serving.simulator.cost_model import Performance, extrapolated


def halves(shapes: Sequence[Shape]) -> tuple[list[Shape], list[Shape]]:
    """Split shapes into two halves by taking every other shape of each kind; if a kind has an odd number of shapes, its
    first and last are in the first half."""
    kinds: dict[tuple[bool, bool, bool, int], list[Shape]] = {}
    for shape in shapes:
        kinds.setdefault((shape.prompt > 0, shape.decodes > 0, shape.read > 0, shape.context), []).append(shape)
    return (
        [shape for kind in kinds.values() for shape in kind[::2]],
        [shape for kind in kinds.values() for shape in kind[1::2]],
    )


def fitted(seconds: Mapping[Shape, float]) -> Performance:
    """Fit a performance model to measured times by least squares. Time is piecewise linear in prompt tokens and, at
    zero context, in decodes, plus a time per token of context and a time per decode that runs with a prompt. More work
    never takes less time, however noisy the measurements.

    seconds: times of prompts alone, of decodes alone at two or more contexts, and of both together.
    """
    prompts = {shape: time for shape, time in seconds.items() if not shape.decodes and not shape.read}
    decodes = {shape: time for shape, time in seconds.items() if not shape.prompt}
    together = {shape: time for shape, time in seconds.items() if shape.prompt and shape.decodes}
    sizes = np.array(sorted({shape.prompt for shape in prompts}), dtype=float)
    sizes, prompt_s = _rising(sizes, np.array([_of(prompts, size) for size in sizes]))
    batches, decode_s, per_context = _decode_law(decodes)
    knots = np.union1d(sizes, batches)
    per_decode = _per_decode_with_prompt(together, sizes, prompt_s, per_context)
    return Performance(
        tokens=knots,
        prompt_s=extrapolated(knots, sizes, prompt_s),
        decode_s=extrapolated(knots, batches, decode_s) - per_decode * knots,
        affine=np.array([per_decode, 0.0, per_context]),
        prompt_w=np.zeros(len(knots)),
        decode_w=0.0,
        mixed=1.0,
    )


def predicted(law: Performance, shape: Shape) -> float:
    """Return the seconds of an iteration as the simulator computes them
    (jouleproof.serving.simulator.event_loop.iterations.plan)."""
    context = shape.read + shape.decodes * (shape.context + 1)
    further = law.affine[0] * shape.decodes + law.affine[2] * context
    if not shape.prompt:
        return float(extrapolated(np.array([shape.decodes]), law.tokens, law.decode_s)[0] + further)
    rows = np.array([shape.prompt + shape.decodes])
    return float(extrapolated(rows, law.tokens, law.prompt_s)[0] * (law.mixed if shape.decodes else 1.0) + further)


def _of(prompts: Mapping[Shape, float], size: float) -> float:
    return next(time for shape, time in prompts.items() if shape.prompt == size)


def _rising(sizes: np.ndarray, seconds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return knots, from 0 up, and seconds of the closest law that never falls and is never negative."""
    seconds = isotonic_regression(seconds).x
    nothing = max(float(extrapolated(np.zeros(1), sizes, seconds)[0]), 0.0)
    return np.append(0.0, sizes), np.append(nothing, seconds)


def _decode_law(decodes: Mapping[Shape, float]) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the batch sizes, their fitted seconds at zero context, and the seconds per token of context."""
    batches = np.array(sorted({shape.decodes for shape in decodes}))
    rows = np.zeros((len(decodes), len(batches) + 1))
    for row, shape in zip(rows, decodes, strict=True):
        row[np.searchsorted(batches, shape.decodes)] = 1.0
        row[-1] = shape.decodes * (shape.context + 1)
    times = np.array(list(decodes.values()))
    coefficients = nnls(rows / times[:, None], np.ones(len(times)))[0]  # relative errors have equal weight
    return *_rising(batches.astype(float), coefficients[:-1]), float(coefficients[-1])


def _per_decode_with_prompt(
    together: Mapping[Shape, float], sizes: np.ndarray, prompt_s: np.ndarray, per_context: float
) -> float:
    """Return the seconds that a decode costs beyond one more prompt token in an iteration with a prompt."""
    rest, decodes = [], []
    for shape, time in together.items():
        context = shape.read + shape.decodes * (shape.context + 1)
        plain = float(extrapolated(np.array([shape.prompt + shape.decodes]), sizes, prompt_s)[0])
        rest.append((time - plain - per_context * context) / time)
        decodes.append(shape.decodes / time)
    return max(float(np.dot(rest, decodes) / np.dot(decodes, decodes)), 0.0)
