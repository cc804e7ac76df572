"""Training of small decoders on word problems: all seeds of a run side by side in one batched model, which is saved.

The batch of a step depends only on seed and step, so an interrupted run resumes to the same bits. A checkpoint is a
safetensors file, complete or absent, that records the run it belongs to.
"""

import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from statistics import fmean

import numpy as np
import pandas as pd
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from jouleproof.errors import UserError
from jouleproof.files import atomic
from jouleproof.models.small import small_decoder
from jouleproof.models.stacked import greedy, hidden, logits, stacked
from jouleproof.models.training import adamw, set_rate
from jouleproof.progress import steps as progress
from jouleproof.sources import sources
from jouleproof.studies.slm_energy.arithmetic import (
    answer_length,
    batches,
    held_out_prompts,
    prompt_length,
    share_right,
    vocabulary,
)
from jouleproof.studies.slm_energy.config import SlmEnergyConfig
from jouleproof.studies.slm_energy.ladder_ratios import best_of
from jouleproof.studies.slm_energy.training_spec import (
    BUDGETS,
    FINE_TUNED,
    FROM_SCRATCH,
    TrainingSpec,
    fine_tuned_spec,
    ladder_checkpoint,
    ladder_specs,
    longer_spec,
)

AGAIN = "; delete it and run again"
CURVE, KINDS = "curve", ("weights", "means", "squares")


@dataclass
class Run:
    """The state of a run after `step` steps, with tensors of (models, …).

    curve: a row for each mark passed: the step, then the models' losses on the last batch in nats per token, then their
    shares of right answers, then their tokens per answer.
    """

    step: int
    weights: dict[str, Tensor]
    means: dict[str, Tensor]
    squares: dict[str, Tensor]
    curve: list[list[float]] = field(default_factory=list)


@dataclass(frozen=True)
class Tested:
    """Scores on the test problems.

    right: share of right answers; tokens: of an answer, including its end; both by number of steps, then model.
    accuracy, answer_tokens: their means over the numbers of steps, which have equally many problems.
    """

    right: dict[int, list[float]]
    tokens: dict[int, list[float]]

    @property
    def accuracy(self) -> list[float]:
        return np.mean(list(self.right.values()), axis=0).tolist()

    @property
    def answer_tokens(self) -> list[float]:
        return np.mean(list(self.tokens.values()), axis=0).tolist()

    def written(self, place: int) -> dict[int, float]:
        """Return the tokens of an answer of one model, by number of steps."""
        return {steps: tokens[place] for steps, tokens in self.tokens.items()}


def train_for_ladder(config: SlmEnergyConfig, name: str, out: Path) -> None:
    """Train one size of the ladder under one budget. name: as returned by training_spec.ladder_checkpoint."""
    specs = {
        ladder_checkpoint(config.ladder, size, budget): spec
        for budget in BUDGETS
        for size, spec in ladder_specs(config.ladder, budget).items()
    }
    train(specs[name], out)


def train_fine_tuned(
    config: SlmEnergyConfig,
    name: str,
    out: Path,
    checkpoints: Mapping[str, Path],
    ladder: pd.DataFrame,
    ladder_equal_flops: pd.DataFrame,
) -> None:
    """Fine-tune a size of the ladder on longer problems, from the end of the better of its two runs."""
    size = name.removeprefix(FINE_TUNED)
    (best,) = best_of(pd.concat([ladder, ladder_equal_flops]), [size], config.ladder.seeds)
    spec = fine_tuned_spec(config, size, best.budget)
    assert spec.after is not None
    before = read_run(checkpoints[ladder_checkpoint(config.ladder, size, best.budget)], spec.after)
    train(spec, out, before.weights)


def train_from_scratch(config: SlmEnergyConfig, name: str, out: Path) -> None:
    """Train a size of the ladder from scratch on the longer problems."""
    size = name.removeprefix(FROM_SCRATCH)
    train(longer_spec(config, size, config.fine_tuning.anew_steps[size]), out)


