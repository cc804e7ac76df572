"""Agreement with ml_dtypes, gfloat and torchao, and the places where they are known to differ."""

import gfloat
import gfloat.formats
import numpy as np
import pytest

from jouleproof.formats import FORMATS, fake_quantize, quantize
from jouleproof.studies.mx.peers import GFLOAT, ML_DTYPES
from tests.formats import oracle
from tests.formats.generated import same_bits

TORCHAO = {"mxfp8_e4m3": "float8_e4m3fn", "mxfp8_e5m2": "float8_e5m2", "mxfp4": "float4_e2m1fn_x2"}
INFO = {name: getattr(gfloat.formats, theirs) for name, theirs in GFLOAT.items()}


def half_precision_elements(name):
    """Return all float16 within range under a scale of 1, in rows of 31 after the element that sets that scale."""
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


def test_every_code_reads_as_ml_dtypes_reads_it():
    every = {name: np.arange(2 ** FORMATS[name].bits, dtype=np.uint8) for name in ML_DTYPES}
    theirs = {name: codes.view(ML_DTYPES[name]).astype(np.float32) for name, codes in every.items()}
    assert [name for name in ML_DTYPES if not same_bits(FORMATS[name].values, theirs[name])] == []


def test_every_code_reads_as_gfloat_reads_it():
    theirs = {
        name: np.array([gfloat.decode_float(info, code).fval for code in range(2 ** FORMATS[name].bits)])
        for name, info in INFO.items()
    }
    assert [name for name in GFLOAT if not same_bits(FORMATS[name].values, theirs[name])] == []


def test_every_half_precision_number_is_rounded_as_ml_dtypes_rounds_it():
    every = {name: half_precision_elements(name) for name in ML_DTYPES}
    theirs = {name: clamped(x, name).astype(ML_DTYPES[name]).astype(np.float32) for name, x in every.items()}
    assert [name for name, x in every.items() if not same_bits(fake_quantize(x, name), theirs[name])] == []


@pytest.mark.parametrize(("rounding", "theirs"), [("even", "TiesToEven"), ("away", "TiesToAway")])
def test_every_half_precision_number_is_rounded_as_gfloat_rounds_it(rounding, theirs):
    mode, wrong = gfloat.RoundMode[theirs], []
    for name, info in INFO.items():
        x = half_precision_elements(name)
        rounded = gfloat.round_ndarray(info, clamped(x, name).astype(np.float64), mode)
        if not same_bits(fake_quantize(x, name, rounding=rounding), rounded):
            wrong.append(name)
    assert wrong == []


def test_gfloat_uses_the_integer_code_that_we_leave_unused():
    x = np.full((1, 32), -2.0 + 2**-10, dtype=np.float32)
    theirs = gfloat.round_ndarray(INFO["mxint8"], x.astype(np.float64), sat=True)
    assert (theirs[0, 0], fake_quantize(x, "mxint8")[0, 0]) == (-2.0, -(1 + 63 / 64))


@pytest.fixture(scope="module")
def torchao():
    """A torchao cast, (x, name, mode) -> E8M0 codes and values, both NumPy. torchao is slow to import."""
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


@pytest.mark.parametrize("name", TORCHAO)
def test_scales_of_random_blocks_are_those_of_torchao(torchao, name):
    modes = ["FLOOR", "CEIL", "EVEN", "RCEIL"]
    ours = {mode: quantize(random_blocks(), name, scale=mode.lower()).scales.reshape(-1) for mode in modes}
    assert [mode for mode in modes if not (ours[mode] == torchao(random_blocks(), name, mode)[0]).all()] == []


def test_values_of_random_blocks_are_those_of_torchao(torchao):
    x = random_blocks()
    assert [name for name in TORCHAO if not same_bits(fake_quantize(x, name), torchao(x, name)[1])] == []


def test_torchao_halves_a_block_whose_scale_clamps(torchao):
    x = np.full((1, 32), 2.0**-127, dtype=np.float32)
    smallest = {name: (fake_quantize(x, name)[0, 0], torchao(x, name)[1][0, 0]) for name in TORCHAO}
    assert smallest == dict.fromkeys(TORCHAO, (2.0**-127, 2.0**-128))


def test_torchao_keeps_numbers_in_a_block_that_holds_inf(torchao):
    x = np.ones((1, 32), dtype=np.float32)
    x[0, 0] = np.inf
    for name in ("mxfp8_e4m3", "mxfp4"):
        ours, theirs = fake_quantize(x, name), torchao(x, name)[1]
        assert (np.isnan(ours).all(), np.isfinite(theirs[0, 1:]).all()) == (True, True), name
