"""The MX number formats (OCP Microscaling Formats v1.0): describe, quantise, pack, read back.

Results are exact only while the processor keeps float32 subnormals: not under torch.set_flush_denormal(True).
"""

from bench.formats.array import MXArray, fake_quantize, quantize
from bench.formats.description import FORMATS, MXFormat, get_format
from bench.formats.matvec import matvec
from bench.formats.scale import SCALE_RULES, ScaleRule, get_scale_rule

__all__ = [
    "FORMATS",
    "SCALE_RULES",
    "MXArray",
    "MXFormat",
    "ScaleRule",
    "fake_quantize",
    "get_format",
    "get_scale_rule",
    "matvec",
    "quantize",
]
