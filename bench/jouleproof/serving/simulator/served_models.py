"""Language models for the simulator: bytes of weights, and bytes of a token's KV cache."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from jouleproof.errors import UserError


@dataclass(frozen=True)
class ServedModel:
    """A language model. profile: its name in the profile. heads, kv_heads: query heads, and key-value heads.
    bytes_per_value: of the cache."""

    name: str
    profile: str
    weight_bytes: int
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    bytes_per_value: float = 2.0

    @property
    def kv_bytes(self) -> int:
        """Return the bytes of one token's KV cache: keys and values of all layers."""
        return round(2 * self.hidden * self.kv_heads / self.heads * self.layers * self.bytes_per_value)

    def without_shared_heads(self) -> "ServedModel":
        """Return the model with a key and a value for every head, as the published simulator assumes."""
        return replace(self, kv_heads=self.heads)

    def stored_in(self, bytes_per_value: float) -> "ServedModel":
        """Return the model with weights and cache in a narrower format."""
        weights = round(self.weight_bytes * bytes_per_value / self.bytes_per_value)
        return replace(self, weight_bytes=weights, bytes_per_value=bytes_per_value)


# Splitwise (ISCA 2024), table 3, with the weights' bytes of the published simulator; key and value heads of Llama2-70B:
# Touvron et al. 2023, arXiv 2307.09288, table 1 and section 2.2.
SERVED_MODELS: Mapping[str, ServedModel] = {
    model.name: model
    for model in (
        ServedModel(
            name="bloom-176b",
            profile="bloom-176b",
            weight_bytes=329_000_000_000,
            layers=70,
            hidden=14336,
            heads=112,
            kv_heads=112,
        ),
        ServedModel(
            name="llama2-70b",
            profile="llama2-70b",
            weight_bytes=135_000_000_000,
            layers=80,
            hidden=8192,
            heads=64,
            kv_heads=8,
        ),
    )
}


def served(name: str | ServedModel) -> ServedModel:
    """Return a model by its name, or the model itself; `name/format` stores weights and cache in a block format of
    jouleproof.formats.

    Raises UserError if the model or the format is unknown.
    """
    if isinstance(name, ServedModel):
        return name
    from jouleproof.formats.description import get_format

    model, _, form = name.partition("/")
    if model not in SERVED_MODELS:
        raise UserError(f"unknown model {model!r}; known: {', '.join(SERVED_MODELS)}")
    served_model = SERVED_MODELS[model]
    if not form:
        return served_model
    try:
        return served_model.stored_in(get_format(form).bits_per_element / 8)
    except ValueError as error:
        raise UserError(f"model {name}: {error}") from error
