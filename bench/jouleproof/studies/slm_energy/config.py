"""Every knob of the study of small language models, with unit and default."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from jouleproof.knobs import Above, Names, Positive, Share, Strict, named
from jouleproof.studies.slm_energy.language_models import BUILT_IN, HUB_OFF, with_paths_expanded

_HERE = "jouleproof.studies.slm_energy"
FORMATS = (
    "float32", "bfloat16", "mxint8", "mxfp8_e4m3", "mxfp8_e5m2", "mxfp6_e2m3", "mxfp6_e3m2", "mxfp4",
)  # fmt: skip
TASKS = ("solutions", "sums", "problems")
SHAPES = ("smollm2_135m", "smollm2_360m")
ENGINES = ("runner", "runner_bfloat16", "eager", "transformers", "ctranslate2", "llama_cpp")


class Bounds(Strict):
    """A constant that is known only within a range. source: where it comes from. verified: whether the values were read
    there rather than assumed."""

    low: Above
    middle: Above
    high: Above
    source: str
    verified: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low <= self.middle <= self.high:
            raise ValueError("low, middle and high must be in ascending order")
        return self


class PowerConfig(Strict):
    """Constants that turn CPU seconds and bytes into joules where no counter measures them, and joules into carbon and
    cost."""

    core_w: Bounds = Field(
        Bounds(
            low=1.9,
            middle=3.75,
            high=6.0,
            source="assumption: a 96-core server processor of 360 W, from one thread's share to a single busy core",
        ),
        description="W of a core while it computes",
    )
    dram_pj_per_bit: Bounds = Field(
        Bounds(
            low=10.0,
            middle=20.0,
            high=40.0,
            source="1.3 to 2.6 nJ per 64 bits (Horowitz, ISSCC 2014); low: assumption, newer memory",
        ),
        description="pJ per bit moved to or from memory",
    )
    idle_w: Bounds = Field(
        Bounds(low=0.5, middle=1.0, high=2.0, source="assumption: 50 to 200 W for a busy server of 96 cores"),
        description="W of the rest of the machine per core that computes",
    )
    shape: Literal["lognormal", "uniform"] = "lognormal"
    draws: Annotated[int, Field(ge=100)] = 4_000
    seed: int = 0


class MetersConfig(Strict):
    """The workload of the meter audit, and the meter of timed experiments."""

    meter: Annotated[str, named("jouleproof.power.meters:meters")] = Field(
        "auto", description="auto, rapl, nvml, none, or package.module:object"
    )
    steps: Positive = Field(700, description="products of 384 x 384 matrices in one run of the workload")
    repeats: Annotated[int, Field(ge=2)] = 2


class QualityConfig(Strict):
    """Tasks for real weights."""

    models: Annotated[
        Names, AfterValidator(with_paths_expanded), named(f"{_HERE}.language_models:language_models", (BUILT_IN,))
    ] = Field(
        ["smollm2_135m"],
        description="smollm2_135m, folder:PATH, gguf:PATH, hub:ORGANISATION/MODEL@COMMIT, package.module:object",
    )
    hub: bool = Field(False, description="whether models may be fetched from the hub")
    formats: Annotated[Names, named(f"{_HERE}.weight_formats:weight_formats", built_in=FORMATS, group="formats")] = (
        list(FORMATS)
    )
    tasks: Annotated[Names, named(f"{_HERE}.registry:tasks", built_in=TASKS)] = list(TASKS)
    items: dict[str, Positive] = Field({"solutions": 40, "sums": 48, "problems": 16}, description="by task, in float32")
    items_otherwise: Positive = Field(50, description="items of a task that `items` does not list")
    cast_items: Positive = Field(6, description="items of each task in the other formats")
    seed: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _hub_allowed(self) -> Self:
        if not self.hub and (on_hub := [name for name in self.models if name.startswith("hub:")]):
            raise ValueError(f"models: {on_hub[0]!r}: {HUB_OFF}")
        return self


class CostConfig(Strict):
    """Processor time of real shapes on one core."""

    shapes: Annotated[Names, named(f"{_HERE}.registry:shapes", built_in=SHAPES)] = Field(
        list(SHAPES), description="a shape other than SmolLM2-135M's gets random weights"
    )
    prompt: Positive = Field(256, description="tokens read at once, and context of each written token")
    batches: Annotated[list[Positive], Field(min_length=1)] = [1, 4, 16]
    repeats: Annotated[int, Field(ge=3)] = 4
    draws: Positive = Field(1000, description="draws of the accuracy, for the cost of a right answer")


class TuningConfig(Strict):
    """Fine-tuning of real weights on the right-hand sides of calculations."""

    ways: Annotated[list[Literal["full", "lora"]], Field(min_length=1)] = ["full", "lora"]
    checkpoints: Annotated[list[Positive], Field(min_length=1)] = Field([8, 16], description="steps, ascending")
    batch: Positive = 8
    learning_rates: dict[Literal["full", "lora"], Above] = {"full": 2e-5, "lora": 1e-3}
    rank: Positive = Field(8, description="rank of LoRA's matrices")
    most_tokens: Positive = Field(64, description="longer texts are left out")
    problems: Positive = Field(2000, description="problems of the training split that supply the calculations")
    items: Positive = Field(40, description="calculations of the test split")
    timed_steps: Annotated[int, Field(ge=2)] = Field(3, description="timed steps, after a warm-up step")
    seeds: Annotated[list[int], Field(min_length=1)] = [0]


class EnginesConfig(Strict):
    """Inference engines that run the same weights."""

    engines: Annotated[Names, named(f"{_HERE}.registry:engines", built_in=ENGINES)] = list(ENGINES)
    prompt: Positive = 256
    tokens: Positive = Field(10, description="tokens written per round")
    repeats: Annotated[int, Field(ge=2)] = 3


class RangeConfig(Strict):
    """Whole numbers in generated word problems."""

    largest: Positive = Field(10, description="largest starting number, and largest number added or subtracted")
    most: Positive = Field(30, description="largest result of a step")
    held_out: Share = Field(0.1, description="share of the operand tuples that only test problems have")


class LadderConfig(Strict):
    """Decoders of rising size, trained from scratch on generated grade school math."""

    sizes: dict[str, Annotated[tuple[Positive, Positive, Positive], Field(strict=False)]] = Field(
        {"10k": (2, 20, 2), "30k": (2, 32, 2), "100k": (3, 48, 3), "300k": (3, 88, 4)},
        description="layers, width and heads by name, from the smallest to the largest",
    )
    seeds: Annotated[list[int], Field(min_length=2)] = [0, 1, 2, 3]
    numbers: RangeConfig = RangeConfig()
    problem_steps: Annotated[list[Positive], Field(min_length=1)] = [1, 2, 3]
    problems: Positive = Field(11, description="problems per number of steps in a batch")
    tests: Positive = Field(150, description="held-out problems per number of steps")
    steps: Positive = Field(700, description="training steps of every size at equal steps")
    equal_flops_of: str = Field(
        "30k", description="at equal FLOPs, every size gets as many FLOPs as this one in `steps` steps"
    )
    learning_rate: Above = Field(0.015, description="at a width of 32")
    learning_rate_power: Above = Field(1.5, description="the learning rate falls with the width to this power")
    warm_up: Share = Field(0.05, description="share of the steps")
    evaluations: Positive = Field(10, description="evaluations per run")
    target: Share = Field(0.9, description="accuracy that counts as reached")

    @model_validator(mode="after")
    def _known(self) -> Self:
        if len(self.sizes) < 2 or self.equal_flops_of not in self.sizes:
            raise ValueError("sizes must have at least two entries, and equal_flops_of must be one of them")
        uneven = [name for name, (_, width, heads) in self.sizes.items() if width % (2 * heads)]
        if uneven:
            raise ValueError(f"the width of {', '.join(uneven)} must be an even multiple of the heads")
        return self


class FineTuningConfig(Strict):
    """Fine-tuning of two of the ladder's models on longer problems, each from the end of its better run."""

    small: str = "10k"
    large: str = "300k"
    problem_steps: Annotated[list[Positive], Field(min_length=1)] = [4]
    problems: Positive = Field(32, description="problems per number of steps in a batch")
    tests: Positive = 100
    steps: Positive = Field(
        300, description="steps of fine-tuning; 100 are too few for a small model to reach the target with every seed"
    )
    anew_steps: dict[str, Positive] = Field(
        {"10k": 1200}, description="steps of training from scratch on these problems, by size"
    )
    every: Positive = Field(10, description="steps between two tests")
    learning_rate_share: Above = Field(0.5, description="share of the ladder's learning rate")
    target: Share = 0.8


