"""Sources of error: casts change one property at a time, and each row holds the result of its cast."""

from dataclasses import replace

import numpy as np
import pytest

from jouleproof.drawing import select
from jouleproof.formats import FORMATS, fake_quantize
from jouleproof.studies.mx.config import ErrorSourcesConfig, MxConfig
from jouleproof.studies.mx.experiments.error_sources import error_sources, one_at_a_time
from jouleproof.studies.mx.generated_vectors import qsnr_db, vectors
from jouleproof.studies.mx.other_casts import OTHERS
from tests.extension_example import formats as custom

pytestmark = pytest.mark.usefixtures("one_thread")
SETTINGS = ErrorSourcesConfig(vectors=64, length=128, seeds=[0, 1], blocks=[16, 32, 64], distributions=["laplace"])
FORMAT_NAMES = ["mxfp8_e4m3", "mxint8", "tests.extension_example.formats:FORMAT"]
DEFAULT = {"block": 32, "scale": "floor", "rounding": "even"}


@pytest.fixture(scope="module")
def table():
    return error_sources(MxConfig(formats=FORMAT_NAMES, error_sources=SETTINGS))


@pytest.fixture(scope="module")
def x():
    return vectors("laplace", SETTINGS, seed=1)


def row(table, metric, **where):
    (only,) = select.where(table, **{"metric": metric, "seed": 1, **where})["value"]
    return only


def test_casts_differ_from_the_default_in_one_thing_at_most():
    casts = one_at_a_time(FORMATS["mxfp4"], ["floor", "rceil"], [16, 32, 64])
    default = casts[0]
    assert default == (32, "floor", "even") and len(set(casts)) == len(casts) == 1 + 1 + 2 + 1
    assert max(sum(a != b for a, b in zip(cast, default, strict=True)) for cast in casts) == 1


def test_a_format_of_the_users_own_is_varied_around_its_own_block():
    assert {block for block, rule, _ in one_at_a_time(custom.FORMAT, ["floor", "ceil"], [32]) if rule == "ceil"} == {16}


def test_the_first_rule_is_the_default_where_floor_is_left_out():
    assert one_at_a_time(FORMATS["mxfp4"], ["ceil", "rceil"], [32])[0] == (32, "ceil", "even")


@pytest.mark.parametrize("change", [{}, {"block": 64}, {"scale": "rceil"}, {"rounding": "away"}], ids=str)
def test_a_row_gives_the_qsnr_of_the_cast_that_it_names(table, x, change):
    where, named, expected = {**DEFAULT, **change}, {}, {}
    for name in ("mxfp8_e4m3", "mxint8"):
        fmt = replace(FORMATS[name], block=where["block"])
        named[name] = row(table, "qsnr", format=name, **where)
        expected[name] = qsnr_db(x, fake_quantize(x, fmt, scale=where["scale"], rounding=where["rounding"]))
    assert named == pytest.approx(expected, abs=1e-9)


def test_what_saturates_is_counted_and_its_noise_weighed(table, x):
    """An element of E4M3 saturates under floor if it exceeds 448 times its scale."""
    blocks = x.reshape(-1, 32).astype(np.float64)
    scale = 2.0 ** (np.floor(np.log2(np.abs(blocks).max(axis=1, keepdims=True))) - 8)
    beyond = np.abs(blocks) > 448 * scale
    noise = np.square(fake_quantize(x, "mxfp8_e4m3").reshape(-1, 32) - blocks)
    assert 0 < beyond.mean() < 0.1
    assert row(table, "saturated_elements", format="mxfp8_e4m3", **DEFAULT) == beyond.mean()
    share = noise[beyond].sum() / noise.sum()
    assert row(table, "saturated_noise", format="mxfp8_e4m3", **DEFAULT) == pytest.approx(share, rel=1e-9)


def test_nothing_saturates_under_rceil(table):
    rceil = table[(table["scale"] == "rceil") & table["metric"].str.startswith("saturated")]
    assert len(rceil) and not rceil["value"].any()


def test_bits_count_the_scale_by_the_size_of_the_block(table):
    bits = table[table["format"] == "mxfp8_e4m3"].groupby("block")["bits"].agg(set).to_dict()
    assert bits == {16: {8.5}, 32: {8.25}, 64: {8.125}}


def test_what_is_not_ocp_mx_is_marked_and_has_its_own_scale(table, x):
    others = table[table["ocp_mx"] == "no"]
    assert set(others["format"]) == {other.name for other in OTHERS.values()}
    assert set(others["scale"]) == {"own"} and set(others["metric"]) == {"qsnr"}
    expected = qsnr_db(x, OTHERS["mx9"].run(x))
    assert row(table, "qsnr", format="MX9", block=16) == pytest.approx(expected, abs=1e-9)


def test_every_format_of_the_config_has_its_rows(table):
    assert set(table[table["ocp_mx"] == "yes"]["format"]) == {"mxfp8_e4m3", "mxint8", custom.FORMAT.name}


def test_no_other_casts_are_made_where_none_are_named():
    settings = SETTINGS.model_copy(update={"others": [], "seeds": [0]})
    assert set(error_sources(MxConfig(formats=["mxfp4"], error_sources=settings))["ocp_mx"]) == {"yes"}
