"""MX casts of other libraries, from (blocks, block) float32 to the same shape, by their own code where it exists."""

import logging
import warnings
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

import ml_dtypes
import numpy as np

from jouleproof.formats import FORMATS, MXFormat, quantize
from jouleproof.formats.blocks import SCALE_VALUES
from jouleproof.libraries import part_of

PeerCast = Callable[[np.ndarray], np.ndarray]
TensorCast = Callable[[Any], Any]  # takes a float32 torch tensor

ML_DTYPES = {
    "mxfp8_e4m3": ml_dtypes.float8_e4m3fn,
    "mxfp8_e5m2": ml_dtypes.float8_e5m2,
    "mxfp6_e3m2": ml_dtypes.float6_e3m2fn,
    "mxfp6_e2m3": ml_dtypes.float6_e2m3fn,
    "mxfp4": ml_dtypes.float4_e2m1fn,
}
GFLOAT = {
    "mxfp8_e4m3": "format_info_ocp_e4m3",
    "mxfp8_e5m2": "format_info_ocp_e5m2",
    "mxfp6_e3m2": "format_info_ocp_e3m2",
    "mxfp6_e2m3": "format_info_ocp_e2m3",
    "mxfp4": "format_info_ocp_e2m1",
    "mxint8": "format_info_ocp_int8",
}
TORCHAO = {
    "mxfp8_e4m3": "float8_e4m3fn",
    "mxfp8_e5m2": "float8_e5m2",
    "mxfp6_e3m2": "fp6_e3m2",
    "mxfp6_e2m3": "fp6_e2m3",
    "mxfp4": "float4_e2m1fn_x2",
}

_gfloat = partial(part_of, "gfloat", extra="peers")


def by_ml_dtypes(name: str) -> PeerCast:
    """Return a cast whose elements ml_dtypes casts. It has no block scales, so each block is first divided by our scale
    and clamped as the specification requires."""
    dtype, fmt = ML_DTYPES[name], FORMATS[name]

    def cast(x: np.ndarray) -> np.ndarray:
        scale = SCALE_VALUES[quantize(x, fmt).scales.reshape(-1)].astype(np.float64)[:, None]
        elements = np.clip(x / scale, -fmt.max_normal, fmt.max_normal).astype(dtype)
        return (elements.astype(np.float64) * scale).astype(np.float32)

    return cast


def by_gfloat(name: str) -> PeerCast:
    """Return a cast whose scales and elements gfloat computes, block by block in float64."""
    gfloat, scale = _gfloat("gfloat"), _gfloat("gfloat.formats:format_info_ocp_e8m0")
    info = gfloat.BlockFormatInfo(name, _gfloat(f"gfloat.formats:{GFLOAT[name]}"), FORMATS[name].block, scale)

    def cast(x: np.ndarray) -> np.ndarray:
        rows = [gfloat.quantize_block(info, row, gfloat.compute_scale_amax) for row in x.astype(np.float64)]
        return np.array(rows).astype(np.float32)

    return cast


def by_torchao(name: str) -> PeerCast:
    """Return a cast whose scales (in FLOOR mode) and elements torchao computes."""
    _, fake_quantize = _torchao(name)

    def cast(x: np.ndarray) -> np.ndarray:
        import torch

        return fake_quantize(torch.from_numpy(x)).numpy()

    return cast


@cache
def _torchao(name: str) -> tuple[TensorCast, TensorCast]:
    """Return functions that quantise and fake-quantise a float32 tensor. torchao is imported here, without its logs."""
    for logger in ("torchao", "torch.utils._pytree"):
        logging.getLogger(logger).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torch

        constants, to_dtype, to_mx = (
            part_of("torchao", f"torchao.prototype.mx_formats.{part}", extra="peers")
            for part in ("constants", "mx_tensor:to_dtype", "mx_tensor:to_mx")
        )
    element = getattr(torch, TORCHAO[name], None) or getattr(constants, f"DTYPE_{TORCHAO[name].upper()}")
    block = FORMATS[name].block

    def quantize_tensor(x: Any) -> Any:
        return to_mx(x, element, block)

    def fake_quantize(x: Any) -> Any:
        scales, elements = to_mx(x, element, block)
        return to_dtype(elements, scales, element, block, torch.float32)

    return quantize_tensor, fake_quantize


PEERS: Mapping[str, tuple[Mapping[str, Any], Callable[[str], PeerCast]]] = {
    "ml_dtypes (elements)": (ML_DTYPES, by_ml_dtypes),
    "gfloat": (GFLOAT, by_gfloat),
    "torchao": (TORCHAO, by_torchao),
}


def peer_casts(fmt: MXFormat) -> dict[str, PeerCast]:
    """Return the casts of the peers that support this format; there are none for a custom format."""
    return {
        peer: make(fmt.name)
        for peer, (element_types, make) in PEERS.items()
        if FORMATS.get(fmt.name) is fmt and fmt.name in element_types
    }


def quantizers(name: str) -> dict[tuple[str, str], TensorCast]:
    """Return the fastest casts that other libraries offer, by library and operation (quantize, fake_quantize).

    They take a float32 tensor in whole blocks of a built-in format. For libraries without block scales, NumPy computes
    the scales.
    """
    casts: dict[tuple[str, str], TensorCast] = {}
    if name in TORCHAO:
        casts["torchao", "quantize"], casts["torchao", "fake_quantize"] = _torchao(name)
    if name in ML_DTYPES:
        dtype = ML_DTYPES[name]
        casts["ml_dtypes", "fake_quantize"] = _scaled(name, lambda scaled: scaled.astype(dtype).astype(np.float32))
    if name in GFLOAT:
        element = _gfloat(f"gfloat.formats:{GFLOAT[name]}")
        casts["gfloat", "fake_quantize"] = _scaled(name, partial(_gfloat("gfloat:round_ndarray"), element, sat=True))
    return casts


def _scaled(name: str, cast_elements: PeerCast) -> TensorCast:
    """Return a cast of elements under the floor rule's scale, for a float32 tensor of finite, nonzero blocks."""
    fmt = FORMATS[name]

    def cast(x: Any) -> np.ndarray:
        blocks = x.numpy().reshape(-1, fmt.block)
        _, exponent = np.frexp(np.abs(blocks).max(axis=1, keepdims=True))
        scale = np.ldexp(np.float32(1), exponent - 1 - fmt.emax)
        return cast_elements(np.clip(blocks / scale, -fmt.max_normal, fmt.max_normal)) * scale

    return cast
