"""Causal language models that `transformers` reads from a local folder or the hub. Folders and hub models
must hold safetensors; code that comes with a model is never run."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from jouleproof.errors import UserError
from jouleproof.libraries import part_of
from jouleproof.models.continuation import Done
from jouleproof.models.decoder import Decoder
from jouleproof.models.likelihood import Likelihood, likelihoods, most_likely
from jouleproof.models.loading import refused_as, stored_formats
from jouleproof.models.network_checks import (
    check_loaded,
    check_network,
    check_tokens,
    context_of,
    fixed_length_of,
    rows_of,
    text_config_of,
)
from jouleproof.models.on_disk import check_folder, check_hub, check_weights

OF_LLAMA = {
    "attention_norm": "input_layernorm",
    "mlp_norm": "post_attention_layernorm",
    "attention.out": "self_attn.o_proj",
    **{f"attention.{part}": f"self_attn.{part}_proj" for part in "qkv"},
    **{f"mlp.{part}": f"mlp.{part}_proj" for part in ("gate", "up", "down")},
}  # names of weights within a layer
LOGITS = 2**26  # held at once, in a batch of texts: 256 MB


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
        """The network's layers, without the head, and without those for anything but text."""
        if text_config_of(self.network) is not self.network.config:
            return self.network.get_decoder()
        if self.network.base_model is not self.network:
            return self.network.base_model
        embedding = self.network.get_input_embeddings()
        return next(part for part in self.network.children() if embedding in part.modules())

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
        """Score the tokens of each text from its position in `firsts`, at least 1, to its end.

        Texts of one length are scored together, so that none is padded.
        """
        opened = [[*self.opening, *self._embedded(text)] for text in texts]
        places = [len(self.opening) + first for first in firsts]
        together = LOGITS // rows_of(self.network)
        return likelihoods(self._logits, lambda logits: logits, opened, places, together, pad=False)

    @torch.inference_mode()
    def continued(
        self, prefix: Sequence[int], prompts: Sequence[Sequence[int]], most: int, done: Done
    ) -> list[list[int]]:
        """Continue every prompt as jouleproof.models.continuation does, one text at a time.

        What a network writes from its cache is compared with what it writes without; where they differ, it goes on
        without.
        """
        before = [*self.opening, *self._embedded(prefix)]
        start = self._read(before, None) if before and self._has_cache else None
        continuations = []
        for prompt in prompts:
            read, text = [*before, *self._embedded(prompt)], list[int]()
            if self._has_cache and len(read) + most <= fixed_length_of(self.network):
                text = self._written(deepcopy(start), prompt, most, done)
                text = self._as_without_cache(read, text)
            while self._goes_on(text, most, done):
                text.append(int(most_likely(self._logits(torch.tensor([[*read, *text]]))[0, -1])))
            continuations.append(text)
        return continuations

    def _written(self, cache: Any, prompt: Sequence[int], most: int, done: Done) -> list[int]:
        """Continue a prompt after what the cache holds."""
        text, fed = list[int](), list(prompt)
        while self._goes_on(text, most, done):
            out = self.network(torch.tensor([fed]), past_key_values=cache, use_cache=True)
            cache, fed = out.past_key_values, [int(most_likely(out.logits[0, -1]))]
            text += fed
        return text

    def _as_without_cache(self, read: Sequence[int], text: list[int]) -> list[int]:
        """Return the text up to the first token that the network would not write without its cache, with the token that
        it would."""
        logits = self._logits(torch.tensor([[*read, *text[:-1]]]))[0, len(read) - 1 :]
        likeliest = most_likely(logits).tolist()
        same = next((place for place, token in enumerate(text) if token != likeliest[place]), len(text))
        return likeliest[: same + 1]

    def _goes_on(self, text: Sequence[int], most: int, done: Done) -> bool:
        return not text or (len(text) < most and text[-1] not in self.ends and not done(text))

    @cached_property
    def _has_cache(self) -> bool:
        """Whether the network reads on from a copy of its cache. Some keep none; others fail where it holds no keys."""
        try:
            self._read([0, 0], deepcopy(self._read([0], None)))
        except Exception:  # of any type; it then decodes without a cache
            return False
        return True

    def _read(self, tokens: Sequence[int], cache: Any) -> Any:
        """Return the network's cache after the tokens."""
        return self.network(torch.tensor([tokens]), past_key_values=cache, use_cache=True).past_key_values

    def _logits(self, tokens: Tensor) -> Tensor:
        """Return the network's own logits (batch, tokens, vocabulary), with whatever it does after its head."""
        return self.network(input_ids=tokens, use_cache=False).logits

    def _embedded(self, text: Sequence[int]) -> Sequence[int]:
        """Return the text. Raises UserError if the network has no embedding for one of its tokens."""
        last = rows_of(self.network) - 1
        if text and max(text) > last:
            token = f"{max(text)}, {self.text([max(text)])!r}"
            raise UserError(f"models: {self.name}: a text holds token {token}, but the embedding ends at {last}")
        return text


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
    check_weights(folder)
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
    """Load a model from a folder or a name of the hub. rounded: the format of the stored weights. options: for
    `from_pretrained` of `transformers`.

    Raises UserError if network, weights and tokenizer do not belong together.
    """
    transformers = part_of("transformers", "transformers", extra="llm")
    of_tokenizer = {key: value for key, value in options.items() if key != "use_safetensors"}
    with refused_as(f"{Path(where, options.get('gguf_file', ''))} cannot be loaded"):
        tokenizer = transformers.AutoTokenizer.from_pretrained(where, trust_remote_code=False, **of_tokenizer)
        tokenizer.clean_up_tokenization_spaces = False  # tokens decode to exactly their text
        loaded: Any = transformers.AutoModelForCausalLM.from_pretrained(
            where, trust_remote_code=False, dtype=torch.float32, output_loading_info=True, **options
        )
        network, loading = loaded
        check_loaded(loading)
        if network.name_or_path != where:
            raise ValueError(f"it is an adapter to {network.name_or_path}")
    network.train(False).requires_grad_(False)
    check_network(name, network)
    check_tokens(name, tokenizer, network)
    opening = _opening(tokenizer)
    return HuggingModel(
        name=name,
        network=network,
        tokenizer=tokenizer,
        rounded=rounded,
        context=context_of(network) - len(opening),
        opening=opening,
    )


def _opening(tokenizer: Any) -> tuple[int, ...]:
    """Return the tokens that the tokenizer puts before every text."""
    text = "Question: 1"
    opened, alone = tokenizer.encode(text), tokenizer.encode(text, add_special_tokens=False)
    places = range(len(opened) - len(alone) + 1)
    first = next((place for place in places if opened[place : place + len(alone)] == alone), 0)
    return tuple(opened[:first])
