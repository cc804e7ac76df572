"""Marks, the order of test files, and how many processes share them."""

import os

import pytest
from xdist.scheduler import LoadFileScheduling

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # threads that spin for work take it from the other process's tests
OTHER_MARKS = ("pipeline", "cluster", "long")
LONGEST = ("tests/pipeline/", "tests/faults/", "tests/cluster/", "tests/formats/test_", "tests/phase_split/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What has no other mark is quick. The longest files go first, so that no process waits for one at the end."""
    for item in items:
        if not any(item.get_closest_marker(name) for name in OTHER_MARKS):
            item.add_marker("quick")
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    return next((place for place, start in enumerate(LONGEST) if item.nodeid.startswith(start)), len(LONGEST))


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Two processes for the whole suite, one where files or folders are named: they start in a second."""
    return 0 if config.args != config.getini("testpaths") else 2


class _Shared(LoadFileScheduling):
    """A file's tests go to one process, and all of tests/pipeline to one, as they look at one finished run."""

    def _split_scope(self, nodeid: str) -> str:
        return "tests/pipeline" if nodeid.startswith("tests/pipeline/") else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> _Shared:
    return _Shared(config, log)
