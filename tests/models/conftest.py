"""Shared fixtures of the tests of the models: one thread, and transformers, imported once and offline because its
import is slow."""

import os

import pytest

from tests.models.threads import one_thread


@pytest.fixture(scope="package", autouse=True)
def _one_thread():
    with one_thread():
        yield


@pytest.fixture(scope="session")
def transformers():
    os.environ["HF_HUB_OFFLINE"] = "1"
    return pytest.importorskip("transformers")
