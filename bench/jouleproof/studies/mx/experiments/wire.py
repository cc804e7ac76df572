"""Transfers of a real model's gradients and KV cache between two processes, in float32, bfloat16 and MX."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

from jouleproof.errors import UserError
from jouleproof.evidence.tables import MEASURED, tidy
from jouleproof.inputs import Problem
from jouleproof.models.casting import linear_layers
from jouleproof.models.decoder import Decoder, rotary_angles, rotate
from jouleproof.models.smollm2 import LanguageModel
from jouleproof.processes import Report
from jouleproof.progress import steps
from jouleproof.studies.mx.config import MxConfig
from jouleproof.studies.mx.wire_launch import run_ranks
from jouleproof.studies.mx.wire_rank import PAYLOADS, REFERENCE, Task

WORLD = 2
LOOPBACK = "loopback"
EVERY_LINK = "every"


def wire(config: MxConfig, gsm8k_test: Sequence[Problem], smollm2_135m: LanguageModel) -> pd.DataFrame:
    """Measure time, bytes and error of an all-reduce of gradients and of a move of a KV cache, by format and link.

    link: limit, set in software, on the payload bits/s that a rank sends; loopback has none. time_s: from a barrier to
    the end of the slower rank; cast_s, wire_s and uncast_s are its parts, wire_rate is the rate during wire_s.
    Speed-ups compare transfers of one repeat. sent_bytes: bytes of the rank that sends more, counted when they are
    handed to the network. relative_error: RMS of the error over the RMS of the float32 result. torch_all_reduce_s:
    time of torch.distributed's all-reduce over loopback.
    """
    settings = config.wire
    links = {f"{rate:g} Gbit/s": rate * 1e9 for rate in settings.gbit_per_s}
    task = Task(
        world=WORLD,
        formats=config.formats,
        links={**links, LOOPBACK: None},
        repeats=settings.repeats,
        timeout_s=settings.timeout_s,
    )
    step = steps("mx wire", 1 + WORLD + len(PAYLOADS) * (1 + len(task.links)))

    def on_report(rank: int, report: Report) -> None:
        if rank == 0 and report.get("repeat") in (None, settings.repeats - 1):
            where = f"over {report['link']}" if "link" in report else "in all formats"
            step(f"{report['payload']} {where}")

    with one_torch_thread():
        texts = [nth_text(smollm2_135m, gsm8k_test, settings.tokens, rank) for rank in range(WORLD)]
        cache = kv_cache(smollm2_135m.network, texts[0])
        step("KV cache")
        tensors = []
        for rank, text in enumerate(texts):
            bucket = gradient_bucket(smollm2_135m.network, text, int(settings.bucket_mib * 2**20))
            tensors.append({"gradient": bucket, "kv_cache": cache})
            step(f"gradient of rank {rank}")
    ranks = run_ranks(task, tensors, on_report)
    rows = [*delivered_rows(ranks), *(row for reports in zip(*ranks, strict=True) for row in timed_rows(reports))]
    return tidy(({"model": smollm2_135m.name, **row} for row in rows), tier=MEASURED)


def delivered_rows(ranks: Sequence[Sequence[Report]]) -> Iterator[dict[str, Any]]:
    """Yield rows with the errors, and the bytes of the first repeat over the first link. Raises RuntimeError if the
    bits of a shared result differ between ranks."""
    for payload in PAYLOADS:
        by_rank = [[report for report in reports if report["payload"] == payload] for reports in ranks]
        delivered = [first["delivered"] for first, *_ in by_rank if first["delivered"]]
        sent = {name: max(second["times"][name]["sent_bytes"] for _, second, *_ in by_rank) for name in delivered[0]}
        for name, arrived in delivered[0].items():
            if any(other[name]["digest"] != arrived["digest"] for other in delivered):
                raise RuntimeError(f"mx wire: {payload} in {name} differs between ranks")
            factors = {"payload": payload, "link": EVERY_LINK, "format": name}
            yield {**factors, "metric": "relative_error", "unit": "1", "value": arrived["relative_error"]}
            yield {**factors, "metric": "sent_bytes", "unit": "B", "value": sent[name]}
            ratio = sent[name] / sent["bfloat16"]
            yield {**factors, "metric": "bytes_over_bfloat16", "unit": "ratio", "value": ratio}


def timed_rows(reports: Sequence[Report]) -> Iterator[dict[str, Any]]:
    """Yield rows with the times, rates and speed-ups of one repeat. reports: one per rank."""
    if "times" not in reports[0]:
        return
    where = {name: reports[0][name] for name in ("payload", "link", "repeat")}
    times = {name: slowest([report["times"][name] for report in reports]) for name in reports[0]["times"]}
    reference = times.pop(REFERENCE, None)
    if reference:
        yield {**where, "format": "float32", "metric": "torch_all_reduce_s", "unit": "s", "value": reference["time_s"]}
    for name, slowest_times in times.items():
        factors = {**where, "format": name}
        wire_s = slowest_times["time_s"] - slowest_times["cast_s"] - slowest_times["uncast_s"]
        for metric in ("time_s", "cast_s", "uncast_s"):
            yield {**factors, "metric": metric, "unit": "s", "value": slowest_times[metric]}
        yield {**factors, "metric": "wire_s", "unit": "s", "value": wire_s}
        yield {**factors, "metric": "wire_rate", "unit": "Gbit/s", "value": 8e-9 * slowest_times["sent_bytes"] / wire_s}
        for other in ("float32", "bfloat16"):
            speedup = times[other]["time_s"] / slowest_times["time_s"]
            yield {**factors, "metric": f"speedup_over_{other}", "unit": "x", "value": speedup}


def slowest(times: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the slowest rank's times, with parts that it lacks from another rank, and the largest `sent_bytes`."""
    last = max(times, key=lambda of_rank: of_rank["time_s"])
    parts = {part: seconds for of_rank in times for part, seconds in of_rank.items()}
    return {**parts, **last, "sent_bytes": max(of_rank["sent_bytes"] for of_rank in times)}


