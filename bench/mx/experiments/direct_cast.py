"""Real models with their linear layers cast to MX formats, without training."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import product
from typing import Any, TypeVar

import pandas as pd
import torch
from torch import Tensor, nn

from bench.formats import fake_quantize
from bench.inputs import Problem
from bench.models.minilm import EmbeddingModel
from bench.models.smollm2 import LanguageModel
from bench.models.text import batches
from bench.mx import named
from bench.mx.casting import Cast, activations_cast, weights_cast
from bench.mx.config import MxConfig
from bench.progress import Step, steps
from bench.results import MEASURED, tidy

BATCH_TOKENS = 512
SUBJECTS = ("activations", "weights", "both")
T = TypeVar("T")


def direct_cast_language(config: MxConfig, problems: Sequence[Problem], model: LanguageModel) -> pd.DataFrame:
    """Loss of a language model on GSM8K questions and its KL divergence from float32, under every cast.

    Chunk by chunk, so that the float32 logits of one chunk are all that is kept. A row's `tokens` are the predicted
    tokens of its question, the weight of the row in any mean. How texts fall into batches moves the last bit of a
    matrix product, which now and then tips the rounding of an activation: a cast of activations depends on
    chunk_tokens, and on the processor's kernels, by some hundredths of a nat per question and thousandths in the mean.
    """
    settings = config.direct_cast
    texts = enough_texts((model.tokens(problem.question) for problem in problems), settings.tokens)
    chunks = chunked(texts, settings.chunk_tokens)
    casts = len(settings.scales) * len(config.formats) * len(SUBJECTS)
    step = steps("mx direct_cast_language", len(chunks) * (1 + casts))
    about = {"model": model.name, "rounded": model.rounded or "no"}
    rows: list[dict[str, Any]] = []
    first = 0
    for chunk in chunks:
        rows += [{**about, **row} for row in language_rows(config, model, chunk, first, step)]
        first += len(chunk)
    return tidy(rows, unit="nats/token", tier=MEASURED)


def language_rows(
    config: MxConfig, model: LanguageModel, texts: Sequence[list[int]], first: int, step: Step
) -> Iterator[dict[str, Any]]:
    """Loss, added loss and divergence of each text under each cast, and its float32 loss. first: number of texts[0]."""
    where = [{"question": first + i, "tokens": len(text) - 1} for i, text in enumerate(texts)]
    reference = question_logits(model, texts)
    losses = [loss(logits, text) for logits, text in zip(reference, texts, strict=True)]
    for question, value in zip(where, losses, strict=True):
        yield {"format": "float32", "scale": "none", "subject": "none", **question, "metric": "loss", "value": value}
    step("float32")
    for about, casts in under_every_cast(config, model.network, partial(question_logits, model, texts)):
        for text, question, float32_loss, float32, cast in zip(texts, where, losses, reference, casts, strict=True):
            cast_loss = loss(cast, text)
            yield {**about, **question, "metric": "loss", "value": cast_loss}
            yield {**about, **question, "metric": "added_loss", "value": cast_loss - float32_loss}
            yield {**about, **question, "metric": "kl", "value": divergence(float32, cast)}
        step(f"{about['format']} {about['subject']}")


def direct_cast_embedding(config: MxConfig, problems: Sequence[Problem], model: EmbeddingModel) -> pd.DataFrame:
    """Cosine of sentence embeddings to their float32 selves, and whether the nearest neighbour among the questions is
    still the same one, under every cast."""
    texts = [model.tokens(problem.question) for problem in problems[: config.direct_cast.questions]]
    step = steps("mx direct_cast_embedding", 1 + len(config.direct_cast.scales) * len(config.formats) * len(SUBJECTS))
    reference = embeddings(model, texts)
    neighbours = nearest(reference)
    step("float32")
    rows: list[dict[str, Any]] = []
    for about, cast in under_every_cast(config, model.network, partial(embeddings, model, texts)):
        cosines = (cast.double() * reference.double()).sum(dim=-1)
        same = nearest(cast) == neighbours
        for i, text in enumerate(texts):
            where = {**about, "question": i, "tokens": len(text)}
            rows.append({**where, "metric": "cosine", "unit": "1", "value": float(cosines[i])})
            rows.append({**where, "metric": "same_neighbour", "unit": "share", "value": float(same[i])})
        step(f"{about['format']} {about['subject']}")
    return tidy(({"model": model.name, "rounded": model.rounded or "no", **row} for row in rows), tier=MEASURED)


def under_every_cast(config: MxConfig, network: nn.Module, run: Callable[[], T]) -> Iterator[tuple[dict[str, str], T]]:
    """run() under each format and scale rule, on activations, weights and both; what was cast goes with the result."""
    formats, rules = named.formats(config.formats), named.scale_rules(config.direct_cast.scales)
    for (scale, rule), (name, fmt) in product(rules.items(), formats.items()):
        cast: Cast = partial(fake_quantize, fmt=fmt, scale=rule)
        about = {"format": name, "scale": scale}
        with activations_cast(network, cast):
            yield {**about, "subject": "activations"}, run()
        with weights_cast(network, cast):
            yield {**about, "subject": "weights"}, run()
            with activations_cast(network, cast):
                yield {**about, "subject": "both"}, run()


def enough_texts(texts: Iterator[list[int]], tokens: int) -> list[list[int]]:
    """The first texts that hold `tokens` predicted tokens together, or all where they do not.

    A text of one token predicts nothing and is left out.
    """
    chosen: list[list[int]] = []
    for text in texts:
        if len(text) < 2:
            continue
        if sum(len(done) - 1 for done in chosen) >= tokens:
            break
        chosen.append(text)
    return chosen


def chunked(texts: Sequence[list[int]], tokens: int) -> list[list[list[int]]]:
    """Runs of texts with at least `tokens` tokens each; the last may have fewer."""
    chunks: list[list[list[int]]] = [[]]
    for text in texts:
        if sum(map(len, chunks[-1])) >= tokens:
            chunks.append([])
        chunks[-1].append(text)
    return chunks


def in_batches(texts: Sequence[list[int]], run: Callable[[list[list[int]]], Iterable[Tensor]]) -> list[Tensor]:
    """run() over batches of texts of like length, its results in the order of the texts."""
    results: dict[int, Tensor] = {}
    for batch in batches(texts, BATCH_TOKENS):
        results.update(zip(batch, run([texts[i] for i in batch]), strict=True))
    return [results[i] for i in range(len(texts))]


def question_logits(model: LanguageModel, texts: Sequence[list[int]]) -> list[Tensor]:
    """(tokens - 1, vocabulary) per text: what is predicted for its second to last token, log-softmax taken."""

    def run(batch: list[list[int]]) -> list[Tensor]:
        logits = model.run(batch)
        return [row[: len(text) - 1].log_softmax(dim=-1) for row, text in zip(logits, batch, strict=True)]

    return in_batches(texts, run)


def embeddings(model: EmbeddingModel, texts: Sequence[list[int]]) -> Tensor:
    """(texts, width)."""
    return torch.stack(in_batches(texts, model.run))


def loss(log_probabilities: Tensor, text: Sequence[int]) -> float:
    """Mean negative log-likelihood of the text's tokens, nats/token."""
    targets = torch.tensor(text[1:])
    return float(-log_probabilities.gather(1, targets[:, None]).double().mean())


def divergence(reference: Tensor, cast: Tensor) -> float:
    """Mean KL divergence of the cast model's next-token distribution from the reference's, nats/token."""
    return float((reference.exp() * (reference - cast)).sum(dim=-1).double().mean())


def nearest(vectors: Tensor) -> Tensor:
    """(texts,) index of the other text with the largest cosine; the first where two are equal."""
    similarity = vectors @ vectors.T
    similarity.fill_diagonal_(-2)
    return similarity.argmax(dim=1)