def train(spec: TrainingSpec, out: Path, weights: dict[str, Tensor] | None = None) -> None:
    """Train to the end and write the checkpoint. weights: those at the start; None: random ones.

    The run is saved at every mark in a file next to `out`, from which it resumes to the same bits after an
    interruption.
    """
    partial = out.with_name(f"{out.stem}.partial{out.suffix}")
    run = _interrupted(partial, spec) or started(spec, weights)
    step = progress(f"slm_energy {out.stem}", len([mark for mark in spec.marks if mark > run.step]))
    for marked in resumed(spec, run):
        write_run(marked, spec, partial)
        step(f"step {marked.step}: {100 * fmean(accuracies(marked.curve[-1], len(spec.seeds))):.0f} % right")
    write_run(run, spec, out)
    partial.unlink(missing_ok=True)


def accuracies(mark: Sequence[float], models: int) -> Sequence[float]:
    """Return the share of right answers of each model in a row of a run's curve."""
    return mark[1 + models : 1 + 2 * models]


def started(spec: TrainingSpec, weights: dict[str, Tensor] | None = None) -> Run:
    """Return a run before its first step. weights: those at the end of the previous run."""
    start = weights or stacked([small_decoder(spec.shape, seed) for seed in spec.seeds])
    copies = {name: tensor.clone() for name, tensor in start.items()}
    means, squares = ({name: torch.zeros_like(tensor) for name, tensor in copies.items()} for _ in range(2))
    return Run(step=0, weights=copies, means=means, squares=squares)


def resumed(spec: TrainingSpec, run: Run) -> Iterator[Run]:
    """Continue a run to its end; yields it at every mark, where it can be saved."""
    weights = {name: tensor.requires_grad_() for name, tensor in run.weights.items()}
    optimizer = _optimizer(spec, run, weights)
    places = answer_places(spec)
    following = batches(spec.task, spec.problems, spec.seeds, run.step)
    for step in range(run.step, spec.plan.steps):
        tokens = [torch.from_numpy(texts) for texts in next(following)]
        losses = _update(spec, weights, optimizer, tokens, places, step)
        run.step = step + 1
        if run.step in spec.marks:
            scores = tested(spec, weights)
            run.curve.append([run.step, *losses.tolist(), *scores.accuracy, *scores.answer_tokens])
            yield run


def one_update(spec: TrainingSpec) -> Callable[[], None]:
    """Return a function that does one training step, always on the same batch, which is drawn beforehand."""
    run = started(spec)
    weights = {name: tensor.requires_grad_() for name, tensor in run.weights.items()}
    optimizer, places = _optimizer(spec, run, weights), answer_places(spec)
    tokens = [torch.from_numpy(texts) for texts in next(batches(spec.task, spec.problems, spec.seeds, 0))]

    def update() -> None:
        _update(spec, weights, optimizer, tokens, places, 0)

    return update


def _optimizer(spec: TrainingSpec, run: Run, weights: dict[str, Tensor]) -> torch.optim.AdamW:
    """Build the optimizer in the state in which the run was saved; its moments are the run's tensors, not copies."""
    norms = [name for name in weights if name.endswith("norm.weight")]
    matrices = [tensor for name, tensor in weights.items() if name not in norms]
    optimizer = adamw(matrices, [weights[name] for name in norms], spec.plan, fused=True)
    for name, tensor in weights.items():
        step = torch.tensor(float(run.step))
        optimizer.state[tensor] = {"step": step, "exp_avg": run.means[name], "exp_avg_sq": run.squares[name]}
    return optimizer


def _update(
    spec: TrainingSpec,
    weights: dict[str, Tensor],
    optimizer: torch.optim.AdamW,
    tokens: Sequence[Tensor],
    places: Tensor,
    step: int,
) -> Tensor:
    """Do one training step; returns (models,) losses before it. The gradient of each model is clipped separately."""
    losses = answer_losses(spec, weights, tokens, places)
    gradients = torch.autograd.grad(losses.sum(), list(weights.values()))
    norms = torch.stack([gradient.flatten(1).square().sum(dim=1) for gradient in gradients]).sum(dim=0).sqrt()
    scale = (spec.plan.clip / norms).clamp(max=1.0)
    for tensor, gradient in zip(weights.values(), gradients, strict=True):
        clipped = gradient * scale.view(-1, *[1] * (gradient.dim() - 1))
        tensor.grad = clipped.contiguous()  # torch's fused AdamW assumes the layout of the weights (2.13)
    set_rate(optimizer, step, spec.plan)
    optimizer.step()
    return losses.detach()


