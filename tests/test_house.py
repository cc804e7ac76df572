"""The house rules: every linter is part of `make lint`, which CI runs, and what the linter of our own complains of."""

import re
from pathlib import Path

from workflows.lint import encodings, lengths, words

ROOT = Path(__file__).resolve().parent.parent
LINTERS = (
    "ruff check .",
    "ruff format --check .",
    "mypy",
    "lint-imports",
    "snakefmt --check Snakefile workflows",
    "python workflows/lint.py",
)


def test_every_linter_runs_in_make_lint_and_that_in_ci() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    lint = re.search(r"^lint: setup-test.*\n((?:\t.*\n)+)", makefile, flags=re.MULTILINE)
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


def test_banned_names_are_complained_of_wherever_they_are_bound_and_more_than_may_remain(tmp_path: Path) -> None:
    (tmp_path / "bench").mkdir()
    text = """import pathlib as room
class own: about = 1
def told(known, *, x=0):
    for each in known: pass
    with open(x) as found: return [drawn for drawn in found.about]
try: own.found = told(known=2)
except ValueError as each: pass
"""
    (tmp_path / "bench/a.py").write_text(text, encoding="utf-8")
    banned = ["own", "about", "found", "each", "told", "known", "room", "drawn"]
    limits = {"banned_names": banned, "banned_names_left": 0, "preposition_docstrings_left": 0}
    *places, total = words(tmp_path, limits)
    assert [place.partition(" is ")[0] for place in places] == [
        f"bench/a.py:{place}"
        for place in (
            "1: room",
            "2: about",
            "2: own",
            "3: known",
            "3: told",
            "4: each",
            "5: drawn",
            "5: found",
            "7: each",
        )
    ]
    assert total == "9 banned names; at most 0"
    assert list(words(tmp_path, {**limits, "banned_names_left": 9})) == []


def test_a_docstring_that_begins_with_a_preposition_is_complained_of(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    text = '''"""By name, the figures."""
class A:
    """Of a size."""
    def f(self):
        """Offer a size by name."""
    async def g(self):
        "With: a colon."
'''
    (tmp_path / "tests/a.py").write_text(text, encoding="utf-8")
    limits = {"banned_names": [], "banned_names_left": 0, "preposition_docstrings_left": 0}
    *places, total = words(tmp_path, limits)
    assert [place.partition(";")[0] for place in places] == [
        f"tests/a.py:{line}: the docstring begins with {word!r}" for line, word in ((1, "By"), (3, "Of"), (7, "With"))
    ]
    assert total == "3 preposition docstrings; at most 0"


def test_a_text_in_the_encoding_of_the_locale_is_complained_of(tmp_path: Path) -> None:
    for folder in ("bench", "tests"):
        (tmp_path / folder).mkdir()
        lines = (
            "path.read_text()",
            "run(command, text=True)",
            "write_text(path, text)",
            "path.read_text(encoding='utf-8')",
        )
        (tmp_path / folder / "a.py").write_text("\n".join(lines))
    assert [line.partition(" ")[0] for line in encodings(tmp_path)] == ["bench/a.py:1:", "bench/a.py:2:"]
