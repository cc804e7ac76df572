"""Transfer of a KV cache from the worker that read the prompt to the one that generates the tokens."""

from dataclasses import dataclass
from typing import Literal, Protocol

import torch
import torch.distributed as dist
from torch import Tensor

from jouleproof.formats.codecs import codec
from jouleproof.models.runner import Runner

Transport = Literal["memory", "gloo"]


@dataclass(frozen=True)
class Move:
    """How a KV cache moves. transport: memory that the processes share, or a socket. by_layer: send each layer as soon
    as it is computed, or all of them after the prompt. cache_format: number format of the values: float32, bfloat16 or
    the name of a block format."""

    transport: Transport = "memory"
    by_layer: bool = False
    cache_format: str = "float32"


class Carrier(Protocol):
    """A channel for messages between two workers. A box is one cache in transfer, a part is one message of it.

    to, source: ranks. expect: a message of the same length will be filled. flush: returns when everything that was sent
    may be overwritten. collect: returns when everything that was expected in a box has arrived.
    """

    def send(self, box: int, part: int, message: Tensor, to: int) -> None: ...

    def flush(self) -> None: ...

    def expect(self, box: int, part: int, message: Tensor, source: int) -> None: ...

    def collect(self, box: int) -> None: ...


class MemoryCarrier:
    """A carrier through shared memory. mailbox: (boxes, layers, bytes) uint8, shared; a part of all layers takes the
    whole box. Its content is read when it is collected: the router ensures that everything was sent by then."""

    def __init__(self, mailbox: Tensor) -> None:
        self._mailbox = mailbox
        self._expected: dict[int, list[tuple[int, Tensor]]] = {}

    def send(self, box: int, part: int, message: Tensor, to: int) -> None:
        self._place(box, part)[: len(message)] = message

    def flush(self) -> None:
        pass

    def expect(self, box: int, part: int, message: Tensor, source: int) -> None:
        self._expected.setdefault(box, []).append((part, message))

    def collect(self, box: int) -> None:
        for part, message in self._expected.pop(box):
            message.copy_(self._place(box, part)[: len(message)])

    def _place(self, box: int, part: int) -> Tensor:
        return self._mailbox[box, part:].view(-1)


class GlooCarrier:
    """A carrier over torch.distributed, whose process group exists already."""

    def __init__(self, parts: int) -> None:
        self._parts = parts
        self._sent: list[tuple[dist.Work | None, Tensor]] = []
        self._expected: dict[int, list[dist.Work | None]] = {}

    def send(self, box: int, part: int, message: Tensor, to: int) -> None:
        self._sent.append((dist.isend(message, to, tag=box * self._parts + part), message))

    def flush(self) -> None:
        for work, _ in self._sent:
            if work is not None:
                work.wait()
        self._sent.clear()

    def expect(self, box: int, part: int, message: Tensor, source: int) -> None:
        self._expected.setdefault(box, []).append(dist.irecv(message, source, tag=box * self._parts + part))

    def collect(self, box: int) -> None:
        for work in self._expected.pop(box):
            if work is not None:
                work.wait()


class Mover:
    """One worker's end of the transfers: it sends what is in its runner's slots, and fills them."""

    def __init__(self, runner: Runner, carrier: Carrier, move: Move) -> None:
        self._runner, self._carrier, self._codec = runner, carrier, codec(move.cache_format)
        self.by_layer = move.by_layer
        self._parts = runner.shape.layers if move.by_layer else 1
        self._incoming: dict[int, list[tuple[Tensor, Tensor]]] = {}

    def send(self, slot: int, tokens: int, part: int, box: int, to: int) -> int:
        """Send a part of a cache and return its bytes. part: the layer, or 0 for all of them."""
        values = self._part(self._runner.cache(slot, tokens), part).cpu().contiguous()
        message = self._codec.message(values)
        self._codec.encode(values, message)
        self._carrier.send(box, part, message, to)
        return len(message)

    def flush(self) -> None:
        self._carrier.flush()

    def expect(self, tokens: int, box: int, source: int) -> None:
        shape = self._runner.shape
        layers = 1 if self.by_layer else shape.layers
        parts = []
        for part in range(self._parts):
            values = torch.empty(layers, 2, shape.kv_heads, tokens, shape.head_width)
            message = self._codec.message(values)
            self._carrier.expect(box, part, message, source)
            parts.append((values, message))
        self._incoming[box] = parts

    def take(self, box: int, slot: int) -> None:
        self._carrier.collect(box)
        for part, (values, message) in enumerate(self._incoming.pop(box)):
            self._codec.decode(message, values)
            self._part(self._runner.cache(slot, values.shape[3]), part).copy_(values)

    def _part(self, cache: Tensor, part: int) -> Tensor:
        return cache[part : part + 1] if self.by_layer else cache
