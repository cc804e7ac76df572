"""The training schedule of a decoder: batches, steps and learning rate. This module has no heavy imports."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """A training plan: AdamW with warm-up and cosine decay, gradients clipped to a norm.

    batch: windows per step. context: predicted tokens per window. warm_up: steps.
    """

    steps: int
    batch: int
    context: int
    learning_rate: float
    warm_up: int
    weight_decay: float = 0.1
    clip: float = 1.0


def learning_rate(step: int, plan: Plan) -> float:
    """Return the learning rate of a step, counted from 0. It rises linearly to the full rate over the warm-up, then
    falls along half a cosine towards zero. The last steps therefore settle, and two runs differ by little more than the
    change between them."""
    if step < plan.warm_up:
        return plan.learning_rate * (step + 1) / plan.warm_up
    done = (step - plan.warm_up) / (plan.steps - plan.warm_up)
    return plan.learning_rate * (1 + math.cos(math.pi * done)) / 2
