"""Every knob of the placement study, with unit and default."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from jouleproof.knobs import Above, Names, Positive, Share, Strict, UserFile, named
from jouleproof.paths import expanded

_REGISTRY = "jouleproof.studies.placement.registry"
Information = Annotated[Names, named(f"{_REGISTRY}:information")]
Rules = Annotated[Names, named(f"{_REGISTRY}:rules")]
Predictors = Annotated[Names, named(f"{_REGISTRY}:predictors")]
Sensors = Annotated[Names, named(f"{_REGISTRY}:sensors")]
Controller = Annotated[str, named(f"{_REGISTRY}:controllers")]
Controllers = Annotated[Names, named(f"{_REGISTRY}:controllers")]
Releases = Annotated[Names, named(f"{_REGISTRY}:releases")]
Policies = Annotated[Names, named(f"{_REGISTRY}:policies")]


def is_file_name(trace: str) -> bool:
    """Return whether a trace is a file, and not a package.module:object."""
    return ":" not in trace or Path(trace).exists()


def _expanded_file(trace: str) -> str:
    path = expanded(trace)
    return path if is_file_name(path) else trace


Trace = Annotated[str, AfterValidator(_expanded_file), named(f"{_REGISTRY}:traces")]


class FleetConfig(Strict):
    """The arriving workloads, and the hall that hosts them."""

    servers: Positive = Field(200, description="servers that the hall feeds at nameplate power")
    offered: Above = Field(5.4, description="workloads that arrive in a week, per such server")
    at_once: Above = Field(2.8, description="workloads that arrive at its beginning, per such server")
    days: Above = Field(3.0, description="median stay of a workload, days")
    crowding: Above = Field(3.5, description="servers in a row, over the number that nameplates allow for")
    nameplate_w: Above = 10_200.0
    predictable: Annotated[float, Field(ge=0, le=1)] = Field(1.0, description="1: weeks repeat; 0: nothing repeats")
    trace: Trace | None = Field(None, description="CSV, parquet or package.module:object with the fleet's workloads")

    def generated(self, predictable: float) -> "FleetConfig":
        """Return the config with generated workloads, for an experiment that varies what recorded ones cannot vary."""
        return self.model_copy(update={"predictable": predictable, "trace": None})


class HostingConfig(Strict):
    """Every rule with all information; the margin is set in one week, and the next is scored."""

    information: Information = ["nameplate", "mean", "p99", "phases", "windows6", "slots24", "spread24", "slots168"]
    rules: Rules = ["random", "best_fit", "spread", "asynchrony"]
    row: Positive = Field(10, description="servers that a row's nameplates allow for")
    rows: Annotated[list[Positive], Field(min_length=1)] = Field([4, 10, 40], description="sizes that are compared")
    risk: Share = Field(1e-3, description="target share of rows and five-minute slots over their budget")
    seeds: Annotated[int, Field(ge=2)] = 10


class FrontierConfig(Strict):
    """Trade-off between risk and work."""

    information: Information = ["nameplate", "mean", "p99", "slots24", "slots168"]
    margins: Annotated[list[Above], Field(min_length=1)] = Field(
        [0.92, 0.96, 1.0, 1.04, 1.08], description="margins, over the one that runs the target risk in the scored weeks"
    )


class PredictabilityConfig(Strict):
    """Dependence on how well weeks repeat."""

    information: Information = ["p99", "slots24"]
    predictable: Annotated[list[Annotated[float, Field(ge=0, le=1)]], Field(min_length=1)] = [1.0, 0.75, 0.5, 0.0]


class PredictionConfig(Strict):
    """Workloads without a history."""

    predictors: Predictors = ["nameplate", "fleet_peak", "fleet_mean", "class_mean", "tenant_mean", "own"]
    with_history: Share = Field(0.5, description="share of the workloads with a history")
    level_errors: list[Above] = Field([0.15, 0.3], description="largest error of the level of a profile, a share")
    phase_errors_h: list[Above] = Field([3.0, 6.0], description="largest error of the time of a profile, hours")


class TransferConfig(Strict):
    """Use of a margin on mixes of workloads other than the one it was set on."""

    information: Information = ["mean", "p99", "windows6", "slots24", "spread24", "slots168"]
    row: Positive = 20


class PrecisionConfig(Strict):
    """Peaks by averaging window, and by level from one chip to the hall."""

    windows_s: Annotated[list[Annotated[int, Field(ge=2, multiple_of=2)]], Field(min_length=1)] = Field(
        [2, 10, 60, 300, 900, 3600], description="averaging windows, in whole samples of 2 s"
    )
    rows: Annotated[list[Positive], Field(min_length=1)] = Field([4, 10, 40], description="sizes of rows, in servers")
    domains: Positive = Field(6, description="rows that are examined")
    racks: Positive = Field(2, description="racks in a row of hosting.row servers")
    opened: Positive = Field(3, description="racks whose servers and chips are examined")


class SensorsConfig(Strict):
    """Readings of power through sensors."""

    sensors: Sensors = ["ideal", "nvml", "nvml_part_time", "rapl", "ipmi", "redfish", "five_minutes"]
    shown_s: Positive = Field(600, description="seconds of the trace that are drawn")
    days: Annotated[list[Annotated[int, Field(ge=1, le=7)]], Field(min_length=1)] = [1, 2, 4, 7]
    workloads: Positive = Field(12, description="workloads whose profiles are learned")
    seed: Annotated[int, Field(ge=0)] = 0


class OversubscriptionConfig(Strict):
    """Servers added to one row of inference servers."""

    servers: Positive = Field(40, description="servers of the row before any is added")
    headrooms: Annotated[list[Share], Field(min_length=1)] = Field(
        [0.21, 0.13, 0.05], description="share of the budget above the row's peak; the source's is 0.21"
    )
    controllers: Controllers = ["none", "polca", "three_band"]
    added: Annotated[list[Annotated[float, Field(ge=0)]], Field(min_length=1)] = Field(
        [0.0, 0.1, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5], description="added servers, as shares of the row's, ascending"
    )
    days: Annotated[int, Field(ge=1, le=7)] = 2


class LeakageConfig(Strict):
    """Releases of telemetry, and attackers that learn from them."""

    releases: Releases = [
        "nothing",
        "sums",
        "mean",
        "p99",
        "windows6",
        "slots24",
        "coarse24",
        "slots168",
        "histogram",
        "private1_e8",
        "private1_e1",
        "private1_e05",
        "private6_e8",
        "private24_e8",
        "raw",
    ]
    attacked: Positive = Field(400, description="most workloads whose releases the attacker has")
    kept: Share = Field(0.98, description="share of the work with every reading disclosed that a release must keep")


class ProcessorsConfig(Strict):
    """Two generations of servers, and classes of storage."""

    new: Above = Field(0.7, description="servers of the new generation, over the workloads")
    old: Above = Field(1.0, description="servers of the old generation, over the workloads")


class PoliciesConfig(Strict):
    """Published policies, each described by its information and its rule."""

    policies: Policies = [
        "blind",
        "blind_spread",
        "resource_central",
        "prediction_based",
        "coach",
        "scattered",
        "smooth_operator",
        "profile",
    ]
    controller: Controller = Field(
        "three_band", description="controller of the rows that are replayed at 2 s, by priority"
    )
    replayed: Positive = Field(2, description="rows that are replayed at 2 s, for the scored week")


class BoundsConfig(Strict):
    """Small cases that are solved exactly."""

    cases: Annotated[list[Annotated[tuple[Positive, Positive], Field(strict=False)]], Field(min_length=1)] = Field(
        [(2, 12), (3, 18)], description="pairs of rows and workloads"
    )
    rules: Rules = ["spread", "asynchrony"]
    seeds: Annotated[int, Field(ge=2)] = 5
    seconds: Above = Field(60.0, description="time limit of the search of a case, which reports its gap")


class ScaleConfig(Strict):
    """Speed of placing and replaying."""

    instances: Annotated[list[Positive], Field(min_length=1)] = [500, 2000, 10_000]
    repeats: Annotated[int, Field(ge=2)] = 3


class RealityConfig(Strict):
    """Comparison of recorded with generated data."""

    google: list[UserFile] = Field([], description="Google's power data, cellX_pduN.csv.gz, if you have them")
    predictable: Annotated[list[Annotated[float, Field(ge=0, le=1)]], Field(min_length=1)] = [1.0, 0.5, 0.0]


class PlacementConfig(Strict):
    """Workloads that arrive and leave, information on their power, and their placement."""

    fleet: FleetConfig = FleetConfig()
    hosting: HostingConfig = HostingConfig()
    frontier: FrontierConfig = FrontierConfig()
    predictability: PredictabilityConfig = PredictabilityConfig()
    prediction: PredictionConfig = PredictionConfig()
    transfer: TransferConfig = TransferConfig()
    precision: PrecisionConfig = PrecisionConfig()
    sensors: SensorsConfig = SensorsConfig()
    oversubscription: OversubscriptionConfig = OversubscriptionConfig()
    leakage: LeakageConfig = LeakageConfig()
    processors: ProcessorsConfig = ProcessorsConfig()
    policies: PoliciesConfig = PoliciesConfig()
    bounds: BoundsConfig = BoundsConfig()
    scale: ScaleConfig = ScaleConfig()
    reality: RealityConfig = RealityConfig()
