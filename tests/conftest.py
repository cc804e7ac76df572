"""Marks, the order of test files, and the number of processes that run them."""

import os
from pathlib import Path

import pytest
from xdist.scheduler import LoadFileScheduling

for variable in [name for name in os.environ if name.startswith("GIT_")]:
    del os.environ[variable]  # git names the repository of a hook so, and tests that the hook runs make commits
os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # threads that spin for work slow the other process's tests
OTHER_MARKS = ("pipeline", "cluster", "long")
FINISHED = ("tests/pipeline/test_end_to_end.py", "tests/pipeline/test_reruns.py")
LONGEST = ("tests/pipeline/", "tests/faults/", "tests/cluster/", "tests/formats/test_", "tests/phase_split/")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an empty folder for a run of the pipeline."""
    (tmp_path / "run").mkdir()
    return tmp_path / "run"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests without another mark as quick. The longest files go first, so that none is left for one process at the
    end."""
    for item in items:
        if not any(item.get_closest_marker(name) for name in OTHER_MARKS):
            item.add_marker("quick")
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    return next((place for place, start in enumerate(LONGEST) if item.nodeid.startswith(start)), len(LONGEST))


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Use two processes for the whole suite, and one if files or folders are named: they start in a second."""
    return 0 if config.args != config.getini("testpaths") else 2


class _Shared(LoadFileScheduling):
    """Sends a file's tests to one process, and those of both files that examine the finished run to the same one."""

    def _split_scope(self, nodeid: str) -> str:
        return "the finished run" if nodeid.startswith(FINISHED) else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> _Shared:
    return _Shared(config, log)
