"""Arguments of unusual kinds, to every function: the right numbers, or one line that says what is wrong."""

import operator
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from jouleproof.formats import FORMATS, fake_quantize, matvec, quantize
from tests.formats.drawn import same_bits

X = np.random.default_rng(0).standard_normal((4, 64)).astype(np.float32)
T = torch.from_numpy(X)
FMT = FORMATS["mxfp8_e4m3"]
PACKED, PACKED_T = quantize(X, FMT), quantize(T, FMT)
EXPECTED = fake_quantize(X, FMT)


def fake_tensor():
    with FakeTensorMode():
        return torch.empty(4, 64)


class Plain(torch.Tensor):
    pass


def unaligned(x):
    octets = np.zeros(x.nbytes + 1, dtype=np.uint8)[1:]
    view = octets.view(x.dtype).reshape(x.shape)
    view[...] = x
    return view


def fake(x, **options):
    return fake_quantize(x, FMT, **options)


def read_back(x, **options):
    return quantize(x, FMT, **options).dequantize()


ODD = {
    "masked": lambda: np.ma.masked_array(X, mask=X > 1),
    "sparse": lambda: T.to_sparse(),
    "mkldnn": lambda: T.to_mkldnn(),
    "meta": lambda: T.to("meta"),
    "negated view": lambda: torch._neg_view(-T),
    "imaginary part of a conjugate": lambda: torch.complex(T, -T).conj().imag,
    "zero tensor": lambda: torch._efficientzerotensor((4, 64)),
    "fake tensor": fake_tensor,
    "bfloat16, negated": lambda: torch._neg_view(T.bfloat16()),
    "nested": lambda: torch.nested.nested_tensor([T[0], T[1]], layout=torch.strided),
    "requires grad": lambda: T.clone().requires_grad_(),
    "computed from what requires grad": lambda: T.clone().requires_grad_() * 2,
    "list": lambda: X.tolist(),
    "text": lambda: "abc",
    "none": lambda: None,
    "quantised": lambda: PACKED,
}
ODD_DTYPES = {
    "float64": lambda: X.astype(np.float64),
    "object": lambda: X.astype(object),
    "big-endian float32": lambda: X.astype(">f4"),
    "big-endian float16": lambda: X.astype(">f2"),
    "complex": lambda: X.astype(np.complex64),
    "boolean": lambda: X > 0,
    "record": lambda: np.zeros((4, 64), dtype=[("a", "f4")]),
    "float8": lambda: T.to(torch.float8_e4m3fn),
    "quantised by torch": lambda: torch.quantize_per_tensor(T, 0.1, 0, torch.qint8),
}


def refused(call, *arguments, **named):
    with pytest.raises((ValueError, TypeError)) as caught:
        call(*arguments, **named)
    message = str(caught.value)
    assert "\n" not in message and len(message) < 300
    return message


@pytest.mark.parametrize("cast", [fake, read_back])
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("make", [*ODD.values(), *ODD_DTYPES.values()], ids=[*ODD, *ODD_DTYPES])
def test_an_input_that_cannot_be_read_is_refused_by_name(cast, make):
    name = "fake_quantize" if cast is fake else "quantize"
    assert refused(cast, make()).startswith(f"{name}: x ")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("make", ODD.values(), ids=ODD)
def test_a_vector_that_cannot_be_read_is_refused_by_name(make):
    assert refused(matvec, PACKED, make()).startswith("matvec: x ")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("make", ODD.values(), ids=ODD)
def test_an_out_that_cannot_be_written_is_refused_by_name(make):
    out = 0 if make() is None else make()
    assert refused(fake, T, out=out).startswith("fake_quantize: out ")
    assert refused(PACKED_T.dequantize, out=out).startswith("dequantize: out ")
    assert refused(matvec, PACKED_T, T[0], out=out).startswith("matvec: out ")


@pytest.mark.parametrize(
    "view",
    [
        np.matrix,
        lambda x: x.view(np.recarray),
        unaligned,
        lambda x: x[::-1, ::-1].copy()[::-1, ::-1],
        np.asfortranarray,
        torch.from_numpy,
        lambda x: torch.from_numpy(x).as_subclass(Plain),
        lambda x: torch.complex(torch.from_numpy(x), -torch.from_numpy(x)).conj().real,
        lambda x: torch.from_numpy(x.T.copy()).T,
    ],
    ids=["matrix", "recarray", "unaligned", "reversed", "Fortran", "tensor", "subclass", "conjugate", "transposed"],
)
@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
@pytest.mark.parametrize("cast", [fake, read_back])
def test_a_view_of_the_same_numbers_is_cast_like_a_plain_array(view, cast):
    assert same_bits(np.asarray(cast(view(X.copy()))), EXPECTED)


