"""Fixtures that the tests of the study share."""

import pytest


@pytest.fixture(scope="package", autouse=True)
def _one_thread():
    """Use one thread: threads that wait for each other on a busy machine take many times longer than these small
    fleets."""
    import sklearn.ensemble  # noqa: F401 - loads the libraries to limit
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield
