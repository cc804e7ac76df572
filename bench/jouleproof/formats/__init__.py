"""The MX number formats (OCP Microscaling Formats v1.0): descriptions, quantisation, packing and dequantisation.

Results are exact only while the processor keeps float32 subnormals; torch.set_flush_denormal(True) flushes them.
"""

from jouleproof.formats.array import MXArray, fake_quantize, quantize
from jouleproof.formats.description import FORMATS, MXFormat, get_format
from jouleproof.formats.packed_matrix import PackedMatrix, matvec
from jouleproof.formats.scale import SCALE_RULES, ScaleRule, get_scale_rule
from jouleproof.formats.storage import load_mxarray, save_mxarray

__all__ = [
    "FORMATS",
    "SCALE_RULES",
    "MXArray",
    "MXFormat",
    "PackedMatrix",
    "ScaleRule",
    "fake_quantize",
    "get_format",
    "get_scale_rule",
    "load_mxarray",
    "matvec",
    "quantize",
    "save_mxarray",
]

MXFormat.__module__ = __name__  # so that error messages show its public name
