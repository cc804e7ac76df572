"""Parts of other libraries that may be missing: those of extras, and those that a library keeps private."""

import importlib.util
import pkgutil
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Any

from jouleproof.errors import UserError


class NotInstalled(UserError):
    """A library is not installed."""


def part_of(library: str, name: str, extra: str = "") -> Any:
    """Import an object of a library.

    name: `module` or `module:object`. extra: the extra that includes the library, if any. Raises NotInstalled if the
    library is missing, and UserError if this version of it lacks the object.
    """
    try:
        return pkgutil.resolve_name(name)
    except (ImportError, AttributeError) as error:
        try:
            version(library)
        except PackageNotFoundError:
            raise _not_installed(library, extra) from error
        raise lacks(library, name.replace(":", ".")) from error


def check_installed(library: str, extra: str = "") -> None:
    """Raise NotInstalled if a library is missing. It is not imported, which may take seconds."""
    if importlib.util.find_spec(library) is None:
        raise _not_installed(library, extra)


def _not_installed(library: str, extra: str) -> NotInstalled:
    return NotInstalled(f"{library} is not installed; run: python workflows/lock.py install {extra or 'run'}")


def lacks(library: str, part: str) -> UserError:
    """Return the error for a part that the installed version of a library lacks."""
    return UserError(f"{library} {version(library)} lacks {part}, which this project uses; install {_bounds(library)}")


def _bounds(library: str) -> str:
    """Return the versions of a library that this project declares, as a requirement."""
    try:
        declared = [line.partition(";")[0].strip() for line in requires("jouleproof") or []]
    except PackageNotFoundError:
        declared = []
    return next(
        (line for line in declared if line.startswith((f"{library}<", f"{library}>"))), "what requirements.lock pins"
    )
