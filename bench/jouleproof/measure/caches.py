"""Sizes of the processor's caches."""

from collections.abc import Mapping
from pathlib import Path

CACHES = Path("/sys/devices/system/cpu/cpu0/cache")


def cache_bytes(folder: Path = CACHES) -> Mapping[str, int]:
    """Return the sizes of the first core's caches by level ("L1", the data cache; "L2" …); empty if the system does not
    report them."""
    sizes = {}
    for index in sorted(folder.glob("index*")):
        try:
            kind, level, size = (
                (index / name).read_text(encoding="utf-8").strip() for name in ("type", "level", "size")
            )
        except OSError:
            continue
        if kind != "Instruction" and size.endswith("K") and size[:-1].isdecimal():
            sizes[f"L{level}"] = int(size[:-1]) * 1024
    return sizes
