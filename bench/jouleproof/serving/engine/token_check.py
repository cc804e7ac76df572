"""Whether two ways of serving say the same, and where not, whether two tokens were as likely as rounding can tell."""

from collections.abc import Sequence
from typing import Literal

import torch

from jouleproof.models.decoder import Decoder

Sameness = Literal["same", "near_tie", "different"]


def sameness(
    decoder: Decoder, prompt: Sequence[int], expected: Sequence[int], served: Sequence[int], near: float
) -> Sameness:
    """near: how far apart the logits of two tokens may lie, by the plain decoder, to be a tie."""
    if list(expected) == list(served):
        return "same"
    first = next((place for place, pair in enumerate(zip(expected, served)) if pair[0] != pair[1]), None)  # noqa: B905
    if first is None:  # one is longer
        return "different"
    logits = decoder.head(decoder.hidden(torch.tensor([[*prompt, *expected[:first]]]))[0, -1])
    best = float(logits.max())
    apart = best - min(float(logits[expected[first]]), float(logits[served[first]]))
    return "near_tie" if apart < near else "different"
