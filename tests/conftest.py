"""The longest file goes first, so that no worker waits for it alone at the end."""

LONGEST = "tests/pipeline/test_end_to_end.py"


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))
