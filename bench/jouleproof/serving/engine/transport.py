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
    """The settings of a cache transfer. transport: shared memory, or a socket. by_layer: send each layer as soon as it
    is computed, instead of all layers after the prompt. cache_format: number format of the values: float32, bfloat16 or
    the name of a block format."""

    transport: Transport = "memory"
    by_layer: bool = False
    cache_format: str = "float32"


class Carrier(Protocol):
    """A channel for messages between two workers. A box is one cache in transfer, with one message per layer or,
    numbered 0, one message for all layers.

    to, source: ranks. expect: register a message of the same length to be filled. flush: wait until all sent messages
    may be overwritten. collect: wait until all expected messages of a box have arrived.
    """

    def send(self, box: int, layer: int, message: Tensor, to: int) -> None: ...

    def flush(self) -> None: ...

    def expect(self, box: int, layer: int, message: Tensor, source: int) -> None: ...

    def collect(self, box: int) -> None: ...


class MemoryCarrier:
    """A carrier that uses shared memory. mailbox: (boxes, layers, bytes) uint8, shared; a message of all layers takes
    the whole box. A message is read when it is collected: the router ensures that everything was sent by then."""

    def __init__(self, mailbox: Tensor) -> None:
        self._mailbox = mailbox
        self._expected: dict[int, list[tuple[int, Tensor]]] = {}

    def send(self, box: int, layer: int, message: Tensor, to: int) -> None:
        self._place(box, layer)[: len(message)] = message

    def flush(self) -> None:
        pass

    def expect(self, box: int, layer: int, message: Tensor, source: int) -> None:
        self._expected.setdefault(box, []).append((layer, message))

    def collect(self, box: int) -> None:
        for layer, message in self._expected.pop(box):
            message.copy_(self._place(box, layer)[: len(message)])

    def _place(self, box: int, layer: int) -> Tensor:
        return self._mailbox[box, layer:].view(-1)


class GlooCarrier:
    """A carrier that uses torch.distributed, whose process group must exist."""

    def __init__(self, layers: int) -> None:
        self._layers = layers
        self._sent: list[tuple[dist.Work | None, Tensor]] = []
        self._expected: dict[int, list[dist.Work | None]] = {}

    def send(self, box: int, layer: int, message: Tensor, to: int) -> None:
        self._sent.append((dist.isend(message, to, tag=box * self._layers + layer), message))

    def flush(self) -> None:
        for work, _ in self._sent:
            if work is not None:
                work.wait()
        self._sent.clear()

    def expect(self, box: int, layer: int, message: Tensor, source: int) -> None:
        self._expected.setdefault(box, []).append(dist.irecv(message, source, tag=box * self._layers + layer))

    def collect(self, box: int) -> None:
        for work in self._expected.pop(box):
            if work is not None:
                work.wait()


class Mover:
    """One worker's side of the transfers: it sends caches from its runner's slots, and puts received ones there."""

    def __init__(self, runner: Runner, carrier: Carrier, move: Move) -> None:
        self._runner, self._carrier, self._codec = runner, carrier, codec(move.cache_format)
        self.by_layer = move.by_layer
        self._incoming: dict[int, list[tuple[Tensor, Tensor]]] = {}

    def send(self, slot: int, tokens: int, layer: int, box: int, to: int) -> int:
        """Send one message of a cache and return its size in bytes. layer: 0 if the message holds all layers."""
        values = self._layers(self._runner.cache(slot, tokens), layer).cpu().contiguous()
        message = self._codec.message(values)
        self._codec.encode(values, message)
        self._carrier.send(box, layer, message, to)
        return len(message)

    def flush(self) -> None:
        self._carrier.flush()

    def expect(self, tokens: int, box: int, source: int) -> None:
        shape = self._runner.shape
        messages, layers = (shape.layers, 1) if self.by_layer else (1, shape.layers)
        self._incoming[box] = []
        for layer in range(messages):
            values = torch.empty(layers, 2, shape.kv_heads, tokens, shape.head_width)
            message = self._codec.message(values)
            self._carrier.expect(box, layer, message, source)
            self._incoming[box].append((values, message))

    def take(self, box: int, slot: int) -> None:
        self._carrier.collect(box)
        for layer, (values, message) in enumerate(self._incoming.pop(box)):
            self._codec.decode(message, values)
            self._layers(self._runner.cache(slot, values.shape[3]), layer).copy_(values)

    def _layers(self, cache: Tensor, layer: int) -> Tensor:
        return cache[layer : layer + 1] if self.by_layer else cache
