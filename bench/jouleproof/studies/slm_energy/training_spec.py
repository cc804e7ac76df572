"""Specifications of training: the runs of the ladder and of fine-tuning, their final checkpoints, and their operations.

The workflow plans its jobs with this module, so it has no heavy imports.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from jouleproof.models.decoder_shape import DecoderShape, answer_bytes, answer_flops, forward_flops, plain_shape
from jouleproof.models.schedule import Plan
from jouleproof.studies.slm_energy.arithmetic import Range, WordProblems, answer_length, prompt_length, vocabulary
from jouleproof.studies.slm_energy.config import LadderConfig, SlmEnergyConfig
from jouleproof.study import Experiment

EQUAL_STEPS, EQUAL_FLOPS = BUDGETS = ("equal steps", "equal FLOPs")
FINE_TUNED, FROM_SCRATCH = "fine_tuned_", "from_scratch_"  # prefixes of a checkpoint's name, before the size
LARGE = {"runtime": 2880}
RATE_WIDTH = 32  # width that the config's learning rate is for
BACKWARD = 2.0  # FLOPs of the backward pass over those of the forward pass: gradients of inputs and of weights


@dataclass(frozen=True)
class TrainingSpec:
    """Decoders of one shape that are trained side by side, one for each seed: everything that determines the bits of
    the result.

    plan: `batch` problems per step, equally many of each number of steps. marks: steps after which the models are
    tested and the run is saved. after: the run from whose end this run starts.
    """

    shape: DecoderShape
    task: WordProblems
    plan: Plan
    seeds: tuple[int, ...]
    marks: tuple[int, ...]
    after: "TrainingSpec | None" = None

    @property
    def problems(self) -> int:
        """Problems per number of steps in a batch."""
        return self.plan.batch // len(self.task.steps)

    @property
    def step_flops(self) -> float:
        """Multiplications and additions of one step of one model, forward and backward. After its attention, the last
        layer computes only the positions that predict an answer."""
        shape, steps = self.shape, self.task.steps
        lengths = [prompt_length(count) + answer_length(count) - 1 for count in steps]
        read, asked = self.problems * sum(lengths), self.problems * sum(map(answer_length, steps))
        attended = self.problems * sum(length * (length + 1) // 2 for length in lengths)
        left_out = 2.0 * shape.width * (shape.width + 3 * shape.mlp_width) * (read - asked)
        return (1 + BACKWARD) * (forward_flops(shape, read, asked, attended) - left_out)

    def alone(self, seed: int) -> Self:
        """Return the same spec for a single seed."""
        return replace(self, seeds=(seed,), after=self.after and self.after.alone(seed))


def checkpoints(config: SlmEnergyConfig) -> Mapping[str, Experiment]:
    """Return the experiment that trains each checkpoint, by the checkpoint's name: the ladder's sizes under both
    budgets, and the models on longer problems."""
    ladder, tuning = config.ladder, config.fine_tuning
    for_ladder = Experiment("training_run:train_for_ladder", knobs=("ladder",), priority=2, resources=LARGE)
    from_scratch = Experiment(
        "training_run:train_from_scratch", knobs=("ladder", "fine_tuning"), priority=1, resources=LARGE
    )
    largest_first = reversed(ladder.sizes)  # the largest takes longest
    trained = {ladder_checkpoint(ladder, size, budget): for_ladder for size in largest_first for budget in BUDGETS}
    for size in (tuning.small, tuning.large):
        starts = dict.fromkeys(ladder_checkpoint(ladder, size, budget) for budget in BUDGETS)
        trained[FINE_TUNED + size] = replace(
            from_scratch,
            function="training_run:train_fine_tuned",
            results=("ladder", "ladder_equal_flops"),
            checkpoints=tuple(starts),
        )
    return {**trained, **{FROM_SCRATCH + size: from_scratch for size in tuning.anew_steps}}


def ladder_checkpoint(settings: LadderConfig, size: str, budget: str) -> str:
    """Return the checkpoint's name for a size under a budget; both budgets of `equal_flops_of` are the same run."""
    same = budget == EQUAL_STEPS or size == settings.equal_flops_of
    return f"{'equal_steps' if same else 'equal_flops'}_{size}"


