"""Anonymous shared memory, which is freed with the last process that holds it, however that process ends."""

import errno
import mmap
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import torch
from torch import Tensor

from jouleproof.errors import UserError


@contextmanager
def shared_memory(size: int) -> Iterator[int]:
    """Yield a file descriptor of `size` bytes, all allocated at once, to pass to child processes.

    Raises UserError if the machine does not have that much free memory.
    """
    descriptor = _anonymous_file()
    try:
        _reserve(descriptor, size)
        yield descriptor
    finally:
        os.close(descriptor)


def _reserve(descriptor: int, size: int) -> None:
    available = psutil.virtual_memory().available
    try:
        if size > available:  # checked first: a system that overcommits memory kills processes later
            raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, size)
        else:
            os.ftruncate(descriptor, size)
    except OSError as error:
        raise UserError(
            f"engine: no room for {size / 1e6:.0f} MB of shared memory ({error.strerror}; {available / 1e6:.0f} MB are "
            "free); reduce layers, capacity or boxes"
        ) from error


def mapped(descriptor: int) -> Tensor:
    """Return the memory behind a descriptor of `shared_memory` as a (bytes,) uint8 tensor."""
    size = os.fstat(descriptor).st_size
    return torch.frombuffer(mmap.mmap(descriptor, size), dtype=torch.uint8)


def _anonymous_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("jouleproof")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
