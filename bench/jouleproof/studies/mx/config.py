"""The knobs of the study, with their units and defaults."""

from typing import Annotated, Literal

from pydantic import Field

from jouleproof.formats import FORMATS, SCALE_RULES
from jouleproof.knobs import Names, Positive, Seeds, Strict, named
from jouleproof.studies.mx.other_casts import OTHERS

Format = Annotated[str, named("jouleproof.studies.mx.registry:formats")]
Formats = Annotated[Names, named("jouleproof.studies.mx.registry:formats")]
ScaleRules = Annotated[Names, named("jouleproof.studies.mx.registry:scale_rules")]
ScaleRulesAndParts = Annotated[
    Names, named("jouleproof.studies.mx.registry:scale_rules_and_parts", group="scale_rules")
]
Casts = Annotated[list[str], named("jouleproof.studies.mx.registry:other_casts")]
RECIPES = ("float32", "mxfp8", "mxfp6", "mxfp4_weights")
Distribution = Literal["gaussian", "laplace", "student_t"]
Subjects = Annotated[list[Literal["activations", "weights", "both"]], Field(min_length=1)]


class QsnrConfig(Strict):
    """Knobs of the generated vectors."""

    distributions: Annotated[list[Distribution], Field(min_length=1)] = ["gaussian", "laplace", "student_t"]
    vectors: Positive = Field(10_000, description="vectors per distribution and seed")
    length: Positive = Field(256, description="elements per vector")
    degrees_of_freedom: Annotated[float, Field(gt=2)] = Field(
        5.0, description="of Student's t; above 2 its variance is finite"
    )
    seeds: Seeds = [0, 1, 2, 3, 4, 5, 6, 7]


class ErrorSourcesConfig(QsnrConfig):
    """Knobs of the generated vectors; there are fewer than for QSNR, because they are cast in more ways.

    blocks: elements that share a scale; a multiple of 8. others: casts that are not OCP MX
    (jouleproof.studies.mx.other_casts).
    """

    vectors: Positive = Field(2_000, description="vectors per distribution and seed")
    seeds: Seeds = [0, 1, 2, 3, 4]
    blocks: Annotated[list[Annotated[int, Field(ge=8, multiple_of=8)]], Field(min_length=1)] = [8, 16, 32, 64, 128]
    others: Casts = list(OTHERS)


class WeightsConfig(Strict):
    """Knobs of the casts of real tensors."""

    questions: Positive = Field(8, description="GSM8K questions whose activations are recorded")
    layer_stride: Positive = Field(1, description="one in this many layers is measured")


class DirectCastConfig(Strict):
    """Knobs of the direct casts of real models."""

    scales: ScaleRules = Field(["floor", "rceil"], description="rules under which every format is cast")
    more_scales: dict[Format, ScaleRulesAndParts] = Field(
        {"mxfp8_e4m3": ["floor_clip_only", "floor_round_only"], "mxfp4": ["even"]},
        description="further rules, or parts of a cast (jouleproof.studies.mx.cast_steps), by format",
    )
    language_subjects: Subjects = Field(["activations"], description="parts of the language model to cast")
    embedding_subjects: Subjects = Field(["both"], description="parts of the sentence encoder to cast")
    tokens: Positive = Field(800, description="least predicted tokens of GSM8K questions for the language model")
    batch_tokens: Positive = Field(512, description="tokens per batch; its logits are kept in memory")
    questions: Annotated[int, Field(ge=2)] = Field(64, description="GSM8K questions for the sentence encoder")


class TrainingConfig(Strict):
    """Knobs of a small transformer over bytes, trained from scratch.

    recipes: recipes of jouleproof.studies.mx.recipes; float32 is always included.

    The spread over seeds decides the result, so a few short runs say more than one long run.
    """

    recipes: Annotated[Names, named("jouleproof.studies.mx.recipes:recipes", built_in=RECIPES)] = list(RECIPES)
    scales: ScaleRules = Field(["floor", "rceil"], description="rules under which the final float32 model is cast")
    seeds: Seeds = [0, 1, 2]
    layers: Positive = 2
    width: Annotated[int, Field(ge=32, multiple_of=32)] = 96
    context: Annotated[int, Field(ge=32, multiple_of=32)] = Field(64, description="predicted bytes per window of text")
    batch: Positive = Field(8, description="windows per step")
    steps: Positive = 160
    warm_up: Positive = Field(16, description="steps in which the learning rate rises")
    learning_rate: Annotated[float, Field(gt=0)] = 2e-3
    every: Positive = Field(10, description="steps per point of a training curve")
    held_out: Positive = Field(128, description="windows of the test split per seed")


