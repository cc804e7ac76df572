"""Fine-tuning of a real model on the right sides of calculations: all its weights, or low-rank additions to some."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from jouleproof.inputs import Problem
from jouleproof.libraries import part_of
from jouleproof.models.decoder import Decoder
from jouleproof.models.likelihood import most_likely
from jouleproof.models.pieces import tokens_of_pieces
from jouleproof.models.smollm2 import LanguageModel
from jouleproof.models.text import in_groups, padded
from jouleproof.models.training import BETAS

ADAPTED = ["q", "v"]  # of every layer, as in Hu et al., LoRA, arXiv 2106.09685
CLIP = 1.0
_CALCULATION = re.compile(r"(.*?<<[^<>=\n]*=)([^<>\n]*)(>>)")


@dataclass(frozen=True)
class Calculation:
    """A calculation in a solution.

    read: tokens of the solution's line up to the equals sign. result: tokens after it, including the end mark.
    """

    read: tuple[int, ...]
    result: tuple[int, ...]

    @property
    def tokens(self) -> list[int]:
        return [*self.read, *self.result]


def calculations(model: LanguageModel, problems: Sequence[Problem], most_tokens: int) -> Iterator[Calculation]:
    """Yield the first calculation of every solution line that has one, except calculations longer than most_tokens."""
    matches = (_CALCULATION.match(line) for problem in problems for line in problem.answer.split("\n"))
    pieces = (tokens_of_pieces(model, [match[1], match[2] + match[3]]) for match in matches if match)
    texts = (Calculation(tuple(read), tuple(result)) for read, result in pieces)
    return (text for text in texts if len(text.read) + len(text.result) <= most_tokens)


def trainable(decoder: Decoder, way: str, rank: int, seed: int) -> list[nn.Parameter]:
    """Prepare a decoder in place, and return the parameters to train. way: "full" or "lora"."""
    torch.manual_seed(seed)  # peft draws from the global generator
    decoder.requires_grad_(True)
    if way == "lora":
        peft = part_of("peft", "peft", extra="llm")
        plan = peft.LoraConfig(r=rank, lora_alpha=2 * rank, lora_dropout=0.0, target_modules=ADAPTED)
        peft.inject_adapter_in_model(plan, decoder)
    return [parameter for parameter in decoder.parameters() if parameter.requires_grad]


def tuned(
    decoder: Decoder,
    weights: Sequence[nn.Parameter],
    texts: Sequence[Calculation],
    steps: int,
    batch: int,
    learning_rate: float,
    seed: int,
) -> Iterator[float]:
    """Train in place by AdamW with a learning rate that falls linearly to 0; yields the loss of every step's batch, in
    nats per token of the results, after its update.

    A batch holds texts of similar length: neighbours in the order of length, from a random position on.
    """
    optimizer = torch.optim.AdamW(weights, lr=learning_rate, betas=BETAS, weight_decay=0.0)
    generator = torch.Generator().manual_seed(seed)
    shuffled = torch.randperm(len(texts), generator=generator).tolist()
    order = sorted(shuffled, key=lambda number: len(texts[number].tokens))
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * (1 - step / steps)
        first = int(torch.randint(max(1, len(order) - batch + 1), (), generator=generator))
        yield one_step(decoder, weights, optimizer, [texts[number] for number in order[first : first + batch]])


def one_step(
    decoder: Decoder, weights: Sequence[nn.Parameter], optimizer: torch.optim.Optimizer, texts: Sequence[Calculation]
) -> float:
    """Do one update; returns the loss before it."""
    logits, wanted = _results(decoder, texts)
    loss = functional.cross_entropy(logits, wanted)
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(weights, CLIP)
    optimizer.step()
    return loss.item()


def _results(decoder: Decoder, texts: Sequence[Calculation]) -> tuple[Tensor, Tensor]:
    """Return the logits (tokens of all results, vocabulary) of the results' tokens, and these tokens."""
    tokens, _ = padded([text.tokens for text in texts])
    states = decoder.hidden(tokens)
    asked = torch.cat([states[row, len(text.read) - 1 : len(text.tokens) - 1] for row, text in enumerate(texts)])
    return decoder.head(asked), torch.tensor([token for text in texts for token in text.result])


@torch.inference_mode()
def right(decoder: Decoder, texts: Sequence[Calculation], together: int = 16) -> list[float]:
    """Return 1 for each text whose result tokens are all the most likely given the tokens before them, else 0."""

    def of_group(group: Sequence[int]) -> list[float]:
        logits, wanted = _results(decoder, [texts[number] for number in group])
        best = torch.split(most_likely(logits) == wanted, [len(texts[number].result) for number in group])
        return [float(of_text.all()) for of_text in best]

    order = sorted(range(len(texts)), key=lambda number: (len(texts[number].tokens), number))
    return in_groups((order[first : first + together] for first in range(0, len(order), together)), of_group)
