"""Everything that needs no cache runs without a home and without a folder that can be written; the rest is one line
that names the variable to set."""

import os
import subprocess
import sys
from pathlib import Path

import numba
import pytest

from jouleproof import kernels
from jouleproof.inputs import InputError, default_cache, resolve

NOWHERE = "/proc/nowhere"  # even root cannot make it
SQUARE = "def square(x):\n    return x * x\n"


@pytest.fixture
def square():
    """Return a function without a file, for whose code numba has no folder."""
    names = {}
    exec(SQUARE, names)
    return names["square"]


def test_a_kernel_whose_code_cannot_be_kept_is_compiled_all_the_same(square, capsys):
    kernels._say_that_nothing_is_kept.cache_clear()
    with pytest.raises(RuntimeError, match="no locator available"):
        numba.njit(cache=True)(square)
    assert [kernels.njit(cache=True)(square)(3), kernels.njit(square)(4)] == [9, 16]
    assert kernels.njit(cache=True, inline="always")(square)(5) == 25
    (line,) = capsys.readouterr().err.splitlines()
    assert "set NUMBA_CACHE_DIR" in line


def test_another_mistake_in_a_kernel_is_not_hidden(square, monkeypatch):
    def broken(**_):
        raise RuntimeError("broken")

    monkeypatch.setattr(numba, "njit", broken)
    with pytest.raises(RuntimeError, match="broken"):
        kernels.njit(cache=True)(square)


@pytest.fixture
def homeless(monkeypatch):
    """Make this a process of a user without a home, as in a container with a random user id."""
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(Path, "home", lambda: Path("~").expanduser() if "HOME" in os.environ else _no_home())


def _no_home():
    raise RuntimeError("Could not determine home directory.")


@pytest.mark.usefixtures("homeless")
def test_without_a_home_only_a_download_fails_and_names_the_variable(tmp_path):
    assert resolve("gsm8k_test", tmp_path, inputs_dir=None, mode="stand-in").origin == "stand-in"
    assert resolve("azure_conv", tmp_path, inputs_dir=None).origin == "committed"
    with pytest.raises(InputError, match="set XDG_CACHE_HOME to a folder"):
        resolve("gsm8k_test", tmp_path, inputs_dir=None)


@pytest.mark.parametrize("cache", [NOWHERE, "file"])
def test_a_cache_that_cannot_be_made_is_one_line_that_names_the_variable(tmp_path, monkeypatch, cache):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / cache))
    with pytest.raises(InputError, match="XDG_CACHE_HOME or --cache-dir names another folder") as caught:
        resolve("gsm8k_test", tmp_path, inputs_dir=None, mode="required")
    assert "\n" not in str(caught.value) and str(caught.value).count("inputs: ") == 1


@pytest.mark.parametrize("cache", ["", "relative", "./relative"])
def test_a_relative_cache_counts_as_none(monkeypatch, cache):
    monkeypatch.setenv("XDG_CACHE_HOME", cache)
    monkeypatch.setenv("HOME", "/home/me")
    assert default_cache() == Path("/home/me/.cache/jouleproof")


def test_a_table_is_made_and_drawn_where_no_home_can_be_written(tmp_path):
    homes = ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "MPLCONFIGDIR", "HF_HOME")
    environment = {**os.environ, **dict.fromkeys(homes, NOWHERE), "PYTHONDONTWRITEBYTECODE": "1"}
    for arguments in (["run", "mx", "formats", "--out", "results/mx/formats.parquet"], ["draw", "mx/formats"]):
        command = [sys.executable, "-m", "jouleproof", *arguments]
        figures = ["--figures", str(Path(__file__).parents[2] / "figures")] if arguments[0] == "draw" else []
        done = subprocess.run([*command, *figures], cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "results/tables/mx/formats.csv").is_file()
