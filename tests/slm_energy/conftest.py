"""Shared fixtures of the tests of the study."""

import pytest

from tests.models.threads import one_thread


@pytest.fixture(scope="package", autouse=True)
def _one_thread():
    with one_thread():
        yield


@pytest.fixture(scope="package")
def small_checkpoints(tmp_path_factory):
    """Return the config of a ladder of two sizes, its tables `ladder` and `ladder_equal_flops`, and all its
    checkpoints."""
    from jouleproof.studies.slm_energy.experiments.ladder import ladder, ladder_equal_flops
    from tests.slm_energy.small_ladder import STUDY, config, trained

    settings, folder = config(), tmp_path_factory.mktemp("checkpoints")
    paths = trained(settings, folder)
    tables = {"ladder": ladder(settings, paths), "ladder_equal_flops": ladder_equal_flops(settings, paths)}
    others = [name for name in STUDY.trained(settings) if name not in paths]
    return settings, tables, trained(settings, folder, others, paths, **tables)


@pytest.fixture(scope="package")
def small_ladder(small_checkpoints):
    """Return the config of a ladder of two sizes, and its tables `ladder`, `ladder_equal_flops` and `fine_tuning`."""
    from jouleproof.studies.slm_energy.experiments.fine_tuning import fine_tuning

    settings, tables, paths = small_checkpoints
    return settings, {**tables, "fine_tuning": fine_tuning(settings, **tables, checkpoints=paths)}
