"""Fixtures that the tests of the study share."""

import pytest

from tests.models.threads import one_thread


@pytest.fixture(scope="package", autouse=True)
def _one_thread():
    with one_thread():
        yield
