"""transformers, offline and imported once: it is slow."""

import os

import pytest


@pytest.fixture(scope="session")
def transformers():
    os.environ["HF_HUB_OFFLINE"] = "1"
    return pytest.importorskip("transformers")
