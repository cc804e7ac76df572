"""A library that is missing, or lacks a part that is used, is named in one line with the versions that have it."""

import sys

import pytest
import torch

from jouleproof.errors import UserError
from jouleproof.libraries import NotInstalled, lacks, part_of


def test_a_part_is_the_librarys_object():
    assert part_of("torch", "torch:nn.functional") is torch.nn.functional
    assert part_of("torch", "torch.nn") is torch.nn


@pytest.mark.parametrize("name", ["torch.nothing", "torch:_nothing", "torch:ops.mkldnn._nothing"])
def test_a_part_that_this_version_lacks_is_named_with_the_bounds(name):
    with pytest.raises(UserError, match=r"^torch 2\S+ lacks torch\.\S*nothing, .*; install torch<3,>=2") as raised:
        part_of("torch", name)
    assert "\n" not in str(raised.value)


def test_a_part_that_can_only_be_looked_for_elsewhere_is_named_the_same_way():
    assert str(lacks("snakemake", "its scheduler's limit")).startswith("snakemake 9")


def test_a_library_of_an_extra_that_is_not_installed_is_asked_for(monkeypatch):
    monkeypatch.setitem(sys.modules, "nowhere", None)
    with pytest.raises(NotInstalled, match=r"nowhere is not installed; run: python workflows/lock.py install peers"):
        part_of("nowhere", "nowhere:thing", extra="peers")
