"""Casts take any shape, axis, layout, kind and dtype, and return the same kind."""

from functools import cache
from itertools import product

import ml_dtypes
import numpy as np
import pytest

from jouleproof.formats import fake_quantize, quantize
from tests.formats.generated import numbers, same_bits

pytestmark = pytest.mark.usefixtures("one_thread")
FMT = "mxfp6_e2m3"
SHAPES = [(70,), (5, 70), (70, 3), (3, 33, 4), (2, 3, 32, 5)]
AXES = [(shape, axis) for shape in SHAPES for axis in range(-len(shape), len(shape))]


def by_hand(x, axis, fmt=FMT, block=32):
    """Cast block by block, on a copy with the axis last and padded with zeros."""
    rows = np.moveaxis(x, axis, -1)
    length = rows.shape[-1]
    padded = np.zeros((*rows.shape[:-1], -(-length // block) * block), dtype=np.float32)
    padded[..., :length] = rows
    for index in product(*map(range, rows.shape[:-1])):
        for first in range(0, padded.shape[-1], block):
            part = (*index, slice(first, first + block))
            padded[part] = fake_quantize(np.ascontiguousarray(padded[part]), fmt)
    return np.moveaxis(padded[..., :length], -1, axis)


@cache
def expected(shape, axis):
    """Return `numbers` of this shape, cast block by block."""
    return by_hand(numbers(shape), axis)


def wrong(cast):
    """Return the shapes and axes for which cast(x, axis) differs from a cast of each block alone."""
    return [(shape, axis) for shape, axis in AXES if not same_bits(cast(numbers(shape), axis), expected(shape, axis))]


def test_blocks_run_along_the_axis_that_is_asked_for():
    assert wrong(lambda x, axis: fake_quantize(x, FMT, axis=axis)) == []


def test_a_quantized_array_reads_back_in_its_own_shape():
    assert wrong(lambda x, axis: quantize(x, FMT, axis=axis).dequantize()) == []


def test_a_tensor_is_cast_like_the_array_of_its_numbers(torch):
    def cast(x, axis):
        tensor = fake_quantize(torch.from_numpy(x), FMT, axis=axis)
        assert isinstance(tensor, torch.Tensor)
        return tensor.numpy()

    assert wrong(cast) == []


def test_codes_and_scales_have_the_axis_last():
    packed = quantize(numbers((2, 70, 3)), FMT, axis=1)
    assert (packed.codes.shape, packed.scales.shape, packed.axis, packed.shape) == (
        (2, 3, 3, 24),
        (2, 3, 3),
        1,
        (2, 70, 3),
    )


def test_padding_does_not_change_the_values_before_it():
    changed = []
    for length in (1, 7, 31, 33, 63):
        x = numbers((4, length))
        padded = np.zeros((4, 64), dtype=np.float32)
        padded[:, :length] = x
        if not same_bits(fake_quantize(x, FMT), fake_quantize(padded, FMT)[:, :length]):
            changed.append(length)
    assert changed == []


LAYOUTS = {
    "Fortran order": lambda: np.asfortranarray(numbers((6, 70))),
    "every second": lambda: numbers((12, 140))[::2, ::2],
    "reversed": lambda: numbers((6, 70))[::-1, ::-1],
    "transposed": lambda: numbers((70, 6)).T,
    "broadcast": lambda: np.broadcast_to(numbers((70,)), (6, 70)),
}


@pytest.mark.parametrize("axis", [0, 1])
def test_the_layout_in_memory_does_not_matter(axis):
    arrays = {layout: make() for layout, make in LAYOUTS.items()}
    cast = {layout: fake_quantize(x, FMT, axis=axis) for layout, x in arrays.items()}
    assert [layout for layout, x in arrays.items() if not same_bits(cast[layout], by_hand(x, axis))] == []


def test_the_layout_of_a_tensor_does_not_matter(torch):
    tensors = {
        "every second": torch.from_numpy(numbers((12, 140)))[::2, ::2],
        "transposed": torch.from_numpy(LAYOUTS["transposed"]()),
    }
    cast = {layout: fake_quantize(tensor, FMT).numpy() for layout, tensor in tensors.items()}
    assert [layout for layout in tensors if not same_bits(cast[layout], by_hand(LAYOUTS[layout](), -1))] == []


@pytest.mark.parametrize("cast", [fake_quantize, quantize])
def test_the_input_is_left_as_it_was_and_may_be_read_only(cast):
    x = numbers((4, 70))
    x[0, 0] = np.nan
    before = x.copy()
    x.flags.writeable = False
    cast(x, FMT)
    assert same_bits(x, before)


DTYPES = {"float32": np.float32, "float16": np.float16, "bfloat16": ml_dtypes.bfloat16}


@pytest.mark.parametrize("name", DTYPES)
def test_numbers_are_cast_like_their_float32_selves_and_keep_their_dtype(name, torch):
    x = numbers((4, 70)).astype(DTYPES[name])
    tensor = torch.from_numpy(x.astype(np.float32)).to(getattr(torch, name))
    expected = by_hand(x.astype(np.float32), -1).astype(x.dtype)
    cast, cast_t = fake_quantize(x, FMT), fake_quantize(tensor, FMT)
    assert (cast.dtype, cast_t.dtype) == (x.dtype, tensor.dtype)
    assert same_bits(cast, expected) and same_bits(cast_t.float().numpy(), expected)


def test_a_quantized_narrow_array_reads_back_as_float32():
    assert quantize(numbers((4, 32)).astype(np.float16), FMT).dequantize().dtype == np.float32


def test_a_parameter_is_cast_like_any_tensor_where_no_gradient_is_asked_for(torch):
    weight = torch.nn.Parameter(torch.from_numpy(numbers((4, 32))))
    with torch.no_grad():
        assert same_bits(quantize(weight, FMT).dequantize().numpy(), by_hand(weight.numpy(), -1))


def test_a_tensor_gives_codes_and_scales_that_are_tensors(torch):
    packed = quantize(torch.from_numpy(numbers((4, 32))), FMT)
    assert {type(packed.codes), type(packed.scales), type(packed.dequantize())} == {torch.Tensor}


def test_a_scale_rule_of_the_users_own_is_followed():
    def always_one(amax, fmt):
        return np.zeros(amax.shape, dtype=np.int32)

    x = np.array([0.3, 100.0, -0.2, 5.1] * 8, dtype=np.float32)
    assert fake_quantize(x, "mxfp4", scale=always_one).tolist() == [0.5, 6.0, -0.0, 6.0] * 8


def test_a_scale_rule_of_the_users_own_is_clamped_to_what_a_scale_holds():
    def huge(amax, fmt):
        return np.full(amax.shape, 1_000, dtype=np.int32)

    assert quantize(np.ones(32, dtype=np.float32), "mxfp4", scale=huge).scales.tolist() == [254]


def test_a_quantized_array_is_shown_in_a_line_and_is_no_array_of_numbers():
    packed = quantize(numbers((4, 32)), FMT)
    assert repr(packed) == f"MXArray({packed.fmt.name}, shape=(4, 32), axis=1)"
    with pytest.raises(TypeError, match="dequantize"):
        np.asarray(packed)