class ConformanceConfig(Strict):
    """Knobs of the adversarial blocks."""

    blocks: Positive = Field(64, description="blocks per group")
    seed: Annotated[int, Field(ge=0)] = 0


class SiliconConfig(Strict):
    """Knobs of the modelled dot-product units."""

    draws: Annotated[int, Field(ge=2)] = Field(1_000, description="draws of the model's constants from their ranges")
    seed: Annotated[int, Field(ge=0)] = 0
    vectors: Positive = Field(2_000, description="Gaussian vectors per seed, for the QSNR shown against the cost")
    seeds: Seeds = [0, 1, 2, 3]


class ThroughputConfig(Strict):
    """Knobs of the timed casts in this library and others, and of a copy. Every pass times every case once."""

    elements: Annotated[int, Field(ge=4096, multiple_of=4096)] = Field(
        1 << 24, description="float32 elements, for this library and torchao"
    )
    slow_elements: Annotated[int, Field(ge=4096, multiple_of=4096)] = Field(
        1 << 20, description="float32 elements, for slower libraries"
    )
    threads: Annotated[list[Positive], Field(min_length=1)] = [1, 2]
    passes: Positive = 4
    peer_passes: Positive = Field(2, description="passes that include other libraries, with the most threads")
    rounds: Positive = Field(1, description="timed calls per case and pass; their median is used")


class MatvecConfig(Strict):
    """Knobs of the products of packed matrices and vectors."""

    shapes: Annotated[list[Annotated[list[Positive], Field(min_length=2, max_length=2)]], Field(min_length=1)] = Field(
        [[512, 512], [1024, 2048], [4096, 4096], [4096, 16384], [16384, 16384]], description="rows, columns"
    )
    repeats: Annotated[int, Field(ge=2)] = Field(8, description="rounds in which every product is timed once")


class DecodeConfig(Strict):
    """Knobs of decoding with SmolLM2-135M, one token at a time.

    threads: several threads synchronise hundreds of times per token, which pays only on an otherwise idle machine.
    """

    threads: Positive = 1
    prompt_tokens: Annotated[int, Field(ge=2)] = Field(32, description="tokens of the prompt, from GSM8K questions")
    tokens: Positive = Field(16, description="tokens that are decoded greedily after it")
    repeats: Annotated[int, Field(ge=2)] = Field(8, description="rounds in which every format decodes once")
    forced: Positive = Field(16, description="tokens whose logits are compared with the fake-quantised model's")
    near_tie: Annotated[float, Field(gt=0)] = Field(1e-2, description="logits closer than this may change their order")


class WireConfig(Strict):
    """Knobs of the transfers of real tensors between two processes."""

    bucket_mib: Annotated[float, Field(gt=0)] = Field(
        25.0, description="least size of the float32 gradients; the default of DDP"
    )
    tokens: Annotated[int, Field(ge=2)] = Field(
        512, description="tokens per rank of the backward pass and of the KV cache"
    )
    gbit_per_s: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=1)] = Field(
        [1.0, 10.0], description="payload rates of limited links; unlimited loopback is always included"
    )
    repeats: Positive = 5
    timeout_s: Annotated[float, Field(gt=0)] = Field(
        60.0, description="longest time that one process waits for another"
    )


class MxConfig(Strict):
    """All knobs of the study. formats, scales: built-in names, or `package.module:object`."""

    formats: Formats = list(FORMATS)
    scales: ScaleRules = list(SCALE_RULES)
    qsnr: QsnrConfig = QsnrConfig()
    error_sources: ErrorSourcesConfig = ErrorSourcesConfig()
    qsnr_on_weights: WeightsConfig = WeightsConfig()
    direct_cast: DirectCastConfig = DirectCastConfig()
    conformance: ConformanceConfig = ConformanceConfig()
    wire: WireConfig = WireConfig()
    training: TrainingConfig = TrainingConfig()
    silicon: SiliconConfig = SiliconConfig()
    throughput: ThroughputConfig = ThroughputConfig()
    matvec: MatvecConfig = MatvecConfig()
    decode: DecodeConfig = DecodeConfig()
