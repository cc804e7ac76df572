"""A copy of the project in an empty folder, and Snakemake run in it as a user would."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXTENSION = "tests/extension_example"
PARTS = ("Snakefile", "workflows", "profiles", "bench", "figures", "paper", "pyproject.toml", EXTENSION)
TINY = ("--configfile", "workflows/config/tiny.yaml")
EXTENDED = (*TINY, f"{EXTENSION}/config.yaml")  # with one of everything that a user may add
STOOD_IN = ("gsm8k_test", "azure_conv", "azure_code", "acme_power", "bitbrains_fragments", "bitbrains_tasks",
            "surf_fragments", "surf_tasks", "mlenergy")  # fmt: skip
STAND_IN = ("--config", f"inputs={{{', '.join(f'{name}: stand-in' for name in STOOD_IN)}}}")

Snakemake = Callable[..., subprocess.CompletedProcess[str]]


def copy_project(target: Path) -> Path:
    target.mkdir()
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, target / part, ignore=shutil.ignore_patterns("*.pyc"))  # numba's files go along
        else:
            shutil.copy(source, target / part)
    return target


def environment(project: Path, **changes: str) -> dict[str, str]:
    """The user's own, without their inputs and with the copy's packages in front."""
    bare = {name: value for name, value in os.environ.items() if name not in ("JOULEPROOF_INPUTS", "PYTEST_ADDOPTS")}
    return {**bare, "PYTHONPATH": str(project), **changes}


def snakemake(
    project: Path, *arguments: str, timeout_s: float = 2400, **changes: str
) -> subprocess.CompletedProcess[str]:
    """Run it to its end; stdout and stderr together in `stdout`."""
    return subprocess.run(
        [sys.executable, "-m", "snakemake", *arguments],
        cwd=project,
        env=environment(project, **changes),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout_s,
        check=False,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A fresh copy in which nothing was run yet."""
    return copy_project(tmp_path / "project")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy in which the tiny config has run to its end, with generated problems for GSM8K and one of everything that
    a user may add, on two cores."""
    project = copy_project(tmp_path_factory.mktemp("finished") / "project")
    done = snakemake(project, *EXTENDED, *STAND_IN, "--cores", "2")
    assert done.returncode == 0, done.stdout[-4000:]
    return project
