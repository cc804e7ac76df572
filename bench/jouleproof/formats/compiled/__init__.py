"""The fast half of the formats: casts and matrix-vector products on packed codes, as numba kernels around LLVM code.

Nobody needs to read it to use `jouleproof.formats`. From the bottom up:

    simd         vector registers, loads and stores, as LLVM IR
    elements     the bit layout of packed codes, and every way from codes to numbers and back
    casts        a group of elements cast, packed or unpacked, as instructions that numba kernels call
    quantise     casts of whole arrays
    products     a step along a packed row: codes times their part of the vector, by each decoder
    strategies   the table: which formats each strategy reads, on which processors, by which decoder
    activations  the vector as a decoder wants it
    gemv         products of whole matrices
    threading    one parallel kernel at a time
"""

from pathlib import Path
from zlib import crc32

# Of every file here. numba's cache knows the file of a kernel, but not the files of what the kernel calls, so that
# each kernel holds this number as a free variable, which is part of its key.
CODE_VERSION = crc32(b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))))
