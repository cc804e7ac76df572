"""Metadata and tensor table of a GGUF file, read without its weights and checked against the size of the file.

Layout of the format: github.com/ggml-org/ggml, docs/gguf.md, versions 2 and 3.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

from jouleproof.errors import UserError
from jouleproof.models.loading import formats_of_matrices
from jouleproof.models.on_disk import GGUF, check_gguf

VERSIONS = (2, 3)
SCALARS = {0: "u1", 1: "i1", 2: "<u2", 3: "<i2", 4: "<u4", 5: "<i4", 6: "<f4", 7: "?", 10: "<u8", 11: "<i8", 12: "<f8"}
FLOAT32, STRING, ARRAY = 6, 8, 9
MOST_DIMENSIONS = 4


@dataclass(frozen=True)
class StoredTensor:
    """A tensor of the file. shape: as in NumPy, rows first. kind: its GGML type, such as Q4_1. start: its first byte in
    the file."""

    name: str
    shape: tuple[int, ...]
    kind: str
    start: int


@dataclass(frozen=True)
class GgufHeader:
    """What a GGUF file says about its model. fields: metadata by key."""

    path: Path
    fields: Mapping[str, Any]
    tensors: Mapping[str, StoredTensor]

    @property
    def rounded(self) -> str | None:
        """The formats of the matrices within the layers; None if all are float32."""
        in_layers = [tensor for name, tensor in self.tensors.items() if name.startswith("blk.")]
        return formats_of_matrices((tensor.kind, tensor.shape) for tensor in in_layers)


def read_header(path: Path) -> GgufHeader:
    """Read the metadata and the tensor table of a GGUF file.

    Raises UserError if the file is missing, unreadable, truncated, damaged or of another format.
    """
    check_gguf(path)
    with path.open("rb") as file:
        try:
            return _Reader(file, path.stat().st_size).header(path)
        except ValueError as error:
            raise UserError(f"models: {path} cannot be read as GGUF: {error}") from error


class _Reader:
    """Reads a file from its start. Every size is compared with the bytes that are left before anything is read."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file, self.size = file, size

    def header(self, path: Path) -> GgufHeader:
        self.take(len(GGUF))
        version = self.number("<u4")
        if version not in VERSIONS:
            if version & 0xFFFF == 0:
                raise ValueError("it is big-endian; only little-endian files are read")
            raise ValueError(f"it has version {version} of the format; known: {', '.join(map(str, VERSIONS))}")
        count, entries = self.number("<u8"), self.number("<u8")
        fields: dict[str, Any] = {}
        for _ in range(entries):
            key = self.string()
            if key in fields:
                raise ValueError(f"{key} occurs twice")
            fields[key] = self.value(self.number("<u4"))
        table = [self.tensor() for _ in range(count)]
        return GgufHeader(path, fields, self.placed(table, fields.get("general.alignment", 32)))

    def take(self, count: int) -> bytes:
        at = self.file.tell()
        if count > self.size - at:
            raise ValueError(f"it is truncated or damaged: {count} bytes are expected at byte {at} of {self.size}")
        return self.file.read(count)

    def numbers(self, dtype: str, count: int) -> list[Any]:
        return np.frombuffer(self.take(count * np.dtype(dtype).itemsize), dtype).tolist()

    def number(self, dtype: str) -> Any:
        return self.numbers(dtype, 1)[0]

    def string(self) -> str:
        return self.take(self.number("<u8")).decode()

    def value(self, kind: int) -> Any:
        if kind == FLOAT32:
            return float(
                str(np.float32(self.number("<f4")))
            )  # the decimal that was rounded to it: 0.1, not 0.10000000149
        if kind in SCALARS:
            return self.number(SCALARS[kind])
        if kind == STRING:
            return self.string()
        if kind != ARRAY:
            raise ValueError(f"it is damaged: a value has the unknown type {kind}")
        inner, count = self.number("<u4"), self.number("<u8")
        if inner in SCALARS:
            return self.numbers(SCALARS[inner], count)
        if inner != STRING:
            raise ValueError(f"an array has elements of the unknown type {inner}")
        return [self.string() for _ in range(count)]

    def tensor(self) -> tuple[str, tuple[int, ...], int, int]:
        """Read name, shape, type and offset of a tensor."""
        name, dimensions = self.string(), self.number("<u4")
        if not 1 <= dimensions <= MOST_DIMENSIONS:
            raise ValueError(f"tensor {name} has {dimensions} dimensions; expected 1 to {MOST_DIMENSIONS}")
        shape = tuple(reversed(self.numbers("<u8", dimensions)))
        return name, shape, self.number("<u4"), self.number("<u8")

    def placed(self, table: list[tuple[str, tuple[int, ...], int, int]], alignment: Any) -> dict[str, StoredTensor]:
        """Find where each tensor begins, and check that all of them end before the file does."""
        if not isinstance(alignment, int) or alignment < 1 or alignment & (alignment - 1):
            raise ValueError(f"general.alignment is {alignment}; expected a power of two")
        data = -(-self.file.tell() // alignment) * alignment
        tensors: dict[str, StoredTensor] = {}
        for name, shape, number, offset in table:
            if name in tensors:
                raise ValueError(f"tensor {name} occurs twice")
            try:
                kind = GGMLQuantizationType(number)
            except ValueError as error:
                raise ValueError(f"tensor {name} has the unknown type {number}") from error
            block, block_bytes = GGML_QUANT_SIZES[kind]
            if shape[-1] % block:
                raise ValueError(f"tensor {name} has rows of {shape[-1]}, which {kind.name} cannot hold")
            start, end = data + offset, data + offset + prod(shape) // block * block_bytes
            if end > self.size:
                raise ValueError(f"it is truncated: tensor {name} ends at byte {end}, the file at {self.size}")
            tensors[name] = StoredTensor(name, shape, kind.name, start)
        return tensors
