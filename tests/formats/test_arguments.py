"""Arguments of unusual kinds, to every function: the right numbers, or one line that says what is wrong."""

import operator
from dataclasses import replace

import numpy as np
import pytest

from jouleproof.formats import FORMATS, MXArray, fake_quantize, matvec, quantize
from tests.formats.drawn import same_bits
from tests.formats.refusals import refusal

pytestmark = pytest.mark.usefixtures("one_thread")
X = np.random.default_rng(0).standard_normal((4, 64)).astype(np.float32)
FMT = FORMATS["mxfp8_e4m3"]
both_casts = pytest.mark.parametrize("cast", ["fake", "read_back"])


@pytest.fixture(scope="module")
def t(torch):
    return torch.from_numpy(X)


@pytest.fixture(scope="module")
def packed():
    return quantize(X, FMT)


@pytest.fixture(scope="module")
def packed_t(t):
    return quantize(t, FMT)


@pytest.fixture(scope="module")
def expected():
    return fake_quantize(X, FMT)


def unaligned(x):
    octets = np.zeros(x.nbytes + 1, dtype=np.uint8)[1:]
    view = octets.view(x.dtype).reshape(x.shape)
    view[...] = x
    return view


def fake(x, **options):
    return fake_quantize(x, FMT, **options)


def read_back(x, **options):
    return quantize(x, FMT, **options).dequantize()


CASTS = {"fake": fake, "read_back": read_back}


