"""Errors that the user can correct, shown as one line and never as a stack trace."""

import errno
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from io import TextIOWrapper


class UserError(Exception):
    """A mistake that the user can correct. The message says what is wrong, where, and what would be right, in one or
    two lines."""


class Ended(UserError):
    """User code tried to end the program."""


class Stopped(SystemExit):
    """A signal ends the program."""


def duplicates(names: Iterable[str]) -> list[str]:
    """Names that are listed more than once, sorted."""
    return sorted(name for name, count in Counter(names).items() if count > 1)


def system_reason(error: Exception) -> str:
    """Why the system refused a file, in its own words; a message that names another cause must know it."""
    return getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__


def reason(error: BaseException) -> str:
    """Format an exception of user code as one line."""
    kind = [] if isinstance(error, UserError) else [type(error).__name__]
    return " ".join(": ".join([*kind, str(error)]).split())


@contextmanager
def contained(what: str) -> Iterator[None]:
    """Run user code that can neither end the program, which would look like its success, nor change where it works and
    prints. Raises Ended for SystemExit and whatever else is no Exception. what: the code, for the message."""
    leave, process = os._exit, os.getpid()

    def refuse(status: int) -> None:
        if os.getpid() != process:  # a child that user code forked
            leave(status)
        raise SystemExit(status)

    with chdir("."), redirect_stdout(sys.stdout), redirect_stderr(sys.stderr):
        os._exit = refuse  # type: ignore[assignment]
        try:
            yield
        except (Exception, KeyboardInterrupt, Stopped):
            raise
        except BaseException as error:
            ended = Ended(f"{what} ended the program ({reason(error):.200}); it may only return or raise")
            raise ended.with_traceback(error.__traceback__) from error
        finally:
            os._exit = leave


def print_substitutes() -> None:
    """Print a substitute for what standard output cannot show, unless the user chose how to handle it."""
    if isinstance(sys.stdout, TextIOWrapper) and sys.stdout.errors in ("strict", "surrogateescape"):
        sys.stdout.reconfigure(errors="replace")


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Print the message of a UserError, or that memory or the output's disk is full, and exit with status 1, as do
    commands that user code ends. Signs that the terminal cannot show are printed as substitutes."""
    print_substitutes()
    try:
        with contained("code that the config names"):
            yield
        if sys.stdout is not None:
            sys.stdout.flush()
    except UserError as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from None
    except MemoryError as error:
        print(f"out of memory ({error}); make the input or the config smaller, or allow more memory", file=sys.stderr)
        raise SystemExit(1) from None
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        print(f"the output cannot be written ({error.strerror})", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more when it ends
        raise SystemExit(1) from None
