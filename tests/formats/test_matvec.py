"""Products on packed weights: every strategy against float64 sums of the dequantised weights."""

import pickle

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jouleproof.formats import FORMATS, PackedMatrix, matvec, quantize
from jouleproof.formats.compiled import strategies
from tests.formats import custom_formats
from tests.formats.generated import REPEATABLE
from tests.formats.refusals import refusal

pytestmark = pytest.mark.usefixtures("one_thread")
ALL = [*FORMATS.values(), *custom_formats.COMPILED]
every_format = pytest.mark.parametrize("fmt", ALL, ids=lambda fmt: fmt.name)


def strategy_names(fmt, columns):
    """Return the names of the strategies that are available here, fastest first."""
    return [strategy.name for strategy in strategies.strategies(fmt, columns)]


def random_product(rows, columns, scale=1.0, seed=0):
    rng = np.random.default_rng(seed)
    weights = rng.standard_normal((rows, columns)) * np.exp(rng.standard_normal((rows, 1))) * scale
    return weights.astype(np.float32), (rng.standard_normal(columns) / scale).astype(np.float32)


def in_float64(packed, x):
    with np.errstate(all="ignore"):
        return packed.dequantize().astype(np.float64) @ np.asarray(x).astype(np.float64)


def within(product, expected, largest):
    """Return whether the product differs by at most a millionth of the largest sum; False if it is NaN."""
    return np.abs(product - expected).max(initial=0) <= 1e-6 * largest


def off(packed, x, expected):
    """Return the names of the strategies, and of matvec, whose product is not `within` the tolerance."""
    products = {strategy: PackedMatrix(packed, strategy)(x) for strategy in strategy_names(packed.fmt, packed.shape[1])}
    products["matvec"] = matvec(packed, x)
    return [name for name, product in products.items() if not within(product, expected, np.abs(expected).max())]


FASTEST_FIRST = {
    "mxfp8_e4m3": "shift portable",
    "mxfp8_e5m2": "shift half portable",
    "mxfp6_e3m2": "half portable shift",
    "mxfp6_e2m3": "half portable shift",
    "mxfp4": "whole half portable shift",
    "mxint8": "whole shift portable",
    custom_formats.E3M4.name: "portable shift",
    custom_formats.INT4.name: "whole shift portable",
    custom_formats.E2M2.name: "half portable",
}


@pytest.mark.parametrize("features", [(), ("avx2",), ("f16c",), ("avx2", "f16c")])
def test_the_fastest_strategy_that_reads_a_format_exactly_is_chosen(features, monkeypatch):
    """This holds on any processor: "whole" needs AVX2, "half" needs F16C."""
    monkeypatch.setattr(strategies, "has_feature", lambda name: name is None or name in features)
    without = {strategy for strategy, need in {"whole": "avx2", "half": "f16c"}.items() if need not in features}
    right = {
        name: [strategy for strategy in names.split() if strategy not in without]
        for name, names in FASTEST_FIRST.items()
    }
    assert {fmt.name: strategy_names(fmt, 64) for fmt in ALL} == right


def test_a_strategy_that_does_not_read_a_format_exactly_is_refused():
    wrong = []
    for fmt in ALL:
        packed, can = quantize(random_product(2, 64)[0], fmt), strategy_names(fmt, 64)
        listed = ", ".join(can)
        for strategy in {*(row.name for row in strategies.TABLE), "none"} - {*can}:
            message = refusal(ValueError, PackedMatrix, packed, strategy)
            if message != f"matvec: strategy '{strategy}' is not available for {fmt.name} here; available: {listed}":
                wrong.append(message)
    assert wrong == []


def test_four_bits_are_whole_numbers_only_in_rows_of_two_words_and_more():
    assert [columns for columns in (1, 31, 32) if "whole" in strategy_names(FORMATS["mxfp4"], columns)] == []


@every_format
def test_every_strategy_gives_the_sum_within_a_millionth_of_the_largest(fmt):
    wrong = []
    for scale in (1.0, 1e-30, 1e12):
        weights, x = random_product(9, 1000, scale)
        packed = quantize(weights, fmt)
        expected = in_float64(packed, x)
        for strategy in strategy_names(fmt, 1000):
            out = np.empty(9, dtype=np.float32)
            PackedMatrix(packed, strategy).sum_into(x, out)
            summed = np.isfinite(out)  # the others are summed again
            if not (summed.all() or scale > 1):
                wrong.append(f"{strategy}, {scale}: not summed")
            if not within(out[summed], expected[summed], np.abs(expected).max()):
                wrong.append(f"{strategy}, {scale}: off")
        if not within(matvec(packed, x), expected, np.abs(expected).max()):
            wrong.append(f"matvec, {scale}: off")
    assert wrong == []


