"""Likelihoods of the tokens of texts under a model, computed without holding all logits in memory."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from jouleproof.models.text import batches, in_groups, padded

TOGETHER = 2048  # tokens in a batch, padding included


@dataclass(frozen=True)
class Likelihood:
    """Likelihoods of the scored tokens of one text.

    nats: (tokens,) natural logarithms of their probabilities. likeliest: (tokens,) bool, true where no other token is
    more likely.
    """

    nats: Tensor
    likeliest: Tensor


@torch.inference_mode()
def likelihoods(
    hidden: Callable[[Tensor], Tensor],
    head: Callable[[Tensor], Tensor],
    texts: Sequence[Sequence[int]],
    firsts: Sequence[int],
) -> list[Likelihood]:
    """Score the tokens of each text from its position in `firsts`, at least 1, to its end.

    hidden: maps (batch, tokens) ids to hidden states (batch, tokens, width). head: maps (tokens, width) to logits
    (tokens, vocabulary).
    """

    def of_batch(group: Sequence[int]) -> Iterator[Likelihood]:
        tokens, lengths = padded([texts[number] for number in group])
        states = hidden(tokens)
        for place, number in enumerate(group):
            scored = slice(firsts[number], int(lengths[place]))
            logits = head(states[place, scored.start - 1 : scored.stop - 1]).float()
            wanted = tokens[place, scored]
            chosen = logits.gather(1, wanted[:, None])[:, 0]
            yield Likelihood(nats=chosen - logits.logsumexp(dim=1), likeliest=chosen == logits.amax(dim=1))

    return in_groups(batches(texts, TOGETHER), of_batch)
