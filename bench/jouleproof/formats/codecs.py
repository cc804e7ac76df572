"""Codecs that turn tensors into messages, contiguous bytes of float32, bfloat16 or packed MX blocks, and back."""

from math import ceil, prod
from typing import Protocol

import torch
from torch import Tensor

from jouleproof.formats.array import MXArray, quantize
from jouleproof.formats.description import MXFormat, get_format


class Codec(Protocol):
    """A codec between contiguous float32 tensors and messages.

    `message` returns an uninitialised uint8 vector for a tensor like the given one; `encode` and `decode` take a tensor
    and the message that was allocated for it.
    """

    def message(self, like: Tensor) -> Tensor: ...

    def encode(self, x: Tensor, message: Tensor) -> None: ...

    def decode(self, message: Tensor, out: Tensor) -> None: ...


class Float32:
    """A codec whose message is the memory of the tensor itself: nothing is cast or copied."""

    def message(self, like: Tensor) -> Tensor:
        return like.view(-1).view(torch.uint8)

    def encode(self, x: Tensor, message: Tensor) -> None:
        pass

    def decode(self, message: Tensor, out: Tensor) -> None:
        pass


class BFloat16:
    """A codec that rounds to bfloat16, to nearest, ties to even."""

    def message(self, like: Tensor) -> Tensor:
        return torch.empty(like.numel() * 2, dtype=torch.uint8)

    def encode(self, x: Tensor, message: Tensor) -> None:
        message.view(torch.bfloat16).view(x.shape).copy_(x)

    def decode(self, message: Tensor, out: Tensor) -> None:
        out.copy_(message.view(torch.bfloat16).view(out.shape))


class Packed:
    """A codec to MX blocks along the last axis under the floor rule: all element codes, then all scales."""

    def __init__(self, fmt: MXFormat) -> None:
        self.fmt = fmt

    def message(self, like: Tensor) -> Tensor:
        return torch.empty(prod(self._blocks(like)) * (self.fmt.block_bytes + 1), dtype=torch.uint8)

    def encode(self, x: Tensor, message: Tensor) -> None:
        if x.numel():
            quantize(x, self.fmt, out=self._array(message, x))

    def decode(self, message: Tensor, out: Tensor) -> None:
        if out.numel():
            self._array(message, out).dequantize(out=out)

    def _blocks(self, like: Tensor) -> tuple[int, ...]:
        return (*like.shape[:-1], ceil(like.shape[-1] / self.fmt.block))

    def _array(self, message: Tensor, like: Tensor) -> MXArray:
        blocks = self._blocks(like)
        end_of_codes = prod(blocks) * self.fmt.block_bytes
        return MXArray(
            message[:end_of_codes].view(*blocks, self.fmt.block_bytes),
            message[end_of_codes:].view(blocks),
            self.fmt,
            tuple(like.shape),
            like.ndim - 1,
        )


def codec(name: str) -> Codec:
    """Return the codec for `float32`, `bfloat16` or a block format. Raises ValueError on an unknown name."""
    plain: dict[str, Codec] = {"float32": Float32(), "bfloat16": BFloat16()}
    return plain[name] if name in plain else Packed(get_format(name))
