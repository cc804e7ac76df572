"""Every knob of the placement study, with unit and default."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from jouleproof.knobs import Strict, named

Positive = Annotated[int, Field(gt=0)]
Above = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(gt=0, lt=1)]
Names = Annotated[list[str], Field(min_length=1)]
_REGISTRY = "jouleproof.studies.placement.registry"
Information = Annotated[Names, named(f"{_REGISTRY}:information")]
Rules = Annotated[Names, named(f"{_REGISTRY}:rules")]
Predictors = Annotated[Names, named(f"{_REGISTRY}:predictors")]
Sensors = Annotated[Names, named(f"{_REGISTRY}:sensors")]
Controller = Annotated[str, named(f"{_REGISTRY}:controllers")]
Controllers = Annotated[Names, named(f"{_REGISTRY}:controllers")]
Releases = Annotated[Names, named(f"{_REGISTRY}:releases")]
Policies = Annotated[Names, named(f"{_REGISTRY}:policies")]
Trace = Annotated[str, named(f"{_REGISTRY}:traces")]


def is_file_name(trace: str) -> bool:
    """Return whether a trace is a file, and not a package.module:object."""
    return ":" not in trace or Path(trace).exists()


def _file(path: str) -> str:
    if not Path(path).is_file():
        raise ValueError(f"{path} is not a file")
    return path


class FleetConfig(Strict):
    """The workloads that arrive, and the hall that hosts them."""

    servers: Positive = Field(200, description="that the hall's nameplates allow for")
    offered: Above = Field(5.4, description="workloads that come in a week, over that number")
    at_once: Above = Field(2.8, description="of them that come at its beginning")
    days: Above = Field(3.0, description="that half of the workloads stay longer than")
    crowding: Above = Field(3.5, description="servers that stand in a row, over what nameplates allow for")
    nameplate_w: Above = 10_200.0
    predictable: Annotated[float, Field(ge=0, le=1)] = Field(1.0, description="1: weeks repeat; 0: nothing does")
    trace: Trace | None = Field(
        None, description="CSV, parquet or package.module:object whose workloads are the fleet's"
    )

    def generated(self, predictable: float) -> "FleetConfig":
        """Return the config with generated workloads, for an experiment that varies what recorded ones cannot vary."""
        return self.model_copy(update={"predictable": predictable, "trace": None})


class HostingConfig(Strict):
    """Rules crossed with information; the margin is set in one week and scored in the next."""

    information: Information = ["nameplate", "mean", "p99", "phases", "windows6", "slots24", "spread24", "slots168"]
    rules: Rules = ["random", "best_fit", "spread", "asynchrony"]
    row: Positive = Field(10, description="servers that a row's nameplates allow for")
    rows: Annotated[list[Positive], Field(min_length=1)] = Field([4, 10, 40], description="the sizes compared")
    risk: Share = Field(1e-3, description="share of rows and slots of five minutes over their budget")
    seeds: Annotated[int, Field(ge=2)] = 10


class FrontierConfig(Strict):
    """Trade-off between risk and work."""

    information: Information = ["nameplate", "mean", "p99", "slots24", "slots168"]
    margins: Annotated[list[Above], Field(min_length=1)] = Field(
        [0.92, 0.96, 1.0, 1.04, 1.08], description="over the one that runs the risk aimed at in the scored weeks"
    )


class PredictabilityConfig(Strict):
    """Dependence on how well weeks repeat."""

    information: Information = ["p99", "slots24"]
    predictable: Annotated[list[Annotated[float, Field(ge=0, le=1)]], Field(min_length=1)] = [1.0, 0.75, 0.5, 0.0]


class PredictionConfig(Strict):
    """Workloads without a history."""

    predictors: Predictors = ["nameplate", "fleet_peak", "fleet_mean", "class_mean", "tenant_mean", "own"]
    with_history: Share = Field(0.5, description="share of the workloads that have one")
    level_errors: list[Above] = Field([0.15, 0.3], description="largest error of the level of a profile, a share")
    phase_errors_h: list[Above] = Field([3.0, 6.0], description="largest error of its time, hours")


class TransferConfig(Strict):
    """A margin that is used on a mix of workloads other than the one that it was set on."""

    information: Information = ["mean", "p99", "windows6", "slots24", "spread24", "slots168"]
    row: Positive = 20


class PrecisionConfig(Strict):
    """Peaks in windows of time, and from one chip to the hall."""

    windows_s: Annotated[list[Positive], Field(min_length=1)] = [2, 10, 60, 300, 900, 3600]
    rows: Annotated[list[Positive], Field(min_length=1)] = Field([4, 10, 40], description="servers behind a budget")
    domains: Positive = Field(6, description="rows that are looked at")
    racks: Positive = Field(2, description="that a row of hosting.row servers is divided into, one level down")
    opened: Positive = Field(3, description="racks whose servers and chips are looked at")


class SensorsConfig(Strict):
    """Readings of power through sensors."""

    sensors: Sensors = ["ideal", "nvml", "nvml_part_time", "rapl", "ipmi", "redfish", "five_minutes"]
    shown_s: Positive = Field(600, description="seconds of the trace that are drawn")
    days: Annotated[list[Annotated[int, Field(ge=1, le=7)]], Field(min_length=1)] = [1, 2, 4, 7]
    workloads: Positive = Field(12, description="whose profiles are learned")
    seed: Annotated[int, Field(ge=0)] = 0


class OversubscriptionConfig(Strict):
    """Servers added to one row of inference servers."""

    servers: Positive = Field(40, description="of the row, before any is added")
    headrooms: Annotated[list[Share], Field(min_length=1)] = Field(
        [0.21, 0.13, 0.05], description="share of the budget that the row's peak leaves; the source's is 0.21"
    )
    controllers: Controllers = ["none", "polca", "three_band"]
    added: Annotated[list[Annotated[float, Field(ge=0)]], Field(min_length=1)] = Field(
        [0.0, 0.1, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5], description="share of the servers, rising"
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
    attacked: Positive = Field(400, description="workloads whose releases the attacker has, at most")
    kept: Share = Field(0.98, description="of the work with every reading told, that a release has to be worth")


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
    controller: Controller = Field("three_band", description="under which rows are replayed at 2 s, by priority")
    replayed: Positive = Field(2, description="rows that are replayed so, for the scored week")


class BoundsConfig(Strict):
    """Small cases that are solved exactly."""

    cases: Annotated[list[Annotated[tuple[Positive, Positive], Field(strict=False)]], Field(min_length=1)] = Field(
        [(2, 12), (3, 18)], description="rows, workloads"
    )
    rules: Rules = ["spread", "asynchrony"]
    seeds: Annotated[int, Field(ge=2)] = 5
    seconds: Above = Field(60.0, description="after which the search of one case stops, its gap stated")


class ScaleConfig(Strict):
    """Speed of placing and replaying."""

    instances: Annotated[list[Positive], Field(min_length=1)] = [500, 2000, 10_000]
    repeats: Annotated[int, Field(ge=2)] = 3


class RealityConfig(Strict):
    """Comparison of recorded with generated data."""

    google: list[Annotated[str, AfterValidator(_file)]] = Field(
        [], description="Google's power data, cellX_pduN.csv.gz, where you have them"
    )

    predictable: Annotated[list[Annotated[float, Field(ge=0, le=1)]], Field(min_length=1)] = [1.0, 0.5, 0.0]


class PlacementConfig(Strict):
    """Workloads that come and go, what is known of their power, and where they are placed."""

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
