"""What the other linters leave out: `python workflows/lint.py`.

Python files, functions and lines that the formatter skips stay within the limits of [tool.jouleproof.lint] in
pyproject.toml; a longer function has a docstring that says why, in a sentence with the words "one function because".
`snakemake --lint` is clean but for what CONTRIBUTING.md gives a reason for.
"""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("bench", "figures", "paper", "tests", "workflows")
REASON = "one function because"
SKIP = re.compile(r"#\s*fmt: (skip|off)\b.*$", re.MULTILINE)
EXPECTED = "Specify a conda environment or container for each rule."


def main() -> int:
    """Print every complaint; the exit status is 1 where there is one, or where nothing was linted."""
    limits = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["jouleproof"]["lint"]
    complaints = [*lengths(ROOT, limits), *rules(ROOT)]
    print("\n".join(complaints) or "workflows/lint.py: nothing to complain of")
    return bool(complaints)


def lengths(root: Path, limits: Mapping[str, int]) -> Iterator[str]:
    """Complaints about Python files below a folder. limits: file_lines, function_lines, format_skips in all files."""
    skips = 0
    for path in sorted(path for folder in FOLDERS for path in (root / folder).rglob("*.py")):
        text, name = path.read_text(encoding="utf-8"), path.relative_to(root).as_posix()
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


def rules(root: Path) -> Iterator[str]:
    """Complaints of `snakemake --lint`, or its output where it linted nothing."""
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--lint"], cwd=root, capture_output=True, text=True, check=False
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