@pytest.fixture
def odd(torch, t, packed):
    """What is no plain array of numbers in memory, by its kind."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        fake_tensor = torch.empty(4, 64)
    return {
        "masked": np.ma.masked_array(X, mask=X > 1),
        "sparse": t.to_sparse(),
        "mkldnn": t.to_mkldnn(),
        "meta": t.to("meta"),
        "negated view": torch._neg_view(-t),
        "imaginary part of a conjugate": torch.complex(t, -t).conj().imag,
        "zero tensor": torch._efficientzerotensor((4, 64)),
        "fake tensor": fake_tensor,
        "bfloat16, negated": torch._neg_view(t.bfloat16()),
        "nested": torch.nested.nested_tensor([t[0], t[1]], layout=torch.strided),
        "requires grad": t.clone().requires_grad_(),
        "computed from what requires grad": t.clone().requires_grad_() * 2,
        "list": X.tolist(),
        "text": "abc",
        "none": None,
        "quantised": packed,
    }


@pytest.fixture
def odd_dtypes(torch, t):
    return {
        "float64": X.astype(np.float64),
        "object": X.astype(object),
        "big-endian float32": X.astype(">f4"),
        "big-endian float16": X.astype(">f2"),
        "complex": X.astype(np.complex64),
        "boolean": X > 0,
        "record": np.zeros((4, 64), dtype=[("a", "f4")]),
        "float8": t.to(torch.float8_e4m3fn),
        "quantised by torch": torch.quantize_per_tensor(t, 0.1, 0, torch.qint8),
    }


def refused(call, *arguments, **named):
    return refusal((ValueError, TypeError), call, *arguments, **named)


def not_from(start, messages):
    """Those of the messages, by what was given, that do not begin so."""
    return {given: message for given, message in messages.items() if not message.startswith(start)}


@both_casts
@pytest.mark.filterwarnings("ignore")
def test_an_input_that_cannot_be_read_is_refused_by_name(cast, odd, odd_dtypes):
    messages = {kind: refused(CASTS[cast], x) for kind, x in {**odd, **odd_dtypes}.items()}
    assert not_from("fake_quantize: x " if cast == "fake" else "quantize: x ", messages) == {}


@pytest.mark.filterwarnings("ignore")
def test_a_vector_that_cannot_be_read_is_refused_by_name(odd, packed):
    assert not_from("matvec: x ", {kind: refused(matvec, packed, x) for kind, x in odd.items()}) == {}


@pytest.mark.filterwarnings("ignore")
def test_an_out_that_cannot_be_written_is_refused_by_name(odd, t, packed_t):
    outs = {**odd, "none": 0}
    fakes = {kind: refused(fake, t, out=out) for kind, out in outs.items()}
    values = {kind: refused(packed_t.dequantize, out=out) for kind, out in outs.items()}
    products = {kind: refused(matvec, packed_t, t[0], out=out) for kind, out in outs.items()}
    assert not_from("fake_quantize: out ", fakes) == {}
    assert not_from("dequantize: out ", values) == {}
    assert not_from("matvec: out ", products) == {}


@both_casts
@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_a_view_of_the_same_numbers_is_cast_like_a_plain_array(cast, torch, expected):
    class Plain(torch.Tensor):
        pass

    x = X.copy()
    views = {
        "matrix": np.matrix(x),
        "recarray": x.view(np.recarray),
        "unaligned": unaligned(x),
        "reversed": x[::-1, ::-1].copy()[::-1, ::-1],
        "Fortran": np.asfortranarray(x),
        "tensor": torch.from_numpy(x),
        "subclass": torch.from_numpy(x).as_subclass(Plain),
        "conjugate": torch.complex(torch.from_numpy(x), -torch.from_numpy(x)).conj().real,
        "transposed": torch.from_numpy(x.T.copy()).T,
    }
    assert [kind for kind, view in views.items() if not same_bits(np.asarray(CASTS[cast](view)), expected)] == []


def test_numbers_in_inference_mode_are_cast_like_any(torch, t, expected):
    with torch.inference_mode():
        x = t.clone()
        assert same_bits(fake(x, out=x).numpy(), expected)


def test_a_result_lies_on_the_cpu_whatever_the_default_device(torch, t, expected):
    with torch.device("meta"):
        assert same_bits(fake(t).numpy(), expected) and same_bits(read_back(t).numpy(), expected)


def test_a_function_that_torch_maps_over_an_axis_is_refused(torch, t):
    assert "not plain numbers in memory" in refused(torch.func.vmap(fake), t)


@both_casts
def test_an_axis_that_is_no_whole_number_is_refused(cast):
    axes = [True, np.True_, 1.0, None, "1", (0,), float("nan")]
    messages = {f"axis={axis!r} is not a whole number": refused(CASTS[cast], X, axis=axis) for axis in axes}
    assert {said: message for said, message in messages.items() if said not in message} == {}


def test_an_axis_beyond_the_shape_is_refused():
    axes = (2, -3, 10**30)
    said = {f"axis={axis} does not exist in an array of shape=(4, 64)": refused(fake, X, axis=axis) for axis in axes}
    assert {words: message for words, message in said.items() if words not in message} == {}


def test_an_axis_may_be_any_kind_of_whole_number(torch, expected):
    axes = [np.int64(-1), np.uint8(1), np.array(1), torch.tensor(1)]
    found = [quantize(X, FMT, axis=axis) for axis in axes]
    assert [type(each.axis) for each in found] == [int] * 4
    assert [axis for axis, each in zip(axes, found, strict=True) if not same_bits(each.dequantize(), expected)] == []


# Where results go.


def test_an_out_whose_elements_share_memory_is_refused(torch, t, packed, packed_t):
    outs = {
        "broadcast": (X, packed, np.lib.stride_tricks.as_strided(np.zeros(64, np.float32), (4, 64), (0, 4))),
        "windows": (X, packed, np.lib.stride_tricks.as_strided(np.zeros(128, np.float32), (4, 64), (4, 4))),
        "expanded": (t, packed_t, torch.zeros(1, 64).expand(4, 64)),
    }
    fakes = {kind: refused(fake, x, out=out) for kind, (x, _, out) in outs.items()}
    values = {kind: refused(array.dequantize, out=out) for kind, (_, array, out) in outs.items()}
    assert not_from("fake_quantize: out has elements that share memory", fakes) == {}
    assert not_from("dequantize: out has elements that share memory", values) == {}
    assert [kind for kind, (*_, out) in outs.items() if np.asarray(out).any()] == []


def test_codes_and_scales_that_share_memory_are_no_place_to_write(packed):
    octets = np.zeros(264, dtype=np.uint8)
    out = replace(packed, codes=octets[:256].reshape(4, 2, 32), scales=octets[250:258].reshape(4, 2))
    assert "codes and scales that share memory" in refused(quantize, X, FMT, out=out)


def test_codes_and_scales_may_lie_in_each_others_gaps(packed):
    octets = np.zeros((4, 2, 33), dtype=np.uint8)
    quantize(X, FMT, out=replace(packed, codes=octets[:, :, 1:], scales=octets[:, :, 0]))
    assert (octets[:, :, 1:] == packed.codes).all() and (octets[:, :, 0] == packed.scales).all()


@pytest.mark.parametrize("what", ["codes", "scales"])
def test_a_read_only_packed_out_is_refused(what, packed):
    part = getattr(packed, what).copy()
    part.flags.writeable = False
    assert "quantize: out is read-only" in refused(quantize, X, FMT, out=replace(packed, **{what: part}))


def test_a_packed_out_that_is_no_mxarray_is_refused(packed):
    outs = [X, (packed.codes, packed.scales), "mxfp4", 0]
    messages = [refused(quantize, X, FMT, out=out) for out in outs]
    assert [message for message in messages if "not an MXArray" not in message] == []


def test_a_product_is_not_written_into_a_read_only_array(packed):
    out = np.zeros(4, dtype=np.float32)
    out.flags.writeable = False
    assert "matvec: out is read-only" in refused(matvec, packed, X[0], out=out)
    assert not out.any()


def test_a_product_is_not_written_into_an_array_of_another_kind(torch, packed):
    assert "out is a Tensor" in refused(matvec, packed, X[0], out=torch.zeros(4))


def test_a_product_is_written_into_every_second_element(packed):
    out = np.zeros(8, dtype=np.float32)
    matvec(packed, X[0], out=out[::2])
    assert (out[::2] == matvec(packed, X[0])).all() and not out[1::2].any()


def test_a_product_of_what_is_no_mxarray_is_refused(packed):
    others = [None, X, "mxfp4", (packed.codes, packed.scales)]
    messages = [refused(matvec, weights, X[0]) for weights in others]
    assert [message for message in messages if "matvec: weights is a" not in message] == []


# What lies in the same memory.


def overlapping(shift, forwards):
    """What a cast of a part of some memory into another one gives, and what it should."""
    memory = np.random.default_rng(1).standard_normal(400).astype(np.float32)
    x, out = memory[:256].reshape(4, 64), memory[shift : shift + 256].reshape(4, 64)
    x, out = (x, out) if forwards else (out, x)
    right = fake(x.copy())
    return fake(x, out=out), right


def test_an_out_that_overlaps_the_input_gets_what_a_copy_gets():
    places = [(shift, forwards) for shift in (1, 8, 32, 63, 64, 100) for forwards in (True, False)]
    assert [place for place in places if not same_bits(*overlapping(*place))] == []


@pytest.mark.parametrize("axis", [0, 1])
def test_an_out_that_is_the_input_turned_round_gets_what_a_copy_gets(axis):
    turns = {
        "transposed": lambda x: x.T,
        "upside down": lambda x: x[::-1],
        "from right to left": lambda x: x[:, ::-1],
        "both, transposed": lambda x: x[::-1, ::-1].T,
    }
    wrong = []
    for name, turn in turns.items():
        x = np.random.default_rng(1).standard_normal((70, 70)).astype(np.float32)
        right = fake(x.copy(), axis=axis)
        if not same_bits(fake(x, axis=axis, out=turn(x)), right):
            wrong.append(name)
    assert wrong == []


PLACES = [slice(0, 256), slice(100, 356), slice(768, 1024)]


def test_codes_may_be_written_over_the_input(packed):
    wrong = []
    for place in PLACES:
        x = X.copy()
        codes = x.reshape(-1).view(np.uint8)[place].reshape(4, 2, 32)
        out = quantize(x, FMT, out=replace(packed, codes=codes, scales=np.zeros((4, 2), dtype=np.uint8)))
        if not ((out.codes == packed.codes).all() and (out.scales == packed.scales).all()):
            wrong.append(place)
    assert wrong == []


def test_values_may_be_written_over_their_codes(packed, expected):
    wrong = []
    for place in PLACES:
        out = np.zeros((4, 64), dtype=np.float32)
        codes = out.reshape(-1).view(np.uint8)[place].reshape(4, 2, 32)
        codes[...] = packed.codes
        if not same_bits(replace(packed, codes=codes).dequantize(out=out), expected):
            wrong.append(place)
    assert wrong == []


@pytest.mark.parametrize("first", [1.0, np.inf])
def test_a_product_may_be_written_over_its_vector(first, packed):
    x = X[0].copy()
    x[0] = first
    right = matvec(packed, x.copy())
    assert same_bits(matvec(packed, x, out=x[:4]), right)


# Autograd.


def test_autograd_notices_that_a_tensor_it_saved_was_overwritten(torch, t):
    weight, x = torch.ones(4, 64, requires_grad=True), t.clone()
    loss = (weight * x).sum()
    fake(torch.zeros(4, 64), out=x)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@pytest.mark.parametrize("function", ["fake_quantize", "dequantize", "matvec"])
def test_a_leaf_that_autograd_watches_is_overwritten_only_where_no_gradient_is_asked_for(function, torch, t, packed_t):
    out = torch.zeros(4 if function == "matvec" else (4, 64), requires_grad=True)

    def write():
        if function == "matvec":
            return matvec(packed_t, t[0], out=out)
        return fake(t, out=out) if function == "fake_quantize" else packed_t.dequantize(out=out)

    assert f"{function}: out requires grad" in refused(write)
    assert not out.any()
    with torch.no_grad():
        assert write() is out and out.any()


# MXArray.


def test_fields_that_do_not_fit_each_other_are_refused(packed, packed_t):
    fields = {
        "format by name": {"fmt": "mxfp4"},
        "no format": {"fmt": None},
        "shape as a list": {"shape": [4, 64]},
        "shape as an array": {"shape": np.array([4, 64])},
        "no shape": {"shape": None},
        "no axes": {"shape": ()},
        "shape of floats": {"shape": (4.0, 64)},
        "shape with a boolean": {"shape": (True, 64)},
        "empty": {"shape": (0, 64), "codes": packed.codes[:0], "scales": packed.scales[:0]},
        "negative": {"shape": (4, -64)},
        "huge": {"shape": (4, 10**30)},
        "axis beyond": {"axis": 2},
        "axis from the end": {"axis": -1},
        "axis of a boolean": {"axis": True},
        "axis of a float": {"axis": 1.0},
        "no axis": {"axis": None},
        "codes as a list": {"codes": packed.codes.tolist()},
        "no codes": {"codes": None},
        "sparse codes": {"codes": packed_t.codes.to_sparse(), "scales": packed_t.scales},
        "codes elsewhere": {"codes": packed_t.codes.to("meta"), "scales": packed_t.scales},
        "masked scales": {"scales": np.ma.masked_array(packed.scales, mask=False)},
        "two kinds": {"scales": packed_t.scales},
        "two kinds, turned round": {"codes": packed_t.codes},
        "codes too short": {"codes": packed.codes[:, :, :-1]},
        "scales too long": {"scales": np.zeros((4, 3), dtype=np.uint8)},
        "signed codes": {"codes": packed.codes.view(np.int8)},
    }
    given = {name: getattr(packed, name) for name in ("codes", "scales", "fmt", "shape", "axis")}
    messages = {what: refused(MXArray, **{**given, **changed}) for what, changed in fields.items()}
    assert not_from("MXArray: ", messages) == {}


@pytest.mark.parametrize("turn", [lambda a: a[..., ::-1].copy()[..., ::-1], np.asfortranarray])
def test_codes_may_lie_in_any_order_in_memory(turn, packed, expected):
    turned = replace(packed, codes=turn(packed.codes), scales=turn(packed.scales))
    assert same_bits(turned.dequantize(), expected)
    assert (matvec(turned, X[0]) == matvec(packed, X[0])).all()


# Scale rules of a user's own.


@both_casts
def test_a_rule_that_gives_no_exponents_is_refused(cast):
    rules = {
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
    messages = {given: refused(CASTS[cast], X, scale=rule) for given, rule in rules.items()}
    assert not_from("scale rule <lambda>: gave ", messages) == {}


def test_a_rule_may_give_whole_numbers_of_any_kind(torch, expected):
    rules = {
        "floats": lambda amax, fmt: np.floor(np.log2(amax)) - fmt.emax,
        "narrow": lambda amax, fmt: (np.frexp(amax)[1] - 1 - fmt.emax).astype(np.int8),
        "a list": lambda amax, fmt: (np.frexp(amax)[1] - 1 - fmt.emax).tolist(),
        "tensors": lambda amax, fmt: torch.from_numpy(np.frexp(amax)[1] - 1 - fmt.emax),
    }
    assert [kind for kind, rule in rules.items() if not same_bits(fake(X, scale=rule), expected)] == []


def test_exponents_beyond_what_a_scale_holds_are_clamped():
    def all_of(exponent):
        return quantize(X, FMT, scale=lambda amax, fmt: np.full(amax.shape, exponent)).scales

    assert [exponent for exponent in (1e30, 10**6, np.uint64(2**63)) if (all_of(exponent) != 254).any()] == []


def test_a_rule_is_not_asked_about_blocks_that_have_no_size():
    def rule(amax, fmt):
        return np.full(amax.shape, operator.index(amax.argmax()))  # fails on an empty array

    x = np.zeros((2, 32), dtype=np.float32)
    x[1, 0] = np.nan
    assert np.isnan(fake(x, scale=rule)[1]).all()


def test_a_rule_that_cannot_be_hashed_is_followed(expected):
    class Rule:
        __hash__ = None

        def __call__(self, amax, fmt):
            return np.frexp(amax)[1] - 1 - fmt.emax

    assert same_bits(fake(X, scale=Rule()), expected)


def test_a_rule_that_spoils_what_it_is_given_spoils_nothing_else(expected):
    def rule(amax, fmt):
        exponent = np.frexp(amax)[1] - 1 - fmt.emax
        amax[:] = 0
        return exponent

    x = X.copy()
    assert same_bits(fake(x, scale=rule), expected) and same_bits(x, X)
