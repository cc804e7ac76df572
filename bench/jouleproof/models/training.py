"""Training of a decoder from scratch for a fixed number of steps, and its loss on held-out text."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from jouleproof.models.schedule import Plan, learning_rate

BETAS = (0.9, 0.95)
EVALUATION_BATCH = 8  # windows whose logits are in memory at once


def adamw(decayed: Sequence[Tensor], others: Sequence[Tensor], plan: Plan, fused: bool = False) -> torch.optim.AdamW:
    """Build the AdamW optimizer of a plan.

    decayed: parameters with weight decay. others: parameters without it. fused: update a tensor in one pass, which is
    faster and rounds differently.
    """
    with_decay = {"params": list(decayed), "weight_decay": plan.weight_decay}
    return torch.optim.AdamW([with_decay, {"params": list(others), "weight_decay": 0.0}], betas=BETAS, fused=fused)


def set_rate(optimizer: torch.optim.Optimizer, step: int, plan: Plan) -> None:
    """Set the learning rate of a step before its update."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate(step, plan)


def train(model: nn.Module, text: Tensor, plan: Plan, seed: int) -> Iterator[float]:
    """Train in place; yields the loss of every step's batch, in nats/token, before its update.

    model: maps (batch, tokens) ids to logits. text: (tokens,) uint8. seed: of the batches, which do not depend on the
    model.
    """
    decayed = [parameter for parameter in model.parameters() if parameter.dim() > 1]
    others = [parameter for parameter in model.parameters() if parameter.dim() <= 1]
    optimizer = adamw(decayed, others, plan)
    generator = torch.Generator().manual_seed(seed)
    for step in range(plan.steps):
        set_rate(optimizer, step, plan)
        loss = window_losses(model, windows(text, plan.batch, plan.context, generator)).mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), plan.clip)
        optimizer.step()
        yield loss.item()


def windows(text: Tensor, count: int, context: int, generator: torch.Generator) -> Tensor:
    """Cut (count, context + 1) int64 windows out of the text at random positions."""
    starts = torch.randint(len(text) - context, (count,), generator=generator)
    return torch.stack([text[start : start + context + 1] for start in starts.tolist()]).long()


def window_losses(model: nn.Module, tokens: Tensor) -> Tensor:
    """Return (windows, context) negative log-likelihoods of every token after a window's first, in nats."""
    logits = model(tokens[:, :-1])
    return functional.cross_entropy(logits.transpose(1, 2), tokens[:, 1:], reduction="none")


@torch.inference_mode()
def held_out_loss(model: nn.Module, tokens: Tensor) -> float:
    """Return the mean loss over (windows, context + 1) tokens that were not trained on, in nats/token."""
    losses = [window_losses(model, batch).double().sum() for batch in torch.split(tokens, EVALUATION_BATCH)]
    return float(torch.stack(losses).sum()) / (tokens.shape[0] * (tokens.shape[1] - 1))
