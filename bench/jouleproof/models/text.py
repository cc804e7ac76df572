"""Texts as rectangles of tokens."""

from collections.abc import Sequence

import torch
from torch import Tensor


def padded(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """(rows, longest) int64 with zeros on the right, and (rows,) lengths."""
    lengths = torch.tensor([len(row) for row in rows])
    tokens = torch.zeros(len(rows), int(lengths.max()), dtype=torch.int64)
    for target, row in zip(tokens, rows, strict=True):
        target[: len(row)] = torch.tensor(row)
    return tokens, lengths


def batches(rows: Sequence[Sequence[int]], max_tokens: int) -> list[list[int]]:
    """Indices of rows of like length, at most max_tokens with their padding (or a single longer row) together."""
    groups: list[list[int]] = []
    for index in sorted(range(len(rows)), key=lambda i: (len(rows[i]), i)):
        if groups and (len(groups[-1]) + 1) * len(rows[index]) <= max_tokens:
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups
