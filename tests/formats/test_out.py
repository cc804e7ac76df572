"""`out=`: where a result goes that shall need no new memory."""

from dataclasses import replace

import numpy as np
import pytest

from jouleproof.formats import fake_quantize, quantize
from tests.formats.drawn import same_bits
from tests.formats.refusals import refusal

FMT = "mxfp6_e2m3"


def numbers(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.fixture(params=["numpy", "torch"])
def as_kind(request):
    """A copy of an array, of this kind."""
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


def test_fake_quantize_may_overwrite_a_leaf_that_requires_grad(torch):
    x = torch.from_numpy(numbers((4, 64))).requires_grad_()
    expected = fake_quantize(x.detach().clone(), FMT)
    with torch.no_grad():
        fake_quantize(x, FMT, out=x)
    assert torch.equal(x, expected)


def test_fake_quantize_writes_into_a_view_of_a_larger_array():
    large = np.zeros((8, 128), dtype=np.float32)
    x = numbers((4, 64))
    fake_quantize(x, FMT, out=large[::2, ::2])
    assert same_bits(large[::2, ::2], fake_quantize(x, FMT))


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


def test_quantize_writes_into_an_out_whose_codes_are_a_view():
    packed = quantize(numbers((4, 64)), FMT)
    out = replace(packed, codes=np.zeros(packed.codes.shape[::-1], dtype=np.uint8).T)
    quantize(numbers((4, 64)), FMT, out=out)
    assert (out.codes == packed.codes).all()


def test_quantize_writes_into_an_out_whose_scales_are_a_view():
    packed = quantize(numbers((4, 64)), FMT)
    out = replace(packed, scales=np.zeros((2, 4), dtype=np.uint8).T)
    quantize(numbers((4, 64)), FMT, out=out)
    assert (out.scales == packed.scales).all()


@pytest.mark.parametrize("function", ["fake_quantize", "dequantize"])
def test_an_out_that_does_not_fit_is_an_error_that_says_what_would(function, torch):
    x = numbers((4, 70))
    call, given = (fake_quantize, (x, FMT)) if function == "fake_quantize" else (quantize(x, FMT).dequantize, ())
    others = [
        (np.zeros((4, 69), dtype=np.float32), "shape=(4, 69)"),
        (np.zeros((70, 4), dtype=np.float32), "shape=(70, 4)"),
        (np.zeros((4, 70), dtype=np.float16), "dtype=float16"),
        (np.zeros((4, 70)), "dtype=float64"),
        (torch.zeros((4, 70)), "Tensor"),
    ]
    messages = [(complaint, refusal(ValueError, call, *given, out=out)) for out, complaint in others]
    assert [
        message
        for complaint, message in messages
        if not (message.startswith(f"{function}: ") and complaint in message)
        or "shape=(4, 70), dtype=float32" not in message
    ] == []


def test_the_out_of_a_narrow_array_has_its_dtype():
    x = numbers((4, 70)).astype(np.float16)
    with pytest.raises(ValueError, match="dtype=float16"):
        fake_quantize(x, FMT, out=np.zeros((4, 70), dtype=np.float32))


def test_a_packed_out_that_does_not_fit_is_an_error_that_says_what_would(torch):
    outs = {
        "shape": quantize(numbers((4, 69)), FMT),
        "axis": quantize(numbers((4, 70)), FMT, axis=0),
        "format": quantize(numbers((4, 70)), "mxfp4"),
        "kind": quantize(torch.from_numpy(numbers((4, 70))), FMT),
    }
    messages = {what: refusal(ValueError, quantize, numbers((4, 70)), FMT, out=out) for what, out in outs.items()}
    needed = "x needs mxfp6_e2m3 of shape=(4, 70), axis=1"
    assert {
        what: message
        for what, message in messages.items()
        if not (message.startswith("quantize: out is ") and needed in message)
    } == {}


def test_nothing_is_written_where_out_does_not_fit():
    out = np.zeros((4, 69), dtype=np.float32)
    with pytest.raises(ValueError):
        fake_quantize(numbers((4, 70)), FMT, out=out)
    assert not out.any()
