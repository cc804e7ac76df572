"""`out=`: results that are written to given memory, which is separate from the input, or overlaps it."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from jouleproof.formats import fake_quantize, matvec, quantize
from tests.formats.generated import FMT, X, numbers, same_bits
from tests.formats.refusals import not_from, refusal

pytestmark = pytest.mark.usefixtures("one_thread")
fake = partial(fake_quantize, fmt=FMT)


@pytest.fixture(params=["numpy", "torch"])
def as_kind(request):
    """A function that copies an array as this kind (NumPy or torch)."""
    if request.param == "numpy":
        return np.copy
    torch = request.getfixturevalue("torch")
    return lambda x: torch.from_numpy(x.copy())


@pytest.mark.parametrize("axis", [0, 1])
def test_fake_quantize_writes_into_out_and_returns_it(as_kind, axis):
    x, out = as_kind(numbers((4, 70))), as_kind(np.zeros((4, 70), dtype=np.float32))
    result = fake_quantize(x, FMT, axis=axis, out=out)
    assert result is out and same_bits(np.asarray(out), fake_quantize(np.asarray(x), FMT, axis=axis))


@pytest.mark.parametrize("axis", [0, 1])
def test_fake_quantize_may_overwrite_its_input(as_kind, axis):
    x = as_kind(numbers((4, 64)))
    expected = fake_quantize(numbers((4, 64)), FMT, axis=axis)
    fake_quantize(x, FMT, axis=axis, out=x)
    assert same_bits(np.asarray(x), expected)


def test_dequantize_writes_into_out_and_returns_it(as_kind):
    x = numbers((4, 70))
    out = as_kind(np.zeros_like(x))
    result = quantize(as_kind(x), FMT).dequantize(out=out)
    assert result is out and same_bits(np.asarray(out), fake_quantize(x, FMT))


def test_quantize_writes_into_out_and_returns_it(as_kind):
    out = quantize(as_kind(numbers((4, 70), seed=1)), FMT)
    x = numbers((4, 70))
    result = quantize(as_kind(x), FMT, out=out)
    assert result is out and same_bits(np.asarray(out.dequantize()), fake_quantize(x, FMT))


def test_results_are_written_into_views(packed, expected):
    def view(array):
        """Return a view of zeros: every second element of a larger, transposed array."""
        return np.zeros([2 * length for length in array.shape[::-1]], dtype=array.dtype).T[(np.s_[::2],) * array.ndim]

    cast, values, product, parts = view(X), view(X), view(X[:, 0]), [view(packed.codes), view(packed.scales)]
    fake_quantize(X, FMT, out=cast)
    packed.dequantize(out=values)
    matvec(packed, X[0], out=product)
    quantize(X, FMT, out=replace(packed, codes=parts[0], scales=parts[1]))
    assert same_bits(cast, expected) and same_bits(values, expected) and same_bits(product, matvec(packed, X[0]))
    assert (parts[0] == packed.codes).all() and (parts[1] == packed.scales).all()
    assert not any(written.base[1::2].any() for written in (cast, values, product, *parts))


@pytest.mark.parametrize("function", ["fake_quantize", "dequantize"])
def test_an_out_that_does_not_fit_is_an_error_that_says_what_would(function, torch):
    x = numbers((4, 70))
    call, given = (fake_quantize, (x, FMT)) if function == "fake_quantize" else (quantize(x, FMT).dequantize, ())
    others = {
        "shape=(4, 69)": np.zeros((4, 69), dtype=np.float32),
        "shape=(70, 4)": np.zeros((70, 4), dtype=np.float32),
        "dtype=float16": np.zeros((4, 70), dtype=np.float16),
        "dtype=float64": np.zeros((4, 70)),
        "Tensor": torch.zeros((4, 70)),
    }
    messages = {complaint: refusal(ValueError, call, *given, out=out) for complaint, out in others.items()}
    assert not_from(f"{function}: ", messages) == {}
    needed = "shape=(4, 70), dtype=float32"
    assert {said: text for said, text in messages.items() if not (said in text and needed in text)} == {}
    assert [said for said, out in others.items() if out.any()] == []


def test_the_out_of_a_narrow_array_has_its_dtype():
    x = numbers((4, 70)).astype(np.float16)
    with pytest.raises(ValueError, match="dtype=float16"):
        fake_quantize(x, FMT, out=np.zeros((4, 70), dtype=np.float32))


def test_a_packed_out_that_does_not_fit_is_an_error_that_says_what_would(torch):
    x = numbers((4, 70))
    outs = {
        "shape": quantize(numbers((4, 69)), FMT),
        "axis": quantize(x, FMT, axis=0),
        "format": quantize(x, "mxfp4"),
        "kind": quantize(torch.from_numpy(x), FMT),
    }
    messages = {what: refusal(ValueError, quantize, x, FMT, out=out) for what, out in outs.items()}
    assert not_from("quantize: out is ", messages) == {}
    assert [what for what in outs if "x needs mxfp8_e4m3 of shape=(4, 70), axis=1" not in messages[what]] == []


def test_a_packed_out_that_is_no_mxarray_is_refused(packed):
    outs = [X, (packed.codes, packed.scales), "mxfp4", 0]
    messages = [refusal(TypeError, quantize, X, FMT, out=out) for out in outs]
    assert [message for message in messages if "not an MXArray" not in message] == []


def test_a_read_only_out_is_refused(packed):
    def locked(array):
        array = np.zeros_like(array)
        array.flags.writeable = False
        return array

    outs = [
        (fake_quantize, (X, FMT), locked(X)),
        (packed.dequantize, (), locked(X)),
        (matvec, (packed, X[0]), locked(X[:, 0])),
        (quantize, (X, FMT), replace(packed, codes=locked(packed.codes))),
        (quantize, (X, FMT), replace(packed, scales=locked(packed.scales))),
    ]
    messages = [(call.__name__, refusal(ValueError, call, *given, out=out)) for call, given, out in outs]
    assert [text for name, text in messages if text != f"{name}: out is read-only"] == []
    assert not any(out.any() for _, _, out in outs[:3])


def test_an_out_whose_elements_share_memory_is_refused(torch, t, packed, packed_t):
    outs = {
        "broadcast": (X, packed, np.lib.stride_tricks.as_strided(np.zeros(64, np.float32), (4, 64), (0, 4))),
        "windows": (X, packed, np.lib.stride_tricks.as_strided(np.zeros(128, np.float32), (4, 64), (4, 4))),
        "expanded": (t, packed_t, torch.zeros(1, 64).expand(4, 64)),
    }
    fakes = {kind: refusal(ValueError, fake, x, out=out) for kind, (x, _, out) in outs.items()}
    values = {kind: refusal(ValueError, array.dequantize, out=out) for kind, (_, array, out) in outs.items()}
    assert not_from("fake_quantize: out has elements that share memory", fakes) == {}
    assert not_from("dequantize: out has elements that share memory", values) == {}
    assert [kind for kind, (*_, out) in outs.items() if np.asarray(out).any()] == []


def test_codes_and_scales_that_share_memory_are_no_place_to_write(packed):
    octets = np.zeros(264, dtype=np.uint8)
    out = replace(packed, codes=octets[:256].reshape(4, 2, 32), scales=octets[250:258].reshape(4, 2))
    assert "codes and scales that share memory" in refusal(ValueError, quantize, X, FMT, out=out)


def test_codes_and_scales_may_lie_in_each_others_gaps(packed):
    octets = np.zeros((4, 2, 33), dtype=np.uint8)
    quantize(X, FMT, out=replace(packed, codes=octets[:, :, 1:], scales=octets[:, :, 0]))
    assert (octets[:, :, 1:] == packed.codes).all() and (octets[:, :, 0] == packed.scales).all()


# Arrays that share memory.


def overlapping(shift, forwards):
    """Return the result of a cast from one part of a buffer into another, and the expected result."""
    memory = numbers(400, seed=1)
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
        x = numbers((70, 70), seed=1)
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

    assert f"{function}: out requires grad" in refusal(ValueError, write)
    assert not out.any()
    with torch.no_grad():
        assert write() is out and out.any()
