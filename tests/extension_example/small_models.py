"""A custom language model and a custom task."""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import nn

from jouleproof.inputs import Problem
from jouleproof.models.likelihood import Likelihood
from jouleproof.studies.slm_energy.tasks import Model, Score, Task, some


class Bigram:
    """A language model that knows which byte follows which in one sentence."""

    name, rounded, context = "bigram", None, 1_000_000

    def __init__(self, text: bytes) -> None:
        counts = torch.ones(256, 256)
        counts.index_put_((torch.tensor(list(text[:-1])), torch.tensor(list(text[1:]))), torch.tensor(9.0), True)
        self.body = nn.Linear(256, 256, bias=False)
        self.body.weight.data = counts.log().T.contiguous()

    def tokens(self, text: str) -> list[int]:
        return list(text.encode())

    def text(self, tokens: Sequence[int]) -> str:
        return bytes(tokens).decode(errors="replace")

    def _logits(self, tokens: Sequence[int]) -> torch.Tensor:
        return self.body(nn.functional.one_hot(torch.tensor(tokens), 256).float()).detach()

    def likelihoods(self, texts: Sequence[Sequence[int]], firsts: Sequence[int]) -> list[Likelihood]:
        likelihoods = []
        for text, first in zip(texts, firsts, strict=True):
            logits, wanted = self._logits(text[first - 1 : -1]), torch.tensor(text[first:])
            nats = logits.log_softmax(dim=1).gather(1, wanted[:, None])[:, 0]
            likelihoods.append(Likelihood(nats, logits.argmax(dim=1) == wanted))
        return likelihoods

    def continued(
        self, prefix: Sequence[int], prompts: Sequence[Sequence[int]], most: int, done: Callable[[Sequence[int]], bool]
    ) -> list[list[int]]:
        texts: list[list[int]] = [[] for _ in prompts]
        for prompt, text in zip(prompts, texts, strict=True):
            while len(text) < most and not done(text):
                text.append(int(self._logits([[*prompt, *text][-1]])[0].argmax()))
        return texts


def bigram() -> Bigram:
    return Bigram(b"Question: how many are 3 and 4? Answer: 3 and 4 are 7.")


def _question_marks(model: Model, problems: Sequence[Problem]) -> Iterator[tuple[int, Score]]:
    """Score 1 if the question's last token is the likeliest one."""
    texts = [model.tokens(problem.question) for problem in problems]
    for number, likelihood in enumerate(model.likelihoods(texts, [len(text) - 1 for text in texts])):
        yield number, Score("ended", "share", float(likelihood.likeliest[0]), prompt=len(texts[number]))


QUESTION_MARKS = Task("question_marks", some, _question_marks)