class LadderCostConfig(Strict):
    """Processor time of the ladder's shapes on one core."""

    batches: Annotated[list[Positive], Field(min_length=1)] = Field([1, 64], description="answers written side by side")
    rounds: Annotated[int, Field(ge=2)] = Field(5, description="timed rounds per seed")


class LawConfig(Strict):
    """Power laws fitted to the published energy of tokens."""

    resamples: Annotated[int, Field(ge=100)] = Field(1000, description="resamples of the models, for the intervals")
    seed: Annotated[int, Field(ge=0)] = 0


class AnswersConfig(Strict):
    """Answers of published models, predicted from those laws and published accuracies."""

    limits: Annotated[list[Positive], Field(min_length=1)] = Field(
        [8, 64, 256], description="concurrent requests; the verdicts rest on 64"
    )
    floor: Share = Field(
        0.5,
        description="largest share of an 8B model's energy that a smaller one cannot save, uniform from 0; assumption",
    )
    answer_tokens: Positive = Field(150, description="tokens of a solution; assumption, cancels in ratios")
    length_spread: Above = Field(
        0.33, description="deviation of ln of a model's mean length: that of chat answers over ML.ENERGY's models"
    )
    phone_w: Bounds = Field(
        Bounds(low=3.0, middle=4.25, high=6.0, source="assumption: a phone's processor under load, without screen"),
        description="W of a phone while it writes",
    )
    phone_tokens_s: Above = Field(12.0, description="Phi-3-mini on an iPhone 14 (arXiv 2404.14219: more than 12)")
    gpu_w: Bounds = Field(
        Bounds(
            low=425.0,
            middle=550.0,
            high=690.0,
            verified=True,
            source="boards of dense models at 8 to 256 requests, ML.ENERGY",
        ),
        description="W of an H100 board that serves requests",
    )
    gpu_price_per_h: Bounds = Field(
        Bounds(low=2.0, middle=3.0, high=4.0, source="assumption: list prices of cloud providers"),
        description="euro per H100-hour",
    )


class SlmEnergyConfig(Strict):
    """Models by the cost of an answer and by how often it is right."""

    meters: MetersConfig = MetersConfig()
    power: PowerConfig = PowerConfig()
    quality: QualityConfig = QualityConfig()
    cost: CostConfig = CostConfig()
    tuning: TuningConfig = TuningConfig()
    engines: EnginesConfig = EnginesConfig()
    ladder: LadderConfig = LadderConfig()
    fine_tuning: FineTuningConfig = FineTuningConfig()
    ladder_cost: LadderCostConfig = LadderCostConfig()
    energy_law: LawConfig = LawConfig()
    answers: AnswersConfig = AnswersConfig()

    @model_validator(mode="after")
    def _sizes(self) -> Self:
        tuning = self.fine_tuning
        unknown = sorted({tuning.small, tuning.large, *tuning.anew_steps} - set(self.ladder.sizes))
        if unknown:
            raise ValueError(f"fine_tuning: {', '.join(unknown)} not in ladder.sizes")
        return self
