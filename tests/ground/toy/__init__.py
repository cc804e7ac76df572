"""A toy study, for tests of what all studies share."""

from pydantic import BaseModel, ConfigDict, Field

from jouleproof.study import Experiment, Study


class Toy(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    sides: int = Field(6, ge=1, description="faces of the die")
    throws: int = 2
    data: str | None = None


STUDY = Study(
    "toy",
    "A toy",
    config=Toy,
    experiments={
        "dice": Experiment("experiments:dice", knobs=("sides", "data")),
        "read": Experiment("experiments:read", knobs=(), inputs=("gsm8k_test",)),
        "doubled": Experiment("experiments:doubled", knobs=(), results=("read",)),
        "timed": Experiment("experiments:timed", timed=True),
        "greedy": Experiment("experiments:greedy", knobs=("sides",)),
        "broken": Experiment("experiments:broken", knobs=("data",)),
    },
)
