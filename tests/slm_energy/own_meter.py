"""A researcher's own meter: a plug that counts, made up."""

import itertools

from bench.measure.meters import CounterMeter


class Plug:
    """12 J more at every reading."""

    domains = ("plug",)
    wraps_j = (float("inf"),)

    def __init__(self):
        self._joules = itertools.count(0.0, 12.0)

    def joules(self):
        return [next(self._joules)]


PLUG = CounterMeter("plug", {"plug": Plug()})
NO_METER = "a wattmeter's photograph"