def test_numbers_in_inference_mode_are_cast_like_any():
    with torch.inference_mode():
        x = T.clone()
        assert same_bits(fake(x, out=x).numpy(), EXPECTED)


def test_a_result_lies_on_the_cpu_whatever_the_default_device():
    with torch.device("meta"):
        assert same_bits(fake(T).numpy(), EXPECTED) and same_bits(read_back(T).numpy(), EXPECTED)


def test_a_function_that_torch_maps_over_an_axis_is_refused():
    assert "not plain numbers in memory" in refused(torch.func.vmap(fake), T)


@pytest.mark.parametrize("cast", [fake, read_back])
@pytest.mark.parametrize("axis", [True, np.True_, 1.0, None, "1", (0,), float("nan")])
def test_an_axis_that_is_no_whole_number_is_refused(cast, axis):
    assert f"axis={axis!r} is not a whole number" in refused(cast, X, axis=axis)


@pytest.mark.parametrize("axis", [2, -3, 10**30])
def test_an_axis_beyond_the_shape_is_refused(axis):
    assert f"axis={axis} does not exist in an array of shape=(4, 64)" in refused(fake, X, axis=axis)


@pytest.mark.parametrize("axis", [np.int64(-1), np.uint8(1), np.array(1), torch.tensor(1)])
def test_an_axis_may_be_any_kind_of_whole_number(axis):
    packed = quantize(X, FMT, axis=axis)
    assert type(packed.axis) is int and same_bits(packed.dequantize(), EXPECTED)


# Where results go.


@pytest.mark.parametrize(
    "out",
    [
        np.lib.stride_tricks.as_strided(np.zeros(64, np.float32), (4, 64), (0, 4)),
        np.lib.stride_tricks.as_strided(np.zeros(128, np.float32), (4, 64), (4, 4)),
        torch.zeros(1, 64).expand(4, 64),
    ],
    ids=["broadcast", "windows", "expanded"],
)
def test_an_out_whose_elements_share_memory_is_refused(out):
    x, packed = (T, PACKED_T) if isinstance(out, torch.Tensor) else (X, PACKED)
    assert "fake_quantize: out has elements that share memory" in refused(fake, x, out=out)
    assert "dequantize: out has elements that share memory" in refused(packed.dequantize, out=out)
    assert not np.asarray(out).any()


def test_codes_and_scales_that_share_memory_are_no_place_to_write():
    octets = np.zeros(264, dtype=np.uint8)
    out = replace(PACKED, codes=octets[:256].reshape(4, 2, 32), scales=octets[250:258].reshape(4, 2))
    assert "codes and scales that share memory" in refused(quantize, X, FMT, out=out)


def test_codes_and_scales_may_lie_in_each_others_gaps():
    octets = np.zeros((4, 2, 33), dtype=np.uint8)
    quantize(X, FMT, out=replace(PACKED, codes=octets[:, :, 1:], scales=octets[:, :, 0]))
    assert (octets[:, :, 1:] == PACKED.codes).all() and (octets[:, :, 0] == PACKED.scales).all()


@pytest.mark.parametrize("what", ["codes", "scales"])
def test_a_read_only_packed_out_is_refused(what):
    part = getattr(PACKED, what).copy()
    part.flags.writeable = False
    assert "quantize: out is read-only" in refused(quantize, X, FMT, out=replace(PACKED, **{what: part}))


@pytest.mark.parametrize("out", [X, (PACKED.codes, PACKED.scales), "mxfp4", 0])
def test_a_packed_out_that_is_no_mxarray_is_refused(out):
    assert "not an MXArray" in refused(quantize, X, FMT, out=out)


def test_a_product_is_not_written_into_a_read_only_array():
    out = np.zeros(4, dtype=np.float32)
    out.flags.writeable = False
    assert "matvec: out is read-only" in refused(matvec, PACKED, X[0], out=out)
    assert not out.any()


def test_a_product_is_not_written_into_an_array_of_another_kind():
    assert "out is a Tensor" in refused(matvec, PACKED, X[0], out=torch.zeros(4))


def test_a_product_is_written_into_every_second_element():
    out = np.zeros(8, dtype=np.float32)
    matvec(PACKED, X[0], out=out[::2])
    assert (out[::2] == matvec(PACKED, X[0])).all() and not out[1::2].any()


