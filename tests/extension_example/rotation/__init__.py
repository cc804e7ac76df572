"""A whole study: an experiment, its figure and its claim."""

from pydantic import BaseModel, ConfigDict, PositiveInt

from jouleproof.study import Experiment, Study


class Config(BaseModel):
    """outliers: how many times as large one element of each block is. vectors: of 32 elements, by seed."""

    model_config = ConfigDict(extra="forbid")

    formats: list[str] = ["mxfp8_e4m3", "mxfp4"]
    outliers: list[float] = [1.0, 4.0, 16.0]
    vectors: PositiveInt = 2000
    seeds: list[int] = list(range(10))


STUDY = Study(
    "rotation",
    "Rotation before a cast",
    config=Config,
    experiments={"gain": Experiment("experiments:gain")},
)
