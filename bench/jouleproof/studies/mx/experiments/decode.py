"""Decoding of a real language model with linear layers in MX: tokens per second, bytes per token, and whether the
output stays the same."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numba
import pandas as pd
import torch

from jouleproof.evidence.tables import MEASURED, tidy
from jouleproof.formats import MXFormat, fake_quantize
from jouleproof.inputs import Problem
from jouleproof.measure.clocks import Stopwatch
from jouleproof.measure.threads import cores
from jouleproof.models.casting import weights_cast
from jouleproof.models.likelihood import most_likely
from jouleproof.models.runner import Piece, Runner
from jouleproof.models.smollm2 import LanguageModel
from jouleproof.progress import steps
from jouleproof.studies.mx import registry
from jouleproof.studies.mx.config import DecodeConfig, MxConfig

FLOAT32 = "float32"


def decode(config: MxConfig, gsm8k_test: Sequence[Problem], smollm2_135m: LanguageModel) -> pd.DataFrame:
    """Measure decoding speed by format: every format decodes once per round, from the same prompt.

    over_float32 is the speed over float32 in the same round. Layers that share an input are one product, also in
    float32. The output head, tied to the embedding, stays float32 and is counted in the bytes.
    Three metrics compare the packed model, under teacher forcing, with a fake-quantised one: max_difference, the
    largest difference of a logit; same_token, the share of equal next tokens; near_ties, the share of tokens that
    differ while the two best logits are closer than `near_tie`.
    """
    settings = config.decode
    torch.set_num_threads(min(settings.threads, cores()))
    numba.set_num_threads(min(settings.threads, cores()))
    text = enough_tokens(smollm2_135m, gsm8k_test, settings.prompt_tokens + settings.forced)
    formats = registry.formats(config.formats)
    plain = Runner(smollm2_135m.network, 1, len(text) + settings.tokens + 1)
    packed = {name: plain.packed(smollm2_135m.network, fmt) for name, fmt in formats.items()}
    step = steps("mx decode", settings.repeats + len(formats))
    rows: list[dict[str, Any]] = []
    plain.run([Piece(0, 0, text[: settings.prompt_tokens - 1])])  # the packed runners share its cache
    for repeat in range(settings.repeats):
        rows += [{**row, "repeat": repeat} for row in _round({FLOAT32: plain, **packed}, text, settings)]
        step(f"round {repeat + 1}")
    for name, fmt in formats.items():
        rows += [{"format": name, **row} for row in _compared(smollm2_135m, fmt, packed[name], text, settings)]
        step(name)
    return tidy(rows, tier=MEASURED, model=smollm2_135m.name)


def enough_tokens(model: LanguageModel, problems: Sequence[Problem], count: int) -> list[int]:
    """Return the first `count` tokens of the concatenated questions."""
    tokens: list[int] = []
    for problem in problems:
        tokens += model.tokens(problem.question + "\n")
        if len(tokens) >= count:
            break
    return tokens[:count]


def _round(runners: Mapping[str, Runner], text: Sequence[int], settings: DecodeConfig) -> Iterator[dict[str, Any]]:
    """Time each runner's decoding; the cache must hold the prompt without its last token."""
    seconds = {name: _seconds_per_token(runner, text, settings) for name, runner in runners.items()}
    for name, time in seconds.items():
        read = float(runners[name].weight_bytes)
        yield {"format": name, "metric": "tokens_per_s", "unit": "1/s", "value": 1 / time}
        yield {"format": name, "metric": "over_float32", "unit": "x", "value": seconds[FLOAT32] / time}
        yield {"format": name, "metric": "bytes_per_token", "unit": "B", "value": read}


def _seconds_per_token(runner: Runner, text: Sequence[int], settings: DecodeConfig) -> float:
    first = settings.prompt_tokens
    token = int(runner.run([Piece(0, first - 1, [text[first - 1]])]).argmax())
    watch = Stopwatch()
    for place in range(first, first + settings.tokens):
        token = int(runner.run([Piece(0, place, [token])]).argmax())
    return watch.wall_s() / settings.tokens


def _compared(
    model: LanguageModel, fmt: MXFormat, packed: Runner, text: Sequence[int], settings: DecodeConfig
) -> Iterator[dict[str, Any]]:
    first = settings.prompt_tokens - 1
    with weights_cast(model.network, partial(fake_quantize, fmt=fmt)):
        expected = model.run([text])[0, first:]
    packed.run([Piece(0, 0, text[:first])])
    logits = torch.cat([packed.run([Piece(0, place, [text[place]])]) for place in range(first, len(text))])
    best = expected.topk(2).values
    same = most_likely(expected) == most_likely(logits)
    tie = best[:, 0] - best[:, 1] < settings.near_tie
    yield {"metric": "max_difference", "unit": "1", "value": float((expected - logits).abs().max())}
    yield {"metric": "same_token", "unit": "share", "value": float(same.double().mean())}
    yield {"metric": "near_ties", "unit": "share", "value": float((~same & tie).double().mean())}
