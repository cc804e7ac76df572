"""All knobs of the study, with units and defaults."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from jouleproof.knobs import Above, Positive, Seeds, Strict, named
from jouleproof.serving.config import EngineConfig, LoadConfig, Service, ServingConfig
from jouleproof.serving.simulator.clusters import FAMILIES
from jouleproof.serving.simulator.machines import MACHINES

Formats = Annotated[list[str], named("jouleproof.studies.phase_split.registry:formats")]
Forms = Annotated[list[str], Field(min_length=1), named("jouleproof.studies.phase_split.registry:forms")]
Designs = Annotated[list[str], Field(min_length=1), named("jouleproof.studies.phase_split.registry:designs")]


class CapacityConfig(Strict):
    """Search by bisection for the highest load that meets every service level.

    seeds: of the requests on which designs are scored. search_seed: of those on which pools are searched.
    """

    services: Annotated[list[Service], Field(min_length=1)] = ["conv", "code"]
    seeds: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=2)] = [1, 2, 3, 4, 5]
    search_seed: Annotated[int, Field(ge=0)] = 100
    precision: Above = Field(0.01, description="of a load, as a share")
    search_precision: Above = Field(0.02, description="of a load while pools are searched, as a share")
    pool_step: Annotated[float, Field(gt=0, le=0.5)] = Field(
        0.2, description="distance between the pools that are tried first, as a share of a cluster's machines"
    )


class SpeedConfig(Strict):
    """Speed of the simulator with Splitwise-HH and the conversation service."""

    rate: Above = Field(70.0, description="requests/s")
    seconds: Above = Field(600.0, description="length of the arrivals")
    repeats: Annotated[int, Field(ge=2)] = 7


class LatencyConfig(Strict):
    """Latencies of all designs over load."""

    rates: Annotated[list[Above], Field(min_length=2)] = [20, 40, 60, 80, 100, 120, 140]
    seeds: Seeds = [1, 2]


class DesignSpaceConfig(Strict):
    """Splitwise-HH's pools that meet every service level under one load."""

    service: Service = "code"
    rate: Above = Field(70.0, description="requests/s")
    prompt_machines: Annotated[list[Positive], Field(min_length=2, max_length=2)] = [18, 34]
    token_machines: Annotated[list[Positive], Field(min_length=2, max_length=2)] = [1, 10]
    seeds: Seeds = [1, 2]


class TransferConfig(Strict):
    """Cost of moving KV caches in Splitwise-HH, under a load that it sustains."""

    rates: dict[Service, Above] = {"conv": 50.0, "code": 50.0}
    gbit_per_s: Annotated[list[Above], Field(min_length=1)] = Field(
        [200.0, 400.0, 800.0, 1600.0, 3200.0], description="of a machine's link"
    )
    seeds: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=2)] = [1, 2, 3, 4, 5]


class BeyondConfig(Strict):
    """Comparisons that are not in the source, all at the power of 40 H100 machines."""

    services: Annotated[list[Service], Field(min_length=1)] = ["conv", "code"]
    accelerators: Annotated[list[str], Field(min_length=1)] = ["dgx-h100", "dgx-h200", "dgx-b200", "gb200-nvl72-ninth"]
    formats: Formats = Field(["mxfp8_e4m3", "mxfp4"], description="of weights and cache, in addition to 16 bits")
    chunk: Positive = Field(512, description="tokens per batch if prompts are read in chunks")
    balance_s: Above = Field(10.0, description="seconds between two balances of the pools")
    seeds: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=2)] = [1, 2, 3]
    precision: Above = Field(0.02, description="of a load, as a share")

    @field_validator("accelerators")
    @classmethod
    def _known_machines(cls, names: list[str]) -> list[str]:
        for name in names:
            if name not in MACHINES:
                raise ValueError(f"unknown accelerator {name!r}; known: {', '.join(MACHINES)}")
        return names


