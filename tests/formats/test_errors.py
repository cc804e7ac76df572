"""Wrong arguments: one line that names the value and what would be right."""

import numpy as np
import pytest
import torch

from jouleproof.formats import FORMATS, MXArray, MXFormat, fake_quantize, quantize

X = np.ones((4, 64), dtype=np.float32)
both_casts = pytest.mark.parametrize("cast", [quantize, fake_quantize])


def message_of(error, call, *arguments, **named):
    with pytest.raises(error) as caught:
        call(*arguments, **named)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@both_casts
@pytest.mark.parametrize("name", ["mxfp5", "", None, ["mxfp4"], 4])
def test_an_unknown_format_is_an_error_that_names_the_known_ones(cast, name):
    message = message_of(ValueError, cast, X, name)
    assert repr(name) in message and all(known in message for known in FORMATS)


@both_casts
@pytest.mark.parametrize("rule", ["round", None, 3])
def test_an_unknown_scale_rule_is_an_error_that_names_the_known_ones(cast, rule):
    message = message_of(ValueError, cast, X, "mxfp4", scale=rule)
    assert repr(rule) in message and "floor, ceil, even, rceil" in message


@both_casts
@pytest.mark.parametrize("rounding", ["nearest", None, []])
def test_an_unknown_rounding_is_an_error_that_names_the_known_ones(cast, rounding):
    message = message_of(ValueError, cast, X, "mxfp4", rounding=rounding)
    assert repr(rounding) in message and "even, away" in message


@both_casts
@pytest.mark.parametrize("axis", [2, -3])
def test_an_axis_out_of_range_is_an_error_that_names_the_shape(cast, axis):
    message = message_of(ValueError, cast, X, "mxfp4", axis=axis)
    assert f"axis={axis}" in message and "shape=(4, 64)" in message


@both_casts
@pytest.mark.parametrize("x", [np.array(1, dtype=np.float32), torch.tensor(1.0)], ids=["array", "tensor"])
def test_an_array_without_axes_is_an_error(cast, x):
    assert "shape=()" in message_of(ValueError, cast, x, "mxfp4")


@both_casts
@pytest.mark.parametrize("shape", [(0,), (4, 0), (0, 32)])
def test_an_empty_array_is_an_error_that_names_its_shape(cast, shape):
    assert f"shape={shape}" in message_of(ValueError, cast, np.zeros(shape, dtype=np.float32), "mxfp4")


@both_casts
@pytest.mark.parametrize(
    ("x", "dtype"),
    [
        (X.astype(np.float64), "float64"),
        (X.astype(np.int32), "int32"),
        (X.astype(bool), "bool"),
        (X.astype(np.complex64), "complex64"),
        (torch.from_numpy(X).double(), "float64"),
        (torch.from_numpy(X).int(), "int32"),
    ],
)
def test_another_dtype_is_an_error_that_names_it_and_the_right_ones(cast, x, dtype):
    message = message_of(TypeError, cast, x, "mxfp4")
    assert f"dtype={dtype}" in message and "float32, bfloat16, float16" in message


@both_casts
@pytest.mark.parametrize(
    ("x", "kind"), [([1.0, 2.0], "list"), (1.0, "float"), (np.float32(1), "float32"), (None, "None")]
)
def test_what_is_no_array_is_an_error_that_names_its_type(cast, x, kind):
    assert kind in message_of(TypeError, cast, x, "mxfp4")


@pytest.mark.parametrize("device", ["meta"])
def test_a_tensor_that_is_not_on_the_cpu_is_an_error(device):
    assert device in message_of(ValueError, quantize, torch.empty(4, 64, device=device), "mxfp4")


@pytest.mark.parametrize(
    ("name", "codes", "scales"),
    [
        ("codes", np.zeros((4, 2, 15), dtype=np.uint8), np.zeros((4, 2), dtype=np.uint8)),
        ("codes", np.zeros((4, 2, 16), dtype=np.int8), np.zeros((4, 2), dtype=np.uint8)),
        ("scales", np.zeros((4, 2, 16), dtype=np.uint8), np.zeros((4, 3), dtype=np.uint8)),
        ("scales", np.zeros((4, 2, 16), dtype=np.uint8), np.zeros((4, 2), dtype=np.float32)),
    ],
)
def test_codes_or_scales_that_do_not_fit_are_an_error_that_says_what_would(name, codes, scales):
    message = message_of(ValueError, MXArray, codes, scales, FORMATS["mxfp4"], (4, 64), 1)
    assert message.startswith(f"MXArray: {name} ") and "shape=(4, 64), axis=1 needs shape=(4, 2" in message


def test_quantised_data_of_a_format_of_the_users_own_reads_back():
    fmt = MXFormat("mine", 3, 4, bias=3, block=16)
    x = np.array([1.0, -2.5, 0.125, 15.5] * 8, dtype=np.float32)
    assert quantize(x, fmt).dequantize().tolist() == x.tolist()


@both_casts
def test_a_tensor_that_autograd_watches_is_refused(cast):
    x = torch.ones(4, 32, requires_grad=True)
    assert "requires grad, which would be lost" in message_of(ValueError, cast, x, "mxfp4")


def test_a_read_only_out_is_refused():
    out = np.zeros_like(X)
    out.flags.writeable = False
    assert "out is read-only" in message_of(ValueError, fake_quantize, X, "mxfp4", out=out)
    assert not out.any()


@both_casts
def test_a_read_only_input_is_only_read(cast):
    x = X.copy()
    x.flags.writeable = False
    cast(x, "mxfp4")
    assert (x == X).all()
