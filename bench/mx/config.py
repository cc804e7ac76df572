"""Every knob of the study, with its unit and its default."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from bench.formats import FORMATS, SCALE_RULES

Positive = Annotated[int, Field(ge=1)]
Names = Annotated[list[str], Field(min_length=1)]
Seeds = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]
Distribution = Literal["gaussian", "laplace", "student_t"]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class QsnrConfig(Strict):
    """Generated vectors."""

    distributions: Annotated[list[Distribution], Field(min_length=1)] = ["gaussian", "laplace", "student_t"]
    vectors: Positive = Field(10_000, description="vectors per distribution and seed")
    length: Positive = Field(256, description="elements per vector")
    degrees_of_freedom: Annotated[float, Field(gt=2)] = Field(5.0, description="of Student-t; its variance is finite")
    seeds: Seeds = [0, 1, 2, 3, 4, 5, 6, 7]


class WeightsConfig(Strict):
    """Real tensors."""

    questions: Positive = Field(8, description="GSM8K questions whose activations are caught")
    layer_stride: Positive = Field(1, description="every how many-th layer of a model is measured")


class DirectCastConfig(Strict):
    """Real models, cast without training."""

    scales: Names = ["floor"]
    tokens: Positive = Field(2_000, description="predicted tokens of GSM8K questions at least, for the language model")
    chunk_tokens: Positive = Field(1_024, description="tokens whose float32 logits are held in memory at once")
    questions: Annotated[int, Field(ge=2)] = Field(192, description="GSM8K questions for the sentence encoder")


class ConformanceConfig(Strict):
    """Adversarial blocks."""

    blocks: Positive = Field(64, description="blocks per group")
    seed: Annotated[int, Field(ge=0)] = 0


class MxConfig(Strict):
    """formats, scales: built-in names, or `package.module:object`."""

    formats: Names = list(FORMATS)
    scales: Names = list(SCALE_RULES)
    qsnr: QsnrConfig = QsnrConfig()
    qsnr_on_weights: WeightsConfig = WeightsConfig()
    direct_cast: DirectCastConfig = DirectCastConfig()
    conformance: ConformanceConfig = ConformanceConfig()
