"""A model of one chip as a share of its server's power, for the levels below the server in a power domain tree.

A server has eight GPUs and a host. A GPU draws 70 W idle and at most 700 W (H100 SXM: board power from the datasheet,
idle power assumed) where the server draws 22 and 85 % of 10.2 kW; the host draws the rest. The power of chips that work
in step on a workload rises and falls together. Where each chip serves independently, its variations are larger by the
square root of eight, so that those of eight chips add up to the server's.
"""

from dataclasses import replace

import numpy as np

from jouleproof.power.traces import Textures
from jouleproof.power.workloads import Fleet, Server

CHIPS = 8
IDLE_W, MOST_W = 70.0, 700.0
IN_STEP = ("prompt", "token", "swings")  # textures of models that span all chips of a server: an assumption
OF_IDLE = IDLE_W / (Server().idle * Server().nameplate_w)
OF_MOST = MOST_W / (Server().most * Server().nameplate_w)


def one_chip(fleet: Fleet, textures: Textures) -> tuple[Fleet, Textures]:
    """Return the fleet and the textures as seen by one chip of each workload: its mean power (0 W where absent), its
    idle and its highest power."""
    idle_w, most_w = OF_IDLE * fleet.idle_w, OF_MOST * fleet.most_w
    share = (most_w - idle_w) / (fleet.most_w - fleet.idle_w)
    watts = np.where(fleet.watts > 0, idle_w + share * (fleet.watts - fleet.idle_w), 0.0)
    of_chip = {name: pieces * share * (1.0 if name in IN_STEP else CHIPS**0.5) for name, pieces in textures.items()}
    return replace(fleet, watts=watts, nameplate_w=most_w, idle_w=idle_w, most_w=most_w), of_chip
