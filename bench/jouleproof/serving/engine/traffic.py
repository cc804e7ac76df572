"""Requests that are small enough for one core: scaled-down lengths of a trace, with text from word problems."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from jouleproof.inputs import Problem
from jouleproof.serving.engine.router import Request
from jouleproof.serving.simulator.workload import Requests, poisson_requests

ENOUGH_TOKENS = 20_000


def scaled(trace: pd.DataFrame, scale: float, capacity: int) -> tuple[pd.DataFrame, float]:
    """Divide the trace's lengths by `scale`, to at least 1, and return the requests that fit into a cache of `capacity`
    tokens and the share of those that do not. Raises ValueError if none fits."""
    lengths = {
        name: np.maximum(np.rint(trace[name].to_numpy(dtype=float) / scale), 1).astype(np.int32)
        for name in ("prompt_tokens", "output_tokens")
    }
    smaller = trace.assign(**lengths)
    fits = smaller["prompt_tokens"] + smaller["output_tokens"] - 1 <= capacity
    if not fits.any():
        raise ValueError(f"no request of the trace fits into {capacity} tokens, even with lengths divided by {scale:g}")
    return smaller[fits].reset_index(drop=True), 1.0 - float(fits.mean())


def arrivals(trace: pd.DataFrame, rate: float, count: int, seed: int) -> Requests:
    """Return the first `count` Poisson arrivals at `rate` requests/s; another rate changes only the times of
    arrival."""
    requests = poisson_requests(trace, rate, (2 * count + 50) / rate, seed)
    return Requests(requests.arrival_s[:count], requests.prompt[:count], requests.output[:count])


def text(problems: Sequence[Problem], tokens: Callable[[str], list[int]]) -> list[int]:
    """Return the tokens of problems and answers, in order, until there are at least ENOUGH_TOKENS."""
    token_ids: list[int] = []
    for problem in problems:
        token_ids += tokens(f"{problem.question}\n{problem.answer}\n\n")
        if len(token_ids) >= ENOUGH_TOKENS:
            break
    return token_ids


def with_text(requests: Requests, words: Sequence[int], seed: int) -> list[Request]:
    """Return the requests with prompts cut from the text at random places; the text repeats after its end."""
    starts = np.random.default_rng([seed, 3]).integers(0, len(words), len(requests))
    endless = np.resize(np.asarray(words), len(words) + int(requests.prompt.max()))
    return [
        Request(float(at), endless[start : start + prompt].tolist(), int(output))
        for at, start, prompt, output in zip(requests.arrival_s, starts, requests.prompt, requests.output, strict=True)
    ]
