"""Greedy continuation of one text, or of many texts with a common prefix side by side."""

from collections.abc import Callable, Collection, Sequence

from jouleproof.models.likelihood import most_likely
from jouleproof.models.runner import Piece, Runner

Done = Callable[[Sequence[int]], bool]


def greedy(runner: Runner, prompt: Sequence[int], count: int) -> list[int]:
    """Return the greedy continuation of the prompt by `count` tokens, whatever they are: an end token is written like
    any other. The text occupies the runner's first slot.

    Raises ValueError if the text does not fit into the slot.
    """
    text = list(prompt)
    read = 0
    for _ in range(count):
        logits = runner.run([Piece(0, read, text[read:])])
        read = len(text)
        text.append(int(most_likely(logits[0])))
    return text[len(prompt) :]


def continued(
    runner: Runner,
    prefix: Sequence[int],
    prompts: Sequence[Sequence[int]],
    most: int,
    done: Done,
    ends: Collection[int] = (),
) -> list[list[int]]:
    """Continue prefix + prompt greedily for every prompt, until done(tokens) is true, one of the tokens in `ends` is
    written, or `most` tokens are.

    prefix: read once for all prompts. prompts: at least one token each. The runner needs one slot for the prefix and at
    least one for texts; it continues as many texts at once as it has slots for them. Raises ValueError if a text does
    not fit into a slot.
    """
    continuations: list[list[int]] = [[] for _ in prompts]
    if prefix:
        runner.run([Piece(0, 0, prefix)])
    places = runner.slots - 1
    for first in range(0, len(prompts), places):
        numbers = range(first, min(first + places, len(prompts)))
        for number in numbers:
            runner.cache(number - first + 1, len(prefix)).copy_(runner.cache(0, len(prefix)))
        pieces = [Piece(number - first + 1, len(prefix), prompts[number]) for number in numbers]
        while pieces:
            logits = runner.run(pieces)
            following = []
            for piece, token in zip(pieces, most_likely(logits).tolist(), strict=True):
                text = continuations[first + piece.slot - 1]
                text.append(token)
                if len(text) < most and token not in ends and not done(text):
                    following.append(Piece(piece.slot, piece.end, [token]))
            pieces = following
    return continuations
