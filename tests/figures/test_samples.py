"""The committed tables that tests draw figures from: one of every experiment, in few bytes."""

from jouleproof.study import built_in_studies
from tests.figures.samples import FOLDER, differing, tables


def test_every_table_has_a_sample_and_all_of_them_are_small():
    assert set(tables(False)) == set(tables(True))
    assert set(tables(False)) == {f"{study.name}/{name}" for study in built_in_studies() for name in study.experiments}
    assert sum(path.stat().st_size for path in FOLDER.rglob("*.*")) < 2e6


def test_a_sample_is_of_its_variant_and_is_read_once():
    assert "mx/qsnr" in differing() and "joint/levers" not in differing()
    assert tables(True)["mx/qsnr"]["format"].nunique() == tables(False)["mx/qsnr"]["format"].nunique() + 1
    assert tables(False)["mx/qsnr"] is tables(False)["mx/qsnr"]
    assert tables(True)["joint/levers"].equals(tables(False)["joint/levers"])
