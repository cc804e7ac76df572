"""A real language model decoding with its linear layers in MX: tokens per second, bytes per token, and whether it still
says the same."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numba
import pandas as pd
import torch

from jouleproof.evidence.tables import MEASURED, tidy
from jouleproof.formats import MXFormat, fake_quantize
from jouleproof.inputs import Problem
from jouleproof.measure.clocks import Stopwatch
from jouleproof.models.casting import weights_cast
from jouleproof.models.decoder import Decoder
from jouleproof.models.generation import Decoding
from jouleproof.models.smollm2 import LanguageModel
from jouleproof.progress import steps
from jouleproof.studies.mx import registry
from jouleproof.studies.mx.config import DecodeConfig, MxConfig
from jouleproof.studies.mx.packed_linear import (
    Engine,
    make_engine,
    packed_product,
    plain_product,
    running,
    shared_inputs,
)

FLOAT32 = "float32"


def decode(config: MxConfig, gsm8k_test: Sequence[Problem], smollm2_135m: LanguageModel) -> pd.DataFrame:
    """Every format decodes once per round from the same prompt; its speed over the float32 of that round. Layers that
    share an input are one product, in float32 too. The output head, tied to the embedding, stays float32 and counts in
    the bytes.

    Teacher-forced, against the model with fake-quantised weights: max_difference of the logits; same_token, the share
    of next tokens that are the same; near_ties, those that are not where two best logits are closer than `near_tie`.
    """
    settings = config.decode
    torch.set_num_threads(settings.threads)
    numba.set_num_threads(settings.threads)
    text = enough_tokens(smollm2_135m, gsm8k_test, settings.prompt_tokens + settings.forced)
    formats = registry.formats(config.formats)
    engines = _engines(smollm2_135m.network, formats)
    prompted = _prompted(smollm2_135m, text, settings)
    step = steps("mx decode", settings.repeats + len(formats))
    rows: list[dict[str, Any]] = []
    for repeat in range(settings.repeats):
        rows += [{**row, "repeat": repeat} for row in _round(smollm2_135m, engines, prompted, text, settings)]
        step(f"round {repeat + 1}")
    for name, fmt in formats.items():
        rows += [{"format": name, **row} for row in _compared(smollm2_135m, fmt, engines[name], text, settings)]
        step(name)
    return tidy(rows, tier=MEASURED, model=smollm2_135m.name)


def enough_tokens(model: LanguageModel, problems: Sequence[Problem], count: int) -> list[int]:
    """The first `count` tokens of the questions, one after the other."""
    tokens: list[int] = []
    for problem in problems:
        tokens += model.tokens(problem.question + "\n")
        if len(tokens) >= count:
            break
    return tokens[:count]


def _engines(network: Decoder, formats: Mapping[str, MXFormat]) -> dict[str, Engine]:
    groups = shared_inputs(network, lambda: Decoding(network, 1).feed([0]))
    makers = {FLOAT32: plain_product} | {name: partial(packed_product, fmt=fmt) for name, fmt in formats.items()}
    return {name: make_engine(network, groups, make) for name, make in makers.items()}


def _round(
    model: LanguageModel, engines: Mapping[str, Engine], prompted: Decoding, text: Sequence[int], settings: DecodeConfig
) -> list[dict[str, Any]]:
    head = model.network.embedding.weight.nbytes
    seconds, read = {}, {}
    for name, engine in engines.items():
        decoding = prompted.branch()
        with running(model.network, engine):
            token = int(decoding.feed(text[settings.prompt_tokens - 1 : settings.prompt_tokens]).argmax())
            watch = Stopwatch()
            for _ in range(settings.tokens):
                token = int(decoding.feed([token]).argmax())
            seconds[name], read[name] = watch.wall_s() / settings.tokens, engine.weight_bytes + head
    return [
        row
        for name, time in seconds.items()
        for row in (
            {"format": name, "metric": "tokens_per_s", "unit": "1/s", "value": 1 / time},
            {"format": name, "metric": "over_float32", "unit": "x", "value": seconds[FLOAT32] / time},
            {"format": name, "metric": "bytes_per_token", "unit": "B", "value": float(read[name])},
        )
    ]


def _prompted(model: LanguageModel, text: Sequence[int], settings: DecodeConfig) -> Decoding:
    """A text with all of the prompt but its last token read, by the network as it is."""
    decoding = Decoding(model.network, len(text) + settings.tokens + 1)
    decoding.feed(text[: settings.prompt_tokens - 1])
    return decoding


def _compared(
    model: LanguageModel, fmt: MXFormat, engine: Engine, text: Sequence[int], settings: DecodeConfig
) -> list[dict[str, Any]]:
    forced = text[settings.prompt_tokens :]
    with weights_cast(model.network, partial(fake_quantize, fmt=fmt)):
        expected = model.run([text])[0, settings.prompt_tokens - 1 :]
        decoding = _prompted(model, text, settings)
    with running(model.network, engine):
        found = torch.stack([decoding.feed([token]) for token in (text[settings.prompt_tokens - 1], *forced)])
    best = expected.topk(2).values
    same = expected.argmax(dim=1) == found.argmax(dim=1)
    tie = best[:, 0] - best[:, 1] < settings.near_tie
    return [
        {"metric": "max_difference", "unit": "1", "value": float((expected - found).abs().max())},
        {"metric": "same_token", "unit": "share", "value": float(same.double().mean())},
        {"metric": "near_ties", "unit": "share", "value": float((~same & tie).double().mean())},
    ]
