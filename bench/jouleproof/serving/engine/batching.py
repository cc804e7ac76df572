"""Batch selection in a worker of the engine, under the rules of jouleproof.serving.rules."""

from collections.abc import Sequence
from dataclasses import dataclass

from jouleproof.models.runner import Piece
from jouleproof.serving.rules import STARVED


@dataclass(eq=False)
class Job:
    """A request that a worker is serving. prompt: its tokens. wanted: number of tokens to generate on this
    worker. generated: tokens generated so far.

    read: tokens in the KV cache. missed: consecutive iterations that did not include the job.
    """

    id: int
    prompt: Sequence[int]
    wanted: int
    slot: int
    generated: list[int]
    read: int = 0
    missed: int = 0

    @property
    def prompt_left(self) -> int:
        return max(len(self.prompt) - self.read, 0)

    @property
    def done(self) -> bool:
        return len(self.generated) >= self.wanted

    def piece(self, count: int) -> Piece:
        """Return the job's next `count` prompt tokens or, for a decode, its last generated token."""
        if self.prompt_left:
            return Piece(self.slot, self.read, self.prompt[self.read : self.read + count])
        return Piece(self.slot, self.read, self.generated[-1:])


def next_batch(jobs: Sequence[Job], tokens: int, chunked: bool) -> list[tuple[Job, int]]:
    """Return the jobs of the next iteration, each with the number of its tokens to read.

    jobs: in order of arrival. tokens: budget of a batch, which only a single longer prompt may exceed. Whole prompts go
    before decodes, which fill the rest of the budget, but decodes that missed STARVED iterations go before both.
    chunked: decodes go first, then as many prompt tokens as fit.
    """
    decodes = [job for job in jobs if not job.prompt_left]
    prompts = [job for job in jobs if job.prompt_left]
    if chunked:
        order = [*decodes, *prompts]
    else:
        starved = [job for job in decodes if job.missed >= STARVED]
        order = [*starved, *prompts, *(job for job in decodes if job.missed < STARVED)]
    batch: list[tuple[Job, int]] = []
    tokens_left, shut = tokens, False  # shut: a prompt did not fit, so no later prompt may overtake it
    for job in order:
        count = job.prompt_left or 1
        if chunked and job.prompt_left:
            count = min(count, tokens_left)
        if job.prompt_left and shut:
            continue
        if count > tokens_left and batch:
            shut = shut or bool(job.prompt_left)
            continue
        if count < 1:
            break
        batch.append((job, count))
        tokens_left = max(tokens_left - count, 0)
    return batch
