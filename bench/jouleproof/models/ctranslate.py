"""Conversion of a decoder to CTranslate2 through CTranslate2's model specification, without any download."""

import tempfile
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from jouleproof.models.decoder import Decoder

if TYPE_CHECKING:
    from ctranslate2 import Generator
    from ctranslate2.specs import TransformerDecoderModelSpec


def in_ctranslate2(decoder: Decoder, weights: str) -> "Generator":
    """Load the decoder into CTranslate2 on one thread.

    weights: "int8" (one scale per row; activations are int8 too) or "float32". The vocabulary holds the token ids as
    text: "0", "1" …. Raises ImportError if CTranslate2 is not installed.
    """
    from ctranslate2 import Generator

    spec = _described(decoder)
    spec.validate()
    spec.optimize(quantization=weights)
    with tempfile.TemporaryDirectory() as folder:
        spec.save(folder)
        return Generator(folder, device="cpu", compute_type=weights, inter_threads=1, intra_threads=1)


def _described(decoder: Decoder) -> "TransformerDecoderModelSpec":
    from ctranslate2.specs import TransformerDecoderModelSpec
    from ctranslate2.specs.common_spec import Activation

    shape = decoder.shape
    spec = TransformerDecoderModelSpec.from_config(
        shape.layers,
        shape.heads,
        num_heads_kv=None if shape.kv_heads == shape.heads else shape.kv_heads,
        activation=Activation.SWISH,
        ffn_glu=True,
        rms_norm=True,
        rotary_dim=0,
        rotary_interleave=False,
        rotary_base=shape.rope_base,
    )
    state = decoder.state_dict()

    def copied(*names: str) -> Tensor:
        """Concatenate weights into new memory, since CTranslate2 rounds its tensors in place."""
        return torch.cat([state[f"{name}.weight"] for name in names])

    spec.decoder.scale_embeddings = False
    spec.decoder.embeddings.weight, spec.decoder.projection.weight = copied("embedding"), copied("embedding")
    spec.decoder.layer_norm.gamma = copied("norm")
    for number, layer in enumerate(spec.decoder.layer):
        attention, mlp = f"layers.{number}.attention", f"layers.{number}.mlp"
        layer.self_attention.layer_norm.gamma = copied(f"{attention}_norm")
        layer.self_attention.linear[0].weight = copied(*(f"{attention}.{part}" for part in "qkv"))
        layer.self_attention.linear[1].weight = copied(f"{attention}.out")
        layer.ffn.layer_norm.gamma = copied(f"{mlp}_norm")
        layer.ffn.linear_0.weight = copied(f"{mlp}.gate")
        layer.ffn.linear_0_noact.weight = copied(f"{mlp}.up")
        layer.ffn.linear_1.weight = copied(f"{mlp}.down")
    spec.register_vocabulary([str(token) for token in range(shape.vocabulary)])
    spec.config.bos_token = spec.config.eos_token = spec.config.unk_token = "0"
    spec.config.layer_norm_epsilon = shape.norm_epsilon
    return spec
