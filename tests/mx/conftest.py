"""Fixtures that tests of the study share with those of the formats."""

from tests.formats.conftest import one_thread, torch

__all__ = ["one_thread", "torch"]
