"""Checks of a network of `transformers` and its tokenizer, and what its config leaves to be found out."""

import sys
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import nn

from jouleproof.errors import UserError
from jouleproof.models.likelihood import finite
from jouleproof.models.loading import refused_as

LENGTHS = ("max_position_embeddings", "n_positions", "max_seq_len", "max_target_positions", "seq_length")
ROUNDING = 1e-3  # of the spread of the logits; float32 leaves a thousandth of this
SHOWN = 3  # names in a message


def check_loaded(loading: Mapping[str, Any]) -> None:
    """Raise ValueError unless file and network have the same weights. loading: the report of `transformers`, which
    would fill up the network at random and pass over the rest of the file."""
    for kind in ("missing_keys", "mismatched_keys", "error_msgs"):
        if names := loading.get(kind):
            raise ValueError(f"{kind.replace('_', ' ')}: {_listed(names)}")
    if names := loading.get("unexpected_keys"):
        raise ValueError(f"weights that the network of its config does not use: {_listed(names)}")


def check_network(name: str, network: Any) -> None:
    """Raise UserError unless all weights are finite, and logits do not depend on later tokens or other texts.

    name: of the model.
    """
    for weight, values in network.named_parameters():
        if not values.isfinite().all():
            kind = "NaN" if values.isnan().any() else "infinite numbers"
            raise UserError(f"models: {name} gives {kind}, which its weight {weight} holds")
    with torch.inference_mode(), refused_as(f"{name} cannot score a text of tokens"):
        tokens = torch.arange(16).view(2, 8) * 7 % rows_of(network)
        tokens[1, :4] = tokens[0, :4]
        both, alone = (network(input_ids=texts, use_cache=False).logits for texts in (tokens, tokens[:1]))
        if both.shape[:2] != tokens.shape:
            raise ValueError(f"logits are of shape {tuple(both.shape)} for tokens of shape {tuple(tokens.shape)}")
    finite(both, name)
    difference = max((both[:1] - alone).abs().max(), (both[0, :4] - both[1, :4]).abs().max())
    if difference > ROUNDING * both.std():
        raise UserError(
            f"models: {name} ({network.config.model_type}) is no causal language model: what it predicts for a token "
            "depends on the tokens after it"
        )


def check_tokens(name: str, tokenizer: Any, network: Any) -> None:
    """Raise UserError unless the network has an embedding for every token that the tokenizer makes of plain text, and
    for those that open and end a text. name: of the model.

    A special token without an embedding, such as that of an image in a language model of text, stops only the text
    that holds it. An end token that config.json names too is one of the library's defaults.
    """
    rows, added = rows_of(network), tokenizer.added_tokens_decoder
    plain = {number for number in tokenizer.get_vocab().values() if not (number in added and added[number].special)}
    if not plain:
        raise UserError(f"models: {name}: its tokenizer has no tokens for text")
    needed = (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.unk_token_id)
    beyond = sorted(number for number in {*plain, *needed} - {None} if number >= rows)
    if beyond:
        raise UserError(
            f"models: {name}: its tokenizer has tokens up to {beyond[-1]}, but its embedding ends at {rows - 1}; they "
            "belong to different models"
        )
    defaults = _ends(network.config) | _ends(text_config_of(network))
    if beyond := sorted(number for number in _ends(network.generation_config) - defaults if number >= rows):
        raise UserError(
            f"models: {name}: generation_config.json ends texts at token {beyond[-1]}, but its embedding ends at "
            f"{rows - 1}; they belong to different models"
        )


def rows_of(network: Any) -> int:
    """Return the number of tokens that the network has an embedding for."""
    return int(network.get_input_embeddings().weight.shape[0])


def context_of(network: Any) -> int:
    """Return the tokens of the longest text that the network reads: no bound where its config names none, as for state
    spaces, and for attention that falls off with distance."""
    config = text_config_of(network)
    named = [getattr(config, length, None) for length in LENGTHS]
    tables = [
        module.num_embeddings - module.padding_idx - 1  # positions are counted from the padding's
        for name, module in network.named_modules()
        if name.endswith("position_embeddings") and isinstance(module, nn.Embedding) and module.padding_idx is not None
    ]
    return min([length for length in (*named, *tables) if isinstance(length, int) and length > 0], default=sys.maxsize)


def fixed_length_of(network: Any) -> int:
    """Return the tokens of the longest text that a network reads with the same positions as shorter ones: some stretch
    the positions of all tokens in a text that is longer than those they were first trained on."""
    config = text_config_of(network)
    ropes = getattr(config, "rope_parameters", None) or {}  # of all layers, or by their type
    lengths = [
        rope.get("original_max_position_embeddings") or config.max_position_embeddings
        for rope in (ropes, *ropes.values())
        if isinstance(rope, dict) and rope.get("rope_type") in ("longrope", "dynamic")
    ]
    return min(lengths, default=sys.maxsize)


def text_config_of(network: Any) -> Any:
    """Return the part of the config that is about text; it is all of it unless the network also reads images or
    sound."""
    return network.config.get_text_config(decoder=True)


def _ends(config: Any) -> set[int]:
    ends = getattr(config, "eos_token_id", None)
    return {ends} if isinstance(ends, int) else set(ends or ())


def _listed(names: Iterable[Any]) -> str:
    listed = sorted(map(str, names))
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return ", ".join(listed[:SHOWN]) + more
