"""Direct casts of real models: their linear layers are cast to MX formats without training."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from jouleproof.evidence.tables import MEASURED, tidy
from jouleproof.formats import MXFormat, ScaleRule, fake_quantize
from jouleproof.inputs import Problem
from jouleproof.models.casting import activations_seen, under_cast
from jouleproof.models.likelihood import finite
from jouleproof.models.minilm import EmbeddingModel
from jouleproof.models.smollm2 import LanguageModel
from jouleproof.models.text import batches, in_groups
from jouleproof.progress import Step, steps
from jouleproof.studies.mx import registry
from jouleproof.studies.mx.cast_steps import PARTS, PartialCast, saturated
from jouleproof.studies.mx.config import MxConfig


@dataclass(frozen=True)
class PlannedCast:
    """A cast to a format under a rule, or one part of that cast. scale: the name of the rule or of the part."""

    name: str
    fmt: MXFormat
    scale: str
    rule: ScaleRule
    part: PartialCast | None = None

    @property
    def factors(self) -> dict[str, str]:
        return {"format": self.name, "scale": self.scale}

    def __call__(self, x: Tensor) -> Tensor:
        """Cast x, (…, n) float32, with blocks along the last axis."""
        if self.part is None:
            return fake_quantize(x, self.fmt, scale=self.rule)
        return torch.from_numpy(self.part(x.numpy(), self.fmt, self.rule))


def planned_casts(config: MxConfig) -> list[PlannedCast]:
    """Return all formats under all rules, then the casts of `more_scales`. Raises UserError on an unknown name."""
    settings, formats = config.direct_cast, registry.formats(config.formats)
    every = registry.scale_rules(settings.scales)
    casts = [
        PlannedCast(name=name, fmt=fmt, scale=scale, rule=rule)
        for scale, rule in every.items()
        for name, fmt in formats.items()
    ]
    for configured, fmt in zip(dict.fromkeys(config.formats), formats.values(), strict=True):
        more = settings.more_scales.get(configured, [])
        rules = registry.scale_rules_and_parts(more)
        casts += [
            PlannedCast(name=fmt.name, fmt=fmt, scale=scale, rule=rule)
            for scale, rule in rules.items()
            if scale not in every
        ]
        casts += [
            PlannedCast(name=fmt.name, fmt=fmt, scale=scale, rule=PARTS[scale][1], part=PARTS[scale][0])
            for scale in more
            if scale in PARTS
        ]
    return casts


def direct_cast_language(config: MxConfig, gsm8k_test: Sequence[Problem], smollm2_135m: LanguageModel) -> pd.DataFrame:
    """Measure a language model's loss on GSM8K questions and its KL divergence from float32, under every cast.

    Batches are processed one by one, so that only the float32 logits of one batch are kept. A row's `tokens`, the
    number of predicted tokens of its question, is its weight in any mean. The composition of batches changes the last
    bit of matrix products, which sometimes changes the rounding of an activation. The loss under a cast of activations
    thus depends on batch_tokens and on the processor's kernels, by hundredths of a nat per question and thousandths in
    the mean.
    """
    settings, casts = config.direct_cast, planned_casts(config)
    texts = enough_texts((smollm2_135m.tokens(problem.question) for problem in gsm8k_test), settings.tokens)
    groups = batches(texts, settings.batch_tokens)
    step = steps("mx direct_cast_language", len(groups) * (1 + len(casts) * len(settings.language_subjects)))
    rows: list[dict[str, Any]] = []
    for group in groups:
        rows += language_rows(casts, settings.language_subjects, smollm2_135m, {i: texts[i] for i in group}, step)
    rows.sort(key=lambda row: row["question"])
    factors = {"model": smollm2_135m.name, "rounded": smollm2_135m.rounded or "no"}
    return tidy(({**factors, **row} for row in rows), tier=MEASURED)


def language_rows(
    casts: Sequence[PlannedCast], subjects: Sequence[str], model: LanguageModel, texts: dict[int, list[int]], step: Step
) -> Iterator[dict[str, Any]]:
    """Yield the loss, added loss and divergence of each text under each cast, its loss in float32, and the share of its
    float32 activations that saturate. texts: by number of the question."""
    batch = list(texts.values())
    questions = [{"question": number, "tokens": len(text) - 1, "unit": "nats/token"} for number, text in texts.items()]
    with saturation_seen(model.network, casts, [len(text) for text in batch]) as counts:
        reference = log_probabilities(model, batch)
    losses = [loss(row, text) for row, text in zip(reference, batch, strict=True)]
    for question, value in zip(questions, losses, strict=True):
        yield {"format": "float32", "scale": "none", "subject": "none", **question, "metric": "loss", "value": value}
    for cast, shares in counts.items():
        for question, share in zip(questions, shares, strict=True):
            factors = {**cast.factors, "subject": "activations", **question, "unit": "share"}
            yield {**factors, "metric": "saturated_elements", "value": share}
    step("float32")
    for cast, subject in ((cast, subject) for cast in casts for subject in subjects):
        with under_cast(model.network, cast, subject):
            outputs = log_probabilities(model, batch)
        for text, question, float32_loss, float32, output in zip(
            batch, questions, losses, reference, outputs, strict=True
        ):
            factors, cast_loss = {**cast.factors, "subject": subject, **question}, loss(output, text)
            yield {**factors, "metric": "loss", "value": cast_loss}
            yield {**factors, "metric": "added_loss", "value": cast_loss - float32_loss}
            yield {**factors, "metric": "kl", "value": divergence(float32, output)}
        step(f"{cast.name} {cast.scale} {subject}")


def direct_cast_embedding(config: MxConfig, gsm8k_test: Sequence[Problem], minilm_l6: EmbeddingModel) -> pd.DataFrame:
    """Measure the cosine of sentence embeddings to those in float32, and whether their nearest neighbour among the
    questions is unchanged, under every cast."""
    settings, casts = config.direct_cast, planned_casts(config)
    texts = [minilm_l6.tokens(problem.question) for problem in gsm8k_test[: settings.questions]]
    step = steps("mx direct_cast_embedding", 1 + len(casts) * len(settings.embedding_subjects))
    reference = embeddings(minilm_l6, texts, settings.batch_tokens)
    neighbours = nearest(reference)
    step("float32")
    rows: list[dict[str, Any]] = []
    for cast, subject in ((cast, subject) for cast in casts for subject in settings.embedding_subjects):
        with under_cast(minilm_l6.network, cast, subject):
            vectors = embeddings(minilm_l6, texts, settings.batch_tokens)
        cosines = (vectors.double() * reference.double()).sum(dim=-1)
        same = nearest(vectors) == neighbours
        for i, text in enumerate(texts):
            factors = {**cast.factors, "subject": subject, "question": i, "tokens": len(text)}
            rows.append({**factors, "metric": "cosine", "unit": "1", "value": float(cosines[i])})
            rows.append({**factors, "metric": "same_neighbour", "unit": "share", "value": float(same[i])})
        step(f"{cast.name} {cast.scale} {subject}")
    return tidy(({"model": minilm_l6.name, "rounded": minilm_l6.rounded or "no", **row} for row in rows), tier=MEASURED)


@contextmanager
def saturation_seen(
    network: nn.Module, casts: Sequence[PlannedCast], lengths: Sequence[int]
) -> Iterator[dict[PlannedCast, np.ndarray]]:
    """Count, while the context is open, the elements of linear layers' distinct inputs that each cast would saturate.

    lengths: tokens of each text in the batch, without padding. On exit, each yielded array, (texts,), holds the
    share of saturated elements of every text. Parts of casts are not counted.
    """
    present = np.arange(max(lengths)) < np.array(lengths)[:, None]
    beyond = {cast: np.zeros(len(lengths)) for cast in casts if cast.part is None}
    elements = np.zeros(len(lengths))

    def see(_: str, x: Tensor) -> None:
        """Count the saturated elements of x, (texts, tokens, width)."""
        elements[:] += present.sum(axis=1) * x.shape[-1]
        for cast, counts in beyond.items():
            counts += (saturated(x.numpy(), cast.fmt, cast.rule).sum(axis=-1) * present).sum(axis=1)

    with activations_seen(network, see):
        yield beyond
    for counts in beyond.values():
        counts /= elements


def enough_texts(texts: Iterator[list[int]], tokens: int) -> list[list[int]]:
    """Return the first texts that hold `tokens` predicted tokens together, or all texts if they hold fewer.

    A text of one token predicts nothing and is skipped.
    """
    chosen: list[list[int]] = []
    for text in texts:
        if len(text) < 2:
            continue
        if sum(len(done) - 1 for done in chosen) >= tokens:
            break
        chosen.append(text)
    return chosen


def log_probabilities(model: LanguageModel, batch: Sequence[list[int]]) -> list[Tensor]:
    """Return (tokens - 1, vocabulary) log-probabilities per text: predictions of its second to its last token."""
    logits = finite(model.run(batch), model.name)
    return [row[: len(text) - 1].log_softmax(dim=-1) for row, text in zip(logits, batch, strict=True)]


def embeddings(model: EmbeddingModel, texts: Sequence[list[int]], batch_tokens: int) -> Tensor:
    """Return the embeddings of the texts, (texts, width)."""
    vectors = in_groups(batches(texts, batch_tokens), lambda group: model.run([texts[i] for i in group]))
    return finite(torch.stack(vectors), model.name)


def loss(log_probabilities: Tensor, text: Sequence[int]) -> float:
    """Return the mean negative log-likelihood of the text's tokens, in nats/token."""
    targets = torch.tensor(text[1:])
    return float(-log_probabilities.gather(1, targets[:, None]).double().mean())


def divergence(reference: Tensor, cast: Tensor) -> float:
    """Return the mean KL divergence of the cast model's next-token distribution from the reference's, in nats/token."""
    return float((reference.exp() * (reference - cast)).sum(dim=-1).double().mean())


def nearest(vectors: Tensor) -> Tensor:
    """Return (texts,): the index of the other text with the largest cosine, the first of equal ones."""
    similarity = vectors @ vectors.T
    similarity.fill_diagonal_(-2)
    return similarity.argmax(dim=1)
