"""Compiled kernels of the formats: casts and matrix-vector products on packed codes, written in numba and LLVM IR.

Users of `jouleproof.formats` do not need these modules. From the bottom up, they are:

    simd         vector registers, loads and stores, as LLVM IR
    elements     the bit layout of packed codes, and the conversions between codes and numbers
    casts        intrinsics that cast, pack or unpack a group of elements, called by numba kernels
    quantizer    casts of whole arrays
    products     one step along a packed row for each decoder: codes times their elements of the vector
    strategies   the table of strategies: the formats that each one reads, the processors, and the decoder
    activations  the layout of the vector that a decoder needs
    gemv         products of whole matrices
    threading    a lock that allows one parallel kernel at a time
"""

from pathlib import Path
from zlib import crc32

# A checksum of every file here. numba's cache key covers the file of a kernel, but not the files whose functions the
# kernel calls or whose constants it uses, so a kernel that needs other files holds this number as a free variable or as
# the default of an argument, both of which belong to its cache key.
CODE_VERSION = crc32(b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))))
