"""Matrix-vector products with one matrix, in this library and in others."""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from scipy.linalg import blas

from jouleproof.errors import UserError
from jouleproof.formats import MXFormat, PackedMatrix, quantize
from jouleproof.libraries import part_of

FLOAT32, READ = "float32", "read"
FIRST_ROWS = 512
GROUP = 32  # number of torch's int4 weights that share a scale
Run = Callable[[], object]


@dataclass(frozen=True)
class Product:
    """A matrix-vector product. run: computes it once. weight_bytes: bytes of the matrix that it reads.

    activations: format in which it takes the vector. first_rows: returns the first rows of the weights that it
    multiplies by, (FIRST_ROWS, columns) float32, for the error of its sums.
    """

    library: str
    format: str
    activations: str
    weight_bytes: int
    run: Run
    first_rows: Callable[[], np.ndarray]


def products(matrix: np.ndarray, x: np.ndarray, formats: Mapping[str, MXFormat]) -> list[Product]:
    """Return the available products of matrix, (rows, columns) float32, and x, (columns,) float32."""
    tensor, vector = torch.from_numpy(matrix), torch.from_numpy(x)
    plain = partial(Product, activations=FLOAT32, weight_bytes=matrix.nbytes, first_rows=lambda: matrix[:FIRST_ROWS])
    every = [
        plain("torch", FLOAT32, run=lambda: torch.mv(tensor, vector)),
        plain("numpy", FLOAT32, run=lambda: matrix @ x),
        plain("scipy", FLOAT32, run=lambda: blas.sgemv(1.0, matrix.T, x, trans=1)),
        *(_packed(name, fmt, matrix, x) for name, fmt in formats.items()),
        *_torch_kernels(tensor, vector),
        plain("torch", READ, run=tensor.sum),
    ]
    return sorted(every, key=lambda product: product.library)


def _packed(name: str, fmt: MXFormat, matrix: np.ndarray, x: np.ndarray) -> Product:
    packed, out = quantize(matrix, fmt), np.empty(len(matrix), dtype=np.float32)
    return Product(
        "jouleproof",
        name,
        activations=FLOAT32,
        weight_bytes=packed.nbytes,
        run=partial(PackedMatrix(packed), x, out=out),
        first_rows=lambda: quantize(matrix[:FIRST_ROWS], fmt).dequantize(),
    )


def _torch_kernels(matrix: torch.Tensor, x: torch.Tensor) -> Iterator[Product]:
    """Yield PyTorch's products in bfloat16, and with int8 and int4 weights and bfloat16 activations.

    A product whose private kernels this version of torch lacks is left out, with a line on stderr.
    """
    rows, columns = matrix.shape
    half, row = matrix.bfloat16(), x.bfloat16()[None]
    kernel = partial(Product, "torch", activations="bfloat16")
    yield kernel(
        "bfloat16",
        weight_bytes=2 * rows * columns,
        run=lambda: torch.nn.functional.linear(row, half),
        first_rows=lambda: half[:FIRST_ROWS].float().numpy(),
    )
    if int8 := _kernels("_weight_int8pack_mm"):
        yield kernel("int8 per row", **_int8(matrix, row, *int8))
    int4 = _kernels("_convert_weight_to_int4pack_for_cpu", "_weight_int4pack_mm_for_cpu")
    if int4 and not (columns % GROUP or rows % 16):
        yield kernel("int4 per 32", **_int4(matrix, row, *int4))


def _kernels(*names: str) -> list[Any]:
    """Return private functions of torch, or none, with a line on stderr, if any of them is missing."""
    try:
        return [part_of("torch", f"torch:{name}") for name in names]
    except UserError as error:
        print(f"mx: {error}; its product is left out", file=sys.stderr)
        return []


def _int8(matrix: torch.Tensor, row: torch.Tensor, multiply: Any) -> dict[str, Any]:
    rows, columns = matrix.shape
    scale8 = (matrix.abs().amax(dim=1) / 127).bfloat16()
    codes8 = (matrix / scale8.float()[:, None]).round_().clamp_(-128, 127).to(torch.int8)
    return {
        "weight_bytes": rows * (columns + 2),
        "run": lambda: multiply(row, codes8, scale8),
        "first_rows": lambda: (codes8[:FIRST_ROWS].float() * scale8[:FIRST_ROWS, None].float()).numpy(),
    }


def _int4(matrix: torch.Tensor, row: torch.Tensor, pack: Any, multiply: Any) -> dict[str, Any]:
    rows, columns = matrix.shape
    groups = matrix.view(rows, -1, GROUP)
    scale4 = (groups.abs().amax(dim=2) / 7).bfloat16()
    codes4 = (groups / scale4.float()[..., None]).round_().clamp_(-8, 7).int()
    first = (codes4[:FIRST_ROWS].float() * scale4[:FIRST_ROWS, :, None].float()).view(-1, columns).numpy()
    packed4 = pack(codes4.add_(8).view(rows, columns), 1)
    scales = torch.stack([scale4.T, torch.zeros_like(scale4.T)], dim=2).contiguous()
    return {
        "weight_bytes": rows * columns // 2 + 4 * rows * columns // GROUP,
        "run": lambda: multiply(row, packed4, GROUP, scales),
        "first_rows": lambda: first,
    }
