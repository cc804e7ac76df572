"""Transfers of tensors between processes, as float32, bfloat16 or packed MX blocks: an all-reduce, and a move.

A `Codec` turns a tensor into one contiguous uint8 message and back, and a `Link` carries messages and counts their
bytes. A transfer, `AllReduce` or `Move`, is created once per tensor, with its buffers, and called each time that the
tensor is sent. Nothing overlaps: cast, wire and uncast follow one another, so that each can be timed.
"""

from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise
from typing import Protocol

import torch
import torch.distributed as dist
from torch import Tensor

from jouleproof.formats.codecs import Codec
from jouleproof.measure.clocks import Laps, Pacer

CHUNK_BYTES = 1 << 20  # bytes that a link sends at a time: 8 ms at 1 Gbit/s, 0.8 ms at 10


class Link(Protocol):
    """The links of process `rank` of `world` processes. sent_bytes: bytes that it has sent so far."""

    rank: int
    world: int
    sent_bytes: int

    def exchange(self, sends: Mapping[int, Tensor], receives: Mapping[int, Tensor]) -> None:
        """Send and receive uint8 vectors concurrently, by the rank of the peer; return when all are done."""
        ...


class GlooLink:
    """A link over torch.distributed, whose process group must exist.

    bits_per_s: limit on the payload bits that a rank sends; bits that it receives count for their sender, so the link
    is full duplex. A chunk is handed to the socket when its last bit would have left, so the network itself, here
    loopback, can only add to the time. Raises RuntimeError if the peer is gone, or silent for timeout_s.
    """

    def __init__(self, bits_per_s: float, timeout_s: float) -> None:
        self.rank, self.world, self.sent_bytes = dist.get_rank(), dist.get_world_size(), 0
        self._pacer = Pacer(bits_per_s / 8)
        self._timeout = timedelta(seconds=timeout_s)

    def exchange(self, sends: Mapping[int, Tensor], receives: Mapping[int, Tensor]) -> None:
        works = [dist.irecv(chunk, source) for source, message in receives.items() for chunk in _chunks(message)]
        for to, message in sends.items():
            chunks = _chunks(message)
            for chunk, size in zip(chunks, self._pacer.passed(map(len, chunks)), strict=True):
                works.append(dist.isend(chunk, to))
                self.sent_bytes += size
        for work in works:
            if work is not None:
                work.wait(self._timeout)


def _chunks(message: Tensor) -> tuple[Tensor, ...]:
    return torch.split(message, CHUNK_BYTES) if len(message) else ()


class Transfer(Protocol):
    """A transfer of the tensor that it was created for; a call carries it out.

    The call returns the seconds that this rank spent in `cast`, `wire` (including waits for the peer) and `uncast`
    (including additions). delivers: whether `out` of this rank is filled.
    """

    delivers: bool

    def __call__(self, link: Link) -> Mapping[str, float]: ...


class AllReduce:
    """The sum of a vector over all ranks, as a reduce-scatter and an all-gather of messages.

    Every rank owns a part of the vector. It receives that part from the other ranks, adds these addends to its own in
    float32, and sends the sum, cast once more, to all. It decodes its own sum from that message too, so all ranks end
    with the same bits. The owner's addend is not cast; addends are added in the order owner, owner - 1, owner - 2, …,
    modulo world.
    """

    delivers = True

    def __init__(self, x: Tensor, out: Tensor, codec: Codec, rank: int, world: int) -> None:
        """Allocate the messages. x, out: (elements,) float32, distinct; x is read in every call."""
        bounds = [len(x) * owner // world for owner in range(world + 1)]
        self._addends = [x[start:end] for start, end in pairwise(bounds)]
        self._sums = [out[start:end] for start, end in pairwise(bounds)]
        self._codec = codec
        self._outgoing = [codec.message(addend) for addend in self._addends]
        self._received = torch.empty_like(self._addends[rank])
        self._incoming = codec.message(self._received)
        self._gathered = [codec.message(total) for total in self._sums]

    def __call__(self, link: Link) -> Mapping[str, float]:
        laps, codec, rank = Laps(), self._codec, link.rank
        total = self._sums[rank]
        addend = self._addends[rank]
        for to, source in _steps(link):
            with laps.lap("cast"):
                codec.encode(self._addends[to], self._outgoing[to])
            with laps.lap("wire"):
                link.exchange({to: self._outgoing[to]}, {source: self._incoming})
            with laps.lap("uncast"):
                codec.decode(self._incoming, self._received)
                addend = torch.add(addend, self._received, out=total)
        with laps.lap("cast"):
            codec.encode(total, self._gathered[rank])
        with laps.lap("uncast"):
            codec.decode(self._gathered[rank], total)
        for to, source in _steps(link):
            with laps.lap("wire"):
                link.exchange({to: self._gathered[rank]}, {source: self._gathered[source]})
            with laps.lap("uncast"):
                codec.decode(self._gathered[source], self._sums[source])
        return laps.seconds


def _steps(link: Link) -> list[tuple[int, int]]:
    """Return the (receiver, sender) of every step for this rank, which sends once and receives once per step."""
    return [((link.rank + step) % link.world, (link.rank - step) % link.world) for step in range(1, link.world)]


class Move:
    """A transfer from rank 0 to rank 1, which decodes it into `out`; other ranks do nothing."""

    def __init__(self, x: Tensor, out: Tensor, codec: Codec, rank: int) -> None:
        """Allocate the message. x, out: float32 of one shape; x is read on rank 0, out is written on rank 1."""
        self.delivers = rank == 1
        self._x, self._out, self._codec = x, out, codec
        self._message = codec.message(x if rank == 0 else out)

    def __call__(self, link: Link) -> Mapping[str, float]:
        laps = Laps()
        if link.rank == 0:
            with laps.lap("cast"):
                self._codec.encode(self._x, self._message)
            with laps.lap("wire"):
                link.exchange({1: self._message}, {})
        if link.rank == 1:
            with laps.lap("wire"):
                link.exchange({}, {0: self._message})
            with laps.lap("uncast"):
                self._codec.decode(self._message, self._out)
        return laps.seconds
