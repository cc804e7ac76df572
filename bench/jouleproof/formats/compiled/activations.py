"""The vector of a matrix-vector product as jouleproof.formats.compiled.strategies reads it, road by road."""

import math
from functools import cache

import numpy as np
from numba import njit

from jouleproof.formats.blocks import FLOAT32_BIAS, FLOAT32_MANTISSA
from jouleproof.formats.compiled.simd import ABS_MASK
from jouleproof.formats.compiled.strategies import CODES_PER_WORD, HIGH_BITS, LANES, SHIFT, WHOLE, Codes, step_of

SHIFT_RAISED = 60  # binades that the vector is raised by where codes are read as far smaller numbers than they are
DEEPEST = 100  # binades under the largest, below which groups of whole numbers share a unit
LOWEST = -DEEPEST - FLOAT32_BIAS
POWERS = np.ldexp(1.0, np.arange(LOWEST, 200))
LARGEST = FLOAT32_BIAS + 1  # exponent that a finite float32 can have
UNFIT = LARGEST + 1
SPAN = 48  # binades between float32 elements that no road loses anything of
LOSS = 2.5e-7  # of a vector beside the largest of each group, that rounding to whole numbers may cost


class Arranger:
    """x as float32, or as whole numbers of two digits with a unit for every group of 32, in the road's order."""

    def __init__(self, road: str, codes: Codes, groups: int) -> None:
        self._step = step_of(road, codes)
        self._steps, self._groups = -(-groups // self._step.groups), groups
        self._order, self._low_order = _orders(road, codes)
        self._raised = SHIFT_RAISED if road == SHIFT and codes.exponent_bits > 0 else 0

    def __call__(self, x: np.ndarray) -> tuple[np.ndarray, int] | None:
        """x: contiguous float32. Returns what the kernel reads, and the exponent of the power of two to give back to
        the sums; None where x spans more than this road can hold, or is not finite."""
        step, width = self._step, len(self._order)
        arranged = np.empty((self._steps, step.bytes // 4), dtype=np.float32)
        if not step.low_bits:
            exponent = _floats(x, arranged.reshape(-1), self._order, self._raised)
            return (arranged, exponent) if exponent <= LARGEST else None
        high, digits = arranged.view(np.int16), arranged.view(np.uint8 if step.groups > 1 else np.int16)
        low_at = 2 * width // digits.itemsize
        low, units = digits[:, low_at : low_at + width], arranged[:, len(step.vectors) * LANES :]
        raised = step.low_bits + HIGH_BITS
        exponent = _whole(
            x,
            high[:, :width],
            low,
            units,
            self._order,
            self._low_order,
            step.low_bits,
            raised,
            self._groups,
        )
        return (arranged, exponent - raised) if exponent <= LARGEST else None


@cache
def _orders(road: str, codes: Codes) -> tuple[np.ndarray, np.ndarray]:
    """Which element of a step each lane of the road's vectors holds, one vector after the other; of whole numbers first
    for the high digits, then for the low ones."""
    elements = np.arange(codes.width)
    if road == SHIFT:
        elements = elements.reshape(-1, CODES_PER_WORD).T.reshape(-1)
    if road == WHOLE and codes.bits == 4:
        elements = np.arange(2 * codes.width)
        return elements.reshape(-1, 4)[:, [0, 2, 1, 3]].T.reshape(-1), elements.reshape(-1, 2).T.reshape(-1)
    return elements, elements


@njit(cache=True)
def _exponent(bits):
    """bits: of float32, as int32. Of the power of two just above the largest magnitude; The
    smallest where all are zero or subnormal, above LARGEST where one is not finite."""
    largest = np.int32(0)
    for value in bits:
        largest = max(largest, value & np.int32(ABS_MASK))
    return (largest >> FLOAT32_MANTISSA) - FLOAT32_BIAS + 1


@njit(cache=True)
def _spans(bits, exponent):
    """Whether a magnitude lies between zero and 2**exponent. bits: of float32, as int32."""
    bound = max(exponent + FLOAT32_BIAS, 0) << FLOAT32_MANTISSA
    found = False
    for value in bits:
        magnitude = value & np.int32(ABS_MASK)
        found |= (magnitude > 0) & (magnitude < bound)
    return found


@njit(cache=True)
def _floats(x, arranged, order, raised):
    """x, its largest magnitude raised to about 2**raised; zeros behind it. Returns UNFIT where magnitudes are more than
    SPAN binades apart, or not finite."""
    bits = x.view(np.int32)
    exponent = _exponent(bits)
    if exponent > LARGEST or _spans(bits, exponent - SPAN):
        return UNFIT
    up = (raised - exponent) // 2
    factor, rest = np.float32(math.ldexp(1.0, up)), np.float32(math.ldexp(1.0, raised - exponent - up))
    width = len(order)
    for first in range(0, len(arranged), width):
        for lane in range(width):
            source = first + order[lane]
            arranged[first + lane] = x[source] * factor * rest if source < len(x) else np.float32(0.0)
    return exponent


@njit(cache=True)
def _whole(x, high, low, units, order, low_order, low_bits, raised, groups):
    """Every step: the digits of x, whose group's largest becomes about 2**raised; and each group's unit times
    2**raised, in the lanes of its sums. A last group without a partner is the second of its step; the first is then
    zero. Returns UNFIT where rounding costs more than LOSS of what is beside the largest of each group."""
    exponent, (steps, width) = _exponent(x.view(np.int32)), high.shape
    if exponent > LARGEST:
        return UNFIT
    together = units.shape[1] // LANES
    size, lanes = width // together, LANES // together
    numbers = np.empty(width, dtype=np.int32)
    lost, kept = 0.0, 0.0
    shift, mask, most = np.int32(low_bits), np.int32((1 << low_bits) - 1), np.int32((1 << raised) - 1)
    for step in range(steps):
        first = min(step * together, groups - together)
        for part in range(together):
            start = min((first + part) * size, len(x))
            group = x[start : start + size]
            own = max(_exponent(group.view(np.int32)), exponent - DEEPEST)
            factor = 0.0 if first + part < step * together else POWERS[raised - own - LOWEST]
            present, largest, squares = 0, np.int64(0), np.int64(0)
            for element in range(len(group)):
                number = min(np.int32(np.rint(group[element] * factor)), most)
                numbers[part * size + element] = number
                present += group[element] != np.float32(0.0)
                square = np.int64(number) * np.int64(number)
                largest = max(largest, square)
                squares += square
            unit = POWERS[own - exponent - LOWEST]
            if factor > 0.0:
                lost += max(present - 1, 0) * unit * unit
                kept += (squares - largest) * unit * unit
            numbers[part * size + len(group) : (part + 1) * size] = 0
            units[step, part * LANES : (part + 1) * LANES] = 0.0
            lane = part * (LANES + lanes)
            units[step, lane : lane + lanes] = unit
        for lane in range(width):
            high[step, lane] = numbers[order[lane]] >> shift
            low[step, lane] = numbers[low_order[lane]] & mask
    return exponent if lost <= 12 * LOSS**2 * kept else UNFIT  # rounding a number costs a twelfth of its unit's square
