"""A machine and a design of a user's own, as README shows."""

from dataclasses import replace

from bench.phase_split.machines import MACHINES, Design

# The H200's memory and bandwidth; its price is made up.
H200 = replace(
    MACHINES["dgx-h100"],
    name="dgx-h200",
    memory_bytes=8 * 141 * 10**9,
    bandwidth=4.8 / 3.35,
    price=5.5,
    assumed="price",
)
DESIGN = Design("h100_h200", "split", ("dgx-h100", 26), (H200, 14))
