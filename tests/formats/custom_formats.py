"""Custom formats for tests.

The formats in COMPILED cover every kind of code (floats and integers, whole words and single groups, one and several
groups in a block, with and without infinities) with few kernels. Those in ODD are read by the plain quantiser, and
compiled only in the long tests.
"""

from jouleproof.formats import MXFormat

E3M4 = MXFormat("e3m4", 3, 4, bias=3, specials="ieee", block=128)
INT4 = MXFormat("int4", 0, 2)
E2M2 = MXFormat("e2m2", 2, 2, bias=1, block=24)
COMPILED = [E3M4, INT4, E2M2]
ODD = [
    MXFormat("e3m4_all_finite", 3, 4, bias=3, block=16),
    MXFormat("e5m2_all_finite", 5, 2, bias=15),
    MXFormat("e3m0", 3, 0, bias=3),
    MXFormat("e2m2_with_nan", 2, 2, bias=1, specials="nan", block=8),
    MXFormat("e2m1_ieee", 2, 1, bias=1, specials="ieee", block=64),
    MXFormat("e1m2", 1, 2, bias=1),
    MXFormat("e4m3_negative_emax", 4, 3, bias=20, specials="nan"),
    MXFormat("e3m3", 3, 3, bias=3, specials="ieee"),
    MXFormat("e5m0", 5, 0, bias=15, block=128),
    MXFormat("int2", 0, 0, block=8),
    MXFormat("int4_in_blocks_of_16", 0, 2, block=16),
    MXFormat("int5", 0, 3, block=24),
    MXFormat("int7", 0, 5, block=40),
]
