"""A custom meter: a made-up plug that counts joules."""

import itertools

from jouleproof.power.meters import CounterMeter


class Plug:
    """A counter that adds 12 J at every reading. wraps_j: where it wraps around."""

    domains = ("plug",)
    wraps_j = (float("inf"),)

    def __init__(self) -> None:
        self._joules = itertools.count(0.0, 12.0)

    def joules(self) -> list[float]:
        return [next(self._joules)]


PLUG = CounterMeter("plug", {"plug": Plug()})
