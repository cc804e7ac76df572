"""From the config to courses: sizes, budgets, and what a model takes for an answer."""

from collections.abc import Mapping

from jouleproof.models.decoder import DecoderShape
from jouleproof.models.small import plain_shape
from jouleproof.models.training import Plan
from jouleproof.studies.slm_energy.arithmetic import Range, prompt_length, vocabulary
from jouleproof.studies.slm_energy.config import FineTuningConfig, LadderConfig
from jouleproof.studies.slm_energy.training_plan import EQUAL_STEPS
from jouleproof.studies.slm_energy.training_runs import Course, Exercises, answer_bytes, answer_flops, step_flops

RATE_WIDTH = 32  # at which the config's learning rate holds


def numbers(settings: LadderConfig) -> Range:
    return Range(settings.numbers.largest, settings.numbers.most, settings.numbers.held_out)


def shape_of(settings: LadderConfig, size: str) -> DecoderShape:
    return plain_shape(len(vocabulary(numbers(settings)).words), *settings.sizes[size])


def course(settings: LadderConfig, size: str, steps: int) -> Course:
    """From scratch. The learning rate falls with the width to a power: the rule was fitted on one seed of the four
    default sizes, and holds for all others."""
    shape = shape_of(settings, size)
    task = Exercises(numbers(settings), tuple(settings.problem_steps), settings.tests)
    rate = settings.learning_rate * (RATE_WIDTH / shape.width) ** settings.learning_rate_power
    plan = Plan(
        steps, settings.problems * len(task.steps), task.length, rate, max(1, round(settings.warm_up * steps))
    )  # fmt: skip
    return Course(shape, task, plan, tuple(settings.seeds), marks(steps, max(1, steps // settings.evaluations)))


def marks(steps: int, every: int) -> tuple[int, ...]:
    """Every so many steps, the last one always among them."""
    return (*range(every, steps - every // 2, every), steps)


def budget_steps(settings: LadderConfig, budget: str) -> Mapping[str, int]:
    """By size: as many for all, or as many as take what the size of `equal_flops_of` takes in those, to the nearest."""
    if budget == EQUAL_STEPS:
        return dict.fromkeys(settings.sizes, settings.steps)
    each = {size: step_flops(course(settings, size, settings.steps)) for size in settings.sizes}
    whole = each[settings.equal_flops_of] * settings.steps
    return {size: max(1, round(whole / flops)) for size, flops in each.items()}


def tuned(settings: LadderConfig, own: FineTuningConfig, size: str, budget: str) -> Course:
    """To longer problems, from where the ladder's run under a budget ends."""
    before = course(settings, size, budget_steps(settings, budget)[size])
    return _longer(settings, own, size, own.steps, own.learning_rate_share, before)


def anew(settings: LadderConfig, own: FineTuningConfig, size: str, steps: int) -> Course:
    """On longer problems from scratch, at the ladder's learning rate."""
    return _longer(settings, own, size, steps, 1.0, None)


def _longer(
    settings: LadderConfig, own: FineTuningConfig, size: str, steps: int, share: float, after: Course | None
) -> Course:
    other = settings.model_copy(
        update={"problem_steps": own.problem_steps, "problems": own.problems, "tests": own.tests,
                "learning_rate": settings.learning_rate * share}
    )  # fmt: skip
    found = course(other, size, steps)
    return Course(found.shape, found.task, found.plan, found.seeds, marks(steps, own.every), after)


def flops_per_answer(shape: DecoderShape, written: Mapping[int, float]) -> float:
    """written: tokens of an answer by number of steps, of which there are equally many."""
    return sum(answer_flops(shape, prompt_length(steps), tokens) for steps, tokens in written.items()) / len(written)


def bytes_per_answer(shape: DecoderShape, written: Mapping[int, float], batch: int) -> float:
    """written: as for FLOPs."""
    return sum(answer_bytes(shape, prompt_length(steps), tokens, batch)
               for steps, tokens in written.items()) / len(written)  # fmt: skip
