"""Time, operations and bytes that a runner takes for iterations of given shapes."""

from collections.abc import Sequence
from dataclasses import dataclass

from jouleproof.measure.clocks import Stopwatch
from jouleproof.models.decoder_shape import forward_flops
from jouleproof.models.runner import Piece, Runner

APART = 977  # between the ids of successive tokens, so that no embedding is read twice in a row


@dataclass(frozen=True)
class Shape:
    """The shape of one iteration.

    prompt: tokens of one prompt (0: none), of which `read` tokens were read before. decodes: number of texts that get
    one more token, each after `context` tokens.
    """

    prompt: int = 0
    read: int = 0
    decodes: int = 0
    context: int = 0

    def pieces(self, vocabulary: int) -> list[Piece]:
        tokens = [APART * place % vocabulary for place in range(self.prompt + self.decodes)]
        prompt = [Piece(0, self.read, tokens[self.decodes :])] if self.prompt else []
        return [*prompt, *(Piece(slot + 1, self.context, tokens[slot : slot + 1]) for slot in range(self.decodes))]


def timed(runner: Runner, shapes: Sequence[Shape], repeats: int) -> list[list[float]]:
    """Return seconds by repeat and shape, including the choice of the most likely token. All shapes take turns, after a
    warm-up round."""
    return [one_round(runner, shapes) for _ in range(repeats + 1)][1:]


def one_round(runner: Runner, shapes: Sequence[Shape]) -> list[float]:
    """Run each shape once and return its seconds."""
    return [_seconds(runner, shape.pieces(runner.shape.vocabulary)) for shape in shapes]


def _seconds(runner: Runner, pieces: list[Piece]) -> float:
    watch = Stopwatch()
    runner.run(pieces).argmax(dim=1).tolist()
    return watch.wall_s()


def flops(runner: Runner, shape: Shape) -> float:
    """Count the multiplications and additions of all matrix products, including attention."""
    outputs = bool(shape.prompt) + shape.decodes
    attended = sum(shape.read + place + 1 for place in range(shape.prompt)) + shape.decodes * (shape.context + 1)
    return forward_flops(runner.shape, shape.prompt + shape.decodes, outputs, attended)


def read_bytes(runner: Runner, shape: Shape) -> float:
    """Count the bytes of weights, read once, and of cached keys and values. Intermediate values between products are
    not counted."""
    model = runner.shape
    per_token = 2 * model.layers * model.kv_heads * model.head_width * runner.dtype.itemsize
    cached = shape.read + shape.prompt + shape.decodes * (shape.context + 1)
    return float(runner.weight_bytes + per_token * cached)
