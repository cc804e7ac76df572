"""Errors that the user can correct, shown as one line and never as a stack trace."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class UserError(Exception):
    """A mistake that the user can correct. The message says what is wrong, where, and what would be right, in one or
    two lines."""


def duplicates(names: Iterable[str]) -> list[str]:
    """Names that are listed more than once, sorted."""
    return sorted(name for name, count in Counter(names).items() if count > 1)


def system_reason(error: Exception) -> str:
    """Why the system refused a file, in its own words; a message that names another cause must know it."""
    return getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Print the message of a UserError, or a note that memory ran out, and exit with status 1."""
    try:
        yield
    except UserError as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from None
    except MemoryError as error:
        print(f"out of memory ({error}); make the config smaller or allow more memory", file=sys.stderr)
        raise SystemExit(1) from None
