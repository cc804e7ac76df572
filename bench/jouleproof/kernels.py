"""numba's compiler, for machines with and without a folder that can keep compiled code."""

import os
import sys
from functools import cache as once
from typing import Any

import numba

# The kernels use intrinsics, which exist only compiled.
os.environ.pop("NUMBA_DISABLE_JIT", None)
numba.config.DISABLE_JIT = 0  # type: ignore[attr-defined]


def njit(function: Any = None, /, *, cache: bool = False, **options: Any) -> Any:
    """Compile as `numba.njit` does, and keep the code on disk if `cache` is set and there is a folder for it: numba
    refuses functions that it cannot keep."""
    if function is None:
        return lambda function: njit(function, cache=cache, **options)
    if cache:
        try:
            return numba.njit(cache=True, **options)(function)
        except RuntimeError as error:
            if "no locator available" not in str(error):
                raise
            _say_that_nothing_is_kept()
    return numba.njit(**options)(function)


@once
def _say_that_nothing_is_kept() -> None:
    print(
        "numba: every process compiles anew, because no folder can keep compiled code; set NUMBA_CACHE_DIR to one",
        file=sys.stderr,
    )
