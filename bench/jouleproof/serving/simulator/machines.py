"""Immutable descriptions of machines with accelerators, and of clusters of machines."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np

from jouleproof.errors import UserError, duplicates
from jouleproof.plugins import check_call
from jouleproof.serving.rules import Policy
from jouleproof.serving.simulator.cost_model import Performance
from jouleproof.serving.simulator.served_models import ServedModel

Scheduler = Callable[[int, int, "Load"], tuple[int, int]]
"""A function of a request's prompt tokens, its output tokens and the load. It returns the numbers of the machines that
read the prompt and generate the tokens. As it may be called again for a request, its result must depend on
these alone."""
PerformanceModel = Callable[["Machine", ServedModel], Performance]
GIB = 1024**3
MOST_MACHINES = 2**14  # in a pool; the event loop numbers machines in 16 bits


@dataclass(frozen=True)
class Load:
    """The load of every machine of a cluster, the prompt pool first. pending: (machines,) tokens of unfinished prompts
    plus unfinished decodes. reserved: (machines,) bytes of weights and of the caches of all its requests. prompt_pool:
    number of machines in the prompt pool."""

    pending: np.ndarray
    reserved: np.ndarray
    prompt_pool: int


@dataclass(frozen=True)
class Machine:
    """A server whose accelerators run one copy of a model together.

    profile: the accelerator's name in the profile, `aiconfigurator:` and a system (serving.simulator.aiconfigurator),
    the times themselves, or a function that returns them for a model. compute, bandwidth: ratios to the profiled
    accelerator, which divide the times of prompts and of tokens. price, power: price per hour and provisioned power of
    a machine, in the published simulator's units, which are arbitrary. tdp_w: of all accelerators.
    host_w: constant power of all other parts. idle: share of tdp_w that idle accelerators draw. memory_bytes_per_s: of
    all accelerators. link_bytes_per_s: to other machines. hop_s: fixed seconds of a layered transfer. assumed: which
    values are not measured, if any.
    """

    name: str
    profile: str | Performance | PerformanceModel
    memory_bytes: int
    price: float
    power: float
    tdp_w: float
    link_bytes_per_s: float
    memory_bytes_per_s: float
    host_w: float = 1000.0
    idle: float = 0.15
    compute: float = 1.0
    bandwidth: float = 1.0
    hop_s: float = 0.0
    assumed: str = ""

    @property
    def idle_w(self) -> float:
        return self.host_w + self.idle * self.tdp_w

    def __post_init__(self) -> None:
        rates = (self.link_bytes_per_s, self.memory_bytes_per_s, self.compute, self.bandwidth)
        if (
            min(self.memory_bytes, self.price, self.power, self.tdp_w, *rates) <= 0
            or self.host_w < 0
            or not 0 <= self.idle <= 1
        ):
            raise ValueError(
                f"machine {self.name}: sizes, prices, powers and rates must be positive, host_w at least 0, idle 0 to 1"
            )
        if callable(self.profile):
            check_call(f"machine {self.name}: profile", self.profile, ("machine", "model"), "Performance")


BY_DATASHEET = "all times, scaled from the H100's by datasheet; the price is the H100's; all power"

# Prices and powers: the published simulator's notebooks (commit 8f99e7d). Memory: 8 x 80 GiB. Links: 8 InfiniBand
# ports of 200 (A100) and 400 Gbit/s (H100), memory rates: Splitwise (ISCA 2024), table 1; hops: its figure 14. Host and
# idle power: assumptions.
# Accelerators without a profile are the H100 scaled by ratios of datasheet numbers, dense BF16 and memory: 989 TFLOP/s
# and 3.352 TB/s (H100 SXM), 989 and 4.8, 141 GB (H200 SXM), 2250 and 8, 180 GB (HGX B200), 2500 and 8, 186 GB (GB200);
# 700, 700, 1000 and 1200 W. This is the largest possible gain, as it scales fixed costs too. Provisioned power: that of
# the DGX H100 times the ratio of the systems' (10.2, 10.2 and 14.3 kW; eight of the 72 of an NVL72 of 120 kW).
DGX_A100 = Machine(
    name="dgx-a100",
    profile="a100-80gb",
    memory_bytes=640 * GIB,
    price=2.21,
    power=24.8,
    tdp_w=3200.0,
    link_bytes_per_s=200e9,
    memory_bytes_per_s=8 * 2.039e12,
    hop_s=0.008,
    assumed="host and idle power",
)
DGX_H100 = Machine(
    name="dgx-h100",
    profile="h100-80gb",
    memory_bytes=640 * GIB,
    price=4.76,
    power=44.0,
    tdp_w=5600.0,
    link_bytes_per_s=400e9,
    memory_bytes_per_s=8 * 3.352e12,
    hop_s=0.005,
    assumed="host and idle power; power by phase as the A100's, by share of TDP",
)
BUILT_IN = (
    DGX_A100,
    DGX_H100,
    replace(
        DGX_H100,
        name="dgx-h100-pcap",
        profile="h100-80gb-pcap",
        power=30.8,
        tdp_w=3920.0,
        assumed="times under the cap (1.3 x the prompt, 1.0 x the token, as published); all power",
    ),
    replace(
        DGX_H100,
        name="dgx-h200",
        memory_bytes=8 * 141 * 10**9,
        memory_bytes_per_s=8 * 4.8e12,
        bandwidth=4.8 / 3.352,
        assumed=BY_DATASHEET,
    ),
    replace(
        DGX_H100,
        name="dgx-b200",
        memory_bytes=8 * 180 * 10**9,
        power=44.0 * 14.3 / 10.2,
        tdp_w=8000.0,
        memory_bytes_per_s=8 * 8e12,
        compute=2250 / 989,
        bandwidth=8 / 3.352,
        assumed=BY_DATASHEET,
    ),
    replace(
        DGX_H100,
        name="gb200-nvl72-ninth",
        memory_bytes=8 * 186 * 10**9,
        power=44.0 * 120 / 9 / 10.2,
        tdp_w=9600.0,
        link_bytes_per_s=8 * 900e9,
        memory_bytes_per_s=8 * 8e12,
        compute=2500 / 989,
        bandwidth=8 / 3.352,
        assumed=BY_DATASHEET,
    ),
)
MACHINES: Mapping[str, Machine] = {machine.name: machine for machine in BUILT_IN}


@dataclass(frozen=True)
class Design:
    """A cluster. prompt, token: a machine or its name, and the number of machines; token only if the phases are split.

    policy: `together`, whole prompts before decodes, as in the published baseline; `chunked`, decodes and as many
    prompt tokens as fit into a batch (Agrawal et al., OSDI 2024); `split`; or a Scheduler, which places every request
    and is slower to simulate. batch_tokens: budget of an iteration, which only a single longer prompt may exceed, if
    it is not read in chunks. balance_s: seconds between adaptations of a split cluster's pools to the work of each
    phase; 0 never adapts them. decodes: number that each token machine should then hold.
    """

    name: str
    policy: Policy | Scheduler = field(hash=False)  # a user's function may have no hash
    prompt: tuple[str | Machine, int]
    token: tuple[str | Machine, int] = ("", 0)
    batch_tokens: int = 2048
    balance_s: float = 0.0
    decodes: int = 64

    def __post_init__(self) -> None:
        scheduled = callable(self.policy)
        if scheduled:
            check_call(f"design {self.name}: policy", self.policy, ("prompt", "output", "load"), "two machines")
        pools = [self.prompt, self.token] if self.policy == "split" or (scheduled and self.token[1]) else [self.prompt]
        for machine, count in pools:
            if not isinstance(machine, Machine) and (not isinstance(machine, str) or machine not in MACHINES):
                raise UserError(f"design {self.name}: unknown machine {machine!r:.80}; known: {', '.join(MACHINES)}")
            if type(count) is not int or not 1 <= count <= MOST_MACHINES:
                kind = machine if isinstance(machine, str) else machine.name
                raise UserError(
                    f"design {self.name}: a pool of {kind} must have a whole number of machines from 1 to "
                    f"{MOST_MACHINES:,}, got {count!r:.80}"
                )
        if not scheduled and (self.policy not in get_args(Policy) or (self.policy != "split" and self.token[1])):
            allowed = "split" if self.token[1] else f"one of {', '.join(get_args(Policy))}"
            raise UserError(f"design {self.name}: policy must be {allowed} for its pools, got {self.policy!r:.80}")
        if self.batch_tokens < 1 or self.decodes < 1 or not 0 <= self.balance_s < math.inf:
            raise UserError(
                f"design {self.name}: batch_tokens and decodes must be at least 1, and balance_s finite and at least 0"
            )
        if self.balance_s and (self.policy != "split" or self.prompt[0] != self.token[0]):
            raise UserError(f"design {self.name}: balance_s needs split pools of one kind of machine")

    @property
    def pools(self) -> list[tuple[Machine, int]]:
        pools = (self.prompt, self.token)
        return [(MACHINES[kind] if isinstance(kind, str) else kind, count) for kind, count in pools if count]

    @property
    def machines(self) -> list[Machine]:
        """List all machines, the prompt pool first."""
        return [machine for machine, count in self.pools for _ in range(count)]

    @property
    def price(self) -> float:
        return sum(machine.price * count for machine, count in self.pools)

    @property
    def power(self) -> float:
        """Return the provisioned power of the cluster."""
        return sum(machine.power * count for machine, count in self.pools)


SCHEDULERS = {"token_jsq": "together", "mixed_pool": "split"}
SPLIT_KEYS = ("prompt_sku", "prompt_machines", "token_sku", "token_machines")
DESIGN_KEYS = {"scheduler", "machines", "pools", *SPLIT_KEYS}


def read_design(path: Path, name: str) -> Design:
    """Read one design from a file like tests/phase_split/reference/clusters.json. Raises UserError with file and
    key."""
    try:
        designs = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_without_repetition)
        if not isinstance(designs, dict):
            raise ValueError("expected a JSON object of designs")
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from error
    names = [key for key, value in designs.items() if isinstance(value, dict) and {*DESIGN_KEYS, "policy"} & set(value)]
    if name not in names:
        raise UserError(f"{path}: unknown design {name!r}; known: {', '.join(names)}")
    try:
        return _design(name, designs[name])
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if twice := duplicates(key for key, _ in pairs):
        raise ValueError(f"{twice[0]!r} appears twice")
    return dict(pairs)


def _design(name: str, row: Mapping[str, Any]) -> Design:
    scheduler = str(row.get("scheduler")).partition(":")[0]
    if scheduler not in SCHEDULERS:
        raise UserError(f"design {name}: scheduler must be one of {', '.join(SCHEDULERS)}, got {scheduler!r:.80}")
    unknown = sorted(set(row) - DESIGN_KEYS)
    if unknown:
        raise UserError(f"design {name}: unknown {', '.join(unknown)}; known: {', '.join(sorted(DESIGN_KEYS))}")
    if SCHEDULERS[scheduler] == "together":
        machines = row.get("machines")
        if not isinstance(machines, dict) or len(machines) != 1:
            raise UserError(f"design {name}: machines must be one kind and its number, got {machines!r:.80}")
        return Design(name, "together", next(iter(machines.items())))
    if missing := [key for key in SPLIT_KEYS if key not in row]:
        raise UserError(f"design {name}: missing {', '.join(missing)}")
    prompt, prompt_machines, token, token_machines = (row[key] for key in SPLIT_KEYS)
    return Design(name, "split", (prompt, prompt_machines), (token, token_machines))
