"""The house rules: everything that is installed is pinned, and every linter is part of `make lint`, which CI runs."""

import re
from importlib.metadata import distributions
from pathlib import Path

from workflows.lint import lengths

ROOT = Path(__file__).resolve().parent.parent
LINTERS = (
    "ruff check .",
    "ruff format --check .",
    "mypy",
    "lint-imports",
    "snakefmt --check Snakefile workflows",
    "python workflows/lint.py",
)


def normal(name: str) -> str:
    return name.lower().replace("_", "-")


def test_everything_that_is_installed_is_pinned() -> None:
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    names = {normal(line.partition("==")[0]) for line in pins if "==" in line}
    installed = {normal(package.metadata["Name"]) for package in distributions()} - {"jouleproof", "pip"}
    assert len(installed) > 50
    assert {name for name in installed - names if not name.startswith(("nvidia-", "triton", "wheel"))} == set()


def test_every_linter_runs_in_make_lint_and_that_in_ci() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    lint = re.search(r"^lint: setup.*\n((?:\t.*\n)+)", makefile, flags=re.MULTILINE)
    assert lint and [line.removeprefix("\t$(RUN) ") for line in lint[1].splitlines()] == list(LINTERS)
    steps = re.findall(r"^timed make ([\w-]+)$", (ROOT / ".ci/run").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert {"lint", "test", "test-long"} <= set(steps)


def test_long_files_long_functions_and_skipped_lines_are_complained_of(tmp_path: Path) -> None:
    limits = {"file_lines": 8, "function_lines": 3, "format_skips": 1}
    (tmp_path / "bench").mkdir()
    reason = '"""Does it. It is one function\n    because it is."""'
    skip = "# fmt:" + " skip"
    files = {
        "long": "x = 1\n" * 9,
        "function": "def f():\n    x = 1\n    x = 2\n    x = 3\n",
        "reason": f"def f():\n    {reason}\n    x = 2\n",
        "skips": f"x = 1  {skip}\ny = 1  {skip}\n",
        "short": "def f():\n    x = 1\n    x = 2\n",
    }
    for name, text in files.items():
        (tmp_path / "bench" / f"{name}.py").write_text(text, encoding="utf-8")
    complaints = [complaint.partition(";")[0] for complaint in lengths(tmp_path, limits)]
    assert complaints == [
        "bench/function.py:1: f has 4 lines",
        "bench/long.py: 9 lines",
        "2 lines or blocks that the formatter skips",
    ]
