"""Formats that the weights of a language model's linear layers are rounded to."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from jouleproof import plugins
from jouleproof.errors import UserError, duplicates
from jouleproof.formats import FORMATS, MXFormat, fake_quantize
from jouleproof.models.casting import Cast


@dataclass(frozen=True)
class WeightFormat:
    """A format of weights.

    bits: of a weight, including its share of a scale. cast: rounds float32 to the nearest values of the format. packed:
    the block format that weights can be held in, if there is one.
    """

    name: str
    bits: float
    cast: Cast
    packed: MXFormat | None = None


FLOAT32 = WeightFormat("float32", 32.0, lambda x: x)
BFLOAT16 = WeightFormat("bfloat16", 16.0, lambda x: x.bfloat16().float())
PLAIN = {fmt.name: fmt for fmt in (FLOAT32, BFLOAT16)}


def weight_formats(names: Sequence[str]) -> list[WeightFormat]:
    """Return the formats with these names. Raises UserError if a name belongs to no format, or two to formats of one
    name."""
    formats = [_resolve(name) for name in names]
    if repeated := duplicates(fmt.name for fmt in formats):
        raise UserError(f"config: format: duplicate name {repeated[0]!r}; list it once, or rename one")
    return formats


def _resolve(name: str) -> WeightFormat:
    fmt = plugins.load("format", name, {**PLAIN, **FORMATS})
    if isinstance(fmt, MXFormat):
        cast = partial(fake_quantize, fmt=fmt)
        return WeightFormat(name=fmt.name, bits=fmt.bits_per_element, cast=cast, packed=fmt)
    if not isinstance(fmt, WeightFormat):
        raise UserError(f"config: format {name!r} is a {type(fmt).__name__}, not a jouleproof.formats.MXFormat")
    return fmt
