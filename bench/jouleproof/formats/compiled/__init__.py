"""Compiled kernels of the formats: casts and matrix-vector products on packed codes, in numba around LLVM code.

Users of `jouleproof.formats` need not read them. The modules, from the bottom up:

    simd         vector registers, loads and stores, as LLVM IR
    elements     the bit layout of packed codes, and the conversions between codes and numbers
    casts        intrinsics that cast, pack or unpack a group of elements, called by numba kernels
    quantizer    casts of whole arrays
    products     one step along a packed row: codes times their part of the vector, for each decoder
    strategies   the table of strategies: which formats each one reads, on which processors, with which decoder
    activations  the layout of the vector that a decoder needs
    gemv         products of whole matrices
    threading    a lock that lets one parallel kernel run at a time
"""

from pathlib import Path
from zlib import crc32

# A checksum of every file here. numba's cache depends on the file of a kernel, but not on the files that the kernel
# calls or takes constants from, so a kernel that needs other files holds this number as a free variable or as the
# default of an argument, both of which are parts of its cache key.
CODE_VERSION = crc32(b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))))