class ServiceEnergyConfig(Strict):
    """Energy of one service, of all its requests and of a part, by format and way of serving."""

    service: Service = "conv"
    model: Literal["bloom-176b", "llama2-70b"] = "llama2-70b"
    rate: Above = Field(50.0, description="requests/s, mean of the hour")
    formats: Annotated[Formats, Field(min_length=2)] = Field(
        ["mxfp8_e4m3", "mxfp4"], description="of weights and cache, in addition to 16 bits, widest first"
    )
    taken: Annotated[list[Annotated[float, Field(gt=0, lt=1)]], Field(min_length=1)] = Field(
        [0.8], description="shares of the requests that are answered elsewhere, ascending"
    )
    levels: Annotated[list[Above], Field(min_length=2)] = Field(
        [0.5, 1.0], description="loads over the highest that the machines sustain, ascending"
    )
    seeds: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=2)] = [1, 2]
    precision: Above = Field(0.02, description="of a load, as a share")


class ActiveConfig(Strict):
    """Share of time by the number of tokens that machines work on at once."""

    alone: Above = Field(2.0, description="requests/s of a single machine")
    rates: Annotated[list[Above], Field(min_length=1)] = Field([70.0, 130.0], description="requests/s of clusters")
    seconds: Above = Field(600.0, description="length of the arrivals")


class WeekConfig(Strict):
    """Days of varying load, served as a stream."""

    service: Service = "conv"
    pools: Annotated[list[Positive], Field(min_length=2, max_length=2)] = Field(
        [8, 12], description="prompt and token machines, H100"
    )
    rate: Above = Field(40.0, description="requests/s at the peak of the day")
    valley: Annotated[float, Field(gt=0, le=1)] = Field(0.3, description="lowest rate at night, as a share of the peak")
    hours: Positive = 24
    batch: Annotated[int, Field(ge=1000)] = Field(100_000, description="requests per batch; memory holds three batches")
    seed: Annotated[int, Field(ge=0)] = 0


class PowerTraceConfig(Strict):
    """Power of every machine during the Azure hour, for the placement study."""

    service: Service = "conv"
    rate: Above = Field(50.0, description="requests/s, mean")
    hours: Above = 1.0
    bin_s: Above = Field(2.0, description="seconds of a sample")
    seed: Annotated[int, Field(ge=0)] = 0


class MovesConfig(Strict):
    """Transfers of KV caches, one at a time."""

    prompts: Annotated[list[Positive], Field(min_length=1)] = Field([256], description="tokens")
    forms: Forms = ["float32", "bfloat16", "mxfp8_e4m3"]
    repeats: Annotated[int, Field(ge=2)] = 3


class RooflineConfig(Strict):
    """Both phases against the highest rates of this machine."""

    layers: Positive = 30
    prompts: Annotated[list[Positive], Field(min_length=1)] = Field([64, 256, 512], description="tokens")
    decodes: Annotated[list[Positive], Field(min_length=1)] = Field([1, 4, 16, 32], description="batch sizes")
    context: Positive = Field(256, description="tokens of context per decode")
    repeats: Annotated[int, Field(ge=2)] = 6


class PhaseSplitConfig(Strict):
    """Simulated clusters and a small engine. designs: built-in names, or `package.module:object`."""

    designs: Designs = list(FAMILIES)
    load: LoadConfig = LoadConfig()
    capacity: CapacityConfig = CapacityConfig()
    latency: LatencyConfig = LatencyConfig()
    design_space: DesignSpaceConfig = DesignSpaceConfig()
    transfer: TransferConfig = TransferConfig()
    speed: SpeedConfig = SpeedConfig()
    power_trace: PowerTraceConfig = PowerTraceConfig()
    beyond: BeyondConfig = BeyondConfig()
    service_energy: ServiceEnergyConfig = ServiceEnergyConfig()
    active: ActiveConfig = ActiveConfig()
    week: WeekConfig = WeekConfig()
    engine: EngineConfig = EngineConfig()
    serving: ServingConfig = ServingConfig()
    moves: MovesConfig = MovesConfig()
    roofline: RooflineConfig = RooflineConfig()