@pytest.mark.parametrize("weights", [None, X, "mxfp4", (PACKED.codes, PACKED.scales)])
def test_a_product_of_what_is_no_mxarray_is_refused(weights):
    assert "matvec: weights is a" in refused(matvec, weights, X[0])


# What lies in the same memory.


@pytest.mark.parametrize("shift", [1, 8, 32, 63, 64, 100])
@pytest.mark.parametrize("forwards", [True, False])
def test_an_out_that_overlaps_the_input_gets_what_a_copy_gets(shift, forwards):
    memory = np.random.default_rng(1).standard_normal(400).astype(np.float32)
    x, out = memory[:256].reshape(4, 64), memory[shift : shift + 256].reshape(4, 64)
    x, out = (x, out) if forwards else (out, x)
    expected = fake(x.copy())
    assert same_bits(fake(x, out=out), expected)


@pytest.mark.parametrize("turn", [lambda x: x.T, lambda x: x[::-1], lambda x: x[:, ::-1], lambda x: x[::-1, ::-1].T])
@pytest.mark.parametrize("axis", [0, 1])
def test_an_out_that_is_the_input_turned_round_gets_what_a_copy_gets(turn, axis):
    x = np.random.default_rng(1).standard_normal((70, 70)).astype(np.float32)
    expected = fake(x.copy(), axis=axis)
    assert same_bits(fake(x, axis=axis, out=turn(x)), expected)


@pytest.mark.parametrize("place", [slice(0, 256), slice(100, 356), slice(768, 1024)])
def test_codes_may_be_written_over_the_input(place):
    x = X.copy()
    codes = x.reshape(-1).view(np.uint8)[place].reshape(4, 2, 32)
    out = quantize(x, FMT, out=replace(PACKED, codes=codes, scales=np.zeros((4, 2), dtype=np.uint8)))
    assert (out.codes == PACKED.codes).all() and (out.scales == PACKED.scales).all()


@pytest.mark.parametrize("place", [slice(0, 256), slice(100, 356), slice(768, 1024)])
def test_values_may_be_written_over_their_codes(place):
    out = np.zeros((4, 64), dtype=np.float32)
    codes = out.reshape(-1).view(np.uint8)[place].reshape(4, 2, 32)
    codes[...] = PACKED.codes
    assert same_bits(replace(PACKED, codes=codes).dequantize(out=out), EXPECTED)


@pytest.mark.parametrize("first", [1.0, np.inf])
def test_a_product_may_be_written_over_its_vector(first):
    x = X[0].copy()
    x[0] = first
    expected = matvec(PACKED, x.copy())
    assert same_bits(matvec(PACKED, x, out=x[:4]), expected)


# Autograd.


def test_autograd_notices_that_a_tensor_it_saved_was_overwritten():
    weight, x = torch.ones(4, 64, requires_grad=True), T.clone()
    loss = (weight * x).sum()
    fake(torch.zeros(4, 64), out=x)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@pytest.mark.parametrize("function", ["fake_quantize", "dequantize", "matvec"])
def test_a_leaf_that_autograd_watches_is_overwritten_only_where_no_gradient_is_asked_for(function):
    out = torch.zeros(4 if function == "matvec" else (4, 64), requires_grad=True)

    def write():
        if function == "matvec":
            return matvec(PACKED_T, T[0], out=out)
        return fake(T, out=out) if function == "fake_quantize" else PACKED_T.dequantize(out=out)

    assert f"{function}: out requires grad" in refused(write)
    assert not out.any()
    with torch.no_grad():
        assert write() is out and out.any()


# MXArray.

FIELDS = {
    "format by name": {"fmt": "mxfp4"},
    "no format": {"fmt": None},
    "shape as a list": {"shape": [4, 64]},
    "shape as an array": {"shape": np.array([4, 64])},
    "no shape": {"shape": None},
    "no axes": {"shape": ()},
    "shape of floats": {"shape": (4.0, 64)},
    "shape with a boolean": {"shape": (True, 64)},
    "empty": {"shape": (0, 64), "codes": PACKED.codes[:0], "scales": PACKED.scales[:0]},
    "negative": {"shape": (4, -64)},
    "huge": {"shape": (4, 10**30)},
    "axis beyond": {"axis": 2},
    "axis from the end": {"axis": -1},
    "axis of a boolean": {"axis": True},
    "axis of a float": {"axis": 1.0},
    "no axis": {"axis": None},
    "codes as a list": {"codes": PACKED.codes.tolist()},
    "no codes": {"codes": None},
    "sparse codes": {"codes": PACKED_T.codes.to_sparse(), "scales": PACKED_T.scales},
    "codes elsewhere": {"codes": PACKED_T.codes.to("meta"), "scales": PACKED_T.scales},
    "masked scales": {"scales": np.ma.masked_array(PACKED.scales, mask=False)},
    "two kinds": {"scales": PACKED_T.scales},
    "two kinds, turned round": {"codes": PACKED_T.codes},
    "codes too short": {"codes": PACKED.codes[:, :, :-1]},
    "scales too long": {"scales": np.zeros((4, 3), dtype=np.uint8)},
    "signed codes": {"codes": PACKED.codes.view(np.int8)},
}


