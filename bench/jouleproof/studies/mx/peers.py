"""Other libraries' MX casts, each through its own code as far as it goes: (blocks, block) float32 to the same."""

import logging
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import gfloat
import ml_dtypes
import numpy as np
from gfloat import formats as gfloat_formats

from jouleproof.formats import FORMATS, MXFormat, quantize
from jouleproof.formats.blocks import SCALE_VALUES

PeerCast = Callable[[np.ndarray], np.ndarray]

ML_DTYPES = {
    "mxfp8_e4m3": ml_dtypes.float8_e4m3fn,
    "mxfp8_e5m2": ml_dtypes.float8_e5m2,
    "mxfp6_e3m2": ml_dtypes.float6_e3m2fn,
    "mxfp6_e2m3": ml_dtypes.float6_e2m3fn,
    "mxfp4": ml_dtypes.float4_e2m1fn,
}
GFLOAT = {
    "mxfp8_e4m3": gfloat_formats.format_info_ocp_e4m3,
    "mxfp8_e5m2": gfloat_formats.format_info_ocp_e5m2,
    "mxfp6_e3m2": gfloat_formats.format_info_ocp_e3m2,
    "mxfp6_e2m3": gfloat_formats.format_info_ocp_e2m3,
    "mxfp4": gfloat_formats.format_info_ocp_e2m1,
    "mxint8": gfloat_formats.format_info_ocp_int8,
}
TORCHAO = {
    "mxfp8_e4m3": "float8_e4m3fn",
    "mxfp8_e5m2": "float8_e5m2",
    "mxfp6_e3m2": "fp6_e3m2",
    "mxfp6_e2m3": "fp6_e2m3",
    "mxfp4": "float4_e2m1fn_x2",
}


def by_ml_dtypes(name: str) -> PeerCast:
    """Elements alone: it has no block scale, so each block is divided by ours, and clamped as the specification asks,
    before its cast."""
    dtype, fmt = ML_DTYPES[name], FORMATS[name]

    def cast(x: np.ndarray) -> np.ndarray:
        scale = SCALE_VALUES[quantize(x, fmt).scales.reshape(-1)].astype(np.float64)[:, None]
        elements = np.clip(x / scale, -fmt.max_normal, fmt.max_normal).astype(dtype)
        return (elements.astype(np.float64) * scale).astype(np.float32)

    return cast


def by_gfloat(name: str) -> PeerCast:
    """Scale and elements, block by block in float64."""
    info = gfloat.BlockFormatInfo(name, GFLOAT[name], FORMATS[name].block, gfloat_formats.format_info_ocp_e8m0)

    def cast(x: np.ndarray) -> np.ndarray:
        rows = [gfloat.quantize_block(info, row, gfloat.compute_scale_amax) for row in x.astype(np.float64)]
        return np.array(rows).astype(np.float32)

    return cast


def by_torchao(name: str) -> PeerCast:
    """Scale (its FLOOR mode) and elements."""
    torch, to_mx, to_dtype, element = _torchao(name)
    block = FORMATS[name].block

    def cast(x: np.ndarray) -> np.ndarray:
        scales, elements = to_mx(torch.from_numpy(x), element, block)
        return to_dtype(elements, scales, element, block, torch.float32).numpy()

    return cast


@cache
def _torchao(name: str) -> tuple[Any, Any, Any, Any]:
    """torch, two functions and the element type; imported late and with notes about GPU extensions kept quiet."""
    for logger in ("torchao", "torch.utils._pytree"):
        logging.getLogger(logger).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torch
        from torchao.prototype.mx_formats import constants
        from torchao.prototype.mx_formats.mx_tensor import to_dtype, to_mx
    element = getattr(torch, TORCHAO[name], None) or getattr(constants, f"DTYPE_{TORCHAO[name].upper()}")
    return torch, to_mx, to_dtype, element


PEERS: Mapping[str, tuple[Mapping[str, Any], Callable[[str], PeerCast]]] = {
    "ml_dtypes (elements)": (ML_DTYPES, by_ml_dtypes),
    "gfloat": (GFLOAT, by_gfloat),
    "torchao": (TORCHAO, by_torchao),
}


def peer_casts(fmt: MXFormat) -> dict[str, PeerCast]:
    """The peers that have this format, which must be a built-in one."""
    return {
        peer: make(fmt.name)
        for peer, (known, make) in PEERS.items()
        if FORMATS.get(fmt.name) is fmt and fmt.name in known
    }


def quantisers(name: str) -> dict[tuple[str, str], Callable[[Any], Any]]:
    """What other libraries offer to cast a float32 tensor that is whole blocks of a built-in format, by library and
    operation (quantize, fake_quantize): the fastest that each has, with a block scale in NumPy where it has none."""
    found: dict[tuple[str, str], Callable[[Any], Any]] = {}
    fmt = FORMATS[name]
    if name in TORCHAO:
        torch, to_mx, to_dtype, element = _torchao(name)

        def there_and_back(x: Any) -> Any:
            scales, elements = to_mx(x, element, fmt.block)
            return to_dtype(elements, scales, element, fmt.block, torch.float32)

        found["torchao", "quantize"] = lambda x: to_mx(x, element, fmt.block)
        found["torchao", "fake_quantize"] = there_and_back
    if name in ML_DTYPES:
        dtype = ML_DTYPES[name]
        found["ml_dtypes", "fake_quantize"] = lambda x: _scaled(
            x, fmt, lambda scaled: scaled.astype(dtype).astype(np.float32)
        )
    if name in GFLOAT:
        info = GFLOAT[name]
        found["gfloat", "fake_quantize"] = lambda x: _scaled(
            x, fmt, lambda scaled: gfloat.round_ndarray(info, scaled, sat=True)
        )
    return found


def _scaled(x: Any, fmt: MXFormat, cast_elements: PeerCast) -> np.ndarray:
    """Elements cast under the floor rule's scale. x: a float32 tensor of finite blocks that are not zero."""
    blocks = x.numpy().reshape(-1, fmt.block)
    _, exponent = np.frexp(np.abs(blocks).max(axis=1, keepdims=True))
    scale = np.ldexp(np.float32(1), exponent - 1 - fmt.emax)
    return cast_elements(np.clip(blocks / scale, -fmt.max_normal, fmt.max_normal)) * scale
