"""How likely a model finds the tokens of texts, without keeping the logits of all of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from jouleproof.models.text import batches, padded

TOGETHER = 2048  # tokens of a batch, padding included


@dataclass(frozen=True)
class Likelihood:
    """nats: (tokens,) logarithms of their probabilities. likeliest: (tokens,) bool, whether no token is likelier."""

    nats: Tensor
    likeliest: Tensor


@torch.inference_mode()
def likelihoods(
    hidden: Callable[[Tensor], Tensor], head: Callable[[Tensor], Tensor], texts: Sequence[Sequence[int]],
    firsts: Sequence[int],
) -> list[Likelihood]:  # fmt: skip
    """Of the tokens of each text from its `first` on, which is at least 1.

    hidden: (batch, tokens) to (batch, tokens, width). head: (tokens, width) to (tokens, vocabulary) logits.
    """
    found: dict[int, Likelihood] = {}
    for group in batches(texts, TOGETHER):
        tokens, lengths = padded([texts[number] for number in group])
        states = hidden(tokens)
        for place, number in enumerate(group):
            own = slice(firsts[number], int(lengths[place]))
            logits = head(states[place, own.start - 1 : own.stop - 1]).float()
            wanted = tokens[place, own]
            chosen = logits.gather(1, wanted[:, None])[:, 0]
            found[number] = Likelihood(chosen - logits.logsumexp(dim=1), chosen == logits.amax(dim=1))
    return [found[number] for number in range(len(texts))]
