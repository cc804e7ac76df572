"""Every test and every file that the table of kinds names exists."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
PACKAGE = TESTS.parent / "bench/jouleproof"
TABLE = Path(__file__).with_name("kinds.md").read_text(encoding="utf-8")
ROWS = [
    cells
    for line in TABLE.splitlines()
    if len(cells := line.strip("| ").split(" | ")) == 3 and cells[0] not in ("kind", "---|---|---")
]


@pytest.mark.parametrize("kind, rule, tests", ROWS, ids=[row[0][:60] for row in ROWS])
def test_what_a_kind_names_exists(kind, rule, tests):
    files = {name: list(TESTS.rglob(name)) for name in re.findall(r"\btest_\w+\.py", tests)}
    assert files and [name for name, paths in files.items() if not paths] == []
    texts = "".join(path.read_text(encoding="utf-8") for paths in files.values() for path in paths)
    assert [name for name in re.findall(r"::(test_\w+)", tests) if f"def {name}(" not in texts] == []
    modules = re.findall(r"\b(\w+\.py)\b", re.sub(r"test_\w+\.py", "", rule))
    assert [
        name for name in modules if not list(PACKAGE.rglob(name)) and not list(TESTS.parent.glob(f"*/{name}"))
    ] == []


def test_the_table_has_every_kind_once():
    kinds = [row[0] for row in ROWS]
    assert len(kinds) > 60 and len(set(kinds)) == len(kinds)
