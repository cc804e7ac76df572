"""Codes of 2 to 8 bits are packed into bytes and unpacked."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from jouleproof.formats import MXFormat, quantize
from jouleproof.formats.blocks import pack, unpack
from tests.formats.generated import REPEATABLE

integers = st.integers(2, 8).map(lambda bits: MXFormat(f"int{bits}", 0, bits - 2, block=16))


@settings(REPEATABLE, max_examples=40)
@given(integers, st.data())
def test_unpacked_codes_are_the_packed_ones(fmt, data):
    shape = (data.draw(st.integers(1, 3)), fmt.block)
    codes = data.draw(arrays(np.uint8, shape, elements=st.integers(0, 2**fmt.bits - 1)))
    assert (unpack(pack(codes, fmt), fmt) == codes).all()


@settings(REPEATABLE, max_examples=40)
@given(integers, st.data())
def test_element_i_lies_in_bits_from_i_times_the_width(fmt, data):
    codes = data.draw(arrays(np.uint8, (1, fmt.block), elements=st.integers(0, 2**fmt.bits - 1)))
    number = sum(int(code) << (i * fmt.bits) for i, code in enumerate(codes[0]))
    assert pack(codes, fmt).tobytes() == number.to_bytes(fmt.block_bytes, "little")


def test_a_block_takes_its_bits_and_one_byte_of_scale():
    x = np.ones((3, 64), dtype=np.float32)
    packed = {name: quantize(x, name) for name in ("mxfp8_e4m3", "mxfp6_e2m3", "mxfp4")}
    assert {name: (array.codes.shape, array.scales.shape, array.nbytes) for name, array in packed.items()} == {
        "mxfp8_e4m3": ((3, 2, 32), (3, 2), 6 * 32 + 6),
        "mxfp6_e2m3": ((3, 2, 24), (3, 2), 6 * 24 + 6),
        "mxfp4": ((3, 2, 16), (3, 2), 6 * 16 + 6),
    }


def test_a_four_bit_block_packs_the_first_element_into_the_low_half_of_the_first_byte():
    x = np.zeros(32, dtype=np.float32)
    x[:3] = 6.0, -1.0, 0.5
    assert quantize(x, "mxfp4").codes[0, :2].tolist() == [0xA7, 0x01]