def nth_text(model: LanguageModel, problems: Sequence[Problem], tokens: int, n: int) -> Tensor:
    """Return (1, tokens): the n-th window, counted from 0, of the concatenated questions and answers."""
    text: list[int] = []
    for problem in problems:
        text += model.tokens(f"{problem.question}\n{problem.answer}\n\n")
        if len(text) >= (n + 1) * tokens:
            return torch.tensor(text[n * tokens : (n + 1) * tokens])[None]
    raise UserError(f"mx wire: the problems must hold {(n + 1) * tokens} tokens, got {len(text)}; lower mx.wire.tokens")


def gradient_bucket(network: Decoder, text: Tensor, nbytes: int) -> Tensor:
    """Return the gradients that a backward pass computes first, as one vector of at least nbytes of float32.

    PyTorch's DistributedDataParallel fills its buckets in the same way: parameters in reverse order, until a bucket is
    full (it starts with the tied embedding and the last norm, which are omitted here). The loss is the mean
    cross-entropy of the next token. text: (1, tokens).
    """
    bucket: list[nn.Parameter] = []
    for parameter in reversed(list(network.layers.parameters())):
        if sum(earlier.nbytes for earlier in bucket) >= nbytes:
            break
        bucket.append(parameter)
    try:
        for parameter in bucket:
            parameter.requires_grad_(True)
        logits = network(text)[0, :-1]
        gradients = torch.autograd.grad(functional.cross_entropy(logits, text[0, 1:]), bucket)
    finally:
        for parameter in bucket:
            parameter.requires_grad_(False)
    return torch.cat([gradient.reshape(-1) for gradient in gradients])


@torch.no_grad()
def kv_cache(network: Decoder, text: Tensor) -> Tensor:
    """Return (layers, 2, KV heads, tokens, head width) float32: keys with rotary embeddings, and values."""
    shape = network.shape
    heads: list[Tensor] = []  # keys and values, layer by layer

    def keep(_: nn.Module, __: tuple[Tensor], projected: Tensor) -> None:
        heads.append(projected.view(-1, shape.kv_heads, shape.head_width).transpose(0, 1))

    with ExitStack() as hooks:
        for name, layer in linear_layers(network).items():
            if name.endswith((".attention.k", ".attention.v")):
                hooks.callback(layer.register_forward_hook(keep).remove)
        network(text)
    keys = rotate(torch.stack(heads[::2]), rotary_angles(text.shape[1], shape))
    return torch.stack([keys, torch.stack(heads[1::2])], dim=1)


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Use one torch thread, so that a sum has the same bits on any number of cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
