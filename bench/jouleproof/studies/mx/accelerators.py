"""Published dense peak rates of accelerators (accelerators.toml, read strictly)."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BITS = {"bf16": 16, "fp8": 8, "int8": 8, "fp6": 6, "fp4": 4, "int4": 4}
_FILE = Path(__file__).with_name("accelerators.toml")
_TEXTS = ("name", "publication", "read_at")
_FLAGS = ("block_scaled", "verified")


@dataclass(frozen=True)
class Accelerator:
    """One chip. rates: dense peak of its matrix units by element format, in TFLOP/s (TOPS for integers).

    block_scaled: whether these units apply the scales of MX or NVFP4 blocks. publication, year: where the rates were
    published. read_at: where they were read. verified: whether they were found there; only such entries are used.
    """

    name: str
    block_scaled: bool
    publication: str
    year: int
    read_at: str
    verified: bool
    rates: Mapping[str, float]


def accelerators(path: Path = _FILE) -> list[Accelerator]:
    """Those that are verified, in the order of the file. Raises ValueError on an entry that does not fit."""
    entries = tomllib.loads(path.read_text(encoding="utf-8"))
    return [each for each in (_entry(key, value) for key, value in entries.items()) if each.verified]


def _entry(key: str, value: dict[str, Any]) -> Accelerator:
    wanted = {*_TEXTS, *_FLAGS, "year", "rates"}
    if set(value) != wanted:
        raise ValueError(f"accelerators: {key}: keys that are missing or unknown: {sorted(set(value) ^ wanted)}")
    wrong = [name for name in _TEXTS if not isinstance(value[name], str) or not value[name]]
    wrong += [name for name in _FLAGS if not isinstance(value[name], bool)]
    wrong += ["year"] if type(value["year"]) is not int else []
    wrong += ["read_at"] if not str(value["read_at"]).startswith("https://") else []
    if wrong:
        raise ValueError(f"accelerators: {key}: what {', '.join(wrong)} says does not fit")
    rates = value["rates"]
    unknown = set(rates) - set(BITS)
    if unknown or "bf16" not in rates:
        raise ValueError(f"accelerators: {key}: rates={sorted(rates)} need bf16 and know only {', '.join(BITS)}")
    if not all(type(rate) in (int, float) and 0 < rate < float("inf") for rate in rates.values()):
        raise ValueError(f"accelerators: {key}: rates={rates} are not all positive numbers")
    return Accelerator(**{**value, "rates": {name: float(rate) for name, rate in rates.items()}})
