"""Products on packed weights: every road against float64 sums of what the weights read back as."""

import importlib
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from jouleproof.formats import FORMATS, MXArray, MXFormat, matvec, quantize
from tests.formats.drawn import REPEATABLE

room = importlib.import_module("jouleproof.formats.packed_matrix")
OWN = [MXFormat("e3m4", 3, 4, bias=3, specials="ieee"), MXFormat("int4", 0, 2), MXFormat("e2m2", 2, 2, bias=1, block=8)]
every_format = pytest.mark.parametrize("fmt", [*FORMATS.values(), *OWN], ids=lambda fmt: fmt.name)


def drawn(rows, columns, scale=1.0, seed=0):
    rng = np.random.default_rng(seed)
    weights = rng.standard_normal((rows, columns)) * np.exp(rng.standard_normal((rows, 1))) * scale
    return weights.astype(np.float32), (rng.standard_normal(columns) / scale).astype(np.float32)


def in_float64(packed, x):
    with np.errstate(all="ignore"):
        return packed.dequantize().astype(np.float64) @ np.asarray(x).astype(np.float64)


def roads(fmt, columns):
    """Those that can carry this format here."""
    whole_words = room.group_width(fmt) == 32
    found = [room.PORTABLE]
    if whole_words and (fmt.specials == "none" or fmt.bits == 8):
        found.append(room.SHIFT)
    if whole_words and room.has_feature("avx2") and (fmt.name == "mxint8" or (fmt.bits == 4 and columns > 32)):
        found.append(room.WHOLE)
    if room.half_can(fmt) and room.has_feature("f16c"):
        found.append(room.HALF)
    return found


@every_format
@pytest.mark.parametrize("scale", [1.0, 1e-30, 1e12])
def test_every_road_gives_the_sum_within_a_millionth_of_the_largest(fmt, scale):
    weights, x = drawn(9, 1000, scale)
    packed = quantize(weights, fmt)
    expected = in_float64(packed, x)
    for road in roads(fmt, 1000):
        out = np.empty(9, dtype=np.float32)
        room.PackedMatrix(packed, road).sum_into(x, out)
        summed = np.isfinite(out)  # the others are summed again
        assert summed.all() or scale > 1, road
        assert np.abs(out - expected)[summed].max(initial=0) <= 1e-6 * np.abs(expected).max(), road
    assert np.abs(matvec(packed, x) - expected).max() <= 1e-6 * np.abs(expected).max()


@every_format
def test_one_element_far_above_its_neighbours_costs_no_more_than_rounding_it(fmt):
    weights, x = drawn(5, 96)
    x[[3, 40]] *= 1e5
    packed = quantize(weights, fmt)
    largest = np.abs(packed.dequantize()).max() * np.abs(x).sum()
    for road in roads(fmt, 96):
        product = room.PackedMatrix(packed, road)(x)
        assert np.abs(product - in_float64(packed, x)).max() <= 1e-6 * largest, road


@every_format
@pytest.mark.parametrize("outlier", [1e2, 1e3, 1e5, 1e7, 1e9, 1e20, 1e30, -3.4e38])
@pytest.mark.parametrize("columns", [33, 96, 256])
def test_an_outlier_that_meets_a_weight_of_zero_takes_nothing_from_its_neighbours(fmt, outlier, columns):
    weights, x = drawn(16, columns)
    weights[:, 5], x[5] = 0, outlier
    packed = quantize(weights, fmt)
    expected = in_float64(packed, x)
    assert np.abs(matvec(packed, x) - expected).max() <= 1e-6 * np.abs(expected).max()
    for road in roads(fmt, columns):
        assert np.abs(room.PackedMatrix(packed, road)(x) - expected).max() <= 1e-6 * np.abs(expected).max(), road


@every_format
def test_vectors_of_any_exponents_lose_nothing_that_counts(fmt):
    rng = np.random.default_rng(3)
    for _ in range(20):
        weights, x = drawn(5, 65)
        x = (x * np.exp2(rng.integers(-60, 60, 65))).astype(np.float32)
        packed = quantize(weights, fmt)
        magnitudes = np.abs(packed.dequantize().astype(np.float64)) @ np.abs(x.astype(np.float64))
        assert (np.abs(matvec(packed, x) - in_float64(packed, x)) <= 1e-6 * magnitudes).all()


@pytest.mark.parametrize("tiny", [1e-38, 1e-44, 0.0])
def test_vectors_at_the_end_of_float32_keep_their_bits(tiny):
    weights, x = drawn(5, 96)
    x = (x * np.float64(tiny)).astype(np.float32)
    for fmt in FORMATS.values():
        packed = quantize(weights * np.float32(2.0**60), fmt)
        expected = in_float64(packed, x)
        assert matvec(packed, x) == pytest.approx(expected, rel=1e-6, abs=1e-6 * np.abs(expected).max()), fmt.name


@every_format
def test_a_road_that_would_read_a_format_wrong_is_refused(fmt):
    packed = quantize(drawn(2, 64)[0], fmt)
    for road in {*room.ROADS, "none"} - {*roads(fmt, 64)}:
        with pytest.raises(ValueError, match=f"matvec: road '{road}' cannot carry {fmt.name} here; can: "):
            room.PackedMatrix(packed, road)


