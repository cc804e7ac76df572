"""One thread of torch for small models."""

from contextlib import contextmanager


@contextmanager
def one_thread():
    """Threads that wait for each other on a busy machine take many times the time that small models compute.

    Numba's, which are of the same OpenMP, are launched first: launched later they would set torch's number again.
    """
    import numba
    import torch

    numba.set_num_threads(numba.get_num_threads())
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