def ladder_specs(settings: LadderConfig, budget: str) -> dict[str, TrainingSpec]:
    """Return the runs from scratch by size: with the same number of steps for all sizes, or with the number of steps
    whose FLOPs are nearest to those of the size `equal_flops_of`."""
    specs = {size: ladder_spec(settings, size, settings.steps) for size in settings.sizes}
    if budget == EQUAL_STEPS:
        return specs
    whole = specs[settings.equal_flops_of].step_flops * settings.steps
    counts = {size: max(1, round(whole / spec.step_flops)) for size, spec in specs.items()}
    return {size: ladder_spec(settings, size, count) for size, count in counts.items()}


def ladder_spec(settings: LadderConfig, size: str, steps: int) -> TrainingSpec:
    """Return a run from scratch on the ladder's problems."""
    task = WordProblems(range=numbers(settings), steps=tuple(settings.problem_steps), tests=settings.tests)
    return _spec(settings, size, steps, task, settings.problems, every=max(1, steps // settings.evaluations))


def fine_tuned_spec(config: SlmEnergyConfig, size: str, budget: str) -> TrainingSpec:
    """Return a run on longer problems that starts from the end of the ladder's run under a budget."""
    tuning = config.fine_tuning
    before = ladder_specs(config.ladder, budget)[size]
    return replace(longer_spec(config, size, tuning.steps, tuning.learning_rate_share), after=before)


def longer_spec(config: SlmEnergyConfig, size: str, steps: int, rate_share: float = 1.0) -> TrainingSpec:
    """Return a run from scratch on longer problems. rate_share: share of the ladder's learning rate."""
    ladder, tuning = config.ladder, config.fine_tuning
    task = WordProblems(range=numbers(ladder), steps=tuple(tuning.problem_steps), tests=tuning.tests)
    return _spec(ladder, size, steps, task, tuning.problems, every=tuning.every, rate_share=rate_share)


def _spec(
    settings: LadderConfig, size: str, steps: int, task: WordProblems, problems: int, every: int, rate_share: float = 1
) -> TrainingSpec:
    """Return a run. Its learning rate falls as a power of the width; the exponent was fitted to one seed of the four
    default sizes and is used for all others. every: steps between two marks; the last step is always a mark."""
    shape = shape_of(settings, size)
    rate = settings.learning_rate * rate_share * (RATE_WIDTH / shape.width) ** settings.learning_rate_power
    plan = Plan(
        steps=steps,
        batch=problems * len(task.steps),
        context=task.length,
        learning_rate=rate,
        warm_up=max(1, round(settings.warm_up * steps)),
    )
    marks = (*range(every, steps - every // 2, every), steps)
    return TrainingSpec(shape=shape, task=task, plan=plan, seeds=tuple(settings.seeds), marks=marks)


def numbers(settings: LadderConfig) -> Range:
    of = settings.numbers
    return Range(largest=of.largest, most=of.most, held_out=of.held_out)


def shape_of(settings: LadderConfig, size: str) -> DecoderShape:
    return plain_shape(len(vocabulary(numbers(settings)).words), *settings.sizes[size])


def flops_per_answer(shape: DecoderShape, written: Mapping[int, float]) -> float:
    """Return the mean FLOPs of an answer. written: tokens of an answer by number of steps, all equally frequent."""
    return sum(answer_flops(shape, prompt_length(steps), tokens) for steps, tokens in written.items()) / len(written)


def bytes_per_answer(shape: DecoderShape, written: Mapping[int, float], batch: int) -> float:
    """Return the mean bytes read for an answer. written: as in flops_per_answer. batch: answers side by side."""
    answers = [answer_bytes(shape, prompt_length(steps), tokens, batch) for steps, tokens in written.items()]
    return sum(answers) / len(written)
