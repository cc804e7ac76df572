"""A check that two ways of serving generate the same tokens or, where they first differ, that rounding may have swapped
the two tokens."""

from collections.abc import Sequence
from typing import Literal

import torch

from jouleproof.models.decoder import Decoder

Sameness = Literal["same", "near_tie", "different"]


def sameness(
    decoder: Decoder, prompt: Sequence[int], expected: Sequence[int], served: Sequence[int], near: float
) -> Sameness:
    """Return whether two outputs for one prompt are the same, first differ at a near tie, or are different. near:
    difference between two logits of the plain decoder below which their tokens count as tied."""
    if list(expected) == list(served):
        return "same"
    first = next((place for place, pair in enumerate(zip(expected, served)) if pair[0] != pair[1]), None)  # noqa: B905
    if first is None:  # one output is longer
        return "different"
    logits = decoder.head(decoder.hidden(torch.tensor([[*prompt, *expected[:first]]]))[0, -1])
    best = float(logits.max())
    apart = best - min(float(logits[expected[first]]), float(logits[served[first]]))
    return "near_tie" if apart < near else "different"