@every_format
def test_one_element_far_above_its_neighbours_costs_no_more_than_rounding_it(fmt):
    weights, x = random_product(5, 96)
    x[[3, 40]] *= 1e5
    packed = quantize(weights, fmt)
    expected, largest = in_float64(packed, x), np.abs(packed.dequantize()).max() * np.abs(x).sum()
    products = {strategy: PackedMatrix(packed, strategy)(x) for strategy in strategy_names(fmt, 96)}
    assert [strategy for strategy, product in products.items() if not within(product, expected, largest)] == []


@every_format
def test_an_outlier_that_meets_a_weight_of_zero_takes_nothing_from_its_neighbours(fmt):
    wrong = []
    for columns in (33, 96, 256):
        weights, x = random_product(16, columns)
        weights[:, 5], x[5] = 0, 0
        packed = quantize(weights, fmt)
        expected = in_float64(packed, x)
        for outlier in (1e2, 1e3, 1e5, 1e7, 1e9, 1e20, 1e30, -3.4e38):
            x[5] = outlier
            wrong += [f"{strategy}, {columns} columns, {outlier}" for strategy in off(packed, x, expected)]
    assert wrong == []


@every_format
def test_vectors_of_any_exponents_lose_nothing_that_counts(fmt):
    rng = np.random.default_rng(3)
    weights, spread = random_product(5, 65)
    packed = quantize(weights, fmt)
    read, wrong = packed.dequantize().astype(np.float64), []
    for number in range(20):
        x = (spread * np.exp2(rng.integers(-60, 60, 65))).astype(np.float32)
        magnitudes = np.abs(read) @ np.abs(x.astype(np.float64))
        if not (np.abs(matvec(packed, x) - in_float64(packed, x)) <= 1e-6 * magnitudes).all():
            wrong.append(number)
    assert wrong == []


def test_vectors_at_the_end_of_float32_keep_their_bits():
    weights, x = random_product(5, 96)
    wrong = []
    for fmt in FORMATS.values():
        packed = quantize(weights * np.float32(2.0**60), fmt)
        for tiny in (1e-38, 1e-44, 0.0):
            small = (x * np.float64(tiny)).astype(np.float32)
            expected = in_float64(packed, small)
            if matvec(packed, small) != pytest.approx(expected, rel=1e-6, abs=1e-6 * np.abs(expected).max()):
                wrong.append((fmt.name, tiny))
    assert wrong == []


def test_products_of_small_whole_numbers_are_exact():
    rng = np.random.default_rng(1)
    weights = rng.integers(-1, 2, (6, 96)).astype(np.float32)
    x = rng.integers(-50, 50, 96).astype(np.float32)
    packed = [quantize(weights, fmt, scale="ceil") for fmt in ALL]
    assert [matrix.fmt.name for matrix in packed if not (matrix.dequantize() == weights).all()] == []
    assert [matrix.fmt.name for matrix in packed if not (matvec(matrix, x) == weights @ x).all()] == []


def assert_multiplied(rows, columns, name, seed):
    weights, x = random_product(rows, columns, seed=seed)
    packed = quantize(weights, name)
    expected = in_float64(packed, x)
    assert within(matvec(packed, x), expected, np.abs(packed.dequantize()).max() * np.abs(x).sum())


@settings(REPEATABLE, max_examples=30)
@given(st.integers(4, 11), st.integers(1, 130), st.sampled_from(sorted(FORMATS)), st.integers(0, 99))
def test_any_shape_is_multiplied(rows, columns, name, seed):
    assert_multiplied(rows, columns, name, seed)


@pytest.mark.parametrize(("rows", "name"), [(1, "mxfp8_e4m3"), (2, "mxfp4"), (3, "mxfp6_e2m3")])
def test_fewer_rows_than_a_kernel_takes_at_once_are_multiplied(rows, name):
    for columns in (1, 31, 32, 33, 64, 65, 130):
        assert_multiplied(rows, columns, name, seed=columns)


