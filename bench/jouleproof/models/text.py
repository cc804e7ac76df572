"""Padding of texts to rectangles of tokens, in batches of similar length."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import torch
from torch import Tensor

T = TypeVar("T")


def padded(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Pad rows with zeros on the right; returns (rows, longest) int64, and (rows,) lengths."""
    lengths = torch.tensor([len(row) for row in rows])
    tokens = torch.zeros(len(rows), int(lengths.max()), dtype=torch.int64)
    for target, row in zip(tokens, rows, strict=True):
        target[: len(row)] = torch.tensor(row)
    return tokens, lengths


def batches(rows: Sequence[Sequence[int]], max_tokens: int, pad: bool = True) -> list[list[int]]:
    """Group the indices of rows of similar length. A group has at most max_tokens, including padding, or is a single
    longer row. pad: whether rows of different lengths may be in one group."""
    groups: list[list[int]] = []
    for index in sorted(range(len(rows)), key=lambda i: (len(rows[i]), i)):
        fits = groups and (pad or len(rows[groups[-1][0]]) == len(rows[index]))
        if fits and (len(groups[-1]) + 1) * len(rows[index]) <= max_tokens:
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups


def in_groups(groups: Iterable[Sequence[int]], run: Callable[[Sequence[int]], Iterable[T]]) -> list[T]:
    """Call run(indices) on groups of indices and return its results in the order of the indices."""
    results: dict[int, T] = {}
    for group in groups:
        results.update(zip(group, run(group), strict=True))
    return [results[index] for index in range(len(results))]
