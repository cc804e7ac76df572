"""Checks before a simulation starts: every request fits a machine, times count from the first, sizes are bearable."""

from collections.abc import Sequence

import numpy as np

from jouleproof.errors import UserError
from jouleproof.serving.simulator.machines import Machine
from jouleproof.serving.simulator.served_models import ServedModel
from jouleproof.serving.simulator.workload import Requests

FIRST_BY_S = 86_400.0  # later, and idle machines before the first arrival would be most of the energy
DRAIN_S = 3600.0  # after the last arrival, for which power is kept at first
MOST_SAMPLES = 20_000_000  # of power; each takes SAMPLE_BYTES until it is written
SAMPLE_BYTES = 200


class RequestError(UserError):
    """A request that cannot be simulated. row: its index among the given requests."""

    def __init__(self, row: int, why: str) -> None:
        super().__init__(f"request {row}: {why}")
        self.row, self.why = row, why


def refuse_late(requests: Requests) -> None:
    """Raise UserError if the first request arrives so late that times must have another origin."""
    if len(requests) and not 0 <= requests.arrival_s[0] <= FIRST_BY_S:
        raise UserError(
            f"the first request arrives at {requests.arrival_s[0]:g} s, and machines idle from 0 s on: count from the "
            "first arrival"
        )


def refuse_what_never_fits(
    design: str, machines: Sequence[Machine], requests: Requests, kv_bytes: int, model: ServedModel, published: bool
) -> None:
    """Raise RequestError if a request fits no machine or, under published rules, which lose such requests, has a single
    output token."""
    space = min(machine.memory_bytes for machine in machines) - model.weight_bytes
    need = (requests.prompt.astype(np.int64) + requests.output) * kv_bytes
    if (need > space).any():
        row = int(np.argmax(need > space))
        raise RequestError(
            row,
            f"request of {requests.prompt[row]} + {requests.output[row]} tokens fits no machine of {design}: "
            f"needs {need[row] / 1e9:.1f} GB of cache, {model.name}'s weights leave {space / 1e9:.1f} GB",
        )
    if published and (requests.output == 1).any():
        row = int(np.argmax(requests.output == 1))
        raise RequestError(row, "a single output token; the published simulator loses such requests")


def power_bins(machines: int, seconds: float, bin_s: float) -> int:
    """Return the number of time bins of the machines' power. Raises UserError if all of them together are too many."""
    bins = int(np.ceil(seconds / bin_s - 1e-9))
    if bins * machines > MOST_SAMPLES:
        raise UserError(
            f"power every {bin_s:g} s of {machines:,} machines for {seconds:,.0f} s makes {bins * machines:,} samples "
            f"({bins * machines * SAMPLE_BYTES / 2**30:,.1f} GiB), more than {MOST_SAMPLES:,}; take fewer "
            "(--power-step, power_trace.bin_s), fewer machines or a shorter trace"
        )
    return bins
