"""Independent readers of the same files, which share no code with those under test."""

import csv
import io
import json
import re
import struct
from decimal import Decimal
from typing import Any

import numpy as np

NUMPY = {"F32": "<f4", "F64": "<f8", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U8": "u1"}
SMALLEST = Decimal("1e-320")
STAMP = re.compile(r"\s*(\d{4}-\d{1,2}-\d{1,2})\s+(\d{1,2}:\d{1,2}:\d{1,2})\.(\d*)\s*")


def csv_cells(content: bytes, without_blank_lines: bool = False) -> dict[str, list[str]]:
    """Return the columns of a CSV file as strings. Raises AssertionError if a line has more or fewer cells than the
    header."""
    csv.field_size_limit(1 << 20)
    lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=None)))
    header, *rows = [row for row in lines if "".join(row).strip()] if without_blank_lines else lines
    assert len(set(header)) == len(header), "duplicate column"
    assert all(len(row) == len(header) for row in rows), "a line has more or fewer cells than the header"
    return {name: [row[place] for row in rows] for place, name in enumerate(header)}


def same_numbers(texts: list[str], numbers: Any, scale: str = "1", empty: str | None = None) -> None:
    """Raise AssertionError unless each number equals its text times `scale`, to the last digits.

    empty: the text of a missing number, which is read as NaN.
    """
    assert len(texts) == len(numbers), f"{len(texts)} lines, {len(numbers)} numbers"
    for text, number in zip(texts, numbers, strict=True):
        if np.isnan(number):
            assert empty is not None and (text == empty or (empty == "0" and Decimal(text) < SMALLEST)), (
                f"{text!r} as NaN"
            )
        else:
            exact = Decimal(text) * Decimal(scale)
            if isinstance(number, int | np.integer):
                assert exact == int(number), f"{text!r} as {number}"
            else:
                near = abs(Decimal(float(number)) - exact) <= abs(exact) * Decimal("1e-15") + SMALLEST
                assert near, f"{text!r} as {number}"


def tensors(content: bytes) -> dict[str, np.ndarray]:
    """Read the tensors of a safetensors file."""
    length = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8 : 8 + length])
    header.pop("__metadata__", None)
    body = content[8 + length :]
    arrays = {}
    for name, entry in header.items():
        start, end = entry["data_offsets"]
        arrays[name] = np.frombuffer(body[start:end], NUMPY[entry["dtype"]]).reshape(entry["shape"])
    return arrays


def same_content(given: Any, content: Any, where: str = "") -> None:
    """Raise AssertionError unless `content` holds everything in `given` with the same value. Numbers compare as
    numbers: a Boolean is not a number, and a string is one only if it spells that number."""
    if isinstance(given, dict):
        for key, value in given.items():
            same_content(value, content[key], f"{where}.{key}")
    elif isinstance(given, list | tuple):
        assert len(given) == len(content), f"{where}: {len(given)} values became {len(content)}"
        for number, (one, other) in enumerate(zip(given, content, strict=True)):
            same_content(one, other, f"{where}[{number}]")
    elif isinstance(content, bool) or isinstance(given, bool) or content is None or given is None:
        assert given is content, f"{where}: {given!r:.50} became {content!r:.50}"
    elif isinstance(content, int):
        assert Decimal(str(given)) == content, f"{where}: {given!r:.50} became {content!r:.50}"
    elif isinstance(content, float):
        assert float(str(given)) == content, f"{where}: {given!r:.50} became {content!r:.50}"  # the nearest there is
    else:
        assert str(given) == str(content), f"{where}: {given!r:.50} became {content!r:.50}"