@pytest.mark.parametrize("changed", FIELDS.values(), ids=FIELDS)
def test_fields_that_do_not_fit_each_other_are_refused(changed):
    assert refused(replace, PACKED, **changed).startswith("MXArray: ")


@pytest.mark.parametrize("turn", [lambda a: a[..., ::-1].copy()[..., ::-1], np.asfortranarray])
def test_codes_may_lie_in_any_order_in_memory(turn):
    turned = replace(PACKED, codes=turn(PACKED.codes), scales=turn(PACKED.scales))
    assert same_bits(turned.dequantize(), EXPECTED)
    assert (matvec(turned, X[0]) == matvec(PACKED, X[0])).all()


# Scale rules of a user's own.

RULES = {
    "nothing": lambda amax, fmt: None,
    "one for all": lambda amax, fmt: 0,
    "too few": lambda amax, fmt: np.zeros(3, dtype=np.int32),
    "a column": lambda amax, fmt: np.zeros((len(amax), 1), dtype=np.int32),
    "halves": lambda amax, fmt: np.full(amax.shape, 0.5),
    "NaN": lambda amax, fmt: np.full(amax.shape, np.nan),
    "infinities": lambda amax, fmt: np.full(amax.shape, -np.inf),
    "booleans": lambda amax, fmt: amax > 0,
    "complex": lambda amax, fmt: amax * 1j,
    "text": lambda amax, fmt: np.full(amax.shape, "1"),
    "objects": lambda amax, fmt: np.zeros(amax.shape, dtype=object),
}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@pytest.mark.parametrize("cast", [fake, read_back])
def test_a_rule_that_gives_no_exponents_is_refused(cast, rule):
    assert refused(cast, X, scale=rule).startswith("scale rule <lambda>: gave ")


EXPONENTS = {
    "floats": lambda amax, fmt: np.floor(np.log2(amax)) - fmt.emax,
    "narrow": lambda amax, fmt: (np.frexp(amax)[1] - 1 - fmt.emax).astype(np.int8),
    "a list": lambda amax, fmt: (np.frexp(amax)[1] - 1 - fmt.emax).tolist(),
    "tensors": lambda amax, fmt: torch.from_numpy(np.frexp(amax)[1] - 1 - fmt.emax),
}


@pytest.mark.parametrize("rule", EXPONENTS.values(), ids=EXPONENTS)
def test_a_rule_may_give_whole_numbers_of_any_kind(rule):
    assert same_bits(fake(X, scale=rule), EXPECTED)


@pytest.mark.parametrize("exponent", [1e30, 10**6, np.uint64(2**63)])
def test_exponents_beyond_what_a_scale_holds_are_clamped(exponent):
    packed = quantize(X, FMT, scale=lambda amax, fmt: np.full(amax.shape, exponent))
    assert (packed.scales == 254).all()


def test_a_rule_is_not_asked_about_blocks_that_have_no_size():
    def rule(amax, fmt):
        return np.full(amax.shape, operator.index(amax.argmax()))  # fails on an empty array

    x = np.zeros((2, 32), dtype=np.float32)
    x[1, 0] = np.nan
    assert np.isnan(fake(x, scale=rule)[1]).all()


def test_a_rule_that_cannot_be_hashed_is_followed():
    class Rule:
        __hash__ = None

        def __call__(self, amax, fmt):
            return np.frexp(amax)[1] - 1 - fmt.emax

    assert same_bits(fake(X, scale=Rule()), EXPECTED)


def test_a_rule_that_spoils_what_it_is_given_spoils_nothing_else():
    def rule(amax, fmt):
        exponent = np.frexp(amax)[1] - 1 - fmt.emax
        amax[:] = 0
        return exponent

    x = X.copy()
    assert same_bits(fake(x, scale=rule), EXPECTED) and same_bits(x, X)
