"""QSNR: the measure, and its known values."""

import numpy as np
import pytest

from jouleproof.formats import FORMATS, fake_quantize
from jouleproof.studies.mx.config import MxConfig, QsnrConfig
from jouleproof.studies.mx.experiments.qsnr import qsnr
from jouleproof.studies.mx.generated_vectors import qsnr_db, sum_of_squares, vectors

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def gaussian():
    return vectors("gaussian", QsnrConfig(), seed=0)


def test_the_qsnr_of_gaussian_vectors_of_varying_spread_is_the_known_one(gaussian):
    assert {name: qsnr_db(gaussian, fake_quantize(gaussian, name)) for name in FORMATS} == pytest.approx(
        {
            "mxint8": 42.01,
            "mxfp6_e2m3": 30.97,
            "mxfp8_e4m3": 30.48,
            "mxfp8_e5m2": 25.34,
            "mxfp6_e3m2": 25.34,
            "mxfp4": 18.74,
        },
        abs=0.1,
    )


def test_noise_of_a_tenth_of_the_signal_is_20_db():
    x = np.array([3.0, 4.0], dtype=np.float32)
    assert qsnr_db(x, x * np.float32(1.1)) == pytest.approx(20, abs=1e-5)


def test_a_signal_that_is_known_already_is_taken():
    x, cast = np.array([3.0, 4.0], dtype=np.float32), np.array([3.0, 5.0], dtype=np.float32)
    assert qsnr_db(x, cast, sum_of_squares(x)) == qsnr_db(x, cast)


def test_squares_beyond_float32_are_summed():
    assert sum_of_squares(np.full(4, 1e30, dtype=np.float32)) == pytest.approx(4e60)


@pytest.mark.parametrize(
    ("x", "cast"),
    [(np.ones(4), np.ones(4)), (np.zeros(4), np.ones(4)), (np.zeros(4), np.zeros(4))],
    ids=["no noise", "no signal", "neither"],
)
def test_a_ratio_that_is_none_is_an_error_that_gives_both_sums(x, cast):
    with pytest.raises(ValueError, match=r"signal=.*noise="):
        qsnr_db(x.astype(np.float32), cast.astype(np.float32))


def test_vectors_depend_on_nothing_but_their_seed():
    config = QsnrConfig(vectors=8, length=32)
    distributions = ("gaussian", "laplace", "student_t")
    samples = {name: [vectors(name, config, seed) for seed in (3, 3, 4)] for name in distributions}
    assert [name for name, (first, again, other) in samples.items() if not (first == again).all()] == []
    assert [name for name, (first, again, other) in samples.items() if not (first != other).any()] == []


def test_every_vector_has_a_spread_of_its_own(gaussian):
    spread = gaussian.std(axis=1)
    assert np.percentile(spread, 95) > 10 * np.percentile(spread, 5)


@pytest.fixture(scope="module")
def table():
    return qsnr(MxConfig(qsnr=QsnrConfig(vectors=16, length=64, seeds=[0, 1])))


def test_the_table_has_a_row_per_distribution_format_rule_and_seed(table):
    assert len(table) == 3 * len(FORMATS) * 4 * 2


def test_the_table_gives_the_ratio_of_the_cast_that_a_row_names(table):
    row = table.set_index(["distribution", "format", "scale", "seed"]).loc["laplace", "mxfp4", "rceil", 1]
    x = vectors("laplace", QsnrConfig(vectors=16, length=64), seed=1)
    assert row["value"] == qsnr_db(x, fake_quantize(x, "mxfp4", scale="rceil"))
