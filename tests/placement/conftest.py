"""Fixtures that the tests of the study share."""

import pytest


@pytest.fixture(scope="package", autouse=True)
def _one_thread():
    """Threads that wait for each other on a busy machine take many times the time that these small fleets compute."""
    import sklearn.ensemble  # noqa: F401 - for the libraries that it loads
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield
