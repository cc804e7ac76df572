"""Requests of a size that one core can serve: lengths of a trace scaled down, with text from word problems."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from jouleproof.inputs import Problem
from jouleproof.serving.engine.router import Request
from jouleproof.serving.simulator.workload import Requests, poisson_requests

ENOUGH_TOKENS = 20_000


def scaled(trace: pd.DataFrame, scale: float, capacity: int) -> tuple[pd.DataFrame, float]:
    """Divide the trace's lengths by `scale`, to at least 1, and return it with the share of requests that are left out
    because they would not fit into a cache of `capacity` tokens. Raises ValueError where none fits."""
    lengths = {
        name: np.maximum(np.rint(trace[name].to_numpy(dtype=float) / scale), 1).astype(np.int32)
        for name in ("prompt_tokens", "output_tokens")
    }
    smaller = trace.assign(**lengths)
    fits = smaller["prompt_tokens"] + smaller["output_tokens"] - 1 <= capacity
    if not fits.any():
        raise ValueError(f"no request of the trace over {scale:g} fits into {capacity} tokens")
    return smaller[fits].reset_index(drop=True), 1.0 - float(fits.mean())


def arrivals(trace: pd.DataFrame, rate: float, count: int, seed: int) -> Requests:
    """Return the first `count` Poisson arrivals at `rate` requests/s; at two rates they differ in nothing but the
    clock."""
    requests = poisson_requests(trace, rate, (2 * count + 50) / rate, seed)
    return Requests(requests.arrival_s[:count], requests.prompt[:count], requests.output[:count])


def text(problems: Sequence[Problem], tokens: Callable[[str], list[int]]) -> list[int]:
    """Return the tokens of problems and answers, one after the other."""
    token_ids: list[int] = []
    for problem in problems:
        token_ids += tokens(f"{problem.question}\n{problem.answer}\n\n")
        if len(token_ids) >= ENOUGH_TOKENS:
            break
    return token_ids


def with_text(requests: Requests, words: Sequence[int], seed: int) -> list[Request]:
    """Cut prompts from places in the text that the seed draws; the text repeats itself where it ends."""
    starts = np.random.default_rng([seed, 3]).integers(0, len(words), len(requests))
    endless = np.resize(np.asarray(words), len(words) + int(requests.prompt.max()))
    return [
        Request(float(at), endless[start : start + prompt].tolist(), int(output))
        for at, start, prompt, output in zip(requests.arrival_s, starts, requests.prompt, requests.output, strict=True)
    ]
