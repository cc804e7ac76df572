"""A context with one thread for torch, for small models."""

from contextlib import contextmanager


@contextmanager
def one_thread():
    """Use one thread. On a busy machine, threads that wait for each other take many times longer than small models
    compute.

    Numba's threads, which come from the same OpenMP, are launched first: launched later they would reset torch's
    number.
    """
    import numba
    import torch

    numba.set_num_threads(numba.get_num_threads())
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
