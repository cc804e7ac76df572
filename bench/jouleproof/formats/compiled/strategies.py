"""The table of strategies: how rows of each format are multiplied, and with which instructions.

`TABLE` is the single source: the choice for a matrix, the kernel and the layout of the vector all follow from it.
jouleproof.formats.compiled.products illustrates what its decoders do.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import llvmlite.binding
import numpy as np
from llvmlite import ir
from numba import config as numba_config

from jouleproof.formats.blocks import FLOAT32_BIAS
from jouleproof.formats.compiled import products
from jouleproof.formats.compiled.elements import CODES_PER_WORD, FLOATS, GROUP, HALVES, LANES, group_width
from jouleproof.formats.description import MXFormat

HALF_BIAS = 15
RAISED = 60  # binades by which the vector is scaled up if codes are read as numbers far below those they represent
MOST_STEPS = 32  # most steps that a four-bit code may represent, so that no sum overflows

Orders: TypeAlias = Callable[[int], np.ndarray]


@dataclass(frozen=True)
class Decoder:
    """A way in which a kernel reads codes and multiplies them by the vector.

    products: emits a step. shape: returns the exponent and mantissa bits of a format on which the instructions of the
    step depend; formats with equal shapes share a kernel. raised: returns the binades by which the vector is scaled up
    for a format. unit: returns the ratio of an element of a format to the number that it is decoded to, over 2**raised.
    order: returns, for the width of a group, the elements of a step in the order of the lanes of the vector's
    registers. groups: groups of codes in a step.
    as_float32: whether the bits of a code are read as those of a float32, in which subnormal codes are subnormals, and
    Inf and NaN are numbers.
    For decoders to integers, digits: the registers; low_bits: bits of the lower digit; low_order: its `order`.
    """

    name: str
    products: products.Products
    shape: Callable[[MXFormat], tuple[int, int]]
    unit: Callable[[MXFormat], float]
    raised: Callable[[MXFormat], int] = lambda fmt: 0
    order: Orders = np.arange
    groups: int = 1
    as_float32: bool = False
    digits: tuple[ir.VectorType, ...] = ()
    low_bits: int = 0
    low_order: Orders = np.arange

    def vectors(self, width: int) -> tuple[ir.VectorType, ...]:
        """Return the registers that the elements of the vector fill in a step."""
        return self.digits or (FLOATS,) * (width // LANES)

    def registers(self, width: int) -> tuple[ir.VectorType, ...]:
        """Return the registers of a step: those of the vector, followed for integers by one per group, which holds the
        unit of the group in the lanes of its sums."""
        return self.vectors(width) + (FLOATS,) * (self.groups if self.digits else 0)


DECODERS = {
    decoder.name: decoder
    for decoder in (
        Decoder(
            name="shift",
            products=products.shift_products,
            shape=lambda fmt: (fmt.exponent_bits, fmt.mantissa_bits),
            unit=lambda fmt: fmt.min_step if fmt.is_integer else 2.0 ** (FLOAT32_BIAS - RAISED - fmt.bias),
            raised=lambda fmt: 0 if fmt.is_integer else RAISED,
            order=lambda width: np.arange(width).reshape(-1, CODES_PER_WORD).T.reshape(-1),
            as_float32=True,
        ),
        Decoder(
            name="half",
            products=products.half_products,
            shape=lambda fmt: (fmt.exponent_bits, fmt.mantissa_bits),
            unit=lambda fmt: 2.0 ** (HALF_BIAS - fmt.bias),
        ),
        Decoder(
            name="portable",
            products=products.portable_products,
            shape=lambda fmt: (min(fmt.exponent_bits, 1), 0),
            unit=lambda fmt: fmt.min_step if fmt.is_integer else 1.0,
        ),
        Decoder(
            name="nibbles",
            products=products.nibble_products,
            shape=lambda fmt: (0, 0),
            unit=lambda fmt: fmt.min_step,
            order=lambda width: np.arange(2 * width).reshape(-1, 4)[:, [0, 2, 1, 3]].T.reshape(-1),
            groups=2,
            digits=(HALVES,) * 4 + (products.OCTETS,) * 2,
            low_bits=products.NIBBLE_LOW_BITS,
            low_order=lambda width: np.arange(2 * width).reshape(-1, 2).T.reshape(-1),
        ),
        Decoder(
            name="octets",
            products=products.octet_products,
            shape=lambda fmt: (0, 0),
            unit=lambda fmt: fmt.min_step,
            digits=(HALVES,) * 4,
            low_bits=products.OCTET_LOW_BITS,
        ),
    )
}


def is_few_steps(fmt: MXFormat) -> bool:
    """Return whether the codes have four bits and represent so few whole steps that sums of products are exact."""
    return fmt.bits == 4 and fmt.specials == "none" and fmt.max_normal <= MOST_STEPS * fmt.min_step


def _is_shifted(fmt: MXFormat) -> bool:
    return fmt.specials == "none" or fmt.bits == 8


def _is_seldom_subnormal(fmt: MXFormat) -> bool:
    return fmt.is_integer or fmt.exponent_bits >= 4


def _is_within_float16(fmt: MXFormat) -> bool:
    return not fmt.is_integer and fmt.specials == ("ieee" if fmt.exponent_bits == 5 else "none")


@dataclass(frozen=True)
class Strategy:
    """A row of the table: a way to multiply the formats for which `reads` is true.

    needs: processor feature that it needs, by its LLVM name; None for none. widths: group widths that it supports.
    columns: smallest number of columns.
    """

    name: str
    decoder: Decoder
    reads: Callable[[MXFormat], bool]
    needs: str | None = None
    widths: tuple[int, ...] = (GROUP,)
    columns: int = 1


# The fastest is first; every row reads its formats exactly. `shift` appears twice, because it is slow for formats with
# many subnormal codes, which it turns into float32 subnormals.
TABLE = (
    Strategy("whole", DECODERS["nibbles"], reads=is_few_steps, needs="avx2", columns=GROUP + 1),
    Strategy("whole", DECODERS["octets"], reads=lambda fmt: fmt.is_integer and fmt.bits == 8, needs="avx2"),
    Strategy("shift", DECODERS["shift"], reads=lambda fmt: _is_shifted(fmt) and _is_seldom_subnormal(fmt)),
    Strategy("half", DECODERS["half"], reads=_is_within_float16, needs="f16c", widths=(8, GROUP)),
    Strategy("portable", DECODERS["portable"], reads=lambda fmt: True, widths=(8, GROUP)),
    Strategy("shift", DECODERS["shift"], reads=lambda fmt: _is_shifted(fmt) and not _is_seldom_subnormal(fmt)),
)


def strategies(fmt: MXFormat, columns: int) -> list[Strategy]:
    """Return the strategies for rows of `columns` elements on this processor, fastest first, with `portable` always."""
    width = group_width(fmt)
    return [
        row
        for row in TABLE
        if row.reads(fmt) and width in row.widths and columns >= row.columns and has_feature(row.needs)
    ]


@cache
def has_feature(name: str | None) -> bool:
    """Return whether the target processor has a feature. If numba's configuration names a processor, only
    the features that it lists count."""
    if name is None:
        return True
    cpu, features = (getattr(numba_config, key) for key in ("CPU_NAME", "CPU_FEATURES"))
    if cpu not in (None, "", "host"):
        return f"+{name}" in (features or "").split(",")
    return bool(llvmlite.binding.get_host_cpu_features().get(name))
