"""Output that the terminal or the disk cannot take: a substitute, or one line and status 1."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jouleproof.evidence.verdicts import write_verdicts
from tests.claims.samples import verdict_row

SHOW = [sys.executable, "-m", "jouleproof", "claims", "show"]
C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.fixture
def run(tmp_path):
    """Return a function that runs a command in a folder with a verdict that ASCII cannot show."""
    write_verdicts([verdict_row(unit="µJ ✓")], tmp_path / "results/verdicts.json")
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHONUTF8"))}

    def run(command, stdout=subprocess.PIPE, **variables):
        return subprocess.run(command, cwd=tmp_path, env=bare | variables, stdout=stdout, stderr=subprocess.PIPE)

    return run


@pytest.mark.parametrize(
    ("variables", "shown"),
    [
        ({"PYTHONIOENCODING": "utf-8"}, "µJ ✓".encode()),
        ({"PYTHONIOENCODING": "latin-1"}, "µJ ?".encode("latin-1")),
        ({"PYTHONIOENCODING": "ascii"}, b"?J ?"),
        ({"PYTHONIOENCODING": "ascii:backslashreplace"}, rb"\xb5J \u2713"),
        (C_LOCALE, b"?J ?"),
    ],
    ids=["UTF-8", "Latin-1", "ASCII", "the user's substitutes", "C locale"],
)
def test_a_sign_that_the_terminal_lacks_is_printed_as_a_substitute(run, variables, shown):
    done = run(SHOW, **variables)
    assert (done.returncode, done.stderr) == (0, b"")
    assert shown in done.stdout and b"paper: results/paper.pdf" in done.stdout


def test_a_message_of_an_error_is_printed_in_any_locale(run):
    done = run([*SHOW, "--results", "größe ✓"], **C_LOCALE)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)


@pytest.mark.parametrize("command", [["--help"], ["serving", "simulate", "--help"]], ids=["all", "one"])
def test_help_is_printed_in_any_locale(run, command):
    done = run([*SHOW[:3], *command], **C_LOCALE)
    assert done.returncode == 0 and b"Usage" in done.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_under_the_output_is_one_line(run):
    with Path("/dev/full").open("wb") as full:
        done = run(SHOW, stdout=full)
    assert (done.returncode, done.stderr) == (1, b"the output cannot be written (No space left on device)\n")


def test_a_reader_that_goes_away_early_is_no_stack_trace(run):
    reading, writing = os.pipe()
    os.close(reading)
    done = run(SHOW, stdout=writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")
