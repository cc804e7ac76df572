"""QSNR of casts of the tensors of real models."""

from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from jouleproof.evidence.tables import MEASURED, tidy
from jouleproof.inputs import Problem
from jouleproof.models.casting import activations_seen, linear_layers
from jouleproof.models.minilm import EmbeddingModel
from jouleproof.models.smollm2 import LanguageModel
from jouleproof.progress import steps
from jouleproof.studies.mx import registry
from jouleproof.studies.mx.config import MxConfig
from jouleproof.studies.mx.generated_vectors import Cast, CastNames, qsnr_rows

Casts = Mapping[CastNames, Cast]


def qsnr_on_weights(
    config: MxConfig, gsm8k_test: Sequence[Problem], smollm2_135m: LanguageModel, minilm_l6: EmbeddingModel
) -> pd.DataFrame:
    """Measure QSNR of weights, and of activations on GSM8K questions, by layer, for every format and scale rule."""
    casts = registry.casts(config)
    questions = [problem.question for problem in gsm8k_test[: config.qsnr_on_weights.questions]]
    step = steps("mx qsnr_on_weights", 4)
    rows: list[dict[str, Any]] = []
    for model in (smollm2_135m, minilm_l6):
        factors = {"model": model.name, "rounded": model.rounded or "no"}
        layers = measured_layers(model.network, config.qsnr_on_weights.layer_stride)
        rows += [{**factors, "tensor": "weight", **row} for row in weight_rows(layers, casts)]
        step(f"weights of {model.name}")
        texts = [model.tokens(question) for question in questions]
        rows += [{**factors, "tensor": "activation", **row} for row in activation_rows(model, texts, layers, casts)]
        step(f"activations of {model.name}")
    return tidy(rows, metric="qsnr", unit="dB", tier=MEASURED)


def measured_layers(network: nn.Module, stride: int) -> dict[str, nn.Linear]:
    """Return the linear layers, by name, of every stride-th layer of the model."""
    return {name: layer for name, layer in linear_layers(network).items() if _layer_number(name) % stride == 0}


def weight_rows(layers: Mapping[str, nn.Linear], casts: Casts) -> Iterator[dict[str, Any]]:
    for name, layer in layers.items():
        yield from _rows(name, layer.weight.detach().numpy(), casts)


def activation_rows(
    model: LanguageModel | EmbeddingModel, texts: Sequence[Sequence[int]], layers: Container[str], casts: Casts
) -> list[dict[str, Any]]:
    """Return the table rows of the linear layers' inputs, over all tokens except padding."""
    lengths = torch.tensor([len(text) for text in texts])
    present = torch.arange(int(lengths.max())) < lengths[:, None]
    rows: list[dict[str, Any]] = []

    def see(name: str, x: Tensor) -> None:
        if name in layers:
            rows.extend(_rows(name, x[present].numpy(), casts))

    with activations_seen(model.network, see):
        model.run(texts)
    return rows


def _layer_number(name: str) -> int:
    """Return the number of the layer in a dotted name, `layers.<number>. … .<projection>`."""
    return int(name.split(".")[1])


def _rows(name: str, x: np.ndarray, casts: Casts) -> Iterator[dict[str, Any]]:
    factors = {"layer": _layer_number(name), "projection": name.rpartition(".")[2]}
    return ({**factors, **row} for row in qsnr_rows(x, casts))
