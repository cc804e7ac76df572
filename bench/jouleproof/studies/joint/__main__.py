"""`python -m jouleproof.studies.joint EXPERIMENT --config FILE --result FILE … --out FILE`: it reads other studies' tables alone."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from jouleproof.studies.joint.config import JointConfig
from jouleproof.study import Experiment, Job, command_line

if TYPE_CHECKING:
    import pandas as pd

STUDY_OF = {
    "service_energy": "phase_split", "hosting": "placement", "answers": "slm_energy", "cards": "slm_energy",
}  # fmt: skip


def levers(job: Job[JointConfig]) -> "pd.DataFrame":
    """What the levers save singly, one after another and all at once."""
    from jouleproof.studies.joint.experiments import levers as room

    return room.levers(job.config, job.results)


def assumptions(job: Job[JointConfig]) -> "pd.DataFrame":
    """What is assumed, and what hangs on it."""
    from jouleproof.studies.joint.experiments import levers as room

    return room.assumptions(job.config, job.results)


TABLES = tuple(STUDY_OF)

EXPERIMENTS: Mapping[str, Experiment[JointConfig]] = {
    "levers": Experiment(levers, results=TABLES),
    "assumptions": Experiment(assumptions, results=TABLES),
}

app = command_line("joint", JointConfig, EXPERIMENTS)

if __name__ == "__main__":
    app()
