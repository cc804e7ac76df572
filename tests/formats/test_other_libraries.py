"""Agreement with ml_dtypes, gfloat and torchao, and the places where they are known to differ."""

import gfloat
import ml_dtypes
import numpy as np
import pytest
from gfloat import formats as gfloat_formats

from jouleproof.formats import FORMATS, fake_quantize, quantize
from tests.formats import oracle
from tests.formats.drawn import same_bits

ML_DTYPES = {
    "mxfp8_e4m3": ml_dtypes.float8_e4m3fn,
    "mxfp8_e5m2": ml_dtypes.float8_e5m2,
    "mxfp6_e3m2": ml_dtypes.float6_e3m2fn,
    "mxfp6_e2m3": ml_dtypes.float6_e2m3fn,
    "mxfp4": ml_dtypes.float4_e2m1fn,
}
GFLOAT = {
    "mxfp8_e4m3": gfloat_formats.format_info_ocp_e4m3,
    "mxfp8_e5m2": gfloat_formats.format_info_ocp_e5m2,
    "mxfp6_e3m2": gfloat_formats.format_info_ocp_e3m2,
    "mxfp6_e2m3": gfloat_formats.format_info_ocp_e2m3,
    "mxfp4": gfloat_formats.format_info_ocp_e2m1,
    "mxint8": gfloat_formats.format_info_ocp_int8,
}
TORCHAO = {"mxfp8_e4m3": "float8_e4m3fn", "mxfp8_e5m2": "float8_e5m2", "mxfp4": "float4_e2m1fn_x2"}
ROUNDINGS = {"even": gfloat.RoundMode.TiesToEven, "away": gfloat.RoundMode.TiesToAway}


def half_precision_elements(name):
    """Every float16 that a scale of 1 leaves in range, in rows of 31 after the element that makes the scale 1."""
    fmt = FORMATS[name]
    top = 2.0 ** oracle.floor_log2(oracle.magnitudes(fmt)[-1])
    every = np.arange(2**16, dtype=np.uint16).view(np.float16).astype(np.float32)
    inside = every[np.abs(every) < 2 * top]
    rows = np.zeros((-(-len(inside) // (fmt.block - 1)), fmt.block), dtype=np.float32)
    rows[:, 1:].flat[: len(inside)] = inside
    rows[:, 0] = top
    return rows


def clamped(x, name):
    return np.clip(x, -FORMATS[name].max_normal, FORMATS[name].max_normal)


@pytest.mark.parametrize("name", ML_DTYPES)
def test_every_code_reads_as_ml_dtypes_reads_it(name):
    codes = np.arange(2 ** FORMATS[name].bits, dtype=np.uint8)
    assert same_bits(FORMATS[name].values, codes.view(ML_DTYPES[name]).astype(np.float32))


@pytest.mark.parametrize("name", GFLOAT)
def test_every_code_reads_as_gfloat_reads_it(name):
    codes = range(2 ** FORMATS[name].bits)
    assert same_bits(FORMATS[name].values, np.array([gfloat.decode_float(GFLOAT[name], code).fval for code in codes]))


@pytest.mark.parametrize("name", ML_DTYPES)
def test_every_half_precision_number_is_rounded_as_ml_dtypes_rounds_it(name):
    x = half_precision_elements(name)
    assert same_bits(fake_quantize(x, name), clamped(x, name).astype(ML_DTYPES[name]).astype(np.float32))


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("name", GFLOAT)
def test_every_half_precision_number_is_rounded_as_gfloat_rounds_it(name, rounding):
    x = half_precision_elements(name)
    theirs = gfloat.round_ndarray(GFLOAT[name], clamped(x, name).astype(np.float64), ROUNDINGS[rounding])
    assert same_bits(fake_quantize(x, name, rounding=rounding), theirs)


def test_gfloat_uses_the_integer_code_that_we_leave_unused():
    x = np.full((1, 32), -2.0 + 2**-10, dtype=np.float32)
    theirs = gfloat.round_ndarray(GFLOAT["mxint8"], x.astype(np.float64), sat=True)
    assert (theirs[0, 0], fake_quantize(x, "mxint8")[0, 0]) == (-2.0, -(1 + 63 / 64))


@pytest.fixture(scope="module")
def torchao():
    """(x, name, mode) -> E8M0 codes and values, both NumPy. Slow to import."""
    torch = pytest.importorskip("torch")
    mx = pytest.importorskip("torchao.prototype.mx_formats.mx_tensor")
    config = pytest.importorskip("torchao.prototype.mx_formats.config")

    def cast(x, name, mode="FLOOR"):
        dtype = getattr(torch, TORCHAO[name])
        scales, elements = mx.to_mx(torch.from_numpy(x), dtype, 32, config.ScaleCalculationMode[mode])
        values = mx.to_dtype(elements, scales, dtype, 32, torch.float32)
        return scales.view(torch.uint8).numpy().reshape(-1), values.numpy()

    return cast


def random_blocks():
    rng = np.random.default_rng(0)
    return (rng.standard_normal((512, 32)) * np.exp2(rng.uniform(-60, 60, (512, 1)))).astype(np.float32)


@pytest.mark.parametrize("mode", ["FLOOR", "CEIL", "EVEN", "RCEIL"])
@pytest.mark.parametrize("name", TORCHAO)
def test_scales_of_random_blocks_are_those_of_torchao(torchao, name, mode):
    ours = quantize(random_blocks(), name, scale=mode.lower()).scales.reshape(-1)
    assert (ours == torchao(random_blocks(), name, mode)[0]).all()


@pytest.mark.parametrize("name", TORCHAO)
def test_values_of_random_blocks_are_those_of_torchao(torchao, name):
    assert same_bits(fake_quantize(random_blocks(), name), torchao(random_blocks(), name)[1])


@pytest.mark.parametrize("name", TORCHAO)
def test_torchao_halves_a_block_whose_scale_clamps(torchao, name):
    x = np.full((1, 32), 2.0**-127, dtype=np.float32)
    assert (fake_quantize(x, name)[0, 0], torchao(x, name)[1][0, 0]) == (2.0**-127, 2.0**-128)


@pytest.mark.parametrize("name", ["mxfp8_e4m3", "mxfp4"])
def test_torchao_keeps_numbers_in_a_block_that_holds_inf(torchao, name):
    x = np.ones((1, 32), dtype=np.float32)
    x[0, 0] = np.inf
    assert (np.isnan(fake_quantize(x, name)).all(), np.isfinite(torchao(x, name)[1][0, 1:]).all()) == (True, True)
