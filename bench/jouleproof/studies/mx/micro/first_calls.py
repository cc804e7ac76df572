"""Print the seconds that the first casts of a process take in one format; `throughput` runs this as a program."""

import sys

import numpy as np

from jouleproof.formats import fake_quantize, quantize
from jouleproof.measure.clocks import Stopwatch

ELEMENTS = 1024


def main(name: str) -> None:
    x = np.ones(ELEMENTS, dtype=np.float32)
    watch = Stopwatch()
    fake_quantize(x, name)
    quantize(x, name).dequantize()
    print(watch.wall_s())


if __name__ == "__main__":
    main(sys.argv[1])
