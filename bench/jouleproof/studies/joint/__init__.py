"""The levers together: their savings alone, one after another and all at once, from the other studies' tables."""

from jouleproof.studies.joint.config import JointConfig
from jouleproof.study import Experiment, Study

TABLES = ("phase_split/service_energy", "placement/hosting", "slm_energy/answers", "slm_energy/cards")

STUDY = Study(
    "joint",
    "the levers together",
    config=JointConfig,
    experiments={
        "levers": Experiment("experiments.levers:levers", results=TABLES, group="small"),
        "assumptions": Experiment("experiments.levers:assumptions", results=TABLES, group="small"),
    },
)
