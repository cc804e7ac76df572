"""Snakemake as a user runs it: the checkout's rules write into a test's folder, or run from a copy of the sources to
edit."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXTENSION = "tests/extension_example"
PARTS = ("Snakefile", "workflows", "profiles", "bench", "figures", "paper", "pyproject.toml", EXTENSION)
CONFIGS = ROOT / "workflows" / "config"
TINY = ("--configfile", str(CONFIGS / "tiny.yaml"))
EXTENDED = (*TINY, str(ROOT / EXTENSION / "config.yaml"))  # with one of everything that a user may add
STAND_IN = ("--config", "inputs={gsm8k_test: stand-in, mlenergy: stand-in}")

Done = subprocess.CompletedProcess[str]


def copy_project(target: Path) -> Path:
    """Copy the sources, to be edited, with numba's compiled code."""
    target.mkdir(parents=True)
    for name in PARTS:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("*.pyc", "*.egg-info"))
        else:
            shutil.copy(source, target / name)
    return target


def environment(home: Path = ROOT, **changes: str) -> dict[str, str]:
    """Return the user's environment with the packages of `home` in front.

    It lacks the user's inputs and the choice of OpenBLAS's kernels: kernels change last bits, and Slurm's jobs, which
    receive few variables, would use others.
    """
    dropped = ("JOULEPROOF_INPUTS", "PYTEST_ADDOPTS", "OPENBLAS_CORETYPE")
    bare = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**bare, "PYTHONPATH": os.pathsep.join([str(home / "bench"), str(home)]), **changes}


def command(folder: Path, *arguments: str, home: Path = ROOT) -> list[str]:
    """Return the Snakemake command that runs the rules of `home` into `folder`."""
    return [
        sys.executable,
        "-m",
        "snakemake",
        "--snakefile",
        str(home / "Snakefile"),
        "--directory",
        str(folder),
        *arguments,
    ]


def snakemake(folder: Path, *arguments: str, home: Path = ROOT, timeout_s: float = 2400, **changes: str) -> Done:
    """Run Snakemake to its end, with stdout and stderr together in `stdout`."""
    return subprocess.run(
        command(folder, *arguments, home=home),
        cwd=home,
        env=environment(home, **changes),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def remade(done: Done) -> set[str]:
    """Return the names of the jobs that a dry run would run."""
    assert done.returncode == 0, done.stdout
    return set(re.findall(r"^(\w+) +\d+$", done.stdout, flags=re.MULTILINE)) - {"total"}


class Finished:
    """A copy of the sources, and a folder in which its tiny config has run to its end with generated inputs and one of
    everything that a user may add."""

    def __init__(self, base: Path) -> None:
        self.home, self.folder = copy_project(base / "home"), base / "run"
        self.folder.mkdir()

    @property
    def results(self) -> Path:
        return self.folder / "results"

    def snakemake(self, *arguments: str, config: str = "") -> Done:
        """Run Snakemake in the finished folder. config: further knobs, as `--config` takes them."""
        extended = [argument.replace(str(ROOT), str(self.home)) for argument in EXTENDED]
        return snakemake(self.folder, *arguments, *extended, *STAND_IN, *([config] if config else []), home=self.home)

    def would_run(self, *targets: str, config: str = "") -> set[str]:
        """Return the names of the jobs that are not up to date."""
        return remade(self.snakemake("-n", *targets, config=config))

    def after_edit(self, path: str, text: str = "\n# edited\n", before: str = "") -> set[str]:
        """Return the jobs that are not up to date after an edit of a source file, which is then undone.

        text: replaces `before`, or is appended to the file.
        """
        file = self.home / path
        content, status = file.read_text(encoding="utf-8"), file.stat()
        assert before in content
        try:
            file.write_text(content.replace(before, text, 1) if before else content + text, encoding="utf-8")
            return self.would_run()
        finally:
            file.write_text(content, encoding="utf-8")
            os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Finished]:
    """Run the tiny config once for all tests that examine it; they leave it unchanged."""
    run = Finished(tmp_path_factory.mktemp("finished"))
    done = run.snakemake("--cores", "2")
    assert done.returncode == 0, done.stdout[-4000:]
    yield run
    shutil.rmtree(run.home.parent, ignore_errors=True)
