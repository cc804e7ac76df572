"""Causal language models in GGUF files, dequantised to float32 by `transformers`."""

from collections.abc import Mapping
from dataclasses import replace
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from jouleproof.errors import UserError
from jouleproof.libraries import part_of
from jouleproof.models.gguf_config import configuration
from jouleproof.models.gguf_header import GgufHeader, read_header
from jouleproof.models.gguf_tokenizer import as_the_file_says, check_tokenizer, opening
from jouleproof.models.hugging import HuggingModel, load
from jouleproof.models.loading import refused_as

ROPE_DIVISORS = "rope_freqs.weight"


def load_gguf(file: Path) -> HuggingModel:
    """Load a GGUF file.

    Raises UserError if the file is no GGUF file, does not hold a whole language model, or says anything of the model
    that would not be applied.
    """
    header = read_header(file)
    _check_content(header)
    check_tokenizer(header)
    config = configuration(header)
    _check_tensors(header, config)
    with TemporaryDirectory() as empty:  # beside the file, or in the working folder, transformers finds other files
        model = load(
            file.stem,
            empty,
            header.rounded,
            gguf_file=str(file.absolute()),
            config=config,
            local_files_only=True,
        )
    _check_configuration(header, config, model.network.config)
    if ROPE_DIVISORS in header.tensors:
        _divide_frequencies(header, model.network)
    as_the_file_says(header, model.tokenizer)
    begins = opening(header)
    return replace(model, opening=begins, context=config.max_position_embeddings - len(begins))


def _check_content(header: GgufHeader) -> None:
    """Refuse files that hold something else than one whole model."""
    kind, parts = header.fields.get("general.type", "model"), header.fields.get("split.count", 0)
    if kind != "model":
        raise UserError(f"models: {header.path} holds a part of a model: general.type is {kind!r}; expected 'model'")
    if parts not in (0, 1):
        raise UserError(f"models: {header.path} is one of {parts} files of a model; merge them with llama-gguf-split")
    if not header.tensors:
        raise UserError(f"models: {header.path} has no weights; it holds a vocabulary alone")


def _check_tensors(header: GgufHeader, config: Any) -> None:
    """Refuse a file that lacks a weight of the network, or has one that the network does not use, or of another
    shape."""
    auto = part_of("transformers", "transformers:AutoModelForCausalLM", extra="llm")
    names_of = part_of("transformers", "transformers.modeling_gguf_pytorch_utils:get_gguf_hf_weights_map")
    processor = part_of("transformers", "transformers.modeling_gguf_pytorch_utils:TensorProcessor")
    with refused_as(f"{header.path}: no {config.model_type} has this metadata"), torch.device("meta"):
        network = auto.from_config(config)
        names, weights = names_of(network, processor()), network.state_dict()
    if config.tie_word_embeddings:
        names.pop("output.weight", None)
    if unused := sorted(set(header.tensors) - set(names) - {ROPE_DIVISORS}):
        raise UserError(f"models: {header.path}: the network does not use {', '.join(unused[:3])}")
    if missing := sorted(set(names) - set(header.tensors)):
        raise UserError(f"models: {header.path} lacks {', '.join(missing[:3])}")
    for tensor, name in names.items():
        stored, expected = header.tensors[tensor].shape, tuple(weights[name].shape)
        if sorted(stored) != sorted(expected):  # GPT-2's are stored transposed
            raise UserError(f"models: {header.path}: {tensor} has shape {stored}; the metadata asks for {expected}")


def _divide_frequencies(header: GgufHeader, network: Any) -> None:
    """Divide the frequencies of rotary positions by those of the file, as Llama 3.1 stretches its context."""
    stored = header.tensors[ROPE_DIVISORS]
    frequencies = getattr(getattr(network.base_model, "rotary_emb", None), "inv_freq", None)
    if frequencies is None or stored.kind != "F32" or stored.shape != tuple(frequencies.shape):
        raise UserError(f"models: {header.path}: {ROPE_DIVISORS} {stored.shape} does not fit the network's positions")
    divisors = np.fromfile(header.path, "<f4", prod(stored.shape), offset=stored.start)
    if not (np.isfinite(divisors).all() and (divisors > 0).all()):
        raise UserError(f"models: {header.path}: {ROPE_DIVISORS} must be above 0")
    with torch.no_grad():
        frequencies /= torch.from_numpy(divisors)


def _check_configuration(header: GgufHeader, expected: Any, loaded: Any) -> None:
    """Refuse a network whose configuration is not the one that was asked for."""
    ours, theirs = _plain(expected), _plain(loaded)
    if differing := [name for name in ours if ours[name] != theirs.get(name)]:
        name = differing[0]
        raise UserError(
            f"models: {header.path}: {name} is {ours[name]} in the file and {theirs.get(name)} in the loaded network"
        )


def _plain(config: Any) -> Mapping[str, Any]:
    skipped = ("_name_or_path", "dtype", "torch_dtype", "transformers_version", "architectures")
    return {name: value for name, value in config.to_dict().items() if name not in skipped}
