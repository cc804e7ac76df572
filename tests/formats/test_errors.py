"""Wrong arguments: one line that names the value and what would be right."""

import numpy as np
import pytest

from jouleproof.formats import FORMATS, MXArray, fake_quantize, quantize
from tests.formats.own import E3M4
from tests.formats.refusals import refusal

X = np.ones((4, 64), dtype=np.float32)
both_casts = pytest.mark.parametrize("cast", [quantize, fake_quantize])


def unnamed(error, cast, cases):
    """Of (arguments, named arguments, what the message must hold): the messages that do not."""
    messages = [(refusal(error, cast, *given, **named), parts) for given, named, parts in cases]
    return [message for message, parts in messages if not all(part in message for part in parts)]


@both_casts
def test_an_unknown_format_is_an_error_that_names_the_known_ones(cast):
    cases = [((X, name), {}, [repr(name), *FORMATS]) for name in ("mxfp5", "", None, ["mxfp4"], 4)]
    assert unnamed(ValueError, cast, cases) == []


@both_casts
def test_an_unknown_scale_rule_is_an_error_that_names_the_known_ones(cast):
    known = "floor, ceil, even, rceil"
    cases = [((X, "mxfp4"), {"scale": rule}, [repr(rule), known]) for rule in ("round", None, 3)]
    assert unnamed(ValueError, cast, cases) == []


@both_casts
def test_an_unknown_rounding_is_an_error_that_names_the_known_ones(cast):
    names = ("nearest", None, [])
    cases = [((X, "mxfp4"), {"rounding": name}, [repr(name), "even, away"]) for name in names]
    assert unnamed(ValueError, cast, cases) == []


@both_casts
def test_an_axis_out_of_range_is_an_error_that_names_the_shape(cast):
    cases = [((X, "mxfp4"), {"axis": axis}, [f"axis={axis}", "shape=(4, 64)"]) for axis in (2, -3)]
    assert unnamed(ValueError, cast, cases) == []


@both_casts
def test_an_array_without_axes_is_an_error(cast, torch):
    cases = [((x, "mxfp4"), {}, ["shape=()"]) for x in (np.array(1, dtype=np.float32), torch.tensor(1.0))]
    assert unnamed(ValueError, cast, cases) == []


@both_casts
def test_an_empty_array_is_an_error_that_names_its_shape(cast):
    shapes = ((0,), (4, 0), (0, 32))
    cases = [((np.zeros(shape, dtype=np.float32), "mxfp4"), {}, [f"shape={shape}"]) for shape in shapes]
    assert unnamed(ValueError, cast, cases) == []


@both_casts
def test_another_dtype_is_an_error_that_names_it_and_the_right_ones(cast, torch):
    others = [
        (X.astype(np.float64), "float64"),
        (X.astype(np.int32), "int32"),
        (X.astype(bool), "bool"),
        (X.astype(np.complex64), "complex64"),
        (torch.from_numpy(X).double(), "float64"),
        (torch.from_numpy(X).int(), "int32"),
    ]
    cases = [((x, "mxfp4"), {}, [f"dtype={dtype}", "float32, bfloat16, float16"]) for x, dtype in others]
    assert unnamed(TypeError, cast, cases) == []


@both_casts
def test_what_is_no_array_is_an_error_that_names_its_type(cast):
    others = [([1.0, 2.0], "list"), (1.0, "float"), (np.float32(1), "float32"), (None, "None")]
    assert unnamed(TypeError, cast, [((x, "mxfp4"), {}, [kind]) for x, kind in others]) == []


def test_a_tensor_that_is_not_on_the_cpu_is_an_error_that_names_its_device(torch):
    assert "meta" in refusal(ValueError, quantize, torch.empty(4, 64, device="meta"), "mxfp4")


def test_codes_or_scales_that_do_not_fit_are_an_error_that_says_what_would():
    others = [
        ("codes", np.zeros((4, 2, 15), dtype=np.uint8), np.zeros((4, 2), dtype=np.uint8)),
        ("codes", np.zeros((4, 2, 16), dtype=np.int8), np.zeros((4, 2), dtype=np.uint8)),
        ("scales", np.zeros((4, 2, 16), dtype=np.uint8), np.zeros((4, 3), dtype=np.uint8)),
        ("scales", np.zeros((4, 2, 16), dtype=np.uint8), np.zeros((4, 2), dtype=np.float32)),
    ]
    needed = "shape=(4, 64), axis=1 needs shape=(4, 2"
    cases = [
        ((codes, scales, FORMATS["mxfp4"], (4, 64), 1), {}, [f"MXArray: {name} ", needed])
        for name, codes, scales in others
    ]
    assert unnamed(ValueError, MXArray, cases) == []


def test_quantised_data_of_a_format_of_the_users_own_reads_back():
    x = np.array([1.0, -2.5, 0.125, 15.5] * 8, dtype=np.float32)
    assert quantize(x, E3M4).dequantize().tolist() == x.tolist()


@both_casts
def test_a_tensor_that_autograd_watches_is_refused(cast, torch):
    x = torch.ones(4, 32, requires_grad=True)
    assert "requires grad, which would be lost" in refusal(ValueError, cast, x, "mxfp4")


def test_a_read_only_out_is_refused():
    out = np.zeros_like(X)
    out.flags.writeable = False
    assert "out is read-only" in refusal(ValueError, fake_quantize, X, "mxfp4", out=out)
    assert not out.any()


@both_casts
def test_a_read_only_input_is_only_read(cast):
    x = X.copy()
    x.flags.writeable = False
    cast(x, "mxfp4")
    assert (x == X).all()
