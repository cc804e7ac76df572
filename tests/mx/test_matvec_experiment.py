"""The table of matrix-vector products: every product is right, and ratios match the times."""

import numpy as np
import pytest

from jouleproof.formats import FORMATS
from jouleproof.measure.caches import cache_bytes
from jouleproof.studies.mx.config import MatvecConfig, MxConfig
from jouleproof.studies.mx.experiments.matvec import matvec, random_product
from jouleproof.studies.mx.products import FLOAT32, READ, products
from tests.extension_example import formats as custom

pytestmark = pytest.mark.usefixtures("one_thread")
SOME = {name: FORMATS[name] for name in ("mxfp8_e4m3", "mxfp4")}  # each takes a second to compile


@pytest.fixture(scope="module")
def table():
    config = MxConfig(
        formats=["mxfp8_e4m3", "tests.extension_example.formats:FORMAT"],
        matvec=MatvecConfig(shapes=[[32, 64]], repeats=3),
    )
    return matvec(config)


def right(product, matrix, x):
    """Return whether the product multiplies by the weights that `first_rows` gives."""
    if product.format == READ:
        return float(product.run()) == pytest.approx(matrix.sum(dtype=np.float64), rel=1e-4)
    result = np.asarray(getattr(product.run(), "float", product.run)()).reshape(-1)
    exact = product.first_rows().astype(np.float64) @ x
    tolerance = 1e-6 if product.activations == FLOAT32 else 1e-2
    return np.abs(result - exact).max() <= tolerance * np.abs(exact).max()


@pytest.mark.parametrize("formats", [SOME, pytest.param(FORMATS, marks=pytest.mark.long)], ids=["some", "all"])
def test_every_product_multiplies_by_the_weights_that_it_says(formats):
    matrix, x = random_product(48, 256)
    assert [product.format for product in products(matrix, x, formats) if not right(product, matrix, x)] == []


def test_products_read_the_bytes_of_their_format():
    matrix, x = random_product(32, 64)
    read = {product.format: product.weight_bytes * 8 / matrix.size for product in products(matrix, x, SOME)}
    assert (read[FLOAT32], read["mxfp8_e4m3"], read["mxfp4"], read["bfloat16"]) == (32, 8.25, 4.25, 16)


def test_larger_matrices_repeat_the_same_numbers():
    matrix, _ = random_product(1025, 32)
    assert matrix.shape == (1025, 32) and (matrix[:512] == matrix[512:1024]).all() and (matrix[1024] == matrix[0]).all()


def test_speeds_are_over_the_float32_of_the_same_round(table):
    times = table[table["metric"] == "time"].set_index(["library", "format", "repeat"])["value"]
    over = table[table["metric"] == "over_torch_mv"].set_index(["library", "format", "repeat"])["value"]
    for (library, name, repeat), value in over.items():
        assert value == pytest.approx(times["torch", FLOAT32, repeat] / times[library, name, repeat])
    plain = table[(table["metric"] == "over_float32") & (table["format"] == FLOAT32)]
    assert (plain.groupby("library")["value"].apply(lambda values: (values == 1).all())).any()


def test_a_format_of_the_users_own_is_multiplied_too(table):
    errors = table[table["metric"] == "error_of_sums"].set_index("format")["value"]
    assert errors[custom.FORMAT.name] < 1e-6


def test_caches_are_read_off_the_system(tmp_path):
    for number, (kind, level, size) in enumerate(
        [("Data", "1", "32K"), ("Instruction", "1", "32K"), ("Unified", "2", "1024K")]
    ):
        index = tmp_path / f"index{number}"
        index.mkdir()
        for name, value in (("type", kind), ("level", level), ("size", size)):
            (index / name).write_text(f"{value}\n")
    assert cache_bytes(tmp_path) == {"L1": 32 * 1024, "L2": 1024 * 1024}
    assert cache_bytes(tmp_path / "absent") == {}
