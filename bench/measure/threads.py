"""One thread per process: what makes a floating-point sum the same at any `--cores`."""

import os

VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def use_one_thread() -> None:
    """For this process and the ones that it starts; to be called before a numerical library is imported."""
    for name in VARIABLES:
        os.environ[name] = "1"
