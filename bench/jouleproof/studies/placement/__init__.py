"""Placement by power telemetry: what power profiles of workloads are worth, and what they disclose."""

from jouleproof.studies.placement.config import PlacementConfig
from jouleproof.study import Experiment, Study

POWER = ("phase_split/power_trace",)
RECORDED = ("acme_power", "bitbrains_fragments", "bitbrains_tasks", "surf_fragments", "surf_tasks")
HOURS = {"runtime": 240}
LARGE = {"runtime": 480, "mem_mb": 16_000}

STUDY = Study(
    "placement",
    "placement",
    config=PlacementConfig,
    experiments={
        "sensed": Experiment("experiments.precision:sensed", knobs=("sensors",), results=POWER, group="small"),
        "precision": Experiment(
            "experiments.precision:precision", knobs=("fleet", "hosting", "precision"), results=POWER
        ),
        "profile_error": Experiment(
            "experiments.precision:profile_error", knobs=("fleet", "hosting", "sensors"), results=POWER, resources=HOURS
        ),
        "hosting": Experiment("experiments.hosting:hosting", knobs=("fleet", "hosting"), priority=1, resources=LARGE),
        "frontier": Experiment("experiments.hosting:frontier", knobs=("fleet", "hosting", "frontier"), resources=HOURS),
        "predictability": Experiment(
            "experiments.hosting:predictability", knobs=("fleet", "hosting", "predictability"), resources=HOURS
        ),
        "transfer": Experiment(
            "experiments.transfer:transfer", knobs=("fleet", "hosting", "transfer"), resources=HOURS
        ),
        "prediction": Experiment("experiments.prediction:prediction", knobs=("fleet", "hosting", "prediction")),
        "leakage": Experiment(
            "experiments.leakage:leakage", knobs=("fleet", "hosting", "leakage"), priority=1, resources=LARGE
        ),
        "oversubscription": Experiment(
            "experiments.oversubscription:oversubscription",
            knobs=("hosting", "oversubscription"),
            results=POWER,
            resources=HOURS,
        ),
        "processors": Experiment(
            "experiments.processors:processors", knobs=("fleet", "hosting", "processors"), group="small"
        ),
        "policies": Experiment("experiments.policies:policies", knobs=("fleet", "hosting", "policies"), results=POWER),
        "bounds": Experiment("experiments.policies:bounds", knobs=("fleet", "bounds")),
        "reality": Experiment(
            "experiments.reality:reality", knobs=("fleet", "reality"), inputs=RECORDED, group="small"
        ),
        "scale": Experiment("experiments.scale:scale", knobs=("scale",), results=POWER, timed=True),
    },
)
