"""Storage of the formats, measured on packed arrays."""

import numpy as np
import pandas as pd

from jouleproof.evidence.tables import MEASURED, tidy
from jouleproof.formats import MXArray, MXFormat, quantize
from jouleproof.formats.blocks import pack
from jouleproof.formats.description import SCALE_BIAS
from jouleproof.studies.mx import registry
from jouleproof.studies.mx.config import MxConfig

FP16_BITS, FP32_BITS = 16, 32
SHAPE = (64, 1024)


def formats(config: MxConfig) -> pd.DataFrame:
    """Measure size, range and resolution of every format, from its packed bytes and the values that these decode to."""
    rows = []
    for fmt in registry.formats(config.formats).values():
        packed = quantize(np.ones(SHAPE, dtype=np.float32), fmt)
        bits = 8 * packed.nbytes / np.prod(SHAPE)
        values = readable_values(fmt)
        positive = values[np.isfinite(values) & (values > 0)]
        for metric, unit, value in (
            ("bits_per_element", "bits", bits),
            ("fp16_ratio", "x", FP16_BITS / bits),
            ("fp32_ratio", "x", FP32_BITS / bits),
            ("largest", "1", positive.max()),
            ("smallest_step", "1", positive.min()),
            ("finite_values", "values", len(np.unique(values[np.isfinite(values)]))),
        ):
            rows.append({"format": fmt.name, "block": fmt.block, "metric": metric, "unit": unit, "value": value})
    return tidy(rows, tier=MEASURED)


def readable_values(fmt: MXFormat) -> np.ndarray:
    """Return (codes,) float32: the value of every code under a scale of 1, after packing and dequantising it."""
    codes = np.resize(np.arange(2**fmt.bits, dtype=np.uint8), -(-(2**fmt.bits) // fmt.block) * fmt.block)
    packed = pack(codes.reshape(-1, fmt.block), fmt)
    scales = np.full(len(packed), SCALE_BIAS, dtype=np.uint8)
    return MXArray(packed.reshape(-1, fmt.block_bytes), scales, fmt, (codes.size,), 0).dequantize()
