"""A library that is missing, or lacks a part that is used, is named in one line with the versions that have it."""

import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import pytest
import torch

from jouleproof.errors import UserError
from jouleproof.formats import FORMATS
from jouleproof.libraries import NotInstalled, lacks, part_of
from jouleproof.studies.mx.peers import peer_casts
from jouleproof.studies.mx.products import products

ROOT = Path(__file__).resolve().parents[2]
WITHOUT_LIMITER = """
from snakemake.scheduling.job_scheduler import JobScheduler
make = JobScheduler.__init__
def without(self, *args, **kwargs):
    make(self, *args, **kwargs)
    del self.job_rate_limiter
JobScheduler.__init__ = without
"""
WITHOUT_FINISHED = """
from snakemake.persistence import PersistenceBase
del PersistenceBase.finished
"""


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


def test_a_library_that_is_compared_with_is_asked_for_too(monkeypatch):
    monkeypatch.setattr("jouleproof.libraries.version", absent)
    monkeypatch.setitem(sys.modules, "gfloat", None)
    with pytest.raises(NotInstalled, match="^gfloat is not installed; run: .* install peers$"):
        peer_casts(FORMATS["mxfp4"])


def absent(name):
    raise PackageNotFoundError(name)


def test_a_product_whose_private_kernel_is_gone_is_left_out_with_a_line(monkeypatch, capsys):
    monkeypatch.delattr(torch, "_weight_int8pack_mm")
    left = {product.format for product in products(np.eye(32, dtype=np.float32), np.ones(32, dtype=np.float32), {})}
    assert "int4 per 32" in left and "int8 per row" not in left
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("mx: torch 2") and "lacks torch._weight_int8pack_mm" in line and line.endswith("left out")


@pytest.mark.pipeline
@pytest.mark.parametrize(
    ("code", "part"),
    [
        (WITHOUT_LIMITER, "its scheduler's job_rate_limiter"),
        (WITHOUT_FINISHED, "snakemake.persistence.PersistenceBase.f"),
    ],
)
def test_snakemake_without_a_part_that_the_pipeline_replaces_stops_with_one_line(tmp_path, code, part):
    tiny = ROOT / "workflows/config/tiny.yaml"
    words = ["config", "--snakefile", ROOT / "Snakefile", "--configfile", tiny, "--cores", "1", "--directory", tmp_path]
    code += f"from snakemake.cli import main; main({[str(word) for word in words]})"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode and f" lacks {part}" in done.stderr and "Traceback" not in done.stderr
