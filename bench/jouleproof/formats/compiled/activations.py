"""The layout of a matrix-vector product's vector for a decoder: float32, or integers split into two digits."""

import math

import numpy as np

from jouleproof.formats.blocks import FLOAT32_BIAS, FLOAT32_MANTISSA
from jouleproof.formats.compiled import CODE_VERSION
from jouleproof.formats.compiled.elements import LANES
from jouleproof.formats.compiled.simd import ABS_MASK
from jouleproof.formats.compiled.strategies import Decoder
from jouleproof.kernels import njit

HIGH_BITS = 15  # bits of an integer's high digit, without its sign
DEEPEST = 100  # binades below the vector's largest magnitude; groups of integers further below share one unit
LOWEST = -DEEPEST - FLOAT32_BIAS
POWERS = np.ldexp(1.0, np.arange(LOWEST, 200))
LARGEST = FLOAT32_BIAS + 1  # largest result of `_exponent` for finite float32
NOT_REPRESENTABLE = LARGEST + 1
SPAN = 48  # binades that float32 elements may span without loss of precision in any strategy
TOLERANCE = 2.5e-7  # relative RMS error of rounding to integers, over all elements but the largest of each group


class ActivationPacker:
    """A packer that arranges a vector in the order of a decoder's registers, step by step.

    Decoders to integers get one unit (a power of two) for every group of 32 elements.
    """

    def __init__(self, decoder: Decoder, raised: int, groups: int, width: int) -> None:
        """Prepare the layout.

        raised: binades by which float vectors are scaled up. groups: number of groups of `width` elements.
        """
        self._decoder, self._raised, self._groups, self._width = decoder, raised, groups, width
        self._steps = -(-groups // decoder.groups)
        self._order, self._low_order = decoder.order(width), decoder.low_order(width)

    def __call__(self, x: np.ndarray) -> tuple[np.ndarray, int] | None:
        """Return x in the layout of the kernel, and the exponent of the power of two by which to multiply the sums.

        x: contiguous float32. Returns None if x spans a wider range than this decoder can represent, or is not finite.
        """
        registers = len(self._decoder.registers(self._width))
        arranged = np.empty((self._steps, registers * LANES), dtype=np.float32)
        if not self._decoder.digits:
            exponent = _floats(x, arranged.reshape(-1), self._order, self._raised)
            return (arranged, exponent) if exponent <= LARGEST else None
        low_bits, size = self._decoder.low_bits, len(self._order)
        high, digits = arranged.view(np.int16), arranged.view(np.uint8 if low_bits == 8 else np.int16)
        low_at = 2 * size // digits.itemsize
        low, units = digits[:, low_at : low_at + size], arranged[:, len(self._decoder.digits) * LANES :]
        exponent = _whole(x, high[:, :size], low, units, self._order, self._low_order, low_bits, self._groups)
        return (arranged, exponent - low_bits - HIGH_BITS) if exponent <= LARGEST else None


@njit
def _exponent(bits):
    """Return the exponent of the power of two just above the largest magnitude.

    bits: float32 bits, as int32. Returns the smallest exponent if all are zero or subnormal, and NOT_REPRESENTABLE
    if any is not finite.
    """
    largest = np.int32(0)
    for value in bits:
        largest = max(largest, value & np.int32(ABS_MASK))
    return (largest >> FLOAT32_MANTISSA) - FLOAT32_BIAS + 1


@njit
def _spans(bits, exponent):
    """Return whether any nonzero magnitude is below 2**exponent. bits: float32 bits, as int32."""
    bound = max(exponent + FLOAT32_BIAS, 0) << FLOAT32_MANTISSA
    present = False
    for value in bits:
        magnitude = value & np.int32(ABS_MASK)
        present |= (magnitude > 0) & (magnitude < bound)
    return present


@njit(cache=True)
def _floats(x, arranged, order, raised, version=CODE_VERSION):
    """Fill `arranged` with x, scaled so that its largest magnitude is about 2**raised, and pad it with zeros.

    Returns the exponent of x, or NOT_REPRESENTABLE if magnitudes are more than SPAN binades apart or not finite.
    """
    bits = x.view(np.int32)
    exponent = _exponent(bits)
    if exponent > LARGEST or _spans(bits, exponent - SPAN):
        return NOT_REPRESENTABLE
    up = (raised - exponent) // 2
    factor, rest = np.float32(math.ldexp(1.0, up)), np.float32(math.ldexp(1.0, raised - exponent - up))
    width = len(order)
    for first in range(0, len(arranged), width):
        for lane in range(width):
            source = first + order[lane]
            arranged[first + lane] = x[source] * factor * rest if source < len(x) else np.float32(0.0)
    return exponent


@njit(cache=True)
def _whole(x, high, low, units, order, low_order, low_bits, groups, version=CODE_VERSION):
    """Fill `high` and `low` with the digits of x, and `units` with the unit of each group, step by step.

    The largest magnitude of a group uses all bits of both digits. Each unit is stored times 2**(bits of both
    digits), in the lanes of its group's sums. If the last group has no partner, it takes the second place of its step,
    and the first place holds zeros. Returns the exponent of x, or NOT_REPRESENTABLE if x is not finite or the rounding
    error exceeds TOLERANCE.
    """
    exponent, (steps, width), raised = _exponent(x.view(np.int32)), high.shape, low_bits + HIGH_BITS
    if exponent > LARGEST:
        return NOT_REPRESENTABLE
    together = units.shape[1] // LANES
    size, lanes = width // together, LANES // together
    numbers = np.empty(width, dtype=np.int32)
    lost, kept = 0.0, 0.0
    shift, mask, most = np.int32(low_bits), np.int32((1 << low_bits) - 1), np.int32((1 << raised) - 1)
    for step in range(steps):
        first = min(step * together, groups - together)
        for slot in range(together):
            start = min((first + slot) * size, len(x))
            group = x[start : start + size]
            top = max(_exponent(group.view(np.int32)), exponent - DEEPEST)
            factor = 0.0 if first + slot < step * together else POWERS[raised - top - LOWEST]
            present, largest, squares = 0, np.int64(0), np.int64(0)
            for element in range(len(group)):
                number = min(np.int32(np.rint(group[element] * factor)), most)
                numbers[slot * size + element] = number
                present += group[element] != np.float32(0.0)
                square = np.int64(number) * np.int64(number)
                largest = max(largest, square)
                squares += square
            unit = POWERS[top - exponent - LOWEST]
            if factor > 0.0:
                lost += max(present - 1, 0) * unit * unit
                kept += (squares - largest) * unit * unit
            numbers[slot * size + len(group) : (slot + 1) * size] = 0
            units[step, slot * LANES : (slot + 1) * LANES] = 0.0
            lane = slot * (LANES + lanes)
            units[step, lane : lane + lanes] = unit
        for lane in range(width):
            high[step, lane] = numbers[order[lane]] >> shift
            low[step, lane] = numbers[low_order[lane]] & mask
    fits = lost <= 12 * TOLERANCE**2 * kept  # the mean square of a rounding error is 1/12 of a squared unit
    return exponent if fits else NOT_REPRESENTABLE
