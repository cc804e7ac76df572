"""Likelihoods of the tokens of texts under a model, computed without holding all logits in memory."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from jouleproof.errors import UserError
from jouleproof.models.text import batches, in_groups, padded

TOGETHER = 2048  # tokens in a batch, padding included


class NotFinite(UserError):
    """A model gives NaN or an infinite number, where every comparison would count as an answer."""

    def __init__(self, values: Tensor, model: str = "a model", where: str = "") -> None:
        super().__init__(f"models: {model} gives {'NaN' if values.isnan().any() else 'infinite numbers'}{where}")
        self.values = values


@dataclass(frozen=True)
class Likelihood:
    """Likelihoods of the scored tokens of one text.

    nats: (tokens,) natural logarithms of their probabilities, which must be finite, else NotFinite is raised.
    likeliest: (tokens,) bool, true where no other token is more likely.
    """

    nats: Tensor
    likeliest: Tensor

    def __post_init__(self) -> None:
        finite(self.nats)


def finite(values: Tensor, model: str = "a model") -> Tensor:
    """Return the values. Raises NotFinite if one is NaN or infinite. model: its name."""
    if not values.isfinite().all():
        raise NotFinite(values, model)
    return values


def most_likely(logits: Tensor) -> Tensor:
    """Return the token of the largest logit in every row of (…, vocabulary). Raises NotFinite if that logit is NaN or
    infinite."""
    tokens = logits.argmax(dim=-1, keepdim=True)  # takes NaN for the largest
    finite(logits.gather(-1, tokens))
    return tokens[..., 0]


@torch.inference_mode()
def likelihoods(
    hidden: Callable[[Tensor], Tensor],
    head: Callable[[Tensor], Tensor],
    texts: Sequence[Sequence[int]],
    firsts: Sequence[int],
    together: int = TOGETHER,
    pad: bool = True,
) -> list[Likelihood]:
    """Score the tokens of each text from its position in `firsts`, at least 1, to its end.

    hidden: maps (batch, tokens) ids to hidden states (batch, tokens, width). head: maps (tokens, width) to logits
    (tokens, vocabulary). together, pad: most tokens in a batch, and whether it may hold texts of different lengths.
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

    return in_groups(batches(texts, together, pad), of_batch)
