"""Reference files and a helper that the tests of the study share."""

from contextlib import contextmanager
from pathlib import Path

import pytest

from jouleproof.errors import UserError

REFERENCE = Path(__file__).with_name("reference")


@contextmanager
def refused(complaint, start=""):
    """Expect a UserError of one line that begins with `start` and contains the complaint."""
    with pytest.raises(UserError) as caught:
        yield
    message = str(caught.value)
    assert message.startswith(start) and complaint in message and "\n" not in message