@every_format
def test_products_of_small_whole_numbers_are_exact(fmt):
    rng = np.random.default_rng(1)
    weights = rng.integers(-1, 2, (6, 96)).astype(np.float32)
    x = rng.integers(-50, 50, 96).astype(np.float32)
    packed = quantize(weights, fmt, scale="ceil")
    assert (packed.dequantize() == weights).all()
    assert (matvec(packed, x) == weights @ x).all()


@settings(REPEATABLE, max_examples=25)
@given(st.integers(1, 11), st.integers(1, 130), st.sampled_from(sorted(FORMATS)), st.integers(0, 99))
def test_any_shape_is_multiplied(rows, columns, name, seed):
    weights, x = drawn(rows, columns, seed=seed)
    packed = quantize(weights, name)
    expected = in_float64(packed, x)
    assert np.abs(matvec(packed, x) - expected).max() <= 1e-6 * np.abs(packed.dequantize()).max() * np.abs(x).sum()


@every_format
def test_a_code_that_is_no_number_and_a_scale_that_is_none_make_their_rows_nan(fmt):
    weights, x = drawn(6, 64)
    packed = quantize(weights, fmt)
    packed.scales[2, 0] = 255
    if fmt.specials != "none":
        packed.codes[4, 1, 0] = 2 ** (fmt.bits - 1) - 1
    product = matvec(packed, x)
    assert np.isnan(product).tolist() == np.isnan(in_float64(packed, x)).tolist()
    assert np.isnan(product[2])


@pytest.mark.parametrize("name", FORMATS)
def test_where_float32_ends_the_result_is_that_of_float64(name):
    packed = quantize(np.full((5, 64), 1e30, dtype=np.float32), name)
    small, large = np.full(64, 1e-20, dtype=np.float32), np.full(64, 1e20, dtype=np.float32)
    assert matvec(packed, small) == pytest.approx(in_float64(packed, small), rel=1e-6)
    assert np.isposinf(matvec(packed, large)).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_vector_that_is_not_finite_is_summed_as_floats_are(bad):
    weights, x = drawn(5, 64)
    packed = quantize(np.abs(weights) + 1, "mxfp8_e4m3")
    x[7] = bad
    assert np.array_equal(matvec(packed, x), in_float64(packed, x).astype(np.float32), equal_nan=True)


def test_where_subnormals_are_flushed_the_result_stays():
    weights, x = drawn(8, 256)
    packed = quantize(weights, "mxfp8_e4m3")
    expected = in_float64(packed, x)
    try:
        torch.set_flush_denormal(True)
        product = matvec(packed, x)
    finally:
        torch.set_flush_denormal(False)
    assert np.abs(product - expected).max() <= 1e-6 * np.abs(expected).max()


def test_the_number_of_threads_changes_no_bit():
    numba = pytest.importorskip("numba")
    weights, x = drawn(1000, 512)
    packed = quantize(weights, "mxfp4")
    most = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        alone = matvec(packed, x)
    finally:
        numba.set_num_threads(most)
    assert (alone.view(np.int32) == matvec(packed, x).view(np.int32)).all()


def test_tensors_give_a_tensor_and_out_is_filled():
    weights, x = drawn(8, 64)
    packed = quantize(torch.from_numpy(weights), "mxfp6_e3m2")
    out = torch.empty(8)
    assert matvec(packed, torch.from_numpy(x), out=out) is out
    assert torch.equal(out, matvec(packed, torch.from_numpy(x)))


@pytest.mark.parametrize(
    ("packed", "x", "error"),
    [
        (quantize(np.ones((4, 64), dtype=np.float32), "mxfp4"), np.ones(63, dtype=np.float32), ValueError),
        (quantize(np.ones((4, 64), dtype=np.float32), "mxfp4", axis=0), np.ones(64, dtype=np.float32), ValueError),
        (quantize(np.ones((2, 4, 64), dtype=np.float32), "mxfp4"), np.ones(64, dtype=np.float32), ValueError),
        (quantize(np.ones((4, 64), dtype=np.float32), "mxfp4"), np.ones(64), TypeError),
    ],
    ids=["length", "axis", "three axes", "float64"],
)
def test_what_does_not_fit_is_one_line_that_says_so(packed: MXArray, x, error):
    with pytest.raises(error, match=r"^matvec: ") as caught:
        matvec(packed, x)
    assert "\n" not in str(caught.value)


def test_an_out_that_does_not_fit_is_refused():
    packed = quantize(np.ones((4, 64), dtype=np.float32), "mxfp4")
    with pytest.raises(ValueError, match=r"^matvec: out is a ndarray of shape=\(3,\)"):
        matvec(packed, np.ones(64, dtype=np.float32), out=np.empty(3, dtype=np.float32))


def test_a_multiplier_that_was_pickled_multiplies_by_its_own_weights():
    weights, x = drawn(5, 96)
    multiply = room.PackedMatrix(quantize(weights, "mxfp4"))
    again = pickle.loads(pickle.dumps(multiply))
    expected = multiply(x)
    del multiply
    assert np.array_equal(again(x), expected)
