"""A machine and a design of a user's own, as README shows."""

from dataclasses import replace

from bench.phase_split.machines import MACHINES, Design

# The H20: much memory bandwidth, little arithmetic; its price and power are made up.
H20 = replace(
    MACHINES["dgx-h100"],
    name="h20",
    memory_bytes=8 * 96 * 10**9,
    memory_bytes_per_s=8 * 4.0e12,
    bandwidth=4.0 / 3.352,
    compute=148 / 989,
    price=2.5,
    power=27.0,
    tdp_w=3200.0,
    assumed="all times, scaled from the H100's by datasheet; price; power",
)
DESIGN = Design("h100_h20", "split", ("dgx-h100", 20), (H20, 32))
