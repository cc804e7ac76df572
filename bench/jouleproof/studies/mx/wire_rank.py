"""One of several processes that send tensors to each other: `python -m jouleproof.studies.mx.wire_rank FOLDER RANK`.

wire_launch starts it. It reads its task and its tensors from the folder, finds the other ranks there, and writes one
JSON object per line to standard output; the output of libraries goes to standard error.
"""

import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from safetensors.torch import load_file
from torch import Tensor

from jouleproof.errors import one_line_errors
from jouleproof.formats.codecs import BFloat16, Codec, Float32, Packed
from jouleproof.measure.clocks import Stopwatch
from jouleproof.processes import reporter
from jouleproof.studies.mx import registry
from jouleproof.studies.mx.generated_vectors import sum_of_squares
from jouleproof.studies.mx.wire_transport import AllReduce, GlooLink, Link, Move, Transfer

PAYLOADS = ("gradient", "kv_cache")
REFERENCE = "torch all_reduce"  # torch's all-reduce of float32, over loopback only: its link cannot be paced


@dataclass(frozen=True)
class Task:
    """The task that all ranks carry out together.

    formats: formats of the config, in addition to float32 and bfloat16. links: payload bits/s by name, None for no
    limit. timeout_s: longest time that one rank waits for another.
    """

    world: int
    formats: list[str]
    links: dict[str, float | None]
    repeats: int
    timeout_s: float

    def write(self, folder: Path) -> None:
        (folder / "task.json").write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> "Task":
        return cls(**json.loads((folder / "task.json").read_text(encoding="utf-8")))


def tensors_path(folder: Path, rank: int) -> Path:
    """Return the path of a rank's safetensors file, with its tensors by payload."""
    return folder / f"rank-{rank}.safetensors"


def codecs(formats: Sequence[str]) -> dict[str, Codec]:
    """Return the codecs by name: float32, bfloat16, and the formats of the config."""
    packed = {name: Packed(fmt) for name, fmt in registry.formats(formats).items()}
    return {"float32": Float32(), "bfloat16": BFloat16(), **packed}


def reports(task: Task, rank: int, tensors: Mapping[str, Tensor]) -> Iterator[dict[str, Any]]:
    """Yield, for each payload, `delivered` by format, then `times` by format for each link and repeat.

    The delivered tensor does not depend on link and repeat, so it is inspected once, in a first, untimed transfer.
    Formats alternate within a repeat, and each repeat starts with a different format.
    """
    by_name = codecs(task.formats)
    for payload in PAYLOADS:
        x = tensors[payload].clone()
        out = torch.zeros_like(x)
        make = partial(AllReduce, world=task.world) if payload == "gradient" else Move
        transfers: dict[str, Transfer] = {name: make(x, out, codec, rank=rank) for name, codec in by_name.items()}
        yield {"payload": payload, "delivered": _delivered(transfers, GlooLink(inf, task.timeout_s), out)}
        for link_name, bits_per_s in task.links.items():
            link = GlooLink(bits_per_s or inf, task.timeout_s)
            timed = dict(transfers)
            if payload == "gradient" and bits_per_s is None:
                timed[REFERENCE] = TorchAllReduce(out)
            for repeat in range(task.repeats):
                times = {name: _timed(timed[name], link) for name in _rotated(list(timed), repeat)}
                yield {"payload": payload, "link": link_name, "repeat": repeat, "times": times}


class TorchAllReduce:
    """torch.distributed's all-reduce, in place: a reference for the speed of `AllReduce`; its values are not used."""

    delivers = False

    def __init__(self, out: Tensor) -> None:
        self._out = out

    def __call__(self, link: Link) -> Mapping[str, float]:
        watch = Stopwatch()
        dist.all_reduce(self._out)
        return {"wire": watch.wall_s()}


def _delivered(transfers: Mapping[str, Transfer], link: GlooLink, out: Tensor) -> dict[str, dict[str, Any]]:
    """Return, by format, the digest of the bits that arrived, and the RMS of their error over the RMS of float32."""
    delivered = {}
    reference = out
    for name, transfer in transfers.items():
        transfer(link)
        if not transfer.delivers:
            continue
        if name == "float32":
            reference = out.clone()
        error = sum_of_squares((out - reference).numpy()) / sum_of_squares(reference.numpy())
        delivered[name] = {"digest": hashlib.sha256(out.numpy().tobytes()).hexdigest(), "relative_error": error**0.5}
    return delivered


def _timed(transfer: Transfer, link: GlooLink) -> dict[str, float]:
    """Time one transfer, starting at a barrier."""
    before = link.sent_bytes
    dist.barrier()
    watch = Stopwatch()
    laps = transfer(link)
    time_s = watch.wall_s()
    parts = {f"{part}_s": seconds for part, seconds in laps.items()}
    return {"time_s": time_s, **parts, "sent_bytes": link.sent_bytes - before}


def _rotated(names: list[str], by: int) -> list[str]:
    first = by % len(names)
    return names[first:] + names[:first]


def main(folder: Path, rank: int) -> None:
    report = reporter()
    torch.set_num_threads(1)
    task = Task.read(folder)
    timeout = timedelta(seconds=task.timeout_s)
    store = dist.FileStore(str(folder / "store"), task.world)  # type: ignore[attr-defined]
    store.set_timeout(timeout)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=task.world, timeout=timeout)
    try:
        for values in reports(task, rank, load_file(tensors_path(folder, rank))):
            report(**values)
    finally:
        dist.destroy_process_group()


if __name__ == "__main__":
    with one_line_errors():
        main(Path(sys.argv[1]), int(sys.argv[2]))
