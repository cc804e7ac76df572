"""Causal language models that `transformers` reads from a local folder or the hub. Folders and hub models
must hold safetensors; code that comes with a model is never run."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from jouleproof.libraries import part_of
from jouleproof.models.continuation import Done
from jouleproof.models.decoder import Decoder
from jouleproof.models.likelihood import Likelihood, likelihoods
from jouleproof.models.loading import refused_as, stored_formats
from jouleproof.models.on_disk import check_folder, check_hub

OF_LLAMA = {
    "attention_norm": "input_layernorm",
    "mlp_norm": "post_attention_layernorm",
    "attention.out": "self_attn.o_proj",
    **{f"attention.{part}": f"self_attn.{part}_proj" for part in "qkv"},
    **{f"mlp.{part}": f"mlp.{part}_proj" for part in ("gate", "up", "down")},
}  # names of weights within a layer


@dataclass(frozen=True)
class HuggingModel:
    """A network of `transformers` with its tokenizer.

    rounded: as in jouleproof.models.smollm2. context: tokens of the longest text that it reads, without the opening.
    opening: tokens that the tokenizer puts before every text; without them the model writes nonsense.
    """

    name: str
    network: Any
    tokenizer: Any
    rounded: str | None
    context: int
    opening: tuple[int, ...] = ()

    @property
    def body(self) -> nn.Module:
        """The network's layers, without the head."""
        return self.network.base_model

    @property
    def ends(self) -> frozenset[int]:
        """The tokens that end a text, by the tokenizer, the config or the generation config, each of which may name
        several."""
        config, generation = (getattr(self.network, name, None) for name in ("config", "generation_config"))
        sources = (self.tokenizer, config, getattr(config, "text_config", None), generation)
        named = [getattr(source, "eos_token_id", None) for source in sources]
        return frozenset(end for ends in named for end in ([ends] if isinstance(ends, int) else ends or ()))

    def tokens(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False)

    def text(self, tokens: Sequence[int]) -> str:
        return self.tokenizer.decode(list(tokens), skip_special_tokens=False)

    def likelihoods(self, texts: Sequence[Sequence[int]], firsts: Sequence[int]) -> list[Likelihood]:
        """Score the tokens of each text from its position in `firsts`, at least 1, to its end."""
        opened = [[*self.opening, *text] for text in texts]
        places = [len(self.opening) + first for first in firsts]
        return likelihoods(self._hidden, self.network.get_output_embeddings(), opened, places)

    def _hidden(self, tokens: Tensor) -> Tensor:
        return self.network.base_model(input_ids=tokens, use_cache=False).last_hidden_state

    @torch.inference_mode()
    def continued(
        self, prefix: Sequence[int], prompts: Sequence[Sequence[int]], most: int, done: Done
    ) -> list[list[int]]:
        """Continue every prompt as jouleproof.models.continuation does, one text at a time."""
        before = [*self.opening, *prefix]
        ends = self.ends
        start = self.network(torch.tensor([before]), use_cache=True).past_key_values if before else None
        continuations = []
        for prompt in prompts:
            cache, text, fed = deepcopy(start), list[int](), list(prompt)
            while not text or (len(text) < most and text[-1] not in ends and not done(text)):
                out = self.network(torch.tensor([fed]), past_key_values=cache, use_cache=True)
                cache, fed = out.past_key_values, [int(out.logits[0, -1].argmax())]
                text += fed
            continuations.append(text)
        return continuations


def as_llama(decoder: Decoder) -> Any:
    """Build a `transformers` Llama with the same weights. Its logits are the same up to rounding."""
    transformers = part_of("transformers", "transformers", extra="llm")
    shape = decoder.shape
    config = transformers.LlamaConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.width,
        intermediate_size=shape.mlp_width,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        rope_parameters={"rope_type": "default", "rope_theta": shape.rope_base},
        rms_norm_eps=shape.norm_epsilon,
        tie_word_embeddings=True,
        attention_bias=False,
        eos_token_id=None,
        bos_token_id=None,
    )
    network = transformers.LlamaForCausalLM(config)
    state = decoder.state_dict()
    theirs = {"model.embed_tokens.weight": state["embedding.weight"], "model.norm.weight": state["norm.weight"]}
    for name, value in state.items():
        if name.startswith("layers."):
            _, number, weight = name.removesuffix(".weight").split(".", 2)
            theirs[f"model.layers.{number}.{OF_LLAMA[weight]}.weight"] = value
    network.load_state_dict(theirs, strict=False)
    network.tie_weights()
    return network.train(False).requires_grad_(False)


def load_folder(folder: Path) -> HuggingModel:
    """Load a model that `transformers` saved in a folder.

    Raises UserError if the folder lacks a config, a tokenizer or weights as safetensors.
    """
    check_folder(folder)
    model = load(folder.name, str(folder), local_files_only=True, use_safetensors=True)
    return replace(model, rounded=stored_formats(folder))


def load_from_hub(name: str) -> HuggingModel:
    """Load a model from the hub. name: `organisation/model@revision`.

    Raises UserError if the model is not available or has no safetensors.
    """
    check_hub(name)
    repository, _, revision = name.partition("@")
    model = load(repository.rpartition("/")[2], repository, revision=revision, use_safetensors=True)
    cached = part_of("transformers", "transformers.utils:cached_file", extra="llm")
    return replace(model, rounded=stored_formats(Path(cached(repository, "config.json", revision=revision)).parent))


def load(name: str, where: str, rounded: str | None = None, **options: Any) -> HuggingModel:
    transformers = part_of("transformers", "transformers", extra="llm")
    of_tokenizer = {key: value for key, value in options.items() if key != "use_safetensors"}
    with refused_as(f"{Path(where, options.get('gguf_file', ''))} cannot be loaded"):
        tokenizer = transformers.AutoTokenizer.from_pretrained(where, trust_remote_code=False, **of_tokenizer)
        tokenizer.clean_up_tokenization_spaces = False  # tokens decode to exactly their text
        loaded: Any = transformers.AutoModelForCausalLM.from_pretrained(
            where, trust_remote_code=False, dtype=torch.float32, output_loading_info=True, **options
        )
        network, loading = loaded
        for kind, names in loading.items():  # transformers would initialise them at random, or skip them
            if names and kind in ("missing_keys", "mismatched_keys", "error_msgs"):
                raise ValueError(f"{kind.replace('_', ' ')}: {', '.join(map(str, sorted(names)))}")
    opening = _opening(tokenizer)
    context = int(getattr(network.config, "max_position_embeddings", 2048)) - len(opening)
    return HuggingModel(
        name=name,
        network=network.train(False).requires_grad_(False),
        tokenizer=tokenizer,
        rounded=rounded,
        context=context,
        opening=opening,
    )


def _opening(tokenizer: Any) -> tuple[int, ...]:
    """Return the tokens that the tokenizer puts before every text."""
    text = "Question: 1"
    opened, alone = tokenizer.encode(text), tokenizer.encode(text, add_special_tokens=False)
    places = range(len(opened) - len(alone) + 1)
    first = next((place for place in places if opened[place : place + len(alone)] == alone), 0)
    return tuple(opened[:first])