def answer_places(spec: TrainingSpec) -> Tensor:
    """Return the positions from which the tokens of answers are predicted, in the concatenation of the texts that a
    model reads in a batch. The last token of a text is not read."""
    places, start = [], 0
    for steps in spec.task.steps:
        for _ in range(spec.problems):
            places.append(start + prompt_length(steps) - 1 + torch.arange(answer_length(steps)))
            start += prompt_length(steps) + answer_length(steps) - 1
    return torch.cat(places)


def answer_losses(spec: TrainingSpec, weights: dict[str, Tensor], tokens: Sequence[Tensor], places: Tensor) -> Tensor:
    """Return (models,) mean losses over the tokens of the answers, in nats per token."""
    states = hidden(weights, spec.shape, [text[:, :, :-1] for text in tokens], asked=places)
    asked = zip(tokens, spec.task.steps, strict=True)
    wanted = torch.cat([text[:, :, prompt_length(steps) :].flatten(1) for text, steps in asked], dim=1)
    losses = functional.cross_entropy(logits(weights, states).flatten(0, 1), wanted.flatten(), reduction="none")
    return losses.view(wanted.shape).mean(dim=1)


def tested(spec: TrainingSpec, weights: dict[str, Tensor]) -> Tested:
    """Score greedy answers to the test problems, cut off at the length of a right answer."""
    right, written = {}, {}
    end = vocabulary(spec.task.range).end
    for steps, prompts in held_out_prompts(spec.task).items():
        rows = torch.from_numpy(prompts)[None].expand(len(spec.seeds), -1, -1)
        answers, lengths = greedy(weights, spec.shape, rows, answer_length(steps), end)
        right[steps] = share_right(spec.task, steps, answers.numpy())
        written[steps] = lengths.double().mean(dim=1).tolist()
    return Tested(right=right, tokens=written)


def identity(spec: TrainingSpec) -> str:
    """Serialise everything that determines the bits: the spec, the training code, and torch's version."""
    return json.dumps({"course": asdict(spec), "code": _code(), "torch": torch.__version__}, sort_keys=True)


DECIDING = (f"{__name__}:resumed", f"{__name__}:started", "jouleproof.studies.slm_energy.training_spec:TrainingSpec")


@cache
def _code() -> str:
    digest = hashlib.sha256()
    for name in sources(*DECIDING):
        digest.update(Path(name).read_bytes())
    return digest.hexdigest()


def write_run(run: Run, spec: TrainingSpec, path: Path) -> None:
    tensors = {
        f"{kind}.{name}": tensor.detach().contiguous() for kind in KINDS for name, tensor in getattr(run, kind).items()
    }
    tensors[CURVE] = torch.tensor(run.curve, dtype=torch.float64)
    with atomic(path) as temporary:
        save_file(tensors, temporary, {"course": identity(spec), "step": str(run.step)})


def read_run(path: Path, spec: TrainingSpec) -> Run:
    """Read a checkpoint. Raises UserError if the file is damaged or belongs to another training run."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("course") != identity(spec):
                raise UserError(f"checkpoint: {path} belongs to another training run{AGAIN}")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        weights, means, squares = (
            {name.removeprefix(f"{kind}."): tensor for name, tensor in tensors.items() if name.startswith(f"{kind}.")}
            for kind in KINDS
        )
        return Run(int(metadata["step"]), weights, means, squares, tensors[CURVE].tolist())
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise UserError(f"checkpoint: {path} cannot be read ({error}){AGAIN}") from error


def _interrupted(path: Path, spec: TrainingSpec) -> Run | None:
    if not path.exists():
        return None
    try:
        return read_run(path, spec)
    except UserError as error:
        print(f"{str(error).removesuffix(AGAIN)}; the run starts from scratch", file=sys.stderr)
        return None
