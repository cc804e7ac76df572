"""A complete custom study: an experiment, its figure and its claim."""

from pydantic import BaseModel, ConfigDict, PositiveInt

from jouleproof.study import Experiment, Study


class Config(BaseModel):
    """Knobs of the study. outliers: how many times as large one element of each block is. vectors: number of 32
    elements each, by seed."""

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
