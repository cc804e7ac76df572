"""Casts that are not OCP MX, against other libraries and against plain loops over exact rationals."""

from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest

from jouleproof.errors import UserError
from jouleproof.formats import FORMATS
from jouleproof.studies.mx.other_casts import OTHERS, OtherCast
from jouleproof.studies.mx.registry import other_casts
from tests.formats.oracle import floor_log2

E2M1 = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6], dtype=np.float32)
ANOTHER = OtherCast("halves", "none", lambda x: np.rint(2 * x) / np.float32(2), 4, ((8, 16),))


@pytest.fixture(scope="module")
def x():
    """Rows with different spreads, over three binades."""
    rng = np.random.default_rng(0)
    return (rng.standard_t(4, size=(48, 64)) * np.exp(rng.uniform(-1, 1, (48, 1)))).astype(np.float32)


def test_nvfp4_is_that_of_torchao(x, torch):
    from torchao.prototype.mx_formats.nvfp4_tensor import nvfp4_quantize, per_tensor_amax_to_scale

    tensor = torch.from_numpy(x)
    tensor_scale = per_tensor_amax_to_scale(tensor.abs().max())
    scales, packed = nvfp4_quantize(tensor, per_tensor_scale=tensor_scale)
    codes = np.stack([packed.numpy() & 15, packed.numpy() >> 4], axis=-1)
    scale = scales.float().reshape(48, 4, 1) * tensor_scale
    expected = E2M1[codes.reshape(48, 4, 16)] * scale.numpy()
    assert (OTHERS["nvfp4"].run(x) == expected.reshape(x.shape)).all()


def test_nvfp4_brings_the_largest_element_to_the_top_of_both_ranges():
    x = np.zeros((1, 32), dtype=np.float32)
    x[0, 3], x[0, 20] = -6 * 448, 6 * 0.5
    assert (OTHERS["nvfp4"].run(x) == x).all()


def test_a_block_of_nvfp4_whose_scale_underflows_is_zero():
    x = np.zeros((1, 32), dtype=np.float32)
    x[0, 3], x[0, 20] = 6 * 448, 6 * 2.0**-11
    assert OTHERS["nvfp4"].run(x)[0, 16:].tolist() == [0.0] * 16


def plain_microexponents(block, mantissa_bits):
    """Return the values, (16,), that a block decodes to."""
    exact = [Fraction(float(element)) for element in block]
    largest = max(abs(element) for element in exact)
    if not largest:
        return [0.0] * len(exact)
    shared, read = floor_log2(largest), []
    for first, second in zip(exact[::2], exact[1::2], strict=True):
        pair = max(abs(first), abs(second))
        down = 1 if not pair or floor_log2(pair) < shared else 0
        step = Fraction(2) ** (shared - down + 1 - mantissa_bits)
        mantissas = [round(element / step) for element in (first, second)]
        read += [min(max(mantissa, 1 - 2**mantissa_bits), 2**mantissa_bits - 1) * step for mantissa in mantissas]
    return [float(value) for value in read]


@pytest.mark.parametrize(("name", "mantissa_bits"), [("mx9", 7), ("mx6", 4), ("mx4", 2)])
def test_microexponents_are_those_of_the_paper_in_exact_rationals(x, name, mantissa_bits):
    blocks = np.concatenate([x.reshape(-1, 16), np.round(x.reshape(-1, 16) * 4) / 4, np.zeros((1, 16))])
    expected = [plain_microexponents(block, mantissa_bits) for block in blocks.astype(np.float32)]
    assert (OTHERS[name].run(blocks.astype(np.float32)) == np.array(expected)).all()


def test_a_pair_of_smaller_elements_has_half_the_step():
    x = np.zeros((1, 16), dtype=np.float32)
    x[0, :4] = 1.0, 0.25, 0.75, 0.25
    assert OTHERS["mx4"].run(x)[0, :4].tolist() == [1.0, 0.0, 0.75, 0.25]


def test_a_mantissa_that_would_overflow_stays_at_its_largest():
    x = np.full((1, 16), 1.99, dtype=np.float32)
    assert OTHERS["mx4"].run(x)[0].tolist() == [1.5] * 16


def test_fp8_per_tensor_has_the_elements_of_ml_dtypes(x):
    scale = np.abs(x).max() / np.float32(448)
    expected = (x / scale).astype(ml_dtypes.float8_e4m3fn).astype(np.float32) * scale
    assert (OTHERS["fp8_per_tensor"].run(x) == expected).all()


def test_int8_per_row_is_that_of_plain_loops(x):
    expected = []
    for row in x:
        scale = np.float32(max(abs(float(element)) for element in row)) / np.float32(127)
        expected.append([np.float32(round(float(element / scale))) * scale for element in row])
    assert (OTHERS["int8_per_row"].run(x) == np.array(expected, dtype=np.float32)).all()


def test_bits_per_element_count_all_that_is_shared(x):
    assert {name: other.bits_per_element(x.shape) for name, other in OTHERS.items()} == pytest.approx(
        {
            "nvfp4": 4.5 + 32 / 3072,
            "mx9": 9,
            "mx6": 6,
            "mx4": 4,
            "fp8_per_tensor": 8 + 32 / 3072,
            "int8_per_row": 8.5,
        },
        rel=1e-12,
    )


def failing(holds):
    """Return the casts for which holds(run) is false."""
    return [name for name, other in OTHERS.items() if not holds(other.run)]


def test_none_has_the_name_of_an_mx_format_or_lacks_a_source():
    assert [name for name, other in OTHERS.items() if other.name in FORMATS or not other.source] == []


def test_a_cast_keeps_shape_and_dtype_and_leaves_its_input_alone(x):
    def keeps(run):
        before = x.copy()
        cast = run(x)
        return cast.shape == x.shape and cast.dtype == np.float32 and (x == before).all() and (cast != x).any()

    assert failing(keeps) == []


def test_a_cast_of_zeros_is_zero():
    assert failing(lambda run: not run(np.zeros((2, 32), dtype=np.float32)).any()) == []


def test_a_sign_passes_through_a_cast(x):
    assert failing(lambda run: (run(-x) == -run(x)).all()) == []


def test_a_power_of_two_passes_through_a_cast(x):
    assert failing(lambda run: (run(x * np.float32(2**-9)) == run(x) * np.float32(2**-9)).all()) == []


def test_a_last_block_that_is_short_is_padded_with_zeros(x):
    padded = np.pad(x[:, :41], ((0, 0), (0, 7)))
    assert failing(lambda run: (run(x[:, :41]) == run(padded)[:, :41]).all()) == []


def test_leading_axes_are_rows(x):
    assert failing(lambda run: (run(x.reshape(4, 12, 64)).reshape(x.shape) == run(x)).all()) == []


def test_a_cast_of_the_users_own_is_found():
    assert other_casts(["mx9", "tests.mx.test_others:ANOTHER"]) == {"MX9": OTHERS["mx9"], "halves": ANOTHER}


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("mx5", "nvfp4, mx9"),
        ("tests.extension_example.formats:FORMAT", "MXFormat, not a jouleproof.studies.mx.other_casts.OtherCast"),
    ],
)
def test_what_is_no_such_cast_is_an_error_that_says_why(name, complaint):
    with pytest.raises(UserError, match=complaint):
        other_casts([name])