@pytest.mark.long  # every format compiles a kernel for one, two and three rows
@settings(REPEATABLE, max_examples=60)
@given(st.integers(1, 11), st.integers(1, 130), st.sampled_from(sorted(FORMATS)), st.integers(0, 99))
def test_any_shape_of_few_rows_and_many_is_multiplied(rows, columns, name, seed):
    assert_multiplied(rows, columns, name, seed)


def test_a_code_that_is_no_number_and_a_scale_that_is_none_make_their_rows_nan():
    weights, x = random_product(6, 140)
    wrong = []
    for fmt in ALL:
        packed = quantize(weights, fmt)
        packed.scales[2, 0] = 255
        if fmt.specials != "none":
            packed.codes[4, 1, 0] = 2 ** (fmt.bits - 1) - 1
        product = np.isnan(matvec(packed, x)).tolist()
        if product != np.isnan(in_float64(packed, x)).tolist() or not product[2]:
            wrong.append(f"{fmt.name}: {product}")
    assert wrong == []


def test_where_float32_ends_the_result_is_that_of_float64():
    small, large = np.full(64, 1e-20, dtype=np.float32), np.full(64, 1e20, dtype=np.float32)
    packed = [quantize(np.full((5, 64), 1e30, dtype=np.float32), name) for name in FORMATS]
    expected = {weights.fmt.name: pytest.approx(in_float64(weights, small), rel=1e-6) for weights in packed}
    assert [weights.fmt.name for weights in packed if matvec(weights, small) != expected[weights.fmt.name]] == []
    assert [weights.fmt.name for weights in packed if not np.isposinf(matvec(weights, large)).all()] == []


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_vector_that_is_not_finite_is_summed_as_floats_are(bad):
    weights, x = random_product(5, 64)
    packed = quantize(np.abs(weights) + 1, "mxfp8_e4m3")
    x[7] = bad
    assert np.array_equal(matvec(packed, x), in_float64(packed, x).astype(np.float32), equal_nan=True)


def test_where_subnormals_are_flushed_the_result_stays(torch):
    weights, x = random_product(8, 256)
    packed = quantize(weights, "mxfp8_e4m3")
    expected = in_float64(packed, x)
    try:
        torch.set_flush_denormal(True)
        product = matvec(packed, x)
    finally:
        torch.set_flush_denormal(False)
    assert np.abs(product - expected).max() <= 1e-6 * np.abs(expected).max()


def test_the_number_of_threads_changes_no_bit(every_thread):
    weights, x = random_product(1000, 512)
    packed = quantize(weights, "mxfp4")
    together = matvec(packed, x)
    numba.set_num_threads(1)
    assert (together.view(np.int32) == matvec(packed, x).view(np.int32)).all()


def test_tensors_give_a_tensor_and_out_is_filled(torch):
    weights, x = random_product(8, 64)
    packed = quantize(torch.from_numpy(weights), "mxfp6_e3m2")
    out = torch.empty(8)
    assert matvec(packed, torch.from_numpy(x), out=out) is out
    assert torch.equal(out, matvec(packed, torch.from_numpy(x)))


def test_what_does_not_fit_is_one_line_that_says_so():
    def ones(*shape):
        return np.ones(shape, dtype=np.float32)

    packed, across, three = quantize(ones(4, 64), "mxfp4"), quantize(ones(4, 64), "mxfp4", axis=0), ones(2, 4, 64)
    needed = "matvec: weights must have shape (rows, columns) and axis=1, got"
    others = {
        "matvec: x must have shape (64,) for weights of (4, 64), got (63,)": (ValueError, packed, ones(63)),
        f"{needed} (4, 64), axis=0": (ValueError, across, ones(64)),
        f"{needed} (2, 4, 64)": (ValueError, quantize(three, "mxfp4"), ones(64)),
        "matvec: x must be float32, got float64": (TypeError, packed, np.ones(64)),
        "matvec: weights is a list": (TypeError, [packed], ones(64)),
        "matvec: out must be of the input's kind, shape=(4,)": (ValueError, packed, ones(64), ones(3)),
    }
    messages = {start: refusal(error, matvec, *given) for start, (error, *given) in others.items()}
    assert {start: message for start, message in messages.items() if not message.startswith(start)} == {}


def test_a_packed_matrix_that_was_pickled_multiplies_by_the_same_weights():
    weights, x = random_product(5, 96)
    multiply = PackedMatrix(quantize(weights, "mxfp4"))
    again = pickle.loads(pickle.dumps(multiply))
    expected = multiply(x)
    del multiply
    assert np.array_equal(again(x), expected)
