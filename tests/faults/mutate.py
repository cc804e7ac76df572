"""Damaged copies of valid files and configs, seeded: an input's number is enough to reproduce it."""

import random
import re
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

LONGEST = 1 << 17  # bytes
NUMBERS = [
    b"-1", b"0", b"-0", b"1", b"2.5", b"1e3", b"1e30", b"1e308", b"1e999", b"nan", b"inf", b"-inf", b"true", b"",
    b"9007199254740993", b"9223372036854775807", b"9223372036854775808", b"18446744073709551615", b"1" * 25,
    b"7" * 5000, b"0x10", b"1_000", b"1,000", b"1.5.2", b" 1", b"1 ", b"+1", "\u0661".encode(), "\uff11".encode(),
    b"0.1e-400",
]  # fmt: skip
TEXTS = [
    b'"', b"'", b'""', b"\n", b"\r", b"\r\n", b"\n\n", b"\0", b",", b";", b"\t", b" ", b"\\", b"#", b"\xff",
    b"\xef\xbb\xbf", b"\xed\xa0\x80", "\u2028".encode(), b"[" * 3000, b"{" * 3000, b'{"a":' * 3000, b"[[", b"]]",
    b"null", b"=", b"\\ud800", b"1979-05-27T07:32:00Z", b"9" * 5000, b"NaN", b"-Infinity", bytes(8), b"\xff" * 8,
]  # fmt: skip
NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")

VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 2, 10**6, 2**63, -(2**63), 10**400, 0.5, -0.5, 1e-320, 1e308, float("inf"),
    float("-inf"), float("nan"), "", "1", "1e3", "1e999", "0x10", " 1", "inf", "nan", "mxfp4", "a\nb", "\ud800",
    "x" * 5000, "package:", ":object", "no.such.module:thing", "jouleproof.formats:FORMATS", "json:dumps", [], [[]], {},
    {"": 1}, [1, "a", None],
]  # fmt: skip


def damaged(rng: random.Random, files: Sequence[dict[str, bytes]]) -> dict[str, bytes]:
    """Return one of the sets of files, with one to four changes to one or more of them."""
    chosen = dict(rng.choice(files))
    for _ in range(rng.choice((1, 1, 1, 2, 3, 4))):
        name = rng.choice(sorted(chosen))
        other = rng.choice(files).get(name, b"")
        chosen[name] = rng.choice(CHANGES)(rng, chosen[name], other)[:LONGEST]
    return chosen


def _flip(rng: random.Random, content: bytes, _: bytes) -> bytes:
    if not content:
        return b"\0"
    place = rng.randrange(len(content))
    return content[:place] + bytes([content[place] ^ (1 << rng.randrange(8))]) + content[place + 1 :]


def _set(rng: random.Random, content: bytes, _: bytes) -> bytes:
    start, length = _slice(rng, content, 8)
    return content[:start] + rng.randbytes(length) + content[start + length :]


def _insert(rng: random.Random, content: bytes, _: bytes) -> bytes:
    place = rng.randint(0, len(content))
    return content[:place] + rng.choice(TEXTS) + content[place:]


def _delete(rng: random.Random, content: bytes, _: bytes) -> bytes:
    start, length = _slice(rng, content, 64)
    return content[:start] + content[start + length :]


def _repeat(rng: random.Random, content: bytes, _: bytes) -> bytes:
    start, length = _slice(rng, content, 64)
    return content[:start] + content[start : start + length] * rng.choice((2, 2, 3, 100)) + content[start + length :]


def _truncate(rng: random.Random, content: bytes, _: bytes) -> bytes:
    return content[: rng.randint(0, len(content))]


def _number(rng: random.Random, content: bytes, _: bytes) -> bytes:
    spans = [match.span() for match in NUMBER.finditer(content)]
    if not spans:
        return _insert(rng, content, _)
    start, end = rng.choice(spans)
    return content[:start] + rng.choice(NUMBERS) + content[end:]


def _splice(rng: random.Random, content: bytes, other: bytes) -> bytes:
    return content[: rng.randint(0, len(content))] + other[rng.randint(0, len(other)) :]


def _lines(rng: random.Random, content: bytes, _: bytes) -> bytes:
    lines = content.split(b"\n")
    one, two = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[one], lines[two] = lines[two], lines[one]
    return b"\n".join(lines)


def _slice(rng: random.Random, content: bytes, longest: int) -> tuple[int, int]:
    start = rng.randint(0, len(content))
    return start, min(rng.randint(1, longest), len(content) - start)


CHANGES = (_flip, _flip, _flip, _set, _insert, _delete, _repeat, _truncate, _number, _number, _number, _splice, _lines)


def damaged_tree(rng: random.Random, trees: Sequence[Any]) -> Any:
    """Return one of the configs, with one to three of its values replaced, moved, renamed or removed."""
    tree = deepcopy(rng.choice(trees))
    for _ in range(rng.choice((1, 1, 2, 3))):
        places = list(_places(tree))
        holder, key = rng.choice(places)
        action = rng.randrange(6)
        if action <= 2:
            holder[key] = deepcopy(rng.choice(VALUES))
        elif action == 3:
            del holder[key]
        elif action == 4:
            other, place = rng.choice(places)
            holder[key] = deepcopy(other[place])
        elif isinstance(holder, dict):
            holder[f"{key}{rng.choice('sx_ ')}"] = holder.pop(key)
        else:
            holder.append(holder[key])
        if not tree:
            break
    return tree


def _places(tree: Any) -> Any:
    """Every (dict or list, key) below `tree`."""
    keys = list(tree) if isinstance(tree, dict) else range(len(tree))
    for key in keys:
        yield tree, key
        if isinstance(tree[key], dict | list):
            yield from _places(tree[key])
