"""Small decoders learn to answer word problems: all seeds of a course side by side in one batched model.

A course is what decides the bits of its outcome. Its steps are fixed beforehand; the batch of a step follows from seed
and step alone, so that a run that was cut off goes on to the same bits.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from jouleproof.models.decoder import DecoderShape, forward_flops, layer_weights
from jouleproof.models.small import small_decoder
from jouleproof.models.stacked import greedy, hidden, logits, stacked
from jouleproof.models.training import Plan, adamw, set_rate
from jouleproof.studies.slm_energy.arithmetic import (
    Problems,
    Range,
    Vocabulary,
    answer_length,
    drawn,
    is_right,
    prompt_length,
    texts,
    vocabulary,
)

BACKWARD = 2.0  # FLOPs of the way back over those of the way there: gradients of inputs, and of weights
TEST_SEED = 7  # of the test problems, which are the same for all models
DRAWN_TOGETHER = 50  # steps


@dataclass(frozen=True)
class Exercises:
    """Problems of a range, by how many steps they have. tests: held-out problems of each number of steps."""

    range: Range
    steps: tuple[int, ...]
    tests: int

    @property
    def length(self) -> int:
        """Tokens of its longest text."""
        return prompt_length(max(self.steps)) + answer_length(max(self.steps))

    def test_problems(self) -> dict[int, Problems]:
        """By number of steps."""
        return {steps: drawn(self.range, steps, self.tests, True, np.random.default_rng([TEST_SEED, steps]))
                for steps in self.steps}  # fmt: skip


@dataclass(frozen=True)
class Course:
    """shape: of the decoders, one for each seed. plan: `batch` problems a step, as many of each number of steps.
    marks: steps after which the models are tested and the run is kept. after: the course whose end this one starts at.
    """

    shape: DecoderShape
    task: Exercises
    plan: Plan
    seeds: tuple[int, ...]
    marks: tuple[int, ...]
    after: "Course | None" = None

    def alone(self, seed: int) -> Self:
        """For one of its seeds."""
        return replace(self, seeds=(seed,), after=self.after and self.after.alone(seed))


@dataclass
class Run:
    """Where a course stands after `step` steps, tensors of (models, …) each.

    curve: a row for each mark passed: the step, then of each model the loss of the last batch in nats a token, then the
    share of right answers, then the tokens of an answer.
    """

    step: int
    weights: dict[str, Tensor]
    means: dict[str, Tensor]
    squares: dict[str, Tensor]
    curve: list[list[float]] = field(default_factory=list)


@dataclass(frozen=True)
class Tested:
    """right: share of right answers, tokens: of an answer, its end included; by number of steps, then model."""

    right: dict[int, list[float]]
    tokens: dict[int, list[float]]

    def mean(self, what: dict[int, list[float]]) -> list[float]:
        """Over the numbers of steps, of which there are equally many problems."""
        return np.mean(list(what.values()), axis=0).tolist()


def begun(course: Course, weights: dict[str, Tensor] | None = None) -> Run:
    """weights: of the end of the course before."""
    start = weights or stacked([small_decoder(course.shape, seed) for seed in course.seeds])
    own = {name: tensor.clone() for name, tensor in start.items()}
    means, squares = ({name: torch.zeros_like(tensor) for name, tensor in own.items()} for _ in range(2))
    return Run(0, own, means, squares)


def steps_of(course: Course, run: Run) -> Iterator[Run]:
    """Goes on with a run; yields it at every mark, and where it is cut off there it can be gone on with from there."""
    known = vocabulary(course.task.range)
    tests = course.task.test_problems()
    weights = {name: tensor.requires_grad_() for name, tensor in run.weights.items()}
    optimizer = _optimizer(course, run, weights)
    places = answer_places(course)
    following = batches(course, run.step, known)
    for step in range(run.step, course.plan.steps):
        losses = _update(course, weights, optimizer, next(following), places, step)
        run.step = step + 1
        if run.step in course.marks:
            found = tested(course, weights, tests, known)
            run.curve.append([run.step, *losses.tolist(), *found.mean(found.right), *found.mean(found.tokens)])
            yield run


def _optimizer(course: Course, run: Run, weights: dict[str, Tensor]) -> torch.optim.AdamW:
    """As it stood when the run was kept; its moments are the run's own tensors."""
    norms = [name for name in weights if name.endswith("norm.weight")]
    optimizer = adamw(
        [tensor for name, tensor in weights.items() if name not in norms], [weights[name] for name in norms],
        course.plan, fused=True,
    )  # fmt: skip
    for name, tensor in weights.items():
        optimizer.state[tensor] = {
            "step": torch.tensor(float(run.step)), "exp_avg": run.means[name], "exp_avg_sq": run.squares[name],
        }  # fmt: skip
    return optimizer


