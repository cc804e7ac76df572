"""Unusual arguments of every function give the right numbers, or one line that says what is wrong."""

import operator
from dataclasses import replace

import numpy as np
import pytest

from jouleproof.formats import FORMATS, MXArray, fake_quantize, matvec, quantize
from tests.formats.generated import FMT, X, same_bits
from tests.formats.refusals import not_from, refusal

pytestmark = pytest.mark.usefixtures("one_thread")


def fake(x, fmt=FMT, **options):
    return fake_quantize(x, fmt, **options)


def read_back(x, fmt=FMT, **options):
    return quantize(x, fmt, **options).dequantize()


both_casts = pytest.mark.parametrize("cast", [fake, read_back])


@pytest.fixture
def odd(torch, t, packed):
    """Objects that are not plain arrays of numbers in memory, one for each way in which NumPy or torch reports it."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        fake_tensor = torch.empty(4, 64)
    return {
        "masked": np.ma.masked_array(X, mask=X > 1),
        "sparse": t.to_sparse(),
        "meta": t.to("meta"),
        "negated view": torch._neg_view(-t),
        "zero tensor": torch._efficientzerotensor((4, 64)),
        "fake tensor": fake_tensor,
        "bfloat16, negated": torch._neg_view(t.bfloat16()),
        "requires grad": t.clone().requires_grad_(),
        "list": X.tolist(),
        "none": None,
        "quantised": packed,
    }


def refused(call, *arguments, **named):
    return refusal((ValueError, TypeError), call, *arguments, **named)


def unnamed(error, call, cases):
    """Return the messages that lack a required part. cases: (arguments, named arguments, parts of the message)."""
    messages = [(refusal(error, call, *given, **named), parts) for given, named, parts in cases]
    return [message for message, parts in messages if not all(part in message for part in parts)]


# The array that is cast.


@both_casts
@pytest.mark.filterwarnings("ignore")
def test_an_input_that_cannot_be_read_is_refused_by_name(cast, odd):
    messages = {kind: refused(cast, x) for kind, x in odd.items()}
    assert not_from("fake_quantize: x " if cast is fake else "quantize: x ", messages) == {}
    for kind, said in {
        "meta": "is on meta",
        "requires grad": "requires grad, which would be lost",
        "list": "list",
    }.items():
        assert said in messages[kind]


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
@pytest.mark.filterwarnings("ignore:.*quantized tensor creation functions")
def test_another_dtype_is_an_error_that_names_it_and_the_right_ones(cast, torch, t):
    others = {
        "float64": X.astype(np.float64),
        "object": X.astype(object),
        ">f4": X.astype(">f4"),
        "complex64": X.astype(np.complex64),
        "bool": X > 0,
        "[('a', '<f4')]": np.zeros((4, 64), dtype=[("a", "f4")]),
        "int32": t.int(),
        "float8_e4m3fn": t.to(torch.float8_e4m3fn),
        "qint8": torch.quantize_per_tensor(t, 0.1, 0, torch.qint8),
    }
    cases = [((x,), {}, [f"x has dtype={name}, not one of float32, bfloat16, float16"]) for name, x in others.items()]
    assert unnamed(TypeError, cast, cases) == []


@both_casts
def test_an_array_without_elements_or_axes_is_an_error_that_names_its_shape(cast, torch):
    empty = [np.zeros(shape, dtype=np.float32) for shape in ((0,), (4, 0), (0, 32))]
    cases = [((x,), {}, [f"shape={x.shape}"]) for x in (*empty, np.array(1, dtype=np.float32))]
    assert unnamed(ValueError, cast, [*cases, ((torch.tensor(1.0),), {}, ["shape=()"])]) == []


@both_casts
@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_a_view_of_the_same_numbers_is_cast_like_a_plain_array(cast, torch, expected):
    class Plain(torch.Tensor):
        pass

    x, octets = X.copy(), np.zeros(X.nbytes + 1, dtype=np.uint8)
    unaligned = octets[1:].view(np.float32).reshape(X.shape)
    unaligned[...] = X
    views = {
        "matrix": np.matrix(x),
        "recarray": x.view(np.recarray),
        "unaligned": unaligned,
        "reversed": x[::-1, ::-1].copy()[::-1, ::-1],
        "Fortran": np.asfortranarray(x),
        "tensor": torch.from_numpy(x),
        "subclass": torch.from_numpy(x).as_subclass(Plain),
        "conjugate": torch.complex(torch.from_numpy(x), -torch.from_numpy(x)).conj().real,
        "transposed": torch.from_numpy(x.T.copy()).T,
    }
    assert [kind for kind, view in views.items() if not same_bits(np.asarray(cast(view)), expected)] == []


def test_numbers_in_inference_mode_are_cast_like_any(torch, t, expected):
    with torch.inference_mode():
        x = t.clone()
        assert same_bits(fake(x, out=x).numpy(), expected)


def test_a_result_lies_on_the_cpu_whatever_the_default_device(torch, t, expected):
    with torch.device("meta"):
        assert same_bits(fake(t).numpy(), expected) and same_bits(read_back(t).numpy(), expected)


def test_a_function_that_torch_maps_over_an_axis_is_refused(torch, t):
    assert "does not store plain numbers in memory" in refused(torch.func.vmap(fake), t)


# The options of a cast.


@both_casts
def test_a_wrong_option_is_an_error_that_names_it_and_the_right_ones(cast):
    cases = [
        *(((X, name), {}, [repr(name), *FORMATS]) for name in ("mxfp5", "", None, ["mxfp4"], 4)),
        *(((X,), {"scale": rule}, [repr(rule), "floor, ceil, even, rceil"]) for rule in ("round", None, 3)),
        *(((X,), {"rounding": name}, [repr(name), "even, away"]) for name in ("nearest", None, [])),
        *(((X,), {"axis": axis}, [f"an array of shape=(4, 64) has no axis={axis}"]) for axis in (2, -3, 10**30)),
    ]
    assert unnamed(ValueError, cast, cases) == []


@both_casts
def test_an_axis_that_is_no_whole_number_is_refused(cast):
    axes = [True, np.True_, 1.0, None, "1", (0,), float("nan")]
    cases = [((X,), {"axis": axis}, [f"axis must be an integer, got {axis!r}"]) for axis in axes]
    assert unnamed(TypeError, cast, cases) == []


def test_an_axis_may_be_any_kind_of_whole_number(torch, expected):
    axes = [np.int64(-1), np.uint8(1), np.array(1), torch.tensor(1)]
    arrays = [quantize(X, FMT, axis=axis) for axis in axes]
    assert [type(packed.axis) for packed in arrays] == [int] * 4
    pairs = zip(axes, arrays, strict=True)
    assert [axis for axis, packed in pairs if not same_bits(packed.dequantize(), expected)] == []


# MXArray.


def test_fields_that_do_not_fit_each_other_are_refused(packed, packed_t):
    fields = {
        "format by name": {"fmt": "mxfp4"},
        "shape as a list": {"shape": [4, 64]},
        "no axes": {"shape": ()},
        "shape of floats": {"shape": (4.0, 64)},
        "shape with a boolean": {"shape": (True, 64)},
        "empty": {"shape": (0, 64), "codes": packed.codes[:0], "scales": packed.scales[:0]},
        "negative": {"shape": (4, -64)},
        "huge": {"shape": (4, 10**30)},
        "axis beyond": {"axis": 2},
        "axis from the end": {"axis": -1},
        "axis of a boolean": {"axis": True},
        "no axis": {"axis": None},
        "codes as a list": {"codes": packed.codes.tolist()},
        "sparse codes": {"codes": packed_t.codes.to_sparse(), "scales": packed_t.scales},
        "codes elsewhere": {"codes": packed_t.codes.to("meta"), "scales": packed_t.scales},
        "masked scales": {"scales": np.ma.masked_array(packed.scales, mask=False)},
        "two kinds": {"scales": packed_t.scales},
        "two kinds, turned round": {"codes": packed_t.codes},
        "codes too short": {"codes": packed.codes[:, :, :-1]},
        "scales too long": {"scales": np.zeros((4, 3), dtype=np.uint8)},
        "signed codes": {"codes": packed.codes.view(np.int8)},
        "float scales": {"scales": packed.scales.astype(np.float32)},
    }
    given = {name: getattr(packed, name) for name in ("codes", "scales", "fmt", "shape", "axis")}
    messages = {what: refused(MXArray, **{**given, **changed}) for what, changed in fields.items()}
    assert not_from("MXArray: ", messages) == {}
    unfit = ["codes too short", "scales too long", "signed codes", "float scales"]
    assert [what for what in unfit if "shape=(4, 64), axis=1 needs shape=(4, 2" not in messages[what]] == []


@pytest.mark.parametrize("turn", [lambda a: a[..., ::-1].copy()[..., ::-1], np.asfortranarray])
def test_codes_may_lie_in_any_order_in_memory(turn, packed, expected):
    turned = replace(packed, codes=turn(packed.codes), scales=turn(packed.scales))
    assert same_bits(turned.dequantize(), expected)
    assert (matvec(turned, X[0]) == matvec(packed, X[0])).all()


# Custom scale rules.


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
    messages = {given: refused(cast, X, scale=rule) for given, rule in rules.items()}
    assert not_from("scale rule <lambda> must return one integer per block; got ", messages) == {}


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
