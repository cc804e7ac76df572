"""Check the rules that the other linters do not cover: `python workflows/lint.py`.

Python files, functions and lines that the formatter skips stay within the limits of [tool.jouleproof.lint] in
pyproject.toml; a longer function has a docstring that says why, in a sentence with the words "one function because".
Names that say nothing about their content (`banned_names` there) are rare, and a docstring begins with its subject or
its verb, not with a preposition. Texts are read and written in an encoding that is named, since that of the user's
locale may be another. `snakemake --lint` reports only what CONTRIBUTING.md explains.
"""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("bench", "figures", "paper", "tests", "workflows")
REASON = "one function because"
SKIP = re.compile(r"#\s*fmt: (skip|off)\b.*$", re.MULTILINE)
PREPOSITION = re.compile(
    "after|against|along|among|as|at|before|behind|beside|between|by|for|from|in|into|of|on|over|per|through|to|under|"
    "until|whose|with|without",
    re.IGNORECASE,
)
EXPECTED = "Specify a conda environment or container for each rule."


def main() -> int:
    """Print every complaint; the exit status is 1 if there is one or if nothing was linted."""
    limits = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["jouleproof"]["lint"]
    complaints = [*lengths(ROOT, limits), *words(ROOT, limits), *encodings(ROOT), *rules(ROOT)]
    print("\n".join(complaints) or "workflows/lint.py: no complaints")
    return bool(complaints)


def texts(root: Path) -> Iterator[tuple[str, str]]:
    """Yield the relative path and the text of every Python file below a folder."""
    for path in sorted(path for folder in FOLDERS for path in (root / folder).rglob("*.py")):
        yield path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")


def lengths(root: Path, limits: Mapping[str, Any]) -> Iterator[str]:
    """Complain about long files and functions. limits: file_lines, function_lines, format_skips in all files."""
    skips = 0
    for name, text in texts(root):
        skips += len(SKIP.findall(text))
        if (lines := len(text.splitlines())) > limits["file_lines"]:
            yield f"{name}: {lines} lines; at most {limits['file_lines']}"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > limits["function_lines"] and REASON not in " ".join((ast.get_docstring(node) or "").split()):
                    yield (
                        f"{name}:{node.lineno}: {node.name} has {lines} lines; at most {limits['function_lines']} "
                        f"without a docstring that says why it is {REASON} …"
                    )
    if skips > limits["format_skips"]:
        yield f"{skips} lines or blocks that the formatter skips; at most {limits['format_skips']}"


def words(root: Path, limits: Mapping[str, Any]) -> Iterator[str]:
    """Complain about banned names and docstrings that begin with a preposition, one by one, if there are more
    than allowed. limits: banned_names; banned_names_left and preposition_docstrings_left in all files."""
    banned: list[str] = []
    prepositions: list[str] = []
    for path, text in texts(root):
        tree = ast.parse(text)
        names = [(line, name) for line, name in names_bound(tree) if name in limits["banned_names"]]
        banned += [f"{path}:{line}: {name} is a banned name; name the content" for line, name in sorted(names)]
        prepositions += [
            f"{path}:{line}: the docstring begins with {word!r}; begin with its subject or verb"
            for line, word in first_words(tree)
            if PREPOSITION.fullmatch(word)
        ]
    for complaints, kind in ((banned, "banned_names"), (prepositions, "preposition_docstrings")):
        if len(complaints) > limits[f"{kind}_left"]:
            yield from complaints
            yield f"{len(complaints)} {kind.replace('_', ' ')}; at most {limits[f'{kind}_left']}"


def encodings(root: Path) -> Iterator[str]:
    """Complain about texts outside the tests that are read or written in the encoding of the user's locale."""
    for path, text in texts(root):
        for node in ast.walk(ast.parse(text)) if not path.startswith("tests/") else ():
            if isinstance(node, ast.Call):
                keywords = {keyword.arg for keyword in node.keywords}
                of_path = isinstance(node.func, ast.Attribute) and node.func.attr in ("read_text", "write_text")
                decoded = any(
                    keyword.arg == "text" and ast.unparse(keyword.value) == "True" for keyword in node.keywords
                )
                if decoded or (of_path and "encoding" not in keywords):
                    yield f'{path}:{node.lineno}: name the encoding: encoding="utf-8"'


def names_bound(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and name of every variable, parameter, function, class and import alias where it is bound."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name) | ast.alias(asname=str(name)):
                yield node.lineno, name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield node.lineno, name


def first_words(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and first word of every docstring, without punctuation."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            for word in (ast.get_docstring(node) or "").split()[:1]:
                yield node.body[0].lineno, word.strip(",.:;")


def rules(root: Path) -> Iterator[str]:
    """Complain as `snakemake --lint` does; print its output if it linted nothing."""
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--lint"],
        cwd=root,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    rule = ""
    for line in (done.stdout + done.stderr).splitlines():
        if line.startswith("Lints for "):
            rule = line.removeprefix("Lints for ").rstrip(":")
        elif line.startswith("    * ") and not line.startswith(f"    * {EXPECTED}"):
            yield f"{rule}: {line.strip('* :')}"
    if not rule:
        yield f"snakemake --lint: linted nothing\n{done.stdout}{done.stderr}"


if __name__ == "__main__":
    sys.exit(main())