def batches(course: Course, first: int, known: Vocabulary) -> Iterator[list[Tensor]]:
    """Of step `first` and all that follow: by number of steps of a problem, (models, problems, tokens) int64, of each
    seed its own problems."""
    each = course.plan.batch // len(course.task.steps)
    for block in count(first // DRAWN_TOGETHER):
        some = [torch.from_numpy(np.stack([
            texts(drawn(course.task.range, steps, each * DRAWN_TOGETHER, False, rng), known)
            for rng in (np.random.default_rng([seed, block, steps]) for seed in course.seeds)
        ])) for steps in course.task.steps]  # fmt: skip
        start = first % DRAWN_TOGETHER if block == first // DRAWN_TOGETHER else 0
        for place in range(start, DRAWN_TOGETHER):
            yield [tokens[:, each * place : each * (place + 1)] for tokens in some]


def answer_places(course: Course) -> Tensor:
    """Where, among the tokens that a model reads of its batch, laid end to end, stands what the next token of an answer
    follows. The last token of a text is not read."""
    each = course.plan.batch // len(course.task.steps)
    found, start = [], 0
    for steps in course.task.steps:
        for _ in range(each):
            found.append(start + prompt_length(steps) - 1 + torch.arange(answer_length(steps)))
            start += prompt_length(steps) + answer_length(steps) - 1
    return torch.cat(found)


def answer_losses(course: Course, weights: dict[str, Tensor], tokens: Sequence[Tensor], places: Tensor) -> Tensor:
    """(models,) mean over the tokens of the answers, in nats a token."""
    states = hidden(weights, course.shape, [text[:, :, :-1] for text in tokens], asked=places)
    asked = zip(tokens, course.task.steps, strict=True)
    wanted = torch.cat([text[:, :, prompt_length(steps) :].flatten(1) for text, steps in asked], dim=1)
    losses = functional.cross_entropy(logits(weights, states).flatten(0, 1), wanted.flatten(), reduction="none")
    return losses.view(wanted.shape).mean(dim=1)


def _update(
    course: Course, weights: dict[str, Tensor], optimizer: torch.optim.AdamW, tokens: Sequence[Tensor], places: Tensor,
    step: int,
) -> Tensor:  # fmt: skip
    """(models,) losses before it. Each model's gradient is clipped on its own."""
    losses = answer_losses(course, weights, tokens, places)
    gradients = torch.autograd.grad(losses.sum(), list(weights.values()))
    norms = torch.stack([gradient.flatten(1).square().sum(dim=1) for gradient in gradients]).sum(dim=0).sqrt()
    scale = (course.plan.clip / norms).clamp(max=1.0)
    for tensor, gradient in zip(weights.values(), gradients, strict=True):
        clipped = gradient * scale.view(-1, *[1] * (gradient.dim() - 1))
        tensor.grad = clipped.contiguous()  # torch's fused AdamW takes the layout of the weights for granted (2.13)
    set_rate(optimizer, step, course.plan)
    optimizer.step()
    return losses.detach()


def one_update(course: Course) -> Callable[[], None]:
    """A step of a course, on one batch that is drawn beforehand."""
    run = begun(course)
    weights = {name: tensor.requires_grad_() for name, tensor in run.weights.items()}
    optimizer, places = _optimizer(course, run, weights), answer_places(course)
    tokens = next(batches(course, 0, vocabulary(course.task.range)))

    def update() -> None:
        _update(course, weights, optimizer, tokens, places, 0)

    return update


def tested(course: Course, weights: dict[str, Tensor], tests: dict[int, Problems], known: Vocabulary) -> Tested:
    """Greedy answers to problems of any number of steps, cut off after as many tokens as a right one has."""
    right, written = {}, {}
    for steps, problems in tests.items():
        prompts = torch.from_numpy(texts(problems, known)[:, : prompt_length(steps)])
        rows = prompts[None].expand(len(course.seeds), -1, -1)
        most = answer_length(steps)
        answers, lengths = greedy(weights, course.shape, rows, most, known.end)
        right[steps] = [float(is_right(own, problems, known).mean()) for own in answers.numpy()]
        written[steps] = lengths.double().mean(dim=1).tolist()
    return Tested(right, written)


def parameters(shape: DecoderShape) -> int:
    """Of one decoder: matrices, embedding and norms."""
    return layer_weights(shape) + (shape.vocabulary + 2 * shape.layers + 1) * shape.width


def step_flops(course: Course) -> float:
    """Multiplications and additions of one step of one model, there and back; after its attention the last layer
    computes only what follows in an answer."""
    each, shape = course.plan.batch // len(course.task.steps), course.shape
    lengths = [prompt_length(steps) + answer_length(steps) - 1 for steps in course.task.steps]
    read, asked = each * sum(lengths), len(answer_places(course))
    attended = each * sum(length * (length + 1) // 2 for length in lengths)
    left_out = 2.0 * shape.width * (shape.width + 3 * shape.mlp_width) * (read - asked)
    return (1 + BACKWARD) * (forward_flops(shape, read, asked, attended) - left_out)


def answer_flops(shape: DecoderShape, prompt: int, written: float) -> float:
    """Of an answer with its keys and values kept: the last token that is written is not read."""
    read = prompt + written - 1
    attended = read * (read + 1) / 2
    return forward_flops(shape, read, written, attended)


def answer_bytes(shape: DecoderShape, prompt: int, written: float, batch: int) -> float:
    """Of float32 weights, read once a token for the whole batch, and of keys and values read again for each token."""
    weights = layer_weights(shape) + shape.vocabulary * shape.width
    kept = 2 * shape.layers * shape.kv_heads * shape.head_width
    again = sum(prompt + place for place in range(round(written)))
    return 4.0 * (weights * written / batch + kept * again)
