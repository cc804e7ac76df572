"""What a user did, met or asked for that cannot work: shown as one line, never as a stack trace."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


class UserError(Exception):
    """The message says what was wrong, where, and what would be right, in one line or two."""


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Print a UserError as it stands, or that memory ran out, and exit with 1."""
    try:
        yield
    except UserError as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from None
    except MemoryError as error:
        print(f"out of memory ({error}); make the config smaller or allow more memory", file=sys.stderr)
        raise SystemExit(1) from None
