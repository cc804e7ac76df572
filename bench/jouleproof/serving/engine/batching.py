"""Which jobs take part in a worker's next iteration: jouleproof.serving.rules, for real."""

from collections.abc import Sequence
from dataclasses import dataclass

from jouleproof.models.runner import Piece
from jouleproof.serving.rules import STARVED


@dataclass(eq=False)
class Job:
    """A text that a worker has in hand. prompt: its tokens. wanted: tokens to make here. made: those there are.

    read: tokens in the cache. missed: iterations in a row that it stood by.
    """

    id: int
    prompt: Sequence[int]
    wanted: int
    slot: int
    made: list[int]
    read: int = 0
    missed: int = 0

    @property
    def prompt_left(self) -> int:
        return max(len(self.prompt) - self.read, 0)

    @property
    def done(self) -> bool:
        return len(self.made) >= self.wanted

    def piece(self, count: int) -> Piece:
        """Its next `count` tokens; a decode has one."""
        if self.prompt_left:
            return Piece(self.slot, self.read, self.prompt[self.read : self.read + count])
        return Piece(self.slot, self.read, self.made[-1:])


def next_batch(jobs: Sequence[Job], tokens: int, chunked: bool) -> list[tuple[Job, int]]:
    """Jobs of the next iteration, each with how many of its tokens are read.

    jobs: in the order of their arrival. tokens: of a batch; a single longer prompt is taken all the same. Whole prompts
    go before decodes, which take the room that is left; a decode that missed STARVED iterations goes first. chunked:
    decodes first, and as much of the prompts as there is room for.
    """
    decodes = [job for job in jobs if not job.prompt_left]
    prompts = [job for job in jobs if job.prompt_left]
    if chunked:
        order = [*decodes, *prompts]
    else:
        starved = [job for job in decodes if job.missed >= STARVED]
        order = [*starved, *prompts, *(job for job in decodes if job.missed < STARVED)]
    batch: list[tuple[Job, int]] = []
    tokens_left, shut = tokens, False  # once a prompt has found no room, no later one overtakes it
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
